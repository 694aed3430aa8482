/*
 * Compaction from outside: what it merges and drops, that zone maps are sharp afterwards, that a
 * full disk leaves nothing behind, and its limit. That nobody notices it while it works is the
 * business of table_model_test and snapshot_threads_test.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/table/compaction.h"
#include "core/table/table_disk.h"
#include "core/table/table_parts.h"
#include "tests/unit/core/table/table_fixture.h"

#define CHUNK_ROWS 8u

struct place {
    char path[64];
    struct vg_clock_manual clock;
    struct vg_table_config config;
    struct vg_table *table;
    vg_time updated;
};

static void open_place(struct place *place)
{
    fixture_make_folder(place->path);
    vg_clock_manual_init(&place->clock, 1000000);
    place->config = fixture_config(place->path, &place->clock.clock, CHUNK_ROWS);
    place->config.limits.closed_chunks = 1000;
    place->config.limits.settle_batch = 1;
    place->table = NULL;
    place->updated = 1;
}

static void close_place(struct place *place)
{
    fixture_close(place->table);
    fixture_remove_folder(place->path);
}

/* A new version of each of `count` records from `first` on, `step` apart. */
static void put(struct place *place, uint32_t first, uint32_t count, uint32_t step)
{
    for (uint32_t i = 0; i < count; i++) {
        struct fixture_row row;
        fixture_fill(&row, first + i * step, (uint64_t)place->updated, place->updated);
        place->updated++;
        fixture_put(place->table, &row, 1);
    }
}

static struct vg_compacted compact(struct place *place)
{
    struct vg_compaction *compaction = NULL;
    struct vg_compacted compacted = { 0 };
    assert_int_equal(vg_table_compaction_begin(place->table, 0, &compaction, NULL), VG_OK);
    if (compaction != NULL) {
        assert_int_equal(vg_compaction_run(compaction, NULL), VG_OK);
        vg_table_compaction_finish(place->table, compaction, &compacted);
    }
    return compacted;
}

/* Until nothing is worth it any more; returns the rows dropped. */
static uint64_t compact_all(struct place *place)
{
    uint64_t dropped = 0;
    uint32_t kind;
    for (uint32_t jobs = 0; vg_table_wants_compaction(place->table, &kind); jobs++) {
        assert_true(jobs < 1000);
        dropped += compact(place).rows_dropped;
        vg_table_maintain(place->table);
    }
    return dropped;
}

static uint32_t count_files(const struct place *place, const char *part)
{
    DIR *folder = opendir(place->path);
    assert_non_null(folder);
    uint32_t count = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += strstr(entry->d_name, part) != NULL;
    }
    (void)closedir(folder);
    return count;
}

static struct vg_table_usage usage_of(const struct place *place)
{
    struct vg_table_usage usage;
    vg_table_usage(place->table, &usage);
    return usage;
}

/* All versions are the newest ones, each once, in a search without restriction. */
static void check_rows(const struct place *place, uint32_t expected)
{
    struct vg_arena arena;
    struct vg_snapshot snapshot;
    struct vg_search_result result;
    const struct vg_sort_key key = { .column = FIX_TIME };
    vg_arena_init(&arena, 16u << 20);
    assert_int_equal(vg_snapshot_acquire(place->table, 1000, &snapshot, NULL), VG_OK);
    struct vg_search search = { .sort = &key, .sort_count = 1, .limit = 1000 };
    search.where = vg_predicate_all(&arena);
    assert_int_equal(vg_search_run(&snapshot, &search, &arena, &result, NULL), VG_OK);
    assert_int_equal(result.match_count, expected);
    for (uint32_t i = 0; i < result.hit_count; i++) {
        struct vg_value value;
        struct fixture_row row;
        uint32_t id;
        vg_hit_read(&result.hits[i], FIX_UUID, &value);
        memcpy(&id, value.bytes.data, sizeof(id));
        vg_hit_read(&result.hits[i], FIX_UPDATED, &value);
        fixture_fill(&row, id, (uint64_t)value.number, value.number);
        for (uint32_t column = 0; column < FIX_COLUMNS; column++) {
            assert_true(fixture_hit_equal(&result.hits[i], column, &row.values[column]));
        }
    }
    vg_snapshot_release(&snapshot);
    vg_arena_dispose(&arena);
}

