/* Rows kept for a page: in order, out of order, and both, against a sorted array; and what a search
 * says it did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/table/table_fixture.h"

#define ROWS 3000u

struct filled {
    char path[64];
    struct vg_table *table;
    struct fixture_row *rows;
    struct vg_arena arena;
    struct vg_snapshot snapshot;
};

/* ROWS records with these values of FIX_UPDATED, half of them in files. */
static void fill(struct filled *filled, const int64_t *updated)
{
    fixture_make_folder(filled->path);
    struct vg_table_config config = fixture_config(filled->path, &vg_clock_real, ROWS / 4);
    filled->table = fixture_open(&config);
    filled->rows = calloc(ROWS, sizeof(*filled->rows));
    assert_non_null(filled->rows);
    for (uint32_t i = 0; i < ROWS; i++) {
        fixture_fill(&filled->rows[i], i, i, updated[i]);
    }
    fixture_put(filled->table, filled->rows, ROWS / 2);
    (void)fixture_checkpoint(filled->table, true);
    fixture_put(filled->table, filled->rows + ROWS / 2, ROWS / 2);
    vg_arena_init(&filled->arena, 16u << 20);
    assert_int_equal(
        vg_snapshot_acquire(filled->table, VG_SNAPSHOT_AGE_MS, &filled->snapshot, NULL),
        VG_OK);
}

static void empty(struct filled *filled)
{
    vg_snapshot_release(&filled->snapshot);
    vg_arena_dispose(&filled->arena);
    fixture_close(filled->table);
    fixture_remove_folder(filled->path);
    free(filled->rows);
}

static int compare_numbers(const void *left, const void *right)
{
    const int64_t *a = left;
    const int64_t *b = right;
    return (*a > *b) - (*a < *b);
}

static void check_pages(const int64_t *updated)
{
    static int64_t sorted[ROWS];
    struct filled filled;
    fill(&filled, updated);
    memcpy(sorted, updated, sizeof(sorted));
    qsort(sorted, ROWS, sizeof(sorted[0]), compare_numbers);
    static const uint32_t limits[] = { 1, 25, 600, 1500, ROWS, ROWS + 1 };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        for (int descending = 0; descending < 2; descending++) {
            const struct vg_sort_key key = { FIX_UPDATED, descending != 0 };
            const struct vg_search search = { .where = vg_predicate_all(&filled.arena),
                                              .sort = &key,
                                              .sort_count = 1,
                                              .limit = limits[i] };
            struct vg_search_result result;
            assert_int_equal(
                vg_search_run(&filled.snapshot, &search, &filled.arena, &result, NULL),
                VG_OK);
            assert_int_equal(result.match_count, ROWS);
            assert_int_equal(result.hit_count, limits[i] < ROWS ? limits[i] : ROWS);
            for (uint32_t row = 0; row < result.hit_count; row++) {
                struct vg_value value;
                vg_hit_read(&result.hits[row], FIX_UPDATED, &value);
                assert_int_equal(value.number, sorted[descending ? ROWS - 1 - row : row]);
            }
        }
    }
    empty(&filled);
}

static void test_top_rows__in_order(void **state)
{
    (void)state;
    static int64_t updated[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) {
        updated[i] = INT64_C(1800000000000) + i;
    }
    check_pages(updated);
}

static void test_top_rows__out_of_order(void **state)
{
    (void)state;
    static int64_t updated[ROWS];
    uint64_t random = 7;
    for (uint32_t i = 0; i < ROWS; i++) {
        updated[i] = (int64_t)fixture_below(&random, 2000) - 1000;
    }
    check_pages(updated);
}

/* Mostly in order, now and then a row far out of place: a list that is kept no longer. */
static void test_top_rows__nearly_in_order(void **state)
{
    (void)state;
    static int64_t updated[ROWS];
    uint64_t random = 8;
    for (uint32_t i = 0; i < ROWS; i++) {
        bool strays = fixture_below(&random, 100) == 0;
        updated[i] = strays ? (int64_t)fixture_below(&random, ROWS) : (int64_t)(i ^ 3u);
    }
    check_pages(updated);
}

/* Ever better rows, many ties, and orders that choosing by a middle row does not like. */
static void test_top_rows__unkind_orders(void **state)
{
    (void)state;
    static int64_t updated[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) {
        updated[i] = ROWS - i;
    }
    check_pages(updated);
    for (uint32_t i = 0; i < ROWS; i++) {
        updated[i] = i % 3;
    }
    check_pages(updated);
    for (uint32_t i = 0; i < ROWS; i++) { /* up and down again, and two runs woven together */
        updated[i] = i < ROWS / 2 ? (int64_t)i : (int64_t)(i % 2 == 0 ? ROWS - i : i);
    }
    check_pages(updated);
}

static int compare_signatures(const struct fixture_row *a, const struct fixture_row *b)
{
    struct vg_bytes left = a->values[FIX_SIGNATURE].bytes;
    struct vg_bytes right = b->values[FIX_SIGNATURE].bytes;
    bool any_absent = left.data == NULL || right.data == NULL;
    return any_absent ? (left.data != NULL) - (right.data != NULL) : vg_bytes_compare(left, right);
}

/* Texts by rank: alone, behind a small number in the same direction and in the other one, and again
 * when the dictionary has grown. */
