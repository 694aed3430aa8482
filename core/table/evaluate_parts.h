/*
 * Parts of evaluate.c that have files of their own. `out` gets one bit per row of the block; only
 * rows of `wanted` need to be right.
 *
 * Threads: as of a plan.
 */
#ifndef VG_CORE_TABLE_EVALUATE_PARTS_H
#define VG_CORE_TABLE_EVALUATE_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/plan.h"

/* Words of a selection of the block's rows. */
static inline uint32_t vg_plan_block_words(const struct vg_plan_block *block)
{
    return (block->count + 63) / 64;
}

/* Ask the record of one row; false also once the run has failed. */
bool vg_evaluate_confirm(
    const struct vg_plan_block *block,
    const struct vg_hit *hit,
    vg_predicate_confirm confirm,
    const void *owner);

/* PREFIX, CONTAINS and BYTES_IN of TEXT and TEXTS: take from `out` the rows none of whose entries
 * is wanted. */
void vg_evaluate_entries(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    uint64_t *out);

/* CONTAINS of FIXED. */
void vg_evaluate_digits(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out);

#endif
