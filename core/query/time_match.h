/*
 * Time ranges over several time columns (conventions.md 6, events-api.md 4.4). Bounds are
 * inclusive; a start after the end matches nothing.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_QUERY_TIME_MATCH_H
#define VG_CORE_QUERY_TIME_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/query/term_list.h"
#include "core/table/predicate.h"

/* VG_TIME_UNBOUNDED_* on a side that has no bound. */
struct vg_time_range {
    vg_time start;
    vg_time end;
};

/* Above VG_ABSENT, which never matches. */
#define VG_TIME_UNBOUNDED_START (INT64_MIN + 1)
#define VG_TIME_UNBOUNDED_END   INT64_MAX

static inline bool vg_time_range_is_bounded(const struct vg_time_range *range)
{
    return range->start != VG_TIME_UNBOUNDED_START || range->end != VG_TIME_UNBOUNDED_END;
}

/* Any of the columns lies in the range. Without a bound nothing is added. */
void vg_time_match_any(
    struct vg_term_list *terms,
    const struct vg_time_range *range,
    const uint32_t *columns,
    uint32_t column_count);

/* All of the columns that have a value lie in the range, and at least one has. Without a bound
 * nothing is added. */
void vg_time_match_all(
    struct vg_term_list *terms,
    const struct vg_time_range *range,
    const uint32_t *columns,
    uint32_t column_count);

/* The interval from column `first` to column `last` overlaps the range. */
void vg_time_match_overlap(
    struct vg_term_list *terms,
    const struct vg_time_range *range,
    uint32_t first,
    uint32_t last);

/* Midnight (UTC) of the day of `time`, and the last millisecond of that day. */
vg_time vg_time_match_day_start(vg_time time);
vg_time vg_time_match_day_end(vg_time time);

#endif
