/*
 * What the columnar table costs, with the schema of events: rebuild, batches of 1,000, restart from
 * a checkpoint, compaction; searches fresh, after a restart, after 30 % of all rows were updated at
 * random, and after compaction has done its work, each with its ratio to fresh. Searches stand
 * beside the time a plain sum over 8 bytes per row takes in the same run, because the machine's
 * speed is not ours to promise.
 *
 *   bench_table [rows]
 *
 * Threads: one.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/events/event_table.h"
#include "core/table/aggregate.h"
#include "core/table/compaction.h"
#include "core/table/search.h"
#include "core/table/table.h"

#define ROWS_DEFAULT  1000000u
#define BATCH         1000u
#define ROUNDS        21
#define DAY_MS        INT64_C(86400000)
#define FIRST_MS      INT64_C(1700000000000)
#define SIGNATURES    2000u
#define CUSTOMERS     50u
#define ADDRESSES     100000u
#define REBUILD_FLOOR 300000.0
#define SEARCHES_MAX  32u
/* Real alerts have about so many properties, each a hash of its key and one of key and value. */
#define PROPERTIES 23u

struct bench {
    char path[64];
    uint64_t rows;
    struct vg_table_config config;
    struct vg_table *table;
    double fresh[SEARCHES_MAX]; /* least time of each search when the table was new, in floors */
    unsigned search;            /* of the round at hand */
    double floor_ms;
};

/* The values of one made-up event and what they point at. */
struct made_row {
    struct vg_value values[VG_EVENT_COLUMNS];
    struct vg_row row;
    int64_t customer;
    uint8_t uuid[16];
    char signature[48];
    uint64_t properties[2 * PROPERTIES];
};

