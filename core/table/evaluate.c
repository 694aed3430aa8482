/*
 * Evaluation of a plan over one block of rows. A branch narrows what its children still have to
 * look at; a leaf over fixed values runs a loop over the whole block, which is cheaper than picking
 * rows, and a leaf over lists or long values looks at the wanted rows one by one. A leaf over words
 * reads the records of the rows its words leave over; it costs most, so it comes last (plan.c). The
 * leaves themselves are in the files that evaluate.h lists.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/table/evaluate_parts.h"

static bool is_empty(const uint64_t *bits, uint32_t words)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < words; i++) {
        any |= bits[i];
    }
    return any == 0;
}

void vg_evaluate_each(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    bool (*question)(
        const struct vg_plan_node *node,
        const struct vg_column_data *data,
        uint32_t row),
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_column_data *data = vg_evaluate_column(node, block);
    for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
        uint64_t found = wanted[word];
        for (uint64_t rest = wanted[word]; rest != 0; rest &= rest - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(rest);
            if (!question(node, data, block->first + word * 64 + bit)) {
                found &= ~(UINT64_C(1) << bit);
            }
        }
        out[word] = found;
    }
}

/* How absence is asked for; none of FLAGS, whose empty set is a value. */
static vg_evaluate_leaf *const absent_leaves[VG_COLUMN_KIND_COUNT] = {
    [VG_COLUMN_TIME] = vg_evaluate_absent_number,
    [VG_COLUMN_NUMBER] = vg_evaluate_absent_number,
    [VG_COLUMN_TEXT] = vg_evaluate_absent_id,
    [VG_COLUMN_SUBJECTS] = vg_evaluate_absent_id,
    [VG_COLUMN_NETWORK] = vg_evaluate_absent_network,
    [VG_COLUMN_FIXED] = vg_evaluate_absent_bytes,
    [VG_COLUMN_NUMBERS] = vg_evaluate_absent_list,
    [VG_COLUMN_HASHES] = vg_evaluate_absent_list,
    [VG_COLUMN_TOKENS] = vg_evaluate_absent_list,
    [VG_COLUMN_TEXTS] = vg_evaluate_absent_list,
};

/* What answers a leaf's question about a column of its kind. */
static vg_evaluate_leaf *find_leaf(const struct vg_plan_node *node)
{
    enum vg_column_kind kind = node->column_kind;
    switch (node->question->kind) {
    case VG_PREDICATE_NUMBER_IN:
        return kind == VG_COLUMN_SUBJECTS  ? vg_evaluate_ids
               : kind == VG_COLUMN_NUMBERS ? vg_evaluate_number_list
                                           : vg_evaluate_number_in;
    case VG_PREDICATE_FLAGS_ALL:
    case VG_PREDICATE_FLAGS_ANY:
        return vg_evaluate_flags;
    case VG_PREDICATE_BYTES_IN:
        return kind == VG_COLUMN_TEXT    ? vg_evaluate_ids
               : kind == VG_COLUMN_TEXTS ? vg_evaluate_entries
                                         : vg_evaluate_bytes;
    case VG_PREDICATE_NETWORK:
        return vg_evaluate_network;
    case VG_PREDICATE_NETWORKS:
        return vg_evaluate_networks;
    case VG_PREDICATE_HASH_IN:
        return vg_evaluate_hashes;
    case VG_PREDICATE_TOKENS:
        return vg_evaluate_tokens;
    case VG_PREDICATE_MARKED:
        return vg_evaluate_marked;
    case VG_PREDICATE_PREFIX:
    case VG_PREDICATE_CONTAINS:
        return kind == VG_COLUMN_FIXED                       ? vg_evaluate_digits
               : kind == VG_COLUMN_TEXT && node->is_complete ? vg_evaluate_ids
                                                             : vg_evaluate_entries;
    case VG_PREDICATE_ABSENT:
        return absent_leaves[kind];
    case VG_PREDICATE_RANGE: /* of any column: ask() */
    case VG_PREDICATE_ALL:
    case VG_PREDICATE_NONE:
    case VG_PREDICATE_AND:
    case VG_PREDICATE_OR:
    case VG_PREDICATE_NOT:
        break;
    }
    return NULL;
}

static void ask(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_predicate *question = node->question;
    if (question->kind == VG_PREDICATE_RANGE) {
        const struct vg_column_data *data = vg_evaluate_column(node, block);
        vg_plan_range(data, block, question->range.min, question->range.max, out);
        return;
    }
    vg_evaluate_leaf *leaf = find_leaf(node);
    VG_ASSERT(leaf != NULL);
    leaf(node, block, wanted, out);
}

