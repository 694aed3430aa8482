#include "core/query/group_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/limits.h"

/* More values than these are not asked for one by one. */
#define VG_NETWORKS_ASKED_MAX 256u
#define VG_FIXED_ASKED_MAX    32u

/* A group that may be shown. */
struct candidate {
    const struct vg_aggregate_group *group;
    struct vg_bytes identifier; /* data NULL = not asked yet */
    struct vg_aggregate_cell total;
    uint32_t first_member; /* of merged ones: place in the list of members */
    uint32_t member_count;
};

/* Groups that belong to one parent, or to parents that were merged. */
struct members {
    const uint32_t *groups; /* of one level */
    uint32_t count;
};

struct making {
    struct vg_group_tree *tree;
    const struct vg_aggregate_result *result;
    struct vg_error *error;
    enum vg_reason reason; /* of the first failure */
    /* For each level but the last: where the children of each group stand in the next one. */
    struct range {
        uint32_t first;
        uint32_t count;
    } * children[VG_AGGREGATE_LEVELS_MAX];
    uint32_t level; /* whose groups are compared */
};

bool vg_group_is_absent(enum vg_column_kind kind, const struct vg_value *value)
{
    switch (kind) {
    case VG_COLUMN_TIME:
    case VG_COLUMN_NUMBER:
    case VG_COLUMN_NUMBERS:
        return value->number == VG_ABSENT;
    case VG_COLUMN_TEXT:
    case VG_COLUMN_TEXTS:
    case VG_COLUMN_FIXED:
        return value->bytes.data == NULL && !value->beyond;
    case VG_COLUMN_SUBJECTS:
        return value->numbers.count == 0;
    case VG_COLUMN_NETWORK:
        return value->network.family == VG_NETWORK_NONE;
    case VG_COLUMN_FLAGS:
    case VG_COLUMN_HASHES:
    case VG_COLUMN_TOKENS:
        break;
    }
    return true; /* no column of groups */
}

static enum vg_reason fail(struct making *making, enum vg_reason reason)
{
    if (making->reason == VG_OK) {
        making->reason = reason;
    }
    return reason;
}

static void *take(struct making *making, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(making->tree->arena, count, size);
    if (memory == NULL && making->reason == VG_OK) {
        making->reason = vg_error_set(making->error, VG_REQUEST_MEMORY, NULL);
    }
    return memory;
}

static struct vg_bytes identifier_of(struct making *making, struct candidate *candidate)
{
    const struct vg_group_names *names = &making->tree->names;
    if (candidate->identifier.data == NULL && making->reason == VG_OK) {
        (void)fail(
            making,
            names->identify(
                names->owner,
                making->level,
                candidate->group,
                &candidate->identifier,
                making->error));
    }
    return candidate->identifier;
}

