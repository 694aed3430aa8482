/*
 * The exchange side of a REST request: head → call, body → call, call's answer → bytes.
 */
#include "gateway/web/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/assert.h"
#include "core/base/settings.h"
#include "core/base/text_number.h"
#include "gateway/envelope/envelope.h"
#include "gateway/envelope/reply_raw.h"
#include "gateway/web/probe.h"
#include "gateway/web/rest.h"
#include "rpc/net/worker.h"

static const struct verb {
    const char *word;
    int verb;
} verbs[] = {
    { "GET", VG_VERB_GET },       { "POST", VG_VERB_POST },   { "PUT", VG_VERB_PUT },
    { "DELETE", VG_VERB_DELETE }, { "PATCH", VG_VERB_PATCH },
};

/* "GET, HEAD, OPTIONS" for the Allow header of RFC 9110 §10.2.1. */
static void print_allow(uint32_t allowed, char *out_text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < VG_ARRAY_COUNT(verbs); i++) {
        if ((allowed >> verbs[i].verb & 1u) != 0) {
            bool is_get = verbs[i].verb == VG_VERB_GET;
            used += (size_t)snprintf(
                out_text + used,
                size - used,
                "%s%s, ",
                verbs[i].word,
                is_get ? ", HEAD" : "");
        }
    }
    (void)snprintf(out_text + used, size - used, "OPTIONS");
}

static struct vg_bytes text_bytes(const char *text)
{
    return vg_bytes_text(text);
}

/* Send the response head with `headers`; the body follows by pull unless there is none. */
static void send_head(
    struct vg_rest *rest,
    unsigned status,
    const struct vg_http_header *headers,
    size_t count,
    int64_t length)
{
    rest->responded = true;
    bool no_body = rest->head_only || status == 204;
    rest->exchange->carrier->respond(
        rest->exchange,
        &(struct vg_http_response){ .status = status,
                                    .headers = headers,
                                    .header_count = count,
                                    .content_length = status == 204 ? -1 : length,
                                    .no_body = no_body });
    if (!no_body) {
        rest->exchange->carrier->resume(rest->exchange);
    }
}

static struct vg_http_header header(const char *name, const char *value)
{
    return (struct vg_http_header){ text_bytes(name), text_bytes(value) };
}

/* The head of an answer that is not a call's success. */
static void respond(
    struct vg_rest *rest,
    unsigned status,
    const char *content_type,
    int64_t length,
    bool retry_later)
{
    struct vg_http_header headers[6];
    size_t count = 0;
    char allow[64];
    headers[count++] = header("server", "vigil");
    if (content_type != NULL) {
        headers[count++] = header("content-type", content_type);
    }
    if (retry_later) {
        headers[count++] = header("retry-after", "1");
    }
    if (status == 401) {
        headers[count++] = header("www-authenticate", "Bearer");
    }
    if (status == 405 || status == 204) {
        print_allow(rest->match.verbs_allowed, allow, sizeof(allow));
        headers[count++] = header("allow", allow);
    }
    send_head(rest, status, headers, count, length);
}

/* What JSON says around the rows, for the forms that have no place for it. */
#define PAGE_HEADERS 3u

static size_t page_headers(
    const struct vg_rest *rest,
    struct vg_http_header headers[PAGE_HEADERS],
    char texts[PAGE_HEADERS][VG_TEXT_NUMBER_SIZE])
{
    static const char *const names[PAGE_HEADERS] = { "x-argus-count",
                                                     "x-argus-limit",
                                                     "x-argus-offset" };
    const struct vg_reply *reply = &rest->call.reply;
    const int64_t values[PAGE_HEADERS] = { reply->count, reply->limit, reply->offset };
    if (rest->call.method->envelope != VG_ENVELOPE_LIST || rest->body.format == VG_FORMAT_JSON) {
        return 0;
    }
    for (size_t i = 0; i < PAGE_HEADERS; i++) {
        (void)vg_text_number_print_int64(values[i], texts[i]);
        headers[i] = header(names[i], texts[i]);
    }
    return PAGE_HEADERS;
}

