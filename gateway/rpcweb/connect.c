#include "gateway/rpcweb/connect.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/settings.h"
#include "core/wire/wire_decode.h"
#include "gateway/envelope/gzip_read.h"
#include "gateway/envelope/header_list.h"
#include "gateway/json/json_read.h"
#include "gateway/rpcweb/connect_call.h"
#include "gateway/rpcweb/connect_error.h"
#include "gateway/rpcweb/connect_head.h"
#include "gateway/rpcweb/connect_query.h"
#include "gateway/rpcweb/media_type.h"
#include "rpc/grpc/grpc_face.h"
#include "rpc/grpc/grpc_headers.h"
#include "rpc/net/worker.h"

/* An answer to a failure: at most VG_VIOLATIONS_MAX violations, as text and as bytes. */
#define VG_CONNECT_ERROR_BYTES_MAX (1024u * 1024u)
/* A compressed request from this size on may take more than 0.2 ms to inflate and to read: it may
 * become a thousand times as large. */
#define VG_CONNECT_HEAVY_BYTES 128u

static const struct vg_face connect_face;

/* --- Life ------------------------------------------------------------------------------------
 */

static void connect_free(struct vg_connect_call *connect)
{
    vg_call_dispose(&connect->call);
    vg_buffer_dispose(&connect->own);
    free(connect);
}

static void connect_fail(struct vg_connect_call *connect, enum vg_reason reason)
{
    vg_call_fail(&connect->call, reason);
    vg_connect_answer_fail(connect, &connect->call.error);
}

/* The call's time is up while dispatch has it, or while its body comes. */
static void connect_on_deadline(struct vg_timer *timer)
{
    struct vg_connect_call *connect = VG_CONTAINER_OF(timer, struct vg_connect_call, deadline);
    struct vg_error error;
    if (connect->responded) {
        return; /* and all of it is there: how long it may be read is the carrier's */
    }
    vg_error_init(&error, NULL);
    (void)vg_error_set(&error, VG_DEADLINE_EXCEEDED, NULL);
    (void)!vg_call_cancel(&connect->call, VG_DEADLINE_EXCEEDED);
    vg_connect_answer_fail(connect, &error);
}

static struct vg_connect_call *connect_create(struct vg_exchange *exchange)
{
    const struct vg_connect *app = VG_CONTAINER_OF_CONST(exchange->app, struct vg_connect, app);
    struct vg_connect_call *connect = calloc(1, sizeof(*connect));
    VG_ASSERT(connect != NULL);
    exchange->state = connect;
    connect->connect = app;
    connect->exchange = exchange;
    connect->worker = exchange->worker;
    connect->deadline.fire = connect_on_deadline;
    connect->is_get = !vg_bytes_equal(exchange->request.method, vg_bytes_text("POST"));
    connect->head_only = vg_bytes_equal(exchange->request.method, vg_bytes_text("HEAD"));
    vg_page_judge(&exchange->request, app->service->settings, &connect->page);
    vg_call_init(&connect->call, &connect_face, app->service, &exchange->worker->mailbox);
    vg_buffer_init(&connect->own, VG_CONNECT_ERROR_BYTES_MAX);
    connect->out = &connect->own;
    return connect;
}

/* --- The head --------------------------------------------------------------------------------
 */

/* Replace what is borrowed from the request by a copy that lives as long as the call. */
static bool connect_keep(struct vg_call *call, struct vg_bytes *bytes)
{
    if (bytes->data == NULL) {
        return true;
    }
    const char *copy = vg_arena_text(&call->arena, *bytes);
    *bytes = vg_bytes(copy, copy == NULL ? 0 : bytes->size);
    return copy != NULL;
}

/* Key, deadline and metadata, read as gRPC reads them. Borrowed but for the metadata. */
static enum vg_reason connect_take_headers(
    struct vg_connect_call *connect,
    const struct vg_http_request *as_grpc)
{
    struct vg_call *call = &connect->call;
    struct vg_grpc_headers headers;
    enum vg_reason reason = vg_grpc_headers_read(as_grpc, &headers, &call->error);
    if (reason != VG_OK) {
        return reason;
    }
    const size_t size =
        headers.metadata_bytes + headers.metadata_count * sizeof(struct vg_metadata_item);
    vg_arena_set_max(&call->arena, call->arena.bytes_max + size);
    call->credential = headers.credential;
    call->idempotency_key = headers.idempotency_key;
    call->timeout_ns = headers.timeout_ns;
    return connect_keep(call, &call->credential) && connect_keep(call, &call->idempotency_key) &&
                   vg_grpc_headers_keep_metadata(as_grpc, &headers, &call->arena, &call->metadata)
               ? VG_OK
               : vg_error_set(&call->error, VG_HEADERS_TOO_LARGE, NULL);
}

