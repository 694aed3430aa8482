#include "gateway/envelope/gzip_read.h"

#define ZLIB_CONST /* next_in is not written to */
#include <zlib.h>

#include "core/base/assert.h"

/* zlib: the largest window, and 16 more for a gzip header and nothing else. */
#define WINDOW_BITS (15 + 16)
#define ROOM_BYTES  (64u * 1024u)

/* One member, or what there is of it. Z_STREAM_END, Z_BUF_ERROR (cut short), or what is wrong;
 * VG_… by *out_reason. */
static int read_member(z_stream *stream, struct vg_buffer *out, enum vg_reason *out_reason)
{
    int result = Z_OK;
    while (result == Z_OK) {
        size_t left = out->bytes_max - out->size;
        /* One byte more than there may be tells a body at the limit from one past it. */
        size_t room = left < ROOM_BYTES ? left : ROOM_BYTES;
        uint8_t past = 0;
        if (room > 0 && !vg_buffer_reserve(out, room)) {
            *out_reason = VG_REQUEST_MEMORY;
            return Z_MEM_ERROR;
        }
        stream->next_out = room > 0 ? out->data + out->size : &past;
        stream->avail_out = room > 0 ? (uInt)room : 1;
        uInt before = stream->avail_out;
        result = inflate(stream, Z_NO_FLUSH);
        VG_ASSERT(result != Z_STREAM_ERROR);
        if (room > 0) {
            out->size += before - stream->avail_out;
        } else if (stream->avail_out == 0) {
            *out_reason = VG_REQUEST_TOO_LARGE;
            return Z_DATA_ERROR;
        }
    }
    return result;
}

enum vg_reason vg_gzip_read(struct vg_bytes packed, struct vg_buffer *out, struct vg_error *error)
{
    z_stream stream = { .next_in = packed.data };
    VG_ASSERT(packed.size <= UINT32_MAX);
    stream.avail_in = (uInt)packed.size;
    if (inflateInit2(&stream, WINDOW_BITS) != Z_OK) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason = VG_BAD_ENCODING;
    int result = Z_DATA_ERROR;
    do {
        result = read_member(&stream, out, &reason);
    } while (result == Z_STREAM_END && stream.avail_in > 0 && inflateReset(&stream) == Z_OK);
    (void)inflateEnd(&stream);
    return result == Z_STREAM_END ? VG_OK : vg_error_set(error, reason, NULL);
}
