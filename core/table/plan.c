#include "core/table/plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/evaluate_parts.h"

/* Up to so many ids are compared one by one; a bitmap costs more than so many comparisons. */
#define IDS_COMPARED_MAX 4u

#define COST_LIST    64u
#define COST_COMPARE 32u
#define COST_SEARCH  48u

/* Of the text of a digest. */
#define COST_SUBSTRING 200u

/* Dictionaries of so few entries are searched before any row is looked at. */
#define ENTRIES_AT_ONCE_MAX 4096u

/* Reading a record costs as much as looking at ten thousand bytes; it is done last. */
#define COST_RECORD 100000u

static bool fold_ids(struct vg_plan_node *node, struct vg_arena *arena)
{
    node->presence = vg_arena_calloc(arena, VG_CHUNK_PRESENCE_BITS / 64, sizeof(*node->presence));
    if (node->presence == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < node->id_count; i++) {
        uint32_t bit = node->ids[i] % VG_CHUNK_PRESENCE_BITS;
        node->presence[bit / 64] |= UINT64_C(1) << bit % 64;
    }
    return true;
}

/* Many ids: the known ones go to a bitmap, the others stay to be compared. */
static bool make_bitmap(struct vg_plan_node *node, struct vg_arena *arena)
{
    if (node->id_count <= IDS_COMPARED_MAX) {
        return true;
    }
    for (uint32_t i = 0; i < node->id_count; i++) {
        if ((node->ids[i] & VG_DICTIONARY_BEYOND) == 0 && node->ids[i] >= node->bitmap_bits) {
            node->bitmap_bits = node->ids[i] + 1;
        }
    }
    node->bitmap = vg_arena_calloc(arena, node->bitmap_bits / 64 + 1, sizeof(*node->bitmap));
    if (node->bitmap == NULL) {
        return false;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->id_count; i++) {
        uint32_t id = node->ids[i];
        if ((id & VG_DICTIONARY_BEYOND) != 0) {
            node->ids[kept++] = id;
        } else {
            node->bitmap[id / 64] |= UINT64_C(1) << id % 64;
        }
    }
    node->id_count = kept;
    return true;
}

static bool find_texts(
    struct vg_plan_node *node,
    const struct vg_dictionary *dictionary,
    struct vg_arena *arena)
{
    const struct vg_predicate *question = node->question;
    node->ids = vg_arena_calloc(arena, question->count + 1, sizeof(*node->ids));
    if (node->ids == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < question->count; i++) {
        uint32_t id = vg_dictionary_find(dictionary, question->bytes[i]);
        if ((id & VG_DICTIONARY_BEYOND) == 0 || vg_dictionary_has_beyond(dictionary)) {
            node->ids[node->id_count++] = id;
        }
    }
    return fold_ids(node, arena) && make_bitmap(node, arena);
}

/* The entries that begin with the prefix, in a bitmap. */
static bool find_prefix(struct vg_plan_node *node, struct vg_arena *arena)
{
    const struct vg_dictionary *dictionary = node->dictionary;
    struct vg_bytes prefix = node->question->texts.values[0];
    uint32_t count = vg_dictionary_count(dictionary);
    node->bitmap_bits = count + 1;
    node->bitmap = vg_arena_calloc(arena, count / 64 + 1, sizeof(*node->bitmap));
    uint64_t *presence =
        vg_arena_calloc(arena, VG_CHUNK_PRESENCE_BITS / 64, sizeof(*node->presence));
    if (node->bitmap == NULL || presence == NULL) {
        return false;
    }
    for (uint32_t id = 1; id <= count; id++) {
        struct vg_bytes entry = vg_dictionary_get(dictionary, id);
        if (entry.size >= prefix.size &&
            (prefix.size == 0 || memcmp(entry.data, prefix.data, prefix.size) == 0)) {
            uint32_t bit = id % VG_CHUNK_PRESENCE_BITS;
            node->bitmap[id / 64] |= UINT64_C(1) << id % 64;
            presence[bit / 64] |= UINT64_C(1) << bit % 64;
        }
    }
    /* What is past the limit is asked of the record. */
    node->presence = vg_dictionary_has_beyond(dictionary) ? NULL : presence;
    return true;
}

