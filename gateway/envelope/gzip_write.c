#include "gateway/envelope/gzip_write.h"

#include <stdlib.h>

#define ZLIB_CONST /* next_in is not written to */
#include <zlib.h>

#include "core/base/assert.h"

/* The fast level: JSON shrinks to a tenth by it, and to little less by the slow ones. */
#define LEVEL 1
/* zlib: 16 more mean a gzip header instead of its own. */
#define GZIP_HEADER 16
/* 64 KiB of window and tables where an answer has many parts; 16 KiB for one that fits that window
 * (zconf.h has the sum). */
#define WINDOW_BITS       14
#define MEMORY_LEVEL      7
#define SMALL_WINDOW_BITS 12
#define SMALL_MEMORY      5
#define SMALL_BYTES       (1u << SMALL_WINDOW_BITS)
#define ROOM_BYTES        (16u * 1024u)

static bool begin(struct vg_gzip_writer *writer, size_t size, bool last)
{
    bool is_small = last && size <= SMALL_BYTES;
    z_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL) {
        return false;
    }
    int result = deflateInit2(
        stream,
        LEVEL,
        Z_DEFLATED,
        GZIP_HEADER + (is_small ? SMALL_WINDOW_BITS : WINDOW_BITS),
        is_small ? SMALL_MEMORY : MEMORY_LEVEL,
        Z_DEFAULT_STRATEGY);
    if (result != Z_OK) {
        free(stream);
        return false;
    }
    writer->stream = stream;
    return true;
}

bool vg_gzip_writer_add(
    struct vg_gzip_writer *writer,
    struct vg_bytes part,
    bool last,
    struct vg_buffer *out)
{
    if (writer->stream == NULL && !begin(writer, part.size, last)) {
        return false;
    }
    z_stream *stream = writer->stream;
    VG_ASSERT(part.size <= UINT32_MAX);
    stream->next_in = part.data;
    stream->avail_in = (uInt)part.size;
    int result = Z_OK;
    do {
        if (!vg_buffer_reserve(out, ROOM_BYTES)) {
            return false;
        }
        stream->next_out = out->data + out->size;
        stream->avail_out = ROOM_BYTES;
        result = deflate(stream, last ? Z_FINISH : Z_NO_FLUSH);
        VG_ASSERT(result != Z_STREAM_ERROR);
        out->size += ROOM_BYTES - stream->avail_out;
    } while (stream->avail_out == 0);
    VG_ASSERT(stream->avail_in == 0 && (!last || result == Z_STREAM_END));
    return true;
}

void vg_gzip_writer_dispose(struct vg_gzip_writer *writer)
{
    if (writer->stream != NULL) {
        (void)deflateEnd(writer->stream);
        free(writer->stream);
        writer->stream = NULL;
    }
}
