/*
 * Limits of the table, each at the limit and one past it, and what is answered outside running.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/table/table.h"
#include "tests/unit/core/table/table_fixture.h"

struct place {
    char path[64];
    struct vg_clock_manual clock;
    struct vg_table_config config;
    struct vg_table *table;
    uint32_t next_id;
};

static void open_place(struct place *place, uint32_t chunk_rows)
{
    memset(place, 0, sizeof(*place));
    fixture_make_folder(place->path);
    vg_clock_manual_init(&place->clock, 1000000);
    place->config = fixture_config(place->path, &place->clock.clock, chunk_rows);
}

static void close_place(struct place *place)
{
    if (place->table != NULL) {
        fixture_close(place->table);
    }
    fixture_remove_folder(place->path);
}

/* One new record; the outcome of preparing it. Published when `publish` is set. */
static enum vg_reason add_record(struct place *place)
{
    struct fixture_row row;
    fixture_fill(&row, place->next_id, place->next_id, 1);
    const struct vg_table_change change = { .row = &row.row };
    enum vg_reason reason = vg_table_prepare(place->table, &change, 1, NULL);
    if (reason == VG_OK) {
        vg_table_publish(place->table, vg_table_sequence(place->table) + 1, NULL);
        place->next_id++;
    }
    return reason;
}

static enum vg_reason update_record(struct place *place, uint32_t id)
{
    struct fixture_row row;
    fixture_fill(&row, id, id + 77, 2);
    const struct vg_table_change change = { .row = &row.row };
    enum vg_reason reason = vg_table_prepare(place->table, &change, 1, NULL);
    if (reason == VG_OK) {
        vg_table_publish(place->table, vg_table_sequence(place->table) + 1, NULL);
    }
    return reason;
}

static uint64_t count_rows(struct place *place)
{
    struct vg_snapshot snapshot;
    assert_int_equal(vg_snapshot_acquire(place->table, 1000, &snapshot, NULL), VG_OK);
    uint64_t rows = vg_snapshot_row_count(&snapshot, 0);
    vg_snapshot_release(&snapshot);
    return rows;
}

static void test_table__closed_chunks_wait_for_their_files(void **state)
{
    (void)state;
    struct place place;
    open_place(&place, 2);
    place.config.limits.closed_chunks = 3;
    place.table = fixture_open(&place.config);
    for (uint32_t i = 0; i < 2 * 4; i++) {
        assert_int_equal(add_record(&place), VG_OK); /* three closed, and a full tail */
    }
    assert_int_equal(add_record(&place), VG_OVERLOADED);
    assert_int_equal(count_rows(&place), 8);
    assert_true(vg_table_wants_checkpoint(place.table));
    (void)fixture_checkpoint(place.table, false);
    assert_int_equal(add_record(&place), VG_OK);
    assert_int_equal(count_rows(&place), 9);
    close_place(&place);
}

static void test_table__takes_as_many_chunks_as_it_may(void **state)
{
    (void)state;
    struct place place;
    open_place(&place, 2);
    place.config.limits.chunks = 3;
    place.table = fixture_open(&place.config);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(add_record(&place), VG_OK);
    }
    assert_int_equal(add_record(&place), VG_RESOURCE_LIMIT);
    assert_int_equal(count_rows(&place), 6);
    close_place(&place);
}

static void test_table__opens_as_many_snapshots_as_it_may(void **state)
{
    (void)state;
    struct place place;
    struct vg_snapshot snapshots[3];
    open_place(&place, 4);
    place.config.limits.snapshots = 2;
    place.table = fixture_open(&place.config);
    assert_int_equal(vg_snapshot_acquire(place.table, 1000, &snapshots[0], NULL), VG_OK);
    assert_int_equal(vg_snapshot_acquire(place.table, 1000, &snapshots[1], NULL), VG_OK);
    assert_int_equal(vg_snapshot_acquire(place.table, 1000, &snapshots[2], NULL), VG_OVERLOADED);
    vg_snapshot_release(&snapshots[0]);
    assert_int_equal(vg_snapshot_acquire(place.table, 1000, &snapshots[2], NULL), VG_OK);
    vg_snapshot_release(&snapshots[1]);
    vg_snapshot_release(&snapshots[2]);
    close_place(&place);
}

