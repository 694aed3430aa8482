/*
 * Searches for submissions and statistics of them, over a million whose file names are mostly
 * unique: the median of the CPU time of each beside its target; each runs on one thread, so that is
 * what it takes where nobody else wants the processor. The way is that of a request from its
 * criteria to the page of places and the exact count, or to the groups; neither the network nor the
 * records of the page are part of it (tools/bench/run search shows what those take for events).
 *
 *   bench_keywords [submissions [words]]     words: only questions whose name holds them
 *
 * Threads: one.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/hex.h"
#include "core/events/event_table.h"
#include "core/ingest/ingest_domain.h"
#include "core/samples/sample_table.h"
#include "core/samples/submission_criteria.h"
#include "core/samples/submission_statistics.h"
#include "core/samples/submission_table.h"
#include "core/store/store_memory.h"
#include "core/table/search.h"
#include "core/table/table.h"
#include "tools/bench/bench_submission.h"

#define SUBMISSIONS_DEFAULT 1000000u
#define BATCH               1000u
#define ROUNDS              21u
#define DAY_MS              INT64_C(86400000)
#define NOW_MS              INT64_C(1790000000000)
#define DAYS                90u
#define CUSTOMERS           50u
#define SAMPLES             60000u

struct bench {
    char path[64];
    uint32_t count;
    struct vg_table *table;
    uint64_t random;
    uint64_t sequence;
    struct vg_arena arena;
    struct vg_snapshot snapshot;
    struct vg_principal principal;
    struct vg_store *store;
    struct vg_directory *directory_of;
    const struct vg_directory_snapshot *directory;
    bool misses; /* a target */
};

static void must(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "bench_keywords: %s failed\n", what);
        exit(1);
    }
}

static uint64_t next(uint64_t *state)
{
    uint64_t mixed = (*state += UINT64_C(0x9E3779B97F4A7C15));
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

static uint32_t below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)(next(state) % bound);
}

static double now_ms(void)
{
    struct timespec time;
    must(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0, "clock");
    return (double)time.tv_sec * 1000.0 + (double)time.tv_nsec / 1e6;
}

/* --------------------------------------------------------------------------------- submissions */

struct texts {
    struct vg_bench_submission drawn;
    struct vg_submission_meta meta[VG_BENCH_META];
    int64_t acl[1];
};

static void fill_texts(uint32_t number, struct texts *texts)
{
    vg_bench_submission_fill(number, &texts->drawn);
    for (uint32_t i = 0; i < VG_BENCH_META; i++) {
        texts->meta[i].key = vg_bytes_text(vg_bench_meta_keys[i]);
        texts->meta[i].value = vg_bytes_text(texts->drawn.values[i]);
    }
}

static void fill_digest(uint64_t sample, uint8_t out[VG_SHA256_SIZE])
{
    for (uint32_t i = 0; i < VG_SHA256_SIZE; i += 8) {
        uint64_t bytes = next(&sample);
        memcpy(out + i, &bytes, sizeof(bytes));
    }
}

static void fill_record(
    struct bench *bench,
    uint32_t number,
    struct texts *texts,
    struct vg_submission_record *record)
{
    uint64_t *random = &bench->random;
    memset(record, 0, sizeof(*record));
    fill_texts(number, texts);
    fill_digest(below(random, SAMPLES), record->sample);
    for (uint32_t i = 0; i < sizeof(record->id.bytes); i += 8) {
        uint64_t bytes = next(random);
        memcpy(record->id.bytes + i, &bytes, sizeof(bytes));
    }
    record->file_name = vg_bytes_text(texts->drawn.name);
    record->mime_type = vg_bytes_text(texts->drawn.mime);
    record->agent_name = vg_bytes_text(texts->drawn.agent);
    record->agent_version = vg_bytes_text(texts->drawn.version);
    record->submitted = NOW_MS - (vg_time)DAYS * DAY_MS +
                        (vg_time)((uint64_t)number * (DAYS * (uint64_t)DAY_MS) / bench->count);
    record->observed = record->submitted - (vg_time)below(random, 3600000);
    record->expiry = below(random, 4) == 0 ? NOW_MS + (vg_time)below(random, 30) * DAY_MS : 0;
    record->meta = texts->meta;
    record->meta_count = VG_BENCH_META;
    record->tlp = (enum vg_tlp)(2 + below(random, 3));
    record->flags = below(random, 4) == 0 ? 1u << VG_SUBMISSION_TRUSTED_AGENT : 0;
    record->customer_id = 1 + (int64_t)below(random, CUSTOMERS);
    texts->acl[0] = 100 + (int64_t)below(random, 50);
    record->acl = texts->acl;
    record->acl_count = below(random, 10) == 0;
}

