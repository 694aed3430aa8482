#include "core/base/hex.h"

void vg_hex_encode(struct vg_bytes bytes, char *out_text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        *out_text++ = digits[bytes.data[i] >> 4];
        *out_text++ = digits[bytes.data[i] & 0x0F];
    }
    *out_text = '\0';
}

/* The value of each character as a digit, and 1 more; 0 = none. */
static const uint8_t values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int vg_hex_digit(uint8_t character)
{
    return (int)values[character] - 1;
}

bool vg_hex_decode(struct vg_bytes text, uint8_t *out_bytes)
{
    if (text.size % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.size; i += 2) {
        int high = vg_hex_digit(text.data[i]);
        int low = vg_hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out_bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}
