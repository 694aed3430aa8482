#include "core/base/base64.h"

static const char standard_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t vg_base64_encoded_size(size_t size, unsigned flags)
{
    static const size_t unpadded[3] = { 0, 2, 3 };
    if ((flags & VG_BASE64_UNPADDED) != 0) {
        return size / 3 * 4 + unpadded[size % 3];
    }
    return (size + 2) / 3 * 4;
}

void vg_base64_encode(struct vg_bytes bytes, unsigned flags, char *out_text)
{
    const char *alphabet = (flags & VG_BASE64_URL) != 0 ? url_alphabet : standard_alphabet;
    size_t at = 0;
    for (; bytes.size - at >= 3; at += 3) {
        unsigned group =
            (unsigned)bytes.data[at] << 16 | (unsigned)bytes.data[at + 1] << 8 | bytes.data[at + 2];
        *out_text++ = alphabet[group >> 18];
        *out_text++ = alphabet[group >> 12 & 63];
        *out_text++ = alphabet[group >> 6 & 63];
        *out_text++ = alphabet[group & 63];
    }
    size_t left = bytes.size - at;
    if (left > 0) {
        unsigned group = (unsigned)bytes.data[at] << 16;
        if (left == 2) {
            group |= (unsigned)bytes.data[at + 1] << 8;
        }
        *out_text++ = alphabet[group >> 18];
        *out_text++ = alphabet[group >> 12 & 63];
        if (left == 2) {
            *out_text++ = alphabet[group >> 6 & 63];
        }
        if ((flags & VG_BASE64_UNPADDED) == 0) {
            *out_text++ = '=';
            if (left == 1) {
                *out_text++ = '=';
            }
        }
    }
    *out_text = '\0';
}

static int digit_value(uint8_t character, unsigned flags)
{
    if (character >= 'A' && character <= 'Z') {
        return character - 'A';
    }
    if (character >= 'a' && character <= 'z') {
        return character - 'a' + 26;
    }
    if (character >= '0' && character <= '9') {
        return character - '0' + 52;
    }
    bool any = (flags & VG_BASE64_ANY_ALPHABET) != 0;
    bool url = any || (flags & VG_BASE64_URL) != 0;
    bool standard = any || (flags & VG_BASE64_URL) == 0;
    if ((standard && character == '+') || (url && character == '-')) {
        return 62;
    }
    if ((standard && character == '/') || (url && character == '_')) {
        return 63;
    }
    return -1;
}

/* Take the padding off; false when there is too much, too little or forbidden padding. */
static bool strip_padding(struct vg_bytes *text, unsigned flags)
{
    size_t whole = text->size;
    size_t padding = 0;
    while (padding < 3 && padding < whole && text->data[whole - 1 - padding] == '=') {
        padding++;
    }
    text->size = whole - padding;
    if (text->size % 4 == 1) {
        return false;
    }
    if (padding == 0) {
        return text->size % 4 == 0 || (flags & (VG_BASE64_UNPADDED | VG_BASE64_ANY_PADDING)) != 0;
    }
    return (flags & VG_BASE64_UNPADDED) == 0 && padding <= 2 && whole % 4 == 0;
}

bool vg_base64_decode(struct vg_bytes text, unsigned flags, uint8_t *out_bytes, size_t *out_size)
{
    if (!strip_padding(&text, flags)) {
        return false;
    }
    unsigned bits = 0;
    unsigned held = 0; /* bits waiting in `bits` */
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        int value = digit_value(text.data[i], flags);
        if (value < 0) {
            return false;
        }
        bits = (bits << 6 | (unsigned)value) & 0xFFFF;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out_bytes[size++] = (uint8_t)(bits >> held);
        }
    }
    if ((bits & ((1u << held) - 1)) != 0) {
        return false;
    }
    *out_size = size;
    return true;
}
