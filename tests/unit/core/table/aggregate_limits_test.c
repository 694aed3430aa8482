/*
 * Limits of aggregations, one within and one past; lists and amounts that are hard to count; what
 * does not fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/table/aggregate.h"
#include "tests/unit/core/table/table_fixture.h"

struct listed {
    char path[64];
    struct vg_table_config config;
    struct vg_table *table;
    struct vg_snapshot snapshot;
    struct vg_arena arena;
};

/* Rows of severity 0 in the given order, with lists of so many elements; no element twice. */
static void listed_setup(struct listed *listed, const uint32_t *counts, uint32_t row_count)
{
    int64_t *elements = calloc(VG_ROW_LIST_MAX, sizeof(*elements));
    int64_t next = 1000;
    assert_non_null(elements);
    memset(listed, 0, sizeof(*listed));
    fixture_make_folder(listed->path);
    listed->config = fixture_config(listed->path, &vg_clock_real, 64);
    listed->table = fixture_open(&listed->config);
    for (uint32_t id = 0; id < row_count; id++) {
        struct fixture_row row;
        fixture_fill(&row, id, id, 1800000000000 + id);
        row.values[FIX_SEVERITY].number = 0;
        row.values[FIX_AMOUNT].number = id;
        row.values[FIX_CASES].numbers.items = elements;
        row.values[FIX_CASES].numbers.count = counts[id];
        for (uint32_t i = 0; i < counts[id]; i++) {
            elements[i] = next++ * 7919;
        }
        fixture_put(listed->table, &row, 1);
    }
    free(elements);
    vg_arena_init(&listed->arena, 256u << 20);
    assert_int_equal(
        vg_snapshot_acquire(listed->table, VG_SNAPSHOT_AGE_STREAM_MS, &listed->snapshot, NULL),
        VG_OK);
}

static void listed_teardown(struct listed *listed)
{
    vg_snapshot_release(&listed->snapshot);
    vg_arena_dispose(&listed->arena);
    fixture_close(listed->table);
    fixture_remove_folder(listed->path);
}

/* Group rows 0 to `last` and return what came of it. */
static enum vg_reason listed_run(
    struct listed *listed,
    const uint32_t *columns,
    uint32_t column_count,
    int64_t last,
    struct vg_aggregate_result *out_result)
{
    const struct vg_aggregate aggregate = {
        .where = vg_predicate_range(&listed->arena, FIX_AMOUNT, 0, last),
        .columns = columns,
        .column_count = column_count,
        .sum_column = VG_AGGREGATE_NO_COLUMN,
    };
    return vg_aggregate_run(&listed->snapshot, &aggregate, &listed->arena, out_result, NULL);
}

static void test_aggregate_limits__groups_are_limited(void **state)
{
    (void)state;
    static const uint32_t counts[] = { 16384, 16384, 16384, 16384, 16384, 16384, 1696, 1 };
    static const uint32_t cases[] = { FIX_CASES };
    static const uint32_t nested[] = { FIX_SEVERITY, FIX_CASES };
    struct listed listed;
    struct vg_aggregate_result result;
    _Static_assert(6 * 16384 + 1696 == VG_AGGREGATE_GROUPS_MAX, "row 6 makes the limit full");
    listed_setup(&listed, counts, 8);
    assert_int_equal(listed_run(&listed, cases, 1, 6, &result), VG_OK);
    assert_int_equal(result.levels[0].group_count, VG_AGGREGATE_GROUPS_MAX);
    for (uint32_t i = 0; i < VG_AGGREGATE_GROUPS_MAX; i++) {
        assert_int_equal(result.levels[0].groups[i].total.count, 1);
    }
    assert_int_equal(result.total.count, 7);
    assert_int_equal(listed_run(&listed, cases, 1, 7, &result), VG_RESULTSET_TOO_LARGE);
    /* The groups of all levels count together. */
    assert_int_equal(listed_run(&listed, nested, 2, 6, &result), VG_RESULTSET_TOO_LARGE);
    assert_int_equal(listed_run(&listed, nested, 2, 5, &result), VG_OK);
    assert_int_equal(result.levels[0].group_count, 1);
    assert_int_equal(result.levels[0].groups[0].total.count, 6);
    assert_int_equal(result.levels[1].group_count, 6 * 16384);
    listed_teardown(&listed);
}

