/*
 * The status of a call as trailers: grpc-status, grpc-message (percent-encoded), and
 * grpc-status-details-bin, a google.rpc.Status that names the reason (ErrorInfo), what was wrong
 * with the request (BadRequest) and when to repeat it (RetryInfo; also grpc-retry-pushback-ms,
 * which clients that retry by themselves obey, grpc proposal A6).
 *
 * Threads: pure.
 */
#ifndef VG_RPC_GRPC_GRPC_STATUS_H
#define VG_RPC_GRPC_GRPC_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "rpc/net/exchange.h"

#define VG_GRPC_STATUS_DOMAIN "vigil"
/* Trailers of one status: status, message, details, when to try again. */
#define VG_GRPC_STATUS_TRAILERS 4u
/* Clients cap what they take of trailers, some at 8 KiB in all. */
#define VG_GRPC_STATUS_DETAILS_BYTES_MAX 6000u
#define VG_GRPC_STATUS_CODE_MAX          16u

/*
 * Make the trailers of a call that ended with `reason`. `error` (NULL allowed with VG_OK) gives
 * words and violations. Texts live in `arena`; without memory only the code is sent. Returns their
 * count.
 */
size_t vg_grpc_status_trailers(
    enum vg_reason reason,
    const struct vg_error *error,
    struct vg_arena *arena,
    struct vg_http_header out_trailers[VG_GRPC_STATUS_TRAILERS]);

/* Append `message` (UTF-8), all but 0x20 to 0x7E and '%' as %XX. */
void vg_grpc_status_encode_message(struct vg_bytes message, struct vg_buffer *out);

/* The way back. What is no %XX stays as it is: a reader must not fail here. At most `size` - 1
 * bytes and a NUL. */
void vg_grpc_status_decode_message(struct vg_bytes text, char *out, size_t size);

/* What a client learns from the details. Texts live in the arena they were read into; NULL = not
 * said. */
struct vg_grpc_violation {
    const char *field;
    const char *text;
};
struct vg_grpc_details {
    const char *reason; /* "EVENT_NOT_FOUND" */
    const struct vg_grpc_violation *violations;
    size_t violation_count;
    uint32_t retry_after_ms; /* RetryInfo; 0 = it does not say */
};

/* Read the (decoded) bytes of grpc-status-details-bin. False when they are no google.rpc.Status. */
VG_MUST_USE bool vg_grpc_status_read_details(
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_grpc_details *out_details);

#endif