static void reopen(struct place *place)
{
    struct vg_table_started started;
    const struct vg_table_start start = { .source = &fixture_nothing,
                                          .sequence = vg_table_sequence(place->table) };
    fixture_close(place->table);
    assert_int_equal(vg_table_open(&place->config, &place->table, NULL), VG_OK);
    assert_int_equal(vg_table_start(place->table, &start, &started, NULL), VG_OK);
    assert_false(started.rebuilt);
}

static void test_compaction__merges_what_clean_stops_leave(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    place.table = fixture_open(&place.config);
    for (uint32_t stop = 0; stop < 6; stop++) {
        put(&place, stop * 2, 2, 1);
        (void)fixture_checkpoint(place.table, true);
        reopen(&place);
    }
    assert_int_equal(usage_of(&place).chunks, 6);
    assert_int_equal(compact_all(&place), 0);
    assert_int_equal(usage_of(&place).chunks, 2);
    check_rows(&place, 12);
    /* The new chunks are in no manifest yet, so one is wanted, and then the old files go. */
    assert_int_equal(count_files(&place, ".chunk"), 6 + 2);
    assert_true(vg_table_wants_checkpoint(place.table));
    (void)fixture_checkpoint(place.table, false);
    assert_false(vg_table_wants_checkpoint(place.table));
    vg_table_maintain(place.table);
    vg_table_maintain(place.table);
    assert_int_equal(count_files(&place, ".chunk"), 2);
    assert_int_equal(usage_of(&place).obsolete_files, 0);
    reopen(&place);
    check_rows(&place, 12);
    close_place(&place);
}

/* How many chunks a question about a short time has to look at. */
static uint32_t chunks_at(const struct place *place, int64_t time)
{
    const struct vg_chunk_list *list = place->table->kinds[0].list;
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct vg_zone *zone = list->chunks[i]->columns[FIX_TIME].zone;
        count += zone->min <= time && time <= zone->max;
    }
    return count;
}

static void test_compaction__makes_zones_sharp_again_after_updates(void **state)
{
    (void)state;
    struct place place;
    struct vg_value value;
    open_place(&place);
    place.table = fixture_open(&place.config);
    put(&place, 0, 160, 1); /* in order of time */
    put(&place, 0, 53, 3);  /* a third of them again, spread over all times */
    (void)fixture_checkpoint(place.table, true);
    vg_table_maintain(place.table);
    struct vg_table_usage before = usage_of(&place);
    assert_int_equal(before.dead_rows, 53);
    uint32_t wide = chunks_at(&place, INT64_C(1700000000000) + 40 * 1000);
    assert_true(wide >= 2);
    assert_int_equal(compact_all(&place), 53);
    struct vg_table_usage after = usage_of(&place);
    assert_int_equal(after.dead_rows, 0);
    assert_int_equal(after.rows, 160);
    assert_true(after.chunks < before.chunks && after.chunks <= 160 / CHUNK_ROWS * 3 / 2);
    assert_true(chunks_at(&place, INT64_C(1700000000000) + 40 * 1000) <= wide);
    check_rows(&place, 160);
    /* In a chunk, rows are in order of time. */
    const struct vg_chunk *chunk = place.table->kinds[0].list->chunks[0];
    int64_t last = INT64_MIN;
    for (uint32_t row = 0; row < chunk->rows; row++) {
        vg_chunk_read(chunk, FIX_TIME, row, &value);
        assert_true(value.number >= last);
        last = value.number;
    }
    close_place(&place);
}

