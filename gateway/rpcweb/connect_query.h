/*
 * The query of a call by GET (Connect protocol, "Unary-Get-Request"): what message it has, and how
 * that is written. Parameters come in any order; those that are unknown are passed over.
 *
 * Threads: an arena belongs to one thread at a time.
 */
#ifndef VG_GATEWAY_RPCWEB_CONNECT_QUERY_H
#define VG_GATEWAY_RPCWEB_CONNECT_QUERY_H

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

/* Data NULL = not said. Texts live in the arena or in the query. */
struct vg_connect_query {
    struct vg_bytes version;     /* "v1" */
    struct vg_bytes encoding;    /* "json", "proto" */
    struct vg_bytes compression; /* "gzip" */
    struct vg_bytes base64;      /* "1" = the message is base64 */
    struct vg_bytes message;     /* its bytes */
};

/*
 * Fails with: INVALID_URL_PARAMETER (what is no percent encoding, no base64, or neither text nor
 * base64; a parameter twice), REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_connect_query_read(
    struct vg_bytes query,
    struct vg_arena *arena,
    struct vg_connect_query *out_query,
    struct vg_error *error);

#endif
