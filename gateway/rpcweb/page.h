/*
 * The web page, if any, that a call comes from: what it may do, and what its browser has to be
 * told. The rules are those of REST (gateway/web/cors.h): names of the host, origins of the setting
 * cors_origins, and no use of a visitor's client certificate by pages of others.
 *
 * Threads: pure.
 */
#ifndef VG_GATEWAY_RPCWEB_PAGE_H
#define VG_GATEWAY_RPCWEB_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/compiler.h"
#include "core/base/error.h"
#include "core/base/settings.h"
#include "gateway/web/cors.h"
#include "rpc/net/exchange.h"

struct vg_page {
    struct vg_bytes origin; /* borrowed from the request; empty = no page */
    enum vg_cors cors;
    bool is_foreign;   /* neither ours nor of an origin that is listed */
    bool is_preflight; /* the browser asks whether it may ask */
    bool has_origins;  /* answers depend on the origin */
};

void vg_page_judge(
    const struct vg_http_request *request,
    const struct vg_settings *settings,
    struct vg_page *out_page);

/* Is the name the client uses for us one of ours? Fails with: BAD_HTTP, HOST_NOT_ALLOWED. */
VG_MUST_USE enum vg_reason vg_page_check_host(
    const struct vg_http_request *request,
    const struct vg_settings *settings,
    struct vg_error *error);

/* On what an answer depends that is compressed for some (RFC 9110 §12.5.5); NULL = on nothing. */
const char *vg_page_vary(const struct vg_page *page, bool has_codings);

#define VG_PAGE_HEADERS_MAX VG_CORS_HEADERS_MAX

/* The headers of an answer; of one to a preflight with `verbs`, the value of Allow. They borrow
 * both. Returns their count. */
size_t vg_page_headers(
    const struct vg_page *page,
    const char *verbs,
    struct vg_http_header headers[VG_PAGE_HEADERS_MAX]);

#endif
