/*
 * Update clock: gives out lastUpdatedTimestamp. It never goes back, at most
 * VG_LIMIT_CHANGES_PER_TIME changes of one kind share a value (or a continuous pull would get the
 * same page for ever), and the first value after a start is later than every value before it
 * (table-engine.md section 2).
 *
 * Its last value is stored in `state` with every batch and given to vg_update_clock_init at start.
 *
 * Threads: the writer's.
 */
#ifndef VG_CORE_TABLE_UPDATE_CLOCK_H
#define VG_CORE_TABLE_UPDATE_CLOCK_H

#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/limits.h"
#include "core/table/table_schema.h"

struct vg_update_clock {
    vg_time last;                         /* newest value given out; goes into `state` */
    uint32_t changes[VG_TABLE_KINDS_MAX]; /* given out with that value, by kind */
};

/* Continue after `last`, the value in `state`; 0 for a new store. */
void vg_update_clock_init(struct vg_update_clock *clock, vg_time last);

/* The value for the next change of `kind`, made at `now`. */
vg_time vg_update_clock_issue(struct vg_update_clock *clock, uint32_t kind, vg_time now);

#endif