static void test_aggregate_limits__cells_are_limited(void **state)
{
    (void)state;
    static const uint32_t counts[] = { 2, 0 };
    static const uint32_t cases[] = { FIX_CASES };
    const uint32_t half = VG_AGGREGATE_CELLS_MAX / 2;
    struct listed listed;
    struct vg_aggregate_result result;
    vg_time *bounds = calloc((size_t)VG_AGGREGATE_CELLS_MAX + 2, sizeof(*bounds));
    assert_non_null(bounds);
    for (uint32_t i = 0; i < VG_AGGREGATE_CELLS_MAX + 2; i++) {
        bounds[i] = 1700000000000 - 1000 + i;
    }
    listed_setup(&listed, counts, 2);
    struct vg_aggregate_timeline timelines[] = {
        { FIX_TIME, VG_AGGREGATE_NO_COLUMN, bounds, half },
        { FIX_TIME, FIX_UPDATED, bounds, half },
    };
    struct vg_aggregate aggregate = {
        .where = vg_predicate_range(&listed.arena, FIX_AMOUNT, 0, 1),
        .columns = cases,
        .sum_column = VG_AGGREGATE_NO_COLUMN,
        .timelines = timelines,
        .timeline_count = 2,
    };
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_OK);
    assert_int_equal(result.spans[1000].count, 2); /* ids 0 and 1 have the first time */
    assert_int_equal(result.spans[half + 999].count, 0);
    assert_int_equal(result.spans[half + 1000].count, 2);
    assert_int_equal(result.spans[half + half - 1].count, 2);
    timelines[0].span_count++;
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_RESULTSET_TOO_LARGE);
    /* Two leaves, then three: the row without a case is one of its own. */
    timelines[0].span_count = half;
    aggregate.timeline_count = 1;
    aggregate.column_count = 1;
    aggregate.where = vg_predicate_range(&listed.arena, FIX_AMOUNT, 0, 0);
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_OK);
    assert_int_equal(result.levels[0].group_count, 2);
    assert_int_equal(result.levels[0].groups[1].spans[1000].count, 1);
    timelines[0].span_count++;
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_RESULTSET_TOO_LARGE);
    timelines[0].span_count--;
    aggregate.where = vg_predicate_range(&listed.arena, FIX_AMOUNT, 0, 1);
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_RESULTSET_TOO_LARGE);
    listed_teardown(&listed);
    free(bounds);
}

static void test_aggregate_limits__an_element_counts_once_however_often_it_stands_there(
    void **state)
{
    (void)state;
    static const uint32_t columns[] = { FIX_CASES, FIX_CASES };
    char path[64];
    fixture_make_folder(path);
    struct vg_table_config config = fixture_config(path, &vg_clock_real, 8);
    struct vg_table *table = fixture_open(&config);
    for (uint32_t length = 2; length <= 80; length += 26) {
        int64_t elements[80];
        struct fixture_row row;
        fixture_fill(&row, length, length, 1800000000000);
        for (uint32_t i = 0; i < length; i++) {
            elements[i] = (int64_t)(i * 7 % 40) - 20;
        }
        row.values[FIX_CASES].numbers.items = elements;
        row.values[FIX_CASES].numbers.count = length;
        fixture_put(table, &row, 1);
    }
    struct vg_snapshot snapshot;
    struct vg_arena arena;
    struct vg_aggregate_result result;
    vg_arena_init(&arena, 16u << 20);
    assert_int_equal(vg_snapshot_acquire(table, VG_SNAPSHOT_AGE_MS, &snapshot, NULL), VG_OK);
    const struct vg_aggregate aggregate = {
        .where = vg_predicate_all(&arena),
        .columns = columns,
        .column_count = 2,
        .sum_column = VG_AGGREGATE_NO_COLUMN,
    };
    assert_int_equal(vg_aggregate_run(&snapshot, &aggregate, &arena, &result, NULL), VG_OK);
    /* Lists of 2, 28, 54 and 80: the last two hold all of 40 elements, some twice. */
    assert_int_equal(result.total.count, 4);
    assert_int_equal(result.levels[0].group_count, 40);
    assert_int_equal(result.levels[1].group_count, 1600);
    uint64_t pairs = 0;
    for (uint32_t i = 0; i < 1600; i++) {
        pairs += result.levels[1].groups[i].total.count;
    }
    assert_int_equal(pairs, 2 * 2 + 28 * 28 + 40 * 40 + 40 * 40);
    vg_snapshot_release(&snapshot);
    vg_arena_dispose(&arena);
    fixture_close(table);
    fixture_remove_folder(path);
}

