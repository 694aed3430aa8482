/* Days and ranges of time. Which events a range finds is tested with events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/query/time_match.h"

static void test_days(void **state)
{
    (void)state;
    static const struct {
        vg_time time, start, end;
    } rows[] = {
        { 0, 0, 86399999 },
        { 86399999, 0, 86399999 },
        { 86400000, 86400000, 172799999 },
        { INT64_C(1570715141521), INT64_C(1570665600000), INT64_C(1570751999999) },
        { -1, -86400000, -1 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(vg_time_match_day_start(rows[i].time) == rows[i].start);
        assert_true(vg_time_match_day_end(rows[i].time) == rows[i].end);
    }
}

static void test_what_a_range_adds(void **state)
{
    (void)state;
    static const struct {
        struct vg_time_range range;
        uint32_t any, overlap, all; /* terms */
    } rows[] = {
        { { VG_TIME_UNBOUNDED_START, VG_TIME_UNBOUNDED_END }, 0, 0, 0 },
        { { 5, VG_TIME_UNBOUNDED_END }, 1, 1, 3 },
        { { VG_TIME_UNBOUNDED_START, 5 }, 1, 1, 3 },
        { { 5, 6 }, 1, 2, 3 },
        { { 6, 5 }, 1, 1, 3 },
    };
    static const uint32_t columns[] = { 3, 4 };
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_term_list terms;
        vg_term_list_init(&terms, &arena);
        vg_time_match_any(&terms, &rows[i].range, columns, 2);
        assert_int_equal(terms.count, rows[i].any);
        vg_term_list_init(&terms, &arena);
        vg_time_match_overlap(&terms, &rows[i].range, 3, 4);
        assert_int_equal(terms.count, rows[i].overlap);
        vg_term_list_init(&terms, &arena);
        vg_time_match_all(&terms, &rows[i].range, columns, 2);
        assert_int_equal(terms.count, rows[i].all);
    }
    struct vg_term_list terms;
    vg_term_list_init(&terms, &arena);
    vg_time_match_any(&terms, &(struct vg_time_range){ 6, 5 }, columns, 1);
    assert_int_equal(terms.terms[0]->kind, VG_PREDICATE_NONE);
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_what_a_range_adds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
