#include "rpc/service/call_trace.h"

#include <string.h>

#include "rpc/service/call_metadata.h"

static void take_parent(struct vg_call_trace *trace, struct vg_bytes value)
{
    /* Which of several would be right is not to be known (section 3.2.1). */
    trace->parent_count++;
    trace->has_parent = trace->parent_count == 1 && vg_trace_parse(value, &trace->parent);
}

static void take_state(struct vg_call_trace *trace, struct vg_bytes value)
{
    trace->state_count++;
    trace->state =
        trace->state_count == 1 && vg_trace_state_is_valid(value) ? value : vg_bytes(NULL, 0);
}

static void take_request_id(struct vg_call_trace *trace, struct vg_bytes value)
{
    if (trace->request_id.data == NULL && vg_trace_request_id_is_sane(value)) {
        trace->request_id = value;
    }
}

static void take_user_agent(struct vg_call_trace *trace, struct vg_bytes value)
{
    trace->user_agent = value;
}

static const struct trace_name {
    const char *name;
    size_t size;
    void (*take)(struct vg_call_trace *trace, struct vg_bytes value);
} trace_names[] = {
    { "user-agent", 10, take_user_agent },
    { "traceparent", 11, take_parent },
    { "tracestate", 10, take_state },
    { "x-request-id", 12, take_request_id },
};

void vg_call_trace_read(struct vg_call *call)
{
    struct vg_call_trace *trace = &call->trace;
    if (trace->id != 0) {
        return;
    }
    trace->id = vg_trace_new_id();
    for (uint32_t i = 0; i < call->metadata.count; i++) {
        const struct vg_metadata_item *item = &call->metadata.items[i];
        for (size_t row = 0; row < VG_ARRAY_COUNT(trace_names); row++) {
            if (item->name.size == trace_names[row].size &&
                memcmp(item->name.data, trace_names[row].name, item->name.size) == 0) {
                trace_names[row].take(trace, item->value);
            }
        }
    }
    if (!trace->has_parent) {
        trace->state = vg_bytes(NULL, 0); /* section 3.3.1.1: it is nothing alone */
    }
}

void vg_call_trace_request_id(const struct vg_call *call, char out_text[VG_CALL_TRACE_ID_SIZE])
{
    struct vg_bytes given = call->trace.request_id;
    if (given.data == NULL) {
        vg_trace_print_number(call->trace.id, out_text);
        return;
    }
    memcpy(out_text, given.data, given.size);
    out_text[given.size] = '\0';
}

/* What does not fit the answer's metadata is left out. */
void vg_call_trace_say(struct vg_call *call)
{
    if (call->trace.request_id.data != NULL) {
        (void)!vg_call_add_header(call, "x-request-id", call->trace.request_id);
    }
    if (call->trace.has_parent) {
        char response[VG_TRACE_TEXT_SIZE];
        vg_trace_print_response(&call->trace.parent, call->trace.id, response);
        (void)!vg_call_add_header(call, "traceresponse", vg_bytes_text(response));
    }
}

void vg_call_trace_say_failed(struct vg_call *call)
{
    if (call->trace.request_id.data == NULL) {
        char id[VG_CALL_TRACE_ID_SIZE];
        vg_call_trace_request_id(call, id);
        (void)!vg_call_add_trailer(call, "x-request-id", vg_bytes_text(id));
    }
}