static void test_snapshot__has_an_age(void **state)
{
    (void)state;
    struct place place;
    struct vg_snapshot snapshot;
    open_place(&place, 4);
    place.table = fixture_open(&place.config);
    assert_int_equal(vg_snapshot_acquire(place.table, VG_SNAPSHOT_AGE_MS, &snapshot, NULL), VG_OK);
    vg_clock_manual_set(&place.clock, 1000000 + VG_SNAPSHOT_AGE_MS);
    assert_int_equal(vg_snapshot_check(&snapshot, NULL), VG_OK);
    vg_clock_manual_set(&place.clock, 1000000 + VG_SNAPSHOT_AGE_MS + 1);
    assert_int_equal(vg_snapshot_check(&snapshot, NULL), VG_SNAPSHOT_EXPIRED);
    vg_snapshot_release(&snapshot);
    close_place(&place);
}

static void test_table__ends_the_oldest_snapshot_before_writers_wait(void **state)
{
    (void)state;
    struct place place;
    struct vg_snapshot old;
    open_place(&place, 64);
    place.config.limits.unsettled_deaths = 10;
    place.config.limits.settle_batch = 1;
    place.table = fixture_open(&place.config);
    for (uint32_t i = 0; i < 12; i++) {
        assert_int_equal(add_record(&place), VG_OK);
    }
    assert_int_equal(vg_snapshot_acquire(place.table, 60000, &old, NULL), VG_OK);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(update_record(&place, i), VG_OK);
        vg_table_maintain(place.table);
    }
    assert_int_equal(vg_snapshot_check(&old, NULL), VG_OK);
    assert_int_equal(update_record(&place, 5), VG_OK);
    vg_table_maintain(place.table);
    assert_int_equal(vg_snapshot_check(&old, NULL), VG_SNAPSHOT_EXPIRED);
    /* It is still held: up to the limit writers go on, one past it they are told to wait. */
    for (uint32_t i = 6; i < 10; i++) {
        assert_int_equal(update_record(&place, i), VG_OK);
    }
    assert_int_equal(update_record(&place, 10), VG_OVERLOADED);
    vg_snapshot_release(&old);
    assert_int_equal(update_record(&place, 10), VG_OK);
    assert_int_equal(count_rows(&place), 12);
    close_place(&place);
}

static void test_table__lists_have_a_longest(void **state)
{
    (void)state;
    struct place place;
    struct fixture_row row;
    int64_t *cases = calloc(VG_ROW_LIST_MAX + 1, sizeof(*cases));
    assert_non_null(cases);
    open_place(&place, 4);
    place.table = fixture_open(&place.config);
    fixture_fill(&row, 1, 1, 1);
    row.values[FIX_CASES].numbers.items = cases;
    row.values[FIX_CASES].numbers.count = VG_ROW_LIST_MAX + 1;
    const struct vg_table_change change = { .row = &row.row };
    assert_int_equal(vg_table_prepare(place.table, &change, 1, NULL), VG_RESOURCE_LIMIT);
    row.values[FIX_CASES].numbers.count = VG_ROW_LIST_MAX;
    fixture_put(place.table, &row, 1);
    fixture_fill(&row, 2, 1, 1);
    fixture_put(place.table, &row, 1);
    assert_int_equal(count_rows(&place), 2);
    close_place(&place);
    free(cases);
}

static void test_table__refuses_numbers_too_large_for_their_column(void **state)
{
    (void)state;
    static const struct {
        uint32_t column;
        int64_t number;
        enum vg_reason reason;
    } cases[] = {
        { FIX_SEVERITY, 0, VG_OK },         { FIX_SEVERITY, 254, VG_OK },
        { FIX_SEVERITY, 255, VG_INTERNAL }, { FIX_SEVERITY, -1, VG_INTERNAL },
        { FIX_COUNT, 65534, VG_OK },        { FIX_COUNT, 65535, VG_INTERNAL },
        { FIX_PORT, 4294967294, VG_OK },    { FIX_PORT, 4294967295, VG_INTERNAL },
        { FIX_AMOUNT, INT64_MAX, VG_OK },   { FIX_AMOUNT, VG_ABSENT, VG_OK },
        { FIX_PORT, VG_ABSENT, VG_OK },     { FIX_UPDATED, INT64_MAX, VG_OK },
    };
    struct place place;
    open_place(&place, 64);
    place.table = fixture_open(&place.config);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture_row row;
        fixture_fill(&row, (uint32_t)i, 1, 1);
        row.values[cases[i].column].number = cases[i].number;
        const struct vg_table_change change = { .row = &row.row };
        assert_int_equal(vg_table_prepare(place.table, &change, 1, NULL), cases[i].reason);
        if (cases[i].reason == VG_OK) {
            vg_table_cancel(place.table);
        }
    }
    assert_int_equal(count_rows(&place), 0);
    close_place(&place);
}

