/*
 * What reading the records of a search costs, on a LevelDB of our own making: everything in order
 * of time, forward, backward and sorted by severity; the pull by lastUpdated; a page of scattered
 * events; and questions about words, which records decide. One thread, without server and client.
 *
 *   bench_records [events]
 *
 * Threads: one, and those that decode records when the table is built.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/events/event_search.h"
#include "core/events/event_table.h"
#include "core/events/property_match.h"
#include "core/node/record_source.h"
#include "core/store/store_leveldb.h"

#define EVENTS_DEFAULT 1000000u
#define BATCH          1000u
#define FIRST_MS       INT64_C(1700000000000)
#define SPACING_MS     2592
#define PROPERTIES     8u
#define EXPORT_FLOOR   130000.0

struct bench {
    char path[64];
    char store_path[96];
    char table_path[96];
    uint64_t events;
    uint8_t secret[16];
    struct vg_event_store source;
};

static void must(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "bench_records: %s failed\n", what);
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

/* The words of a made-up language, the frequent ones far more often. */
static uint32_t print_words(uint64_t *state, uint32_t count, char *text, size_t size)
{
    size_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t drawn = mix(state);
        uint32_t word = (uint32_t)drawn % (100000u >> (drawn >> 60));
        used += (size_t)snprintf(text + used, size - used, "word%u/", (unsigned)word);
    }
    return (uint32_t)used;
}

static struct vg_event_head make_event(
    uint64_t number,
    struct vg_arena *arena,
    struct vg_event_record *record)
{
    static const struct vg_event_limits limits = { 4u << 20, 1u << 20 };
    uint64_t state = number;
    vg_event_record_init(record);
    record->id = (struct vg_event_id){ .type = VG_EVENT_TYPE_AGGREGATED,
                                       .timestamp = FIRST_MS + (vg_time)number * SPACING_MS,
                                       .customer_id = 1 + (int64_t)(mix(&state) % 50) };
    memcpy(record->id.uuid.bytes, (uint64_t[]){ mix(&state), number }, 16);
    record->severity = 1 + (int32_t)(mix(&state) % 4);
    record->count = 1;
    record->signature =
        vg_bytes_text(vg_arena_printf(arena, "SURICATA-1:%u", (unsigned)(mix(&state) % 2000)));
    struct vg_event_property *properties = vg_arena_calloc(arena, PROPERTIES, sizeof(*properties));
    struct vg_bytes *values = vg_arena_calloc(arena, PROPERTIES, sizeof(*values));
    must(properties != NULL && values != NULL, "memory");
    for (uint32_t i = 0; i < PROPERTIES; i++) {
        char text[256];
        uint32_t size = print_words(&state, 7, text, sizeof(text));
        values[i] = vg_bytes_text(vg_arena_text(arena, vg_bytes(text, size)));
        properties[i].key = vg_bytes_text(vg_arena_printf(arena, "property.number.%u", i));
        properties[i].values = &values[i];
        properties[i].value_count = 1;
    }
    record->properties = properties;
    record->property_count = PROPERTIES;
    struct vg_event_head head;
    must(vg_event_record_pack(record, &limits, arena, &head, NULL) == VG_OK, "packing");
    return head;
}

static void fill_store(struct bench *bench)
{
    struct vg_store_leveldb_options options = vg_store_leveldb_options_default();
    struct vg_arena arena;
    struct vg_batch batch;
    uint64_t bytes = 0;
    options.directory = bench->store_path;
    options.sync = false;
    must(vg_store_leveldb_open(&options, &bench->source.store, NULL) == VG_OK, "opening");
    vg_arena_init(&arena, 64u << 20);
    vg_batch_init(&batch, 64u << 20);
    uint64_t begun = now_ns(CLOCK_MONOTONIC);
    for (uint64_t number = 0; number < bench->events; number++) {
        struct vg_event_record record;
        struct vg_event_head head = make_event(number, &arena, &record);
        struct vg_event_times times = { .last_updated = FIRST_MS + (vg_time)number };
        struct vg_bytes packed = vg_event_record_finish(&head, &record.id, &times, number + 1);
        struct vg_key key;
        vg_event_id_key(&record.id, &key);
        vg_batch_set(&batch, vg_key_bytes(&key), packed);
        bytes += packed.size;
        if (number % BATCH == BATCH - 1 || number == bench->events - 1) {
            must(vg_store_apply(bench->source.store, 0, &batch, NULL) == VG_OK, "writing");
            vg_batch_clear(&batch);
            vg_arena_reset(&arena);
        }
    }
    printf(
        "%llu events of %.0f bytes written in %.1f s\n",
        (unsigned long long)bench->events,
        (double)bytes / (double)bench->events,
        (double)(now_ns(CLOCK_MONOTONIC) - begun) / 1e9);
    vg_batch_dispose(&batch);
    vg_arena_dispose(&arena);
}

static void open_table(struct bench *bench)
{
    static const struct vg_table_schema *const schemas[] = { &vg_event_table_schema };
    const struct vg_table_config config = { .path = bench->table_path,
                                            .schemas = schemas,
                                            .kind_count = 1,
                                            .clock = &vg_clock_real };
    struct vg_record_source source;
    struct vg_store_view *view;
    struct vg_table_started started;
    vg_record_source_init(&source, bench->source.store, 0, bench->secret, 2);
    must(vg_store_view_take(bench->source.store, 0, &view, NULL) == VG_OK, "taking a view");
    const struct vg_table_start start = { .source = &source.source, .sequence = 1, .view = view };
    uint64_t begun = now_ns(CLOCK_MONOTONIC);
    must(vg_table_open(&config, &bench->source.table, NULL) == VG_OK, "opening the table");
    must(vg_table_start(bench->source.table, &start, &started, NULL) == VG_OK, "starting");
    printf("table built in %.1f s\n", (double)(now_ns(CLOCK_MONOTONIC) - begun) / 1e9);
    struct vg_checkpoint *checkpoint;
    must(
        vg_table_checkpoint_begin(bench->source.table, true, &checkpoint, NULL) == VG_OK &&
            vg_checkpoint_run(checkpoint, NULL) == VG_OK,
        "a checkpoint");
    (void)vg_table_checkpoint_finish(bench->source.table, checkpoint);
    struct vg_table_usage usage;
    vg_table_usage(bench->source.table, &usage);
    printf(
        "per row %.0f bytes mapped, %.0f in memory\n",
        (double)usage.mapped_bytes / (double)usage.rows,
        (double)usage.memory_bytes / (double)usage.rows);
    vg_record_source_dispose(&source);
}

