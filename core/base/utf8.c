#include "core/base/utf8.h"

#include <string.h>

#include "core/base/assert.h"

#define VG_HIGH_BITS UINT64_C(0x8080808080808080)

static uint64_t load_word(const uint8_t *data)
{
    uint64_t word;
    memcpy(&word, data, sizeof(word));
    return word;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Bytes of the valid character that begins at `data`, 0 when there is none. The bounds of the
 * second byte are the table of RFC 3629 §4: they keep out overlong forms, surrogates and what is
 * above U+10FFFF. */
static size_t character_size(const uint8_t *data, size_t left)
{
    uint8_t lead = data[0];
    if (lead < 0x80) {
        return 1;
    }
    size_t size = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (size == 0 || size > left) {
        return 0;
    }
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (data[1] < low || data[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if (!is_continuation(data[i])) {
            return 0;
        }
    }
    return size;
}

size_t vg_utf8_valid_size(struct vg_bytes text)
{
    size_t at = 0;
    while (at < text.size) {
        if (text.size - at >= 8 && (load_word(text.data + at) & VG_HIGH_BITS) == 0) {
            at += 8;
            continue;
        }
        size_t size = character_size(text.data + at, text.size - at);
        if (size == 0) {
            return at;
        }
        at += size;
    }
    return at;
}

bool vg_utf8_is_valid(struct vg_bytes text)
{
    return vg_utf8_valid_size(text) == text.size;
}

size_t vg_utf8_count(struct vg_bytes text)
{
    size_t count = 0;
    size_t at = 0;
    while (at < text.size) {
        if (text.size - at >= 8 && (load_word(text.data + at) & VG_HIGH_BITS) == 0) {
            count += 8;
            at += 8;
            continue;
        }
        count += !is_continuation(text.data[at]);
        at++;
    }
    return count;
}

struct vg_bytes vg_utf8_cut(struct vg_bytes text, size_t code_points_max)
{
    if (text.size <= code_points_max) {
        return text; /* a code point takes at least a byte */
    }
    size_t count = 0;
    for (size_t at = 0; at < text.size; at++) {
        if (!is_continuation(text.data[at]) && count++ == code_points_max) {
            return vg_bytes(text.data, at);
        }
    }
    return text;
}

struct vg_bytes vg_utf8_cut_bytes(struct vg_bytes text, size_t bytes_max)
{
    if (text.size <= bytes_max) {
        return text;
    }
    size_t at = bytes_max;
    while (at > 0 && is_continuation(text.data[at])) {
        at--;
    }
    return vg_bytes(text.data, at);
}

bool vg_utf8_has_nul(struct vg_bytes text)
{
    return text.size > 0 && memchr(text.data, 0, text.size) != NULL;
}

size_t vg_utf8_encode(uint32_t code_point, uint8_t out_bytes[4])
{
    VG_ASSERT(code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF));
    if (code_point < 0x80) {
        out_bytes[0] = (uint8_t)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out_bytes[0] = (uint8_t)(0xC0 | code_point >> 6);
        out_bytes[1] = (uint8_t)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        out_bytes[0] = (uint8_t)(0xE0 | code_point >> 12);
        out_bytes[1] = (uint8_t)(0x80 | (code_point >> 6 & 0x3F));
        out_bytes[2] = (uint8_t)(0x80 | (code_point & 0x3F));
        return 3;
    }
    out_bytes[0] = (uint8_t)(0xF0 | code_point >> 18);
    out_bytes[1] = (uint8_t)(0x80 | (code_point >> 12 & 0x3F));
    out_bytes[2] = (uint8_t)(0x80 | (code_point >> 6 & 0x3F));
    out_bytes[3] = (uint8_t)(0x80 | (code_point & 0x3F));
    return 4;
}
