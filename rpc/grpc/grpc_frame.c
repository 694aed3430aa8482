#include "rpc/grpc/grpc_frame.h"

#include <string.h>

#include "core/base/assert.h"

void vg_grpc_frame_init(
    struct vg_grpc_frame *frame,
    size_t message_bytes_max,
    struct vg_bytes encoding)
{
    *frame = (struct vg_grpc_frame){ .message_bytes_max = message_bytes_max,
                                     .encoding = encoding,
                                     .coding = vg_grpc_encoding_find(encoding) };
}

static enum vg_reason frame_check_prefix(
    const struct vg_grpc_frame *frame,
    uint32_t size,
    struct vg_error *error)
{
    uint8_t flag = frame->prefix[0];
    if (flag > 1) {
        return vg_error_set(error, VG_BAD_FRAME, "message flag %u does not exist", flag);
    }
    if (flag == 1 && frame->coding == VG_GRPC_ENCODING_IDENTITY) {
        /* grpc compression.md: without grpc-encoding nobody can say how. */
        return vg_error_set(
            error,
            VG_BAD_FRAME,
            "a compressed message needs the header grpc-encoding");
    }
    if (flag == 1 && frame->coding == VG_GRPC_ENCODING_UNKNOWN) {
        return vg_error_set(
            error,
            VG_COMPRESSION,
            "message encoding %.*s is not supported",
            (int)(frame->encoding.size < 32 ? frame->encoding.size : 32),
            (const char *)frame->encoding.data);
    }
    if (size > frame->message_bytes_max) {
        return vg_error_set(
            error,
            VG_REQUEST_TOO_LARGE,
            "message of %u bytes is larger than the limit of %zu",
            size,
            frame->message_bytes_max);
    }
    return VG_OK;
}

enum vg_reason vg_grpc_frame_next(
    struct vg_grpc_frame *frame,
    struct vg_bytes *input,
    struct vg_grpc_piece *out_piece,
    struct vg_error *error)
{
    struct vg_grpc_piece piece = { .part = { .data = input->data } };
    if (frame->left == 0) {
        size_t missing = VG_GRPC_PREFIX_SIZE - frame->prefix_size;
        size_t size = input->size < missing ? input->size : missing;
        memcpy(frame->prefix + frame->prefix_size, input->data, size);
        frame->prefix_size = (uint8_t)(frame->prefix_size + size);
        *input = vg_bytes(input->data + size, input->size - size);
        if (frame->prefix_size < VG_GRPC_PREFIX_SIZE) {
            *out_piece = piece;
            return VG_OK;
        }
        const uint8_t *prefix = frame->prefix;
        piece.size = (uint32_t)prefix[1] << 24 | (uint32_t)prefix[2] << 16 |
                     (uint32_t)prefix[3] << 8 | prefix[4];
        enum vg_reason reason = frame_check_prefix(frame, piece.size, error);
        if (reason != VG_OK) {
            return reason;
        }
        piece.begins = true;
        frame->left = piece.size;
        frame->prefix_size = 0;
        piece.part.data = input->data;
    }
    size_t size = input->size < frame->left ? input->size : frame->left;
    piece.part.size = size;
    *input = vg_bytes(input->data + size, input->size - size);
    piece.compressed = frame->prefix[0] == 1;
    frame->left -= (uint32_t)size;
    if (frame->left == 0) {
        piece.complete = true;
        frame->messages++;
    }
    *out_piece = piece;
    return VG_OK;
}