static int compare_bytes(struct vg_bytes a, struct vg_bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* The order in which groups are shown. */
static int compare_shown(const void *a, const void *b, void *owner)
{
    struct candidate *one = *(struct candidate *const *)a;
    struct candidate *other = *(struct candidate *const *)b;
    if (one->total.count != other->total.count) {
        return one->total.count > other->total.count ? -1 : 1;
    }
    return compare_bytes(identifier_of(owner, one), identifier_of(owner, other));
}

static int compare_identifiers(const void *a, const void *b, void *owner)
{
    struct candidate *one = *(struct candidate *const *)a;
    struct candidate *other = *(struct candidate *const *)b;
    return compare_bytes(identifier_of(owner, one), identifier_of(owner, other));
}

/* --------------------------------------------------------------------------------- candidates */

struct candidates {
    struct candidate **list;
    uint32_t count;
    uint32_t *members; /* groups, by candidate */
};

static bool is_shown(const struct making *making, const struct vg_aggregate_group *group)
{
    const struct vg_group_tree *tree = making->tree;
    uint32_t column = tree->levels[making->level].column;
    return !vg_group_is_absent(tree->schema->columns[column].kind, &group->value) &&
           (tree->names.shows == NULL ||
            tree->names.shows(tree->names.owner, making->level, group));
}

/* Make candidates of equal identifier one. */
static void merge(struct making *making, struct candidates *candidates)
{
    uint32_t count = candidates->count;
    uint32_t *members = take(making, count, sizeof(*members));
    if (members == NULL || count == 0) {
        return;
    }
    qsort_r(candidates->list, count, sizeof(struct candidate *), compare_identifiers, making);
    if (making->reason != VG_OK) {
        return;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct candidate *candidate = candidates->list[i];
        struct candidate *last = kept == 0 ? NULL : candidates->list[kept - 1];
        members[i] = candidates->members[candidate->first_member];
        candidate->first_member = i;
        if (last != NULL && compare_bytes(last->identifier, candidate->identifier) == 0) {
            last->total.count += candidate->total.count;
            last->total.sum += candidate->total.sum;
            last->member_count++;
        } else {
            candidates->list[kept++] = candidate;
        }
    }
    candidates->members = members;
    candidates->count = kept;
}

/* The groups of making->level whose parents are `parents` (of the root: all). */
static void collect(
    struct making *making,
    const struct members *parents,
    struct candidates *candidates)
{
    const struct vg_aggregate_level *level = &making->result->levels[making->level];
    const struct range *ranges = making->level == 0 ? NULL : making->children[making->level - 1];
    const struct range all = { 0, level->group_count };
    size_t room = 0;
    for (uint32_t i = 0; i < parents->count; i++) {
        room += ranges == NULL ? all.count : ranges[parents->groups[i]].count;
    }
    struct candidate *memory = take(making, room, sizeof(*memory));
    candidates->list = take(making, room, sizeof(*candidates->list));
    candidates->members = take(making, room, sizeof(*candidates->members));
    candidates->count = 0;
    if (making->reason != VG_OK) {
        return;
    }
    for (uint32_t i = 0; i < parents->count; i++) {
        const struct range *range = ranges == NULL ? &all : &ranges[parents->groups[i]];
        for (uint32_t at = range->first; at < range->first + range->count; at++) {
            const struct vg_aggregate_group *group = &level->groups[at];
            if (!is_shown(making, group)) {
                continue;
            }
            uint32_t place = candidates->count++;
            memory[place] = (struct candidate){ .group = group,
                                                .total = group->total,
                                                .first_member = place,
                                                .member_count = 1 };
            candidates->list[place] = &memory[place];
            candidates->members[place] = at;
        }
    }
    if (making->tree->levels[making->level].merges || parents->count > 1) {
        merge(making, candidates);
    }
}

/* ----------------------------------------------------------------------------------- selection */

/* Let what stands at `at` sink: the heap's top is what is shown last. */
static void sink(struct making *making, struct candidate **heap, uint32_t count, uint32_t at)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count) {
            return;
        }
        if (child + 1 < count && compare_shown(&heap[child], &heap[child + 1], making) < 0) {
            child++;
        }
        if (compare_shown(&heap[at], &heap[child], making) >= 0) {
            return;
        }
        struct candidate *moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
        at = child;
    }
}

/* Bring the `limit` that are shown first to the front; few are compared with more than one. */
static void select_first(struct making *making, struct candidates *candidates, uint32_t limit)
{
    struct candidate **list = candidates->list;
    if (limit < candidates->count) {
        for (uint32_t at = limit / 2; at > 0; at--) {
            sink(making, list, limit, at - 1);
        }
        for (uint32_t i = limit; i < candidates->count; i++) {
            if (compare_shown(&list[i], &list[0], making) < 0) {
                struct candidate *moved = list[0];
                list[0] = list[i];
                list[i] = moved;
                sink(making, list, limit, 0);
            }
        }
    }
    uint32_t shown = limit < candidates->count ? limit : candidates->count;
    if (shown > 1) {
        qsort_r(list, shown, sizeof(struct candidate *), compare_shown, making);
    }
}

static void make_children(
    struct making *making,
    uint32_t level,
    const struct members *parents,
    struct vg_group_node *parent);

