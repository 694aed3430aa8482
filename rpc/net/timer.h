/*
 * Timers of one worker: a pairing heap of timers that their owners embed, so that setting one never
 * allocates and closing its owner needs no asynchronous step (as a loop timer would).
 *
 * Due times are nanoseconds of the machine's monotonic clock. The worker runs what is due; a timer
 * never fires early.
 *
 * Threads: the worker's.
 */
#ifndef VG_RPC_NET_TIMER_H
#define VG_RPC_NET_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vg_timer {
    struct vg_timer *child; /* first child in the heap */
    struct vg_timer *next;  /* next sibling */
    struct vg_timer *back;  /* previous sibling, or the parent of a first child; NULL = root */
    uint64_t due_ns;
    void (*fire)(struct vg_timer *timer); /* may set the timer again, or free it */
    bool is_set;
};

struct vg_timers {
    struct vg_timer *root; /* the earliest */
};

/* Set `timer` to fire at `due_ns`, whether it was set before or not. timer->fire must be set. */
void vg_timers_set(struct vg_timers *timers, struct vg_timer *timer, uint64_t due_ns);

/* Take `timer` out; nothing happens when it is not set. */
void vg_timers_clear(struct vg_timers *timers, struct vg_timer *timer);

/* Fire, earliest first, all timers due at `now_ns`; not those set meanwhile for a later time.
 * Returns how many. */
size_t vg_timers_run(struct vg_timers *timers, uint64_t now_ns);

/* When the earliest timer is due; UINT64_MAX = there is none. */
uint64_t vg_timers_next_ns(const struct vg_timers *timers);

#endif
