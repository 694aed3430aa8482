/* gRPC framing: cut differently, the same bytes give the same messages. The first byte says how to
 * cut. */
#include "rpc/grpc/grpc_frame.h"

#include "core/base/assert.h"

#define LIMIT 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum vg_reason reason;
    uint32_t messages;
    uint32_t compressed; /* of them */
    uint64_t hash;
};

static struct outcome feed(struct vg_bytes bytes, size_t slice)
{
    struct vg_grpc_frame frame;
    struct outcome outcome = { .reason = VG_OK };
    vg_grpc_frame_init(&frame, LIMIT, vg_bytes_text("gzip"));
    for (size_t at = 0; at < bytes.size && outcome.reason == VG_OK; at += slice) {
        struct vg_bytes input =
            vg_bytes(bytes.data + at, bytes.size - at < slice ? bytes.size - at : slice);
        while (input.size > 0 && outcome.reason == VG_OK) {
            struct vg_grpc_piece piece;
            size_t before = input.size;
            outcome.reason = vg_grpc_frame_next(&frame, &input, &piece, NULL);
            if (outcome.reason != VG_OK) {
                break;
            }
            VG_ASSERT(input.size < before && piece.size <= LIMIT);
            outcome.compressed += piece.complete && piece.compressed ? 1 : 0;
            for (size_t i = 0; i < piece.part.size; i++) {
                outcome.hash = outcome.hash * 31 + piece.part.data[i];
            }
        }
    }
    outcome.messages = frame.messages;
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct vg_bytes bytes = vg_bytes(data + 1, size - 1);
    struct outcome whole = feed(bytes, bytes.size);
    struct outcome cut = feed(bytes, data[0] == 0 ? 1 : data[0]);
    VG_ASSERT(whole.reason == cut.reason && whole.messages == cut.messages);
    VG_ASSERT(whole.hash == cut.hash && whole.compressed == cut.compressed);
    return 0;
}