/* Amounts of thirty bits fill a counter after two thousand rows; and a column without any value. */
static void test_aggregate_limits__large_amounts_are_added_up_exactly(void **state)
{
    (void)state;
    enum { ROWS = 6000 };
    static const uint32_t columns[] = { FIX_ASSESSED, FIX_SEVERITY };
    const int64_t large = (INT64_C(1) << 30) - 1 - ROWS;
    char path[64];
    fixture_make_folder(path);
    struct vg_table_config config = fixture_config(path, &vg_clock_real, 0);
    struct vg_table *table = fixture_open(&config);
    int64_t sums[4] = { 0 };
    uint64_t counts[4] = { 0 };
    for (uint32_t id = 0; id < ROWS; id++) {
        struct fixture_row row;
        fixture_fill(&row, id, id, 1800000000000);
        row.values[FIX_ASSESSED].number = VG_ABSENT;
        row.values[FIX_PORT].number = large + id;
        counts[row.values[FIX_SEVERITY].number]++;
        sums[row.values[FIX_SEVERITY].number] += large + id;
        fixture_put(table, &row, 1);
    }
    struct vg_snapshot snapshot;
    struct vg_arena arena;
    struct vg_aggregate_result result;
    vg_arena_init(&arena, 16u << 20);
    assert_int_equal(vg_snapshot_acquire(table, VG_SNAPSHOT_AGE_MS, &snapshot, NULL), VG_OK);
    const struct vg_aggregate aggregate = {
        .where = vg_predicate_all(&arena),
        .columns = columns,
        .column_count = 2,
        .sum_column = FIX_PORT,
    };
    assert_int_equal(vg_aggregate_run(&snapshot, &aggregate, &arena, &result, NULL), VG_OK);
    assert_int_equal(result.levels[0].group_count, 1);
    assert_true(result.levels[0].groups[0].value.number == VG_ABSENT);
    assert_int_equal(result.levels[0].groups[0].total.count, ROWS);
    assert_int_equal(result.levels[0].groups[0].total.sum, sums[0] + sums[1] + sums[2] + sums[3]);
    assert_int_equal(result.levels[1].group_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        const struct vg_aggregate_group *group = &result.levels[1].groups[i];
        assert_int_equal(group->total.count, counts[group->value.number]);
        assert_int_equal(group->total.sum, sums[group->value.number]);
    }
    vg_snapshot_release(&snapshot);
    vg_arena_dispose(&arena);
    fixture_close(table);
    fixture_remove_folder(path);
}

static enum vg_reason count_checks(void *owner, struct vg_error *error)
{
    uint32_t *left = owner;
    if (*left == 0) {
        return vg_error_set(error, VG_CANCELLED, NULL);
    }
    (*left)--;
    return VG_OK;
}