static enum vg_reason connect_take_coding(struct vg_connect_call *connect, struct vg_bytes coding)
{
    if (coding.size == 0 || vg_header_list_is(coding, "identity")) {
        return VG_OK;
    }
    connect->is_packed = vg_header_list_is(coding, "gzip");
    return connect->is_packed ? VG_OK
                              : vg_error_set(
                                    &connect->call.error,
                                    VG_COMPRESSION,
                                    "the encoding is not supported; gzip and identity are");
}

static enum vg_reason connect_take_head(struct vg_connect_call *connect)
{
    const struct vg_http_request *request = &connect->exchange->request;
    const struct vg_settings *settings = connect->connect->service->settings;
    struct vg_call *call = &connect->call;
    struct vg_http_request as_grpc = *request;
    struct vg_connect_head head;
    struct vg_http_header *headers = calloc(request->header_count + 2, sizeof(*headers));
    VG_ASSERT(headers != NULL);
    as_grpc.headers = headers;
    enum vg_reason reason =
        vg_connect_head_read(request, false, &head, headers, &as_grpc.header_count, &call->error);
    if (reason == VG_OK) {
        reason = connect_take_headers(connect, &as_grpc);
    }
    free(headers);
    if (reason == VG_OK) {
        reason = connect_take_coding(connect, head.encoding);
    }
    /* A client that does not say what it accepts accepts what it uses. */
    connect->wants_gzip =
        settings->gzip && (head.has_accept ? head.wants_gzip : connect->is_packed);
    return reason;
}

/* What comes before the '?' is the path. */
static struct vg_bytes connect_path(struct vg_bytes target, struct vg_bytes *out_query)
{
    const uint8_t *mark = target.size == 0 ? NULL : memchr(target.data, '?', target.size);
    const size_t size = mark == NULL ? target.size : (size_t)(mark - target.data);
    *out_query = mark == NULL ? vg_bytes(NULL, 0) : vg_bytes(mark + 1, target.size - size - 1);
    return vg_bytes(target.data, size);
}

/* --- The message of a GET --------------------------------------------------------------------
 */

/* Is the word of the codec one of ours? */
static bool connect_take_codec(struct vg_connect_call *connect, struct vg_bytes encoding)
{
    connect->is_json = vg_bytes_equal(encoding, vg_bytes_text("json"));
    return connect->is_json || vg_bytes_equal(encoding, vg_bytes_text("proto"));
}

static enum vg_reason connect_take_message(
    struct vg_connect_call *connect,
    const struct vg_connect_query *query)
{
    struct vg_call *call = &connect->call;
    if (query->message.data == NULL) {
        return vg_error_set(&call->error, VG_INVALID_URL_PARAMETER, "message is missing");
    }
    if (query->version.data != NULL && !vg_bytes_equal(query->version, vg_bytes_text("v1"))) {
        return vg_error_set(&call->error, VG_INVALID_URL_PARAMETER, "connect is not v1");
    }
    enum vg_reason reason = connect_take_coding(connect, query->compression);
    if (reason != VG_OK) {
        return reason;
    }
    vg_buffer_append(&call->body, query->message.data, query->message.size);
    return call->body.failed ? vg_error_set(&call->error, VG_REQUEST_TOO_LARGE, NULL) : VG_OK;
}

/* --- Calls -----------------------------------------------------------------------------------
 */

static void connect_open(struct vg_connect_call *connect, const struct vg_connect_query *query)
{
    const struct vg_http_request *request = &connect->exchange->request;
    struct vg_call *call = &connect->call;
    call->verb = vg_bytes_text(connect->is_get ? "GET" : "POST");
    call->peer = request->peer;
    call->peer_port = request->peer_port;
    call->http_version = request->version;
    call->request_bytes_max = call->service->settings->grpc_message_bytes_max;
    if (!connect->page.is_foreign) {
        call->identity = vg_peer_identity_ref(request->identity);
    }
    enum vg_reason reason = connect_take_head(connect);
    if (reason != VG_OK) {
        connect_fail(connect, reason);
        return;
    }
    reason = vg_call_begin(call);
    connect->exchange->is_proven = call->is_proven;
    if (reason != VG_OK) {
        vg_connect_answer_fail(connect, &call->error);
        return;
    }
    vg_worker_set_timer(connect->worker, &connect->deadline, call->deadline_ns);
    if (query != NULL) {
        reason = connect_take_message(connect, query);
    } else if (request->content_length > (int64_t)call->request_bytes_max) {
        reason = vg_error_set(&call->error, VG_REQUEST_TOO_LARGE, NULL);
    }
    if (reason != VG_OK) {
        connect_fail(connect, reason);
    }
}

