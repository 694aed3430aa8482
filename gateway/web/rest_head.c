/*
 * The head of a REST request: what the call needs of it.
 */
#include <string.h>
#include <strings.h>

#include "core/base/settings.h"
#include "gateway/web/rest.h"
#include "gateway/web/rest_metadata.h"
#include "gateway/web/verb.h"

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
        if (vg_bytes_equal(request->headers[i].name, vg_bytes_text("accept"))) {
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
            target = start == target.size ? vg_bytes_text("/")
                                          : vg_bytes(target.data + start, target.size - start);
        }
    }
    const uint8_t *mark = target.size == 0 ? NULL : memchr(target.data, '?', target.size);
    size_t path_size = mark == NULL ? target.size : (size_t)(mark - target.data);
    *out_path = vg_bytes(target.data, path_size);
    *out_query = mark == NULL ? vg_bytes(NULL, 0) : vg_bytes(mark + 1, target.size - path_size - 1);
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
    call->identity = vg_peer_identity_ref(request->identity);
    call->request_bytes_max = rest->web->service->settings->request_bytes_max;
    read_accept(request, &rest->accept);
    if (!keep(call, &call->target) || !keep(call, &call->verb) || !keep(call, &call->credential) ||
        !keep(call, &call->idempotency_key) || !vg_rest_metadata_read(request, call)) {
        return false;
    }
    split_target(call->target, &rest->path, &rest->query);
    return true;
}
