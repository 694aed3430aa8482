/*
 * The messages of a streamed upload, read while they arrive: each is `{ bytes data = 1; }`, and
 * only the bytes of its data matter. So a message is never collected, and its bytes pass on in
 * whatever parts they come.
 *
 * A pure state machine over any split of one message after the other (protobuf encoding guide).
 * Fields the contract does not have are skipped, as in every request.
 *
 * Threads: a value.
 */
#ifndef VG_RPC_GRPC_GRPC_CONTENT_H
#define VG_RPC_GRPC_GRPC_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

enum vg_grpc_content_state {
    VG_GRPC_CONTENT_KEY,
    VG_GRPC_CONTENT_LENGTH,
    VG_GRPC_CONTENT_VARINT, /* the value of a field that is skipped */
    VG_GRPC_CONTENT_DATA,
    VG_GRPC_CONTENT_SKIP,
};

/* Zeroed = before the first message. */
struct vg_grpc_content {
    enum vg_grpc_content_state state;
    uint64_t left;   /* of DATA and SKIP */
    uint64_t varint; /* read so far */
    uint8_t shift;   /* its bits */
    bool is_data;    /* the field whose LENGTH is read */
    bool had_data;   /* this message has had its data */
};

/*
 * Take the next step within a message: bytes are dropped from the front of *input, and those of
 * them that are data are in *out_data, which may be empty. Call while input->size > 0.
 *
 * Fails with: INVALID_WIRE_MESSAGE.
 */
VG_MUST_USE enum vg_reason vg_grpc_content_next(
    struct vg_grpc_content *content,
    struct vg_bytes *input,
    struct vg_bytes *out_data,
    struct vg_error *error);

/*
 * The message is complete; the next one begins.
 *
 * Fails with: INVALID_WIRE_MESSAGE when it ends within a field.
 */
VG_MUST_USE enum vg_reason vg_grpc_content_end(
    struct vg_grpc_content *content,
    struct vg_error *error);

#endif
