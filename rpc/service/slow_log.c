#include "rpc/service/slow_log.h"

#include "core/access/api_key.h"
#include "core/access/principal.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/settings.h"
#include "rpc/service/call_log.h"
#include "rpc/service/call_trace.h"
#include "rpc/service/service.h"

static bool is_watched(const struct vg_call *call)
{
    return call->method != NULL && call->method->audit == VG_AUDIT_SEARCH &&
           call->request != NULL && !call->converses &&
           call->service->settings->slow_question_ms != 0;
}

void vg_slow_log_answered(struct vg_call *call)
{
    if (call->answered_ns == 0 && is_watched(call)) {
        call->answered_ns = vg_clock_monotonic_ns(call->service->clock);
    }
}

static void put_request(struct vg_log_line *line, const struct vg_call *call)
{
    struct vg_buffer text;
    const struct vg_service *service = call->service;
    vg_buffer_init(&text, VG_SLOW_LOG_REQUEST_BYTES_MAX);
    if (service->print_request != NULL && call->body.size <= VG_SLOW_LOG_REQUEST_BYTES_MAX &&
        service->print_request(call->method->request, call->request, &text)) {
        vg_api_key_hide(text.data, text.size);
        vg_log_bytes(line, "request", vg_buffer_bytes(&text));
    }
    vg_log_int(line, "request_bytes", (int64_t)call->body.size);
    vg_buffer_dispose(&text);
}

static void write_line(const struct vg_call *call, uint64_t duration_ns)
{
    struct vg_log_line line;
    char id[VG_CALL_TRACE_ID_SIZE];
    if (!vg_log_begin(&line, VG_LOG_WARN, "slow_question")) {
        return;
    }
    vg_call_trace_request_id(call, id);
    vg_log_text(&line, "method", call->method->path);
    vg_log_text(&line, "face", vg_call_log_form(call));
    if (call->principal != NULL) {
        vg_log_text(&line, "user", call->principal->user_name);
        vg_log_text(&line, "key", call->principal->key_id);
    }
    vg_log_text(&line, "request_id", id);
    vg_log_text(&line, "reason", vg_reason_row(call->reason)->name);
    vg_log_int(&line, "us", (int64_t)(duration_ns / 1000));
    vg_log_int(&line, "limit", call->reply.limit);
    vg_log_int(&line, "offset", call->reply.offset);
    vg_log_int(&line, "count", call->reply.count);
    vg_log_int(&line, "out", (int64_t)call->bytes_out);
    if (call->explain != NULL) {
        call->explain(call, &line);
    }
    put_request(&line, call); /* last: it is what may be cut */
    vg_log_end(&line);
}

void vg_slow_log_end(const struct vg_call *call)
{
    if (!is_watched(call)) {
        return;
    }
    uint64_t until_ns =
        call->answered_ns != 0 ? call->answered_ns : vg_clock_monotonic_ns(call->service->clock);
    uint64_t duration_ns = until_ns - call->started_ns;
    if (duration_ns > (uint64_t)call->service->settings->slow_question_ms * 1000000u) {
        vg_metrics_add(VG_METRIC_slow_questions_total, 1);
        write_line(call, duration_ns);
    }
}
