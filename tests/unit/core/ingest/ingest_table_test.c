/*
 * The writer with the real table: what is acknowledged is in the next snapshot, a snapshot never
 * changes, and a failed commit ends all snapshots until store and table are back.
 */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/assert.h"
#include "core/ingest/ingest_table.h"
#include "core/keyspace/change_log.h"
#include "core/table/search.h"
#include "core/table/snapshot.h"
#include "tests/unit/core/ingest/ingest_fixture.h"

enum { COLUMN_ID, COLUMN_UPDATED, COLUMN_SUM, COLUMN_COUNT };

static const struct vg_column columns[COLUMN_COUNT] = {
    [COLUMN_ID] = { "id", VG_COLUMN_NUMBER, 8, VG_COLUMN_ID },
    [COLUMN_UPDATED] = { "updated", VG_COLUMN_TIME, 0, 0 },
    [COLUMN_SUM] = { "sum", VG_COLUMN_NUMBER, 8, 0 },
};
static const struct vg_table_schema schema = {
    .name = "counters",
    .columns = columns,
    .column_count = COLUMN_COUNT,
    .version = 1,
};
static const struct vg_table_schema *const schemas[] = { &schema };

struct real {
    struct ingest_fixture fixture;
    struct vg_table *table;
    struct vg_ingest_columns columns;
    char directory[64];
};

/* ---- where the table starts from: the records */

static void fill_row(struct vg_row *row, struct vg_bytes value)
{
    struct counter_record record;
    memcpy(&record, value.data, sizeof(record));
    row->values[COLUMN_ID].number = record.id;
    row->values[COLUMN_UPDATED].number = record.last_updated;
    row->values[COLUMN_SUM].number = record.sum;
}

static bool add_record(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct vg_value values[COLUMN_COUNT] = { 0 };
    struct vg_row row = { .values = values };
    (void)key;
    fill_row(&row, value);
    VG_ASSERT(vg_table_rebuild_add(owner, 0, &row, NULL) == VG_OK);
    return true;
}

static enum vg_reason scan_records(
    void *owner,
    struct vg_table_rebuild *rebuild,
    struct vg_error *error)
{
    struct real *real = owner;
    struct vg_store_range range = { .prefix = vg_key_family_prefix(VG_KEY_FAMILY_EVENT) };
    return vg_store_scan(real->fixture.store, &range, add_record, rebuild, NULL, error);
}

static enum vg_reason no_replay(
    void *owner,
    uint64_t after,
    struct vg_table_replay *replay,
    struct vg_error *error)
{
    (void)owner;
    (void)after;
    (void)replay;
    return vg_error_set(error, VG_INTERNAL, "there is no checkpoint");
}

static enum vg_reason no_load(
    void *owner,
    uint32_t kind,
    struct vg_bytes id,
    struct vg_row *row,
    bool *out_exists,
    struct vg_error *error)
{
    (void)owner;
    (void)kind;
    (void)id;
    (void)row;
    (void)out_exists;
    return vg_error_set(error, VG_INTERNAL, "there is no checkpoint");
}

static enum vg_reason start_table(struct real *real, struct vg_error *error)
{
    const struct vg_table_source source = {
        .owner = real,
        .replay = no_replay,
        .load = no_load,
        .scan = scan_records,
    };
    struct vg_key key;
    struct vg_store_value value;
    struct vg_shard_state state = { .sequence = 0 };
    vg_key_state(&key);
    VG_ASSERT(
        vg_store_get_one(real->fixture.store, NULL, 0, vg_key_bytes(&key), &value, NULL) == VG_OK);
    VG_ASSERT(!value.found || vg_shard_state_decode(value.bytes, &state));
    vg_store_value_release(&value);
    struct vg_table_start start = { .source = &source, .sequence = state.sequence };
    VG_ASSERT(vg_store_view_take(real->fixture.store, 0, &start.view, NULL) == VG_OK);
    struct vg_table_started started;
    return vg_table_start(real->table, &start, &started, error);
}

