/*
 * Errors as the Connect protocol writes them: JSON with a word for the code, made from the trailers
 * that gRPC would send, so that code, words and details are the same everywhere.
 *
 * Threads: pure.
 */
#ifndef VG_GATEWAY_RPCWEB_CONNECT_ERROR_H
#define VG_GATEWAY_RPCWEB_CONNECT_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "rpc/net/exchange.h"

/* The code of grpc-status among the trailers; what is none is UNKNOWN. */
enum vg_grpc_code vg_connect_error_code(const struct vg_http_header *trailers, size_t count);

/* The HTTP status of a unary answer with that code (Connect protocol, "Error Codes"). */
unsigned vg_connect_error_status(enum vg_grpc_code code);

/* Append {"code","message","details"} of a status that is not OK. */
void vg_connect_error_write(
    const struct vg_http_header *trailers,
    size_t count,
    struct vg_buffer *out);

/* Is it a trailer of gRPC's own, and not metadata? */
bool vg_connect_error_owns(struct vg_bytes name);

/* Append the message that ends a stream, {"error","metadata"}, the latter of trailers that are not
 * gRPC's own. */
void vg_connect_error_write_end(
    const struct vg_http_header *trailers,
    size_t count,
    struct vg_buffer *out);

#endif
