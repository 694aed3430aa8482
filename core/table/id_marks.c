#include "core/table/id_marks.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/digest.h"

#define FIRST_SLOTS 1024u

void vg_id_marks_init(struct vg_id_marks *ids, const uint8_t secret[16], uint32_t ids_max)
{
    *ids = (struct vg_id_marks){ .ids_max = ids_max };
    memcpy(ids->secret, secret, sizeof(ids->secret));
}

void vg_id_marks_dispose(struct vg_id_marks *ids)
{
    free(ids->slots);
    *ids = (struct vg_id_marks){ .count = 0 };
}

static uint64_t hash_of(const struct vg_id_marks *ids, struct vg_bytes id)
{
    uint64_t hash = vg_siphash(ids->secret, id);
    return hash == 0 ? 1 : hash;
}

/* The place of `hash`, or the free one where it belongs. There is always a free one. */
static struct vg_id_mark *find(struct vg_id_mark *slots, uint64_t slot_count, uint64_t hash)
{
    uint64_t at = hash & (slot_count - 1);
    while (slots[at].hash != 0 && slots[at].hash != hash) {
        at = (at + 1) & (slot_count - 1);
    }
    return &slots[at];
}

/* Places are at most three quarters full. */
static bool make_room(struct vg_id_marks *ids)
{
    if (ids->slot_count != 0 && (uint64_t)ids->count * 4 < ids->slot_count * 3) {
        return true;
    }
    uint64_t slot_count = ids->slot_count == 0 ? FIRST_SLOTS : ids->slot_count * 2;
    struct vg_id_mark *slots = calloc(slot_count, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    for (uint64_t i = 0; i < ids->slot_count; i++) {
        if (ids->slots[i].hash != 0) {
            *find(slots, slot_count, ids->slots[i].hash) = ids->slots[i];
        }
    }
    free(ids->slots);
    ids->slots = slots;
    ids->slot_count = slot_count;
    return true;
}

enum vg_id_marks_outcome vg_id_marks_add(struct vg_id_marks *ids, struct vg_bytes id, uint32_t mark)
{
    VG_ASSERT(mark < VG_ID_MARKS_MAX);
    if (!make_room(ids)) {
        return VG_ID_MARKS_MEMORY;
    }
    uint64_t hash = hash_of(ids, id);
    struct vg_id_mark *place = find(ids->slots, ids->slot_count, hash);
    if (place->hash == 0) {
        if (ids->count == ids->ids_max) {
            return VG_ID_MARKS_FULL;
        }
        place->hash = hash;
        ids->count++;
    }
    place->marks |= UINT64_C(1) << mark;
    return VG_ID_MARKS_DONE;
}

bool vg_id_marks_has(const struct vg_id_marks *ids, struct vg_bytes id, uint32_t mark)
{
    VG_ASSERT(mark < VG_ID_MARKS_MAX);
    if (ids->slot_count == 0) {
        return false;
    }
    const struct vg_id_mark *place = find(ids->slots, ids->slot_count, hash_of(ids, id));
    return place->hash != 0 && (place->marks >> mark & 1) != 0;
}