static enum vg_reason recover(void *owner, struct vg_error *error)
{
    struct real *real = VG_CONTAINER_OF(owner, struct real, fixture);
    if (!vg_table_is_drained(real->table)) {
        return vg_error_set(error, VG_STORE_UNAVAILABLE, NULL);
    }
    enum vg_reason reason = vg_store_reopen(real->fixture.store, error);
    if (reason == VG_OK) {
        reason = start_table(real, error);
    }
    if (reason == VG_OK) {
        (void)pthread_mutex_lock(&real->fixture.lock);
        real->fixture.recoveries++;
        (void)pthread_cond_broadcast(&real->fixture.changed);
        (void)pthread_mutex_unlock(&real->fixture.lock);
    }
    return reason;
}

static int setup(void **state)
{
    struct real *real = calloc(1, sizeof(*real));
    assert_non_null(real);
    ingest_fixture_init(&real->fixture);
    (void)snprintf(real->directory, sizeof(real->directory), "/tmp/vigil-ingest-XXXXXX");
    assert_non_null(mkdtemp(real->directory));
    struct vg_table_config config = {
        .path = real->directory,
        .schemas = schemas,
        .kind_count = 1,
        .clock = &real->fixture.clock.clock,
    };
    assert_int_equal(vg_table_open(&config, &real->table, NULL), VG_OK);
    assert_int_equal(start_table(real, NULL), VG_OK);
    vg_ingest_columns_init(&real->columns, real->table);
    real->fixture.options.table = &real->columns.self;
    real->fixture.options.recover = recover;
    assert_int_equal(vg_ingest_create(&real->fixture.options, &real->fixture.ingest, NULL), VG_OK);
    *state = real;
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int teardown(void **state)
{
    struct real *real = *state;
    vg_ingest_destroy(real->fixture.ingest);
    real->fixture.ingest = NULL;
    vg_table_stop(real->table);
    assert_true(vg_table_is_drained(real->table));
    vg_table_close(real->table);
    ingest_fixture_dispose(&real->fixture);
    (void)nftw(real->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(real);
    return 0;
}

/* ---- looking */

static void take(struct real *real, struct vg_snapshot *snapshot)
{
    assert_int_equal(vg_snapshot_acquire(real->table, 10000, snapshot, NULL), VG_OK);
}

/* The sum of counter `id` in `snapshot`, in the columns and in the record seen through its view;
 * -1 = absent. */
static int64_t sum_of(struct real *real, const struct vg_snapshot *snapshot, uint32_t id)
{
    struct vg_arena arena;
    struct vg_search_result result;
    struct vg_sort_key sort = { .column = COLUMN_ID };
    struct vg_search search = { .sort = &sort, .sort_count = 1, .limit = 1000 };
    int64_t sum = -1;
    vg_arena_init(&arena, 1u << 20);
    search.where = vg_predicate_all(&arena);
    assert_int_equal(vg_search_run(snapshot, &search, &arena, &result, NULL), VG_OK);
    assert_int_equal(result.match_count, vg_snapshot_row_count(snapshot, 0));
    for (uint32_t index = 0; index < result.hit_count; index++) {
        struct vg_value value;
        vg_hit_read(&result.hits[index], COLUMN_ID, &value);
        if (value.number == id) {
            assert_true(sum == -1); /* once */
            vg_hit_read(&result.hits[index], COLUMN_SUM, &value);
            sum = value.number;
        }
    }
    vg_arena_dispose(&arena);
    struct counter_item item;
    counter_item_init(&item, COUNTER_ADD, id, 0);
    struct vg_store_value value;
    assert_int_equal(
        vg_store_get_one(
            real->fixture.store,
            vg_snapshot_view(snapshot),
            0,
            vg_key_bytes(&item.key),
            &value,
            NULL),
        VG_OK);
    assert_int_equal(value.found, sum != -1);
    if (value.found) {
        struct counter_record record;
        memcpy(&record, value.bytes.data, sizeof(record));
        assert_true(record.sum == sum);
    }
    vg_store_value_release(&value);
    return sum;
}

static int64_t sum_now(struct real *real, uint32_t id)
{
    struct vg_snapshot snapshot;
    take(real, &snapshot);
    int64_t sum = sum_of(real, &snapshot, id);
    vg_snapshot_release(&snapshot);
    return sum;
}

/* ---- tests */

static void test_ingest_table__what_is_answered_is_in_the_next_snapshot(void **state)
{
    struct real *real = *state;
    struct ingest_fixture *fixture = &real->fixture;
    struct vg_snapshot old;
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 5), VG_OK);
    assert_true(sum_now(real, 1) == 5);
    take(real, &old);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 2), VG_OK);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 2, 9), VG_OK);
    assert_true(sum_now(real, 1) == 7 && sum_now(real, 2) == 9);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_DELETE, 1, 0), VG_OK);
    assert_true(sum_now(real, 1) == -1);
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 3), VG_OK);
    assert_true(sum_now(real, 1) == 3);
    /* The old snapshot has not moved. */
    assert_true(sum_of(real, &old, 1) == 5 && sum_of(real, &old, 2) == -1);
    assert_true(vg_snapshot_sequence(&old) == 1);
    vg_snapshot_release(&old);
}

