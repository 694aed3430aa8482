#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc/net/conn_life.h"

static void test_conn_life__an_age_is_moved_by_a_tenth_at_most(void **state)
{
    (void)state;
    assert_int_equal(vg_conn_life_age(1000, 0), 900);
    assert_int_equal(vg_conn_life_age(1000, 100), 1000);
    assert_int_equal(vg_conn_life_age(1000, 200), 1100);
    assert_int_equal(vg_conn_life_age(1000, 201), 900);
    for (uint64_t random = 1; random != 0; random *= 2) {
        const uint64_t age = vg_conn_life_age(UINT64_C(3600000000000), random - 1);
        assert_in_range(age, UINT64_C(3240000000000), UINT64_C(3960000000000));
    }
}

static void test_conn_life__no_age_stays_none(void **state)
{
    (void)state;
    assert_int_equal(vg_conn_life_age(0, 12345), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conn_life__an_age_is_moved_by_a_tenth_at_most),
        cmocka_unit_test(test_conn_life__no_age_stays_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
