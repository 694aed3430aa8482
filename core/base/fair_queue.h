/*
 * Tasks of many callers, taken in turns: each caller has a line of its own, and one task of every
 * line is taken before the second of any. So whoever has a thousand tasks waiting delays another's
 * first one by one task, not by a thousand.
 *
 * Putting and taking cost the same however many wait. Nothing is allocated: the first task of a
 * line carries it (struct vg_task_line). A queue does not end: who puts asks for the counts first.
 *
 * Threads: one at a time; an executor's lock guards its own.
 */
#ifndef VG_CORE_BASE_FAIR_QUEUE_H
#define VG_CORE_BASE_FAIR_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/task.h"

/* Lines are found by hash. There are rarely more of them than a few dozen. */
#define VG_FAIR_QUEUE_BUCKETS 256u

struct vg_fair_queue {
    struct vg_task *first; /* of the line whose turn it is; lines go by line.next_line */
    struct vg_task *last;  /* first task of the line whose turn comes last */
    size_t count;          /* tasks of all lines */
    struct vg_task *buckets[VG_FAIR_QUEUE_BUCKETS]; /* lines by line.next_in_bucket */
};

/* An empty one is all zero: nothing to init or dispose. */

/* How many tasks of `caller` wait. */
size_t vg_fair_queue_count_of(const struct vg_fair_queue *queue, uint64_t caller);

/* Behind the others of `caller`; a caller without any gets the last turn. */
void vg_fair_queue_put(struct vg_fair_queue *queue, uint64_t caller, struct vg_task *task);

/* The task whose turn it is, or NULL. Its caller's next turn comes after those of all others. */
struct vg_task *vg_fair_queue_take(struct vg_fair_queue *queue);

#endif