static void fill_nodes(
    struct making *making,
    const struct candidates *candidates,
    uint32_t shown,
    struct vg_group_node *parent)
{
    const uint32_t level = making->level;
    for (uint32_t i = 0; i < shown && making->reason == VG_OK; i++) {
        struct candidate *candidate = candidates->list[i];
        struct vg_group_node *node = &parent->children[i];
        making->level = level;
        *node = (struct vg_group_node){ .group = candidate->group,
                                        .identifier = identifier_of(making, candidate),
                                        .total = candidate->total };
        if (level + 1 < making->tree->level_count) {
            const struct members members = { &candidates->members[candidate->first_member],
                                             candidate->member_count };
            make_children(making, level + 1, &members, node);
        }
    }
}

static uint32_t limit_of(struct making *making, const struct candidates *candidates)
{
    uint32_t limit = making->tree->levels[making->level].limit;
    if (limit != 0) {
        return limit;
    }
    if (candidates->count > VG_LIMIT_GROUPS_PER_PARENT && making->reason == VG_OK) {
        char most[16];
        (void)snprintf(most, sizeof(most), "%d", VG_LIMIT_GROUPS_PER_PARENT);
        (void)vg_error_set(
            making->error,
            VG_RESULTSET_TOO_LARGE,
            "A level without a limit may have %d groups",
            VG_LIMIT_GROUPS_PER_PARENT);
        making->reason = vg_error_field(making->error, "", most);
    }
    return VG_LIMIT_GROUPS_PER_PARENT;
}

/* Recursion is bounded by VG_AGGREGATE_LEVELS_MAX. */
static void make_children(
    struct making *making,
    uint32_t level,
    const struct members *parents,
    struct vg_group_node *parent)
{
    struct candidates candidates;
    making->level = level;
    collect(making, parents, &candidates);
    if (making->reason != VG_OK) {
        return;
    }
    uint32_t limit = limit_of(making, &candidates);
    if (making->reason == VG_OK) {
        select_first(making, &candidates, limit);
    }
    uint32_t shown = limit < candidates.count ? limit : candidates.count;
    bool others = shown < candidates.count && making->tree->levels[level].has_others;
    parent->children = take(making, shown + (others ? 1u : 0u), sizeof(*parent->children));
    if (making->reason != VG_OK) {
        return;
    }
    parent->child_count = shown + (others ? 1u : 0u);
    for (uint32_t i = shown; others && i < candidates.count; i++) {
        parent->children[shown].total.count += candidates.list[i]->total.count;
        parent->children[shown].total.sum += candidates.list[i]->total.sum;
    }
    fill_nodes(making, &candidates, shown, parent);
}

/* Where the children of each group stand: those of one parent stand side by side. */
static void find_children(struct making *making)
{
    const struct vg_aggregate_result *result = making->result;
    for (uint32_t level = 1; level < making->tree->level_count; level++) {
        struct range *ranges = take(making, result->levels[level - 1].group_count, sizeof(*ranges));
        if (ranges == NULL) {
            return;
        }
        for (uint32_t i = 0; i < result->levels[level].group_count; i++) {
            struct range *range = &ranges[result->levels[level].groups[i].parent];
            range->first = range->count == 0 ? i : range->first;
            VG_ASSERT(range->first + range->count == i);
            range->count++;
        }
        making->children[level - 1] = ranges;
    }
}

enum vg_reason vg_group_tree_make(
    struct vg_group_tree *tree,
    const struct vg_aggregate_result *result,
    struct vg_error *error)
{
    VG_ASSERT(tree->level_count <= VG_AGGREGATE_LEVELS_MAX);
    struct making making = { .tree = tree, .result = result, .error = error };
    tree->root = (struct vg_group_node){ .total = result->total };
    find_children(&making);
    if (tree->level_count != 0 && making.reason == VG_OK) {
        static const uint32_t none = 0;
        const struct members root = { &none, 1 };
        make_children(&making, 0, &root, &tree->root);
    }
    return making.reason;
}

/* ------------------------------------------------------------------------------------ restrict */

/* The values of one level that are shown. */
struct shown {
    const struct vg_group_node **nodes;
    uint32_t count;
};

