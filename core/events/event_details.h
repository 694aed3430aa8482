/*
 * Details of events: the raw events that aggregated ones name as their sub-events. They have no
 * cases of their own; those of a case are the details of its events.
 *
 * Threads: any.
 */
#ifndef VG_CORE_EVENTS_EVENT_DETAILS_H
#define VG_CORE_EVENTS_EVENT_DETAILS_H

#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/events/event_search.h"

/*
 * The identities of the details of all events that `search` finds, existing or not, in `arena`.
 * Limit, offset and order of the search are not looked at.
 *
 * Fails with: RESULTSET_TOO_LARGE past VG_LIMIT_CASE_DETAILS; REQUEST_MEMORY; what
 * vg_event_search_run and vg_event_cursor_next fail with.
 */
VG_MUST_USE enum vg_reason vg_event_details_find(
    const struct vg_event_store *source,
    const struct vg_event_search *search,
    struct vg_arena *arena,
    struct vg_event_id **out_ids,
    size_t *out_count,
    struct vg_error *error);

#endif
