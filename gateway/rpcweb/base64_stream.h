/*
 * Base64 that arrives in pieces: groups of four characters, cut anywhere. Padding may end any
 * group, not only the last: a sender pads whenever it flushes, and what follows begins a new group
 * (grpc PROTOCOL-WEB, "Text-encoded streams").
 *
 * Threads: a value.
 */
#ifndef VG_GATEWAY_RPCWEB_BASE64_STREAM_H
#define VG_GATEWAY_RPCWEB_BASE64_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

/* Zeroed = between two groups. */
struct vg_base64_stream {
    uint8_t count; /* characters of the group that is not yet complete */
    char group[4];
};

/* At most this many bytes come from `size` characters and what was kept before them. */
static inline size_t vg_base64_stream_decoded_max(size_t size)
{
    return (size + 3) / 4 * 3;
}

/*
 * Decode the next characters to `out`, room for vg_base64_stream_decoded_max. False when a
 * character is foreign, padding is not where a group ends, or bits behind the last byte are not
 * zero; the stream is of no use then.
 */
VG_MUST_USE bool vg_base64_stream_decode(
    struct vg_base64_stream *stream,
    struct vg_bytes text,
    uint8_t *out,
    size_t *out_size);

/* Between two groups: what came is complete. */
static inline bool vg_base64_stream_is_idle(const struct vg_base64_stream *stream)
{
    return stream->count == 0;
}

#endif
