#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "rpc/net/timer.h"

#define COUNT 500u

struct probe {
    struct vg_timer timer;
    unsigned fired;
    uint64_t *clock; /* the due time of the last that fired, to check the order */
};

static void probe_fire(struct vg_timer *timer)
{
    struct probe *probe = VG_CONTAINER_OF(timer, struct probe, timer);
    assert_true(timer->due_ns >= *probe->clock);
    *probe->clock = timer->due_ns;
    probe->fired++;
}

static void test_timer__fires_in_order_and_never_early(void **state)
{
    (void)state;
    static struct probe probes[COUNT];
    struct vg_timers timers = { NULL };
    uint64_t clock = 0;
    srand(11);
    for (size_t i = 0; i < COUNT; i++) {
        probes[i] = (struct probe){ .timer.fire = probe_fire, .clock = &clock };
        vg_timers_set(&timers, &probes[i].timer, (uint64_t)(rand() % 1000) + 1);
    }
    for (size_t i = 0; i < COUNT; i += 3) { /* moved */
        vg_timers_set(&timers, &probes[i].timer, (uint64_t)(rand() % 1000) + 1);
    }
    for (size_t i = 1; i < COUNT; i += 3) { /* taken out */
        vg_timers_clear(&timers, &probes[i].timer);
        vg_timers_clear(&timers, &probes[i].timer);
    }
    for (uint64_t now = 0; now <= 1000; now += 7) {
        (void)vg_timers_run(&timers, now);
        assert_true(clock <= now);
        assert_true(vg_timers_next_ns(&timers) > now);
        for (size_t i = 0; i < COUNT; i++) {
            bool due = i % 3 != 1 && probes[i].timer.due_ns <= now;
            assert_int_equal(probes[i].fired, due ? 1 : 0);
        }
    }
    (void)vg_timers_run(&timers, 2000);
    assert_true(vg_timers_next_ns(&timers) == UINT64_MAX);
}

static struct vg_timers *again_timers;
static void fire_again(struct vg_timer *timer)
{
    vg_timers_set(again_timers, timer, timer->due_ns + 10);
}

static void test_timer__may_set_itself_again(void **state)
{
    (void)state;
    struct vg_timers timers = { NULL };
    struct vg_timer timer = { .fire = fire_again };
    again_timers = &timers;
    vg_timers_set(&timers, &timer, 10);
    assert_int_equal(vg_timers_run(&timers, 9), 0);
    assert_int_equal(vg_timers_run(&timers, 10), 1);
    assert_int_equal(vg_timers_next_ns(&timers), 20);
    assert_int_equal(vg_timers_run(&timers, 49), 3);
    vg_timers_clear(&timers, &timer);
    assert_null(timers.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timer__fires_in_order_and_never_early),
        cmocka_unit_test(test_timer__may_set_itself_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