/* --- the dictionary's limit: values past it stay distinct, searchable, and are said to be beyond
 * --- */

static uint64_t count_signature(struct place *place, const char *signature)
{
    struct vg_arena arena;
    struct vg_snapshot snapshot;
    struct vg_search_result result;
    struct vg_bytes text = vg_bytes_text(signature);
    vg_arena_init(&arena, 1u << 20);
    const struct vg_search search = {
        .where = vg_predicate_bytes_in(&arena, FIX_SIGNATURE, &text, 1),
        .limit = 10,
    };
    assert_int_equal(vg_snapshot_acquire(place->table, 1000, &snapshot, NULL), VG_OK);
    assert_int_equal(vg_search_run(&snapshot, &search, &arena, &result, NULL), VG_OK);
    for (uint32_t i = 0; i < result.hit_count; i++) {
        struct vg_value value;
        vg_hit_read(&result.hits[i], FIX_SIGNATURE, &value);
        assert_true(value.beyond || vg_bytes_equal(value.bytes, text));
    }
    vg_snapshot_release(&snapshot);
    vg_arena_dispose(&arena);
    return result.match_count;
}

static void test_table__texts_past_the_dictionary_are_still_found(void **state)
{
    (void)state;
    struct place place;
    open_place(&place, 4);
    place.config.limits.dictionary_entries = 5; /* also of the customers: there are five */
    place.table = fixture_open(&place.config);
    for (uint32_t i = 0; i < 24; i++) {
        struct fixture_row row;
        fixture_fill(&row, i, 1, 1);
        (void)snprintf(row.signature, sizeof(row.signature), "text %u", (unsigned)(i / 2));
        row.values[FIX_SIGNATURE].bytes = vg_bytes_text(row.signature);
        fixture_put(place.table, &row, 1);
    }
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 12; i++) {
            char text[32];
            (void)snprintf(text, sizeof(text), "text %u", (unsigned)i);
            assert_int_equal(count_signature(&place, text), 2);
        }
        assert_int_equal(count_signature(&place, "text 12"), 0);
        uint64_t sequence = vg_table_sequence(place.table);
        if (round == 0) {
            assert_int_equal(fixture_checkpoint(place.table, true), sequence);
            struct vg_table_started started;
            const struct vg_table_start start = {
                .source = &fixture_nothing,
                .sequence = sequence,
            };
            fixture_close(place.table);
            assert_int_equal(vg_table_open(&place.config, &place.table, NULL), VG_OK);
            assert_int_equal(vg_table_start(place.table, &start, &started, NULL), VG_OK);
            assert_false(started.rebuilt);
        }
    }
    close_place(&place);
}

static void test_table__refuses_a_subject_set_it_cannot_know(void **state)
{
    (void)state;
    struct place place;
    struct fixture_row rows[2];
    open_place(&place, 4);
    place.config.limits.dictionary_entries = 1;
    place.table = fixture_open(&place.config);
    fixture_fill(&rows[0], 0, 1, 1);
    fixture_fill(&rows[1], 1, 1, 1);
    rows[0].customer = 1;
    rows[1].customer = 2;
    fixture_put(place.table, rows, 1);
    const struct vg_table_change change = { .row = &rows[1].row };
    assert_int_equal(vg_table_prepare(place.table, &change, 1, NULL), VG_RESOURCE_LIMIT);
    assert_int_equal(count_rows(&place), 1);
    close_place(&place);
}

/* --- the change log --- */

struct log {
    uint32_t ids;
    uint32_t scanned;
};

static enum vg_reason replay_ids(
    void *owner,
    uint64_t after,
    struct vg_table_replay *replay,
    struct vg_error *error)
{
    struct log *log = owner;
    enum vg_reason reason = vg_table_replay_sequence(replay, after + 1, error);
    for (uint32_t i = 0; i < log->ids && reason == VG_OK; i++) {
        reason = vg_table_replay_id(replay, 0, vg_bytes(&i, sizeof(i)), error);
    }
    return reason;
}

