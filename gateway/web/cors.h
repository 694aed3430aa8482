/*
 * Which web pages may use the REST interface from a browser, by the CORS protocol of the Fetch
 * standard: those of the origins in the setting cors_origins. Without it no header of CORS is ever
 * sent, and browsers keep all foreign pages out.
 *
 * Threads: pure.
 */
#ifndef VG_GATEWAY_WEB_CORS_H
#define VG_GATEWAY_WEB_CORS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/bytes.h"
#include "rpc/net/exchange.h"

enum vg_cors {
    VG_CORS_NONE, /* no page, or one that may not */
    VG_CORS_ANY,  /* the setting is "*": every page may, without credentials of the browser */
    VG_CORS_LISTED,
};

/* May pages of this origin? `origins` are divided by blanks or commas; "null", which many pages
 * share, is never listed. */
enum vg_cors vg_cors_judge(struct vg_bytes origin, const char *origins);

/* Is it a page of ours: does the origin end with the name that the request uses for us? Of a
 * request by TLS it has to be by TLS as well: what plain text shows under our name may be
 * anybody's.
 */
bool vg_cors_is_own(struct vg_bytes origin, struct vg_bytes authority, bool is_secure);

#define VG_CORS_HEADERS_MAX 6u

/* The headers of an answer for a page of `origin`, which they borrow; of one to a preflight with
 * `verbs`, the value of Allow, which is borrowed too. Returns their count. */
size_t vg_cors_headers(
    enum vg_cors cors,
    struct vg_bytes origin,
    const char *verbs,
    struct vg_http_header headers[VG_CORS_HEADERS_MAX]);

#endif
