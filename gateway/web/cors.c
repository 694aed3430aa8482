#include "gateway/web/cors.h"

#include <string.h>
#include <strings.h>

#include "core/base/compiler.h"

/* What a page may send, those of gRPC-Web and Connect among it. */
static const char request_headers[] =
    "Argus-API-Key, Authorization, Content-Type, Content-Encoding, Accept, If-Match, "
    "If-None-Match, Last-Event-ID, "
    "Idempotency-Key, X-Request-Id, Traceparent, Tracestate, Baggage, Grpc-Timeout, X-Grpc-Web, "
    "Grpc-Encoding, Grpc-Accept-Encoding, X-User-Agent, Connect-Protocol-Version, "
    "Connect-Timeout-Ms, Connect-Content-Encoding, Connect-Accept-Encoding";

/* What a page may read besides what browsers always show. */
static const char answer_headers[] =
    "ETag, Retry-After, WWW-Authenticate, Content-Disposition, X-Argus-Count, X-Argus-Limit, "
    "X-Argus-Offset, X-Request-Id, Traceresponse, Grpc-Status, Grpc-Message, "
    "Grpc-Status-Details-Bin, Grpc-Encoding, Grpc-Retry-Pushback-Ms, Vigil-Limit, Vigil-Offset, "
    "Vigil-Count, Connect-Content-Encoding";

/* Seconds that a browser need not ask again; all of them keep it so long. */
static const char preflight_age[] = "600";

enum vg_cors vg_cors_judge(struct vg_bytes origin, const char *origins)
{
    static const char marks[] = ", \t";
    enum vg_cors cors = VG_CORS_NONE;
    if (origin.size == 0) {
        return VG_CORS_NONE;
    }
    const bool is_null = vg_bytes_equal(origin, vg_bytes_text("null"));
    while (*(origins += strspn(origins, marks)) != 0) {
        size_t size = strcspn(origins, marks);
        if (size == 1 && origins[0] == '*') {
            cors = VG_CORS_ANY;
        } else if (
            !is_null && size == origin.size &&
            strncasecmp(origins, (const char *)origin.data, size) == 0) {
            return VG_CORS_LISTED;
        }
        origins += size;
    }
    return cors;
}

bool vg_cors_is_own(struct vg_bytes origin, struct vg_bytes authority, bool is_secure)
{
    static const char *const schemes[] = { "https://", "http://" };
    const size_t count = is_secure ? 1 : VG_ARRAY_COUNT(schemes);
    for (size_t i = 0; i < count && authority.size > 0; i++) {
        const size_t size = strlen(schemes[i]);
        if (origin.size == size + authority.size &&
            strncasecmp((const char *)origin.data, schemes[i], size) == 0 &&
            strncasecmp(
                (const char *)origin.data + size,
                (const char *)authority.data,
                authority.size) == 0) {
            return true;
        }
    }
    return false;
}

static void add(struct vg_http_header *headers, size_t *count, const char *name, const char *value)
{
    headers[(*count)++] = (struct vg_http_header){ vg_bytes_text(name), vg_bytes_text(value) };
}

size_t vg_cors_headers(
    enum vg_cors cors,
    struct vg_bytes origin,
    const char *verbs,
    struct vg_http_header headers[VG_CORS_HEADERS_MAX])
{
    size_t count = 0;
    if (cors == VG_CORS_NONE) {
        return 0;
    }
    headers[count++] = (struct vg_http_header){
        vg_bytes_text("access-control-allow-origin"),
        cors == VG_CORS_ANY ? vg_bytes_text("*") : origin,
    };
    if (cors == VG_CORS_LISTED) {
        add(headers, &count, "access-control-allow-credentials", "true");
    }
    if (verbs == NULL) {
        add(headers, &count, "access-control-expose-headers", answer_headers);
    } else {
        add(headers, &count, "access-control-allow-methods", verbs);
        add(headers, &count, "access-control-allow-headers", request_headers);
        add(headers, &count, "access-control-max-age", preflight_age);
    }
    return count;
}
