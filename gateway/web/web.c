/*
 * The exchange side of a REST request: head → call, body → call, call's answer → bytes.
 */
#include "gateway/web/web.h"

#include <string.h>

#include "core/base/memory_budget.h"
#include "core/base/settings.h"
#include "gateway/web/probe.h"
#include "gateway/web/rest.h"
#include "rpc/net/worker.h"
#include "rpc/service/conversation.h"

static void free_rest(struct vg_rest *rest)
{
    vg_call_dispose(&rest->call);
    vg_reply_body_dispose(&rest->body);
    vg_gzip_writer_dispose(&rest->gzip);
    vg_buffer_dispose(&rest->plain);
    vg_buffer_dispose(&rest->sending);
    vg_buffer_dispose(&rest->own);
    vg_block_pool_free(&rest->worker->blocks, rest);
}

/* A conversation has no other end than the client's, and that may be later than any call's. */
static bool is_still_time(struct vg_rest *rest)
{
    const struct vg_call *call = &rest->call;
    if (!call->converses || vg_clock_monotonic_ns(call->service->clock) >= call->deadline_ns) {
        return false;
    }
    if (call->deadline_ns != UINT64_MAX) {
        vg_worker_set_timer(rest->exchange->worker, &rest->deadline, call->deadline_ns);
    }
    return true;
}

/* The request's time is up while dispatch has it. */
static void deadline_fires(struct vg_timer *timer)
{
    struct vg_rest *rest = VG_CONTAINER_OF(timer, struct vg_rest, deadline);
    struct vg_error error;
    vg_error_init(&error, NULL);
    (void)vg_error_set(&error, VG_DEADLINE_EXCEEDED, NULL);
    const bool is_made = rest->responded && (rest->last || rest->call.stage == VG_CALL_STAGE_ENDED);
    if (is_made || is_still_time(rest)) {
        return; /* an answer that is all there is not cut: how long it may be read is the carrier's
                 */
    }
    const bool is_here = vg_call_cancel(&rest->call, VG_DEADLINE_EXCEEDED);
    if (rest->responded && rest->call.converses) {
        if (is_here && !rest->ended) { /* else `ready` comes and says it */
            (void)vg_error_set(&rest->call.error, VG_DEADLINE_EXCEEDED, NULL);
            vg_rest_say_end(rest);
        }
    } else if (!rest->responded) {
        vg_rest_send_error(rest, &error);
    } else {
        rest->cut = true;
        rest->exchange->carrier->abort(rest->exchange, VG_DEADLINE_EXCEEDED);
    }
}

