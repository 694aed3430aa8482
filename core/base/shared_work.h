/*
 * Shared work: a job of many like parts that its owner does by slices, and one thread of an
 * executor with it, if one has nothing else to do. The owner never waits for a thread to come: what
 * nobody has begun it does itself. All it may wait for is the slice a helper is in.
 *
 * Threads: any. `run` is called on two threads at a time, for different parts.
 */
#ifndef VG_CORE_BASE_SHARED_WORK_H
#define VG_CORE_BASE_SHARED_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/task.h"

struct vg_shared_work {
    uint32_t count; /* parts */
    uint32_t slice; /* parts at a time; not 0 */
    /* Do the parts [first, first + count). False ends the job: no further slice is begun. */
    bool (*run)(void *owner, uint32_t first, uint32_t count);
    void *owner;
};

/*
 * Do `work`; when this returns, no other thread is at it any more. Each slice is done once, in no
 * order, or not at all when `run` has ended the job. `helpers` may be NULL, and is not asked for
 * a job of one slice; the caller may itself be one of its threads. Without memory the caller works
 * alone.
 */
void vg_shared_work_run(const struct vg_shared_work *work, struct vg_executor *helpers);

#endif
