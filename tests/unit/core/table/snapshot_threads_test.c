/*
 * One writer and several readers at full speed; to be run under the thread sanitizer too. Every
 * record carries the sequence of its batch, and each batch rewrites a fixed set of records, so a
 * snapshot shows whether it is one point in time: all records of one sequence, each once.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/assert.h"
#include "core/table/compaction.h"
#include "core/table/search.h"
#include "tests/unit/core/table/table_fixture.h"

#define READERS 3u
#define RECORDS 20u
#define BATCHES 400u

struct shared {
    struct vg_table *table;
    _Atomic bool done;
    _Atomic uint64_t searches;
    struct vg_checkpoint *checkpoint;
    struct vg_compaction *compaction;
};

static void check_hits(const struct vg_search_result *result, uint64_t sequence)
{
    VG_ASSERT(result->match_count == RECORDS && result->hit_count == RECORDS);
    bool seen[RECORDS] = { false };
    for (uint32_t i = 0; i < RECORDS; i++) {
        struct vg_value value;
        struct fixture_row row;
        uint32_t id;
        vg_hit_read(&result->hits[i], FIX_UUID, &value);
        memcpy(&id, value.bytes.data, sizeof(id));
        VG_ASSERT(id < RECORDS && !seen[id]);
        seen[id] = true;
        fixture_fill(&row, id, sequence * RECORDS + id, (vg_time)sequence);
        for (uint32_t column = 0; column < FIX_COLUMNS; column++) {
            VG_ASSERT(fixture_hit_equal(&result->hits[i], column, &row.values[column]));
        }
    }
}

static void *read_on(void *owner)
{
    struct shared *shared = owner;
    struct vg_arena arena;
    vg_arena_init(&arena, 16u << 20);
    while (!atomic_load(&shared->done)) {
        struct vg_snapshot snapshot;
        VG_ASSERT(vg_snapshot_acquire(shared->table, 60000, &snapshot, NULL) == VG_OK);
        uint64_t sequence = vg_snapshot_sequence(&snapshot);
        for (int round = 0; round < 2 && sequence > 0; round++) {
            const struct vg_sort_key key = { .column = FIX_UPDATED, .descending = true };
            struct vg_search_result result;
            struct vg_search search = { .sort = &key, .sort_count = 1, .limit = RECORDS + 1 };
            search.where =
                vg_predicate_range(&arena, FIX_UPDATED, (int64_t)sequence, (int64_t)sequence);
            VG_ASSERT(vg_search_run(&snapshot, &search, &arena, &result, NULL) == VG_OK);
            check_hits(&result, sequence);
            search.where = vg_predicate_all(&arena);
            search.limit = 0;
            VG_ASSERT(vg_search_run(&snapshot, &search, &arena, &result, NULL) == VG_OK);
            VG_ASSERT(result.match_count == RECORDS);
            atomic_fetch_add(&shared->searches, 1);
        }
        vg_snapshot_release(&snapshot);
        vg_arena_reset(&arena);
    }
    vg_arena_dispose(&arena);
    return NULL;
}

static void *run_checkpoint(void *owner)
{
    struct shared *shared = owner;
    VG_ASSERT(vg_checkpoint_run(shared->checkpoint, NULL) == VG_OK);
    return NULL;
}

static void *run_compaction(void *owner)
{
    struct shared *shared = owner;
    VG_ASSERT(vg_compaction_run(shared->compaction, NULL) == VG_OK);
    return NULL;
}

static void write_batch(struct vg_table *table, uint64_t sequence)
{
    static struct fixture_row rows[RECORDS];
    for (uint32_t id = 0; id < RECORDS; id++) {
        fixture_fill(&rows[id], id, sequence * RECORDS + id, (vg_time)sequence);
    }
    fixture_put(table, rows, RECORDS);
}

/* A checkpoint on a thread of its own while batches go on. */
static void checkpoint_beside_batches(struct shared *shared, bool close_tail, uint64_t *sequence)
{
    pthread_t runner;
    assert_int_equal(
        vg_table_checkpoint_begin(shared->table, close_tail, &shared->checkpoint, NULL),
        VG_OK);
    assert_int_equal(pthread_create(&runner, NULL, run_checkpoint, shared), 0);
    for (int more = 0; more < 5; more++) {
        write_batch(shared->table, ++*sequence);
    }
    assert_int_equal(pthread_join(runner, NULL), 0);
    (void)vg_table_checkpoint_finish(shared->table, shared->checkpoint);
}

/* The same for a compaction, so that rows it copies die before it is installed, and old snapshots
 * are searched while it is. Returns the rows it dropped. */
static uint64_t compact_beside_batches(struct shared *shared, uint64_t *sequence)
{
    pthread_t runner;
    uint32_t kind;
    struct vg_compacted compacted;
    if (!vg_table_wants_compaction(shared->table, &kind)) {
        return 0;
    }
    assert_int_equal(
        vg_table_compaction_begin(shared->table, kind, &shared->compaction, NULL),
        VG_OK);
    assert_non_null(shared->compaction);
    assert_int_equal(pthread_create(&runner, NULL, run_compaction, shared), 0);
    for (int more = 0; more < 3; more++) {
        write_batch(shared->table, ++*sequence);
    }
    assert_int_equal(pthread_join(runner, NULL), 0);
    vg_table_compaction_finish(shared->table, shared->compaction, &compacted);
    return compacted.rows_dropped;
}

static void test_snapshot__shows_one_point_in_time_to_every_thread(void **state)
{
    (void)state;
    struct shared shared = { 0 };
    char path[64];
    pthread_t readers[READERS];
    fixture_make_folder(path);
    struct vg_table_config config = fixture_config(path, &vg_clock_real, 64);
    config.limits.settle_batch = 40;
    config.limits.closed_chunks = 1000;
    shared.table = fixture_open(&config);
    for (uint32_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &shared), 0);
    }
    uint64_t dropped = 0;
    for (uint64_t sequence = 1; sequence <= BATCHES; sequence++) {
        write_batch(shared.table, sequence);
        if (sequence % 20 == 0) {
            checkpoint_beside_batches(&shared, sequence % 80 == 0, &sequence);
            for (int jobs = 0; jobs < 3; jobs++) {
                dropped += compact_beside_batches(&shared, &sequence);
            }
        }
    }
    atomic_store(&shared.done, true);
    for (uint32_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    }
    print_message(
        "%llu searches, %llu rows dropped\n",
        (unsigned long long)atomic_load(&shared.searches),
        (unsigned long long)dropped);
    assert_true(dropped > RECORDS * BATCHES / 4);
    assert_true(atomic_load(&shared.searches) > 0);
    struct vg_table_usage usage;
    vg_table_maintain(shared.table);
    vg_table_usage(shared.table, &usage);
    assert_int_equal(usage.rows, RECORDS);
    assert_int_equal(usage.open_snapshots, 0);
    fixture_close(shared.table);
    fixture_remove_folder(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot__shows_one_point_in_time_to_every_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
