/*
 * The truth about searches while events change: one thread submits batch after batch, two others
 * search. What they are told has to be the truth of one moment between the last batch acknowledged
 * before they asked and the last one sent before the rows were found, also when the rows are read
 * only after more batches have come. And no thread is ever told of an earlier moment than before.
 *
 * VIGIL_TEST_SEED=N repeats the submissions; who runs when is the machine's affair.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "tests/truth/truth_run.h"

#define BATCHES       250u
#define FIRST_BATCHES 8u /* before anybody searches */
#define BATCH_MAX     8u
#define READERS       2u
#define CASES_LEAST   50u
#define DEADLINE_S    120

struct shared {
    struct truth_world world;
    struct truth_events *states; /* after so many batches; what is at or before `sent` is fixed */
    _Atomic unsigned sent;
    _Atomic unsigned acknowledged;
    _Atomic bool done;
    _Atomic bool failed;
    uint64_t seed;
};

struct reader {
    struct shared *shared;
    const struct truth_version *version;
    struct truth_random random;
    pthread_t thread;
    unsigned cases;
    unsigned apart; /* answers between different states, so that it matters which one is told */
    unsigned later; /* whose rows were read after another batch */
    unsigned least; /* the state told last, at least */
    unsigned sent;  /* when the rows were found */
    bool waits;
};

static bool is_over(const struct shared *shared)
{
    return atomic_load(&shared->done) || atomic_load(&shared->failed);
}

/* ---------------------------------------------------------------------------------- the writer */

static void copy_state(const struct truth_events *from, struct truth_events *to)
{
    *to = *from;
    to->max = from->count + BATCH_MAX;
    to->items = calloc(to->max, sizeof(*to->items));
    VG_ASSERT(to->items != NULL);
    if (from->count != 0) {
        memcpy(to->items, from->items, from->count * sizeof(*to->items));
    }
}

static void write_batch(struct shared *shared, struct truth_random *random, unsigned batch)
{
    struct truth_submission submissions[BATCH_MAX];
    const struct truth_events *before = &shared->states[batch - 1];
    struct truth_events *after = &shared->states[batch];
    size_t count = 1 + truth_random_below(random, BATCH_MAX);
    int64_t now = TRUTH_WORLD_NOW + batch * INT64_C(3); /* snapshots do not grow old meanwhile */
    copy_state(before, after);
    for (size_t i = 0; i < count; i++) {
        truth_submission_make(random, before, now, &submissions[i]);
        submissions[i].batch = batch;
        truth_events_apply(after, &submissions[i], truth_callers[TRUTH_CALLER_ADMIN].name);
    }
    atomic_store(&shared->sent, batch);
    truth_world_submit(&shared->world, submissions, count);
    atomic_store(&shared->acknowledged, batch);
}

static void *run_writer(void *owner)
{
    struct shared *shared = owner;
    struct truth_random random = { .state = shared->seed ^ 1 };
    for (unsigned batch = FIRST_BATCHES; batch <= BATCHES && !atomic_load(&shared->failed);
         batch++) {
        write_batch(shared, &random, batch);
    }
    atomic_store(&shared->done, true);
    return NULL;
}

/* --------------------------------------------------------------------------------- the readers */

/* The rows are found; sometimes they are read only when the writer has gone on. */
static void rows_found(void *owner)
{
    struct reader *reader = owner;
    struct shared *shared = reader->shared;
    reader->sent = atomic_load(&shared->sent);
    if (!reader->waits) {
        return;
    }
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    time_t end = now.tv_sec + DEADLINE_S;
    while (atomic_load(&shared->acknowledged) <= reader->sent && !is_over(shared) &&
           now.tv_sec < end) {
        (void)sched_yield();
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    }
    reader->later += atomic_load(&shared->acknowledged) > reader->sent;
}

