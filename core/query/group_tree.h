/*
 * Nested groups of an answer (events-api.md 5.2, sampledb-api.md 5): of what vg_aggregate_run has
 * counted, the largest groups of each parent, in order, and what is left of the others.
 *
 * Groups are ordered by count, descending, then by identifier, ascending byte for byte. Counts of
 * parents are those of the engine, never sums of children.
 *
 * Timelines of the leaves are counted in a second pass, over the groups that are shown only, unless
 * the groups are so few that the first counts them as well:
 *
 *     vg_aggregate_run, may skip timelines → vg_group_tree_make → vg_group_tree_restrict
 *     vg_aggregate_run with timelines      → vg_group_tree_fill
 *
 * Threads: a call's.
 */
#ifndef VG_CORE_QUERY_GROUP_TREE_H
#define VG_CORE_QUERY_GROUP_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/table/aggregate.h"
#include "core/table/predicate.h"
#include "core/table/table_schema.h"

/* One level. */
struct vg_group_level_request {
    uint32_t column;
    uint32_t limit;  /* groups of one parent; 0 = all, at most VG_LIMIT_GROUPS_PER_PARENT */
    bool has_others; /* one more group for what the limit cuts off */
    bool merges;     /* several values may have one identifier; not for lists */
};

/* What the domain knows about groups. Both are asked as seldom as can be. */
struct vg_group_names {
    /* Is the group shown at all? Those without a value are left out before. NULL = yes. */
    bool (*shows)(void *owner, uint32_t level, const struct vg_aggregate_group *group);
    /* What tells it from its siblings; lives as long as the answer. */
    enum vg_reason (*identify)(
        void *owner,
        uint32_t level,
        const struct vg_aggregate_group *group,
        struct vg_bytes *out_identifier,
        struct vg_error *error);
    void *owner;
};

struct vg_group_node {
    const struct vg_aggregate_group
        *group;                 /* one of those it is made of; NULL = root, or the others */
    struct vg_bytes identifier; /* data NULL = not asked yet, root, or the others */
    struct vg_aggregate_cell total;
    struct vg_group_node *children; /* the others last */
    uint32_t child_count;
    struct vg_aggregate_cell *spans; /* after vg_group_tree_fill, of leaves; else NULL */
    const struct vg_aggregate_extremes *extremes; /* the same; not of a level that merges */
    struct vg_group_node **by_identifier;         /* children without the others; private */
};

struct vg_group_tree {
    struct vg_group_node root;
    const struct vg_group_level_request *levels;
    uint32_t level_count;
    const struct vg_table_schema *schema;
    struct vg_group_names names;
    struct vg_arena *arena;
};

/*
 * Make the tree of `result`, which must stay, as must the snapshot. Set levels, level_count,
 * schema, names and arena of `tree` before.
 *
 * Fails with: RESULTSET_TOO_LARGE when a level without a limit has more than
 * VG_LIMIT_GROUPS_PER_PARENT groups of one parent; REQUEST_MEMORY; what identify fails with.
 */
VG_MUST_USE enum vg_reason vg_group_tree_make(
    struct vg_group_tree *tree,
    const struct vg_aggregate_result *result,
    struct vg_error *error);

/* A question that every record in a group of the tree answers with yes, and most others with no.
 * NULL = the arena is full. */
const struct vg_predicate *vg_group_tree_restrict(const struct vg_group_tree *tree);

/*
 * Give the leaves their spans and extremes, from a result with the same levels and `span_count`
 * spans in all.
 *
 * Fails with: REQUEST_MEMORY; what identify fails with.
 */
VG_MUST_USE enum vg_reason vg_group_tree_fill(
    struct vg_group_tree *tree,
    const struct vg_aggregate_result *result,
    uint32_t span_count,
    struct vg_error *error);

/* Is this the value of a group of records without a value? */
bool vg_group_is_absent(enum vg_column_kind kind, const struct vg_value *value);

#endif
