#include "rpc/service/call_log.h"

#include <stdlib.h>
#include <string.h>

#include "core/access/api_key.h"
#include "core/access/principal.h"
#include "core/base/hex.h"
#include "core/base/log.h"
#include "core/base/memory_budget.h"
#include "core/base/metrics.h"
#include "core/base/metrics_text.h"
#include "core/base/process_figures.h"
#include "core/base/settings.h"
#include "core/base/trace_point.h"
#include "rpc/service/call_trace.h"

/* Bytes of a user agent that are logged. */
#define AGENT_MAX 256u
/* Bytes of a target or message that are looked at: more than a value of the log may have. */
#define TEXT_MAX 2048u

static bool is_sampled(const struct vg_call *call)
{
    static _Thread_local uint32_t successes;
    const struct vg_settings *settings = call->service->settings;
    if (settings->access_log == VG_ACCESS_LOG_OFF) {
        return false;
    }
    if (call->reason != VG_OK) {
        return true;
    }
    if (settings->access_log == VG_ACCESS_LOG_ERRORS) {
        return false;
    }
    /* A trace that is recorded elsewhere is to have its part here. */
    return settings->access_log_sample <= 1 ||
           (call->trace.has_parent && call->trace.parent.sampled) ||
           successes++ % settings->access_log_sample == 0;
}

static void put_hex(struct vg_log_line *line, const char *key, const uint8_t *bytes, size_t size)
{
    char text[2 * VG_TRACE_ID_SIZE + 1] = { 0 };
    vg_hex_encode(vg_bytes(bytes, size), text);
    vg_log_text(line, key, text);
}

/* What ties the line to those of other programs. */
static void put_trace(struct vg_log_line *line, const struct vg_call *call)
{
    const struct vg_call_trace *trace = &call->trace;
    char id[VG_CALL_TRACE_ID_SIZE];
    vg_call_trace_request_id(call, id);
    vg_log_text(line, "request_id", id);
    if (trace->has_parent) {
        put_hex(line, "trace_id", trace->parent.trace_id, sizeof(trace->parent.trace_id));
        put_hex(line, "parent_span_id", trace->parent.span, sizeof(trace->parent.span));
        vg_trace_print_number(trace->id, id);
        vg_log_text(line, "span_id", id);
    }
    if (trace->state.data != NULL) {
        vg_log_bytes(line, "trace_state", trace->state);
    }
    if (trace->user_agent.data != NULL) {
        size_t size = trace->user_agent.size < AGENT_MAX ? trace->user_agent.size : AGENT_MAX;
        vg_log_bytes(line, "user_agent", vg_bytes(trace->user_agent.data, size));
    }
}

/* Texts that clients choose: whoever mistakes a path may have put a key into it. */
static void put_hidden(struct vg_log_line *line, const char *key, struct vg_bytes value)
{
    uint8_t text[TEXT_MAX];
    const size_t size = value.size < sizeof(text) ? value.size : sizeof(text);
    if (size > 0) {
        memcpy(text, value.data, size);
    }
    vg_api_key_hide(text, size);
    vg_log_bytes(line, key, vg_bytes(text, size));
}

/* The code that gRPC is told: of a failure in other words than its row's, the error's own. */
static enum vg_grpc_code code_of(const struct vg_call *call)
{
    uint8_t own = call->error.reason == call->reason ? call->error.grpc_code : 0;
    uint8_t code = call->reason != VG_OK && own != 0 ? own : vg_reason_row(call->reason)->grpc_code;
    return code <= VG_GRPC_UNAUTHENTICATED ? (enum vg_grpc_code)code : VG_GRPC_UNKNOWN;
}

/* The status line's number that REST answers; gRPC says all with 200. */
static unsigned http_status(const struct vg_call *call)
{
    if (call->face->http_status != NULL) {
        return call->face->http_status(code_of(call));
    }
    if (call->face->takes_wire) {
        return 200;
    }
    if (call->reason != VG_OK || call->method == NULL) {
        return vg_reason_row(call->reason)->http_status;
    }
    return call->reply.status != 0 ? call->reply.status : call->method->success;
}

static void put_error(struct vg_log_line *line, const struct vg_call *call)
{
    vg_log_text(line, "reason", vg_reason_row(call->reason)->name);
    if (call->error.reason ==
        call->reason) { /* a cancelled call may hold another thread's half-made words */
        put_hidden(line, "message", vg_bytes_text(call->error.message));
        if (call->error.detail[0] != '\0') {
            vg_log_text(line, "detail", call->error.detail);
        }
    }
}

