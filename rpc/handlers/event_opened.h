/*
 * One event that a call is about, found by its path, and what it was read on.
 *
 * Threads: with the call.
 */
#ifndef VG_RPC_HANDLERS_EVENT_OPENED_H
#define VG_RPC_HANDLERS_EVENT_OPENED_H

#include "core/events/event_reader.h"
#include "core/record/event_record.h"
#include "rpc/service/call.h"

#include "vigil/events/v1/service.pb-c.h"

struct vg_event_opened {
    struct vg_event_record record; /* lists in the call's arena */
    struct vg_event_reading reading;
};

/*
 * Find the event of a v1 path, of which the class is a part. An id that is no UUID is one that no
 * event has. Close in any case.
 *
 * Fails with: ACCESS_DENIED, asked before it is known whether there is one; EVENT_NOT_FOUND; what
 * vg_event_read fails with.
 */
VG_MUST_USE enum vg_reason vg_event_opened_v1(
    struct vg_call *call,
    const Vigil__Events__V1__GetEventRequest *request,
    struct vg_event_opened *out_opened);

/* The same for a v2 path, of which the class is no part; what is no UUID is INVALID_URL_PARAMETER.
 */
VG_MUST_USE enum vg_reason vg_event_opened_v2(
    struct vg_call *call,
    vg_time timestamp,
    int64_t customer_id,
    const char *uuid,
    struct vg_event_opened *out_opened);

void vg_event_opened_close(struct vg_event_opened *opened);

#endif