#define DISPOSITION_SIZE 280u

/* The head of a call's answer, its first part being in call.out. */
static void respond_call(struct vg_rest *rest)
{
    const struct vg_call *call = &rest->call;
    struct vg_http_header headers[4 + PAGE_HEADERS];
    char numbers[PAGE_HEADERS][VG_TEXT_NUMBER_SIZE];
    char disposition[DISPOSITION_SIZE];
    size_t count = 0;
    headers[count++] = header("server", "vigil");
    headers[count++] = header("content-type", vg_reply_body_type(&rest->body, call));
    if (call->method->envelope == VG_ENVELOPE_RAW) {
        /* Bytes of somebody else's: no browser is to guess what they are. */
        headers[count++] = header("x-content-type-options", "nosniff");
    }
    const char *file_name = vg_reply_body_file_name(call);
    if (file_name != NULL) {
        vg_reply_raw_print_disposition(file_name, disposition, sizeof(disposition));
        headers[count++] = header("content-disposition", disposition);
    }
    count += page_headers(rest, headers + count, numbers);
    int64_t length = call->out_done ? (int64_t)call->out.size : rest->body.length;
    rest->out = &rest->sending;
    send_head(rest, vg_reply_body_status(call), headers, count, length);
}

void vg_rest_send_own(
    struct vg_rest *rest,
    unsigned status,
    const char *content_type,
    bool retry_later)
{
    rest->out = &rest->own;
    rest->last = true;
    rest->taken = 0;
    respond(rest, status, content_type, (int64_t)rest->own.size, retry_later);
}

void vg_rest_send_error(struct vg_rest *rest, const struct vg_error *error)
{
    const struct vg_reason_row *row = vg_reason_row(error->reason);
    vg_buffer_clear(&rest->own);
    vg_envelope_error(&rest->own, error, vg_clock_now(rest->web->service->clock));
    vg_rest_send_own(rest, row->http_status, "application/json; charset=UTF-8", row->retry_later);
}

static void free_rest(struct vg_rest *rest)
{
    vg_call_dispose(&rest->call);
    vg_reply_body_dispose(&rest->body);
    vg_buffer_dispose(&rest->sending);
    vg_buffer_dispose(&rest->own);
    free(rest);
}

/* The request's time is up while dispatch has it. */
static void deadline_fires(struct vg_timer *timer)
{
    struct vg_rest *rest = VG_CONTAINER_OF(timer, struct vg_rest, deadline);
    struct vg_error error;
    vg_error_init(&error, NULL);
    (void)vg_error_set(&error, VG_DEADLINE_EXCEEDED, NULL);
    (void)!vg_call_cancel(&rest->call, VG_DEADLINE_EXCEEDED);
    if (!rest->responded) {
        vg_rest_send_error(rest, &error);
    } else {
        rest->cut = true;
        rest->exchange->carrier->abort(rest->exchange, VG_DEADLINE_EXCEEDED);
    }
}

/* Credentials: the API key header decides when both are there. */
static struct vg_bytes find_credential(const struct vg_http_request *request)
{
    const struct vg_http_header *key = vg_http_request_header(request, "argus-api-key");
    if (key != NULL) {
        return key->value;
    }
    const struct vg_http_header *authorization = vg_http_request_header(request, "authorization");
    static const char bearer[] = "Bearer ";
    size_t size = sizeof(bearer) - 1;
    if (authorization != NULL && authorization->value.size > size &&
        strncasecmp((const char *)authorization->value.data, bearer, size) == 0) {
        return vg_bytes(authorization->value.data + size, authorization->value.size - size);
    }
    return vg_bytes(NULL, 0);
}

