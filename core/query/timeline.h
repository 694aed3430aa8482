/*
 * Timelines: how many records fall into each span of a time column, for every group of an answer
 * (events-api.md 5.2, sampledb-api.md 5).
 *
 * A timeline is planned before the records are counted: which spans there are follows from its
 * range or, where that is open, from the records. So the counting has few spans, and none that
 * nobody asked for.
 *
 *     vg_timeline_plan    for each timeline     → spans
 *     vg_aggregate_run    with those spans      → cells
 *     vg_timeline_read    for each leaf         → the buckets that are shown
 *
 * Threads: a call's.
 */
#ifndef VG_CORE_QUERY_TIMELINE_H
#define VG_CORE_QUERY_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/query/time_span.h"
#include "core/table/aggregate.h"
#include "core/table/snapshot.h"

/* What is asked for. */
struct vg_timeline {
    uint32_t column; /* TIME */
    enum vg_time_unit unit;
    vg_time start; /* inclusive, not before 0 */
    vg_time end;   /* inclusive, at most VG_TIME_SPAN_LAST */
    bool includes_empty;
    bool starts_at_first; /* no empty buckets before the first that is not */
    bool ends_at_last;    /* none behind the last */
};

struct vg_timeline_plan {
    struct vg_timeline timeline;
    struct vg_aggregate_timeline spans; /* span_count 0: nothing can be counted, leave it out */
    const vg_time *stamps; /* of each span what is shown; VG_ABSENT = it lies between buckets and
                              holds nothing */
};

/*
 * Find the spans of `timeline` for the records that `records` asks for; of that, columns, sum and
 * timelines are not looked at.
 *
 * Fails with: RESULTSET_TOO_LARGE when there are more than VG_LIMIT_TIMELINE_BUCKETS; what
 * vg_search_run and vg_aggregate_run fail with.
 */
VG_MUST_USE enum vg_reason vg_timeline_plan(
    const struct vg_snapshot *snapshot,
    const struct vg_aggregate *records,
    const struct vg_timeline *timeline,
    struct vg_arena *arena,
    struct vg_timeline_plan *out_plan,
    struct vg_error *error);

/* Which spans of a plan are buckets of one leaf, and their sum. */
struct vg_timeline_reading {
    const uint32_t *spans; /* rising */
    uint32_t span_count;
    struct vg_aggregate_cell total;
};

/* `cells`: those of this timeline, one for each span. False when the arena is full. */
VG_MUST_USE bool vg_timeline_read(
    const struct vg_timeline_plan *plan,
    const struct vg_aggregate_cell *cells,
    struct vg_arena *arena,
    struct vg_timeline_reading *out_reading);

#endif
