#include "tests/truth/truth_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/metrics.h"
#include "proto/contract_json.h"
#include "tests/truth/truth_make.h"
#include "tests/truth/truth_shrink.h"

#define CASES_DEFAULT      10400
#define WORLDS             8
#define CASES_PER_STEP     26
#define SUBMISSIONS_A_STEP 9
#define REPLAYS_MAX        400
#define DAY_MS             (24 * 3600 * INT64_C(1000))

struct run {
    const struct truth_version *version;
    struct truth_random random;
    struct vg_arena arena;
    uint32_t chunk_rows;
    struct truth_world world;
    struct truth_events events;
    struct truth_submission *log;
    size_t log_count;
    size_t log_max;
    unsigned batches;
    int64_t now;
    struct truth_answer answer;
    char text[TRUTH_TEXT_SIZE];
    struct truth_expected expected;

    unsigned cases;
    unsigned partial; /* some but not all events the caller may see */
    unsigned empty;
    unsigned refused;
    uint64_t restarts;
};

uint64_t truth_run_seed(void)
{
    const char *text = getenv("VIGIL_TEST_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL) / 86400;
}

static unsigned case_count(void)
{
    const char *text = getenv("VIGIL_TRUTH_CASES");
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : CASES_DEFAULT;
}

/* --------------------------------------------------------------------------------- the store */

static void log_submission(struct run *run, const struct truth_submission *submission)
{
    if (run->log_count == run->log_max) {
        run->log_max = run->log_max == 0 ? 256 : 2 * run->log_max;
        run->log = realloc(run->log, run->log_max * sizeof(*run->log));
        VG_ASSERT(run->log != NULL);
    }
    run->log[run->log_count++] = *submission;
}

/* Submit what is in the log from `first` on as one bulk; an assessment goes alone. */
static void send_batch(struct run *run, size_t first)
{
    const struct truth_caller *admin = &truth_callers[TRUTH_CALLER_ADMIN];
    const struct truth_submission *only = &run->log[first];
    if (only->assesses) {
        /* In a part of a log its event may be missing. */
        if (truth_events_find(&run->events, only->id) != NULL) {
            truth_world_assess(&run->world, only);
            truth_events_assess(&run->events, only, admin->user);
        }
        return;
    }
    truth_world_submit(&run->world, run->log + first, run->log_count - first);
    for (size_t i = first; i < run->log_count; i++) {
        truth_events_apply(&run->events, &run->log[i], admin->name);
    }
}

/* The world goes on: time passes, events come and change, now and then the node is restarted;
 * checkpoints and compaction are the node's own affair.
 */
static void step(struct run *run)
{
    struct truth_random *random = &run->random;
    run->now += truth_random_once(random, 12) ? DAY_MS / 2 : truth_random_below(random, 3) * 700;
    bool assesses = run->events.count != 0 && truth_random_once(random, 3);
    size_t first = run->log_count;
    size_t count = 1 + truth_random_below(random, SUBMISSIONS_A_STEP);
    run->batches++;
    for (size_t i = 0; i < count; i++) {
        struct truth_submission submission;
        if (assesses) {
            truth_assessment_make(random, &run->events, run->now, &submission);
            run->batches++;
        } else {
            truth_submission_make(random, &run->events, run->now, &submission);
        }
        submission.batch = run->batches;
        log_submission(run, &submission);
        if (assesses) {
            send_batch(run, run->log_count - 1);
        }
    }
    if (!assesses) {
        send_batch(run, first);
    }
    if (truth_random_once(random, 20)) {
        truth_world_restart(&run->world, truth_random_once(random, 3));
        truth_events_restart(&run->events);
    }
}

static void open_run(struct run *run)
{
    run->chunk_rows = 3 + truth_random_below(&run->random, 5);
    run->now = TRUTH_WORLD_NOW;
    run->log_count = 0;
    truth_events_init(&run->events);
    truth_world_open(&run->world, run->chunk_rows, truth_random_next(&run->random));
}

static void close_run(struct run *run)
{
    run->restarts += run->world.restarts;
    truth_world_close(&run->world);
    truth_events_dispose(&run->events);
}

/* ------------------------------------------------------------------------------ a failing case */

static const char *check(struct run *run, struct truth_question *question)
{
    truth_expect(&run->events, question, &run->expected);
    question->version
        ->search(&run->world, question->request, question->caller, question->now, &run->answer);
    return truth_compare(question, &run->expected, &run->answer, run->text);
}

struct shrinking {
    struct run *run;
    struct truth_question *question;
};

static bool still_fails(void *owner)
{
    struct shrinking *shrinking = owner;
    return check(shrinking->run, shrinking->question) != NULL;
}

/* A store of its own with a part of the log, and the question put to it. */
static bool replay_fails(struct run *run, struct truth_question *question, const bool *kept)
{
    struct run part = { .version = run->version };
    part.random.state = 1;
    truth_events_init(&part.events);
    truth_world_open(&part.world, run->chunk_rows, 1);
    for (size_t i = 0; i < run->log_count;) {
        unsigned batch = run->log[i].batch;
        size_t first = part.log_count;
        for (; i < run->log_count && run->log[i].batch == batch; i++) {
            if (kept[i]) {
                log_submission(&part, &run->log[i]);
            }
        }
        if (part.log_count != first) {
            send_batch(&part, first);
        }
    }
    bool fails = check(&part, question) != NULL;
    truth_world_close(&part.world);
    truth_events_dispose(&part.events);
    truth_answer_dispose(&part.answer);
    free(part.expected.items);
    free(part.log);
    return fails;
}

/* Leave out submissions, many at a time first; false when a replay of all does not fail. */
static bool shrink_log(struct run *run, struct truth_question *question, bool *kept)
{
    memset(kept, true, run->log_count);
    bool *before = calloc(run->log_count, sizeof(*before));
    VG_ASSERT(before != NULL);
    bool fails = replay_fails(run, question, kept);
    unsigned replays = 1;
    for (size_t size = fails ? run->log_count / 2 + 1 : 0; size > 0; size /= 2) {
        for (size_t at = 0; at < run->log_count && replays < REPLAYS_MAX; at += size) {
            size_t end = at + size < run->log_count ? at + size : run->log_count;
            memcpy(before, kept, run->log_count);
            memset(kept + at, false, end - at);
            if (memcmp(before, kept, run->log_count) == 0) {
                continue;
            }
            replays++;
            if (!replay_fails(run, question, kept)) {
                memcpy(kept, before, run->log_count);
            }
        }
    }
    free(before);
    return fails;
}

static void tell_change(struct run *run, const struct truth_submission *change)
{
    if (!change->assesses) {
        truth_print(
            &vg_table_vigil_events_v2_submit_request,
            &truth_world_message(&run->arena, change)->base);
        return;
    }
    (void)fprintf(
        stderr,
        "  assess %s: severity %d, case %" PRId64 ", from case %" PRId64 "%s%s%s; flags",
        change->id,
        change->severity,
        change->case_count == 0 ? 0 : change->cases[0],
        change->dissociated,
        change->dissociates_all ? ", from all cases" : "",
        change->comments ? ", commented" : "",
        change->handles ? ", handled" : "");
    for (size_t i = 0; i < change->flag_count; i++) {
        (void)fprintf(stderr, " +%u", change->flags[i]);
    }
    for (size_t i = 0; i < change->disabled_count; i++) {
        (void)fprintf(stderr, " -%u", change->disabled[i]);
    }
    (void)fprintf(stderr, "\n");
}

static void tell_failure(struct run *run, struct truth_question *question)
{
    struct shrinking shrinking = { run, question };
    truth_shrink(question->request, still_fails, &shrinking);
    const char *what = check(run, question);
    (void)fprintf(
        stderr,
        "%s: case %u, caller %s, now %" PRId64 ", %u rows a chunk, %zu events: %s\n",
        question->version->name,
        run->cases,
        truth_callers[question->caller].name,
        question->now,
        run->chunk_rows,
        run->events.count,
        what == NULL ? "it comes and goes" : what);
    truth_print(question->version->table, question->request);
    bool *kept = calloc(run->log_count, sizeof(*kept));
    VG_ASSERT(kept != NULL);
    if (shrink_log(run, question, kept)) {
        (void)fprintf(stderr, "with these submissions:\n");
        for (size_t i = 0; i < run->log_count; i++) {
            if (kept[i]) {
                (void)fprintf(
                    stderr,
                    "  batch %u at %" PRId64 "\n",
                    run->log[i].batch,
                    run->log[i].now);
                tell_change(run, &run->log[i]);
            }
        }
    } else {
        (void)fprintf(stderr, "a store with the same events answers as expected\n");
    }
    free(kept);
}

/* --------------------------------------------------------------------------------- the run */

static void tally(struct run *run, const struct truth_question *question)
{
    run->cases++;
    if (question->version->is_refused(question->request, &truth_callers[question->caller])) {
        run->refused++;
        return;
    }
    size_t seen = 0;
    for (size_t i = 0; i < run->events.count; i++) {
        seen += question->version->is_seen(&run->events.items[i], &truth_callers[question->caller]);
    }
    run->partial += run->expected.count != 0 && run->expected.count < seen;
    run->empty += run->expected.count == 0;
}

static bool ask(struct run *run)
{
    vg_arena_reset(&run->arena);
    struct truth_random *random = &run->random;
    struct truth_question question = {
        .version = run->version,
        .request = run->version->make(random, &run->events, &run->arena),
        /* He who may nothing asks rarely. */
        .caller = truth_random_once(random, 50) ? TRUTH_CALLERS - 1 : truth_random_below(random, 3),
        .now = run->now,
    };
    if (truth_random_once(random, 3)) {
        /* Before what some events say of themselves. */
        question.now -= truth_random_below(random, 60) * INT64_C(500);
    }
    const char *wrong = check(run, &question);
    tally(run, &question);
    if (wrong != NULL) {
        tell_failure(run, &question);
    }
    return wrong == NULL;
}

static bool run_world(struct run *run, unsigned cases)
{
    open_run(run);
    bool good = true;
    for (unsigned done = 0; good && done < cases;) {
        step(run);
        for (unsigned i = 0; good && i < CASES_PER_STEP && done < cases; i++, done++) {
            good = ask(run);
        }
    }
    close_run(run);
    return good;
}

bool truth_run(const struct truth_version *version, uint64_t seed)
{
    struct run run = { .version = version, .random = { .state = seed } };
    vg_arena_init(&run.arena, 64u << 20);
    (void)printf("%s: VIGIL_TEST_SEED=%" PRIu64 "\n", version->name, seed);
    (void)fflush(stdout);
    unsigned cases = case_count() / version->share;
    int64_t compactions = vg_metrics_value(VG_METRIC_compactions_total);
    int64_t dropped = vg_metrics_value(VG_METRIC_compaction_rows_dropped_total);
    bool good = true;
    for (unsigned i = 0; good && i < WORLDS; i++) {
        good = run_world(&run, cases / WORLDS);
    }
    (void)printf(
        "%s: %u cases, %.0f %% match some but not all events, %.0f %% none, %u are refused\n",
        version->name,
        run.cases,
        100.0 * run.partial / run.cases,
        100.0 * run.empty / run.cases,
        run.refused);
    (void)printf(
        "%s: %" PRIu64 " restarts, %" PRId64 " compactions that left out %" PRId64 " rows\n",
        version->name,
        run.restarts,
        vg_metrics_value(VG_METRIC_compactions_total) - compactions,
        vg_metrics_value(VG_METRIC_compaction_rows_dropped_total) - dropped);
    if (good && version->share == 1 && 3 * run.partial < run.cases) {
        (void)fprintf(stderr, "less than a third of the cases match some but not all events\n");
        good = false;
    }
    vg_arena_dispose(&run.arena);
    truth_answer_dispose(&run.answer);
    free(run.expected.items);
    free(run.log);
    return good;
}
