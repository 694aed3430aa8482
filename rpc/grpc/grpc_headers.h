/*
 * The rules of gRPC for request headers (grpc PROTOCOL-HTTP2): what makes a request a gRPC call,
 * what of it dispatch needs, and what else is metadata for handlers.
 *
 * Threads: pure.
 */
#ifndef VG_RPC_GRPC_GRPC_HEADERS_H
#define VG_RPC_GRPC_GRPC_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "rpc/grpc/grpc_encoding.h"
#include "rpc/net/exchange.h"
#include "rpc/service/metadata.h"

struct vg_grpc_headers {
    struct vg_bytes content_type;
    struct vg_bytes timeout;         /* as sent; data NULL = not said */
    struct vg_bytes credential;      /* API key as sent; data NULL = none */
    struct vg_bytes idempotency_key; /* as sent; data NULL = none */
    struct vg_bytes encoding;        /* of messages; data NULL = not said */
    unsigned accepted;               /* encodings of answers, as vg_grpc_encoding_list */
    uint64_t timeout_ns;             /* 0 = not said; a timeout of zero is 1 */
    uint32_t metadata_count;         /* all else but gRPC's and HTTP's own headers */
    size_t metadata_bytes;
};

/* Does the content type say gRPC ("application/grpc", alone or before '+' or ';')? What the
 * selector asks. */
bool vg_grpc_headers_is_grpc(const struct vg_http_request *request);

/*
 * Read what a call needs. Values are borrowed from the request.
 *
 * Fails with: CONTENT_TYPE (not gRPC, or messages that are not protobuf), BAD_HTTP (a timeout that
 * is none).
 */
VG_MUST_USE enum vg_reason vg_grpc_headers_read(
    const struct vg_http_request *request,
    struct vg_grpc_headers *out_headers,
    struct vg_error *error);

/* Copy the metadata that vg_grpc_headers_read has counted. False past the cap of `arena`. */
VG_MUST_USE bool vg_grpc_headers_keep_metadata(
    const struct vg_http_request *request,
    const struct vg_grpc_headers *headers,
    struct vg_arena *arena,
    struct vg_metadata *metadata);

#endif
