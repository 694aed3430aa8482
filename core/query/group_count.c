#include "core/query/group_count.h"

#include "core/base/assert.h"

/* The timelines that have spans; returns how many. */
static uint32_t list_timelines(
    const struct vg_group_count *count,
    struct vg_aggregate_timeline out_timelines[VG_AGGREGATE_TIMELINES_MAX])
{
    uint32_t timeline_count = 0;
    VG_ASSERT(count->plan_count <= VG_AGGREGATE_TIMELINES_MAX);
    for (uint32_t i = 0; i < count->plan_count; i++) {
        if (count->plans[i].spans.span_count != 0) {
            out_timelines[timeline_count++] = count->plans[i].spans;
        }
    }
    return timeline_count;
}

/* Count what leaves tell, of the groups that are shown and no others. */
static enum vg_reason count_leaves(
    const struct vg_group_count *count,
    struct vg_group_tree *tree,
    struct vg_aggregate *asked,
    struct vg_error *error)
{
    asked->may_skip_spans = false;
    asked->extreme_columns = count->records.extreme_columns;
    asked->extreme_count = count->records.extreme_count;
    if (tree->level_count != 0) {
        const struct vg_predicate *both[] = { asked->where, vg_group_tree_restrict(tree) };
        asked->where = vg_predicate_and(tree->arena, both, VG_ARRAY_COUNT(both));
        if (asked->where == NULL) {
            return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
        }
    }
    struct vg_aggregate_result result;
    enum vg_reason reason = vg_aggregate_run(count->snapshot, asked, tree->arena, &result, error);
    if (reason == VG_OK && tree->level_count == 0) {
        reason = vg_group_tree_make(tree, &result, error);
    }
    return reason != VG_OK ? reason : vg_group_tree_fill(tree, &result, count->span_count, error);
}

enum vg_reason vg_group_count_run(
    const struct vg_group_count *count,
    struct vg_group_tree *tree,
    struct vg_error *error)
{
    struct vg_aggregate asked = count->records;
    struct vg_aggregate_timeline timelines[VG_AGGREGATE_TIMELINES_MAX];
    bool leaves_tell = count->span_count != 0 || count->records.extreme_count != 0;
    asked.columns = count->columns;
    asked.column_count = tree->level_count;
    asked.timelines = timelines;
    asked.timeline_count = list_timelines(count, timelines);
    asked.extreme_count = 0;
    if (asked.column_count == 0 && leaves_tell) {
        return count_leaves(count, tree, &asked, error);
    }
    /* Few groups are counted with all they have at once. */
    asked.may_skip_spans = count->records.extreme_count == 0;
    asked.timeline_count = asked.may_skip_spans ? asked.timeline_count : 0;
    struct vg_aggregate_result result;
    enum vg_reason reason = vg_aggregate_run(count->snapshot, &asked, tree->arena, &result, error);
    if (reason == VG_OK) {
        reason = vg_group_tree_make(tree, &result, error);
    }
    if (reason != VG_OK || !leaves_tell || tree->root.total.count == 0) {
        return reason;
    }
    if (result.has_spans) {
        return vg_group_tree_fill(tree, &result, count->span_count, error);
    }
    asked.timeline_count = list_timelines(count, timelines);
    return count_leaves(count, tree, &asked, error);
}
