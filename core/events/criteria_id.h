/*
 * Inside the compiler of criteria: identities of events. Used by criteria_term.c only.
 *
 * Threads: one.
 */
#ifndef VG_CORE_EVENTS_CRITERIA_ID_H
#define VG_CORE_EVENTS_CRITERIA_ID_H

#include "core/events/criteria_term.h"

/* More whole identities than these are looked up in one set instead of being asked one by one. */
#define VG_CRITERIA_ID_FEW 16u

/* Add: the event is one of at->criteria->ids; nothing when there are none. */
void vg_criteria_id_add(struct vg_criteria_term *at);

#endif