static void must(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "bench_table: %s failed\n", what);
        exit(1);
    }
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec time;
    must(clock_gettime(clock, &time) == 0, "the clock");
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t mix(uint64_t *state)
{
    uint64_t mixed = (*state += UINT64_C(0x9E3779B97F4A7C15));
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

/* Many small numbers and few large ones, as names are spread over alerts: about 1 / rank. */
static uint32_t skewed(uint64_t *state, uint32_t bound)
{
    uint64_t drawn = mix(state);
    uint32_t bits = (uint32_t)(drawn >> 40) % 32;
    uint32_t below = bound >> (bits % 12);
    return (uint32_t)drawn % (below == 0 ? 1 : below);
}

static struct vg_network make_address(uint64_t *state)
{
    uint32_t number = skewed(state, ADDRESSES);
    struct vg_network network = { .family = VG_NETWORK_IPV4, .bits = 32 };
    network.address[0] = 10;
    network.address[1] = (uint8_t)(number >> 16);
    network.address[2] = (uint8_t)(number >> 8);
    network.address[3] = (uint8_t)number;
    return network;
}

/* Ten properties have few values (methods, protocols, actions), eight many (names, agents), five
 * hardly ever the same one (ids of flows, times). */
static uint32_t property_value(uint64_t *state, uint32_t property)
{
    if (property < 10) {
        return skewed(state, 50);
    }
    return property < 18 ? skewed(state, 50000) : (uint32_t)mix(state);
}

static uint64_t property_hash(uint32_t property, uint32_t value)
{
    uint64_t word = (uint64_t)(1000 + property) << 32 | value;
    return mix(&word);
}

static void make_row(struct made_row *made, uint64_t rows, uint64_t id, uint64_t version)
{
    struct vg_value *values = made->values;
    uint64_t state = id * 2 + version * UINT64_C(0x1000000000);
    uint64_t id_state = id;
    memset(values, 0, sizeof(made->values));
    made->row.values = values;
    vg_time time = FIRST_MS + (vg_time)(id * (uint64_t)(30 * DAY_MS) / rows);
    values[VG_EVENT_COLUMN_TIMESTAMP].number = time;
    made->customer = 1 + (int64_t)skewed(&id_state, CUSTOMERS);
    values[VG_EVENT_COLUMN_CUSTOMER].numbers.items = &made->customer;
    values[VG_EVENT_COLUMN_CUSTOMER].numbers.count = 1;
    values[VG_EVENT_COLUMN_TYPE].number = 0;
    uint64_t uuid[2] = { mix(&id_state), id };
    memcpy(made->uuid, uuid, sizeof(uuid));
    values[VG_EVENT_COLUMN_UUID].bytes = vg_bytes(made->uuid, 16);
    values[VG_EVENT_COLUMN_FIRST_EVENT].number = time;
    values[VG_EVENT_COLUMN_LAST_EVENT].number = time + 1000;
    values[VG_EVENT_COLUMN_ENGINE_PERSISTED].number = time + 2000;
    values[VG_EVENT_COLUMN_PUBLISHED].number = VG_ABSENT;
    values[VG_EVENT_COLUMN_FIRST_ASSESSED].number = VG_ABSENT;
    uint64_t flags = mix(&state) & 0xFFFF;
    values[VG_EVENT_COLUMN_FLAGS_LOW].number = (int64_t)(flags & mix(&state));
    values[VG_EVENT_COLUMN_SEVERITY].number = (int64_t)(mix(&state) % 4);
    values[VG_EVENT_COLUMN_COUNT].number = 1 + (int64_t)skewed(&state, 100);
    values[VG_EVENT_COLUMN_PROTOCOL].number = 6;
    (void)snprintf(
        made->signature,
        sizeof(made->signature),
        "SURICATA-1:%u",
        2000000u + skewed(&state, SIGNATURES));
    values[VG_EVENT_COLUMN_SIGNATURE].bytes = vg_bytes_text(made->signature);
    values[VG_EVENT_COLUMN_ALARM].number = (int64_t)skewed(&state, 100);
    values[VG_EVENT_COLUMN_CATEGORY].number = (int64_t)skewed(&state, 10);
    values[VG_EVENT_COLUMN_LOCATION].number = (int64_t)skewed(&state, 20);
    values[VG_EVENT_COLUMN_SOURCE].network = make_address(&state);
    values[VG_EVENT_COLUMN_DESTINATION].network = make_address(&state);
    values[VG_EVENT_COLUMN_SOURCE_PORT].number = (int64_t)(mix(&state) % 65536);
    values[VG_EVENT_COLUMN_DESTINATION_PORT].number = (int64_t)skewed(&state, 1024);
    values[VG_EVENT_COLUMN_SOURCE_COUNTRY].bytes = vg_bytes_text("NO");
    values[VG_EVENT_COLUMN_DESTINATION_COUNTRY].bytes = vg_bytes_text("SE");
    for (uint32_t i = 0; i < PROPERTIES; i++) {
        uint64_t key = i;
        made->properties[2 * i] = mix(&key);
        made->properties[2 * i + 1] = property_hash(i, property_value(&state, i));
    }
    values[VG_EVENT_COLUMN_PROPERTIES].hashes.items = made->properties;
    values[VG_EVENT_COLUMN_PROPERTIES].hashes.count = 2 * PROPERTIES;
}

/* Rows are made outside the measured time, a stretch at a time. */
static enum vg_reason scan(void *owner, struct vg_table_rebuild *rebuild, struct vg_error *error)
{
    static struct made_row made[BATCH];
    struct bench *bench = owner;
    uint64_t spent_ns = 0;
    uint64_t cpu_ns = 0;
    for (uint64_t id = 0; id < bench->rows; id += BATCH) {
        uint64_t count = bench->rows - id < BATCH ? bench->rows - id : BATCH;
        for (uint64_t i = 0; i < count; i++) {
            make_row(&made[i], bench->rows, id + i, 0);
            made[i].values[VG_EVENT_COLUMN_LAST_UPDATED].number = FIRST_MS + (vg_time)(id + i);
        }
        uint64_t begun = now_ns(CLOCK_MONOTONIC);
        uint64_t cpu_begun = now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (uint64_t i = 0; i < count; i++) {
            enum vg_reason reason = vg_table_rebuild_add(rebuild, 0, &made[i].row, error);
            if (reason != VG_OK) {
                return reason;
            }
        }
        cpu_ns += now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_begun;
        spent_ns += now_ns(CLOCK_MONOTONIC) - begun;
    }
    double rate = (double)bench->rows * 1e9 / (double)spent_ns;
    printf(
        "rebuild            %8.0f rows/s, %.2f us of CPU per row (wanted: %.0f)\n",
        rate,
        (double)cpu_ns / 1e3 / (double)bench->rows,
        REBUILD_FLOOR);
    return VG_OK;
}

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

static enum vg_reason load_nothing(
    void *owner,
    uint32_t kind,
    struct vg_bytes id,
    struct vg_row *row,
    bool *out_exists, // NOLINT(readability-non-const-parameter): the table's signature
    struct vg_error *error)
{
    (void)owner;
    (void)kind;
    (void)id;
    (void)row;
    (void)out_exists;
    return vg_error_set(error, VG_INTERNAL, "there is nothing to load");
}

static void open_table(struct bench *bench, uint64_t sequence, struct vg_table_started *out_started)
{
    const struct vg_table_source source = {
        .owner = bench,
        .replay = replay_nothing,
        .load = load_nothing,
        .scan = scan,
    };
    const struct vg_table_start start = { .source = &source, .sequence = sequence };
    must(vg_table_open(&bench->config, &bench->table, NULL) == VG_OK, "opening");
    must(vg_table_start(bench->table, &start, out_started, NULL) == VG_OK, "starting");
}

static void write_checkpoint(struct bench *bench, bool close_tail)
{
    struct vg_checkpoint *checkpoint;
    must(
        vg_table_checkpoint_begin(bench->table, close_tail, &checkpoint, NULL) == VG_OK,
        "beginning a checkpoint");
    must(vg_checkpoint_run(checkpoint, NULL) == VG_OK, "writing a checkpoint");
    (void)vg_table_checkpoint_finish(bench->table, checkpoint);
}

/* The rows in an order without any, each once. */
static uint64_t shuffled(const struct bench *bench, uint64_t number)
{
    /* A prime that does not divide the number of rows steps through all of them. */
    uint64_t step = UINT64_C(1000000007) % bench->rows;
    return number * (step == 0 ? 1 : step) % bench->rows;
}

/* New versions of 30 % of all rows, anywhere, 1,000 a batch. */
static void update_rows(struct bench *bench)
{
    static struct made_row made[BATCH];
    static struct vg_table_change changes[BATCH];
    uint64_t spent_ns = 0;
    uint64_t cpu_ns = 0;
    uint64_t updates = 0;
    while ((updates + BATCH) * 10 <= bench->rows * 3) {
        for (uint32_t i = 0; i < BATCH; i++) {
            make_row(&made[i], bench->rows, shuffled(bench, updates + i), 1);
            made[i].values[VG_EVENT_COLUMN_LAST_UPDATED].number =
                FIRST_MS + (vg_time)(bench->rows + updates + i);
            changes[i] = (struct vg_table_change){ .row = &made[i].row };
        }
        uint64_t begun = now_ns(CLOCK_MONOTONIC);
        uint64_t cpu_begun = now_ns(CLOCK_THREAD_CPUTIME_ID);
        enum vg_reason reason = vg_table_prepare(bench->table, changes, BATCH, NULL);
        must(reason == VG_OK, "preparing a batch");
        vg_table_publish(bench->table, vg_table_sequence(bench->table) + 1, NULL);
        vg_table_maintain(bench->table);
        cpu_ns += now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_begun;
        spent_ns += now_ns(CLOCK_MONOTONIC) - begun;
        updates += BATCH;
        if (vg_table_wants_checkpoint(bench->table)) {
            write_checkpoint(bench, false);
        }
    }
    if (updates > 0) {
        printf(
            "batches of updates %8.0f rows/s, %.2f us of CPU per row\n",
            (double)updates * 1e9 / (double)spent_ns,
            (double)cpu_ns / 1e3 / (double)updates);
    }
}

/* Compaction until nothing is worth it; begin and finish are the writer's work. */
static void compact_rows(struct bench *bench)
{
    uint64_t cpu_begun = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t longest_ns = 0;
    uint64_t copied = 0;
    unsigned jobs = 0;
    uint32_t kind;
    while (vg_table_wants_compaction(bench->table, &kind)) {
        struct vg_compaction *compaction;
        struct vg_compacted compacted;
        uint64_t begun = now_ns(CLOCK_THREAD_CPUTIME_ID);
        must(
            vg_table_compaction_begin(bench->table, kind, &compaction, NULL) == VG_OK,
            "beginning a compaction");
        uint64_t begin_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
        must(compaction != NULL, "finding what to compact");
        must(vg_compaction_run(compaction, NULL) == VG_OK, "compacting");
        begun = now_ns(CLOCK_THREAD_CPUTIME_ID);
        vg_table_compaction_finish(bench->table, compaction, &compacted);
        uint64_t finish_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
        longest_ns = begin_ns > longest_ns ? begin_ns : longest_ns;
        longest_ns = finish_ns > longest_ns ? finish_ns : longest_ns;
        copied += compacted.rows;
        jobs++;
        vg_table_maintain(bench->table);
    }
    printf(
        "compaction         %u jobs copied %.2f rows per row of the table, %.2f us of CPU per row "
        "copied, %.1f ms at most on the writer's thread\n",
        jobs,
        (double)copied / (double)bench->rows,
        (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_begun) / 1e3 / (double)(copied + 1),
        (double)longest_ns / 1e6);
}

static int compare_times(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;
    return (*a > *b) - (*a < *b);
}

/* Median and least of the rounds, and the least beside what it was when the table was new. */
static void show_times(struct bench *bench, const char *name, uint64_t *times)
{
    qsort(times, ROUNDS, sizeof(times[0]), compare_times);
    double least_ms = (double)times[0] / 1e6;
    must(bench->search < SEARCHES_MAX, "counting searches");
    double *fresh = &bench->fresh[bench->search++];
    *fresh = *fresh == 0 ? least_ms / bench->floor_ms : *fresh;
    printf(
        "  %-36s %8.3f ms (least %.3f, %4.2f of fresh), ",
        name,
        (double)times[ROUNDS / 2] / 1e6,
        least_ms,
        least_ms / bench->floor_ms / *fresh);
}

static void run_search(
    struct bench *bench,
    const char *name,
    const struct vg_predicate *where,
    const struct vg_sort_key *key,
    uint32_t limit)
{
    uint64_t times[ROUNDS];
    struct vg_search_result result = { 0 };
    struct vg_search search = { .where = where, .sort = key, .sort_count = 1, .limit = limit };
    for (int round = 0; round < ROUNDS; round++) {
        struct vg_arena arena;
        struct vg_snapshot snapshot;
        vg_arena_init(&arena, 64u << 20);
        uint64_t begun = now_ns(CLOCK_THREAD_CPUTIME_ID);
        must(
            vg_snapshot_acquire(bench->table, 60000, &snapshot, NULL) == VG_OK,
            "taking a snapshot");
        must(vg_search_run(&snapshot, &search, &arena, &result, NULL) == VG_OK, "searching");
        vg_snapshot_release(&snapshot);
        times[round] = now_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
        vg_arena_dispose(&arena);
    }
    show_times(bench, name, times);
    printf("%llu found\n", (unsigned long long)result.match_count);
}

static void run_aggregate(
    struct bench *bench,
    const char *name,
    const struct vg_aggregate *aggregate)
{
    uint64_t times[ROUNDS];
    struct vg_aggregate_result result = { 0 };
    uint32_t groups = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct vg_arena arena;
        struct vg_snapshot snapshot;
        vg_arena_init(&arena, 64u << 20);
        uint64_t begun = now_ns(CLOCK_THREAD_CPUTIME_ID);
        must(
            vg_snapshot_acquire(bench->table, 60000, &snapshot, NULL) == VG_OK,
            "taking a snapshot");
        must(vg_aggregate_run(&snapshot, aggregate, &arena, &result, NULL) == VG_OK, "aggregating");
        vg_snapshot_release(&snapshot);
        times[round] = now_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
        groups = aggregate->column_count == 0
                     ? 0
                     : result.levels[aggregate->column_count - 1].group_count;
        vg_arena_dispose(&arena);
    }
    show_times(bench, name, times);
    printf("%llu rows in %u groups\n", (unsigned long long)result.total.count, (unsigned)groups);
}

