#include "gateway/rpcweb/rpcweb.h"

#include <string.h>

#include "gateway/rpcweb/media_type.h"
#include "rpc/grpc/grpc_headers.h"

void vg_rpcweb_init(
    struct vg_rpcweb *rpcweb,
    struct vg_service *service,
    const struct vg_exchange_app *grpc)
{
    vg_relay_init(&rpcweb->relay, grpc, service);
    vg_connect_init(&rpcweb->connect, service);
}

/* Does it go to a method's path, whatever else it is? */
static bool rpcweb_has_method(const struct vg_rpcweb *rpcweb, const struct vg_http_request *request)
{
    struct vg_bytes path = request->target;
    const uint8_t *mark = path.size == 0 ? NULL : memchr(path.data, '?', path.size);
    if (mark != NULL) {
        path.size = (size_t)(mark - path.data);
    }
    return vg_service_find_method(rpcweb->connect.service, path) != NULL;
}

const struct vg_exchange_app *vg_rpcweb_select(
    const struct vg_rpcweb *rpcweb,
    const struct vg_http_request *request)
{
    const struct vg_http_header *type = vg_http_request_header(request, "content-type");
    switch (type == NULL ? VG_MEDIA_TYPE_OTHER : vg_media_type_find(type->value)) {
    case VG_MEDIA_TYPE_GRPC_WEB:
    case VG_MEDIA_TYPE_GRPC_WEB_TEXT:
    case VG_MEDIA_TYPE_CONNECT_PROTO:
    case VG_MEDIA_TYPE_CONNECT_JSON:
    case VG_MEDIA_TYPE_UNREAD:
        return &rpcweb->relay.app;
    case VG_MEDIA_TYPE_PROTO:
        return &rpcweb->connect.app;
    case VG_MEDIA_TYPE_JSON:
    case VG_MEDIA_TYPE_OTHER:
        break;
    }
    if (request->version >= 20 && vg_grpc_headers_is_grpc(request)) {
        return NULL;
    }
    const bool says_connect = vg_http_request_header(request, "connect-protocol-version") != NULL;
    return says_connect || rpcweb_has_method(rpcweb, request) ? &rpcweb->connect.app : NULL;
}
