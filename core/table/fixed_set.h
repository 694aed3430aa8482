/*
 * Fixed set: digests or UUIDs that rows are looked up in, by as many bytes as the column is wide.
 * Nearly every row is turned away by one bit, however many values there are.
 *
 * The hash has no secret: who asks for values that collide makes his own search slow.
 *
 * Threads: made by one, read by any.
 */
#ifndef VG_CORE_TABLE_FIXED_SET_H
#define VG_CORE_TABLE_FIXED_SET_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"

struct vg_fixed_set {
    uint32_t width;
    uint32_t slot_bits;    /* of the hash: there are 2 to the power of it */
    uint32_t filter_bits;  /* the same, of bits of the filter */
    const uint8_t **slots; /* NULL = free; at least half of them are */
    uint64_t *filter;
};

/* The set of those of `values` that are `width` bytes long, which must stay. NULL without memory.
 */
struct vg_fixed_set *vg_fixed_set_create(
    uint32_t width,
    const struct vg_bytes *values,
    uint32_t count,
    struct vg_arena *arena);

/* Mixes the first 16 bytes, or fewer, of a value. */
static inline uint64_t vg_fixed_set_hash(uint32_t width, const uint8_t *value)
{
    uint64_t words[2] = { 0, 0 };
    if (width >= sizeof(words)) {
        memcpy(words, value, sizeof(words));
    } else {
        memcpy(words, value, width);
    }
    uint64_t mixed = (words[0] ^ (words[1] << 29 | words[1] >> 35)) * UINT64_C(0x9E3779B97F4A7C15);
    return mixed ^ mixed >> 32;
}

/* Is `value`, `hash` its hash, one of them? */
bool vg_fixed_set_find(const struct vg_fixed_set *set, const uint8_t *value, uint64_t hash);

static inline bool vg_fixed_set_has(const struct vg_fixed_set *set, const uint8_t *value)
{
    uint64_t hash = vg_fixed_set_hash(set->width, value);
    uint64_t bit = hash >> (64 - set->filter_bits);
    return (set->filter[bit / 64] >> bit % 64 & 1) != 0 && vg_fixed_set_find(set, value, hash);
}

#endif
