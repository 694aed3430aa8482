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

    uint64_t *elements[VG_AGGREGATE_LEVELS_MAX]; /* levels with a prefix: which entries have it */

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

/* Cells of the narrow levels, of all rows of a strip. */
const uint32_t *vg_levels_cells(
    const struct vg_levels *levels,
    const struct vg_strip *strip,
    uint32_t room[VG_STRIP_ROWS]);

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
