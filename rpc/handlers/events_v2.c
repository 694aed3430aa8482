/* vigil.events.v2.EventService: reading events in the shapes of v2. Submission: events_submit.c. */
#include "core/wire/wire_decode.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_view.h"
#include "rpc/service/call.h"

/* The class in the path is ignored: the aggregated event first, then the raw one. */
static enum vg_reason read_either(
    struct vg_call *call,
    struct vg_event_id *id,
    struct vg_event_reading *out_reading)
{
    id->type = VG_EVENT_TYPE_AGGREGATED;
    enum vg_reason reason = vg_event_calls_read(call, id, out_reading);
    if (reason != VG_EVENT_NOT_FOUND) {
        return reason;
    }
    vg_event_reading_release(out_reading);
    id->type = VG_EVENT_TYPE_RAW;
    reason = vg_event_calls_read(call, id, out_reading);
    if (reason == VG_EVENT_NOT_FOUND) {
        char text[VG_EVENT_ID_TEXT_SIZE];
        id->type = VG_EVENT_TYPE_AGGREGATED;
        (void)vg_event_id_print(id, text);
        (void)vg_error_field(&call->error, NULL, text);
    }
    return reason;
}

/* A face that takes wire bytes gets them; for the other one they are read. */
static enum vg_reason reply_with(struct vg_call *call, struct vg_bytes wire)
{
    if (call->face->takes_wire) {
        call->reply.wire = wire;
        return VG_OK;
    }
    return vg_wire_decode(
        call->method->answer,
        wire,
        &vg_wire_policy_request,
        &call->arena,
        &call->reply.answer,
        &call->error);
}

int vg_events_v2_get_event(
    struct vg_call *call,
    const Vigil__Events__V2__GetEventRequest *request,
    Vigil__Events__V2__Event *answer)
{
    (void)answer;
    enum vg_reason reason = vg_event_calls_allow(call, request->customer_id);
    struct vg_event_id id = {
        .timestamp = request->timestamp,
        .customer_id = request->customer_id,
    };
    if (reason == VG_OK && !vg_uuid_parse(vg_bytes_text(request->event_id), &id.uuid)) {
        (void)vg_error_set(&call->error, VG_INVALID_URL_PARAMETER, NULL);
        reason = vg_error_field(&call->error, "eventID", request->event_id);
    }
    if (reason != VG_OK) {
        return (int)reason;
    }
    const struct vg_event_view_members members = {
        .comments = request->has_include_comments && request->include_comments,
        .sub_events = request->has_include_sub_events && request->include_sub_events,
        .all_properties = request->has_include_all_properties && request->include_all_properties,
        .properties = request->include_properties,
        .property_count = request->n_include_properties,
    };
    struct vg_event_reading reading;
    struct vg_bytes wire = { 0 };
    reason = read_either(call, &id, &reading);
    if (reason == VG_OK) {
        struct vg_event_view view = vg_event_calls_view(call, &call->arena);
        reason = vg_event_view_wire(&view, &id, reading.record, &members, &wire, &call->error);
        vg_event_calls_release_view(&view);
    }
    vg_event_reading_release(&reading);
    return (int)(reason == VG_OK ? reply_with(call, wire) : reason);
}
