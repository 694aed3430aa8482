#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rpc/net/conn.h"

#define US(count) ((count)*UINT64_C(1000))

/* Woken at 1 s; answers wait for 20 us. */
static const struct vg_conn_limits limits = { .flush_delay_ns = US(20) };
static const uint64_t woken = UINT64_C(1000000000);

static void test_conn__waits_for_the_other_answers_of_a_busy_client(void **state)
{
    (void)state;
    struct vg_conn conn = { .limits = &limits, .woken_ns = woken, .streams_open = 2 };
    assert_true(vg_conn_may_wait(&conn, woken));
    assert_true(vg_conn_may_wait(&conn, woken + US(20) - 1));
    assert_false(vg_conn_may_wait(&conn, woken + US(20)));
}

static void test_conn__never_waits_for_a_client_of_one_call_at_a_time(void **state)
{
    (void)state;
    struct vg_conn conn = { .limits = &limits, .woken_ns = woken, .streams_open = 1 };
    assert_false(vg_conn_may_wait(&conn, woken));
}

/* Flushed answers leave no stream open: the first request behind them is of the same burst. */
static void test_conn__remembers_for_a_millisecond_that_a_client_was_busy(void **state)
{
    (void)state;
    struct vg_conn conn = { .limits = &limits, .woken_ns = woken, .streams_open = 2 };
    assert_true(vg_conn_may_wait(&conn, woken));
    conn.streams_open = 1;
    conn.woken_ns = woken + US(1000) - 1;
    assert_true(vg_conn_may_wait(&conn, conn.woken_ns));
    conn.woken_ns = woken + US(1000);
    assert_false(vg_conn_may_wait(&conn, conn.woken_ns));
}

static void test_conn__does_not_wait_without_a_delay_or_to_close(void **state)
{
    (void)state;
    static const struct vg_conn_limits eager = { .flush_delay_ns = 0 };
    struct vg_conn conn = { .limits = &eager, .streams_open = 2 };
    assert_false(vg_conn_may_wait(&conn, woken));
    conn = (struct vg_conn){ .limits = &limits, .woken_ns = woken, .streams_open = 2 };
    conn.close_wanted = true;
    assert_false(vg_conn_may_wait(&conn, woken));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conn__waits_for_the_other_answers_of_a_busy_client),
        cmocka_unit_test(test_conn__never_waits_for_a_client_of_one_call_at_a_time),
        cmocka_unit_test(test_conn__remembers_for_a_millisecond_that_a_client_was_busy),
        cmocka_unit_test(test_conn__does_not_wait_without_a_delay_or_to_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
