#include "gateway/route/percent.h"

#include <string.h>

#include "core/base/utf8.h"

static int hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    uint8_t lower = digit | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool needs_decoding(struct vg_bytes text, bool plus_is_blank)
{
    return text.size > 0 && (memchr(text.data, '%', text.size) != NULL ||
                             (plus_is_blank && memchr(text.data, '+', text.size) != NULL));
}

/* The byte of the escape at `at`; -1 when it is none. */
static int read_escape(struct vg_bytes text, size_t at)
{
    int high = at + 2 < text.size ? hex_value(text.data[at + 1]) : -1;
    int low = at + 2 < text.size ? hex_value(text.data[at + 2]) : -1;
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Returns the bytes written to `out`, -1 for an escape that is none. */
static ptrdiff_t decode(struct vg_bytes text, bool plus_is_blank, uint8_t *out)
{
    ptrdiff_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '+' && plus_is_blank) {
            byte = ' ';
        } else if (byte == '%') {
            int escape = read_escape(text, i);
            if (escape < 0) {
                return -1;
            }
            byte = (uint8_t)escape;
            i += 2;
        }
        out[size++] = byte;
    }
    return size;
}

enum vg_reason vg_percent_decode(
    struct vg_bytes text,
    bool plus_is_blank,
    struct vg_arena *arena,
    struct vg_bytes *out_decoded,
    struct vg_error *error)
{
    struct vg_bytes decoded = text;
    if (needs_decoding(text, plus_is_blank)) {
        uint8_t *out = vg_arena_alloc(arena, text.size);
        if (out == NULL) {
            return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
        }
        ptrdiff_t size = decode(text, plus_is_blank, out);
        if (size < 0) {
            return vg_error_set(
                error,
                VG_INVALID_URL_PARAMETER,
                "The URL has an incomplete percent escape");
        }
        decoded = vg_bytes(out, (size_t)size);
    }
    if (!vg_utf8_is_valid(decoded) ||
        (decoded.size > 0 && memchr(decoded.data, 0, decoded.size) != NULL)) {
        return vg_error_set(error, VG_INVALID_URL_PARAMETER, "The URL is not valid UTF-8 text");
    }
    *out_decoded = decoded;
    return VG_OK;
}