static struct vg_bytes find_idempotency_key(const struct vg_http_request *request)
{
    const struct vg_http_header *key = vg_http_request_header(request, "idempotency-key");
    return key == NULL ? vg_bytes(NULL, 0) : key->value;
}

/* All headers Accept are one list. */
static void read_accept(const struct vg_http_request *request, struct vg_accept *accept)
{
    vg_accept_init(accept);
    for (size_t i = 0; i < request->header_count; i++) {
        if (vg_bytes_equal(request->headers[i].name, text_bytes("accept"))) {
            vg_accept_add(accept, request->headers[i].value);
        }
    }
}

/* Split the target into path and query; the absolute form is accepted too (RFC 9112 §3.2.2). */
static void split_target(
    struct vg_bytes target,
    struct vg_bytes *out_path,
    struct vg_bytes *out_query)
{
    static const char *const schemes[] = { "http://", "https://" };
    for (size_t i = 0; i < VG_ARRAY_COUNT(schemes); i++) {
        size_t size = strlen(schemes[i]);
        if (target.size > size && strncasecmp((const char *)target.data, schemes[i], size) == 0) {
            const uint8_t *slash = memchr(target.data + size, '/', target.size - size);
            size_t start = slash == NULL ? target.size : (size_t)(slash - target.data);
            target = start == target.size ? text_bytes("/")
                                          : vg_bytes(target.data + start, target.size - start);
        }
    }
    const uint8_t *mark = target.size == 0 ? NULL : memchr(target.data, '?', target.size);
    size_t path_size = mark == NULL ? target.size : (size_t)(mark - target.data);
    *out_path = vg_bytes(target.data, path_size);
    *out_query = mark == NULL ? vg_bytes(NULL, 0) : vg_bytes(mark + 1, target.size - path_size - 1);
}

static bool is_method(const struct vg_http_request *request, const char *word)
{
    return vg_bytes_equal(request->method, text_bytes(word));
}

static int find_verb(const struct vg_http_request *request)
{
    if (is_method(request, "HEAD")) {
        return VG_VERB_GET;
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(verbs); i++) {
        if (is_method(request, verbs[i].word)) {
            return verbs[i].verb;
        }
    }
    return -1;
}

/* FIND: route and method of the path. The verb is kept as text for the log. */
static enum vg_reason face_find(struct vg_call *call)
{
    struct vg_rest *rest = VG_CONTAINER_OF(call, struct vg_rest, call);
    int verb = find_verb(&rest->exchange->request);
    enum vg_reason reason = vg_router_match(
        rest->web->router,
        verb,
        rest->path,
        &call->arena,
        &rest->match,
        &call->error);
    if (reason == VG_OK) {
        call->method = rest->match.route->method;
    }
    return reason;
}

static void answer_options(struct vg_rest *rest)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    enum vg_reason reason =
        vg_router_match(rest->web->router, -1, rest->path, &rest->call.arena, &rest->match, &error);
    if (reason == VG_METHOD_NOT_ALLOWED) {
        respond(rest, 204, NULL, -1, false); /* the path is ours; what it takes is in Allow */
    } else {
        vg_rest_send_error(rest, &error);
    }
}

/* Replace what is borrowed from the request by a copy that lives as long as the call, which may
 * outlive the exchange. False when it does not fit the arena. */
static bool keep(struct vg_call *call, struct vg_bytes *bytes)
{
    if (bytes->data == NULL) {
        return true;
    }
    const char *copy = vg_arena_text(&call->arena, *bytes);
    *bytes = vg_bytes(copy, copy == NULL ? 0 : bytes->size);
    return copy != NULL;
}

