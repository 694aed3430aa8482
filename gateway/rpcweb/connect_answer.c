/*
 * How a call by the Connect protocol is answered.
 */
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/metrics.h"
#include "core/base/settings.h"
#include "core/base/text_number.h"
#include "core/wire/wire_decode.h"
#include "gateway/envelope/gzip_write.h"
#include "gateway/json/json_write.h"
#include "gateway/rpcweb/connect_call.h"
#include "gateway/rpcweb/connect_error.h"
#include "gateway/rpcweb/media_type.h"
#include "rpc/grpc/grpc_face.h"
#include "rpc/grpc/grpc_status.h"
#include "rpc/service/call_metadata.h"
#include "rpc/service/call_trace.h"

/* Memory for the words of one status. */
#define VG_CONNECT_STATUS_ARENA_BYTES (64u * 1024u)
/* Headers besides those of pages and the call's own. */
#define VG_CONNECT_HEADERS 10u
#define VG_CONNECT_TRAILER "trailer-"

static struct vg_http_header header(const char *name, const char *value)
{
    return (struct vg_http_header){ vg_bytes_text(name), vg_bytes_text(value) };
}

/* --- Heads -----------------------------------------------------------------------------------
 */

/* A head under construction. */
struct answer_head {
    struct vg_http_header *headers;
    size_t count;
    char request_id[VG_CALL_TRACE_ID_SIZE];
    char response[VG_TRACE_TEXT_SIZE];
    char seconds[VG_TEXT_NUMBER_SIZE];
};

static void head_put(struct answer_head *head, const char *name, const char *value)
{
    head->headers[head->count++] = header(name, value);
}

/* The names that tie an answer to what others log of it. What the handler says comes as it says it.
 */
static void head_put_trace(struct answer_head *head, struct vg_call *call)
{
    vg_call_trace_read(call);
    vg_call_trace_request_id(call, head->request_id);
    head_put(head, "x-request-id", head->request_id);
    if (call->trace.has_parent) {
        vg_trace_print_response(&call->trace.parent, call->trace.id, head->response);
        head_put(head, "traceresponse", head->response);
    }
}

static bool is_trace(struct vg_bytes name)
{
    return vg_bytes_equal(name, vg_bytes_text("x-request-id")) ||
           vg_bytes_equal(name, vg_bytes_text("traceresponse"));
}

/* Metadata before the message as it is, behind it with "trailer-" in front. */
static void head_put_metadata(struct answer_head *head, struct vg_call *call)
{
    const struct vg_metadata *headers = vg_call_headers(call);
    const struct vg_metadata *trailers = vg_call_trailers(call);
    for (uint32_t i = 0; i < headers->count; i++) {
        if (!is_trace(headers->items[i].name)) {
            head->headers[head->count++] =
                (struct vg_http_header){ headers->items[i].name, headers->items[i].value };
        }
    }
    for (uint32_t i = 0; i < trailers->count; i++) {
        const struct vg_bytes name = trailers->items[i].name;
        const char *prefixed = vg_arena_printf(
            &call->arena,
            VG_CONNECT_TRAILER "%.*s",
            (int)name.size,
            (const char *)name.data);
        if (prefixed != NULL && !is_trace(name)) {
            head->headers[head->count++] =
                (struct vg_http_header){ vg_bytes_text(prefixed), trailers->items[i].value };
        }
    }
}

static void head_open(struct answer_head *head, struct vg_connect_call *connect)
{
    const size_t metadata =
        (size_t)vg_call_headers(&connect->call)->count + vg_call_trailers(&connect->call)->count;
    head->count = 0;
    head->headers =
        calloc(VG_CONNECT_HEADERS + VG_PAGE_HEADERS_MAX + metadata, sizeof(*head->headers));
    VG_ASSERT(head->headers != NULL);
    head_put(head, "server", "vigil");
}

/* Send the head, and let the body be pulled. */
static void head_send(
    struct answer_head *head,
    struct vg_connect_call *connect,
    unsigned status,
    const char *verbs,
    bool has_body)
{
    const char *vary =
        vg_page_vary(&connect->page, status == 200 && connect->call.service->settings->gzip);
    if (vary != NULL) {
        head_put(head, "vary", vary);
    }
    head_put_trace(head, &connect->call);
    head->count += vg_page_headers(&connect->page, verbs, head->headers + head->count);
    head_put_metadata(head, &connect->call);
    connect->responded = true;
    connect->call.head_sent = true;
    const bool no_body = !has_body || connect->head_only;
    vg_metrics_http_response(connect->exchange->request.method, status);
    connect->exchange->carrier->respond(
        connect->exchange,
        &(struct vg_http_response){ .status = status,
                                    .headers = head->headers,
                                    .header_count = head->count,
                                    .content_length = has_body        ? (int64_t)connect->out->size
                                                      : status == 204 ? -1
                                                                      : 0,
                                    .no_body = no_body });
    free(head->headers);
    if (!no_body) {
        connect->exchange->carrier->resume(connect->exchange);
    }
}

