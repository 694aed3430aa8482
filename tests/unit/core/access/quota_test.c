/* Quotas: at the limit and one past it, at times the test says. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/access/quota.h"

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)

static bool begin(
    struct vg_quota *quota,
    const struct vg_quota_limits *limits,
    uint64_t now_ns,
    uint32_t *out_wait_ms)
{
    *out_wait_ms = 0;
    return vg_quota_begin_call(quota, limits, now_ns, out_wait_ms);
}

static void test_quota__burst_is_taken_and_one_past_it_is_not(void **state)
{
    (void)state;
    const struct vg_quota_limits limits = { .calls_per_second = 10, .call_burst = 3 };
    struct vg_quota quota = { .calls_full_ns = 0 };
    uint32_t wait_ms;
    for (int i = 0; i < 3; i++) {
        assert_true(begin(&quota, &limits, 5 * SECOND, &wait_ms));
    }
    assert_false(begin(&quota, &limits, 5 * SECOND, &wait_ms));
    assert_int_equal(wait_ms, 100);
    /* One token comes each 100 ms, not a moment before. */
    assert_false(begin(&quota, &limits, 5 * SECOND + 100 * MS - 1, &wait_ms));
    assert_int_equal(wait_ms, 1);
    assert_true(begin(&quota, &limits, 5 * SECOND + 100 * MS, &wait_ms));
    assert_false(begin(&quota, &limits, 5 * SECOND + 100 * MS, &wait_ms));
    /* However long the pause, no more than the burst waits behind it. */
    for (int i = 0; i < 3; i++) {
        assert_true(begin(&quota, &limits, 900 * SECOND, &wait_ms));
    }
    assert_false(begin(&quota, &limits, 900 * SECOND, &wait_ms));
}

static void test_quota__without_a_burst_a_second_may_come_together(void **state)
{
    (void)state;
    const struct vg_quota_limits limits = { .calls_per_second = 5 };
    struct vg_quota quota = { .calls_full_ns = 0 };
    uint32_t wait_ms;
    for (int i = 0; i < 5; i++) {
        assert_true(begin(&quota, &limits, 0, &wait_ms));
    }
    assert_false(begin(&quota, &limits, 0, &wait_ms));
    assert_int_equal(wait_ms, 200);
}

/* Over a long time the rate is what the limit says, whatever the burst. */
static void test_quota__rate_holds(void **state)
{
    (void)state;
    const struct vg_quota_limits limits = { .calls_per_second = 50, .call_burst = 4 };
    struct vg_quota quota = { .calls_full_ns = 0 };
    uint32_t wait_ms;
    int taken = 0;
    for (uint64_t now = SECOND; now < 11 * SECOND; now += 7 * MS) {
        taken += begin(&quota, &limits, now, &wait_ms);
    }
    assert_in_range(taken, 500, 503);
}

static void test_quota__calls_at_once(void **state)
{
    (void)state;
    const struct vg_quota_limits limits = { .calls_at_once = 2 };
    struct vg_quota quota = { .calls_full_ns = 0 };
    uint32_t wait_ms;
    assert_true(begin(&quota, &limits, 1, &wait_ms));
    assert_true(begin(&quota, &limits, 1, &wait_ms));
    assert_false(begin(&quota, &limits, 1, &wait_ms));
    assert_true(wait_ms > 0);
    vg_quota_end_call(&quota);
    assert_true(begin(&quota, &limits, 1, &wait_ms));
    assert_false(begin(&quota, &limits, 1, &wait_ms));
}

/* What the rate refuses does not stay counted among the calls at once. */
static void test_quota__refused_call_leaves_nothing(void **state)
{
    (void)state;
    const struct vg_quota_limits limits = { .calls_per_second = 1, .calls_at_once = 2 };
    struct vg_quota quota = { .calls_full_ns = 0 };
    uint32_t wait_ms;
    assert_true(begin(&quota, &limits, 0, &wait_ms));
    for (int i = 0; i < 5; i++) {
        assert_false(begin(&quota, &limits, 0, &wait_ms));
        assert_int_equal(wait_ms, 1000);
    }
    assert_true(begin(&quota, &limits, SECOND, &wait_ms));
}

