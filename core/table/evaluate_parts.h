/*
 * Parts of evaluate.c that have files of their own: the leaves of a plan, by what they look at.
 * Each sets in `out` the rows of the block that match; of rows that are not in `wanted` it may say
 * anything. evaluate.c picks the one that fits and puts branches together.
 *
 * Columns are sealed and narrow, or in memory and wide (column_data.h). One whose rows all have the
 * same value is not evaluated by blocks: vg_plan_decide asks about its first row.
 *
 * Threads: those of the search.
 */
#ifndef VG_CORE_TABLE_EVALUATE_PARTS_H
#define VG_CORE_TABLE_EVALUATE_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/plan.h"

typedef void vg_evaluate_leaf(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out);

/* evaluate_columns.c: values, ids, sets of flags and networks, compared in loops. */
vg_evaluate_leaf vg_evaluate_number_in;
vg_evaluate_leaf vg_evaluate_ids;
vg_evaluate_leaf vg_evaluate_flags;
vg_evaluate_leaf vg_evaluate_network;
vg_evaluate_leaf vg_evaluate_networks;
vg_evaluate_leaf vg_evaluate_absent_number;
vg_evaluate_leaf vg_evaluate_absent_id;
vg_evaluate_leaf vg_evaluate_absent_network;

/* evaluate_fixed.c and evaluate_digits.c: fixed bytes and substrings of their text. */
vg_evaluate_leaf vg_evaluate_bytes;
vg_evaluate_leaf vg_evaluate_digits;
vg_evaluate_leaf vg_evaluate_marked;
vg_evaluate_leaf vg_evaluate_absent_bytes;

/* evaluate_lists.c: lists of numbers and hashes, and whether any list is empty. */
vg_evaluate_leaf vg_evaluate_number_list;
vg_evaluate_leaf vg_evaluate_hashes;
vg_evaluate_leaf vg_evaluate_absent_list;

/* evaluate_words.c: words, confirmed by the record. */
vg_evaluate_leaf vg_evaluate_tokens;

/* Ask the record of one row; false also once the run has failed. */
bool vg_evaluate_confirm(
    const struct vg_plan_block *block,
    const struct vg_hit *hit,
    vg_predicate_confirm confirm,
    const void *owner);

/* evaluate_texts.c: PREFIX, CONTAINS and BYTES_IN of TEXT and TEXTS. */
vg_evaluate_leaf vg_evaluate_entries;

/* Does the one value that all rows of the leaf's column have answer yes? */
bool vg_evaluate_one_value(const struct vg_plan_node *node, const struct vg_chunk *chunk);

/* Words of a selection of the block's rows. */
static inline uint32_t vg_plan_block_words(const struct vg_plan_block *block)
{
    return (block->count + 63) / 64;
}

static inline const struct vg_column_data *vg_evaluate_column(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block)
{
    return &block->chunk->columns[node->question->column];
}

static inline void vg_evaluate_fill(
    const struct vg_plan_block *block,
    uint64_t value,
    uint64_t *out)
{
    for (uint32_t i = 0; i < vg_plan_block_words(block); i++) {
        out[i] = value;
    }
}

/* Set the rows of `wanted` for which `question` says yes. */
void vg_evaluate_each(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    bool (*question)(
        const struct vg_plan_node *node,
        const struct vg_column_data *data,
        uint32_t row),
    const uint64_t *wanted,
    uint64_t *out);

#endif