static uint32_t count_nodes(const struct vg_group_node *parent, uint32_t depth)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < parent->child_count; i++) {
        const struct vg_group_node *node = &parent->children[i];
        if (node->group != NULL) {
            count += depth == 0 ? 1 : count_nodes(node, depth - 1);
        }
    }
    return count;
}

static void list_nodes(const struct vg_group_node *parent, uint32_t depth, struct shown *shown)
{
    for (uint32_t i = 0; i < parent->child_count; i++) {
        const struct vg_group_node *node = &parent->children[i];
        if (node->group != NULL && depth == 0) {
            shown->nodes[shown->count++] = node;
        } else if (node->group != NULL) {
            list_nodes(node, depth - 1, shown);
        }
    }
}

static const struct vg_predicate *ask_numbers(
    struct vg_arena *arena,
    uint32_t column,
    enum vg_column_kind kind,
    const struct shown *shown)
{
    int64_t *numbers = vg_arena_alloc(arena, shown->count * sizeof(*numbers));
    for (uint32_t i = 0; numbers != NULL && i < shown->count; i++) {
        const struct vg_value *value = &shown->nodes[i]->group->value;
        numbers[i] = kind == VG_COLUMN_SUBJECTS ? value->numbers.items[0] : value->number;
    }
    return numbers == NULL ? NULL : vg_predicate_number_in(arena, column, numbers, shown->count);
}

static const struct vg_predicate *ask_texts(
    struct vg_arena *arena,
    uint32_t column,
    const struct shown *shown)
{
    struct vg_bytes *texts = vg_arena_alloc(arena, shown->count * sizeof(*texts));
    for (uint32_t i = 0; texts != NULL && i < shown->count; i++) {
        texts[i] = shown->nodes[i]->identifier;
    }
    return texts == NULL ? NULL : vg_predicate_bytes_in(arena, column, texts, shown->count);
}

static const struct vg_predicate *ask_values(
    struct vg_arena *arena,
    uint32_t column,
    const struct shown *shown)
{
    struct vg_bytes *values = vg_arena_alloc(arena, shown->count * sizeof(*values));
    for (uint32_t i = 0; values != NULL && i < shown->count; i++) {
        values[i] = shown->nodes[i]->group->value.bytes;
        if (shown->nodes[i]->group->value.beyond) {
            return vg_predicate_all(arena);
        }
    }
    return values == NULL ? NULL : vg_predicate_bytes_in(arena, column, values, shown->count);
}

/* This asks for networks around and within each as well, which does no harm. */
static const struct vg_predicate *ask_networks(
    struct vg_arena *arena,
    uint32_t column,
    const struct shown *shown)
{
    const struct vg_predicate *any[VG_NETWORKS_ASKED_MAX];
    if (shown->count > VG_NETWORKS_ASKED_MAX) {
        return vg_predicate_all(arena);
    }
    for (uint32_t i = 0; i < shown->count; i++) {
        const struct vg_network *network = &shown->nodes[i]->group->value.network;
        any[i] = vg_predicate_network(arena, column, network, network->bits);
    }
    return vg_predicate_or(arena, any, shown->count);
}

static const struct vg_predicate *restrict_level(const struct vg_group_tree *tree, uint32_t level)
{
    uint32_t column = tree->levels[level].column;
    enum vg_column_kind kind = tree->schema->columns[column].kind;
    uint32_t count = count_nodes(&tree->root, level);
    if (tree->levels[level].merges) {
        return vg_predicate_all(tree->arena);
    }
    if (count == 0) {
        return vg_predicate_none(tree->arena);
    }
    struct shown shown = { .nodes = vg_arena_alloc(tree->arena, count * sizeof(*shown.nodes)) };
    if (shown.nodes == NULL) {
        return NULL;
    }
    list_nodes(&tree->root, level, &shown);
    if (kind == VG_COLUMN_TEXT) {
        return ask_texts(tree->arena, column, &shown);
    }
    if (kind == VG_COLUMN_TEXTS) {
        return ask_values(tree->arena, column, &shown);
    }
    if (kind == VG_COLUMN_FIXED) {
        return count > VG_FIXED_ASKED_MAX ? vg_predicate_all(tree->arena)
                                          : ask_values(tree->arena, column, &shown);
    }
    return kind == VG_COLUMN_NETWORK ? ask_networks(tree->arena, column, &shown)
                                     : ask_numbers(tree->arena, column, kind, &shown);
}

