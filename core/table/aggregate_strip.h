/*
 * Strip: up to 1,024 rows of a chunk at a time, of which some are wanted, and what an aggregation
 * does with their columns before it counts: turn stored values into numbers, or into numbers of
 * cells. The loops are built as those of column_loops.h are.
 *
 * Threads: pure functions over published rows.
 */
#ifndef VG_CORE_TABLE_AGGREGATE_STRIP_H
#define VG_CORE_TABLE_AGGREGATE_STRIP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/aggregate.h"
#include "core/table/chunk.h"

#define VG_STRIP_ROWS  1024u
#define VG_STRIP_WORDS (VG_STRIP_ROWS / 64)

struct vg_strip {
    const struct vg_chunk *chunk;
    bool is_tail;
    uint32_t first; /* a multiple of VG_STRIP_ROWS */
    uint32_t count;
    const uint64_t *found; /* the wanted rows; bits behind `count` are zero */
    uint32_t found_count;
    const int64_t *amounts; /* of the column that is added up, by row; NULL = none */
};

/* Numbers of the rows of `bits`, rising; returns how many. */
uint32_t vg_strip_rows(const struct vg_strip *strip, uint16_t out_rows[VG_STRIP_ROWS]);

/* Count the rows of `bits`, a part of `found`, and add their amounts. */
struct vg_aggregate_cell vg_strip_total(const struct vg_strip *strip, const uint64_t *bits);

/* A TIME or NUMBER column by row; absent values as `absent`. */
void vg_strip_numbers(
    const struct vg_strip *strip,
    uint32_t column,
    int64_t absent,
    int64_t out_numbers[VG_STRIP_ROWS]);

/* What is known of all values of a TIME or NUMBER column, wanted rows or not. */
struct vg_strip_range {
    int64_t min;
    int64_t max;
    bool is_rising; /* no value is less than the one before; may be false all the same */
};

/* False when a value is absent. */
bool vg_strip_measure(
    const struct vg_strip *strip,
    uint32_t column,
    struct vg_strip_range *out_range);

/* Rows of a rising column whose value is less than `bound`. */
uint32_t vg_strip_rows_below(const struct vg_strip *strip, uint32_t column, int64_t bound);

/* A column whose values are few enough to be numbered: 0 = absent, then the value less `min`, plus
 * 1; of TEXT and SUBJECTS, the id. */
struct vg_narrow_column {
    uint32_t column;
    bool has_ids; /* TEXT, SUBJECTS */
    int64_t min;
    uint32_t width; /* numbers there are */
};

/* Cells of all rows, wanted or not, one column further: cell = cell * width + number of the value.
 */
void vg_strip_cells(
    const struct vg_strip *strip,
    const struct vg_narrow_column *narrow,
    uint32_t cells[VG_STRIP_ROWS]);

/* The ids of a TEXT or SUBJECTS column by row, where they are: its cells when it is the only one.
 */
static inline const uint32_t *vg_strip_ids(const struct vg_strip *strip, uint32_t column)
{
    return (const uint32_t *)strip->chunk->columns[column].values + strip->first;
}

#endif
