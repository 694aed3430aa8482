/*
 * The five bytes before each gRPC message: a flag and a length (grpc PROTOCOL-HTTP2,
 * Length-Prefixed-Message).
 *
 * A pure state machine over any split of the bytes. The length is judged on the prefix, before a
 * byte of the message is kept.
 *
 * Threads: a value.
 */
#ifndef VG_RPC_GRPC_GRPC_FRAME_H
#define VG_RPC_GRPC_GRPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "rpc/grpc/grpc_encoding.h"

#define VG_GRPC_PREFIX_SIZE 5u

struct vg_grpc_frame {
    size_t message_bytes_max;
    /* The message encoding the head named: data NULL = none. */
    struct vg_bytes encoding;
    enum vg_grpc_encoding coding; /* the same */
    uint32_t left;                /* of the current message */
    uint32_t messages;            /* complete ones */
    uint8_t prefix_size;
    uint8_t prefix[VG_GRPC_PREFIX_SIZE];
};

void vg_grpc_frame_init(
    struct vg_grpc_frame *frame,
    size_t message_bytes_max,
    struct vg_bytes encoding);

/* What one step has found. */
struct vg_grpc_piece {
    struct vg_bytes part; /* of the message, borrowed from the input; may be empty */
    bool begins;          /* a prefix was complete: `size` is the length of its message */
    bool complete;        /* `part` is the last of its message */
    bool compressed;      /* the message is encoded as the head says, with a length of `size` */
    uint32_t size;
};

/*
 * Take the next step: bytes are dropped from the front of *input, what they were is in *out_piece.
 * Call while input->size > 0.
 *
 * Fails with: BAD_FRAME (flag that does not exist, compressed without an encoding), COMPRESSION (an
 * encoding we do not have), REQUEST_TOO_LARGE. The frame is of no use then.
 */
VG_MUST_USE enum vg_reason vg_grpc_frame_next(
    struct vg_grpc_frame *frame,
    struct vg_bytes *input,
    struct vg_grpc_piece *out_piece,
    struct vg_error *error);

/* Between messages, with no byte of a next one. */
static inline bool vg_grpc_frame_is_idle(const struct vg_grpc_frame *frame)
{
    return frame->prefix_size == 0 && frame->left == 0;
}

/* Write the prefix of a message. */
static inline void vg_grpc_frame_put_prefix(
    uint8_t out[VG_GRPC_PREFIX_SIZE],
    bool compressed,
    uint32_t size)
{
    out[0] = compressed ? 1 : 0;
    out[1] = (uint8_t)(size >> 24);
    out[2] = (uint8_t)(size >> 16);
    out[3] = (uint8_t)(size >> 8);
    out[4] = (uint8_t)size;
}

#endif