static void test_compaction__of_dead_rows_only_leaves_no_chunk(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    place.table = fixture_open(&place.config);
    put(&place, 0, CHUNK_ROWS, 1);
    put(&place, 0, CHUNK_ROWS, 1);
    (void)fixture_checkpoint(place.table, true);
    vg_table_maintain(place.table);
    struct vg_compacted compacted = compact(&place);
    assert_int_equal(compacted.chunks_in, 1);
    assert_int_equal(compacted.chunks_out, 0);
    assert_int_equal(compacted.rows_dropped, CHUNK_ROWS);
    assert_int_equal(usage_of(&place).chunks, 1);
    check_rows(&place, CHUNK_ROWS);
    close_place(&place);
}

static void test_compaction__helps_a_table_that_has_all_its_chunks(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    place.config.limits.chunks = 4;
    place.table = fixture_open(&place.config);
    for (uint32_t round = 0; round < 4; round++) {
        put(&place, 0, CHUNK_ROWS, 1);
    }
    struct fixture_row row;
    struct vg_table_change change = { .row = &row.row };
    fixture_fill(&row, 1, 1, 1);
    assert_int_equal(vg_table_prepare(place.table, &change, 1, NULL), VG_RESOURCE_LIMIT);
    (void)fixture_checkpoint(place.table, true);
    vg_table_maintain(place.table);
    assert_int_equal(compact_all(&place), 3 * CHUNK_ROWS);
    put(&place, 0, CHUNK_ROWS, 1);
    check_rows(&place, CHUNK_ROWS);
    close_place(&place);
}

/* Fails the first write of a chunk file. */
static enum vg_reason fail_write(
    void *owner,
    enum vg_disk_step step,
    const char *name,
    struct vg_error *error)
{
    uint32_t *writes_left = owner;
    if (step != VG_DISK_WRITE || strstr(name, ".chunk") == NULL || (*writes_left)-- != 0) {
        return VG_OK;
    }
    return vg_error_set(error, VG_STORE_FULL, "full");
}

static void test_compaction__that_finds_the_disk_full_changes_nothing(void **state)
{
    (void)state;
    struct place place;
    uint32_t writes_left = UINT32_MAX;
    struct vg_disk_hooks hooks = { .before = fail_write, .owner = &writes_left };
    open_place(&place);
    place.config.disk_hooks = &hooks;
    place.table = fixture_open(&place.config);
    put(&place, 0, 4 * CHUNK_ROWS, 1);
    put(&place, 0, 11, 3);
    (void)fixture_checkpoint(place.table, true);
    vg_table_maintain(place.table);
    uint32_t files = count_files(&place, ".chunk");
    struct vg_table_usage before = usage_of(&place);
    for (uint32_t good = 0; good < 2; good++) {
        struct vg_compaction *compaction = NULL;
        struct vg_compacted compacted;
        assert_int_equal(vg_table_compaction_begin(place.table, 0, &compaction, NULL), VG_OK);
        assert_non_null(compaction);
        writes_left = good;
        assert_int_equal(vg_compaction_run(compaction, NULL), VG_STORE_FULL);
        vg_table_compaction_finish(place.table, compaction, &compacted);
        assert_int_equal(compacted.chunks_in, 0);
        assert_int_equal(count_files(&place, ".chunk"), files);
        assert_int_equal(usage_of(&place).chunks, before.chunks);
        assert_int_equal(usage_of(&place).dead_rows, before.dead_rows);
    }
    writes_left = UINT32_MAX;
    (void)compact_all(&place);
    assert_int_equal(usage_of(&place).dead_rows, 0);
    check_rows(&place, 4 * CHUNK_ROWS);
    close_place(&place);
}

