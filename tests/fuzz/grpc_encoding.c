/*
 * Message encodings: whatever a message inflates to stays within the limit, and what is deflated
 * inflates to the same again. The first byte says how, the second is the limit in units of 64
 * bytes.
 */
#include "rpc/grpc/grpc_encoding.h"

#include <string.h>

#include "core/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inflate(enum vg_grpc_encoding encoding, struct vg_bytes message, size_t limit)
{
    struct vg_grpc_encoding_pool pool = { 0 };
    struct vg_buffer out;
    vg_buffer_init(&out, limit);
    enum vg_reason reason = vg_grpc_encoding_inflate(&pool, encoding, message, limit, &out, NULL);
    VG_ASSERT(out.size <= limit && out.capacity <= limit);
    VG_ASSERT(
        reason == VG_OK || reason == VG_BAD_FRAME || reason == VG_REQUEST_TOO_LARGE ||
        (reason == VG_REQUEST_MEMORY && limit == 0));
    vg_buffer_dispose(&out);
    vg_grpc_encoding_pool_dispose(&pool);
}

static void check_round(enum vg_grpc_encoding encoding, struct vg_bytes message)
{
    struct vg_grpc_encoding_pool pool = { 0 };
    struct vg_buffer packed;
    struct vg_buffer out;
    vg_buffer_init(&packed, SIZE_MAX);
    vg_buffer_init(&out, message.size);
    vg_buffer_append(&packed, message.data, message.size);
    if (vg_grpc_encoding_deflate(&pool, encoding, &packed, 0)) {
        VG_ASSERT(packed.size < message.size);
        VG_ASSERT(
            vg_grpc_encoding_inflate(
                &pool,
                encoding,
                vg_buffer_bytes(&packed),
                message.size,
                &out,
                NULL) == VG_OK);
        VG_ASSERT(vg_bytes_equal(vg_buffer_bytes(&out), message));
    } else {
        VG_ASSERT(vg_bytes_equal(vg_buffer_bytes(&packed), message));
    }
    vg_buffer_dispose(&packed);
    vg_buffer_dispose(&out);
    vg_grpc_encoding_pool_dispose(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    const enum vg_grpc_encoding encoding =
        (data[0] & 1) != 0 ? VG_GRPC_ENCODING_GZIP : VG_GRPC_ENCODING_DEFLATE;
    const struct vg_bytes rest = vg_bytes(data + 2, size - 2);
    if ((data[0] & 2) != 0) {
        check_round(encoding, rest);
    } else {
        check_inflate(encoding, rest, (size_t)data[1] * 64u);
    }
    return 0;
}
