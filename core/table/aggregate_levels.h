/*
 * Levels: the rows of a strip go down through the columns of an aggregation, each row with the
 * group it is in so far. The first levels are taken in one step where their values are few; below
 * them every step looks up the group of a parent and a value. A row with a list goes on once for
 * each of its elements.
 *
 * Threads: belongs to one aggregation.
 */
#ifndef VG_CORE_TABLE_AGGREGATE_LEVELS_H
#define VG_CORE_TABLE_AGGREGATE_LEVELS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/aggregate.h"
#include "core/table/aggregate_groups.h"
#include "core/table/aggregate_spans.h"
#include "core/table/aggregate_strip.h"
#include "core/table/chunk_walk.h"

/* Rows with their groups, on the way to the next level. */
struct vg_level_batch {
    uint32_t count;
    uint16_t rows[VG_STRIP_ROWS];
    uint32_t groups[VG_STRIP_ROWS];
    bool has_numbers;               /* of the strip at hand */
    int64_t numbers[VG_STRIP_ROWS]; /* by row: what stands for the value of the next level */
    int64_t *elements;              /* room to sort those of a long list; NULL until needed */
};

/* Entries of a dictionary that begin with the prefix of a level, numbered from 1 on. */
struct vg_level_entries {
    uint64_t *bits;  /* by id; NULL = the level has no prefix */
    uint32_t *ranks; /* by word of bits: how many are before */
    uint32_t *ids;   /* by number less 1 */
    uint32_t count;
    uint32_t least; /* id; any but those from `least` to `greatest` is none of them */
    uint32_t greatest;
};

struct vg_levels {
    const struct vg_aggregate *aggregate;
    const struct vg_table_schema *schema;
    uint8_t secret[16];
    struct vg_arena *arena;
    struct vg_group_store store;

    /* The first levels, whose values are few. */
    struct vg_narrow_column narrow[VG_AGGREGATE_LEVELS_MAX];
    uint32_t narrow_count;
    uint32_t narrow_width; /* cells of them together */
    uint32_t *known;       /* by cell: group of the last of these levels, plus 1 */
    bool has_lists; /* some narrow level is one of TEXTS: then rows are counted by cell only */

    struct vg_level_entries entries[VG_AGGREGATE_LEVELS_MAX]; /* of levels with a prefix */

    const struct vg_span_line *lines;
    const struct vg_span_strip *span_strips; /* one per timeline, for the strip at hand */
    const struct vg_strip *strip;
    struct vg_level_batch *batches; /* number d: groups of level d - 1 */
    uint32_t until_check;           /* rows until `check` is asked again */
};

/*
 * Find out which of the first levels have few values, and make room. `parts` are the chunks that
 * will be counted. False when the arena is full.
 */
VG_MUST_USE bool vg_levels_init(
    struct vg_levels *levels,
    const struct vg_walk_part *parts,
    uint32_t part_count,
    const struct vg_dictionary *dictionaries);

/* When all levels are narrow and less than 65,536 wide: the cells of the rows of a strip. Wanted
 * rows that have several values in a level of TEXTS are set in `out_several`, and get the cell of
 * one; returns how many. */
uint32_t vg_levels_cells(
    const struct vg_levels *levels,
    const struct vg_strip *strip,
    uint16_t out_cells[VG_STRIP_ROWS],
    uint64_t out_several[VG_STRIP_WORDS]);

/* The group of the last narrow level for `cell`; VG_GROUP_NONE as of vg_group_store_find. */
uint32_t vg_levels_group(struct vg_levels *levels, uint32_t cell, const struct vg_hit *example);

/* Why the store of groups did not take one: RESULTSET_TOO_LARGE or REQUEST_MEMORY. */
enum vg_reason vg_levels_error(const struct vg_levels *levels, struct vg_error *error);

/*
 * Count the wanted rows of `strip`, of which levels->span_strips say what they touch.
 *
 * Fails with: RESULTSET_TOO_LARGE, REQUEST_MEMORY; what `check` returned.
 */
VG_MUST_USE enum vg_reason vg_levels_count(
    struct vg_levels *levels,
    const struct vg_strip *strip,
    struct vg_error *error);

/* Are rows counted in groups of `level` one by one? Else its counts are the sums of those below. */
bool vg_levels_are_counted(const struct vg_levels *levels, uint32_t level);

/* Add up the levels that were not counted. */
void vg_levels_add_up(struct vg_levels *levels);

#endif