/* Room for what the folded texts will say. */
static bool prepare_contains(struct vg_plan_node *node, struct vg_arena *arena)
{
    uint32_t count = vg_dictionary_count(node->dictionary);
    uint32_t blocks = count == 0 ? 0 : vg_folded_texts_block(node->dictionary->folded, count) + 1;
    node->bitmap_bits = count + 1;
    node->bitmap = vg_arena_calloc(arena, count / 64 + 1, sizeof(*node->bitmap));
    node->asked = vg_arena_calloc(arena, blocks + 1, sizeof(*node->asked));
    node->ready = vg_arena_calloc(arena, count / 64 + 1, sizeof(*node->ready));
    if (node->bitmap == NULL || node->asked == NULL || node->ready == NULL) {
        return false;
    }
    if (count <= ENTRIES_AT_ONCE_MAX && !vg_dictionary_has_beyond(node->dictionary)) {
        for (uint32_t block = 0; block < blocks; block++) {
            for (uint32_t i = 0; i < node->question->count; i++) {
                vg_folded_texts_scan(
                    node->dictionary->folded,
                    block,
                    count,
                    node->question->texts.values[i],
                    node->bitmap);
            }
        }
        node->is_complete = true;
    }
    return true;
}

static bool prepare_needles(
    struct vg_plan_node *node,
    const struct vg_column *column,
    struct vg_arena *arena)
{
    const struct vg_predicate *question = node->question;
    node->needles = vg_arena_calloc(arena, (size_t)question->count + 1, sizeof(*node->needles));
    if (node->needles == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < question->count; i++) {
        node->needle_count += vg_fixed_needle_init(
            &node->needles[node->needle_count],
            column->width == 16 && (column->flags & VG_COLUMN_DIGEST) == 0 ? VG_FIXED_UUID
                                                                           : VG_FIXED_DIGEST,
            column->width,
            question->texts.values[i]);
    }
    return true;
}

/* Sets are compared once per distinct set, not per row. */
static bool find_subjects(
    struct vg_plan_node *node,
    const struct vg_dictionary *dictionary,
    struct vg_arena *arena)
{
    uint32_t count = vg_dictionary_count(dictionary);
    node->ids = vg_arena_calloc(arena, (size_t)count + 1, sizeof(*node->ids));
    if (node->ids == NULL) {
        return false;
    }
    for (uint32_t id = 1; id <= count; id++) {
        struct vg_bytes entry = vg_dictionary_get(dictionary, id);
        bool wanted = false;
        for (size_t i = 0; !wanted && i + sizeof(int64_t) <= entry.size; i += sizeof(int64_t)) {
            int64_t subject;
            memcpy(&subject, entry.data + i, sizeof(subject));
            wanted = vg_predicate_has_number(node->question, subject);
        }
        if (wanted) {
            node->ids[node->id_count++] = id;
        }
    }
    return fold_ids(node, arena) && make_bitmap(node, arena);
}

static uint32_t leaf_cost(const struct vg_plan_node *node, const struct vg_column *column)
{
    bool asks_texts = node->question->kind == VG_PREDICATE_PREFIX ||
                      node->question->kind == VG_PREDICATE_CONTAINS;
    uint32_t more = 0; /* texts past the limit of the dictionary are read from records */
    if (asks_texts && node->dictionary != NULL) {
        more = vg_dictionary_has_beyond(node->dictionary) ? COST_RECORD : COST_COMPARE;
    }
    switch (node->column_kind) {
    case VG_COLUMN_NUMBERS:
    case VG_COLUMN_HASHES:
        return COST_LIST;
    case VG_COLUMN_TEXTS:
        return COST_LIST + more;
    case VG_COLUMN_TOKENS:
        return node->question->kind == VG_PREDICATE_TOKENS ? COST_RECORD : COST_LIST;
    case VG_COLUMN_NETWORK:
        return node->question->kind == VG_PREDICATE_NETWORKS ? COST_SEARCH
               : node->question->kind == VG_PREDICATE_NETWORK &&
                       node->question->network.network.family == 6
                   ? COST_COMPARE
                   : 5;
    case VG_COLUMN_FIXED:
        return asks_texts ? COST_SUBSTRING + node->question->count
               : node->question->kind == VG_PREDICATE_MARKED ? COST_LIST
               : node->question->count == 1                  ? column->width
                                                             : COST_COMPARE;
    case VG_COLUMN_TIME:
    case VG_COLUMN_NUMBER:
    case VG_COLUMN_FLAGS:
    case VG_COLUMN_TEXT:
    case VG_COLUMN_SUBJECTS:
        break;
    }
    uint32_t size = vg_chunk_value_size(column);
    size = node->bitmap != NULL || node->question->kind == VG_PREDICATE_NUMBER_IN ? size * 2 : size;
    return size + more;
}

