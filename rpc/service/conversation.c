#include "rpc/service/conversation.h"

#include <string.h>

#include "core/access/principal.h"
#include "core/base/assert.h"
#include "core/base/metrics.h"
#include "core/base/trace_point.h"
#include "core/wire/validate.h"
#include "core/wire/wire_decode.h"
#include "rpc/service/admission.h"
#include "rpc/service/dispatch.h"
#include "rpc/service/service.h"

int vg_call_converse(struct vg_call *call, struct vg_intake *intake)
{
    VG_ASSERT(call->intake == NULL);
    call->intake = intake;
    if (call->face->say == NULL) {
        return (int)vg_error_set(
            &call->error,
            VG_METHOD_NOT_ALLOWED,
            "%s is a stream of messages, which gRPC carries",
            call->method->path);
    }
    enum vg_reason reason = vg_admission_converse(call);
    if (reason != VG_OK) {
        return (int)reason;
    }
    call->converses = true;
    call->intake_bytes_max = UINT64_MAX;
    return VG_CALL_CONVERSING;
}

bool vg_intake_next_message(struct vg_bytes *part, struct vg_bytes *out_message)
{
    uint32_t size;
    if (part->size == 0) {
        return false;
    }
    VG_ASSERT(part->size >= sizeof(size));
    memcpy(&size, part->data, sizeof(size));
    size &= ~VG_INTAKE_PACKED;
    VG_ASSERT(part->size - sizeof(size) >= size);
    *out_message = vg_bytes(part->data + sizeof(size), size);
    *part = vg_bytes(part->data + sizeof(size) + size, part->size - sizeof(size) - size);
    return true;
}

bool vg_intake_is_packed(struct vg_bytes part)
{
    uint32_t size = 0;
    if (part.size >= sizeof(size)) {
        memcpy(&size, part.data, sizeof(size));
    }
    return (size & VG_INTAKE_PACKED) != 0;
}

static bool feed_message(struct vg_call *call, struct vg_bytes message, uint32_t flag)
{
    VG_ASSERT(call->converses && message.size < VG_INTAKE_PACKED);
    if (call->stage != VG_CALL_STAGE_RECEIVING ||
        atomic_load_explicit(&call->cancelled, memory_order_relaxed)) {
        return false;
    }
    const uint32_t size = (uint32_t)message.size | flag;
    call->bytes_fed += message.size;
    vg_trace_point_stream_message(call->method->path, message.size, 0);
    vg_metrics_method_messages(call->method->index, 1, 0); /* `messages_in` may be with `take` */
    vg_buffer_append(&call->body, &size, sizeof(size));
    vg_buffer_append(&call->body, message.data, message.size);
    if (call->body.failed) {
        vg_call_break(call, VG_REQUEST_MEMORY);
        return false;
    }
    vg_dispatch_take_more(call);
    return true;
}

bool vg_call_feed_message(struct vg_call *call, struct vg_bytes message)
{
    return feed_message(call, message, 0);
}

bool vg_call_feed_packed_message(struct vg_call *call, struct vg_bytes message)
{
    return feed_message(call, message, VG_INTAKE_PACKED);
}

enum vg_reason vg_call_understand(
    struct vg_call *call,
    struct vg_bytes message,
    struct vg_arena *arena,
    ProtobufCMessage **out_request,
    struct vg_error *error)
{
    const struct vg_table *table = call->method->request;
    bool strict = (call->method->flags & VG_METHOD_REFUSE_UNKNOWN) != 0;
    ProtobufCMessage *request = NULL;
    enum vg_reason reason = vg_wire_decode(
        table,
        message,
        strict ? &vg_wire_policy_strict : &vg_wire_policy_request,
        arena,
        &request,
        error);
    struct vg_validation validation = {
        .now = vg_clock_now(call->service->clock),
        .zone = call->principal->zone,
        .arena = arena,
    };
    if (reason == VG_OK) {
        reason = vg_error_from_violations(error);
    }
    if (reason == VG_OK) {
        reason = vg_validate(table, request, &validation, error);
    }
    if (reason == VG_OK) {
        *out_request = request;
    }
    return reason;
}

/* May a conversation still be spoken in? */
static bool is_open(const struct vg_call *call)
{
    return call->converses && call->stage != VG_CALL_STAGE_ENDED &&
           !atomic_load_explicit(&call->cancelled, memory_order_relaxed);
}

static bool say(struct vg_call *call, const struct vg_reply_row *row)
{
    if (!is_open(call)) {
        return false;
    }
    size_t before = call->out.size;
    if (!call->face->say(call, row)) {
        vg_call_hang_up(call, VG_REQUEST_MEMORY);
        return false;
    }
    call->bytes_out += call->out.size > before ? call->out.size - before : 0;
    vg_trace_point_stream_message(call->method->path, 0, call->out.size - before);
    vg_metrics_method_messages(call->method->index, 0, 1);
    return true;
}

bool vg_call_say(struct vg_call *call, const ProtobufCMessage *message)
{
    return say(call, &(struct vg_reply_row){ .message = message });
}

bool vg_call_say_wire(struct vg_call *call, struct vg_bytes message)
{
    return say(call, &(struct vg_reply_row){ .wire = message });
}

void vg_call_room(struct vg_call *call)
{
    if (is_open(call) && call->intake->class->room != NULL) {
        call->intake->class->room(call->intake);
    }
    if (is_open(call) && call->stage == VG_CALL_STAGE_RECEIVING) {
        vg_dispatch_take_more(call); /* may end it */
    }
}

void vg_call_drain(struct vg_call *call)
{
    if (!is_open(call)) {
        return;
    }
    if (call->intake->class->drain != NULL) {
        call->intake->class->drain(call->intake);
    } else {
        vg_call_hang_up(call, VG_DRAINING);
    }
}

void vg_call_owe(struct vg_call *call)
{
    VG_ASSERT(call->converses);
    atomic_fetch_add_explicit(&call->owed, 1, memory_order_relaxed);
}

bool vg_call_repay(struct vg_call *call)
{
    VG_ASSERT(call->owed > 0);
    atomic_fetch_sub_explicit(&call->owed, 1, memory_order_relaxed);
    if (call->owed > 0 || call->away ||
        !atomic_load_explicit(&call->cancelled, memory_order_relaxed)) {
        return true;
    }
    vg_dispatch_arrive(call);
    return false;
}

void vg_call_hang_up(struct vg_call *call, enum vg_reason reason)
{
    if (!is_open(call)) {
        return;
    }
    if (call->away || call->owed > 0) { /* what runs, or comes back last, will find it */
        VG_ASSERT(reason != VG_OK);
        call->cancel_reason = reason;
        atomic_store_explicit(&call->cancelled, true, memory_order_relaxed);
        return;
    }
    call->reason = reason;
    if (reason != VG_OK && call->error.reason == VG_OK) {
        (void)vg_error_set(&call->error, reason, NULL);
    }
    call->out_done = reason == VG_OK;
    vg_dispatch_arrive(call);
}
