/*
 * Where frames begin in the bytes of one HTTP/2 connection, however they are cut. Looks at nothing
 * but the nine octets of a frame's header, RFC 9113 section 4.1.
 *
 * Pure: bytes in, headers out.
 *
 * Threads: the connection's worker.
 */
#ifndef VG_RPC_HTTP2_HTTP2_SCAN_H
#define VG_RPC_HTTP2_HTTP2_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

#define VG_HTTP2_SCAN_HEAD_BYTES 9u

struct vg_http2_scan {
    uint32_t left; /* octets of the payload that are still to come */
    uint8_t have;  /* octets of a header that has begun */
    uint8_t head[VG_HTTP2_SCAN_HEAD_BYTES];
};

struct vg_http2_scan_frame {
    size_t begins; /* where in the part its header begins; 0 when that was in an earlier one */
    uint8_t type;
    uint8_t flags;
    int32_t stream;
};

/* The next header that is complete in `part` from *at on, which is moved behind it; false = there
 * is no other. */
bool vg_http2_scan_next(
    struct vg_http2_scan *scan,
    struct vg_bytes part,
    size_t *at,
    struct vg_http2_scan_frame *out_frame);

#endif
