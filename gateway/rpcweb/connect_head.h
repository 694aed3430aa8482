/*
 * The head of a request of the Connect protocol: its own headers by their gRPC names, so that key,
 * deadline and metadata are read as gRPC reads them.
 *
 * Threads: pure.
 */
#ifndef VG_GATEWAY_RPCWEB_CONNECT_HEAD_H
#define VG_GATEWAY_RPCWEB_CONNECT_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "rpc/net/exchange.h"

#define VG_CONNECT_TIMEOUT_DIGITS 10u

struct vg_connect_head {
    struct vg_bytes version;  /* connect-protocol-version; data NULL = not said; so the next */
    struct vg_bytes encoding; /* content-encoding */
    bool has_accept;          /* accept-encoding was said */
    bool wants_gzip;          /* and gzip is in it */
    char timeout[16];         /* as grpc-timeout; "" = none */
};

/*
 * The headers of `request` as gRPC has them, into `out_headers`, room for as many and two more.
 * Names and values are borrowed, from *out_head too. `is_stream`: its encodings have names of their
 * own, and are passed on.
 *
 * Fails with: INVALID_FIELD_VALUE (a timeout that is none, another version than 1).
 */
VG_MUST_USE enum vg_reason vg_connect_head_read(
    const struct vg_http_request *request,
    bool is_stream,
    struct vg_connect_head *out_head,
    struct vg_http_header *out_headers,
    size_t *out_count,
    struct vg_error *error);

#endif
