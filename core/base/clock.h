/*
 * Time. vg_time is milliseconds since 1970-01-01T00:00:00Z, the unit of the interface (years to
 * 9999 fit; in nanoseconds they would not). Durations measured by the machine are nanoseconds of
 * its monotonic clock.
 *
 * Core reads no clock of its own: it is handed a struct vg_clock, which in tests is set by hand.
 *
 * Threads: vg_clock_real may be read by any thread; a manual clock is moved by the test and read
 * atomically.
 */
#ifndef VG_CORE_BASE_CLOCK_H
#define VG_CORE_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

typedef int64_t vg_time;

#define VG_TIME_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

struct vg_clock {
    vg_time (*now)(const struct vg_clock *clock);
    uint64_t (*monotonic_ns)(const struct vg_clock *clock);
};

/* The machine's clock. */
extern const struct vg_clock vg_clock_real;

struct vg_clock_manual {
    struct vg_clock clock;
    _Atomic int64_t time_ms;
};

/* A clock that stands at `time_ms` until it is moved. Its monotonic time follows. */
void vg_clock_manual_init(struct vg_clock_manual *manual, vg_time time_ms);
void vg_clock_manual_set(struct vg_clock_manual *manual, vg_time time_ms);

static inline vg_time vg_clock_now(const struct vg_clock *clock)
{
    return clock->now(clock);
}

static inline uint64_t vg_clock_monotonic_ns(const struct vg_clock *clock)
{
    return clock->monotonic_ns(clock);
}

#endif
