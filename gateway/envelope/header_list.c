#include "gateway/envelope/header_list.h"

#include <string.h>
#include <strings.h>

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

struct vg_bytes vg_header_list_trim(struct vg_bytes text)
{
    while (text.size > 0 && is_blank(text.data[0])) {
        text = vg_bytes(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

struct vg_bytes vg_header_list_take(struct vg_bytes *rest, uint8_t mark)
{
    bool quoted = false;
    size_t at = 0;
    for (; at < rest->size && (quoted || rest->data[at] != mark); at++) {
        if (rest->data[at] == '"') {
            quoted = !quoted;
        } else if (quoted && rest->data[at] == '\\' && at + 1 < rest->size) {
            at++;
        }
    }
    struct vg_bytes taken = vg_bytes(rest->data, at);
    size_t used = at < rest->size ? at + 1 : at;
    *rest = vg_bytes(rest->data + used, rest->size - used);
    return vg_header_list_trim(taken);
}

bool vg_header_list_is(struct vg_bytes text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

/* qvalue: "0" or "1" with at most three digits behind a point, at most 1. */
static bool read_quality(struct vg_bytes text, unsigned *out_quality)
{
    if (text.size == 0 || text.size > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
        (text.size > 1 && text.data[1] != '.')) {
        return false;
    }
    unsigned quality = text.data[0] == '1' ? VG_HEADER_QUALITY_MAX : 0;
    unsigned unit = VG_HEADER_QUALITY_MAX / 10;
    for (size_t i = 2; i < text.size; i++, unit /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        quality += (unsigned)(text.data[i] - '0') * unit;
    }
    *out_quality = quality;
    return quality <= VG_HEADER_QUALITY_MAX;
}

bool vg_header_list_quality(struct vg_bytes parameters, unsigned *out_quality)
{
    *out_quality = VG_HEADER_QUALITY_MAX;
    while (parameters.size > 0) {
        struct vg_bytes value = vg_header_list_take(&parameters, ';');
        struct vg_bytes name = vg_header_list_take(&value, '=');
        if (vg_header_list_is(name, "q")) {
            return read_quality(vg_header_list_trim(value), out_quality);
        }
    }
    return true;
}
