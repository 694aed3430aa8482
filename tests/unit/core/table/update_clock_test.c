#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/table/update_clock.h"

static void test_update_clock__follows_the_clock_and_never_goes_back(void **state)
{
    (void)state;
    struct vg_update_clock clock;
    vg_update_clock_init(&clock, 0);
    assert_int_equal(vg_update_clock_issue(&clock, 0, 1000), 1000);
    assert_int_equal(vg_update_clock_issue(&clock, 0, 1000), 1000);
    assert_int_equal(vg_update_clock_issue(&clock, 0, 900), 1000);
    assert_int_equal(vg_update_clock_issue(&clock, 0, 1001), 1001);
    assert_int_equal(clock.last, 1001);
}

static void test_update_clock__shares_a_value_so_often_and_no_more(void **state)
{
    (void)state;
    struct vg_update_clock clock;
    vg_update_clock_init(&clock, 0);
    for (uint32_t i = 0; i < VG_LIMIT_CHANGES_PER_TIME; i++) {
        assert_int_equal(vg_update_clock_issue(&clock, 0, 1000), 1000);
    }
    /* Another kind has its own count. */
    assert_int_equal(vg_update_clock_issue(&clock, 1, 1000), 1000);
    assert_int_equal(vg_update_clock_issue(&clock, 0, 1000), 1001);
    /* The value is ahead of the clock now, for every kind. */
    assert_int_equal(vg_update_clock_issue(&clock, 1, 1000), 1001);
}

static void test_update_clock__starts_behind_its_last_value(void **state)
{
    (void)state;
    struct vg_update_clock clock;
    vg_update_clock_init(&clock, 5000);
    assert_int_equal(vg_update_clock_issue(&clock, 0, 4000), 5001);
    vg_update_clock_init(&clock, 5000);
    assert_int_equal(vg_update_clock_issue(&clock, 1, 6000), 6000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_update_clock__follows_the_clock_and_never_goes_back),
        cmocka_unit_test(test_update_clock__shares_a_value_so_often_and_no_more),
        cmocka_unit_test(test_update_clock__starts_behind_its_last_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