static void run_aggregates(
    struct bench *bench,
    const struct vg_predicate *all,
    const struct vg_predicate *ours)
{
    static const uint32_t signature[] = { VG_EVENT_COLUMN_SIGNATURE };
    static const uint32_t pair[] = { VG_EVENT_COLUMN_CUSTOMER, VG_EVENT_COLUMN_SEVERITY };
    static const uint32_t source[] = { VG_EVENT_COLUMN_SOURCE };
    vg_time bounds[30 * 24 + 1];
    vg_time days[30 + 1];
    for (uint32_t hour = 0; hour <= 30 * 24; hour++) {
        bounds[hour] = FIRST_MS + hour * (DAY_MS / 24);
        days[hour / 24] = FIRST_MS + hour / 24 * DAY_MS;
    }
    struct vg_aggregate_timeline line = { VG_EVENT_COLUMN_TIMESTAMP,
                                          VG_AGGREGATE_NO_COLUMN,
                                          days,
                                          30 };
    struct vg_aggregate aggregate = {
        .where = all,
        .columns = signature,
        .column_count = 1,
        .sum_column = VG_AGGREGATE_NO_COLUMN,
        .timelines = &line,
    };
    run_aggregate(bench, "top signatures", &aggregate);
    aggregate.sum_column = VG_EVENT_COLUMN_COUNT;
    run_aggregate(bench, "the same, with the sum of counts", &aggregate);
    aggregate.sum_column = VG_AGGREGATE_NO_COLUMN;
    aggregate.columns = pair;
    aggregate.column_count = 2;
    run_aggregate(bench, "customer x severity", &aggregate);
    aggregate.columns = source;
    aggregate.column_count = 1;
    aggregate.where = ours;
    run_aggregate(bench, "sources of one customer", &aggregate);
    aggregate.where = all;
    aggregate.timeline_count = 1;
    aggregate.columns = signature;
    run_aggregate(bench, "top signatures by day", &aggregate);
    aggregate.column_count = 0;
    run_aggregate(bench, "daily histogram", &aggregate);
    line.end_column = VG_EVENT_COLUMN_LAST_EVENT;
    run_aggregate(bench, "the same, of intervals", &aggregate);
    line.end_column = VG_AGGREGATE_NO_COLUMN;
    line.bounds = bounds;
    line.span_count = 30 * 24;
    aggregate.where = ours;
    run_aggregate(bench, "hourly histogram of one customer", &aggregate);
}