/* The state of a new exchange; NULL when there is no memory and it was given up. */
static struct vg_rest *create_rest(struct vg_exchange *exchange)
{
    const struct vg_web *web = VG_CONTAINER_OF_CONST(exchange->app, struct vg_web, app);
    struct vg_rest *rest = calloc(1, sizeof(*rest));
    if (rest == NULL) {
        exchange->carrier->abort(exchange, VG_RESOURCE_LIMIT);
        return NULL;
    }
    exchange->state = rest;
    rest->web = web;
    rest->exchange = exchange;
    rest->deadline.fire = deadline_fires;
    rest->head_only = is_method(&exchange->request, "HEAD");
    vg_call_init(&rest->call, &vg_rest_face, web->service, &exchange->worker->mailbox);
    vg_reply_body_init(&rest->body);
    vg_buffer_init(&rest->sending, rest->call.out.bytes_max);
    vg_buffer_init(&rest->own, VG_REST_ERROR_BYTES_MAX);
    return rest;
}

static void app_refuse(struct vg_exchange *exchange, enum vg_reason reason)
{
    struct vg_rest *rest = create_rest(exchange);
    if (rest != NULL) {
        (void)vg_error_set(&rest->call.error, reason, NULL);
        vg_rest_send_error(rest, &rest->call.error);
    }
}

static enum vg_reason url_reason(enum vg_reason reason)
{
    return reason == VG_INVALID_FIELD_VALUE || reason == VG_INVALID_FIELD_TYPE
               ? VG_INVALID_URL_PARAMETER
               : reason;
}

/* Is the member `field` a variable of the path? */
static bool is_variable(const struct vg_rest *rest, const char *field)
{
    const struct vg_field *fields = rest->call.method->request->fields;
    for (size_t i = 0; field != NULL && i < rest->match.variable_count; i++) {
        const struct vg_route_segment *segment = rest->match.variables[i].segment;
        const char *name = fields[segment->rows[0]].piece + 2;
        size_t size = strcspn(name, "\"");
        if (segment->row_count == 1 && strlen(field) == size && memcmp(field, name, size) == 0) {
            return true;
        }
    }
    return false;
}

/* A bad value of path or query is told as such (conventions, section 5): without a body all are,
 * with one the variables of the path. The rules of a method know only fields. */
static void blame_url(struct vg_rest *rest)
{
    struct vg_error *error = &rest->call.error;
    bool all = rest->match.route->body == VG_ROUTE_BODY_NONE;
    if (all || is_variable(rest, error->field)) {
        error->reason = url_reason(error->reason);
    }
    for (uint32_t i = 0; i < error->violations.count; i++) {
        struct vg_violation *violation = &error->violations.items[i];
        if (all || is_variable(rest, violation->field)) {
            violation->reason = url_reason(violation->reason);
        }
    }
}

/* A request that is taken as it comes: all but its bytes is decided now. */
static void open_stream(struct vg_rest *rest)
{
    struct vg_call *call = &rest->call;
    if (vg_call_open(call) != VG_OK) {
        blame_url(rest);
        vg_rest_send_error(rest, &call->error);
        return;
    }
    rest->running = true;
    vg_worker_hold(rest->exchange->worker);
    vg_worker_set_timer(rest->exchange->worker, &rest->deadline, call->deadline_ns);
    int64_t length = rest->exchange->request.content_length;
    if (length > 0 && (uint64_t)length > call->intake_bytes_max) {
        vg_call_break(call, VG_REQUEST_TOO_LARGE);
    }
}

