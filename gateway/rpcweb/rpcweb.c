#include "gateway/rpcweb/rpcweb.h"

#include "gateway/rpcweb/media_type.h"

void vg_rpcweb_init(
    struct vg_rpcweb *rpcweb,
    const struct vg_service *service,
    const struct vg_exchange_app *grpc)
{
    vg_relay_init(&rpcweb->relay, grpc, service);
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
    case VG_MEDIA_TYPE_JSON:
    case VG_MEDIA_TYPE_PROTO:
    case VG_MEDIA_TYPE_OTHER:
        break;
    }
    return NULL;
}