bool vg_evaluate_one_value(const struct vg_plan_node *node, const struct vg_chunk *chunk)
{
    const struct vg_plan_block block = { .chunk = chunk, .count = 1 };
    const uint64_t wanted = 1;
    uint64_t found;
    ask(node, &block, &wanted, &found);
    return (found & 1) != 0;
}

/* Loops over fixed values look at whole words of rows. Words without a wanted row are left out,
 * unless they are so few that two loops cost more than one. */
#define WORDS_BRIDGED_MAX 1u

static void evaluate_leaf(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    uint32_t words = vg_plan_block_words(block);
    uint32_t word = 0;
    if (node->question->kind == VG_PREDICATE_HASH_IN) {
        ask(node, block, wanted, out); /* one look-up, or wanted rows only */
        return;
    }
    while (word < words) {
        uint32_t first = word;
        while (first < words && wanted[first] == 0) {
            out[first++] = 0;
        }
        uint32_t end = first;
        for (word = first; word < words && word - end <= WORDS_BRIDGED_MAX; word++) {
            end = wanted[word] != 0 ? word + 1 : end;
        }
        word = end;
        if (first < end) {
            struct vg_plan_block part = *block;
            uint32_t rest = block->count - first * 64;
            part.first += first * 64;
            part.count = rest < (end - first) * 64 ? rest : (end - first) * 64;
            ask(node, &part, &wanted[first], &out[first]);
        }
    }
}

/* Rows of `wanted` alone are right in `out`. */
static void explain_leaf(
    struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_clock *clock = block->run->clock;
    uint32_t words = vg_plan_block_words(block);
    uint64_t begun_ns = vg_clock_monotonic_ns(clock);
    evaluate_leaf(node, block, wanted, out);
    node->spent_ns += vg_clock_monotonic_ns(clock) - begun_ns;
    node->rows_in += vg_loop_count_bits(wanted, words);
    for (uint32_t word = 0; word < words; word++) {
        out[word] &= wanted[word];
    }
    node->rows_out += vg_loop_count_bits(out, words);
}

static void evaluate_and(
    struct vg_plan_node *plan,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    uint32_t words = vg_plan_block_words(block);
    uint64_t narrowed[VG_PLAN_BLOCK_WORDS];
    memcpy(narrowed, wanted, words * sizeof(*narrowed));
    for (uint32_t i = 0; i < plan->child_count && !is_empty(narrowed, words); i++) {
        if (plan->children[i]->decision != VG_PLAN_EVERY_ROW) {
            vg_plan_evaluate(plan->children[i], block, narrowed, out);
            memcpy(narrowed, out, words * sizeof(*narrowed));
        }
    }
    memcpy(out, narrowed, words * sizeof(*out));
}

static void evaluate_or(
    struct vg_plan_node *plan,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    uint32_t words = vg_plan_block_words(block);
    uint64_t open[VG_PLAN_BLOCK_WORDS]; /* rows no child has said yes to */
    uint64_t found[VG_PLAN_BLOCK_WORDS];
    memcpy(open, wanted, words * sizeof(*open));
    for (uint32_t i = 0; i < plan->child_count && !is_empty(open, words); i++) {
        if (plan->children[i]->decision != VG_PLAN_NO_ROW) {
            vg_plan_evaluate(plan->children[i], block, open, found);
            for (uint32_t word = 0; word < words; word++) {
                open[word] &= ~found[word];
            }
        }
    }
    for (uint32_t word = 0; word < words; word++) {
        out[word] = wanted[word] & ~open[word];
    }
}

void vg_plan_evaluate(
    struct vg_plan_node *plan,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    uint32_t words = vg_plan_block_words(block);
    if (plan->decision == VG_PLAN_NO_ROW) {
        vg_evaluate_fill(block, 0, out);
    } else if (plan->decision == VG_PLAN_EVERY_ROW) {
        memmove(out, wanted, words * sizeof(*out));
    } else if (plan->question->kind == VG_PREDICATE_AND) {
        evaluate_and(plan, block, wanted, out);
    } else if (plan->question->kind == VG_PREDICATE_OR) {
        evaluate_or(plan, block, wanted, out);
    } else {
        uint64_t found[VG_PLAN_BLOCK_WORDS];
        bool inverts = plan->question->kind == VG_PREDICATE_NOT;
        if (inverts) {
            vg_plan_evaluate(plan->children[0], block, wanted, found);
        } else if (block->run != NULL && block->run->clock != NULL) {
            explain_leaf(plan, block, wanted, found);
        } else {
            evaluate_leaf(plan, block, wanted, found);
        }
        for (uint32_t word = 0; word < words; word++) {
            out[word] = wanted[word] & (inverts ? ~found[word] : found[word]);
        }
    }
}
