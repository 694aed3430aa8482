/*
 * Routes are sorted so that of those with the same number of segments the more literal one comes
 * first, compared from the left; a path is then held against the routes of its own length. The
 * contract has some hundred routes at most, four or five to a length, so this costs a fraction of a
 * microsecond.
 */
#include "gateway/route/router.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "gateway/route/percent.h"

struct vg_router {
    size_t starts[VG_ROUTE_SEGMENTS_MAX + 2]; /* of each length in `routes` */
    const struct vg_route *routes[];
};

static int compare_routes(const void *left, const void *right)
{
    const struct vg_route *a = *(const struct vg_route *const *)left;
    const struct vg_route *b = *(const struct vg_route *const *)right;
    if (a->segment_count != b->segment_count) {
        return a->segment_count < b->segment_count ? -1 : 1;
    }
    for (size_t i = 0; i < a->segment_count; i++) {
        bool a_is_literal = a->segments[i].literal != NULL;
        bool b_is_literal = b->segments[i].literal != NULL;
        if (a_is_literal != b_is_literal) {
            return a_is_literal ? -1 : 1;
        }
    }
    return a < b ? -1 : a > b;
}

struct vg_router *vg_router_create(const struct vg_route *routes, size_t route_count)
{
    struct vg_router *router = calloc(1, sizeof(*router) + route_count * sizeof(routes));
    VG_ASSERT(router != NULL);
    for (size_t i = 0; i < route_count; i++) {
        VG_ASSERT(routes[i].segment_count <= VG_ROUTE_SEGMENTS_MAX);
        router->routes[i] = &routes[i];
        router->starts[routes[i].segment_count + 1]++;
    }
    qsort(router->routes, route_count, sizeof(router->routes[0]), compare_routes);
    for (size_t i = 1; i < VG_ARRAY_COUNT(router->starts); i++) {
        router->starts[i] += router->starts[i - 1];
    }
    return router;
}

void vg_router_destroy(struct vg_router *router)
{
    free(router);
}

/* Split and decode. More segments than any route has is URL_NOT_FOUND, as are empty ones and dots.
 */
static enum vg_reason split(
    struct vg_bytes path,
    struct vg_arena *arena,
    struct vg_bytes segments[VG_ROUTE_SEGMENTS_MAX],
    size_t *out_count,
    struct vg_error *error)
{
    size_t count = 0;
    if (path.size == 0 || path.data[0] != '/') {
        return vg_error_set(error, VG_URL_NOT_FOUND, NULL);
    }
    if (path.size > 1 && path.data[path.size - 1] == '/') {
        path.size--; /* one trailing slash is accepted */
    }
    size_t at = 1;
    while (at <= path.size && path.size > 1) {
        const uint8_t *slash = at < path.size ? memchr(path.data + at, '/', path.size - at) : NULL;
        size_t end = slash == NULL ? path.size : (size_t)(slash - path.data);
        struct vg_bytes raw = vg_bytes(path.data + at, end - at);
        bool dots = (raw.size == 1 && raw.data[0] == '.') ||
                    (raw.size == 2 && memcmp(raw.data, "..", 2) == 0);
        if (raw.size == 0 || dots || count == VG_ROUTE_SEGMENTS_MAX) {
            return vg_error_set(error, VG_URL_NOT_FOUND, NULL);
        }
        enum vg_reason reason = vg_percent_decode(raw, false, arena, &segments[count], error);
        if (reason != VG_OK) {
            return reason;
        }
        count++;
        at = end + 1;
    }
    *out_count = count;
    return VG_OK;
}

static bool fits(const struct vg_route *route, const struct vg_bytes *segments)
{
    for (size_t i = 0; i < route->segment_count; i++) {
        const char *literal = route->segments[i].literal;
        if (literal != NULL && !vg_bytes_equal(vg_bytes_text(literal), segments[i])) {
            return false;
        }
    }
    return true;
}

/* How many literals a route has up to its first variable, then on: equal for routes that rank the
 * same. */
static bool same_rank(const struct vg_route *a, const struct vg_route *b)
{
    for (size_t i = 0; i < a->segment_count; i++) {
        if ((a->segments[i].literal != NULL) != (b->segments[i].literal != NULL)) {
            return false;
        }
    }
    return true;
}

static void take(
    const struct vg_route *route,
    const struct vg_bytes *segments,
    struct vg_route_match *out_match)
{
    out_match->route = route;
    out_match->variable_count = 0;
    for (size_t i = 0; i < route->segment_count; i++) {
        if (route->segments[i].literal == NULL) {
            out_match->variables[out_match->variable_count].segment = &route->segments[i];
            out_match->variables[out_match->variable_count].value = segments[i];
            out_match->variable_count++;
        }
    }
}

enum vg_reason vg_router_match(
    const struct vg_router *router,
    int verb,
    struct vg_bytes path,
    struct vg_arena *arena,
    struct vg_route_match *out_match,
    struct vg_error *error)
{
    struct vg_bytes segments[VG_ROUTE_SEGMENTS_MAX];
    size_t count = 0;
    enum vg_reason reason = split(path, arena, segments, &count, error);
    if (reason != VG_OK) {
        return reason;
    }
    out_match->verbs_allowed = 0;
    out_match->route = NULL;
    const struct vg_route *best = NULL;
    for (size_t i = router->starts[count]; i < router->starts[count + 1]; i++) {
        const struct vg_route *route = router->routes[i];
        if (!fits(route, segments)) {
            continue;
        }
        if (best != NULL && !same_rank(best, route)) {
            break; /* the more literal path is the one meant; its verbs count, not those of a
                      variable one */
        }
        best = route;
        out_match->verbs_allowed |= 1u << route->verb;
        if (verb >= 0 && route->verb == verb && out_match->route == NULL) {
            take(route, segments, out_match);
        }
    }
    if (best == NULL) {
        return vg_error_set(error, VG_URL_NOT_FOUND, NULL);
    }
    if (out_match->route == NULL) {
        return vg_error_set(error, VG_METHOD_NOT_ALLOWED, NULL);
    }
    return VG_OK;
}
