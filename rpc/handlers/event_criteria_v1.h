/*
 * Criteria of v1 as criteria of the domain.
 *
 * Threads: the call's.
 */
#ifndef VG_RPC_HANDLERS_EVENT_CRITERIA_V1_H
#define VG_RPC_HANDLERS_EVENT_CRITERIA_V1_H

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "core/events/event_criteria.h"

#include "vigil/events/v1/criteria.pb-c.h"
#include "vigil/events/v1/nids.pb-c.h"

/* `out_criteria` borrows from the validated `request`; lists made anew are in `arena`. False when
 * the arena is full. */
VG_MUST_USE bool vg_event_criteria_v1_read(
    const Vigil__Events__V1__SearchCriteria *request,
    struct vg_arena *arena,
    struct vg_event_criteria *out_criteria);

/* The same of criteria for raw events. */
VG_MUST_USE bool vg_event_criteria_v1_read_nids(
    const Vigil__Events__V1__NidsSearchCriteria *request,
    struct vg_arena *arena,
    struct vg_event_criteria *out_criteria);

#endif
