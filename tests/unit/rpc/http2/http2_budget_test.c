#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc/http2/http2_budget.h"

#define SECOND UINT64_C(1000000000)

static void test_http2_budget__ends_at_its_limit(void **state)
{
    (void)state;
    struct vg_http2_budget budget;
    vg_http2_budget_init(&budget);
    for (int i = 0; i < VG_HTTP2_CREDIT_MAX / VG_HTTP2_FAULT_FRAME; i++) {
        assert_true(vg_http2_budget_charge(&budget, VG_HTTP2_FAULT_FRAME, SECOND));
    }
    assert_false(vg_http2_budget_charge(&budget, VG_HTTP2_FAULT_REFUSED, SECOND));
    vg_http2_budget_earn(&budget); /* too late */
    assert_false(vg_http2_budget_charge(&budget, VG_HTTP2_FAULT_REFUSED, SECOND));
}

static void test_http2_budget__good_streams_pay_for_bad_ones(void **state)
{
    (void)state;
    struct vg_http2_budget budget;
    vg_http2_budget_init(&budget);
    for (int i = 0; i < 100 * VG_HTTP2_CREDIT_MAX; i++) {
        vg_http2_budget_earn(&budget);
        assert_true(vg_http2_budget_charge(&budget, VG_HTTP2_FAULT_REFUSED, SECOND));
    }
}

static void test_http2_budget__pings_strike_out_only_without_data(void **state)
{
    (void)state;
    struct vg_http2_budget budget;
    vg_http2_budget_init(&budget);
    assert_true(vg_http2_budget_ping(&budget, 1 * SECOND, 300 * SECOND));
    assert_true(vg_http2_budget_ping(&budget, 2 * SECOND, 300 * SECOND));
    assert_true(vg_http2_budget_ping(&budget, 3 * SECOND, 300 * SECOND));
    vg_http2_budget_sent(&budget);
    for (uint64_t i = 4; i < 7; i++) {
        assert_true(vg_http2_budget_ping(&budget, i * SECOND, 300 * SECOND));
    }
    assert_false(vg_http2_budget_ping(&budget, 7 * SECOND, 300 * SECOND));
    vg_http2_budget_init(&budget);
    for (uint64_t i = 1; i < 100; i++) { /* often enough apart */
        assert_true(vg_http2_budget_ping(&budget, i * 300 * SECOND, 300 * SECOND));
    }
}

static void test_http2_budget__time_earns_up_to_the_most(void **state)
{
    (void)state;
    struct vg_http2_budget budget;
    vg_http2_budget_init(&budget);
    for (uint64_t i = 1; i < 10 * VG_HTTP2_CREDIT_MAX; i++) { /* as often as time earns */
        const uint64_t now_ns = i * SECOND / VG_HTTP2_CREDIT_PER_SECOND;
        assert_true(vg_http2_budget_charge(&budget, VG_HTTP2_FAULT_REFUSED, now_ns));
    }
    vg_http2_budget_init(&budget); /* a day of silence is worth no more than the most */
    for (int i = 0; i < VG_HTTP2_CREDIT_MAX; i++) {
        assert_true(vg_http2_budget_charge(&budget, VG_HTTP2_FAULT_REFUSED, 86400 * SECOND));
    }
    assert_false(vg_http2_budget_charge(&budget, VG_HTTP2_FAULT_REFUSED, 86400 * SECOND));
    assert_false(vg_http2_budget_charge(&budget, VG_HTTP2_FAULT_REFUSED, 172800 * SECOND));
}

static void test_http2_budget__streams_of_a_second_are_counted(void **state)
{
    (void)state;
    struct vg_http2_budget budget;
    vg_http2_budget_init(&budget);
    for (uint64_t second = 10; second < 13; second++) {
        for (int i = 0; i < 5; i++) {
            assert_true(vg_http2_budget_open(&budget, second * SECOND + 7, 5));
        }
        assert_false(vg_http2_budget_open(&budget, second * SECOND + 7, 5));
        assert_false(vg_http2_budget_open(&budget, (second + 1) * SECOND + 6, 5));
    }
    for (int i = 0; i < 100000; i++) {
        assert_true(vg_http2_budget_open(&budget, 20 * SECOND, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http2_budget__ends_at_its_limit),
        cmocka_unit_test(test_http2_budget__good_streams_pay_for_bad_ones),
        cmocka_unit_test(test_http2_budget__time_earns_up_to_the_most),
        cmocka_unit_test(test_http2_budget__streams_of_a_second_are_counted),
        cmocka_unit_test(test_http2_budget__pings_strike_out_only_without_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
