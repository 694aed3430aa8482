/*
 * Sockets of connections that were refused. Closed at once they would be made anew at once, by
 * whoever does not look why, as fast as two machines can: so each is kept a moment, unread, and
 * then closed. When too many are kept, the oldest has waited enough.
 *
 * Threads: the worker's.
 */
#ifndef VG_RPC_NET_PEER_REFUSAL_H
#define VG_RPC_NET_PEER_REFUSAL_H

#include <stddef.h>
#include <stdint.h>

#include "rpc/net/timer.h"

#define VG_PEER_REFUSAL_NS  UINT64_C(100000000)
#define VG_PEER_REFUSAL_MAX 512u

struct vg_peer_refused {
    int handle;
    uint64_t due_ns;
};

struct vg_peer_refusals {
    struct vg_timers *timers;
    struct vg_timer timer; /* set while there are any, for the oldest */
    size_t first;
    size_t count;
    struct vg_peer_refused kept[VG_PEER_REFUSAL_MAX]; /* a ring, oldest first */
};

/* The timer is set in `timers`. */
void vg_peer_refusals_init(struct vg_peer_refusals *refusals, struct vg_timers *timers);

/* Close what is kept, at once. */
void vg_peer_refusals_dispose(struct vg_peer_refusals *refusals);

/* Close the socket `handle`, which is taken over, a moment after `now_ns`. */
void vg_peer_refusals_add(struct vg_peer_refusals *refusals, int handle, uint64_t now_ns);

#endif
