#include "core/table/update_clock.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/table/table_breaks.h"

void vg_update_clock_init(struct vg_update_clock *clock, vg_time last)
{
    *clock = (struct vg_update_clock){ .last = last };
    if (VG_BROKEN(UPDATE_CLOCK_REUSES)) {
        return;
    }
    /* How many changes share `last` is not known any more, so that value is used up. */
    for (uint32_t kind = 0; kind < VG_TABLE_KINDS_MAX; kind++) {
        clock->changes[kind] = VG_LIMIT_CHANGES_PER_TIME;
    }
}

vg_time vg_update_clock_issue(struct vg_update_clock *clock, uint32_t kind, vg_time now)
{
    VG_ASSERT(kind < VG_TABLE_KINDS_MAX);
    vg_time next = now > clock->last ? now : clock->last;
    if (next == clock->last && clock->changes[kind] >= VG_LIMIT_CHANGES_PER_TIME) {
        next++;
    }
    if (next != clock->last) {
        clock->last = next;
        memset(clock->changes, 0, sizeof(clock->changes));
    }
    clock->changes[kind]++;
    return next;
}