/* Is the answer the truth of one of the states from `first` to `last`? *out_state is the first. */
static bool is_true(
    struct reader *reader,
    struct truth_question *question,
    const struct truth_answer *answer,
    unsigned first,
    unsigned last,
    unsigned *out_state)
{
    struct truth_expected expected = { 0 };
    char text[TRUTH_TEXT_SIZE];
    char reasons[3][TRUTH_TEXT_SIZE] = { { 0 } };
    bool found = false;
    for (unsigned state = first; state <= last && !found; state++) {
        truth_expect(&reader->shared->states[state], question, &expected);
        const char *wrong = truth_compare(question, &expected, answer, text);
        found = wrong == NULL;
        *out_state = state;
        if (!found && state - first < 3) {
            memcpy(reasons[state - first], text, sizeof(text));
        }
    }
    reader->apart += found && *out_state != first;
    if (!found) {
        (void)fprintf(
            stderr,
            "%s: caller %s, now %" PRId64 ", after %u to %u batches: no state fits\n",
            question->version->name,
            truth_callers[question->caller].name,
            question->now,
            first,
            last);
        truth_print(question->version->table, question->request);
        for (unsigned i = 0; i < 3 && first + i <= last; i++) {
            (void)fprintf(stderr, "  %u: %s\n", first + i, reasons[i]);
        }
    }
    free(expected.items);
    return found;
}

static bool ask(struct reader *reader, struct vg_arena *arena, struct truth_answer *answer)
{
    struct shared *shared = reader->shared;
    unsigned first = atomic_load(&shared->acknowledged);
    /* What was told once is not taken back. */
    first = first > reader->least ? first : reader->least;
    vg_arena_reset(arena);
    struct truth_question question = {
        .version = reader->version,
        .request = reader->version->make(&reader->random, &shared->states[first], arena),
        .caller = truth_random_below(&reader->random, 3),
        .now = TRUTH_WORLD_NOW + first * INT64_C(3),
    };
    reader->waits = truth_random_once(&reader->random, 8);
    reader->version
        ->search(&shared->world, question.request, question.caller, question.now, answer);
    reader->cases++;
    return is_true(reader, &question, answer, first, reader->sent, &reader->least);
}

static void *run_reader(void *owner)
{
    struct reader *reader = owner;
    struct truth_answer answer = { .found = rows_found, .owner = reader };
    struct vg_arena arena;
    vg_arena_init(&arena, 64u << 20);
    while (!is_over(reader->shared)) {
        if (!ask(reader, &arena, &answer)) {
            atomic_store(&reader->shared->failed, true);
        }
    }
    vg_arena_dispose(&arena);
    truth_answer_dispose(&answer);
    return NULL;
}

int main(void)
{
    static struct shared shared;
    shared.seed = truth_run_seed();
    (void)printf("VIGIL_TEST_SEED=%" PRIu64 "\n", shared.seed);
    (void)fflush(stdout);
    shared.states = calloc(BATCHES + 1, sizeof(*shared.states));
    VG_ASSERT(shared.states != NULL);
    truth_world_open(&shared.world, 5, shared.seed);
    truth_events_init(&shared.states[0]);
    struct truth_random random = { .state = shared.seed };
    for (unsigned batch = 1; batch < FIRST_BATCHES; batch++) {
        write_batch(&shared, &random, batch);
    }
    struct reader readers[READERS] = {
        { .shared = &shared, .version = &truth_version_1, .random = { shared.seed + 1 } },
        { .shared = &shared, .version = &truth_version_2, .random = { shared.seed + 2 } },
    };
    pthread_t writer;
    VG_ASSERT(pthread_create(&writer, NULL, run_writer, &shared) == 0);
    for (unsigned i = 0; i < READERS; i++) {
        VG_ASSERT(pthread_create(&readers[i].thread, NULL, run_reader, &readers[i]) == 0);
    }
    (void)pthread_join(writer, NULL);
    bool good = true;
    for (unsigned i = 0; i < READERS; i++) {
        (void)pthread_join(readers[i].thread, NULL);
        (void)printf(
            "%s: %u searches, %u told a later state than the one before them, %u read after more "
            "batches\n",
            readers[i].version->name,
            readers[i].cases,
            readers[i].apart,
            readers[i].later);
        good = good && readers[i].cases >= CASES_LEAST && readers[i].later != 0;
    }
    truth_world_close(&shared.world);
    for (unsigned i = 0; i <= BATCHES; i++) {
        truth_events_dispose(&shared.states[i]);
    }
    free(shared.states);
    return good && !atomic_load(&shared.failed) ? 0 : 1;
}