static enum vg_reason load_id(
    void *owner,
    uint32_t kind,
    struct vg_bytes id,
    struct vg_row *row,
    bool *out_exists,
    struct vg_error *error)
{
    static struct fixture_row made;
    uint32_t number;
    (void)owner;
    (void)kind;
    (void)error;
    memcpy(&number, id.data, sizeof(number));
    fixture_fill(&made, number, number, 1);
    memcpy(row->values, made.values, sizeof(made.values));
    *out_exists = true;
    return VG_OK;
}

static enum vg_reason scan_ids(
    void *owner,
    struct vg_table_rebuild *rebuild,
    struct vg_error *error)
{
    struct log *log = owner;
    enum vg_reason reason = VG_OK;
    for (uint32_t i = 0; i < log->ids && reason == VG_OK; i++) {
        struct fixture_row row;
        fixture_fill(&row, i, i, 1);
        reason = vg_table_rebuild_add(rebuild, 0, &row.row, error);
        log->scanned++;
    }
    return reason;
}

static void test_table__a_log_too_long_becomes_a_rebuild(void **state)
{
    (void)state;
    for (uint32_t ids = 8; ids <= 9; ids++) {
        struct place place;
        struct log log = { .ids = ids };
        open_place(&place, 4);
        place.config.limits.log_ids = 8;
        place.table = fixture_open(&place.config);
        (void)fixture_checkpoint(place.table, true); /* of nothing, at sequence 0 */
        fixture_close(place.table);
        struct vg_table_source source = {
            .owner = &log,
            .replay = replay_ids,
            .load = load_id,
            .scan = scan_ids,
        };
        struct vg_table_started started;
        const struct vg_table_start start = { .source = &source, .sequence = 1 };
        assert_int_equal(vg_table_open(&place.config, &place.table, NULL), VG_OK);
        assert_int_equal(vg_table_start(place.table, &start, &started, NULL), VG_OK);
        assert_int_equal(started.rebuilt, ids == 9);
        assert_int_equal(started.rows, ids);
        assert_int_equal(log.scanned, ids == 9 ? 9 : 0);
        close_place(&place);
    }
}

static void test_table__a_long_log_closes_the_tail(void **state)
{
    (void)state;
    struct place place;
    open_place(&place, 64);
    place.config.limits.log_sequences = 5;
    place.table = fixture_open(&place.config);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(add_record(&place), VG_OK);
    }
    assert_false(vg_table_wants_checkpoint(place.table));
    assert_int_equal(add_record(&place), VG_OK);
    assert_true(vg_table_wants_checkpoint(place.table));
    assert_int_equal(fixture_checkpoint(place.table, false), 6);
    assert_false(vg_table_wants_checkpoint(place.table));
    assert_int_equal(count_rows(&place), 6);
    close_place(&place);
}

/* --- outside running --- */

static void test_table__answers_before_the_start_and_after_the_stop(void **state)
{
    (void)state;
    struct place place;
    struct vg_snapshot snapshot;
    struct vg_snapshot held;
    struct vg_table_started started;
    const struct vg_table_start start = { .source = &fixture_nothing };
    open_place(&place, 4);
    assert_int_equal(vg_table_open(&place.config, &place.table, NULL), VG_OK);
    assert_int_equal(vg_snapshot_acquire(place.table, 1000, &snapshot, NULL), VG_STARTING);
    assert_int_equal(vg_table_start(place.table, &start, &started, NULL), VG_OK);
    assert_true(started.rebuilt);
    assert_int_equal(add_record(&place), VG_OK);
    assert_int_equal(vg_snapshot_acquire(place.table, 1000, &held, NULL), VG_OK);
    vg_table_stop(place.table);
    assert_int_equal(vg_snapshot_acquire(place.table, 1000, &snapshot, NULL), VG_STORE_UNAVAILABLE);
    assert_int_equal(vg_snapshot_check(&held, NULL), VG_STORE_UNAVAILABLE);
    assert_false(vg_table_is_drained(place.table));
    vg_snapshot_release(&held);
    assert_true(vg_table_is_drained(place.table));
    /* The record was only in the table: after a start the store is the truth. */
    assert_int_equal(vg_table_start(place.table, &start, &started, NULL), VG_OK);
    assert_int_equal(count_rows(&place), 0);
    close_place(&place);
}

