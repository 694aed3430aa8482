/*
 * Criteria of v2 (vigil.events.v2.SearchRequest and what shares its layout) as criteria of the
 * domain. criteria.proto says which messages these are.
 *
 * Threads: pure.
 */
#ifndef VG_RPC_HANDLERS_EVENT_CRITERIA_V2_H
#define VG_RPC_HANDLERS_EVENT_CRITERIA_V2_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/events/event_criteria.h"

#include "vigil/events/v2/criteria.pb-c.h"

/*
 * Read the criteria and sub-criteria of `request`, a validated message that has the members of
 * SearchRequest up to sub_criteria. Index times are read by vg_event_criteria_v2_read_index. The
 * criteria borrow from the request; the lists made are in `arena`. False when it is full.
 */
VG_MUST_USE bool vg_event_criteria_v2_read(
    const ProtobufCMessage *request,
    struct vg_arena *arena,
    struct vg_event_criteria *out_criteria);

/* Read the index times of `request`, a message that has the members of SearchRequest up to
 * index_end_timestamp. */
void vg_event_criteria_v2_read_index(
    const ProtobufCMessage *request,
    struct vg_event_criteria *criteria);

/* Bits of event classes by numbers of vigil.events.v2.EventType. */
uint32_t vg_event_criteria_v2_types(const Vigil__Events__V2__EventType *items, size_t count);

#endif
