/*
 * Inside the compiler of criteria: the lists of parts (attack, endpoint, property), whose elements
 * go by the rule of sub-criteria. Used by event_criteria.c only.
 *
 * Threads: one.
 */
#ifndef VG_CORE_EVENTS_CRITERIA_PART_H
#define VG_CORE_EVENTS_CRITERIA_PART_H

#include "core/events/criteria_term.h"

/* Add what the parts of at->criteria ask. */
void vg_criteria_part_add(struct vg_criteria_term *at);

#endif
