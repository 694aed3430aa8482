#include "rpc/handlers/event_counting.h"

#include "core/base/assert.h"
#include "core/events/event_access.h"
#include "core/node/node.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/service/service.h"

/* The largest answer has VG_AGGREGATE_CELLS_MAX cells, each of them counted, kept and shown. */
#define VG_COUNTING_BYTES_MAX ((size_t)256 << 20)

static enum vg_reason check_call(void *owner, struct vg_error *error)
{
    struct vg_call *call = owner;
    VG_ASSERT(error == &call->error);
    return vg_call_check(call);
}

enum vg_reason vg_event_counting_begin(
    struct vg_call *call,
    const struct vg_event_criteria *criteria,
    enum vg_event_type type,
    struct vg_event_view *out_view,
    struct vg_event_counting *out_counting)
{
    vg_arena_set_max(&call->arena, call->arena.used + VG_COUNTING_BYTES_MAX);
    struct vg_event_view view = vg_event_calls_view(call, &call->arena);
    const struct vg_event_criteria_context context = {
        .directory = view.directory,
        .principal = call->principal,
        .secret = call->service->node->format.secret,
        .now = call->now,
        .function = VG_FUNCTION_EVENT_LOOKUP,
        .type = type,
        .arena = &call->arena,
    };
    struct vg_event_counting counting = {
        .directory = view.directory,
        .principal = call->principal,
        .now = call->now,
        .check = check_call,
        .owner = call,
    };
    enum vg_reason reason =
        vg_event_criteria_compile(criteria, &context, &counting.where, &call->error);
    if (reason != VG_OK) {
        vg_event_calls_release_view(&view);
        return reason;
    }
    *out_view = view;
    *out_counting = counting;
    return VG_OK;
}
