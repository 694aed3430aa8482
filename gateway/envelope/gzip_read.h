/*
 * A request body that came as gzip (RFC 1952), unpacked as a whole and never past its limit,
 * whatever it promises.
 *
 * Threads: pure.
 */
#ifndef VG_GATEWAY_ENVELOPE_GZIP_READ_H
#define VG_GATEWAY_ENVELOPE_GZIP_READ_H

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/error.h"

/*
 * Append what `packed`, one or more members, unpacks to. `out` has the limit.
 *
 * Fails with: BAD_ENCODING (not gzip, damaged, cut short, or bytes behind it); REQUEST_TOO_LARGE;
 * REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_gzip_read(
    struct vg_bytes packed,
    struct vg_buffer *out,
    struct vg_error *error);

#endif
