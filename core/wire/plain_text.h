/*
 * Text from outside: is it UTF-8 without NUL, so that a text member is always a proper C string?
 *
 * Plain ASCII, nearly all there is, is looked at eight bytes at a time; the rest goes to
 * core/base/utf8.
 *
 * Threads: pure functions.
 */
#ifndef VG_CORE_WIRE_PLAIN_TEXT_H
#define VG_CORE_WIRE_PLAIN_TEXT_H

#include "core/base/utf8.h"

static inline bool vg_text_is_proper(struct vg_bytes text)
{
    const uint8_t *next = text.data;
    size_t left = text.size;
    bool plain = true;
    for (; left >= 8 && plain; next += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        /* A byte above 0x7F shows itself; a zero byte borrows into its highest bit. */
        plain =
            (((word - UINT64_C(0x0101010101010101)) | word) & UINT64_C(0x8080808080808080)) == 0;
    }
    for (; left > 0 && plain; next++, left--) {
        plain = (uint8_t)(*next - 1) < 0x7F;
    }
    return plain || (vg_utf8_is_valid(text) && !vg_utf8_has_nul(text));
}

#endif
