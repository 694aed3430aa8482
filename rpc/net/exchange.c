#include "rpc/net/exchange.h"

const struct vg_http_header *vg_http_request_header(
    const struct vg_http_request *request,
    const char *name)
{
    struct vg_bytes wanted = vg_bytes_text(name);
    for (size_t i = 0; i < request->header_count; i++) {
        if (vg_bytes_equal(request->headers[i].name, wanted)) {
            return &request->headers[i];
        }
    }
    return NULL;
}
