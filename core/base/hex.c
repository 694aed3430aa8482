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

int vg_hex_digit(uint8_t character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    uint8_t lower = character | 0x20;
    if (lower >= 'a' && lower <= 'f') {
        return lower - 'a' + 10;
    }
    return -1;
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
