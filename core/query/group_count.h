/*
 * Group count: what statistics of events and of submissions share. Records are counted in groups
 * first, by counters alone; then, for the groups that are shown and no others, in the spans of
 * timelines, with the least and greatest values of their leaves. Without groups both is one pass.
 *
 * Threads: a call's.
 */
#ifndef VG_CORE_QUERY_GROUP_COUNT_H
#define VG_CORE_QUERY_GROUP_COUNT_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/query/group_tree.h"
#include "core/query/timeline.h"
#include "core/table/aggregate.h"
#include "core/table/snapshot.h"

struct vg_group_count {
    const struct vg_snapshot *snapshot;
    /* The records, what is added up, prefixes of levels and columns of extremes; levels and
     * timelines are set here. */
    struct vg_aggregate records;
    const uint32_t *columns; /* of the levels of the tree */
    const struct vg_timeline_plan *plans;
    uint32_t plan_count; /* at most VG_AGGREGATE_TIMELINES_MAX */
    uint32_t span_count; /* of all plans together */
};

/*
 * Count, and make `tree`, of which all that vg_group_tree_make asks for is set.
 *
 * Fails with: what vg_aggregate_run, vg_group_tree_make and vg_group_tree_fill fail with.
 */
VG_MUST_USE enum vg_reason vg_group_count_run(
    const struct vg_group_count *count,
    struct vg_group_tree *tree,
    struct vg_error *error);

#endif