void vg_connect_answer_send(struct vg_connect_call *connect)
{
    struct answer_head head;
    connect->out = &connect->call.out;
    head_open(&head, connect);
    head_put(&head, "content-type", connect->is_json ? "application/json" : "application/proto");
    if (connect->is_compressed) {
        head_put(&head, "content-encoding", "gzip");
    }
    if (connect->is_get) {
        /* Another key may see another answer: it is this client's alone, and asked for anew. */
        head_put(&head, "cache-control", "private, no-cache");
    }
    head_send(&head, connect, 200, NULL, true);
}

void vg_connect_answer_fail(struct vg_connect_call *connect, const struct vg_error *error)
{
    struct vg_http_header trailers[VG_GRPC_STATUS_TRAILERS];
    struct vg_arena arena;
    vg_arena_init(&arena, VG_CONNECT_STATUS_ARENA_BYTES);
    size_t count = vg_grpc_status_trailers(error->reason, error, &arena, trailers);
    const enum vg_grpc_code code = vg_connect_error_code(trailers, count);
    const unsigned status = vg_connect_error_status(code);
    vg_buffer_clear(&connect->own);
    vg_connect_error_write(trailers, count, &connect->own);
    vg_arena_dispose(&arena);
    connect->out = &connect->own;
    struct answer_head head;
    head_open(&head, connect);
    head_put(&head, "content-type", "application/json");
    const uint32_t wait_ms = vg_error_retry_after_ms(error);
    if (wait_ms > 0) {
        (void)vg_text_number_print_int64(
            (int64_t)wait_ms / 1000 + (wait_ms % 1000 != 0),
            head.seconds);
        head_put(&head, "retry-after", head.seconds);
    }
    if (status == 401) {
        head_put(&head, "www-authenticate", "Bearer");
    }
    head_send(&head, connect, status, NULL, true);
}

void vg_connect_answer_refuse(
    struct vg_connect_call *connect,
    unsigned status,
    const struct vg_method *method)
{
    const bool has_get = method != NULL && (method->flags & VG_METHOD_READS) != 0 &&
                         (method->flags & (VG_METHOD_STREAMS | VG_METHOD_CLIENT_STREAMS)) == 0;
    const char *verbs = has_get ? "GET, HEAD, POST, OPTIONS" : "POST, OPTIONS";
    struct answer_head head;
    head_open(&head, connect);
    if (status != 415) {
        head_put(&head, "allow", verbs);
    }
    head_put(&head, "accept-post", VG_MEDIA_TYPE_ACCEPTED);
    head_send(&head, connect, status, verbs, false);
}

/* --- The message -----------------------------------------------------------------------------
 */

/* The bytes of the answer become its JSON. They are our own: what they hold is not judged again. */
static enum vg_reason answer_to_json(struct vg_call *call)
{
    static const struct vg_wire_policy policy = { .unknown = VG_WIRE_UNKNOWN_IGNORE,
                                                  .elements_max = UINT32_MAX };
    struct vg_buffer wire = call->out;
    struct vg_arena arena;
    ProtobufCMessage *message = NULL;
    vg_arena_init(&arena, vg_limit_arena_bytes(wire.size));
    vg_arena_count(&arena);
    vg_buffer_init(&call->out, wire.bytes_max);
    vg_buffer_count(&call->out);
    enum vg_reason reason = vg_wire_decode(
        call->method->answer,
        vg_buffer_bytes(&wire),
        &policy,
        &arena,
        &message,
        &call->error);
    if (reason == VG_OK &&
        !vg_json_write(call->method->answer, message, &vg_json_standard, &call->out)) {
        reason = vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    vg_arena_dispose(&arena);
    vg_buffer_dispose(&wire);
    return reason;
}

static enum vg_reason answer_compress(struct vg_call *call)
{
    struct vg_gzip_writer gzip = { .stream = NULL };
    struct vg_buffer plain = call->out;
    vg_buffer_init(&call->out, plain.bytes_max);
    vg_buffer_count(&call->out);
    const bool done = vg_gzip_writer_add(&gzip, vg_buffer_bytes(&plain), true, &call->out);
    vg_gzip_writer_dispose(&gzip);
    vg_buffer_dispose(&plain);
    return done ? VG_OK : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

enum vg_reason vg_connect_answer_write(struct vg_call *call)
{
    struct vg_connect_call *connect = VG_CONTAINER_OF(call, struct vg_connect_call, call);
    enum vg_reason reason = vg_grpc_face_put_answer(call);
    if (reason == VG_OK && connect->is_json) {
        reason = answer_to_json(call);
    }
    if (reason == VG_OK && connect->wants_gzip && !call->reply.is_plain &&
        call->out.size >= call->service->settings->gzip_bytes_min) {
        connect->is_compressed = true;
        reason = answer_compress(call);
    }
    if (reason != VG_OK) {
        vg_buffer_clear(&call->out);
        return reason;
    }
    call->out_done = true;
    return VG_OK;
}
