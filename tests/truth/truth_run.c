#include "tests/truth/truth_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "gateway/json/json_write.h"
#include "proto/contract_json.h"
#include "tests/truth/truth_make.h"
#include "tests/truth/truth_shrink.h"

#define CASES_DEFAULT      10400
#define WORLDS             8
#define CASES_PER_STEP     26
#define SUBMISSIONS_A_STEP 9
#define REPLAYS_MAX        400
#define DAY_MS             (24 * 3600 * INT64_C(1000))

struct question {
    const struct truth_version *version;
    ProtobufCMessage *request;
    size_t caller;
    int64_t now;
};

struct expected {
    const struct truth_event **items;
    size_t count;
};

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
    struct expected expected;

    unsigned cases;
    unsigned partial; /* some but not all events the caller may see */
    unsigned empty;
    unsigned refused;
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

/* ------------------------------------------------------------------------------- what is expected
 */

static int compare_events(const void *a, const void *b, void *owner)
{
    const struct question *question = owner;
    const struct truth_event *left;
    const struct truth_event *right;
    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return question->version->compare(question->request, left, right);
}

static void expect(
    const struct truth_events *events,
    struct question *question,
    struct expected *expected)
{
    if (question->version->prepare != NULL) {
        question->version->prepare(question->request);
    }
    free(expected->items);
    expected->items = calloc(events->count + 1, sizeof(*expected->items));
    VG_ASSERT(expected->items != NULL);
    expected->count = 0;
    for (size_t i = 0; i < events->count; i++) {
        const struct truth_event *event = &events->items[i];
        if (question->version->matches(
                question->request,
                event,
                &truth_callers[question->caller],
                question->now)) {
            expected->items[expected->count++] = event;
        }
    }
    qsort_r(expected->items, expected->count, sizeof(*expected->items), compare_events, question);
}

/* NULL when the answer is the expected one, else what is wrong with it. */
static const char *compare_answer(
    const struct question *question,
    const struct expected *expected,
    const struct truth_answer *answer)
{
    static char text[300];
    if (question->version->is_refused(question->request)) {
        return answer->reason == VG_OK ? "it has to be refused" : NULL;
    }
    if (answer->reason != VG_OK) {
        (void)snprintf(text, sizeof(text), "it is refused: %s", answer->message);
        return text;
    }
    struct truth_page page = question->version->page(question->request);
    size_t rows =
        page.offset >= (int64_t)expected->count ? 0 : expected->count - (size_t)page.offset;
    if (page.limit != 0 && rows > (size_t)page.limit) {
        rows = (size_t)page.limit;
    }
    if (answer->count != (int64_t)expected->count || answer->row_count != rows ||
        answer->limit != page.limit || answer->offset != page.offset) {
        (void)snprintf(
            text,
            sizeof(text),
            "%" PRId64 " match, %zu rows, limit %" PRId64 ", offset %" PRId64
            "; expected were %zu, %zu, %" PRId64 ", %" PRId64,
            answer->count,
            answer->row_count,
            answer->limit,
            answer->offset,
            expected->count,
            rows,
            page.limit,
            page.offset);
        return text;
    }
    for (size_t i = 0; i < rows; i++) {
        const struct truth_event *event = expected->items[(size_t)page.offset + i];
        const struct truth_row *row = &answer->rows[i];
        if (strcmp(event->id, row->id) != 0 || event->count != row->count) {
            (void)snprintf(
                text,
                sizeof(text),
                "row %zu is %s (count %" PRId64 "), expected was %s (count %d)",
                i,
                row->id,
                row->count,
                event->id,
                event->count);
            return text;
        }
    }
    return NULL;
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

/* Submit what is in the log from `first` on as one bulk. */
static void send_batch(struct run *run, size_t first)
{
    truth_world_submit(&run->world, run->log + first, run->log_count - first);
    for (size_t i = first; i < run->log_count; i++) {
        truth_events_apply(&run->events, &run->log[i], truth_callers[TRUTH_CALLER_ADMIN].name);
    }
}

/* The world goes on: time passes, events come and change, now and then the node is restarted;
 * checkpoints and compaction are the node's own affair.
 */
static void step(struct run *run)
{
    struct truth_random *random = &run->random;
    run->now += truth_random_once(random, 12) ? DAY_MS / 2 : truth_random_below(random, 3) * 700;
    run->batches++;
    size_t first = run->log_count;
    size_t count = 1 + truth_random_below(random, SUBMISSIONS_A_STEP);
    for (size_t i = 0; i < count; i++) {
        struct truth_submission submission;
        truth_submission_make(random, &run->events, run->now, &submission);
        submission.batch = run->batches;
        log_submission(run, &submission);
    }
    send_batch(run, first);
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
    truth_world_close(&run->world);
    truth_events_dispose(&run->events);
}

/* ------------------------------------------------------------------------------ a failing case */

static const char *check(struct run *run, struct question *question)
{
    expect(&run->events, question, &run->expected);
    question->version
        ->search(&run->world, question->request, question->caller, question->now, &run->answer);
    return compare_answer(question, &run->expected, &run->answer);
}

struct shrinking {
    struct run *run;
    struct question *question;
};

static bool still_fails(void *owner)
{
    struct shrinking *shrinking = owner;
    return check(shrinking->run, shrinking->question) != NULL;
}

/* A store of its own with a part of the log, and the question put to it. */
static bool replay_fails(struct run *run, struct question *question, const bool *kept)
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
static bool shrink_log(struct run *run, struct question *question, bool *kept)
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

static void print_message(const struct vg_table *table, const ProtobufCMessage *message)
{
    struct vg_json_dialect dialect = vg_json_documented;
    dialect.unset_shown = false;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, 1u << 20);
    if (vg_json_write(table, message, &dialect, &buffer)) {
        (void)fprintf(stderr, "  %.*s\n", (int)buffer.size, (const char *)buffer.data);
    }
    vg_buffer_dispose(&buffer);
}

static void tell_failure(struct run *run, struct question *question)
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
    print_message(question->version->table, question->request);
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
                print_message(
                    &vg_table_vigil_events_v2_submit_request,
                    &truth_world_message(&run->arena, &run->log[i])->base);
            }
        }
    } else {
        (void)fprintf(stderr, "a store with the same events answers as expected\n");
    }
    free(kept);
}

/* --------------------------------------------------------------------------------- the run */

static void tally(struct run *run, const struct question *question)
{
    run->cases++;
    if (question->version->is_refused(question->request)) {
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
    struct question question = {
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
    unsigned cases = case_count();
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
    if (good && 3 * run.partial < run.cases) {
        (void)fprintf(stderr, "less than a third of the cases match some but not all events\n");
        good = false;
    }
    vg_arena_dispose(&run.arena);
    truth_answer_dispose(&run.answer);
    free(run.expected.items);
    free(run.log);
    return good;
}
