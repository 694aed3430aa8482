#include "core/wire/utf8_check.h"

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

size_t vg_utf8_sequence(const uint8_t *data, size_t size)
{
    uint8_t first = data[0];
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    if (first < 0xE0) {
        return size >= 2 && is_continuation(data[1]) ? 2 : 0;
    }
    if (first < 0xF0) {
        if (size < 3 || !is_continuation(data[1]) || !is_continuation(data[2])) {
            return 0;
        }
        bool overlong = first == 0xE0 && data[1] < 0xA0;
        bool surrogate = first == 0xED && data[1] >= 0xA0;
        return overlong || surrogate ? 0 : 3;
    }
    if (size < 4 || !is_continuation(data[1]) || !is_continuation(data[2]) ||
        !is_continuation(data[3])) {
        return 0;
    }
    bool overlong = first == 0xF0 && data[1] < 0x90;
    bool beyond = first == 0xF4 && data[1] >= 0x90;
    return overlong || beyond ? 0 : 4;
}

bool vg_utf8_is_text_slow(struct vg_bytes text)
{
    size_t at = 0;
    while (at < text.size) {
        uint8_t byte = text.data[at];
        if (byte == 0) {
            return false;
        }
        if (byte < 0x80) {
            at++;
            continue;
        }
        size_t size = vg_utf8_sequence(text.data + at, text.size - at);
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

size_t vg_utf8_length(const char *text)
{
    size_t length = 0;
    for (; *text != '\0'; text++) {
        length += !is_continuation((uint8_t)*text);
    }
    return length;
}

size_t vg_utf8_cut(const uint8_t *text, size_t text_size, size_t size)
{
    if (text_size <= size) {
        return text_size;
    }
    while (size > 0 && is_continuation(text[size])) {
        size--;
    }
    return size;
}