static void test_compaction__stopped_in_the_middle_is_waited_for(void **state)
{
    (void)state;
    struct place place;
    struct vg_compaction *compaction = NULL;
    struct vg_compacted compacted;
    open_place(&place);
    place.table = fixture_open(&place.config);
    put(&place, 0, 2 * CHUNK_ROWS, 1);
    put(&place, 0, CHUNK_ROWS / 2, 1);
    (void)fixture_checkpoint(place.table, true);
    vg_table_maintain(place.table);
    assert_int_equal(vg_table_compaction_begin(place.table, 0, &compaction, NULL), VG_OK);
    assert_non_null(compaction);
    vg_table_stop(place.table);
    assert_false(vg_table_is_drained(place.table));
    assert_int_equal(vg_compaction_run(compaction, NULL), VG_STORE_UNAVAILABLE);
    vg_table_compaction_finish(place.table, compaction, &compacted);
    assert_int_equal(compacted.chunks_in, 0);
    assert_true(vg_table_is_drained(place.table));
    assert_int_equal(
        vg_table_compaction_begin(place.table, 0, &compaction, NULL),
        VG_STORE_UNAVAILABLE);
    close_place(&place);
}

/* Chunks that only an old snapshot needs: at the limit no compaction begins, and from half of it on
 * the oldest snapshot ends. */
static void test_compaction__old_snapshots_hold_only_so_much(void **state)
{
    (void)state;
    struct place place;
    struct vg_snapshot snapshot;
    struct vg_compaction *compaction = NULL;
    uint32_t kind;
    open_place(&place);
    place.table = fixture_open(&place.config);
    put(&place, 0, CHUNK_ROWS, 1);
    put(&place, 0, CHUNK_ROWS, 1);
    put(&place, 0, CHUNK_ROWS, 1);
    put(&place, 100, 1, 1);
    (void)fixture_checkpoint(place.table, false);
    vg_table_maintain(place.table);
    uint64_t chunk_bytes = place.table->kinds[0].list->chunks[0]->mapping_size;
    uint64_t both = chunk_bytes + place.table->kinds[0].list->chunks[1]->mapping_size;
    assert_int_equal(vg_snapshot_acquire(place.table, 1000000, &snapshot, NULL), VG_OK);
    assert_int_equal(compact(&place).chunks_out, 0);
    vg_table_maintain(place.table);
    assert_int_equal(usage_of(&place).obsolete_bytes, both);
    assert_int_equal(vg_snapshot_check(&snapshot, NULL), VG_OK);
    /* What may be held is asked before whether there is something to do. */
    place.table->limits.obsolete_bytes = both;
    assert_false(vg_table_wants_compaction(place.table, &kind));
    assert_int_equal(vg_table_compaction_begin(place.table, 0, &compaction, NULL), VG_OVERLOADED);
    place.table->limits.obsolete_bytes = both + 1;
    assert_int_equal(vg_table_compaction_begin(place.table, 0, &compaction, NULL), VG_OK);
    assert_null(compaction);
    place.table->limits.obsolete_bytes = both * 2;
    vg_table_maintain(place.table);
    assert_int_equal(vg_snapshot_check(&snapshot, NULL), VG_OK);
    place.table->limits.obsolete_bytes = both * 2 - 1;
    vg_table_maintain(place.table);
    assert_int_equal(vg_snapshot_check(&snapshot, NULL), VG_SNAPSHOT_EXPIRED);
    vg_snapshot_release(&snapshot);
    vg_table_maintain(place.table);
    vg_table_maintain(place.table);
    assert_int_equal(usage_of(&place).obsolete_bytes, 0);
    close_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compaction__merges_what_clean_stops_leave),
        cmocka_unit_test(test_compaction__makes_zones_sharp_again_after_updates),
        cmocka_unit_test(test_compaction__of_dead_rows_only_leaves_no_chunk),
        cmocka_unit_test(test_compaction__helps_a_table_that_has_all_its_chunks),
        cmocka_unit_test(test_compaction__that_finds_the_disk_full_changes_nothing),
        cmocka_unit_test(test_compaction__stopped_in_the_middle_is_waited_for),
        cmocka_unit_test(test_compaction__old_snapshots_hold_only_so_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
