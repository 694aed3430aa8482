#include "gateway/envelope/accept.h"

#include <stdbool.h>

#include "core/base/compiler.h"
#include "gateway/envelope/header_list.h"
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

/* How specifically the range names the form: 3 by name, 2 by type, 1 as anything, 0 not at all. */
static uint8_t rank_of(struct vg_bytes type, struct vg_bytes subtype, const struct format *format)
{
    if (vg_header_list_is(subtype, "*")) {
        return vg_header_list_is(type, "*") ? 1 : vg_header_list_is(type, format->type) ? 2 : 0;
    }
    return vg_header_list_is(type, format->type) && vg_header_list_is(subtype, format->subtype) ? 3
                                                                                                : 0;
}

static void take_range(struct vg_accept *accept, struct vg_bytes range)
{
    unsigned quality;
    struct vg_bytes subtype = vg_header_list_take(&range, ';');
    struct vg_bytes type = vg_header_list_take(&subtype, '/');
    if (!vg_header_list_quality(range, &quality)) {
        return;
    }
    for (int i = 0; i < VG_FORMAT_COUNT; i++) {
        uint8_t rank = rank_of(type, vg_header_list_trim(subtype), &formats[i]);
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
        take_range(accept, vg_header_list_take(&value, ','));
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