/* --------------------------------------------------------------------------------------- table */

static enum vg_reason replay_nothing(
    void *owner,
    uint64_t after,
    struct vg_table_replay *replay,
    struct vg_error *error)
{
    (void)owner;
    (void)after;
    (void)replay;
    (void)error;
    return VG_OK;
}

static enum vg_reason scan_nothing(
    void *owner,
    struct vg_table_rebuild *rebuild,
    struct vg_error *error)
{
    (void)owner;
    (void)rebuild;
    (void)error;
    return VG_OK;
}

static void open_table(struct bench *bench)
{
    static const struct vg_table_source nothing = { .replay = replay_nothing,
                                                    .scan = scan_nothing };
    static const struct vg_table_schema *schemas[VG_INGEST_KIND_COUNT];
    schemas[VG_INGEST_KIND_EVENT] = &vg_event_table_schema;
    schemas[VG_INGEST_KIND_SUBMISSION] = &vg_submission_table_schema;
    schemas[VG_INGEST_KIND_SAMPLE] = &vg_sample_table_schema;
    (void)snprintf(bench->path, sizeof(bench->path), "/tmp/bench-submissions-XXXXXX");
    must(mkdtemp(bench->path) != NULL, "folder");
    const struct vg_table_config config = {
        .path = bench->path,
        .schemas = schemas,
        .kind_count = VG_INGEST_KIND_COUNT,
        .clock = &vg_clock_real,
        .limits = { .closed_chunks = 1000 },
    };
    const struct vg_table_start start = { .source = &nothing };
    struct vg_table_started started;
    must(vg_table_open(&config, &bench->table, NULL) == VG_OK, "open");
    must(vg_table_start(bench->table, &start, &started, NULL) == VG_OK, "start");
    bench->sequence = vg_table_sequence(bench->table);
}

static void add_batch(struct bench *bench, uint32_t first, uint32_t count)
{
    static struct texts texts[BATCH];
    static struct vg_row rows[BATCH];
    static struct vg_table_change changes[BATCH];
    for (uint32_t i = 0; i < count; i++) {
        struct vg_submission_record record;
        fill_record(bench, first + i, &texts[i], &record);
        must(vg_submission_table_row(&record, &bench->arena, &rows[i]), "row");
        changes[i] = (struct vg_table_change){ .kind = VG_INGEST_KIND_SUBMISSION, .row = &rows[i] };
    }
    must(vg_table_prepare(bench->table, changes, count, NULL) == VG_OK, "prepare");
    vg_table_publish(bench->table, ++bench->sequence, NULL);
    vg_table_maintain(bench->table);
    vg_arena_reset(&bench->arena);
}

static void load(struct bench *bench)
{
    double begun = now_ms();
    for (uint32_t first = 0; first < bench->count; first += BATCH) {
        uint32_t rest = bench->count - first;
        add_batch(bench, first, rest < BATCH ? rest : BATCH);
    }
    double added = now_ms();
    struct vg_checkpoint *checkpoint;
    must(
        vg_table_checkpoint_begin(bench->table, false, &checkpoint, NULL) == VG_OK &&
            vg_checkpoint_run(checkpoint, NULL) == VG_OK,
        "checkpoint");
    (void)vg_table_checkpoint_finish(bench->table, checkpoint);
    (void)printf(
        "%u submissions: %.2f us each to add, checkpoint %.0f ms\n\n",
        bench->count,
        (added - begun) * 1000.0 / bench->count,
        now_ms() - added);
}

/* ----------------------------------------------------------------------------------- questions */

struct question {
    const char *name;
    double target_ms; /* 0 = none is promised */
    const char *keyword;
    uint32_t days; /* of the index window */
    bool by_customer;
    uint32_t samples;                         /* so many of them are asked for */
    enum vg_submission_group_field groups[2]; /* 0 = a search */
    bool has_timeline;
    bool has_values;
};

