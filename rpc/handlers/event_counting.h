/*
 * What the statistics of both versions share: the criteria made a question to the table, and the
 * memory an answer may take.
 *
 * Threads: the call's.
 */
#ifndef VG_RPC_HANDLERS_EVENT_COUNTING_H
#define VG_RPC_HANDLERS_EVENT_COUNTING_H

#include "core/events/event_criteria.h"
#include "core/events/event_statistics.h"
#include "rpc/handlers/event_view.h"
#include "rpc/service/call.h"

/*
 * Prepare the counting of the events of `type` (UNSET = of both) that `criteria` ask for. Release
 * `out_view`, which the counting borrows from, with vg_event_calls_release_view; on failure that is
 * done.
 *
 * Fails with: what vg_event_criteria_compile fails with.
 */
VG_MUST_USE enum vg_reason vg_event_counting_begin(
    struct vg_call *call,
    const struct vg_event_criteria *criteria,
    enum vg_event_type type,
    struct vg_event_view *out_view,
    struct vg_event_counting *out_counting);

#endif
