/* Clocks: the manual one stands still, the real one goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"

static void test_clock__a_manual_clock_stands_until_it_is_moved(void **state)
{
    (void)state;
    struct vg_clock_manual manual;
    vg_clock_manual_init(&manual, 5000);
    const struct vg_clock *clock = &manual.clock;
    assert_true(vg_clock_now(clock) == 5000);
    assert_true(vg_clock_now(clock) == 5000);
    uint64_t before = vg_clock_monotonic_ns(clock);
    vg_clock_manual_set(&manual, 5007);
    assert_true(vg_clock_now(clock) == 5007);
    assert_true(vg_clock_monotonic_ns(clock) - before == 7000000);
}

static void test_clock__the_real_clock_is_of_this_century_and_never_goes_back(void **state)
{
    (void)state;
    vg_time now = vg_clock_now(&vg_clock_real);
    assert_true(now > INT64_C(1577836800000)); /* 2020 */
    assert_true(now < VG_TIME_MAX);
    uint64_t before = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t next = vg_clock_monotonic_ns(&vg_clock_real);
        assert_true(next >= before);
        before = next;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock__a_manual_clock_stands_until_it_is_moved),
        cmocka_unit_test(test_clock__the_real_clock_is_of_this_century_and_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