/* The state of a new exchange; NULL when there is no memory and it was given up. */
static struct vg_rest *create_rest(struct vg_exchange *exchange)
{
    const struct vg_web *web = VG_CONTAINER_OF_CONST(exchange->app, struct vg_web, app);
    struct vg_rest *rest = vg_block_pool_alloc(&exchange->worker->blocks, sizeof(*rest));
    if (rest == NULL) {
        exchange->carrier->abort(exchange, VG_RESOURCE_LIMIT);
        return NULL;
    }
    /* Not the call, which has an init of its own, and not what is lent to it. */
    const size_t first = offsetof(struct vg_rest, web);
    memset((uint8_t *)rest + first, 0, offsetof(struct vg_rest, lent_arena) - first);
    exchange->state = rest;
    rest->web = web;
    rest->worker = exchange->worker;
    rest->exchange = exchange;
    rest->deadline.fire = deadline_fires;
    rest->head_only = vg_bytes_equal(exchange->request.method, vg_bytes_text("HEAD"));
    vg_call_init(&rest->call, &vg_rest_face, web->service, &exchange->worker->mailbox);
    vg_arena_lend(&rest->call.arena, rest->lent_arena, sizeof(rest->lent_arena));
    vg_reply_body_init(&rest->body);
    vg_buffer_init(&rest->sending, rest->call.out.bytes_max);
    vg_buffer_count(&rest->sending);
    vg_buffer_init(&rest->plain, rest->call.out.bytes_max);
    vg_buffer_count(&rest->plain);
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

/* Fails with: INVALID_FIELD_VALUE (a timeout that is none); CONTENT_ENCODING. A file is taken as it
 * comes: what it is like when it is unpacked is not ours to find out. */
static enum vg_reason accept_head(struct vg_rest *rest)
{
    struct vg_call *call = &rest->call;
    if (rest->is_timeout_bad) {
        (void)vg_error_set(
            &call->error,
            VG_INVALID_FIELD_VALUE,
            "A timeout has 1 to 8 digits and one of H, M, S, m, u, n");
        return vg_error_field(&call->error, "Grpc-Timeout", "");
    }
    if (rest->is_encoded && (!rest->has_coding || vg_call_is_streamed(call))) {
        return vg_error_set(&call->error, VG_CONTENT_ENCODING, NULL);
    }
    call->is_heavy = rest->is_encoded;
    return VG_OK;
}

static void app_headers(struct vg_exchange *exchange)
{
    const struct vg_web *web = VG_CONTAINER_OF_CONST(exchange->app, struct vg_web, app);
    struct vg_rest *rest = create_rest(exchange);
    if (rest == NULL) {
        return;
    }
    if (!vg_rest_take_head(rest)) {
        (void)vg_error_set(&rest->call.error, VG_HEADERS_TOO_LARGE, NULL);
        vg_rest_send_error(rest, &rest->call.error);
        return;
    }
    if (vg_rest_check_host(rest) != VG_OK) {
        vg_rest_send_error(rest, &rest->call.error);
        return;
    }
    rest->page = vg_ui_find(&web->ui, rest->path);
    if (rest->page == NULL) {
        rest->page = vg_openapi_set_find(&web->openapi, rest->path);
    }
    if (rest->page != NULL) {
        vg_rest_send_document(rest, 200, rest->page->content_type);
        return;
    }
    unsigned status = 0;
    const char *content_type = NULL;
    if (vg_probe_answer(web->service, rest->path, &rest->own, &status, &content_type)) {
        vg_rest_send_document(rest, status, content_type);
        return;
    }
    if (vg_bytes_equal(rest->call.verb, vg_bytes_text("OPTIONS"))) {
        vg_rest_send_options(rest);
        return;
    }
    const enum vg_reason reason = vg_call_begin(&rest->call);
    exchange->is_proven = rest->call.is_proven;
    if (reason != VG_OK) {
        vg_rest_send_error(rest, &rest->call.error);
        return;
    }
    if (accept_head(rest) != VG_OK || vg_rest_take_condition(rest) != VG_OK) {
        vg_call_fail(&rest->call, rest->call.error.reason);
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
        const enum vg_reason reason =
            vg_memory_budget_is_short() ? VG_RESOURCE_LIMIT : VG_REQUEST_TOO_LARGE;
        vg_call_fail(&rest->call, vg_error_set(&rest->call.error, reason, NULL));
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
        } else if (call->converses) {
            vg_rest_say_end(rest);
        } else {
            rest->cut = true;
            rest->exchange->carrier->resume(rest->exchange);
        }
        return;
    }
    if (call->converses) {
        vg_rest_say_end(rest);
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
        vg_rest_send_call(rest);
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
        (rest->call.converses ? vg_rest_pass_on : advance)(rest);
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

static void app_drain(struct vg_exchange *exchange)
{
    struct vg_rest *rest = exchange->state;
    if (rest != NULL && rest->running) {
        vg_call_drain(&rest->call);
    }
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
                 .drain = app_drain,
                 .closed = app_closed },
        .service = service,
        .router = vg_router_create(service->routes, service->route_count),
    };
    vg_ui_init(&web->ui, service->settings->swagger_ui, service->settings->gzip);
    vg_openapi_set_init(&web->openapi, service->settings->gzip);
}

void vg_web_dispose(struct vg_web *web)
{
    vg_ui_dispose(&web->ui);
    vg_openapi_set_dispose(&web->openapi);
    vg_router_destroy(web->router);
    web->router = NULL;
}

const struct vg_face vg_rest_face = {
    .name = "rest",
    .find = vg_rest_find,
    .read = vg_rest_read,
    .write = vg_rest_write,
    .ready = face_ready,
    .taken = face_taken,
    .say = vg_rest_say,
    .takes_wire = false,
};
