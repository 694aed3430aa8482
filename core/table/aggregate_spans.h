/*
 * Timelines being counted: which spans the times of a row touch. Where all rows of a strip touch
 * the same ones, that is found out once; where moments rise, each span is a stretch of rows; else
 * the span of each row is computed, or looked up where spans are of different lengths. Intervals
 * are counted as a difference where they begin and where they end, added up at the end.
 *
 * Threads: belongs to one aggregation.
 */
#ifndef VG_CORE_TABLE_AGGREGATE_SPANS_H
#define VG_CORE_TABLE_AGGREGATE_SPANS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/table/aggregate.h"
#include "core/table/aggregate_counters.h"
#include "core/table/aggregate_strip.h"

/* More spans are not counted in planes (aggregate_counters.h). */
#define VG_SPANS_PLANES_MAX (VG_COUNTERS_WIDTH_MAX - 1)

/* Spans as long as each other, but for the first and the last, which may be shorter: a time less
 * `origin`, shifted right, times `factor`, shifted right again, is its span. */
struct vg_span_rule {
    uint32_t factor; /* 0 = there is no such rule */
    unsigned shift;
    unsigned factor_shift;
    int64_t length;
    vg_time origin;
};

/* A timeline made ready. */
struct vg_span_line {
    const struct vg_aggregate_timeline *timeline;
    uint32_t offset;    /* of its first cell among those of a leaf */
    unsigned shift;     /* a time's place in `grid` is its distance from the first bound >> shift */
    uint32_t grid_size; /* less one */
    uint32_t *grid;     /* the span that holds the beginning of each place */
    struct vg_span_rule rule;
    struct vg_arena *arena;
    struct vg_counters *counters; /* of rows without groups; NULL until needed */
};

/* Spans touched: first to last; none when first > last. */
struct vg_span_pair {
    int32_t first;
    int32_t last;
};

/* What a timeline says about a strip. */
struct vg_span_strip {
    bool is_uniform; /* every row, wanted or not, touches `all` */
    struct vg_span_pair all;
    struct vg_span_pair rows[VG_STRIP_ROWS]; /* unless is_uniform: of each wanted row */
};

/* `offset` is that of the first cell. False when the arena is full. */
VG_MUST_USE bool vg_span_line_init(
    struct vg_span_line *line,
    const struct vg_aggregate_timeline *timeline,
    uint32_t offset,
    struct vg_arena *arena);

/* Which spans do all rows of `strip` touch? Leaves out_spans->rows alone. */
void vg_span_line_look(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    struct vg_span_strip *out_spans);

/* Which spans does each wanted row touch? */
void vg_span_line_look_at_rows(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    struct vg_span_strip *out_spans);

/* Of moments: the number of the span of each row, wanted or not, plus 1; 0 = it lies in none. At
 * most VG_SPANS_PLANES_MAX spans. */
void vg_span_line_planes(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    uint16_t out_planes[VG_STRIP_ROWS]);

/* Count the wanted rows of `strip`, which come to `total`, in `cells`, those of all timelines;
 * `scratch` is overwritten. What is counted is complete after vg_span_line_finish. */
void vg_span_line_count(
    struct vg_span_line *line,
    const struct vg_strip *strip,
    const struct vg_aggregate_cell *total,
    struct vg_span_strip *scratch,
    struct vg_aggregate_cell *cells);

/* Count one row, or several alike, that touch `pair`. */
static inline void vg_span_line_add(
    const struct vg_span_line *line,
    struct vg_span_pair pair,
    uint64_t count,
    int64_t sum,
    struct vg_aggregate_cell *cells)
{
    if (pair.first > pair.last) {
        return;
    }
    struct vg_aggregate_cell *cell = &cells[line->offset + (uint32_t)pair.first];
    cell->count += count;
    cell->sum = (int64_t)((uint64_t)cell->sum + (uint64_t)sum);
    bool is_moment = line->timeline->end_column == VG_AGGREGATE_NO_COLUMN;
    if (!is_moment && (uint32_t)pair.last + 1 < line->timeline->span_count) {
        cell = &cells[line->offset + (uint32_t)pair.last + 1];
        cell->count -= count;
        cell->sum = (int64_t)((uint64_t)cell->sum - (uint64_t)sum);
    }
}

/* Make counts of the differences, once all rows are counted. */
void vg_span_line_finish(const struct vg_span_line *line, struct vg_aggregate_cell *cells);

#endif
