/*
 * What HTTP/1.1 says: the answer of an exchange, and answers to requests that never become one.
 */
#include "core/base/assert.h"
#include "core/base/metrics.h"
#include "core/base/text_number.h"
#include "gateway/http1/http1_conn.h"
#include "rpc/net/worker.h"

static struct vg_http1_conn *of_exchange(struct vg_exchange *exchange)
{
    return VG_CONTAINER_OF(exchange, struct vg_http1_conn, exchange);
}

static const char *reason_phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } phrases[] = { { 200, "OK" },
                    { 201, "Created" },
                    { 204, "No Content" },
                    { 304, "Not Modified" },
                    { 400, "Bad Request" },
                    { 401, "Unauthorized" },
                    { 402, "Payment Required" },
                    { 403, "Forbidden" },
                    { 404, "Not Found" },
                    { 405, "Method Not Allowed" },
                    { 408, "Request Timeout" },
                    { 409, "Conflict" },
                    { 410, "Gone" },
                    { 412, "Precondition Failed" },
                    { 413, "Content Too Large" },
                    { 414, "URI Too Long" },
                    { 415, "Unsupported Media Type" },
                    { 417, "Expectation Failed" },
                    { 421, "Misdirected Request" },
                    { 422, "Unprocessable Content" },
                    { 429, "Too Many Requests" },
                    { 431, "Request Header Fields Too Large" },
                    { 499, "Client Closed Request" },
                    { 500, "Internal Server Error" },
                    { 501, "Not Implemented" },
                    { 503, "Service Unavailable" },
                    { 504, "Gateway Timeout" } };
    for (size_t i = 0; i < VG_ARRAY_COUNT(phrases); i++) {
        if (phrases[i].status == status) {
            return phrases[i].phrase;
        }
    }
    return "";
}

static void carrier_respond(struct vg_exchange *exchange, const struct vg_http_response *response)
{
    struct vg_http1_conn *state = of_exchange(exchange);
    VG_ASSERT(state->open && !state->responded);
    state->responded = true;
    if (!state->complete && state->body_comes) {
        state->last = true; /* answered before the body was read: what still comes is dropped */
        state->body_full = false;
        vg_http1_pace(state);
    }
    state->body_follows = !response->no_body;
    bool is_old = exchange->request.version == 10;
    state->chunked = state->body_follows && response->content_length < 0 && !is_old;
    if (state->body_follows && response->content_length < 0 && is_old) {
        state->last = true; /* HTTP/1.0 knows no chunks: the end of the connection ends the body */
    }
    char number[VG_TEXT_NUMBER_SIZE];
    size_t size = vg_text_number_print_int64((int64_t)response->status, number);
    vg_buffer_append_text(&state->out, "HTTP/1.1 ");
    vg_buffer_append(&state->out, number, size);
    vg_buffer_append_text(&state->out, " ");
    vg_buffer_append_text(&state->out, reason_phrase(response->status));
    vg_buffer_append_text(&state->out, "\r\n");
    for (size_t i = 0; i < response->header_count; i++) {
        vg_buffer_append(
            &state->out,
            response->headers[i].name.data,
            response->headers[i].name.size);
        vg_buffer_append_text(&state->out, ": ");
        vg_buffer_append(
            &state->out,
            response->headers[i].value.data,
            response->headers[i].value.size);
        vg_buffer_append_text(&state->out, "\r\n");
    }
    if (state->chunked) {
        vg_buffer_append_text(&state->out, "transfer-encoding: chunked\r\n");
    } else if (response->content_length >= 0) {
        size = vg_text_number_print_int64(response->content_length, number);
        vg_buffer_append_text(&state->out, "content-length: ");
        vg_buffer_append(&state->out, number, size);
        vg_buffer_append_text(&state->out, "\r\n");
    }
    if (state->last) {
        vg_buffer_append_text(&state->out, "connection: close\r\n");
    } else if (is_old) {
        vg_buffer_append_text(&state->out, "connection: keep-alive\r\n");
    }
    vg_buffer_append_text(&state->out, "\r\n");
    state->resumed = true;
    vg_conn_wake(state->conn);
}

static void carrier_resume(struct vg_exchange *exchange)
{
    struct vg_http1_conn *state = of_exchange(exchange);
    state->resumed = true;
    vg_conn_wake(state->conn);
}

/* HTTP/1.1 has no windows: TCP's own closes while nothing is read. */
static void carrier_consume(struct vg_exchange *exchange, size_t size)
{
    struct vg_http1_conn *state = of_exchange(exchange);
    VG_ASSERT(size <= state->body_waiting);
    state->body_waiting -= size;
    state->body_ns = vg_worker_now_ns(state->conn->worker);
    if (state->body_waiting <= VG_HTTP1_BODY_WAITING_LOW) {
        state->body_full = false;
        vg_http1_pace(state);
    }
}

static void carrier_abort(struct vg_exchange *exchange, enum vg_reason reason)
{
    (void)reason;
    vg_conn_close(of_exchange(exchange)->conn);
}

const struct vg_exchange_carrier vg_http1_carrier = {
    .respond = carrier_respond,
    .resume = carrier_resume,
    .consume = carrier_consume,
    .abort = carrier_abort,
};

void vg_http1_refuse(struct vg_http1_conn *state, const struct vg_error *error)
{
    struct vg_buffer body;
    vg_buffer_init(&body, VG_HTTP1_ANSWER_HEAD_BYTES_MAX);
    state->http1->refuse(error, &body);
    unsigned status = vg_reason_row(error->reason)->http_status;
    vg_metrics_http_response(vg_bytes_text(""), status);
    vg_buffer_printf(
        &state->out,
        "HTTP/1.1 %u %s\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: %zu\r\n"
        "connection: close\r\n\r\n",
        status,
        reason_phrase(status),
        body.size);
    vg_buffer_append(&state->out, body.data, body.size);
    vg_buffer_dispose(&body);
    vg_metrics_add(VG_METRIC_http1_refused_total, 1);
    state->stop = true;
    vg_conn_wake(state->conn);
}

void vg_http1_refuse_with(struct vg_http1_conn *state, enum vg_reason reason, const char *words)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    (void)(words == NULL ? vg_error_set(&error, reason, NULL) : vg_error_set(&error, reason, "%s", words));
    vg_http1_refuse(state, &error);
}