static void app_headers(struct vg_exchange *exchange)
{
    const struct vg_web *web = VG_CONTAINER_OF_CONST(exchange->app, struct vg_web, app);
    struct vg_rest *rest = create_rest(exchange);
    if (rest == NULL) {
        return;
    }
    rest->call.target = exchange->request.target;
    rest->call.verb = exchange->request.method;
    rest->call.credential = find_credential(&exchange->request);
    rest->call.idempotency_key = find_idempotency_key(&exchange->request);
    read_accept(&exchange->request, &rest->accept);
    if (!keep(&rest->call, &rest->call.target) || !keep(&rest->call, &rest->call.verb) ||
        !keep(&rest->call, &rest->call.credential) ||
        !keep(&rest->call, &rest->call.idempotency_key)) {
        (void)vg_error_set(&rest->call.error, VG_HEADERS_TOO_LARGE, NULL);
        vg_rest_send_error(rest, &rest->call.error);
        return;
    }
    split_target(rest->call.target, &rest->path, &rest->query);

    unsigned status = 0;
    const char *content_type = NULL;
    if (vg_probe_answer(web->service, rest->path, &rest->own, &status, &content_type)) {
        vg_rest_send_own(rest, status, content_type, status == 503);
        return;
    }
    if (is_method(&exchange->request, "OPTIONS")) {
        answer_options(rest);
        return;
    }
    rest->call.peer = exchange->request.peer;
    rest->call.peer_port = exchange->request.peer_port;
    rest->call.request_bytes_max = web->service->settings->request_bytes_max;
    if (vg_call_begin(&rest->call) != VG_OK) {
        vg_rest_send_error(rest, &rest->call.error);
        return;
    }
    rest->body.format = vg_accept_choose(&rest->accept, rest->call.method->produces);
    if (vg_call_is_streamed(&rest->call)) {
        open_stream(rest);
        return;
    }
    vg_worker_set_timer(exchange->worker, &rest->deadline, rest->call.deadline_ns);
    if (exchange->request.content_length > (int64_t)rest->call.request_bytes_max) {
        vg_call_fail(&rest->call, vg_error_set(&rest->call.error, VG_REQUEST_TOO_LARGE, NULL));
        vg_rest_send_error(rest, &rest->call.error);
    }
}

static void app_body(struct vg_exchange *exchange, struct vg_bytes part)
{
    struct vg_rest *rest = exchange->state;
    bool is_open = rest != NULL && !rest->responded;
    if (is_open && vg_call_is_streamed(&rest->call)) {
        if (!vg_call_feed(&rest->call, part)) {
            exchange->carrier->consume(exchange, part.size);
        }
        return;
    }
    exchange->carrier->consume(exchange, part.size);
    if (!is_open) {
        return; /* answered early: what still comes is dropped */
    }
    vg_buffer_append(&rest->call.body, part.data, part.size);
    if (rest->call.body.failed) {
        vg_call_fail(&rest->call, vg_error_set(&rest->call.error, VG_REQUEST_TOO_LARGE, NULL));
        vg_rest_send_error(rest, &rest->call.error);
    }
}

static void app_end(struct vg_exchange *exchange)
{
    struct vg_rest *rest = exchange->state;
    if (rest == NULL || rest->responded) {
        return;
    }
    if (vg_call_is_streamed(&rest->call)) {
        uint64_t deadline_ns = vg_call_fed(&rest->call);
        if (!rest->responded) {
            vg_worker_set_timer(exchange->worker, &rest->deadline, deadline_ns);
        }
        return;
    }
    rest->running = true;
    vg_worker_hold(exchange->worker);
    vg_call_run(&rest->call);
}

static void face_taken(struct vg_call *call, size_t size)
{
    struct vg_rest *rest = VG_CONTAINER_OF(call, struct vg_rest, call);
    if (rest->exchange != NULL) {
        rest->exchange->carrier->consume(rest->exchange, size);
    }
}

