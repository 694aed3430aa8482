/*
 * Id map: from the keyed hash of a record's id to where its live row is. Only 32 bits of the hash
 * are kept, so that an entry takes 8 bytes; two records may share them, so whoever looks up
 * confirms each candidate against the id columns.
 *
 * Threads: the writer's.
 */
#ifndef VG_CORE_TABLE_ID_MAP_H
#define VG_CORE_TABLE_ID_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/compiler.h"

struct vg_row_place {
    uint32_t chunk; /* number */
    uint32_t position;
};

/* Chunk numbers are below this, positions are of 16 bits. */
#define VG_ID_MAP_CHUNKS_MAX 65535u

struct vg_id_map_slot {
    uint32_t hash;  /* its low bits */
    uint32_t place; /* chunk and position; VG_ID_MAP_FREE = the slot is free */
};
#define VG_ID_MAP_FREE UINT32_MAX

struct vg_id_map {
    struct vg_id_map_slot *slots;
    uint64_t mask;
    uint64_t count;
};

VG_MUST_USE bool vg_id_map_init(struct vg_id_map *map);
void vg_id_map_dispose(struct vg_id_map *map);

/* Room for `count` more entries, so that adding them cannot fail. False without memory. */
VG_MUST_USE bool vg_id_map_reserve(struct vg_id_map *map, uint64_t count);

/*
 * Walk the places with this hash: start with *cursor = 0, until it returns false.
 */
bool vg_id_map_next(
    const struct vg_id_map *map,
    uint64_t hash,
    uint64_t *cursor,
    struct vg_row_place *out_place);

/* Room must have been reserved. */
void vg_id_map_add(struct vg_id_map *map, uint64_t hash, struct vg_row_place place);

/* The entry (hash, from) must be there. */
void vg_id_map_move(
    struct vg_id_map *map,
    uint64_t hash,
    struct vg_row_place from,
    struct vg_row_place to);

/* Move the entry (hash, from) if there is one; false when there is none. */
bool vg_id_map_move_found(
    struct vg_id_map *map,
    uint64_t hash,
    struct vg_row_place from,
    struct vg_row_place to);

/* The entries of this hash are about to be asked for. */
static inline void vg_id_map_prefetch(const struct vg_id_map *map, uint64_t hash)
{
    __builtin_prefetch(&map->slots[(uint32_t)hash & map->mask]);
}

/* The entry must be there. */
void vg_id_map_remove(struct vg_id_map *map, uint64_t hash, struct vg_row_place place);

#endif
