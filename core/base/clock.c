#include "core/base/clock.h"

#include <time.h>

#include "core/base/compiler.h"

static vg_time real_now(const struct vg_clock *clock)
{
    (void)clock;
    struct timespec at;
    (void)clock_gettime(CLOCK_REALTIME, &at);
    return (vg_time)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static uint64_t real_monotonic_ns(const struct vg_clock *clock)
{
    (void)clock;
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

const struct vg_clock vg_clock_real = { .now = real_now, .monotonic_ns = real_monotonic_ns };

static int64_t manual_ms(const struct vg_clock *clock)
{
    const struct vg_clock_manual *manual =
        (const struct vg_clock_manual
             *)(const void *)((const char *)clock - offsetof(struct vg_clock_manual, clock));
    return atomic_load(&manual->time_ms);
}

static vg_time manual_now(const struct vg_clock *clock)
{
    return manual_ms(clock);
}

static uint64_t manual_monotonic_ns(const struct vg_clock *clock)
{
    return (uint64_t)manual_ms(clock) * 1000000u;
}

void vg_clock_manual_init(struct vg_clock_manual *manual, vg_time time_ms)
{
    manual->clock = (struct vg_clock){ .now = manual_now, .monotonic_ns = manual_monotonic_ns };
    atomic_init(&manual->time_ms, time_ms);
}

void vg_clock_manual_set(struct vg_clock_manual *manual, vg_time time_ms)
{
    atomic_store(&manual->time_ms, time_ms);
}