/* Read all that `search` finds; prints CPU of the search, and per record. */
static void read_all(
    struct bench *bench,
    const char *name,
    const struct vg_event_search *search,
    struct vg_arena *arena)
{
    struct vg_event_cursor cursor;
    uint64_t count = 0;
    uint64_t bytes = 0;
    uint64_t begun = now_ns(CLOCK_THREAD_CPUTIME_ID);
    uint64_t begun_wall = now_ns(CLOCK_MONOTONIC);
    must(vg_event_search_run(&bench->source, search, arena, &cursor, NULL) == VG_OK, "searching");
    uint64_t found = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (bool end = false; !end;) {
        struct vg_event_id id;
        struct vg_bytes record = vg_bytes(NULL, 0);
        must(vg_event_cursor_next(&cursor, &id, &record, &end, NULL) == VG_OK, "reading");
        count += !end;
        bytes += record.size;
    }
    double cpu = (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - begun) / 1e6;
    double wall = (double)(now_ns(CLOCK_MONOTONIC) - begun_wall) / 1e6;
    printf(
        "  %-38s %9.2f ms CPU, %9.2f wall (%.2f until found), %llu of %llu, %.0f k/s\n",
        name,
        cpu,
        wall,
        (double)(found - begun) / 1e6,
        (unsigned long long)count,
        (unsigned long long)cursor.match_count,
        count == 0 ? 0 : (double)count / wall);
    (void)bytes;
    vg_event_cursor_close(&cursor);
}

static void run_reads(struct bench *bench)
{
    struct vg_arena arena;
    vg_arena_init(&arena, 64u << 20);
    const struct vg_event_sort time_up = { VG_EVENT_SORT_TIMESTAMP, false };
    const struct vg_event_sort time_down = { VG_EVENT_SORT_TIMESTAMP, true };
    const struct vg_event_sort severity = { VG_EVENT_SORT_SEVERITY, true };
    const struct vg_event_sort updated = { VG_EVENT_SORT_LAST_UPDATED, false };
    const struct vg_predicate *all = vg_predicate_all(&arena);
    int64_t customer = 7;
    const struct vg_predicate *ours =
        vg_predicate_number_in(&arena, VG_EVENT_COLUMN_CUSTOMER, &customer, 1);
    struct vg_event_search search = { .sort_count = 1, .is_unlimited = true };

    printf(
        "records of searches (an export of all in order of time: %.0f k/s wanted)\n",
        EXPORT_FLOOR / 1e3);
    search.where = all;
    for (int round = 0; round < 2; round++) {
        search.sort = &time_up;
        read_all(bench, "all, oldest first", &search, &arena);
    }
    search.sort = &time_down;
    read_all(bench, "all, newest first", &search, &arena);
    search.sort = &severity;
    read_all(bench, "all, by severity", &search, &arena);
    search.where = ours;
    search.sort = &time_up;
    read_all(bench, "one of 50 customers, oldest first", &search, &arena);
    search.limit = 1000;
    read_all(bench, "the same, 1,000", &search, &arena);
    read_all(bench, "the same again", &search, &arena);
    search.where =
        vg_predicate_range(&arena, VG_EVENT_COLUMN_LAST_UPDATED, FIRST_MS + 5000, INT64_MAX);
    search.sort = &updated;
    for (int round = 0; round < 3; round++) {
        read_all(bench, "pull of 1,000 by lastUpdated", &search, &arena);
    }
    static const char *const words[] = { "word3", "word90000", "word3 word5", "word3 word90000" };
    search.limit = 25;
    search.sort = &time_down;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char name[64];
        const struct vg_property_match match = { .value = vg_bytes_text(words[i]),
                                                 .tokenized = true };
        search.where = vg_property_match_predicate(&arena, bench->secret, &match);
        (void)snprintf(name, sizeof(name), "words: %s", words[i]);
        read_all(bench, name, &search, &arena);
    }
    vg_arena_dispose(&arena);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

int main(int count, char **arguments)
{
    struct bench bench = { .events = EVENTS_DEFAULT, .source = { .snapshot_age_ms = 600000 } };
    if (count > 1) {
        bench.events = strtoull(arguments[1], NULL, 10);
    }
    must(bench.events >= 1, "reading the number of events");
    (void)snprintf(bench.path, sizeof(bench.path), "/tmp/vigil-bench-XXXXXX");
    must(mkdtemp(bench.path) != NULL, "making a folder");
    (void)snprintf(bench.store_path, sizeof(bench.store_path), "%s/store", bench.path);
    (void)snprintf(bench.table_path, sizeof(bench.table_path), "%s/table", bench.path);
    fill_store(&bench);
    open_table(&bench);
    run_reads(&bench);
    vg_table_stop(bench.source.table);
    must(vg_table_is_drained(bench.source.table), "stopping");
    vg_table_close(bench.source.table);
    vg_store_close(bench.source.store);
    (void)nftw(bench.path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