static const struct question questions[] = {
    { .name = "customer, a week, a metadata value, exact count",
      .target_ms = 3,
      .days = 7,
      .by_customer = true },
    { .name = "the same over everything", .target_ms = 3, .days = DAYS, .by_customer = true },
    { .name = "keyword in all fields, 100,000 of them",
      .target_ms = 10,
      .keyword = "eVil",
      .days = 9 },
    { .name = "keyword in all fields, everything",
      .target_ms = 100,
      .keyword = "eVil",
      .days = DAYS },
    { .name = "keyword of digits, 100,000 of them",
      .target_ms = 10,
      .keyword = "c0ffee",
      .days = 9 },
    { .name = "keyword of digits, everything",
      .target_ms = 100,
      .keyword = "c0ffee",
      .days = DAYS },
    { .name = "one letter, 100,000 of them", .target_ms = 10, .keyword = "z", .days = 9 },
    { .name = "one digit, everything", .target_ms = 100, .keyword = "7", .days = DAYS },
    { .name = "a list of 1,000 samples, everything", .samples = 1000, .days = DAYS },
    { .name = "statistics: customer, mime type, days",
      .target_ms = 25,
      .days = DAYS,
      .groups = { VG_SUBMISSION_GROUP_CUSTOMER, VG_SUBMISSION_GROUP_MIME_TYPE },
      .has_timeline = true },
    { .name = "statistics: a key of the metadata, tlp, days",
      .days = DAYS,
      .groups = { VG_SUBMISSION_GROUP_META_DATA, VG_SUBMISSION_GROUP_TLP },
      .has_timeline = true },
    { .name = "statistics: customer, tlp, least and greatest",
      .days = DAYS,
      .groups = { VG_SUBMISSION_GROUP_CUSTOMER, VG_SUBMISSION_GROUP_TLP },
      .has_values = true },
};

/* Digests of the first samples, as a client writes them. */
static struct vg_text_list list_samples(struct bench *bench, uint32_t count)
{
    char **digests = vg_arena_alloc(&bench->arena, count * sizeof(*digests));
    must(digests != NULL, "memory");
    for (uint32_t i = 0; i < count; i++) {
        uint8_t digest[VG_SHA256_SIZE];
        fill_digest(i, digest);
        digests[i] = vg_arena_alloc(&bench->arena, 2 * (size_t)VG_SHA256_SIZE + 1);
        must(digests[i] != NULL, "memory");
        vg_hex_encode(vg_bytes(digest, sizeof(digest)), digests[i]);
    }
    return (struct vg_text_list){ digests, count };
}

static const struct vg_predicate *compile(struct bench *bench, const struct question *question)
{
    static char campaign[] = "campaign 7";
    static char *values[] = { campaign };
    struct vg_submission_criteria *criteria = vg_arena_calloc(&bench->arena, 1, sizeof(*criteria));
    struct vg_submission_meta_criteria *meta = vg_arena_calloc(&bench->arena, 1, sizeof(*meta));
    char **kept = vg_arena_alloc(&bench->arena, sizeof(*kept));
    must(criteria != NULL && meta != NULL && kept != NULL, "memory");
    if (question->keyword != NULL) {
        kept[0] = vg_arena_text(&bench->arena, vg_bytes_text(question->keyword));
        criteria->keywords = (struct vg_text_list){ kept, 1 };
    }
    if (question->samples > 0) {
        criteria->samples = list_samples(bench, question->samples);
    }
    static const int64_t customer[] = { 7 };
    struct vg_principal *principal = &bench->principal;
    *principal = (struct vg_principal){ .user_id = 1,
                                        .functions = UINT64_MAX,
                                        .all_customers = !question->by_customer,
                                        .customers = customer,
                                        .customer_count = 1 };
    if (question->by_customer) {
        *meta = (struct vg_submission_meta_criteria){ .path = "campaign", .values = { values, 1 } };
        criteria->meta = meta;
        criteria->meta_count = 1;
    }
    const struct vg_submission_criteria_context context = {
        .viewer = { .principal = principal, .directory = bench->directory, .now = NOW_MS },
        .index_start = NOW_MS - (vg_time)question->days * DAY_MS,
        .index_end = NOW_MS,
        .arena = &bench->arena,
    };
    const struct vg_predicate *where = NULL;
    struct vg_error error;
    vg_error_init(&error, &bench->arena);
    must(vg_submission_criteria_compile(criteria, &context, &where, &error) == VG_OK, "criteria");
    return where;
}