/* Find out in which codec the message comes, and open the call, or refuse it in HTTP. */
static void connect_choose(
    struct vg_connect_call *connect,
    const struct vg_method *method,
    struct vg_bytes query_text)
{
    const struct vg_http_request *request = &connect->exchange->request;
    struct vg_call *call = &connect->call;
    if (!connect->is_get) {
        const struct vg_http_header *type = vg_http_request_header(request, "content-type");
        enum vg_media_type media =
            type == NULL ? VG_MEDIA_TYPE_OTHER : vg_media_type_find(type->value);
        connect->is_json = media == VG_MEDIA_TYPE_JSON;
        if (!connect->is_json && media != VG_MEDIA_TYPE_PROTO) {
            vg_connect_answer_refuse(connect, 415, method);
            return;
        }
        connect_open(connect, NULL);
        return;
    }
    struct vg_connect_query query;
    vg_arena_set_max(&call->arena, call->arena.bytes_max + 2 * query_text.size);
    enum vg_reason reason = vg_connect_query_read(query_text, &call->arena, &query, &call->error);
    if (reason != VG_OK) {
        connect_fail(connect, reason);
    } else if (!connect_take_codec(connect, query.encoding)) {
        vg_connect_answer_refuse(connect, 415, method);
    } else {
        connect_open(connect, &query);
    }
}

static bool connect_verb_is(const struct vg_connect_call *connect, const char *verb)
{
    return vg_bytes_equal(connect->exchange->request.method, vg_bytes_text(verb));
}

static void app_headers(struct vg_exchange *exchange)
{
    struct vg_connect_call *connect = connect_create(exchange);
    struct vg_call *call = &connect->call;
    struct vg_bytes query;
    enum vg_reason reason =
        vg_page_check_host(&exchange->request, call->service->settings, &call->error);
    call->target = connect_path(exchange->request.target, &query);
    if (!connect_keep(call, &call->target)) {
        reason = vg_error_set(&call->error, VG_HEADERS_TOO_LARGE, NULL);
    }
    const struct vg_method *method = vg_service_find_method(call->service, call->target);
    const unsigned flags = method == NULL ? 0 : method->flags;
    const bool is_read = connect_verb_is(connect, "GET") || connect->head_only;
    if (reason != VG_OK) {
        connect_fail(connect, reason);
    } else if (method == NULL) {
        connect_fail(connect, vg_grpc_face_find(call));
    } else if (connect_verb_is(connect, "OPTIONS")) {
        vg_connect_answer_refuse(connect, 204, method);
    } else if (connect->is_get && !(is_read && (flags & VG_METHOD_READS) != 0)) {
        vg_connect_answer_refuse(connect, 405, method);
    } else if ((flags & (VG_METHOD_STREAMS | VG_METHOD_CLIENT_STREAMS)) != 0) {
        vg_connect_answer_refuse(connect, connect->is_get ? 405 : 415, method);
    } else {
        connect_choose(connect, method, query);
    }
}

static void app_refuse(struct vg_exchange *exchange, enum vg_reason reason)
{
    struct vg_connect_call *connect = connect_create(exchange);
    connect_fail(connect, vg_error_set(&connect->call.error, reason, NULL));
}

static void app_body(struct vg_exchange *exchange, struct vg_bytes part)
{
    struct vg_connect_call *connect = exchange->state;
    struct vg_call *call = &connect->call;
    exchange->carrier->consume(exchange, part.size);
    if (connect->responded || connect->is_get) {
        return; /* answered early, or not asked for: it is dropped */
    }
    vg_buffer_append(&call->body, part.data, part.size);
    if (call->body.failed) {
        connect_fail(connect, vg_error_set(&call->error, VG_REQUEST_TOO_LARGE, NULL));
    }
}

static void app_end(struct vg_exchange *exchange)
{
    struct vg_connect_call *connect = exchange->state;
    struct vg_call *call = &connect->call;
    if (connect->responded) {
        return;
    }
    call->is_heavy = connect->is_packed && call->body.size >= VG_CONNECT_HEAVY_BYTES;
    connect->running = true;
    vg_worker_hold(connect->worker);
    vg_call_run(call);
}