/* What reading 8 bytes a row costs here and now: all times are seen beside it. */
static void run_floor(struct bench *bench)
{
    uint64_t rows = bench->rows;
    uint64_t *numbers = calloc(rows, sizeof(*numbers));
    must(numbers != NULL, "memory");
    memset(numbers, 1, rows * sizeof(*numbers));
    uint64_t least = UINT64_MAX;
    volatile uint64_t sink = 0; /* so that the sums are made */
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t begun = now_ns(CLOCK_THREAD_CPUTIME_ID);
        uint64_t sum = 0;
        for (uint64_t i = 0; i < rows; i++) {
            sum += numbers[i];
        }
        sink += sum;
        uint64_t took = now_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
        least = took < least ? took : least;
    }
    (void)sink;
    bench->floor_ms = (double)least / 1e6;
    printf("  %-36s %8.3f ms\n", "(a sum over 8 bytes per row)", bench->floor_ms);
    free(numbers);
}

static void run_searches(struct bench *bench, const char *when)
{
    struct vg_arena arena;
    vg_arena_init(&arena, 16u << 20);
    const struct vg_sort_key newest = { VG_EVENT_COLUMN_TIMESTAMP, true };
    const struct vg_sort_key pulled = { VG_EVENT_COLUMN_LAST_UPDATED, false };
    int64_t end = FIRST_MS + 30 * DAY_MS;
    int64_t customer = 1;
    struct vg_bytes signature = vg_bytes_text("SURICATA-1:2000003");
    struct vg_network network = make_address(&(uint64_t){ 5 });
    network.bits = 24;
    network.address[3] = 0;
    const struct vg_predicate *day =
        vg_predicate_range(&arena, VG_EVENT_COLUMN_TIMESTAMP, end - DAY_MS, end);
    const struct vg_predicate *week =
        vg_predicate_range(&arena, VG_EVENT_COLUMN_TIMESTAMP, end - 7 * DAY_MS, end);
    const struct vg_predicate *ours =
        vg_predicate_number_in(&arena, VG_EVENT_COLUMN_CUSTOMER, &customer, 1);
    const struct vg_predicate *named =
        vg_predicate_bytes_in(&arena, VG_EVENT_COLUMN_SIGNATURE, &signature, 1);
    const struct vg_predicate *sides[] = {
        vg_predicate_network(&arena, VG_EVENT_COLUMN_SOURCE, &network, -1),
        vg_predicate_network(&arena, VG_EVENT_COLUMN_DESTINATION, &network, -1),
        named,
    };
    const struct vg_predicate *either = vg_predicate_or(&arena, sides, 2);
    const struct vg_predicate *any = vg_predicate_or(&arena, sides, 3);
    uint64_t property = property_hash(12, 7);
    const struct vg_predicate *detail[] = {
        vg_predicate_range(&arena, VG_EVENT_COLUMN_SEVERITY, 2, 3),
        vg_predicate_range(&arena, VG_EVENT_COLUMN_DESTINATION_PORT, 0, 100),
        vg_predicate_flags_any(&arena, VG_EVENT_COLUMN_FLAGS_LOW, 3),
        vg_predicate_hash_in(&arena, VG_EVENT_COLUMN_PROPERTIES, &property, 1),
    };
    printf("searches, %s (CPU time)\n", when);
    bench->search = 0;
    run_floor(bench);
#define BOTH(a, b) vg_predicate_and(&arena, (const struct vg_predicate *[]){ (a), (b) }, 2)
    run_search(bench, "day and customer, newest 25", BOTH(day, ours), &newest, 25);
    run_search(bench, "week and signature, newest 25", BOTH(week, named), &newest, 25);
    run_search(bench, "week and /24 either side, 25", BOTH(week, either), &newest, 25);
    run_search(bench, "customer, all times, newest 25", ours, &newest, 25);
    run_search(bench, "signature, all times, count", named, &newest, 0);
    run_search(
        bench,
        "(signature or /24) and not customer",
        BOTH(any, vg_predicate_not(&arena, ours)),
        &newest,
        1000);
    run_search(
        bench,
        "severity, port, flags and property",
        vg_predicate_and(&arena, detail, 4),
        &newest,
        25);
    run_search(
        bench,
        "pull of 1,000 by lastUpdated",
        vg_predicate_range(&arena, VG_EVENT_COLUMN_LAST_UPDATED, FIRST_MS + 1000, INT64_MAX),
        &pulled,
        1000);
    run_aggregates(bench, vg_predicate_all(&arena), ours);
    vg_arena_dispose(&arena);
}