static bool fill_leaf(
    struct vg_plan_node *node,
    const struct vg_column *column,
    const struct vg_dictionary *dictionary,
    struct vg_arena *arena)
{
    const struct vg_predicate *question = node->question;
    node->column_kind = column->kind;
    bool filled = true;
    bool is_text = column->kind == VG_COLUMN_TEXT || column->kind == VG_COLUMN_TEXTS;
    if (is_text) {
        node->dictionary = dictionary;
    }
    if (question->kind == VG_PREDICATE_PREFIX) {
        filled = find_prefix(node, arena);
    } else if (question->kind == VG_PREDICATE_CONTAINS) {
        filled = is_text ? prepare_contains(node, arena) : prepare_needles(node, column, arena);
    } else if (question->kind == VG_PREDICATE_BYTES_IN && is_text) {
        filled = find_texts(node, dictionary, arena);
    } else if (question->kind == VG_PREDICATE_BYTES_IN) {
        node->fixed = vg_fixed_set_create(column->width, question->bytes, question->count, arena);
        filled = node->fixed != NULL;
    } else if (question->kind == VG_PREDICATE_NUMBER_IN && column->kind == VG_COLUMN_SUBJECTS) {
        filled = find_subjects(node, dictionary, arena);
    } else if (question->kind == VG_PREDICATE_NETWORK) {
        const struct vg_network *network = &question->network.network;
        node->network.bits = network->bits;
        node->network.min_bits =
            question->network.min_bits < 0 ? 0 : (uint32_t)question->network.min_bits;
        for (unsigned i = 0; i < 4; i++) {
            node->network.address = node->network.address << 8 | network->address[i];
        }
    }
    node->cost = leaf_cost(node, column);
    return filled;
}

static bool is_branch(const struct vg_predicate *question)
{
    return question->kind == VG_PREDICATE_AND || question->kind == VG_PREDICATE_OR ||
           question->kind == VG_PREDICATE_NOT;
}

static int compare_costs(const void *left, const void *right)
{
    const struct vg_plan_node *a = *(struct vg_plan_node *const *)left;
    const struct vg_plan_node *b = *(struct vg_plan_node *const *)right;
    return (a->cost > b->cost) - (a->cost < b->cost);
}

struct vg_plan_node *vg_plan_create(
    const struct vg_predicate *predicate,
    const struct vg_table_schema *schema,
    const struct vg_dictionary *dictionaries,
    struct vg_arena *arena)
{
    struct vg_plan_node *node = vg_arena_calloc(arena, 1, sizeof(*node));
    if (node == NULL) {
        return NULL;
    }
    node->question = predicate;
    if (predicate->kind == VG_PREDICATE_ALL || predicate->kind == VG_PREDICATE_NONE) {
        return node;
    }
    if (!is_branch(predicate)) {
        uint32_t column = predicate->column;
        return fill_leaf(node, &schema->columns[column], &dictionaries[column], arena) ? node
                                                                                       : NULL;
    }
    node->child_count = predicate->count;
    node->children =
        vg_arena_calloc(arena, (size_t)predicate->count + 1, sizeof(struct vg_plan_node *));
    if (node->children == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < predicate->count; i++) {
        node->children[i] = vg_plan_create(predicate->children[i], schema, dictionaries, arena);
        if (node->children[i] == NULL) {
            return NULL;
        }
        node->cost += node->children[i]->cost;
    }
    qsort(node->children, node->child_count, sizeof(struct vg_plan_node *), compare_costs);
    return node;
}

static enum vg_plan_decision decide_range(
    const struct vg_zone_bounds *bounds,
    int64_t min,
    int64_t max)
{
    if (min > max || bounds->min > bounds->max || bounds->max < min || bounds->min > max) {
        return VG_PLAN_NO_ROW;
    }
    return bounds->min >= min && bounds->max <= max && !bounds->has_absent ? VG_PLAN_EVERY_ROW
                                                                           : VG_PLAN_LOOK;
}

