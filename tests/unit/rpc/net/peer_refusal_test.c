#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/net/peer_refusal.h"

static struct vg_timers timers;
static struct vg_peer_refusals refusals;

static int setup(void **state)
{
    (void)state;
    timers = (struct vg_timers){ 0 };
    vg_peer_refusals_init(&refusals, &timers);
    return 0;
}

static int open_one(void)
{
    const int handle = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(handle >= 0);
    return handle;
}

static int is_open(int handle)
{
    return fcntl(handle, F_GETFD) >= 0;
}

static void test_peer_refusal__keeps_a_socket_for_a_moment(void **state)
{
    (void)state;
    const int first = open_one();
    const int second = open_one();
    vg_peer_refusals_add(&refusals, first, 1000);
    vg_peer_refusals_add(&refusals, second, 3000);
    assert_int_equal(vg_timers_run(&timers, 1000 + VG_PEER_REFUSAL_NS - 1), 0);
    assert_true(is_open(first));
    assert_int_equal(vg_timers_run(&timers, 1000 + VG_PEER_REFUSAL_NS), 1);
    assert_false(is_open(first));
    assert_true(is_open(second));
    assert_int_equal(vg_timers_next_ns(&timers), 3000 + VG_PEER_REFUSAL_NS);
    assert_int_equal(vg_timers_run(&timers, 3000 + VG_PEER_REFUSAL_NS), 1);
    assert_false(is_open(second));
    assert_int_equal(vg_timers_next_ns(&timers), UINT64_MAX);
}

static void test_peer_refusal__lets_the_oldest_go_when_there_are_too_many(void **state)
{
    (void)state;
    const int first = open_one();
    vg_peer_refusals_add(&refusals, first, 0);
    int second = -1;
    for (unsigned i = 1; i < VG_PEER_REFUSAL_MAX; i++) {
        const int handle = open_one();
        second = i == 1 ? handle : second;
        vg_peer_refusals_add(&refusals, handle, i);
    }
    assert_int_equal(refusals.count, VG_PEER_REFUSAL_MAX);
    assert_true(is_open(first));
    vg_peer_refusals_add(
        &refusals,
        open_one(),
        VG_PEER_REFUSAL_MAX); /* may get the number of the first */
    assert_int_equal(refusals.count, VG_PEER_REFUSAL_MAX);
    assert_int_equal(refusals.kept[refusals.first].handle, second);
    vg_peer_refusals_dispose(&refusals);
    assert_false(is_open(second));
    assert_int_equal(refusals.count, 0);
    assert_int_equal(vg_timers_next_ns(&timers), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_peer_refusal__keeps_a_socket_for_a_moment, setup),
        cmocka_unit_test_setup(
            test_peer_refusal__lets_the_oldest_go_when_there_are_too_many,
            setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