const struct vg_predicate *vg_group_tree_restrict(const struct vg_group_tree *tree)
{
    const struct vg_predicate *levels[VG_AGGREGATE_LEVELS_MAX];
    for (uint32_t level = 0; level < tree->level_count; level++) {
        levels[level] = restrict_level(tree, level);
    }
    return vg_predicate_and(tree->arena, levels, tree->level_count);
}

/* ---------------------------------------------------------------------------------------- fill */

static int compare_nodes(const void *a, const void *b)
{
    const struct vg_group_node *one = *(struct vg_group_node *const *)a;
    const struct vg_group_node *other = *(struct vg_group_node *const *)b;
    return compare_bytes(one->identifier, other->identifier);
}

static void index_children(struct making *making, struct vg_group_node *node)
{
    node->by_identifier = take(making, node->child_count, sizeof(struct vg_group_node *));
    if (making->reason != VG_OK) {
        return;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->child_count; i++) {
        if (node->children[i].group != NULL) {
            node->by_identifier[count++] = &node->children[i];
        }
    }
    if (count > 1) {
        qsort(node->by_identifier, count, sizeof(struct vg_group_node *), compare_nodes);
    }
}

static struct vg_group_node *find_child(struct vg_group_node *node, struct vg_bytes identifier)
{
    uint32_t low = 0;
    uint32_t high = node->child_count;
    if (high != 0 && node->children[high - 1].group == NULL) {
        high--;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct vg_group_node *child = node->by_identifier[middle];
        int order = compare_bytes(identifier, child->identifier);
        if (order == 0) {
            return child;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* The node of a group whose parent's node is known; NULL when it is not shown. */
static struct vg_group_node *find_node(
    struct making *making,
    const struct vg_aggregate_group *group,
    struct vg_group_node *parent)
{
    if (parent == NULL || !is_shown(making, group)) {
        return NULL;
    }
    if (parent->by_identifier == NULL) {
        index_children(making, parent);
    }
    struct candidate candidate = { .group = group };
    struct vg_bytes identifier = identifier_of(making, &candidate);
    return making->reason == VG_OK ? find_child(parent, identifier) : NULL;
}

static void add_spans(
    struct making *making,
    struct vg_group_node *node,
    const struct vg_aggregate_cell *spans,
    uint32_t span_count)
{
    if (node->spans == NULL) {
        node->spans = take(making, span_count, sizeof(*node->spans));
    }
    for (uint32_t i = 0; node->spans != NULL && i < span_count; i++) {
        node->spans[i].count += spans[i].count;
        node->spans[i].sum += spans[i].sum;
    }
}

enum vg_reason vg_group_tree_fill(
    struct vg_group_tree *tree,
    const struct vg_aggregate_result *result,
    uint32_t span_count,
    struct vg_error *error)
{
    struct making making = { .tree = tree, .result = result, .error = error };
    struct vg_group_node *root = &tree->root;
    struct vg_group_node **parents = &root;
    if (tree->level_count == 0) {
        add_spans(&making, root, result->spans, span_count);
        root->extremes = result->extremes;
    }
    for (uint32_t level = 0; level < tree->level_count && making.reason == VG_OK; level++) {
        const struct vg_aggregate_level *groups = &result->levels[level];
        struct vg_group_node **nodes = take(&making, groups->group_count, sizeof(*nodes));
        making.level = level;
        for (uint32_t i = 0; making.reason == VG_OK && i < groups->group_count; i++) {
            const struct vg_aggregate_group *group = &groups->groups[i];
            nodes[i] = find_node(&making, group, parents[level == 0 ? 0 : group->parent]);
            if (nodes[i] != NULL && level + 1 == tree->level_count) {
                add_spans(&making, nodes[i], group->spans, span_count);
                nodes[i]->extremes = group->extremes;
            }
        }
        parents = nodes;
    }
    return making.reason;
}
