/*
 * The head of a REST request: what the call needs of it.
 */
#include <string.h>
#include <strings.h>

#include "core/base/authority.h"
#include "core/base/settings.h"
#include "gateway/envelope/accept_coding.h"
#include "gateway/envelope/header_list.h"
#include "gateway/web/rest.h"
#include "gateway/web/rest_metadata.h"
#include "gateway/web/verb.h"
#include "rpc/grpc/grpc_timeout.h"

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

/* Several headers of one name are one list (RFC 9110 §5.3). False = no memory. */
static bool join(struct vg_arena *arena, struct vg_bytes *list, struct vg_bytes value)
{
    const char *text = list->data == NULL ? vg_arena_text(arena, value)
                                          : vg_arena_printf(
                                                arena,
                                                "%.*s, %.*s",
                                                (int)list->size,
                                                (const char *)list->data,
                                                (int)value.size,
                                                (const char *)value.data);
    *list = vg_bytes_text(text);
    return text != NULL;
}

/* gzip is the one coding that is read. An empty value, and identity, are none. */
static void take_coding(struct vg_rest *rest, struct vg_bytes value)
{
    if (value.size == 0 || vg_header_list_is(value, "identity")) {
        return;
    }
    bool is_gzip = vg_header_list_is(value, "gzip") || vg_header_list_is(value, "x-gzip");
    rest->has_coding = !rest->is_encoded && is_gzip;
    rest->is_encoded = true;
}

/* How long the client waits, as gRPC says it. One that is none is told after the check of the key.
 */
static void take_timeout(struct vg_rest *rest, struct vg_bytes value)
{
    rest->is_timeout_bad = !vg_grpc_timeout_parse(value, &rest->call.timeout_ns);
    if (rest->call.timeout_ns == 0) {
        rest->call.timeout_ns = 1; /* 0 says that there is none */
    }
}

enum vg_rest_header {
    REST_ACCEPT,
    REST_ACCEPT_ENCODING,
    REST_PREFLIGHT,
    REST_CONTENT_ENCODING,
    REST_IF_MATCH,
    REST_IF_NONE_MATCH,
    REST_ORIGIN,
    REST_TIMEOUT,
    REST_HEADER_COUNT,
};

static enum vg_rest_header find_header(struct vg_bytes name)
{
    static const char *const names[REST_HEADER_COUNT] = {
        [REST_ACCEPT] = "accept",
        [REST_ACCEPT_ENCODING] = "accept-encoding",
        [REST_PREFLIGHT] = "access-control-request-method",
        [REST_CONTENT_ENCODING] = "content-encoding",
        [REST_IF_MATCH] = "if-match",
        [REST_IF_NONE_MATCH] = "if-none-match",
        [REST_ORIGIN] = "origin",
        [REST_TIMEOUT] = "grpc-timeout",
    };
    for (unsigned i = 0; i < REST_HEADER_COUNT; i++) {
        if (vg_bytes_equal(name, vg_bytes_text(names[i]))) {
            return (enum vg_rest_header)i;
        }
    }
    return REST_HEADER_COUNT;
}

/* What the answer depends on besides the target. False = no memory. */
static bool take_fields(struct vg_rest *rest)
{
    const struct vg_http_request *request = &rest->exchange->request;
    const struct vg_settings *settings = rest->web->service->settings;
    struct vg_arena *arena = &rest->call.arena;
    struct vg_accept_coding coding;
    bool fits = true;
    vg_accept_init(&rest->accept);
    vg_accept_coding_init(&coding);
    for (size_t i = 0; i < request->header_count && fits; i++) {
        struct vg_bytes value = request->headers[i].value;
        switch (find_header(request->headers[i].name)) {
        case REST_ACCEPT:
            vg_accept_add(&rest->accept, value);
            break;
        case REST_ACCEPT_ENCODING:
            vg_accept_coding_add(&coding, value);
            break;
        case REST_PREFLIGHT:
            rest->is_preflight = true;
            break;
        case REST_CONTENT_ENCODING:
            take_coding(rest, value);
            break;
        case REST_IF_MATCH:
            fits = join(arena, &rest->if_match, value);
            break;
        case REST_IF_NONE_MATCH:
            fits = join(arena, &rest->if_none_match, value);
            break;
        case REST_ORIGIN:
            rest->cors = vg_cors_judge(value, settings->cors_origins);
            rest->is_foreign = rest->cors != VG_CORS_LISTED &&
                               !vg_cors_is_own(value, request->authority, request->is_secure);
            fits = rest->cors == VG_CORS_NONE || join(arena, &rest->origin, value);
            break;
        case REST_TIMEOUT:
            take_timeout(rest, value);
            break;
        case REST_HEADER_COUNT:
            break;
        }
    }
    rest->wants_gzip = settings->gzip && vg_accept_coding_wants_gzip(&coding);
    return fits;
}