/* A part of the answer is there, or the call has failed. */
static void face_ready(struct vg_call *call)
{
    struct vg_rest *rest = VG_CONTAINER_OF(call, struct vg_rest, call);
    rest->waiting = false;
    if (call->stage == VG_CALL_STAGE_ENDED && rest->running) {
        rest->running = false;
        /* The home mailbox is the worker's: the way to it when the exchange is already gone. */
        vg_worker_release(VG_CONTAINER_OF(call->home, struct vg_worker, mailbox));
    }
    if (rest->exchange == NULL) {
        if (call->stage == VG_CALL_STAGE_ENDED) {
            free_rest(rest);
        } else if (vg_call_cancel(call, VG_CANCELLED)) {
            rest->running = false;
            vg_worker_release(VG_CONTAINER_OF(call->home, struct vg_worker, mailbox));
            free_rest(rest);
        }
        return;
    }
    if (rest->out == &rest->own) {
        return; /* the deadline has been answered meanwhile */
    }
    if (call->reason != VG_OK) {
        if (!rest->responded) {
            blame_url(rest);
            vg_rest_send_error(rest, &call->error);
        } else {
            rest->cut = true;
            rest->exchange->carrier->resume(rest->exchange);
        }
        return;
    }
    if (!rest->responded) {
        /* It may be later now: there are more parts. */
        vg_worker_set_timer(rest->exchange->worker, &rest->deadline, call->deadline_ns);
    }
    if (call->out.size == 0 && !call->out_done) {
        rest->waiting = true; /* nothing to send yet, see vg_reply_body_write */
        vg_call_more(call);
    } else if (!rest->responded) {
        respond_call(rest);
    } else {
        rest->exchange->carrier->resume(rest->exchange);
    }
}

/* What was being sent is drained and the call is here: send what it has made, and let it make more
 * meanwhile. */
static void advance(struct vg_rest *rest)
{
    struct vg_buffer drained = rest->sending;
    rest->sending = rest->call.out;
    rest->call.out = drained;
    vg_buffer_clear(&rest->call.out);
    rest->taken = 0;
    if (rest->call.out_done) {
        rest->last = true;
    } else {
        rest->waiting = true;
        vg_call_more(&rest->call);
    }
}

static enum vg_pull app_pull(
    struct vg_exchange *exchange,
    uint8_t *out,
    size_t size,
    size_t *out_size)
{
    struct vg_rest *rest = exchange->state;
    *out_size = 0;
    if (rest->cut) {
        return VG_PULL_FAILED;
    }
    if (rest->taken == rest->out->size && !rest->last && !rest->waiting) {
        advance(rest);
    }
    size_t left = rest->out->size - rest->taken;
    *out_size = left < size ? left : size;
    if (*out_size > 0) {
        memcpy(out, rest->out->data + rest->taken, *out_size);
        rest->taken += *out_size;
    }
    if (rest->taken < rest->out->size) {
        return VG_PULL_MORE;
    }
    if (rest->last) {
        return VG_PULL_END;
    }
    return *out_size > 0 ? VG_PULL_MORE : VG_PULL_WAIT;
}

static void app_closed(struct vg_exchange *exchange, bool answered)
{
    (void)answered;
    struct vg_rest *rest = exchange->state;
    if (rest == NULL) {
        return;
    }
    exchange->state = NULL;
    vg_worker_clear_timer(exchange->worker, &rest->deadline);
    rest->exchange = NULL;
    if (rest->running && !vg_call_cancel(&rest->call, VG_CANCELLED)) {
        return; /* another thread has the call: `ready` comes and frees */
    }
    if (rest->running) {
        rest->running = false;
        vg_worker_release(exchange->worker);
    }
    free_rest(rest);
}

void vg_web_init(struct vg_web *web, struct vg_service *service)
{
    *web = (struct vg_web){
        .app = { .headers = app_headers,
                 .refuse = app_refuse,
                 .body = app_body,
                 .end = app_end,
                 .pull = app_pull,
                 .closed = app_closed },
        .service = service,
        .router = vg_router_create(service->routes, service->route_count),
    };
}

void vg_web_dispose(struct vg_web *web)
{
    vg_router_destroy(web->router);
    web->router = NULL;
}

static enum vg_reason face_write(struct vg_call *call)
{
    return vg_reply_body_write(&VG_CONTAINER_OF(call, struct vg_rest, call)->body, call);
}

const struct vg_face vg_rest_face = {
    .name = "rest",
    .find = face_find,
    .read = vg_rest_read,
    .write = face_write,
    .ready = face_ready,
    .taken = face_taken,
    .takes_wire = false,
};