static void show_memory(struct bench *bench)
{
    struct vg_table_usage usage;
    vg_table_usage(bench->table, &usage);
    printf(
        "per live row       %8.0f bytes mapped, %.0f in memory (%llu rows, %llu dead, %llu "
        "chunks)\n",
        (double)usage.mapped_bytes / (double)usage.rows,
        (double)usage.memory_bytes / (double)usage.rows,
        (unsigned long long)usage.rows,
        (unsigned long long)usage.dead_rows,
        (unsigned long long)usage.chunks);
}

/* Where the bytes of the files go. */
static void show_columns(struct bench *bench)
{
    printf("bytes per row of each column, in files\n");
    for (uint32_t i = 0; i < vg_event_table_schema.column_count; i++) {
        printf(
            "  %-22s %7.2f\n",
            vg_event_table_schema.columns[i].name,
            (double)vg_table_column_bytes(bench->table, 0, i) / (double)bench->rows);
    }
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void stop_table(struct bench *bench)
{
    vg_table_stop(bench->table);
    must(vg_table_is_drained(bench->table), "stopping");
    vg_table_close(bench->table);
}

int main(int count, char **arguments)
{
    static const struct vg_table_schema *const schemas[] = { &vg_event_table_schema };
    struct bench bench = { .rows = ROWS_DEFAULT };
    struct vg_table_started started;
    if (count > 1) {
        bench.rows = strtoull(arguments[1], NULL, 10);
    }
    must(bench.rows >= BATCH, "reading the number of rows, 1,000 at least,");
    (void)snprintf(bench.path, sizeof(bench.path), "/tmp/vigil-bench-XXXXXX");
    must(mkdtemp(bench.path) != NULL, "making a folder");
    bench.config = (struct vg_table_config){
        .path = bench.path,
        .schemas = schemas,
        .kind_count = 1,
        .clock = &vg_clock_real,
    };
    printf("%llu rows\n", (unsigned long long)bench.rows);
    open_table(&bench, 1, &started);
    write_checkpoint(&bench, true);
    show_memory(&bench);
    show_columns(&bench);
    run_searches(&bench, "fresh");

    stop_table(&bench);
    uint64_t begun = now_ns(CLOCK_MONOTONIC);
    open_table(&bench, 1, &started);
    must(!started.rebuilt, "believing the checkpoint");
    double seconds = (double)(now_ns(CLOCK_MONOTONIC) - begun) / 1e9;
    printf("start from files   %8.0f rows/s, %.3f s\n", (double)bench.rows / seconds, seconds);
    run_searches(&bench, "after a restart");

    update_rows(&bench);
    write_checkpoint(&bench, true);
    vg_table_maintain(bench.table);
    show_memory(&bench);
    run_searches(&bench, "after updates of 30 %");

    compact_rows(&bench);
    write_checkpoint(&bench, true);
    vg_table_maintain(bench.table);
    show_memory(&bench);
    run_searches(&bench, "after updates and compaction");
    stop_table(&bench);
    (void)nftw(bench.path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
