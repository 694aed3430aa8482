#include "rpc/handlers/event_opened.h"

#include "rpc/handlers/event_calls.h"

/* Read the event. Release in any case. */
static enum vg_reason open_event(
    struct vg_call *call,
    struct vg_event_id *id,
    struct vg_event_opened *out_opened)
{
    *out_opened = (struct vg_event_opened){ 0 };
    enum vg_reason reason = id->type == VG_EVENT_TYPE_UNSET
                                ? vg_event_calls_read_either(call, id, &out_opened->reading)
                                : vg_event_calls_read(call, id, &out_opened->reading);
    return reason != VG_OK ? reason
                           : vg_event_record_unpack(
                                 id,
                                 out_opened->reading.record,
                                 &call->arena,
                                 &out_opened->record,
                                 &call->error);
}

void vg_event_opened_close(struct vg_event_opened *opened)
{
    vg_event_reading_release(&opened->reading);
}

enum vg_reason vg_event_opened_v1(
    struct vg_call *call,
    const Vigil__Events__V1__GetEventRequest *request,
    struct vg_event_opened *out_opened)
{
    *out_opened = (struct vg_event_opened){ 0 };
    enum vg_reason reason = vg_event_calls_allow(call, request->customer_id);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_event_id id = {
        .type = (enum vg_event_type)request->type,
        .timestamp = request->timestamp,
        .customer_id = request->customer_id,
    };
    if (!vg_uuid_parse(vg_bytes_text(request->event_id), &id.uuid)) {
        (void)vg_error_set(&call->error, VG_EVENT_NOT_FOUND, NULL);
        return vg_error_field(&call->error, NULL, request->event_id);
    }
    return open_event(call, &id, out_opened);
}

enum vg_reason vg_event_opened_v2(
    struct vg_call *call,
    vg_time timestamp,
    int64_t customer_id,
    const char *uuid,
    struct vg_event_opened *out_opened)
{
    *out_opened = (struct vg_event_opened){ 0 };
    struct vg_event_id id = { .timestamp = timestamp, .customer_id = customer_id };
    enum vg_reason reason = vg_event_calls_allow(call, customer_id);
    if (reason == VG_OK && !vg_uuid_parse(vg_bytes_text(uuid), &id.uuid)) {
        (void)vg_error_set(&call->error, VG_INVALID_URL_PARAMETER, NULL);
        reason = vg_error_field(&call->error, "eventID", uuid);
    }
    return reason == VG_OK ? open_event(call, &id, out_opened) : reason;
}