static bool take(
    struct vg_quota *quota,
    uint32_t per_second,
    uint64_t count,
    uint64_t now_ns,
    uint32_t *out_wait_ms)
{
    const struct vg_quota_limits limits = { .events_per_second = per_second };
    *out_wait_ms = 0;
    return vg_quota_take_events(quota, &limits, count, now_ns, out_wait_ms);
}

static void test_quota__events(void **state)
{
    (void)state;
    struct vg_quota quota = { .calls_full_ns = 0 };
    uint32_t wait_ms;
    assert_true(take(&quota, 100, 60, SECOND, &wait_ms));
    assert_true(take(&quota, 100, 40, SECOND, &wait_ms));
    assert_false(take(&quota, 100, 1, SECOND, &wait_ms));
    assert_int_equal(wait_ms, 10);
    assert_false(take(&quota, 100, 50, SECOND, &wait_ms));
    assert_int_equal(wait_ms, 500);
    assert_true(take(&quota, 100, 50, SECOND + 500 * MS, &wait_ms));
    assert_true(take(&quota, 0, UINT64_MAX, SECOND, &wait_ms)); /* no limit */
}

/* A submission larger than a second's events is possible, and owed. */
static void test_quota__large_submission_is_owed(void **state)
{
    (void)state;
    struct vg_quota quota = { .calls_full_ns = 0 };
    uint32_t wait_ms;
    assert_true(take(&quota, 100, 1, SECOND, &wait_ms));
    assert_false(take(&quota, 100, 1000, SECOND, &wait_ms)); /* the bucket is not full */
    assert_int_equal(wait_ms, 10);
    assert_true(take(&quota, 100, 1000, SECOND + 10 * MS, &wait_ms));
    assert_false(take(&quota, 100, 1, SECOND + 10 * MS, &wait_ms));
    assert_int_equal(wait_ms, 9010);
    assert_true(take(&quota, 100, 1, SECOND + 10 * MS + 9010 * MS, &wait_ms));
    /* No count is so large that it wraps. */
    assert_true(take(&quota, 100, UINT64_MAX, 100 * SECOND, &wait_ms));
    assert_false(take(&quota, 100, 1, 100 * SECOND, &wait_ms));
}

static void test_quota__is_limited(void **state)
{
    (void)state;
    const struct vg_quota_limits none = { .call_burst = 5 };
    const struct vg_quota_limits some = { .calls_at_once = 1 };
    assert_false(vg_quota_is_limited(&none));
    assert_true(vg_quota_is_limited(&some));
}

#define THREADS 4
#define CALLS   20000

struct racer {
    struct vg_quota *quota;
    unsigned taken;
};

static void *race(void *owner)
{
    const struct vg_quota_limits limits = { .calls_per_second = 1000, .call_burst = 500 };
    struct racer *racer = owner;
    uint32_t wait_ms;
    for (int i = 0; i < CALLS; i++) {
        if (vg_quota_begin_call(racer->quota, &limits, 7, &wait_ms)) {
            racer->taken++;
            vg_quota_end_call(racer->quota);
        }
    }
    return NULL;
}

static void test_quota__threads_share_one_bucket(void **state)
{
    (void)state;
    struct vg_quota quota = { .calls_full_ns = 0 };
    struct racer racers[THREADS];
    pthread_t threads[THREADS];
    unsigned taken = 0;
    for (int i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){ .quota = &quota };
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        taken += racers[i].taken;
    }
    assert_int_equal(taken, 500);
    assert_int_equal(quota.calls_now, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota__burst_is_taken_and_one_past_it_is_not),
        cmocka_unit_test(test_quota__without_a_burst_a_second_may_come_together),
        cmocka_unit_test(test_quota__rate_holds),
        cmocka_unit_test(test_quota__calls_at_once),
        cmocka_unit_test(test_quota__refused_call_leaves_nothing),
        cmocka_unit_test(test_quota__events),
        cmocka_unit_test(test_quota__large_submission_is_owed),
        cmocka_unit_test(test_quota__is_limited),
        cmocka_unit_test(test_quota__threads_share_one_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
