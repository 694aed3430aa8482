/*
 * Compression of an answer while it is made: parts go in, parts of one gzip stream (RFC 1952) come
 * out.
 *
 * Threads: with the call.
 */
#ifndef VG_GATEWAY_ENVELOPE_GZIP_WRITE_H
#define VG_GATEWAY_ENVELOPE_GZIP_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"

struct z_stream_s;

struct vg_gzip_writer {
    struct z_stream_s *stream; /* NULL = nothing has begun */
};

/*
 * Append what `part` becomes to `out`; with `last` the stream is complete. Of the first part the
 * size matters: if it is also the last one little memory is taken. What comes out may be nothing,
 * before the last part.
 *
 * False when memory is out, or `out` is full.
 */
VG_MUST_USE bool vg_gzip_writer_add(
    struct vg_gzip_writer *writer,
    struct vg_bytes part,
    bool last,
    struct vg_buffer *out);

/* Accepts one that has not begun. */
void vg_gzip_writer_dispose(struct vg_gzip_writer *writer);

#endif
