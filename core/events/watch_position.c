#include "core/events/watch_position.h"

#include <stdio.h>
#include <string.h>

#include "core/base/text_number.h"

/* Only one shard is kept here; the place is there so that tokens of today stay what they are. */
#define SHARD "0"

int vg_watch_place_compare(const struct vg_watch_place *left, const struct vg_watch_place *right)
{
    if (left->revision != right->revision) {
        return left->revision < right->revision ? -1 : 1;
    }
    if (left->updated != right->updated) {
        return left->updated < right->updated ? -1 : 1;
    }
    struct vg_key keys[2];
    vg_event_id_key(&left->id, &keys[0]);
    vg_event_id_key(&right->id, &keys[1]);
    return vg_bytes_compare(vg_key_bytes(&keys[0]), vg_key_bytes(&keys[1]));
}

bool vg_watch_position_covers(
    const struct vg_watch_position *position,
    const struct vg_watch_place *place)
{
    if (place->revision != position->revision || !position->is_within) {
        return place->revision <= position->revision;
    }
    const struct vg_watch_place last = {
        .revision = position->revision,
        .updated = position->updated,
        .id = position->id,
    };
    return vg_watch_place_compare(place, &last) <= 0;
}

size_t vg_watch_position_print(
    const struct vg_watch_position *position,
    char out_text[VG_WATCH_TOKEN_SIZE])
{
    char numbers[3][VG_TEXT_NUMBER_SIZE];
    char id[VG_EVENT_ID_TEXT_SIZE] = "";
    (void)vg_text_number_print_uint64(position->revision, numbers[0]);
    (void)vg_text_number_print_int64(position->updated, numbers[1]);
    (void)vg_text_number_print_uint64(position->known, numbers[2]);
    if (position->is_within) {
        (void)vg_event_id_print(&position->id, id);
    }
    int size = snprintf(
        out_text,
        VG_WATCH_TOKEN_SIZE,
        "%08x/" SHARD "/%s/%s/%s%s%s",
        position->store,
        numbers[0],
        numbers[1],
        numbers[2],
        position->is_within ? "/" : "",
        id);
    return (size_t)size;
}

/* Take the part up to the next slash; the last one is all that is left. */
static struct vg_bytes take_part(struct vg_bytes *rest)
{
    const uint8_t *slash = rest->size == 0 ? NULL : memchr(rest->data, '/', rest->size);
    size_t size = slash == NULL ? rest->size : (size_t)(slash - rest->data);
    struct vg_bytes part = vg_bytes(rest->data, size);
    size_t used = slash == NULL ? size : size + 1;
    *rest = vg_bytes(rest->data + used, rest->size - used);
    return part;
}

static bool parse_store(struct vg_bytes part, uint32_t *out_store)
{
    uint32_t store = 0;
    for (size_t i = 0; i < part.size; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = memchr(digits, part.data[i], sizeof(digits) - 1);
        if (digit == NULL) {
            return false;
        }
        store = store << 4 | (uint32_t)(digit - digits);
    }
    *out_store = store;
    return part.size == 8;
}

static bool parse_time(struct vg_bytes part, vg_time *out_time)
{
    return part.size > 0 && part.data[0] != '-' && vg_text_number_parse_int64(part, out_time) &&
           *out_time <= VG_TIME_MAX;
}

bool vg_watch_position_parse(struct vg_bytes text, struct vg_watch_position *out_position)
{
    struct vg_watch_position position = { 0 };
    char printed[VG_WATCH_TOKEN_SIZE];
    struct vg_bytes rest = text;
    if (text.size >= VG_WATCH_TOKEN_SIZE || !parse_store(take_part(&rest), &position.store) ||
        !vg_bytes_equal(take_part(&rest), vg_bytes_text(SHARD)) ||
        !vg_text_number_parse_uint64(take_part(&rest), &position.revision) ||
        !parse_time(take_part(&rest), &position.updated) ||
        !vg_text_number_parse_uint64(take_part(&rest), &position.known)) {
        return false;
    }
    if (rest.size > 0) {
        position.is_within = true;
        if (vg_event_id_parse(rest, &position.id) != VG_EVENT_ID_FORM_OK) {
            return false;
        }
    }
    /* Leading zeros, upper case and other spellings of the same are no tokens of ours. */
    size_t size = vg_watch_position_print(&position, printed);
    if (!vg_bytes_equal(text, vg_bytes(printed, size))) {
        return false;
    }
    *out_position = position;
    return true;
}

uint32_t vg_watch_position_store(const uint8_t store_id[16])
{
    return (uint32_t)store_id[0] << 24 | (uint32_t)store_id[1] << 16 | (uint32_t)store_id[2] << 8 |
           store_id[3];
}
