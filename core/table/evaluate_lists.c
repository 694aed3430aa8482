/* Leaves over lists of numbers and of hashes, and over what is empty of any list. */
#include "core/table/evaluate_parts.h"

static bool row_list_wanted(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    uint32_t count;
    const int64_t *items = vg_column_list(data, row, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (vg_predicate_has_number(node->question, items[i])) {
            return true;
        }
    }
    return false;
}

void vg_evaluate_number_list(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    vg_evaluate_each(node, block, row_list_wanted, wanted, out);
}

/* Rows whose lists are fetched ahead together. */
#define HASH_ROWS_AHEAD 16u

/* Up to so many hashes are looked for in a list, more are searched for each element of it. */
#define HASHES_COMPARED_MAX 8u

static bool has_hash(const struct vg_predicate *question, uint64_t hash)
{
    uint32_t low = 0;
    uint32_t high = question->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (question->hashes[middle] < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < question->count && question->hashes[low] == hash;
}

static bool list_has_hash(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    uint32_t count;
    const uint64_t *items = vg_column_list(data, row, &count);
    if (node->question->count > HASHES_COMPARED_MAX) {
        for (uint32_t i = 0; i < count; i++) {
            if (has_hash(node->question, items[i])) {
                return true;
            }
        }
        return false;
    }
    for (uint32_t w = 0; w < node->question->count; w++) {
        uint64_t wanted = node->question->hashes[w];
        bool found = false;
        for (uint32_t i = 0; i < count; i++) {
            found |= items[i] == wanted;
        }
        if (found) {
            return true;
        }
    }
    return false;
}

static void check_lists(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint32_t *rows,
    uint32_t count,
    uint64_t *out)
{
    const struct vg_column_data *data = vg_evaluate_column(node, block);
    for (uint32_t i = 0; i < count; i++) {
        if (!list_has_hash(node, data, block->first + rows[i])) {
            out[rows[i] / 64] &= ~(UINT64_C(1) << rows[i] % 64);
        }
    }
}

/* Rows of `wanted` whose signature has the bit of one of the hashes. */
static void match_signatures(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_column_data *data = vg_evaluate_column(node, block);
    uint64_t any = vg_hash_signature(node->question->hashes, node->question->count);
    vg_loop_any_bit_64((const uint64_t *)data->values + block->first, block->count, any, out);
    for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
        out[word] &= wanted[word];
    }
}

/* A sealed chunk knows which rows have a hash. */
static void evaluate_index(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_hash_index *index = vg_evaluate_column(node, block)->index;
    vg_evaluate_fill(block, 0, out);
    for (uint32_t w = 0; w < node->question->count; w++) {
        uint32_t number = vg_hash_index_find(index, node->question->hashes[w]);
        if (number != VG_HASH_INDEX_NONE) {
            vg_hash_index_mark(index, number, block->first, block->count, out);
        }
    }
    for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
        out[word] &= wanted[word];
    }
}

/* The lists lie far apart and each costs a cache miss or two. So the signatures, which do not, are
 * asked first, and the lists of several rows are fetched before the first of them is looked at. */
void vg_evaluate_hashes(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_column_data *data = vg_evaluate_column(node, block);
    uint32_t rows[HASH_ROWS_AHEAD] = { 0 };
    uint32_t count = 0;
    if (data->index != NULL) {
        evaluate_index(node, block, wanted, out);
        return;
    }
    match_signatures(node, block, wanted, out);
    for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
        for (uint64_t rest = out[word]; rest != 0; rest &= rest - 1) {
            uint32_t row = word * 64 + (uint32_t)__builtin_ctzll(rest);
            uint32_t length;
            const uint8_t *elements = vg_column_list(data, block->first + row, &length);
            __builtin_prefetch(elements);
            __builtin_prefetch(elements + 64);
            __builtin_prefetch(elements + 128);
            rows[count++] = row;
            if (count == HASH_ROWS_AHEAD) {
                check_lists(node, block, rows, count, out);
                count = 0;
            }
        }
    }
    if (count > 0) {
        check_lists(node, block, rows, count, out);
    }
}

static bool row_list_absent(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    (void)node;
    if (data->index != NULL) {
        return (vg_hash_index_any(data->index)[row / 64] >> row % 64 & 1) == 0;
    }
    uint32_t count;
    (void)vg_column_list(data, row, &count);
    return count == 0;
}

void vg_evaluate_absent_list(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    vg_evaluate_each(node, block, row_list_absent, wanted, out);
}
