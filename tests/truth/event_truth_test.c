/*
 * The truth about searches: random requests of both API versions, put to the handlers, against an
 * evaluator written from the reference (events-api.md 4, conventions.md 6 and 7) that looks at one
 * event after another and shares no code with the engine.
 *
 * VIGIL_TEST_SEED=N repeats a run, VIGIL_TRUTH_CASES=N says how long it is for each version.
 */
#include "tests/truth/truth_run.h"

int main(void)
{
    uint64_t seed = truth_run_seed();
    bool good = truth_run(&truth_version_1, seed);
    good = truth_run(&truth_version_1_nids, seed) && good;
    good = truth_run(&truth_version_1_case, seed) && good;
    good = truth_run(&truth_version_1_list, seed) && good;
    good = truth_run(&truth_version_1_nids_list, seed) && good;
    good = truth_run(&truth_version_2, seed) && good;
    good = truth_run(&truth_version_2_case, seed) && good;
    good = truth_run(&truth_version_2_list, seed) && good;
    return good ? 0 : 1;
}