/* The absolute form names the authority itself, and Host is not looked at (RFC 9112 §3.2.2).
 * Returns what stands behind. */
static struct vg_bytes take_authority(struct vg_rest *rest, struct vg_bytes target)
{
    static const char *const schemes[] = { "http://", "https://" };
    for (size_t i = 0; i < VG_ARRAY_COUNT(schemes); i++) {
        size_t size = strlen(schemes[i]);
        if (target.size < size || strncasecmp((const char *)target.data, schemes[i], size) != 0) {
            continue;
        }
        size_t end = size;
        while (end < target.size && target.data[end] != '/' && target.data[end] != '?') {
            end++;
        }
        rest->authority = vg_bytes(target.data + size, end - size);
        return vg_bytes(target.data + end, target.size - end);
    }
    return target;
}

/* Split the target into path and query. */
static void split_target(struct vg_rest *rest)
{
    struct vg_bytes target = take_authority(rest, rest->call.target);
    const uint8_t *mark = target.size == 0 ? NULL : memchr(target.data, '?', target.size);
    size_t path_size = mark == NULL ? target.size : (size_t)(mark - target.data);
    rest->path = path_size == 0 ? vg_bytes_text("/") : vg_bytes(target.data, path_size);
    rest->query =
        mark == NULL ? vg_bytes(NULL, 0) : vg_bytes(mark + 1, target.size - path_size - 1);
}

enum vg_reason vg_rest_check_host(struct vg_rest *rest)
{
    struct vg_authority authority;
    struct vg_error *error = &rest->call.error;
    if (rest->authority.size == 0) {
        return VG_OK; /* no browser sends that */
    }
    const bool is_checked = !rest->exchange->request.is_secure; /* the certificate has the name */
    if (!vg_authority_parse(rest->authority, &authority)) {
        return vg_error_set(error, VG_BAD_HTTP, "The authority is malformed");
    }
    return !is_checked || vg_authority_is_local(&authority) ||
                   vg_authority_is_listed(authority.name, rest->web->service->settings->hosts)
               ? VG_OK
               : vg_error_set(error, VG_HOST_NOT_ALLOWED, NULL);
}

enum vg_reason vg_rest_take_condition(struct vg_rest *rest)
{
    struct vg_call *call = &rest->call;
    if (rest->if_match.data == NULL || (call->method->flags & VG_METHOD_READS) != 0) {
        return VG_OK;
    }
    if ((call->method->flags & VG_METHOD_CONDITIONAL) == 0) {
        /* Better nothing is done than what the client did not mean. */
        return vg_error_set(
            &call->error,
            VG_PRECONDITION_FAILED,
            "This method does not take If-Match");
    }
    uint64_t revisions[VG_ETAG_REVISIONS_MAX];
    bool is_any = false;
    size_t count = vg_etag_list_revisions(rest->if_match, revisions, &is_any);
    if (is_any) {
        return VG_OK;
    }
    if (count == 0) {
        return vg_error_set(&call->error, VG_PRECONDITION_FAILED, NULL);
    }
    uint64_t *kept = vg_arena_alloc(&call->arena, count * sizeof(*kept));
    if (kept == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    memcpy(kept, revisions, count * sizeof(*kept));
    call->revisions = kept;
    call->revision_count = (uint32_t)count;
    return VG_OK;
}

/* FIND: route and method of the path. The verb is kept as text for the log. */
enum vg_reason vg_rest_find(struct vg_call *call)
{
    struct vg_rest *rest = VG_CONTAINER_OF(call, struct vg_rest, call);
    enum vg_reason reason = vg_router_match(
        rest->web->router,
        vg_verb_find(rest->exchange->request.method),
        rest->path,
        &call->arena,
        &rest->match,
        &call->error);
    if (reason == VG_OK) {
        call->method = rest->match.route->method;
    }
    return reason;
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

bool vg_rest_take_head(struct vg_rest *rest)
{
    const struct vg_http_request *request = &rest->exchange->request;
    struct vg_call *call = &rest->call;
    call->target = request->target;
    call->verb = request->method;
    call->credential = find_credential(request);
    call->idempotency_key = find_idempotency_key(request);
    call->peer = request->peer;
    call->peer_port = request->peer_port;
    call->http_version = request->version;
    call->request_bytes_max = rest->web->service->settings->request_bytes_max;
    rest->authority = request->authority;
    if (!keep(call, &call->target) || !keep(call, &call->verb) || !keep(call, &call->credential) ||
        !keep(call, &call->idempotency_key) || !vg_rest_metadata_read(request, call) ||
        !take_fields(rest)) {
        return false;
    }
    split_target(rest);
    if (!rest->is_foreign) {
        call->identity = vg_peer_identity_ref(request->identity);
    }
    return true;
}
