#include "core/table/id_map.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/table_breaks.h"

#define SLOTS_FIRST 1024u

static uint32_t pack(struct vg_row_place place)
{
    VG_ASSERT(place.chunk < VG_ID_MAP_CHUNKS_MAX && place.position <= UINT16_MAX);
    return place.chunk << 16 | place.position;
}

static struct vg_row_place unpack(uint32_t place)
{
    return (struct vg_row_place){ .chunk = place >> 16, .position = place & UINT16_MAX };
}

/* At most five of eight slots are taken. */
static bool has_room(uint64_t slots, uint64_t count)
{
    return count <= slots / 8 * 5;
}

static struct vg_id_map_slot *make_slots(uint64_t count)
{
    struct vg_id_map_slot *slots = calloc(count, sizeof(*slots));
    if (slots != NULL) {
        memset(slots, 0xFF, count * sizeof(*slots));
    }
    return slots;
}

bool vg_id_map_init(struct vg_id_map *map)
{
    *map = (struct vg_id_map){ .slots = make_slots(SLOTS_FIRST), .mask = SLOTS_FIRST - 1 };
    return map->slots != NULL;
}

void vg_id_map_dispose(struct vg_id_map *map)
{
    free(map->slots);
    *map = (struct vg_id_map){ 0 };
}

static void put(struct vg_id_map_slot *slots, uint64_t mask, struct vg_id_map_slot entry)
{
    uint64_t at = entry.hash & mask;
    while (slots[at].place != VG_ID_MAP_FREE) {
        at = (at + 1) & mask;
    }
    slots[at] = entry;
}

bool vg_id_map_reserve(struct vg_id_map *map, uint64_t count)
{
    uint64_t wanted = map->mask + 1;
    while (!has_room(wanted, map->count + count)) {
        wanted *= 2;
    }
    if (wanted == map->mask + 1) {
        return true;
    }
    struct vg_id_map_slot *slots = make_slots(wanted);
    if (slots == NULL) {
        return false;
    }
    for (uint64_t i = 0; i <= map->mask; i++) {
        if (map->slots[i].place != VG_ID_MAP_FREE) {
            put(slots, wanted - 1, map->slots[i]);
        }
    }
    free(map->slots);
    map->slots = slots;
    map->mask = wanted - 1;
    return true;
}

/* Where the entries of a hash begin: only its low bits are kept, so only they may count. */
static uint64_t home_of(const struct vg_id_map *map, uint64_t hash)
{
    return (uint32_t)hash & map->mask;
}

bool vg_id_map_next(
    const struct vg_id_map *map,
    uint64_t hash,
    uint64_t *cursor,
    struct vg_row_place *out_place)
{
    for (;;) {
        const struct vg_id_map_slot *slot = &map->slots[(home_of(map, hash) + *cursor) & map->mask];
        if (slot->place == VG_ID_MAP_FREE) {
            return false;
        }
        (*cursor)++;
        if (slot->hash == (uint32_t)hash) {
            *out_place = unpack(slot->place);
            return true;
        }
    }
}

void vg_id_map_add(struct vg_id_map *map, uint64_t hash, struct vg_row_place place)
{
    VG_ASSERT(has_room(map->mask + 1, map->count + 1));
    put(map->slots,
        map->mask,
        (struct vg_id_map_slot){ .hash = (uint32_t)hash, .place = pack(place) });
    map->count++;
}

static uint64_t find_entry(const struct vg_id_map *map, uint64_t hash, struct vg_row_place place)
{
    uint32_t wanted = pack(place);
    for (uint64_t at = home_of(map, hash);; at = (at + 1) & map->mask) {
        const struct vg_id_map_slot *slot = &map->slots[at];
        VG_ASSERT(slot->place != VG_ID_MAP_FREE);
        if (slot->hash == (uint32_t)hash && slot->place == wanted) {
            return at;
        }
    }
}

void vg_id_map_move(
    struct vg_id_map *map,
    uint64_t hash,
    struct vg_row_place from,
    struct vg_row_place to)
{
    map->slots[find_entry(map, hash, from)].place = pack(to);
}

bool vg_id_map_move_found(
    struct vg_id_map *map,
    uint64_t hash,
    struct vg_row_place from,
    struct vg_row_place to)
{
    uint32_t wanted = pack(from);
    for (uint64_t at = home_of(map, hash); map->slots[at].place != VG_ID_MAP_FREE;
         at = (at + 1) & map->mask) {
        struct vg_id_map_slot *slot = &map->slots[at];
        if (slot->hash == (uint32_t)hash &&
            (slot->place == wanted || VG_BROKEN(COMPACTION_TAKES_IDS))) {
            slot->place = pack(to);
            return true;
        }
    }
    return false;
}

void vg_id_map_remove(struct vg_id_map *map, uint64_t hash, struct vg_row_place place)
{
    uint64_t hole = find_entry(map, hash, place);
    /* Close the hole: an entry behind it moves up unless it already stands at or behind its home
     * (Knuth, volume 3, 6.4, algorithm R). */
    for (uint64_t at = (hole + 1) & map->mask; map->slots[at].place != VG_ID_MAP_FREE;
         at = (at + 1) & map->mask) {
        uint64_t home = map->slots[at].hash & map->mask;
        if (((at - home) & map->mask) >= ((at - hole) & map->mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole].place = VG_ID_MAP_FREE;
    map->count--;
}