static void write_line(const struct vg_call *call, uint64_t duration_ns)
{
    struct vg_log_line line;
    const struct vg_reason_row *row = vg_reason_row(call->reason);
    bool is_ours = row->grpc_code == VG_GRPC_INTERNAL || row->grpc_code == VG_GRPC_DATA_LOSS;
    if (!vg_log_begin(&line, is_ours ? VG_LOG_ERROR : VG_LOG_INFO, "access")) {
        return;
    }
    char peer[VG_NETWORK_TEXT_SIZE];
    (void)vg_network_print(&call->peer, peer);
    vg_log_text(&line, "face", vg_call_log_form(call));
    if (call->method != NULL) {
        vg_log_text(&line, "method", call->method->path);
    } else {
        put_hidden(&line, "target", call->target);
    }
    if (call->verb.size > 0) {
        vg_log_bytes(&line, "verb", call->verb);
    }
    if (call->http_version != 0) {
        vg_log_text(&line, "protocol", call->http_version == 11 ? "HTTP/1.1" : "HTTP/2");
    }
    vg_log_text(&line, "peer", peer);
    vg_log_int(&line, "port", call->peer_port);
    if (call->principal != NULL && call->principal->user_id != 0) {
        vg_log_text(&line, "user", call->principal->user_name);
        vg_log_text(&line, "key", call->principal->key_id);
    }
    if (call->identity != NULL && call->identity->name_count > 0) {
        vg_log_bytes(&line, "certificate", call->identity->names[0]);
    }
    vg_log_int(&line, "code", (int64_t)code_of(call));
    vg_log_int(&line, "status", http_status(call));
    vg_log_int(&line, "in", (int64_t)(call->bytes_fed != 0 ? call->bytes_fed : call->body.size));
    vg_log_int(&line, "out", (int64_t)call->bytes_out);
    vg_log_int(&line, "us", (int64_t)(duration_ns / 1000));
    put_trace(&line, call);
    if (call->reason != VG_OK) {
        put_error(&line, call);
    }
    vg_log_end(&line);
}

static const char *path_of(const struct vg_call *call)
{
    return call->method != NULL ? call->method->path : "";
}

void vg_call_log_begin(const struct vg_call *call)
{
    vg_metrics_add(
        call->face->takes_wire ? VG_METRIC_calls_grpc_total : VG_METRIC_calls_rest_total,
        1);
    if (call->method != NULL) {
        vg_metrics_method_started(call->method->index);
    }
    vg_trace_point_call_start(path_of(call), call->trace.id);
}

void vg_call_log_messages(struct vg_call *call)
{
    if (call->method != NULL && (call->messages_in | call->messages_out) != 0) {
        vg_metrics_method_messages(call->method->index, call->messages_in, call->messages_out);
        call->messages_in = 0;
        call->messages_out = 0;
    }
}

void vg_call_log_end(struct vg_call *call)
{
    uint64_t duration_ns = vg_clock_monotonic_ns(call->service->clock) - call->started_ns;
    const struct vg_reason_row *row = vg_reason_row(call->reason);
    vg_trace_point_call_end(path_of(call), (int32_t)code_of(call), duration_ns);
    vg_call_log_messages(call);
    if (call->method != NULL) {
        vg_metrics_method_handled(call->method->index, code_of(call), duration_ns);
    }
    if (call->reason == VG_OVERLOADED) {
        vg_metrics_add(VG_METRIC_calls_overloaded_total, 1);
    }
    if (call->reason == VG_QUOTA_EXCEEDED) {
        vg_metrics_add(VG_METRIC_calls_over_quota_total, 1);
    }
    if (row->grpc_code == VG_GRPC_UNAUTHENTICATED) {
        vg_metrics_add(VG_METRIC_authentication_failed_total, 1);
    }
    if (is_sampled(call)) {
        write_line(call, duration_ns);
    }
}

static const char *type_of(const struct vg_method *method)
{
    if ((method->flags & VG_METHOD_CLIENT_STREAMS) != 0) {
        return (method->flags & VG_METHOD_STREAMS) != 0 ? "bidi_stream" : "client_stream";
    }
    return (method->flags & VG_METHOD_STREAMS) != 0 ? "server_stream" : "unary";
}

static void write_build(const struct vg_service *service, struct vg_buffer *out)
{
    vg_metrics_text_head(out, "vigil_build_info", "The program; always 1", "gauge");
    vg_buffer_append_text(out, "vigil_build_info{");
    vg_metrics_text_label(out, "version", service->version == NULL ? "" : service->version);
    vg_buffer_append_byte(out, ',');
    vg_metrics_text_label(out, "compiler", __VERSION__);
    vg_buffer_append_text(out, "} 1\n");
}

void vg_call_log_metrics(const struct vg_service *service, struct vg_buffer *out)
{
    vg_metrics_set(VG_METRIC_memory_bytes, (int64_t)vg_memory_budget_used());
    vg_metrics_set(VG_METRIC_calls_in_flight, atomic_load(&service->calls_in_flight));
    if (service->executor != NULL) {
        vg_metrics_set(VG_METRIC_executor_waiting, (int64_t)vg_executor_waiting(service->executor));
    }
    struct vg_metrics_method *methods = calloc(service->method_count, sizeof(*methods));
    if (methods == NULL) {
        return;
    }
    for (size_t i = 0; i < service->method_count; i++) {
        const struct vg_method *method = &service->methods[i];
        methods[method->index] = (struct vg_metrics_method){
            .service = method->service,
            .name = method->name,
            .type = type_of(method),
        };
    }
    vg_metrics_write(out, methods, service->method_count);
    free(methods);
    vg_process_figures_write(out);
    write_build(service, out);
    if (service->write_node_metrics != NULL) {
        service->write_node_metrics(service->node, out);
    }
}
