#include "gateway/rpcweb/page.h"

#include "core/base/authority.h"

void vg_page_judge(
    const struct vg_http_request *request,
    const struct vg_settings *settings,
    struct vg_page *out_page)
{
    const struct vg_http_header *origin = vg_http_request_header(request, "origin");
    struct vg_page page = { .has_origins = settings->cors_origins[0] != '\0' };
    if (origin != NULL) {
        page.origin = origin->value;
        page.cors = vg_cors_judge(origin->value, settings->cors_origins);
        page.is_foreign = page.cors != VG_CORS_LISTED &&
                          !vg_cors_is_own(origin->value, request->authority, request->is_secure);
        page.is_preflight =
            vg_http_request_header(request, "access-control-request-method") != NULL;
    }
    *out_page = page;
}

enum vg_reason vg_page_check_host(
    const struct vg_http_request *request,
    const struct vg_settings *settings,
    struct vg_error *error)
{
    struct vg_authority authority;
    if (request->authority.size == 0) {
        return VG_OK; /* no browser sends that */
    }
    if (!vg_authority_parse(request->authority, &authority)) {
        return vg_error_set(error, VG_BAD_HTTP, "The authority is malformed");
    }
    /* Over TLS the certificate has the name. */
    return request->is_secure || vg_authority_is_local(&authority) ||
                   vg_authority_is_listed(authority.name, settings->hosts)
               ? VG_OK
               : vg_error_set(error, VG_HOST_NOT_ALLOWED, NULL);
}

const char *vg_page_vary(const struct vg_page *page, bool has_codings)
{
    static const char *const texts[] = { NULL,
                                         "accept-encoding",
                                         "origin",
                                         "accept-encoding, origin" };
    return texts[(has_codings ? 1 : 0) + (page->has_origins ? 2 : 0)];
}

size_t vg_page_headers(
    const struct vg_page *page,
    const char *verbs,
    struct vg_http_header headers[VG_PAGE_HEADERS_MAX])
{
    return vg_cors_headers(page->cors, page->origin, page->is_preflight ? verbs : NULL, headers);
}