static void test_top_rows__texts_by_rank(void **state)
{
    (void)state;
    static int64_t updated[ROWS];
    struct filled filled;
    fill(&filled, updated);
    uint32_t next_id = ROWS;
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t kind = 0; kind < 8; kind++) {
            const struct vg_sort_key keys[] = { { FIX_SEVERITY, (kind & 1) != 0 },
                                                { FIX_SIGNATURE, (kind & 2) != 0 } };
            bool alone = (kind & 4) != 0;
            const struct vg_search search = { .where = vg_predicate_all(&filled.arena),
                                              .sort = alone ? keys + 1 : keys,
                                              .sort_count = alone ? 1 : 2,
                                              .limit = 900 };
            struct vg_search_result result;
            assert_int_equal(
                vg_search_run(&filled.snapshot, &search, &filled.arena, &result, NULL),
                VG_OK);
            assert_int_equal(result.hit_count, 900);
            struct fixture_row before = { 0 };
            for (uint32_t i = 0; i < result.hit_count; i++) {
                struct fixture_row row = { 0 };
                vg_hit_read(&result.hits[i], FIX_SEVERITY, &row.values[FIX_SEVERITY]);
                vg_hit_read(&result.hits[i], FIX_SIGNATURE, &row.values[FIX_SIGNATURE]);
                int64_t rise = row.values[FIX_SEVERITY].number - before.values[FIX_SEVERITY].number;
                int text = -compare_signatures(&before, &row);
                rise = keys[0].descending ? -rise : rise;
                text = keys[1].descending ? -text : text;
                assert_true(i == 0 || (!alone && rise > 0) || ((alone || rise == 0) && text >= 0));
                before = row;
            }
        }
        /* New texts, which sort between the old ones. */
        struct fixture_row more;
        fixture_fill(&more, next_id++, 7, 1);
        (void)snprintf(more.signature, sizeof(more.signature), "signature 1 and %u", round);
        more.values[FIX_SIGNATURE].bytes = vg_bytes_text(more.signature);
        vg_snapshot_release(&filled.snapshot);
        fixture_put(filled.table, &more, 1);
        assert_int_equal(
            vg_snapshot_acquire(filled.table, VG_SNAPSHOT_AGE_MS, &filled.snapshot, NULL),
            VG_OK);
    }
    empty(&filled);
}

static uint64_t ticks(const struct vg_clock *clock)
{
    static uint64_t now_ns;
    (void)clock;
    return now_ns += 1000;
}

static void test_search__explains_what_it_did(void **state)
{
    (void)state;
    static int64_t updated[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) {
        updated[i] = i;
    }
    struct filled filled;
    fill(&filled, updated);
    const struct vg_clock clock = { .monotonic_ns = ticks };
    const struct vg_sort_key key = { FIX_UPDATED, false };
    const struct vg_predicate *parts[] = {
        vg_predicate_range(&filled.arena, FIX_UPDATED, 100, ROWS / 4 - 1),
        vg_predicate_not(&filled.arena, vg_predicate_range(&filled.arena, FIX_SEVERITY, 0, 1)),
    };
    struct vg_search_explanation explain = { .clock = &clock };
    struct vg_search search = { .where = vg_predicate_and(&filled.arena, parts, 2),
                                .sort = &key,
                                .sort_count = 1,
                                .limit = 10,
                                .explain = &explain };
    struct vg_search_result result;
    assert_int_equal(vg_search_run(&filled.snapshot, &search, &filled.arena, &result, NULL), VG_OK);
    /* Two chunks in files, a closed one and the tail, of which all but the first are ruled out by
     * their bounds. */
    assert_int_equal(explain.chunks, 4);
    assert_int_equal(explain.chunks_skipped, 3);
    assert_int_equal(explain.chunks_whole, 0);
    assert_int_equal(explain.chunks_looked, 1);
    assert_int_equal(explain.rows_looked, ROWS / 4);
    assert_int_equal(explain.rows_matched, result.match_count);
    assert_true(explain.rows_offered >= 10);
    assert_true(explain.rows_offered <= result.match_count);
    assert_true(explain.plan_ns > 0 && explain.evaluate_ns > 0 && explain.page_ns > 0);
    assert_int_equal(explain.leaf_count, 2);
    bool has_negated = false;
    for (uint32_t i = 0; i < 2; i++) {
        const struct vg_search_leaf *leaf = &explain.leaves[i];
        assert_string_equal(vg_predicate_kind_name(leaf->question), "range");
        assert_string_equal(leaf->column, leaf->is_negated ? "severity" : "updated");
        assert_true(leaf->rows_in >= leaf->rows_out && leaf->rows_out > 0);
        assert_true(leaf->spent_ns > 0);
        has_negated = has_negated || leaf->is_negated;
    }
    assert_true(has_negated);

    /* Without a count only the chunk the page is in is looked at. */
    memset(&explain, 0, sizeof(explain));
    explain.clock = &clock;
    search.where = vg_predicate_all(&filled.arena);
    search.uncounted = true;
    assert_int_equal(vg_search_run(&filled.snapshot, &search, &filled.arena, &result, NULL), VG_OK);
    assert_int_equal(result.hit_count, 10);
    assert_int_equal(explain.chunks_whole, 1);
    assert_int_equal(explain.chunks_skipped, 3);
    assert_int_equal(explain.rows_looked, 0);
    assert_int_equal(explain.leaf_count, 0);
    empty(&filled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_top_rows__in_order),
        cmocka_unit_test(test_top_rows__out_of_order),
        cmocka_unit_test(test_top_rows__nearly_in_order),
        cmocka_unit_test(test_top_rows__unkind_orders),
        cmocka_unit_test(test_top_rows__texts_by_rank),
        cmocka_unit_test(test_search__explains_what_it_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
