/*
 * Text from outside: is it UTF-8 as RFC 3629 wants it, and without NUL?
 *
 * Used by the wire decoder and the JSON reader, so that a text member of a message is always a
 * proper C string. Plain ASCII, nearly all there is, is looked at eight bytes at a time.
 *
 * Threads: pure functions.
 */
#ifndef VG_CORE_WIRE_UTF8_CHECK_H
#define VG_CORE_WIRE_UTF8_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/bytes.h"

/*
 * Size (2 to 4) of the valid sequence at `data` whose first byte is 0x80 or more; 0 when it is not
 * one: overlong, a surrogate, above U+10FFFF or cut off.
 */
size_t vg_utf8_sequence(const uint8_t *data, size_t size);

/* Is `text` valid UTF-8 without NUL? For text that is not plain; call vg_utf8_is_text. */
bool vg_utf8_is_text_slow(struct vg_bytes text);

/* The number of code points of a valid text. */
size_t vg_utf8_length(const char *text);

/* The longest start of `text` of at most `size` bytes that ends between two characters. */
size_t vg_utf8_cut(const uint8_t *text, size_t text_size, size_t size);

/* Is `text` valid UTF-8 without NUL? */
static inline bool vg_utf8_is_text(struct vg_bytes text)
{
    const uint8_t *next = text.data;
    size_t left = text.size;
    while (left >= 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        /* A byte above 0x7F shows itself; a zero byte borrows into its highest bit. */
        if ((((word - UINT64_C(0x0101010101010101)) | word) & UINT64_C(0x8080808080808080)) != 0) {
            return vg_utf8_is_text_slow(vg_bytes(next, left));
        }
        next += 8;
        left -= 8;
    }
    for (; left > 0; next++, left--) {
        if ((uint8_t)(*next - 1) >= 0x7F) {
            return vg_utf8_is_text_slow(vg_bytes(next, left));
        }
    }
    return true;
}

#endif
