/*
 * A run of random stores, changes and requests.
 *
 * Threads: one.
 */
#ifndef VG_TESTS_TRUTH_TRUTH_RUN_H
#define VG_TESTS_TRUTH_TRUTH_RUN_H

#include "tests/truth/truth_version.h"

/* The seed of this run: VIGIL_TEST_SEED, or another one each day. */
uint64_t truth_run_seed(void);

/* Random stores, changes and requests; true when every answer was the expected one and enough of
 * them were interesting. Prints seed and figures, and of a failure the least request and events. */
bool truth_run(const struct truth_version *version, uint64_t seed);

#endif
