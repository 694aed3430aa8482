/*
 * Identities of events as questions: those that criteria name, and lists of whole ones.
 *
 * Threads: one.
 */
#ifndef VG_CORE_EVENTS_CRITERIA_ID_H
#define VG_CORE_EVENTS_CRITERIA_ID_H

#include "core/events/criteria_term.h"

/* More identities than these are looked up in sets, one for all that name the same parts, instead
 * of being asked one by one. */
#define VG_CRITERIA_ID_FEW 16u

/* Add: the event is one of at->criteria->ids; nothing when there are none. */
void vg_criteria_id_add(struct vg_criteria_term *at);

/*
 * The events that have one of these identities, which are put in order; `ids` must stay as long as
 * the predicate. A search for it reads records. NULL when the arena is full.
 */
const struct vg_predicate *vg_criteria_id_any(
    struct vg_arena *arena,
    struct vg_event_id *ids,
    size_t count);

#endif
