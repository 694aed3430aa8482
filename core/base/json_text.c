#include "core/base/json_text.h"

#include <string.h>

#include "core/base/utf8.h"

size_t vg_json_text_escape(
    struct vg_bytes value,
    size_t at,
    char out[VG_JSON_TEXT_ESCAPED_MAX],
    size_t *out_size)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t byte = value.data[at];
    if (byte == '"' || byte == '\\') {
        out[0] = '\\';
        out[1] = (char)byte;
        *out_size = 2;
        return 1;
    }
    if (byte < 0x20 || byte == 0x7F) {
        memcpy(out, "\\u00", 4);
        out[4] = hex[byte >> 4];
        out[5] = hex[byte & 0x0F];
        *out_size = 6;
        return 1;
    }
    size_t ahead = value.size - at < 4 ? value.size - at : 4;
    for (size_t size = 1; size <= ahead; size++) {
        if (vg_utf8_is_valid(vg_bytes(value.data + at, size))) {
            memcpy(out, value.data + at, size);
            *out_size = size;
            return size;
        }
    }
    memcpy(out, "\xEF\xBF\xBD", 3); /* U+FFFD */
    *out_size = 3;
    return 1;
}

void vg_json_text_append(struct vg_buffer *out, struct vg_bytes value)
{
    if (value.data == NULL) {
        vg_buffer_append_text(out, "null");
        return;
    }
    vg_buffer_append_byte(out, '"');
    for (size_t at = 0; at < value.size;) {
        char escaped[VG_JSON_TEXT_ESCAPED_MAX];
        size_t size;
        at += vg_json_text_escape(value, at, escaped, &size);
        vg_buffer_append(out, escaped, size);
    }
    vg_buffer_append_byte(out, '"');
}
