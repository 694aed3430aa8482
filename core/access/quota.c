#include "core/access/quota.h"

#include "core/base/assert.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS     UINT64_C(1000000)

/* When a call of others will end is not known; a client that waits so long takes little. */
#define AT_ONCE_WAIT_MS 100u

/* One bucket: `each_ns` for one token, `room_ns` for all it holds. */
struct bucket {
    uint64_t each_ns;
    uint64_t room_ns;
};

static struct bucket make_bucket(uint32_t per_second, uint32_t burst)
{
    VG_ASSERT(per_second > 0 && per_second <= VG_QUOTA_LIMIT_MAX && burst <= VG_QUOTA_LIMIT_MAX);
    uint64_t each_ns = NS_PER_SECOND / per_second;
    return (struct bucket){ each_ns, each_ns * (burst != 0 ? burst : per_second) };
}

static uint32_t wait_ms(uint64_t wait_ns)
{
    uint64_t ms = (wait_ns + NS_PER_MS - 1) / NS_PER_MS;
    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

/* Take `count` tokens, when there are as many as that or the bucket is full. */
static bool take(
    _Atomic uint64_t *full_ns,
    struct bucket bucket,
    uint64_t count,
    uint64_t now_ns,
    uint32_t *out_wait_ms)
{
    /* A count that would overflow is far more than any request has. */
    uint64_t cost_ns = count < UINT32_MAX ? count * bucket.each_ns : UINT32_MAX * bucket.each_ns;
    uint64_t needed_ns = cost_ns < bucket.room_ns ? cost_ns : bucket.room_ns;
    uint64_t seen = atomic_load_explicit(full_ns, memory_order_relaxed);
    for (;;) {
        uint64_t from = seen > now_ns ? seen : now_ns;
        uint64_t used_ns = from - now_ns + needed_ns;
        if (used_ns > bucket.room_ns) {
            *out_wait_ms = wait_ms(used_ns - bucket.room_ns);
            return false;
        }
        if (atomic_compare_exchange_weak_explicit(
                full_ns,
                &seen,
                from + cost_ns,
                memory_order_relaxed,
                memory_order_relaxed)) {
            return true;
        }
    }
}

bool vg_quota_begin_call(
    struct vg_quota *quota,
    const struct vg_quota_limits *limits,
    uint64_t now_ns,
    uint32_t *out_wait_ms)
{
    uint32_t before = atomic_fetch_add_explicit(&quota->calls_now, 1, memory_order_relaxed);
    if (limits->calls_at_once != 0 && before >= limits->calls_at_once) {
        vg_quota_end_call(quota);
        *out_wait_ms = AT_ONCE_WAIT_MS;
        return false;
    }
    if (limits->calls_per_second == 0 ||
        take(
            &quota->calls_full_ns,
            make_bucket(limits->calls_per_second, limits->call_burst),
            1,
            now_ns,
            out_wait_ms)) {
        return true;
    }
    vg_quota_end_call(quota);
    return false;
}

void vg_quota_end_call(struct vg_quota *quota)
{
    uint32_t before = atomic_fetch_sub_explicit(&quota->calls_now, 1, memory_order_relaxed);
    VG_ASSERT(before > 0);
}

bool vg_quota_take_events(
    struct vg_quota *quota,
    const struct vg_quota_limits *limits,
    uint64_t count,
    uint64_t now_ns,
    uint32_t *out_wait_ms)
{
    if (limits->events_per_second == 0) {
        return true;
    }
    return take(
        &quota->events_full_ns,
        make_bucket(limits->events_per_second, 0),
        count,
        now_ns,
        out_wait_ms);
}
