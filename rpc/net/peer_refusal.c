#include "rpc/net/peer_refusal.h"

#include <unistd.h>

#include "core/base/compiler.h"

static void refusals_close_first(struct vg_peer_refusals *refusals)
{
    (void)close(refusals->kept[refusals->first].handle);
    refusals->first = (refusals->first + 1) % VG_PEER_REFUSAL_MAX;
    refusals->count--;
}

static void refusals_on_due(struct vg_timer *timer)
{
    struct vg_peer_refusals *refusals = VG_CONTAINER_OF(timer, struct vg_peer_refusals, timer);
    const uint64_t now_ns = timer->due_ns;
    while (refusals->count > 0 && refusals->kept[refusals->first].due_ns <= now_ns) {
        refusals_close_first(refusals);
    }
    if (refusals->count > 0) {
        vg_timers_set(refusals->timers, timer, refusals->kept[refusals->first].due_ns);
    }
}

void vg_peer_refusals_init(struct vg_peer_refusals *refusals, struct vg_timers *timers)
{
    *refusals = (struct vg_peer_refusals){ .timers = timers, .timer.fire = refusals_on_due };
}

void vg_peer_refusals_dispose(struct vg_peer_refusals *refusals)
{
    while (refusals->count > 0) {
        refusals_close_first(refusals);
    }
    if (refusals->timers != NULL) {
        vg_timers_clear(refusals->timers, &refusals->timer);
    }
}

void vg_peer_refusals_add(struct vg_peer_refusals *refusals, int handle, uint64_t now_ns)
{
    if (refusals->count == VG_PEER_REFUSAL_MAX) {
        refusals_close_first(refusals);
    }
    const size_t at = (refusals->first + refusals->count) % VG_PEER_REFUSAL_MAX;
    refusals->kept[at] =
        (struct vg_peer_refused){ .handle = handle, .due_ns = now_ns + VG_PEER_REFUSAL_NS };
    refusals->count++;
    if (!refusals->timer.is_set) {
        vg_timers_set(refusals->timers, &refusals->timer, now_ns + VG_PEER_REFUSAL_NS);
    }
}