static enum vg_plan_decision decide_numbers(
    const struct vg_zone_bounds *bounds,
    const struct vg_predicate *question)
{
    if (question->count == 0) {
        return VG_PLAN_NO_ROW;
    }
    enum vg_plan_decision decision =
        decide_range(bounds, question->numbers[0], question->numbers[question->count - 1]);
    if (decision != VG_PLAN_EVERY_ROW) {
        return decision;
    }
    if (bounds->min != bounds->max) {
        return VG_PLAN_LOOK;
    }
    return vg_predicate_has_number(question, bounds->min) ? VG_PLAN_EVERY_ROW : VG_PLAN_NO_ROW;
}

static enum vg_plan_decision decide_ids(const struct vg_zone *zone, const struct vg_plan_node *node)
{
    for (uint32_t i = 0; i < VG_CHUNK_PRESENCE_BITS / 64; i++) {
        if ((zone->presence[i] & node->presence[i]) != 0) {
            return VG_PLAN_LOOK;
        }
    }
    return VG_PLAN_NO_ROW;
}

/* A narrow column knows which flags its chunk has. */
static enum vg_plan_decision decide_flags(
    const struct vg_column_data *data,
    const struct vg_predicate *question)
{
    uint64_t here = data->value_size < sizeof(uint64_t) ? (uint64_t)data->base & question->mask
                                                        : question->mask;
    bool is_any = question->kind == VG_PREDICATE_FLAGS_ANY;
    return (is_any ? here == 0 : here != question->mask) ? VG_PLAN_NO_ROW : VG_PLAN_LOOK;
}

/* Codes of no address are larger than all others. */
static enum vg_plan_decision decide_network(
    const struct vg_zone *zone,
    const struct vg_network *network)
{
    bool has_family = network->family == VG_NETWORK_IPV6
                          ? zone->max >= VG_NETWORK_CODE_V6 && zone->min != VG_NETWORK_CODE_NONE
                          : zone->min < VG_NETWORK_CODE_V6;
    return has_family ? VG_PLAN_LOOK : VG_PLAN_NO_ROW;
}

/* NULL = the chunk is not sealed. */
static enum vg_plan_decision decide_hashes(
    const struct vg_hash_index *index,
    const struct vg_predicate *question)
{
    enum vg_plan_decision decision = VG_PLAN_NO_ROW;
    for (uint32_t i = 0; i < question->count && decision == VG_PLAN_NO_ROW; i++) {
        if (index == NULL || vg_hash_index_find(index, question->hashes[i]) != VG_HASH_INDEX_NONE) {
            decision = VG_PLAN_LOOK;
        }
    }
    return decision;
}

static bool asks_number(const struct vg_plan_node *node)
{
    return node->column_kind == VG_COLUMN_TIME || node->column_kind == VG_COLUMN_NUMBER;
}

/* By bounds alone, which a tail has as well. */
static enum vg_plan_decision decide_by_bounds(
    const struct vg_plan_node *node,
    const struct vg_chunk *chunk)
{
    const struct vg_predicate *question = node->question;
    if (!asks_number(node)) {
        return VG_PLAN_LOOK;
    }
    const struct vg_zone_bounds bounds = vg_zone_read_bounds(chunk->columns[question->column].zone);
    if (question->kind == VG_PREDICATE_RANGE) {
        return decide_range(&bounds, question->range.min, question->range.max);
    }
    return question->kind == VG_PREDICATE_NUMBER_IN ? decide_numbers(&bounds, question)
                                                    : VG_PLAN_LOOK;
}

static enum vg_plan_decision decide_leaf(
    const struct vg_plan_node *node,
    const struct vg_chunk *chunk)
{
    const struct vg_predicate *question = node->question;
    const struct vg_column_data *data = &chunk->columns[question->column];
    const struct vg_zone *zone = data->zone;
    if (vg_column_has_one_value(data)) {
        return vg_evaluate_one_value(node, chunk) ? VG_PLAN_EVERY_ROW : VG_PLAN_NO_ROW;
    }
    if (node->presence != NULL) {
        return decide_ids(zone, node);
    }
    if (node->column_kind == VG_COLUMN_FLAGS) {
        return decide_flags(data, question);
    }
    if (question->kind == VG_PREDICATE_NETWORK) {
        return decide_network(zone, &question->network.network);
    }
    if (question->kind == VG_PREDICATE_NETWORKS && zone->min == VG_NETWORK_CODE_NONE) {
        return VG_PLAN_NO_ROW;
    }
    if (question->kind == VG_PREDICATE_HASH_IN) {
        return decide_hashes(data->index, question);
    }
    if (question->kind == VG_PREDICATE_CONTAINS && node->column_kind == VG_COLUMN_FIXED &&
        node->needle_count == 0) {
        return VG_PLAN_NO_ROW;
    }
    if (question->kind == VG_PREDICATE_ABSENT && asks_number(node)) {
        return zone->has_absent == 0   ? VG_PLAN_NO_ROW
               : zone->min > zone->max ? VG_PLAN_EVERY_ROW
                                       : VG_PLAN_LOOK;
    }
    return decide_by_bounds(node, chunk);
}

