#include "core/base/case_fold.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "core/base/utf8.h"

/* Fold the character at *at, which is no ASCII, and go behind it; what is no character stays as it
 * is. Returns the bytes written. */
static size_t fold_point(struct vg_bytes text, size_t *at, uint8_t *out)
{
    size_t next = *at;
    UChar32 point;
    U8_NEXT(text.data, next, text.size, point);
    size_t size = next - *at;
    if (point < 0) {
        memcpy(out, text.data + *at, size);
    } else {
        size = vg_utf8_encode((uint32_t)u_foldCase(point, U_FOLD_CASE_DEFAULT), out);
    }
    *at = next;
    return size;
}

size_t vg_case_fold(struct vg_bytes text, uint8_t *out)
{
    size_t used = 0;
    size_t at = 0;
    while (at < text.size) {
        uint8_t byte = text.data[at];
        if (byte < 0x80) {
            out[used++] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
            at++;
        } else {
            used += fold_point(text, &at, out + used);
        }
    }
    return used;
}