static void test_table__stopped_during_a_checkpoint_waits_for_it(void **state)
{
    (void)state;
    struct place place;
    struct vg_checkpoint *checkpoint;
    struct vg_table_started started;
    const struct vg_table_start start = { .source = &fixture_nothing };
    open_place(&place, 4);
    place.table = fixture_open(&place.config);
    assert_int_equal(add_record(&place), VG_OK);
    assert_int_equal(vg_table_checkpoint_begin(place.table, true, &checkpoint, NULL), VG_OK);
    vg_table_stop(place.table);
    assert_false(vg_table_is_drained(place.table));
    assert_int_equal(vg_checkpoint_run(checkpoint, NULL), VG_OK);
    assert_false(vg_table_is_drained(place.table));
    assert_int_equal(vg_table_checkpoint_finish(place.table, checkpoint), 1);
    assert_true(vg_table_is_drained(place.table));
    assert_false(vg_table_wants_checkpoint(place.table));
    assert_int_equal(
        vg_table_checkpoint_begin(place.table, true, &checkpoint, NULL),
        VG_STORE_UNAVAILABLE);
    assert_int_equal(add_record(&place), VG_STORE_UNAVAILABLE);
    assert_int_equal(vg_table_start(place.table, &start, &started, NULL), VG_OK);
    close_place(&place);
}

static void test_table__refuses_a_bad_configuration(void **state)
{
    (void)state;
    static const struct vg_column no_id[] = { { "a", VG_COLUMN_TIME, 0, 0 } };
    static const struct vg_column wide[] = { { "a", VG_COLUMN_NUMBER, 3, VG_COLUMN_ID } };
    static const struct vg_column twice[] = { { "a", VG_COLUMN_TIME, 0, VG_COLUMN_ID },
                                              { "a", VG_COLUMN_TIME, 0, 0 } };
    static const struct vg_column text_id[] = { { "a", VG_COLUMN_TEXT, 0, VG_COLUMN_ID } };
    static const struct {
        const struct vg_column *columns;
        uint32_t count;
    } cases[] = { { no_id, 1 }, { wide, 1 }, { twice, 2 }, { text_id, 1 }, { no_id, 0 } };
    struct place place;
    open_place(&place, 4);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct vg_table_schema schema = {
            .name = "bad",
            .columns = cases[i].columns,
            .column_count = cases[i].count,
        };
        const struct vg_table_schema *const schemas[] = { &schema };
        struct vg_table_config config = place.config;
        config.schemas = schemas;
        assert_int_equal(vg_table_open(&config, &place.table, NULL), VG_CONFIG);
    }
    place.config.limits.chunk_rows = VG_TABLE_CHUNK_ROWS_MAX + 1;
    assert_int_equal(vg_table_open(&place.config, &place.table, NULL), VG_CONFIG);
    place.config.limits.chunk_rows = VG_TABLE_CHUNK_ROWS_MAX;
    place.config.limits.chunks = VG_TABLE_CHUNKS_MAX + 1;
    assert_int_equal(vg_table_open(&place.config, &place.table, NULL), VG_CONFIG);
    place.config.limits.chunks = VG_TABLE_CHUNKS_MAX;
    assert_int_equal(vg_table_open(&place.config, &place.table, NULL), VG_OK);
    close_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table__closed_chunks_wait_for_their_files),
        cmocka_unit_test(test_table__takes_as_many_chunks_as_it_may),
        cmocka_unit_test(test_table__opens_as_many_snapshots_as_it_may),
        cmocka_unit_test(test_snapshot__has_an_age),
        cmocka_unit_test(test_table__ends_the_oldest_snapshot_before_writers_wait),
        cmocka_unit_test(test_table__lists_have_a_longest),
        cmocka_unit_test(test_table__refuses_numbers_too_large_for_their_column),
        cmocka_unit_test(test_table__texts_past_the_dictionary_are_still_found),
        cmocka_unit_test(test_table__refuses_a_subject_set_it_cannot_know),
        cmocka_unit_test(test_table__a_log_too_long_becomes_a_rebuild),
        cmocka_unit_test(test_table__a_long_log_closes_the_tail),
        cmocka_unit_test(test_table__answers_before_the_start_and_after_the_stop),
        cmocka_unit_test(test_table__stopped_during_a_checkpoint_waits_for_it),
        cmocka_unit_test(test_table__refuses_a_bad_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
