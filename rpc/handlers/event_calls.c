#include "rpc/handlers/event_calls.h"

#include <string.h>

#include "core/base/settings.h"
#include "core/events/event_access.h"
#include "core/node/node.h"
#include "core/wire/wire_decode.h"
#include "rpc/service/service.h"

/* Memory of a message beside its wire bytes, about. */
#define VG_EVENT_MESSAGE_FACTOR 10u

struct vg_bytes vg_event_calls_data_center(uint32_t place)
{
    static const char *const words[] = {
        [VG_DATA_CENTER_OSL] = "osl",
        [VG_DATA_CENTER_SVG] = "svg",
    };
    return vg_bytes_text(words[place < VG_ARRAY_COUNT(words) ? place : 0]);
}

struct vg_event_store vg_event_calls_store(const struct vg_call *call, uint32_t age_ms)
{
    const struct vg_node *node = call->service->node;
    return (struct vg_event_store){
        .table = node->table,
        .store = node->store,
        .shard = VG_NODE_SHARD,
        .kind = VG_INGEST_KIND_EVENT,
        .snapshot_age_ms = age_ms,
        .helpers = call->service->executor,
        .cache = node->record_cache,
    };
}

struct vg_event_view vg_event_calls_view(struct vg_call *call, struct vg_arena *arena)
{
    const struct vg_node *node = call->service->node;
    return (struct vg_event_view){
        .directory = vg_directory_snapshot(node->directory),
        .principal = call->principal,
        .location_zone = node->settings->location_zone,
        .separator = node->settings->multivalue_separator,
        .arena = arena,
    };
}

void vg_event_calls_release_view(struct vg_event_view *view)
{
    vg_directory_snapshot_unref(view->directory);
    view->directory = NULL;
}

enum vg_reason vg_event_calls_allow(struct vg_call *call, int64_t customer_id)
{
    if (vg_principal_may(call->principal, VG_FUNCTION_EVENT_LOOKUP, customer_id)) {
        return VG_OK;
    }
    (void)vg_error_set(&call->error, VG_ACCESS_DENIED, NULL);
    return vg_error_field(&call->error, NULL, "eventLookup");
}

enum vg_reason vg_event_calls_read(
    struct vg_call *call,
    const struct vg_event_id *id,
    struct vg_event_reading *out_reading)
{
    struct vg_event_store source =
        vg_event_calls_store(call, call->service->node->settings->snapshot_age_ms);
    bool found = false;
    enum vg_reason reason = vg_event_read(&source, id, out_reading, &found, &call->error);
    if (reason != VG_OK || found) {
        return reason;
    }
    char text[VG_EVENT_ID_TEXT_SIZE];
    (void)vg_event_id_print(id, text);
    (void)vg_error_set(&call->error, VG_EVENT_NOT_FOUND, NULL);
    return vg_error_field(&call->error, NULL, text);
}

enum vg_reason vg_event_calls_read_either(
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

enum vg_reason vg_event_calls_reply(struct vg_call *call, struct vg_bytes wire)
{
    if (call->face->takes_wire) {
        call->reply.wire = wire;
        return VG_OK;
    }
    vg_arena_expect(&call->arena, wire.size * VG_EVENT_MESSAGE_FACTOR); /* one block, not three */
    return vg_wire_decode(
        call->method->answer,
        wire,
        &vg_wire_policy_request,
        &call->arena,
        &call->reply.answer,
        &call->error);
}

void vg_event_calls_begin_submit(
    struct vg_call *call,
    struct vg_arena *arena,
    vg_time arrived,
    struct vg_event_submit_frame *frame)
{
    const struct vg_node *node = call->service->node;
    memcpy(frame->rules.secret, node->format.secret, sizeof(frame->rules.secret));
    frame->rules.limits.record_bytes_max = node->settings->event_bytes_max;
    frame->rules.limits.property_bytes_max = node->settings->property_bytes_max;
    frame->rules.data_center = vg_event_calls_data_center(node->settings->data_center);
    frame->rules.data_center_place = (int32_t)node->settings->data_center;
    frame->context = (struct vg_event_submit_context){
        .directory = vg_directory_snapshot(node->directory),
        .principal = call->principal,
        .random = node->random,
        .rules = &frame->rules,
        .arena = arena,
        .arrived = arrived,
        .accepted = vg_clock_now(call->service->clock),
        .arrived_text = frame->arrived_text,
        .accepted_text = frame->accepted_text,
    };
    (void)vg_text_number_print_int64(frame->context.arrived, frame->arrived_text);
    (void)vg_text_number_print_int64(frame->context.accepted, frame->accepted_text);
}

void vg_event_calls_end_submit(struct vg_event_submit_frame *frame)
{
    vg_directory_snapshot_unref(frame->context.directory);
    frame->context.directory = NULL;
}
