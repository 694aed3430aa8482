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
#include "core/table/strip_zones.h"

/* What each row adds to a sum. */
enum vg_amount_form {
    VG_AMOUNT_NONE,   /* nothing is added up */
    VG_AMOUNT_SAME,   /* `base`, the same of every row */
    VG_AMOUNT_BYTES,  /* `base` and the uint8_t of the row */
    VG_AMOUNT_SHORTS, /* `base` and the uint16_t of the row */
    VG_AMOUNT_WIDE,   /* the int64_t of the row */
};

struct vg_amounts {
    enum vg_amount_form form;
    int64_t base;
    const void *values; /* by row */
};

struct vg_strip {
    const struct vg_chunk *chunk;
    bool is_tail;
    uint32_t first; /* a multiple of VG_STRIP_ROWS */
    uint32_t count;
    const uint64_t *found; /* the wanted rows; bits behind `count` are zero */
    uint32_t found_count;
    struct vg_amounts amounts;
};

/* The amounts of `column`, as they are stored where that says it all; else in `room`. */
struct vg_amounts vg_strip_amounts(
    const struct vg_strip *strip,
    uint32_t column,
    int64_t room[VG_STRIP_ROWS]);

static inline int64_t vg_amount_at(const struct vg_amounts *amounts, uint32_t row)
{
    switch (amounts->form) {
    case VG_AMOUNT_SAME:
        return amounts->base;
    case VG_AMOUNT_BYTES:
        return amounts->base + ((const uint8_t *)amounts->values)[row];
    case VG_AMOUNT_SHORTS:
        return amounts->base + ((const uint16_t *)amounts->values)[row];
    case VG_AMOUNT_WIDE:
        return ((const int64_t *)amounts->values)[row];
    case VG_AMOUNT_NONE:
        break;
    }
    return 0;
}

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

/* The zone of the strip in a TIME or NUMBER column. */
struct vg_strip_zone vg_strip_zone(const struct vg_strip *strip, uint32_t column);

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

/* Cells of all rows, wanted or not, over `count` columns: cell = cell * width + number of the
 * value. Less than 65,536 cells fit the narrow form. */
void vg_strip_cells(
    const struct vg_strip *strip,
    const struct vg_narrow_column *narrow,
    uint32_t count,
    uint32_t out_cells[VG_STRIP_ROWS]);
void vg_strip_cells_16(
    const struct vg_strip *strip,
    const struct vg_narrow_column *narrow,
    uint32_t count,
    uint16_t out_cells[VG_STRIP_ROWS]);

/* One column further: cell = cell * width + number. */
void vg_strip_join_16(
    const uint16_t *numbers,
    uint32_t count,
    uint32_t width,
    uint16_t *restrict cells);

#endif