static void test_ingest_table__a_write_without_rows_moves_the_sequence(void **state)
{
    struct real *real = *state;
    struct vg_batch batch;
    struct vg_key key;
    struct vg_mailbox mailbox;
    struct vg_ingest_write write;
    vg_batch_init(&batch, 4096);
    vg_mailbox_init(&mailbox, NULL);
    vg_key_directory(&key, 1, 0, vg_bytes_text("a"));
    vg_batch_set(&batch, vg_key_bytes(&key), vg_bytes_text("record"));
    vg_ingest_write_init(&write, &batch);
    write.mailbox = &mailbox;
    write.done.run = (void (*)(struct vg_task *))abort; /* looked at, never run */
    assert_int_equal(vg_ingest_apply(real->fixture.ingest, &write, NULL), VG_OK);
    assert_int_equal(ingest_fixture_change(&real->fixture, COUNTER_ADD, 1, 1), VG_OK);
    struct vg_snapshot snapshot;
    take(real, &snapshot);
    assert_int_equal(write.sequence, 1);
    assert_true(vg_snapshot_sequence(&snapshot) == 2);
    vg_snapshot_release(&snapshot);
    mailbox.first = NULL;
    vg_mailbox_dispose(&mailbox);
    vg_batch_dispose(&batch);
}

static void test_ingest_table__a_failed_commit_ends_snapshots_until_all_is_back(void **state)
{
    struct real *real = *state;
    struct ingest_fixture *fixture = &real->fixture;
    static const struct {
        enum vg_fault_point point;
        int64_t sum; /* after the recovery */
    } rows[] = { { VG_FAULT_APPLY_LOST, 5 }, { VG_FAULT_APPLY_DONE, 6 }, { VG_FAULT_VIEW, 8 } };
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 5), VG_OK);
    for (unsigned index = 0; index < VG_ARRAY_COUNT(rows); index++) {
        struct vg_snapshot held;
        take(real, &held);
        vg_store_fault_set(fixture->store, rows[index].point, 0, 1);
        assert_int_equal(
            ingest_fixture_change(fixture, COUNTER_ADD, 1, 1 + (index > 1)),
            VG_STORE_UNKNOWN);
        /* The view of a held snapshot keeps the store from being reopened. */
        assert_int_equal(vg_snapshot_check(&held, NULL), VG_STORE_UNAVAILABLE);
        struct vg_snapshot refused;
        assert_int_equal(
            vg_snapshot_acquire(real->table, 10000, &refused, NULL),
            VG_STORE_UNAVAILABLE);
        assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 1, 1), VG_STORE_UNAVAILABLE);
        vg_snapshot_release(&held);
        ingest_fixture_wait_recovered(fixture, index + 1);
        assert_true(sum_now(real, 1) == rows[index].sum);
    }
    assert_int_equal(ingest_fixture_change(fixture, COUNTER_ADD, 2, 1), VG_OK);
    assert_true(sum_now(real, 2) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_ingest_table__what_is_answered_is_in_the_next_snapshot,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_ingest_table__a_write_without_rows_moves_the_sequence,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_ingest_table__a_failed_commit_ends_snapshots_until_all_is_back,
            setup,
            teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
