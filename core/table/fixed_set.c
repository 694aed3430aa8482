#include "core/table/fixed_set.h"

/* Bits of the filter for each slot: of rows that are not in the set one in 16 or fewer gets past.
 */
#define FILTER_BITS_MORE 3u

/* Slots, at the least. */
#define SLOT_BITS_MIN 3u

static uint64_t first_slot(const struct vg_fixed_set *set, uint64_t hash)
{
    return hash & ((UINT64_C(1) << set->slot_bits) - 1);
}

static uint64_t next_slot(const struct vg_fixed_set *set, uint64_t slot)
{
    return (slot + 1) & ((UINT64_C(1) << set->slot_bits) - 1);
}

bool vg_fixed_set_find(const struct vg_fixed_set *set, const uint8_t *value, uint64_t hash)
{
    uint64_t slot = first_slot(set, hash);
    while (set->slots[slot] != NULL) {
        if (memcmp(set->slots[slot], value, set->width) == 0) {
            return true;
        }
        slot = next_slot(set, slot);
    }
    return false;
}

static void add(struct vg_fixed_set *set, const uint8_t *value)
{
    uint64_t hash = vg_fixed_set_hash(set->width, value);
    uint64_t bit = hash >> (64 - set->filter_bits);
    uint64_t slot = first_slot(set, hash);
    if (vg_fixed_set_find(set, value, hash)) {
        return;
    }
    while (set->slots[slot] != NULL) {
        slot = next_slot(set, slot);
    }
    set->slots[slot] = value;
    set->filter[bit / 64] |= UINT64_C(1) << bit % 64;
}

struct vg_fixed_set *vg_fixed_set_create(
    uint32_t width,
    const struct vg_bytes *values,
    uint32_t count,
    struct vg_arena *arena)
{
    struct vg_fixed_set *set = vg_arena_calloc(arena, 1, sizeof(*set));
    if (set == NULL) {
        return NULL;
    }
    set->width = width;
    set->slot_bits = SLOT_BITS_MIN;
    while (UINT64_C(1) << set->slot_bits < 2 * (uint64_t)count) {
        set->slot_bits++;
    }
    set->filter_bits = set->slot_bits + FILTER_BITS_MORE;
    set->slots = vg_arena_calloc(arena, (size_t)1 << set->slot_bits, sizeof(*set->slots));
    set->filter = vg_arena_calloc(arena, (size_t)1 << (set->filter_bits - 6), sizeof(uint64_t));
    if (set->slots == NULL || set->filter == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].size == width) {
            add(set, values[i].data);
        }
    }
    return set;
}
