/*
 * Quotas of one API key: calls a second (a token bucket), calls at once, events a second.
 *
 * A bucket is one number: the moment at which it will be full again (the generic cell rate
 * algorithm, ITU-T I.371 annex A). So a call costs one compare-and-swap, no lock and no timer, and
 * what a key has used is forgotten by itself. Limits are apart from what has been used: they
 * change with the directory while calls are under way.
 *
 * Threads: any; the figures are atomic. No clock is read here.
 */
#ifndef VG_CORE_ACCESS_QUOTA_H
#define VG_CORE_ACCESS_QUOTA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/compiler.h"

/* The largest of each limit. */
#define VG_QUOTA_LIMIT_MAX 1000000u

/* 0 = no limit, but for the burst. */
struct vg_quota_limits {
    uint32_t calls_per_second;
    uint32_t call_burst; /* calls that may come together after a pause; 0 = those of one second */
    uint32_t calls_at_once;
    uint32_t events_per_second;
};

/* What a key has used; all zero = nothing. */
struct vg_quota {
    _Atomic uint64_t calls_full_ns; /* monotonic: when the bucket will be full again */
    _Atomic uint64_t events_full_ns;
    _Atomic uint32_t calls_now;
};

static inline bool vg_quota_is_limited(const struct vg_quota_limits *limits)
{
    return (limits->calls_per_second | limits->calls_at_once | limits->events_per_second) != 0;
}

/*
 * A call of a key that is limited begins at `now_ns`. False = it is one too many, nothing is taken
 * and *out_wait_ms tells after how long it would not be (of calls at once nobody knows: then it is
 * a guess). What was taken is given back by vg_quota_end_call, once.
 */
VG_MUST_USE bool vg_quota_begin_call(
    struct vg_quota *quota,
    const struct vg_quota_limits *limits,
    uint64_t now_ns,
    uint32_t *out_wait_ms);
void vg_quota_end_call(struct vg_quota *quota);

/*
 * `count` events are to be submitted at `now_ns`. More at once than those of one second are let
 * through when none are owed, and are owed then, so that a large submission is possible and the
 * rate holds. False as above.
 */
VG_MUST_USE bool vg_quota_take_events(
    struct vg_quota *quota,
    const struct vg_quota_limits *limits,
    uint64_t count,
    uint64_t now_ns,
    uint32_t *out_wait_ms);

#endif
