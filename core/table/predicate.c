#include "core/table/predicate.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/case_fold.h"

static struct vg_predicate *make_node(
    struct vg_arena *arena,
    enum vg_predicate_kind kind,
    uint32_t column)
{
    struct vg_predicate *node = vg_arena_calloc(arena, 1, sizeof(*node));
    if (node != NULL) {
        node->kind = kind;
        node->column = column;
    }
    return node;
}

static void *copy_values(struct vg_arena *arena, const void *values, uint32_t count, size_t size)
{
    void *copy = vg_arena_calloc(arena, count == 0 ? 1 : count, size);
    if (copy != NULL && count > 0) {
        memcpy(copy, values, count * size);
    }
    return copy;
}

const struct vg_predicate *vg_predicate_all(struct vg_arena *arena)
{
    return make_node(arena, VG_PREDICATE_ALL, 0);
}

const struct vg_predicate *vg_predicate_none(struct vg_arena *arena)
{
    return make_node(arena, VG_PREDICATE_NONE, 0);
}

static const struct vg_predicate *make_branch(
    struct vg_arena *arena,
    enum vg_predicate_kind kind,
    const struct vg_predicate *const *children,
    uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (children[i] == NULL) {
            return NULL;
        }
    }
    struct vg_predicate *node = make_node(arena, kind, 0);
    const struct vg_predicate **copy =
        vg_arena_calloc(arena, count == 0 ? 1 : count, sizeof(struct vg_predicate *));
    if (node == NULL || copy == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = children[i];
    }
    node->children = copy;
    node->count = count;
    return node;
}

const struct vg_predicate *vg_predicate_and(
    struct vg_arena *arena,
    const struct vg_predicate *const *children,
    uint32_t count)
{
    return make_branch(arena, VG_PREDICATE_AND, children, count);
}

const struct vg_predicate *vg_predicate_or(
    struct vg_arena *arena,
    const struct vg_predicate *const *children,
    uint32_t count)
{
    return make_branch(arena, VG_PREDICATE_OR, children, count);
}

const struct vg_predicate *vg_predicate_not(
    struct vg_arena *arena,
    const struct vg_predicate *child)
{
    return make_branch(arena, VG_PREDICATE_NOT, &child, 1);
}

const struct vg_predicate *vg_predicate_range(
    struct vg_arena *arena,
    uint32_t column,
    int64_t min,
    int64_t max)
{
    struct vg_predicate *node = make_node(arena, VG_PREDICATE_RANGE, column);
    if (node != NULL) {
        node->range.min = min;
        node->range.max = max;
    }
    return node;
}

static int compare_numbers(const void *left, const void *right)
{
    const int64_t *a = left;
    const int64_t *b = right;
    return (*a > *b) - (*a < *b);
}

const struct vg_predicate *vg_predicate_number_in(
    struct vg_arena *arena,
    uint32_t column,
    const int64_t *numbers,
    uint32_t count)
{
    struct vg_predicate *node = make_node(arena, VG_PREDICATE_NUMBER_IN, column);
    int64_t *copy = copy_values(arena, numbers, count, sizeof(*copy));
    if (node == NULL || copy == NULL) {
        return NULL;
    }
    qsort(copy, count, sizeof(*copy), compare_numbers);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (distinct == 0 || copy[distinct - 1] != copy[i]) {
            copy[distinct++] = copy[i];
        }
    }
    node->numbers = copy;
    node->count = distinct;
    return node;
}

