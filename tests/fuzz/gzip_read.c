/*
 * Compressed bodies of strangers: whatever they promise, no more than the limit comes out; and what
 * is packed is read back.
 *
 * Input: the body.
 *
 * Threads: one.
 */
#include "gateway/envelope/gzip_read.h"

#include "core/base/assert.h"
#include "gateway/envelope/gzip_write.h"

#define MOST 100000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum vg_reason read(struct vg_bytes packed, struct vg_buffer *out)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    vg_buffer_init(out, MOST);
    return vg_gzip_read(packed, out, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vg_buffer out;
    enum vg_reason reason = read(vg_bytes(data, size), &out);
    VG_ASSERT(out.size <= MOST);
    VG_ASSERT(reason == VG_OK || reason == VG_BAD_ENCODING || reason == VG_REQUEST_TOO_LARGE);
    vg_buffer_dispose(&out);
    if (size > MOST) {
        return 0;
    }
    struct vg_gzip_writer writer = { NULL };
    struct vg_buffer packed;
    vg_buffer_init(&packed, 2 * MOST + 1000);
    VG_ASSERT(vg_gzip_writer_add(&writer, vg_bytes(data, size / 2), false, &packed));
    VG_ASSERT(
        vg_gzip_writer_add(&writer, vg_bytes(data + size / 2, size - size / 2), true, &packed));
    vg_gzip_writer_dispose(&writer);
    VG_ASSERT(read(vg_buffer_bytes(&packed), &out) == VG_OK);
    VG_ASSERT(vg_bytes_equal(vg_buffer_bytes(&out), vg_bytes(data, size)));
    vg_buffer_dispose(&out);
    vg_buffer_dispose(&packed);
    return 0;
}