static void test_aggregate_limits__can_be_cancelled_in_the_middle_of_a_chunk(void **state)
{
    (void)state;
    /* Twelve rows of 300 elements, each in 90,000 groups: a million in one chunk. */
    static const uint32_t columns[] = { FIX_CASES, FIX_CASES };
    char path[64];
    int64_t elements[300];
    fixture_make_folder(path);
    struct vg_table_config config = fixture_config(path, &vg_clock_real, 64);
    struct vg_table *table = fixture_open(&config);
    for (uint32_t i = 0; i < 300; i++) {
        elements[i] = (int64_t)i * 1000003;
    }
    for (uint32_t id = 0; id < 12; id++) {
        struct fixture_row row;
        fixture_fill(&row, id, id, 1800000000000);
        row.values[FIX_CASES].numbers.items = elements;
        row.values[FIX_CASES].numbers.count = 300;
        fixture_put(table, &row, 1);
    }
    struct vg_snapshot snapshot;
    struct vg_arena arena;
    struct vg_aggregate_result result;
    uint32_t left = 2;
    vg_arena_init(&arena, 128u << 20);
    assert_int_equal(vg_snapshot_acquire(table, VG_SNAPSHOT_AGE_STREAM_MS, &snapshot, NULL), VG_OK);
    const struct vg_aggregate aggregate = {
        .where = vg_predicate_all(&arena),
        .columns = columns,
        .column_count = 2,
        .sum_column = VG_AGGREGATE_NO_COLUMN,
        .check = count_checks,
        .owner = &left,
    };
    assert_int_equal(vg_aggregate_run(&snapshot, &aggregate, &arena, &result, NULL), VG_OK);
    assert_int_equal(result.levels[1].group_count, 90000);
    assert_int_equal(result.levels[1].groups[0].total.count, 12);
    assert_int_equal(left, 0); /* once for the chunk, once within it */
    left = 1;
    assert_int_equal(vg_aggregate_run(&snapshot, &aggregate, &arena, &result, NULL), VG_CANCELLED);
    left = 0;
    assert_int_equal(vg_aggregate_run(&snapshot, &aggregate, &arena, &result, NULL), VG_CANCELLED);
    vg_snapshot_release(&snapshot);
    vg_arena_dispose(&arena);
    fixture_close(table);
    fixture_remove_folder(path);
}

static void test_aggregate_limits__what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const uint32_t counts[] = { 3 };
    static const uint32_t not_levels[] = { FIX_FLAGS, FIX_WORDS, FIX_PROPERTIES, FIX_COLUMNS };
    static const uint32_t severity[] = { FIX_SEVERITY };
    struct listed listed;
    struct vg_aggregate_result result;
    listed_setup(&listed, counts, 1);
    for (size_t i = 0; i < sizeof(not_levels) / sizeof(not_levels[0]); i++) {
        assert_int_equal(listed_run(&listed, &not_levels[i], 1, 9, &result), VG_INTERNAL);
    }
    const vg_time bounds[] = { 0, 1 };
    struct vg_aggregate_timeline timeline = { FIX_SEVERITY, VG_AGGREGATE_NO_COLUMN, bounds, 1 };
    struct vg_aggregate aggregate = {
        .where = vg_predicate_all(&listed.arena),
        .columns = severity,
        .column_count = 1,
        .sum_column = FIX_FLAGS,
    };
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_INTERNAL);
    aggregate.sum_column = FIX_COUNT;
    aggregate.timelines = &timeline;
    aggregate.timeline_count = 1;
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_INTERNAL);
    timeline.column = FIX_TIME;
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_OK);
    /* Memory runs out at every step of the work, until it is enough. */
    enum vg_reason reason = VG_REQUEST_MEMORY;
    uint32_t refusals = 0;
    for (size_t size = 4096; reason == VG_REQUEST_MEMORY && size <= (8u << 20); size += 16384) {
        struct vg_arena tiny;
        vg_arena_init(&tiny, size);
        reason = vg_aggregate_run(&listed.snapshot, &aggregate, &tiny, &result, NULL);
        refusals += reason == VG_REQUEST_MEMORY;
        vg_arena_dispose(&tiny);
    }
    assert_int_equal(reason, VG_OK);
    assert_true(refusals > 0);
    listed_teardown(&listed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aggregate_limits__groups_are_limited),
        cmocka_unit_test(test_aggregate_limits__cells_are_limited),
        cmocka_unit_test(
            test_aggregate_limits__an_element_counts_once_however_often_it_stands_there),
        cmocka_unit_test(test_aggregate_limits__large_amounts_are_added_up_exactly),
        cmocka_unit_test(test_aggregate_limits__can_be_cancelled_in_the_middle_of_a_chunk),
        cmocka_unit_test(test_aggregate_limits__what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
