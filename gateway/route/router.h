/*
 * Router: from an HTTP verb and path to the route of the contract, and the values of its variables.
 *
 * A literal segment always wins over a variable one, so `/events/v2/event/search` is never read as
 * a timestamp. One trailing slash is accepted; doubled slashes, `.` and `..` are no URLs of ours.
 * The path is split on `/` first, then each segment is percent-decoded once.
 *
 * Threads: immutable after create; any thread.
 */
#ifndef VG_GATEWAY_ROUTE_ROUTER_H
#define VG_GATEWAY_ROUTE_ROUTER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "proto/contract.h"

#define VG_ROUTE_SEGMENTS_MAX 12

struct vg_router;

struct vg_route_match {
    const struct vg_route *route;
    uint32_t verbs_allowed; /* bit = enum vg_verb: verbs some route of this path takes */
    size_t variable_count;
    struct {
        const struct vg_route_segment *segment;
        struct vg_bytes value; /* decoded; in the arena or in the path */
    } variables[VG_ROUTE_SEGMENTS_MAX];
};

/* A router over `routes`, which must outlive it. Aborts when memory is out: it is made at start. */
struct vg_router *vg_router_create(const struct vg_route *routes, size_t route_count);
void vg_router_destroy(struct vg_router *router); /* accepts NULL */

/*
 * Find the route of `verb` (enum vg_verb, or -1 for a verb no route takes) and `path` (without
 * query).
 *
 * Fails with: URL_NOT_FOUND; METHOD_NOT_ALLOWED, out_match->verbs_allowed then says what is;
 * INVALID_URL_PARAMETER for a bad escape; REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_router_match(
    const struct vg_router *router,
    int verb,
    struct vg_bytes path,
    struct vg_arena *arena,
    struct vg_route_match *out_match,
    struct vg_error *error);

#endif