bool vg_predicate_has_number(const struct vg_predicate *question, int64_t number)
{
    uint32_t low = 0;
    uint32_t high = question->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (question->numbers[middle] < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < question->count && question->numbers[low] == number;
}

static const struct vg_predicate *make_flags(
    struct vg_arena *arena,
    enum vg_predicate_kind kind,
    uint32_t column,
    uint64_t mask)
{
    struct vg_predicate *node = make_node(arena, kind, column);
    if (node != NULL) {
        node->mask = mask;
    }
    return node;
}

const struct vg_predicate *vg_predicate_flags_all(
    struct vg_arena *arena,
    uint32_t column,
    uint64_t mask)
{
    return make_flags(arena, VG_PREDICATE_FLAGS_ALL, column, mask);
}

const struct vg_predicate *vg_predicate_flags_any(
    struct vg_arena *arena,
    uint32_t column,
    uint64_t mask)
{
    return make_flags(arena, VG_PREDICATE_FLAGS_ANY, column, mask);
}

const struct vg_predicate *vg_predicate_bytes_in(
    struct vg_arena *arena,
    uint32_t column,
    const struct vg_bytes *values,
    uint32_t count)
{
    struct vg_predicate *node = make_node(arena, VG_PREDICATE_BYTES_IN, column);
    struct vg_bytes *copy = copy_values(arena, values, count, sizeof(*copy));
    if (node == NULL || copy == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *text = vg_arena_text(arena, values[i]);
        if (text == NULL) {
            return NULL;
        }
        copy[i] = vg_bytes(text, values[i].size);
    }
    node->bytes = copy;
    node->count = count;
    return node;
}

const struct vg_predicate *vg_predicate_network(
    struct vg_arena *arena,
    uint32_t column,
    const struct vg_network *network,
    int min_bits)
{
    struct vg_predicate *node = make_node(arena, VG_PREDICATE_NETWORK, column);
    if (node != NULL) {
        node->network.network = *network;
        node->network.min_bits = (int16_t)min_bits;
    }
    return node;
}

const struct vg_predicate *vg_predicate_networks(
    struct vg_arena *arena,
    uint32_t column,
    const struct vg_network *networks,
    uint32_t count,
    int min_bits)
{
    struct vg_predicate *node = make_node(arena, VG_PREDICATE_NETWORKS, column);
    const struct vg_network_set *set = vg_network_set_create(arena, networks, count);
    if (node == NULL || set == NULL) {
        return NULL;
    }
    node->networks.set = set;
    node->networks.min_bits = (int16_t)min_bits;
    node->count = count;
    return node;
}

static int compare_hashes(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;
    return (*a > *b) - (*a < *b);
}

const struct vg_predicate *vg_predicate_hash_in(
    struct vg_arena *arena,
    uint32_t column,
    const uint64_t *hashes,
    uint32_t count)
{
    struct vg_predicate *node = make_node(arena, VG_PREDICATE_HASH_IN, column);
    uint64_t *copy = copy_values(arena, hashes, count, sizeof(*copy));
    if (node == NULL || copy == NULL) {
        return NULL;
    }
    qsort(copy, count, sizeof(*copy), compare_hashes);
    node->hashes = copy;
    node->count = count;
    return node;
}

const struct vg_predicate *vg_predicate_tokens(
    struct vg_arena *arena,
    uint32_t column,
    const uint64_t *hashes,
    uint32_t count,
    vg_predicate_confirm confirm,
    const void *owner)
{
    VG_ASSERT(confirm != NULL);
    struct vg_predicate *node = make_node(arena, VG_PREDICATE_TOKENS, column);
    uint32_t *copy = vg_arena_calloc(arena, (size_t)count + 1, sizeof(*copy));
    if (node == NULL || copy == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = vg_token_element(hashes[i], 0);
    }
    node->tokens.hashes = copy;
    node->tokens.confirm = confirm;
    node->tokens.owner = owner;
    node->count = count;
    return node;
}

static struct vg_predicate *make_texts(
    struct vg_arena *arena,
    enum vg_predicate_kind kind,
    uint32_t column,
    vg_predicate_confirm confirm,
    const void *owner)
{
    struct vg_predicate *node = make_node(arena, kind, column);
    if (node != NULL) {
        node->texts.confirm = confirm;
        node->texts.owner = owner;
    }
    return node;
}

const struct vg_predicate *vg_predicate_prefix(
    struct vg_arena *arena,
    uint32_t column,
    struct vg_bytes prefix,
    vg_predicate_confirm confirm,
    const void *owner)
{
    struct vg_predicate *node = make_texts(arena, VG_PREDICATE_PREFIX, column, confirm, owner);
    struct vg_bytes *copy = vg_arena_alloc(arena, sizeof(*copy));
    const char *text = vg_arena_text(arena, prefix);
    if (node == NULL || copy == NULL || text == NULL) {
        return NULL;
    }
    *copy = vg_bytes(text, prefix.size);
    node->texts.values = copy;
    node->count = 1;
    return node;
}

const struct vg_predicate *vg_predicate_contains(
    struct vg_arena *arena,
    uint32_t column,
    const struct vg_bytes *texts,
    uint32_t count,
    vg_predicate_confirm confirm,
    const void *owner)
{
    struct vg_predicate *node = make_texts(arena, VG_PREDICATE_CONTAINS, column, confirm, owner);
    struct vg_bytes *folded = copy_values(arena, texts, count, sizeof(*folded));
    if (node == NULL || folded == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        VG_ASSERT(texts[i].size > 0);
        uint8_t *text = vg_arena_alloc(arena, vg_case_fold_room(texts[i].size));
        if (text == NULL) {
            return NULL;
        }
        folded[i] = vg_bytes(text, vg_case_fold(texts[i], text));
    }
    node->texts.values = folded;
    node->count = count;
    return node;
}

static bool is_branch(const struct vg_predicate *node)
{
    return node->kind == VG_PREDICATE_AND || node->kind == VG_PREDICATE_OR ||
           node->kind == VG_PREDICATE_NOT;
}

bool vg_predicate_reads_records(const struct vg_predicate *predicate)
{
    bool asks_texts =
        predicate->kind == VG_PREDICATE_PREFIX || predicate->kind == VG_PREDICATE_CONTAINS;
    bool reads =
        predicate->kind == VG_PREDICATE_TOKENS || (asks_texts && predicate->texts.confirm != NULL);
    for (uint32_t i = 0; is_branch(predicate) && !reads && i < predicate->count; i++) {
        reads = vg_predicate_reads_records(predicate->children[i]);
    }
    return reads;
}

const struct vg_predicate *vg_predicate_marked(
    struct vg_arena *arena,
    uint32_t column,
    const struct vg_id_marks *ids,
    uint32_t mark)
{
    struct vg_predicate *node = make_node(arena, VG_PREDICATE_MARKED, column);
    if (node != NULL) {
        node->marked.ids = ids;
        node->marked.mark = mark;
    }
    return node;
}

const struct vg_predicate *vg_predicate_absent(struct vg_arena *arena, uint32_t column)
{
    return make_node(arena, VG_PREDICATE_ABSENT, column);
}

const char *vg_predicate_kind_name(enum vg_predicate_kind kind)
{
    static const char *const names[] = {
        [VG_PREDICATE_ALL] = "every row",
        [VG_PREDICATE_NONE] = "no row",
        [VG_PREDICATE_AND] = "and",
        [VG_PREDICATE_OR] = "or",
        [VG_PREDICATE_NOT] = "not",
        [VG_PREDICATE_RANGE] = "range",
        [VG_PREDICATE_NUMBER_IN] = "one of",
        [VG_PREDICATE_FLAGS_ALL] = "all flags",
        [VG_PREDICATE_FLAGS_ANY] = "any flag",
        [VG_PREDICATE_BYTES_IN] = "equal",
        [VG_PREDICATE_NETWORK] = "network",
        [VG_PREDICATE_NETWORKS] = "networks",
        [VG_PREDICATE_HASH_IN] = "contains",
        [VG_PREDICATE_TOKENS] = "words",
        [VG_PREDICATE_MARKED] = "joined",
        [VG_PREDICATE_PREFIX] = "begins with",
        [VG_PREDICATE_CONTAINS] = "substring",
        [VG_PREDICATE_ABSENT] = "absent",
    };
    VG_ASSERT((unsigned)kind < VG_ARRAY_COUNT(names));
    return names[kind];
}

#define KIND(kind) (1u << VG_COLUMN_##kind)
#define ANY_KIND   ((1u << VG_COLUMN_KIND_COUNT) - 1)

/* Kinds of column a question may be asked about; 0 = it asks about none. */
static const uint32_t question_kinds[] = {
    [VG_PREDICATE_ALL] = 0,
    [VG_PREDICATE_NONE] = 0,
    [VG_PREDICATE_AND] = 0,
    [VG_PREDICATE_OR] = 0,
    [VG_PREDICATE_NOT] = 0,
    [VG_PREDICATE_RANGE] = KIND(TIME) | KIND(NUMBER),
    [VG_PREDICATE_NUMBER_IN] = KIND(TIME) | KIND(NUMBER) | KIND(NUMBERS) | KIND(SUBJECTS),
    [VG_PREDICATE_FLAGS_ALL] = KIND(FLAGS),
    [VG_PREDICATE_FLAGS_ANY] = KIND(FLAGS),
    [VG_PREDICATE_BYTES_IN] = KIND(TEXT) | KIND(FIXED) | KIND(TEXTS),
    [VG_PREDICATE_NETWORK] = KIND(NETWORK),
    [VG_PREDICATE_NETWORKS] = KIND(NETWORK),
    [VG_PREDICATE_HASH_IN] = KIND(HASHES),
    [VG_PREDICATE_TOKENS] = KIND(TOKENS),
    [VG_PREDICATE_MARKED] = KIND(FIXED),
    [VG_PREDICATE_PREFIX] = KIND(TEXT) | KIND(TEXTS),
    [VG_PREDICATE_CONTAINS] = KIND(TEXT) | KIND(TEXTS) | KIND(FIXED),
    [VG_PREDICATE_ABSENT] = ANY_KIND & ~KIND(FLAGS),
};

static bool network_is_valid(const struct vg_network *network)
{
    return (network->family == 4 && network->bits <= 32) ||
           (network->family == 6 && network->bits <= 128);
}

static enum vg_reason check_question(
    const struct vg_predicate *node,
    const struct vg_table_schema *schema,
    struct vg_error *error)
{
    if (node->column >= schema->column_count ||
        (question_kinds[node->kind] >> schema->columns[node->column].kind & 1) == 0) {
        return vg_error_set(
            error,
            VG_INTERNAL,
            "question %u does not fit column %u of %s",
            (unsigned)node->kind,
            (unsigned)node->column,
            schema->name);
    }
    const struct vg_column *column = &schema->columns[node->column];
    if (node->kind == VG_PREDICATE_CONTAINS && column->kind != VG_COLUMN_FIXED &&
        (column->flags & VG_COLUMN_FOLDED) == 0) {
        return vg_error_set(error, VG_INTERNAL, "column %s is not folded", column->name);
    }
    if (node->kind == VG_PREDICATE_NETWORK && !network_is_valid(&node->network.network)) {
        return vg_error_set(error, VG_INTERNAL, "a search for a network that is none");
    }
    return VG_OK;
}

/* Depth is limited before it is followed, so a deep tree cannot exhaust the stack. */
static enum vg_reason check_node(
    const struct vg_predicate *node,
    const struct vg_table_schema *schema,
    uint32_t depth,
    uint32_t *nodes,
    struct vg_error *error)
{
    if (depth > VG_PREDICATE_DEPTH_MAX) {
        return vg_error_set(
            error,
            VG_RESOURCE_LIMIT,
            "criteria may be nested %u deep",
            VG_PREDICATE_DEPTH_MAX);
    }
    if (++*nodes > VG_PREDICATE_NODES_MAX) {
        return vg_error_set(
            error,
            VG_RESOURCE_LIMIT,
            "criteria may have %u parts",
            VG_PREDICATE_NODES_MAX);
    }
    VG_ASSERT((unsigned)node->kind < VG_ARRAY_COUNT(question_kinds));
    if (is_branch(node)) {
        for (uint32_t i = 0; i < node->count; i++) {
            enum vg_reason reason = check_node(node->children[i], schema, depth + 1, nodes, error);
            if (reason != VG_OK) {
                return reason;
            }
        }
        return VG_OK;
    }
    return question_kinds[node->kind] == 0 ? VG_OK : check_question(node, schema, error);
}

enum vg_reason vg_predicate_check(
    const struct vg_predicate *predicate,
    const struct vg_table_schema *schema,
    struct vg_error *error)
{
    uint32_t nodes = 0;
    return check_node(predicate, schema, 1, &nodes, error);
}