/* Places of the page and the exact count; returns how many match. */
static uint64_t search(struct bench *bench, const struct vg_predicate *where)
{
    static const struct vg_sort_key sort[] = {
        { .column = VG_SUBMISSION_COLUMN_SUBMITTED, .descending = true },
        { .column = VG_SUBMISSION_COLUMN_UUID },
    };
    /* No dictionary is full here, so no record decides. */
    static const struct vg_record_reader reader;
    const struct vg_search asked = {
        .kind = VG_INGEST_KIND_SUBMISSION,
        .where = where,
        .sort = sort,
        .sort_count = VG_ARRAY_COUNT(sort),
        .limit = 25,
        .reader = &reader,
    };
    struct vg_search_result result;
    must(vg_search_run(&bench->snapshot, &asked, &bench->arena, &result, NULL) == VG_OK, "search");
    return result.match_count;
}

static uint64_t count(
    struct bench *bench,
    const struct question *question,
    const struct vg_predicate *where)
{
    static const enum vg_submission_metric_field values[] = { VG_SUBMISSION_METRIC_OBSERVED };
    static const struct vg_submission_timeline_request timeline = {
        .field = VG_SUBMISSION_METRIC_SUBMITTED,
        .unit = VG_TIME_UNIT_DAY,
    };
    const struct vg_submission_group_by levels[] = {
        { .field = question->groups[0], .limit = 25, .meta_key = "campaign" },
        { .field = question->groups[1], .limit = 25 },
    };
    const struct vg_submission_statistics statistics = {
        .where = where,
        .directory = bench->directory,
        .group_by = levels,
        .level_count = VG_ARRAY_COUNT(levels),
        .values = values,
        .value_count = question->has_values,
        .timelines = &timeline,
        .timeline_count = question->has_timeline,
    };
    const struct vg_submission_store source = { .table = bench->table, .snapshot_age_ms = 60000 };
    const struct vg_submission_statistics_record *records;
    size_t found = 0;
    must(
        vg_submission_statistics_run(&source, &statistics, &bench->arena, &records, &found, NULL) ==
            VG_OK,
        "statistics");
    uint64_t sum = 0;
    for (size_t i = 0; i < found; i++) {
        sum += records[i].count;
    }
    return sum;
}

static int compare_times(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static void measure(struct bench *bench, const struct question *question)
{
    double times[ROUNDS];
    uint64_t found = 0;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        double begun = now_ms();
        const struct vg_predicate *where = compile(bench, question);
        found = question->groups[0] == 0 ? search(bench, where) : count(bench, question, where);
        times[i] = now_ms() - begun;
        vg_arena_reset(&bench->arena);
    }
    qsort(times, ROUNDS, sizeof(times[0]), compare_times);
    bool is_slow = question->target_ms > 0 && times[ROUNDS / 2] > question->target_ms;
    bench->misses = bench->misses || is_slow;
    (void)printf(
        "%-52s min %7.2f, p50 %7.2f, max %7.2f ms",
        question->name,
        times[0],
        times[ROUNDS / 2],
        times[ROUNDS - 1]);
    if (question->target_ms > 0) {
        (void)printf(" (target %3.0f ms%s)", question->target_ms, is_slow ? ": MISSED" : "");
    }
    (void)printf(", %llu match\n", (unsigned long long)found);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    bench.count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : SUBMISSIONS_DEFAULT;
    must(bench.count > 0, "the number of submissions");
    vg_arena_init(&bench.arena, 256u << 20);
    bench.store = vg_store_memory_open(1);
    must(bench.store != NULL, "store");
    must(vg_directory_create(bench.store, &bench.directory_of, NULL) == VG_OK, "directory");
    bench.directory = vg_directory_snapshot(bench.directory_of);
    open_table(&bench);
    load(&bench);
    must(vg_snapshot_acquire(bench.table, 600000, &bench.snapshot, NULL) == VG_OK, "snapshot");
    const char *words = argc > 2 ? argv[2] : "";
    for (size_t i = 0; i < VG_ARRAY_COUNT(questions); i++) {
        if (strstr(questions[i].name, words) != NULL) {
            measure(&bench, &questions[i]);
        }
    }
    vg_snapshot_release(&bench.snapshot);
    vg_directory_snapshot_unref(bench.directory);
    vg_directory_destroy(bench.directory_of);
    vg_store_close(bench.store);
    vg_table_stop(bench.table);
    vg_table_close(bench.table);
    vg_arena_dispose(&bench.arena);
    (void)nftw(bench.path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return bench.misses ? 1 : 0;
}
