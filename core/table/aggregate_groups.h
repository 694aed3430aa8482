/*
 * Groups being counted: a table of them per level, found by their parent and the number that stands
 * for their value. A number is a dictionary id, a value, an element, or made from a network; the
 * value itself is read from the example when the work is done.
 *
 * Threads: belongs to one aggregation.
 */
#ifndef VG_CORE_TABLE_AGGREGATE_GROUPS_H
#define VG_CORE_TABLE_AGGREGATE_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/table/aggregate.h"

#define VG_GROUP_NONE UINT32_MAX

/* Groups that stand together; those of a level never move. */
#define VG_GROUP_SEGMENT  1024u
#define VG_GROUP_SEGMENTS (VG_AGGREGATE_GROUPS_MAX / VG_GROUP_SEGMENT + 1)

struct vg_open_group {
    uint64_t number;
    struct vg_aggregate_cell total;
    struct vg_hit example;
    struct vg_aggregate_cell *spans;        /* of a leaf */
    struct vg_aggregate_extremes *extremes; /* the same */
    uint32_t parent;                        /* in the level above */
    uint32_t place;                         /* in the result: set when all are counted */
};

struct vg_group_table {
    struct vg_open_group *segments[VG_GROUP_SEGMENTS];
    uint32_t count;
    uint32_t *slots; /* open addressing: group + 1, 0 = free */
    uint32_t mask;
};

struct vg_group_store {
    struct vg_arena *arena;
    uint64_t secrets[2]; /* nobody can choose values that fall together */
    uint32_t level_count;
    uint32_t span_count; /* of a leaf */
    uint32_t extreme_count;
    uint32_t group_count;  /* of all levels */
    enum vg_reason reason; /* why a group could not be added */
    struct vg_group_table levels[VG_AGGREGATE_LEVELS_MAX];
};

/* A store without groups; false when the arena is full. */
VG_MUST_USE bool vg_group_store_init(
    struct vg_group_store *store,
    const uint8_t secret[16],
    uint32_t level_count,
    uint32_t span_count,
    uint32_t extreme_count,
    struct vg_arena *arena);

/*
 * The group of `level` below `parent` (0 at level 0) for `number`, added when it is new. Returns
 * VG_GROUP_NONE, and sets store->reason to RESULTSET_TOO_LARGE past VG_AGGREGATE_GROUPS_MAX or
 * VG_AGGREGATE_CELLS_MAX, to REQUEST_MEMORY when the arena is full.
 */
uint32_t vg_group_store_find(
    struct vg_group_store *store,
    uint32_t level,
    uint32_t parent,
    uint64_t number,
    const struct vg_hit *example);

/*
 * Say that the groups of entries 0 to `count` - 1 will be looked for: entry i below parents[i], for
 * numbers[rows[i]]. Fetches what that needs into the caches, where a table has grown out of them.
 */
void vg_group_store_expect(
    const struct vg_group_store *store,
    uint32_t level,
    const uint32_t *parents,
    const uint16_t *rows,
    const int64_t *numbers,
    uint32_t count);

static inline struct vg_open_group *vg_group_store_at(
    const struct vg_group_store *store,
    uint32_t level,
    uint32_t group)
{
    return &store->levels[level].segments[group / VG_GROUP_SEGMENT][group % VG_GROUP_SEGMENT];
}

/* Extremes of no value. NULL when the arena is full. */
struct vg_aggregate_extremes *vg_extremes_create(struct vg_arena *arena, uint32_t count);

static inline void vg_extremes_add(struct vg_aggregate_extremes *extremes, int64_t value)
{
    if (value != VG_ABSENT) {
        extremes->min = extremes->min == VG_ABSENT || value < extremes->min ? value : extremes->min;
        extremes->max = value > extremes->max ? value : extremes->max; /* VG_ABSENT is the least */
    }
}

/*
 * Write the groups of all levels in the order the result promises; `columns` are those of the
 * levels. False when the arena is full.
 */
VG_MUST_USE bool vg_group_store_finish(
    struct vg_group_store *store,
    const uint32_t *columns,
    struct vg_aggregate_result *out_result);

#endif