/* A list that is turned over is one look-up for the whole chunk: it goes before all others, and
 * leaves them few rows. */
#define COST_INDEX 1u

static uint32_t leaf_cost_here(const struct vg_plan_node *node, const struct vg_chunk *chunk)
{
    return node->question->kind == VG_PREDICATE_HASH_IN &&
                   chunk->columns[node->question->column].index != NULL
               ? COST_INDEX
               : node->cost;
}

/* By insertion: from one chunk to the next the order hardly ever changes. */
static void sort_children(struct vg_plan_node *plan)
{
    plan->cost_here = 0;
    for (uint32_t i = 0; i < plan->child_count; i++) {
        struct vg_plan_node *child = plan->children[i];
        uint32_t at = i;
        plan->cost_here += child->cost_here;
        while (at > 0 && plan->children[at - 1]->cost_here > child->cost_here) {
            plan->children[at] = plan->children[at - 1];
            at--;
        }
        plan->children[at] = child;
    }
}

/* What a branch comes to: `wins` of one child decides an AND (no row) or an OR (every row). */
static enum vg_plan_decision decide_children(
    struct vg_plan_node *plan,
    const struct vg_chunk *chunk,
    bool is_tail,
    enum vg_plan_decision wins,
    enum vg_plan_decision else_all)
{
    enum vg_plan_decision decision = else_all;
    for (uint32_t i = 0; i < plan->child_count; i++) {
        enum vg_plan_decision child = vg_plan_decide(plan->children[i], chunk, is_tail);
        if (child == wins) {
            decision = wins;
        } else if (child == VG_PLAN_LOOK && decision != wins) {
            decision = VG_PLAN_LOOK;
        }
    }
    sort_children(plan);
    return decision;
}

enum vg_plan_decision vg_plan_decide(
    struct vg_plan_node *plan,
    const struct vg_chunk *chunk,
    bool is_tail)
{
    switch (plan->question->kind) {
    case VG_PREDICATE_ALL:
        plan->decision = VG_PLAN_EVERY_ROW;
        break;
    case VG_PREDICATE_NONE:
        plan->decision = VG_PLAN_NO_ROW;
        break;
    case VG_PREDICATE_AND:
        plan->decision = decide_children(plan, chunk, is_tail, VG_PLAN_NO_ROW, VG_PLAN_EVERY_ROW);
        break;
    case VG_PREDICATE_OR:
        plan->decision = decide_children(plan, chunk, is_tail, VG_PLAN_EVERY_ROW, VG_PLAN_NO_ROW);
        break;
    case VG_PREDICATE_NOT: {
        enum vg_plan_decision child = vg_plan_decide(plan->children[0], chunk, is_tail);
        plan->cost_here = plan->children[0]->cost_here;
        plan->decision = child == VG_PLAN_NO_ROW      ? VG_PLAN_EVERY_ROW
                         : child == VG_PLAN_EVERY_ROW ? VG_PLAN_NO_ROW
                                                      : VG_PLAN_LOOK;
        break;
    }
    case VG_PREDICATE_RANGE:
    case VG_PREDICATE_NUMBER_IN:
    case VG_PREDICATE_FLAGS_ALL:
    case VG_PREDICATE_FLAGS_ANY:
    case VG_PREDICATE_BYTES_IN:
    case VG_PREDICATE_NETWORK:
    case VG_PREDICATE_NETWORKS:
    case VG_PREDICATE_HASH_IN:
    case VG_PREDICATE_TOKENS:
    case VG_PREDICATE_MARKED:
    case VG_PREDICATE_PREFIX:
    case VG_PREDICATE_CONTAINS:
    case VG_PREDICATE_ABSENT:
        plan->cost_here = leaf_cost_here(plan, chunk);
        plan->decision = is_tail ? decide_by_bounds(plan, chunk) : decide_leaf(plan, chunk);
        break;
    }
    return plan->decision;
}
