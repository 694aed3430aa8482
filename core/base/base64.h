/*
 * Base64 (RFC 4648): the standard and the URL-safe alphabet, with or without padding.
 *
 * Threads: any.
 */
#ifndef VG_CORE_BASE_BASE64_H
#define VG_CORE_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

enum vg_base64_flags {
    VG_BASE64_STANDARD = 0,     /* + and /, padded with = */
    VG_BASE64_URL = 1,          /* - and _ instead of + and / */
    VG_BASE64_UNPADDED = 2,     /* encode: no padding; decode: none allowed */
    VG_BASE64_ANY_PADDING = 4,  /* decode: padded or not */
    VG_BASE64_ANY_ALPHABET = 8, /* decode: either alphabet, as proto3 JSON wants */
};

/* Characters that encoding `size` bytes writes, without the NUL. */
size_t vg_base64_encoded_size(size_t size, unsigned flags);

/* At most this many bytes come from `size` characters. */
static inline size_t vg_base64_decoded_max(size_t size)
{
    return size / 4 * 3 + 3;
}

/* Write vg_base64_encoded_size characters and a NUL. */
void vg_base64_encode(struct vg_bytes bytes, unsigned flags, char *out_text);

/* Decode `text` to `out_bytes`, room for vg_base64_decoded_max. False when a character is foreign,
 * padding is not as `flags` say, or bits behind the last byte are not zero (RFC 4648 §3.5);
 * out_bytes may then be partly written. */
VG_MUST_USE bool vg_base64_decode(
    struct vg_bytes text,
    unsigned flags,
    uint8_t *out_bytes,
    size_t *out_size);

#endif