/* --- What dispatch asks ----------------------------------------------------------------------
 */

/* A body that came compressed becomes what it was. An empty one never was (Connect protocol,
 * "Bare-Message"). */
static enum vg_reason connect_unpack(struct vg_call *call)
{
    struct vg_buffer plain;
    vg_buffer_init(&plain, call->request_bytes_max);
    vg_buffer_count(&plain);
    enum vg_reason reason = vg_gzip_read(vg_buffer_bytes(&call->body), &plain, &call->error);
    if (reason != VG_OK) {
        vg_buffer_dispose(&plain);
        return reason;
    }
    vg_buffer_dispose(&call->body);
    call->body = plain;
    call->was_packed = true;
    vg_arena_set_max(&call->arena, vg_limit_arena_bytes(plain.size));
    return VG_OK;
}

static enum vg_reason face_read(struct vg_call *call)
{
    const struct vg_connect_call *connect = VG_CONTAINER_OF(call, struct vg_connect_call, call);
    if (connect->is_packed && call->body.size > 0) {
        enum vg_reason reason = connect_unpack(call);
        if (reason != VG_OK) {
            return reason;
        }
    }
    if (connect->is_json) {
        return vg_json_read(
            call->method->request,
            vg_buffer_bytes(&call->body),
            &vg_json_standard,
            &call->arena,
            &call->request,
            &call->error);
    }
    const bool strict = (call->method->flags & VG_METHOD_REFUSE_UNKNOWN) != 0;
    return vg_wire_decode(
        call->method->request,
        vg_buffer_bytes(&call->body),
        strict ? &vg_wire_policy_strict : &vg_wire_policy_request,
        &call->arena,
        &call->request,
        &call->error);
}

static void face_ready(struct vg_call *call)
{
    struct vg_connect_call *connect = VG_CONTAINER_OF(call, struct vg_connect_call, call);
    struct vg_worker *worker = connect->worker;
    const bool was_running = connect->running;
    connect->running = false;
    if (connect->exchange == NULL) {
        if (call->stage == VG_CALL_STAGE_ENDED || vg_call_cancel(call, VG_CANCELLED)) {
            connect_free(connect);
        }
    } else if (!connect->responded) { /* else the deadline has been answered meanwhile */
        vg_worker_clear_timer(worker, &connect->deadline);
        if (call->reason != VG_OK) {
            vg_connect_answer_fail(connect, &call->error);
        } else {
            vg_connect_answer_send(connect);
        }
    }
    if (was_running) {
        vg_worker_release(worker);
    }
}

static unsigned face_http_status(unsigned grpc_code)
{
    return vg_connect_error_status((enum vg_grpc_code)grpc_code);
}

static const struct vg_face connect_face = {
    .name = "connect",
    .http_status = face_http_status,
    .find = vg_grpc_face_find,
    .read = face_read,
    .write = vg_connect_answer_write,
    .ready = face_ready,
    .takes_wire = true,
};

/* --- The answer ------------------------------------------------------------------------------
 */

static enum vg_pull app_pull(
    struct vg_exchange *exchange,
    uint8_t *out,
    size_t size,
    size_t *out_size)
{
    struct vg_connect_call *connect = exchange->state;
    const size_t left = connect->out->size - connect->taken;
    *out_size = left < size ? left : size;
    if (*out_size > 0) {
        memcpy(out, connect->out->data + connect->taken, *out_size);
        connect->taken += *out_size;
    }
    return connect->taken < connect->out->size ? VG_PULL_MORE : VG_PULL_END;
}

static void app_closed(struct vg_exchange *exchange, bool answered)
{
    struct vg_connect_call *connect = exchange->state;
    (void)answered;
    exchange->state = NULL;
    vg_worker_clear_timer(connect->worker, &connect->deadline);
    connect->exchange = NULL;
    if (connect->call.stage != VG_CALL_STAGE_ENDED &&
        !vg_call_cancel(&connect->call, VG_CANCELLED)) {
        return; /* another thread has the call: `ready` comes and frees */
    }
    if (connect->running) {
        connect->running = false;
        vg_worker_release(exchange->worker);
    }
    connect_free(connect);
}

void vg_connect_init(struct vg_connect *connect, struct vg_service *service)
{
    *connect = (struct vg_connect){ .app = { .headers = app_headers,
                                             .refuse = app_refuse,
                                             .body = app_body,
                                             .end = app_end,
                                             .pull = app_pull,
                                             .closed = app_closed },
                                    .service = service };
}
