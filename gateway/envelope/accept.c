#include "gateway/envelope/accept.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/base/compiler.h"
#include "proto/contract.h"

static const struct format {
    const char *type;
    const char *subtype;
    const char *content_type;
    unsigned product; /* 0 = always there */
} formats[VG_FORMAT_COUNT] = {
    [VG_FORMAT_JSON] = { "application", "json", "application/json; charset=UTF-8", 0 },
    [VG_FORMAT_CSV] = { "text", "csv", "text/csv; charset=UTF-8", VG_PRODUCT_CSV },
    [VG_FORMAT_JSONL] = { "application", "jsonl", "application/jsonl", VG_PRODUCT_JSONL },
    [VG_FORMAT_XLSX] = { "application",
                         "vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                         "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                         VG_PRODUCT_XLSX },
    [VG_FORMAT_EVENT_STREAM] = { "text",
                                 "event-stream",
                                 "text/event-stream",
                                 VG_PRODUCT_EVENT_STREAM },
};

const char *vg_format_content_type(enum vg_format format)
{
    return formats[format].content_type;
}

void vg_accept_init(struct vg_accept *accept)
{
    *accept = (struct vg_accept){ .quality = { 0 } };
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static struct vg_bytes trim(struct vg_bytes text)
{
    while (text.size > 0 && is_blank(text.data[0])) {
        text = vg_bytes(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

/* Take what stands before the next `mark` outside of quotes off the front of *rest; the mark goes
 * with it. */
static struct vg_bytes take_until(struct vg_bytes *rest, uint8_t mark)
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
    return trim(taken);
}

static bool is_word(struct vg_bytes text, const char *word)
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
    unsigned quality = text.data[0] == '1' ? VG_ACCEPT_QUALITY_MAX : 0;
    unsigned unit = VG_ACCEPT_QUALITY_MAX / 10;
    for (size_t i = 2; i < text.size; i++, unit /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        quality += (unsigned)(text.data[i] - '0') * unit;
    }
    *out_quality = quality;
    return quality <= VG_ACCEPT_QUALITY_MAX;
}

/* The weight among the parameters of a range; 1 when it is not said. False when it is none. */
static bool find_quality(struct vg_bytes parameters, unsigned *out_quality)
{
    *out_quality = VG_ACCEPT_QUALITY_MAX;
    while (parameters.size > 0) {
        struct vg_bytes value = take_until(&parameters, ';');
        struct vg_bytes name = take_until(&value, '=');
        if (is_word(name, "q")) {
            return read_quality(trim(value), out_quality);
        }
    }
    return true;
}

/* How specifically the range names the form: 3 by name, 2 by type, 1 as anything, 0 not at all. */
static uint8_t rank_of(struct vg_bytes type, struct vg_bytes subtype, const struct format *format)
{
    if (is_word(subtype, "*")) {
        return is_word(type, "*") ? 1 : is_word(type, format->type) ? 2 : 0;
    }
    return is_word(type, format->type) && is_word(subtype, format->subtype) ? 3 : 0;
}

static void take_range(struct vg_accept *accept, struct vg_bytes range)
{
    unsigned quality;
    struct vg_bytes subtype = take_until(&range, ';');
    struct vg_bytes type = take_until(&subtype, '/');
    if (!find_quality(range, &quality)) {
        return;
    }
    for (int i = 0; i < VG_FORMAT_COUNT; i++) {
        uint8_t rank = rank_of(type, trim(subtype), &formats[i]);
        if (rank > accept->rank[i] ||
            (rank > 0 && rank == accept->rank[i] && quality > accept->quality[i])) {
            accept->rank[i] = rank;
            accept->quality[i] = (uint16_t)quality;
        }
    }
}

void vg_accept_add(struct vg_accept *accept, struct vg_bytes value)
{
    while (value.size > 0) {
        take_range(accept, take_until(&value, ','));
    }
}

enum vg_format vg_accept_choose(const struct vg_accept *accept, unsigned produces)
{
    enum vg_format best = VG_FORMAT_JSON;
    for (int i = 0; i < VG_FORMAT_COUNT; i++) {
        bool offered = formats[i].product == 0 || (produces & formats[i].product) != 0;
        if (offered && accept->quality[i] > accept->quality[best]) {
            best = (enum vg_format)i;
        }
    }
    return best;
}
