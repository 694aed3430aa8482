/* Leaves over fixed bytes: equality, marks and absence. */
#include <string.h>

#include "core/table/evaluate_parts.h"
#include "core/table/id_marks.h"

static bool row_bytes_wanted(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    const uint8_t *value = vg_column_fixed(data, row);
    return vg_fixed_set_has(node->fixed, value);
}

void vg_evaluate_bytes(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_predicate *question = node->question;
    const struct vg_column_data *data = vg_evaluate_column(node, block);
    if (data->value_size == 16 && question->count == 1 && question->bytes[0].size == 16) {
        uint64_t pair[2];
        memcpy(pair, question->bytes[0].data, sizeof(pair));
        vg_loop_equal_16(
            (const uint64_t *)(const void *)vg_column_fixed(data, block->first),
            block->count,
            pair,
            out);
        return;
    }
    vg_evaluate_each(node, block, row_bytes_wanted, wanted, out);
}

static bool row_marked(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    const uint8_t *value = vg_column_fixed(data, row);
    const struct vg_predicate *question = node->question;
    return vg_id_marks_has(
        question->marked.ids,
        vg_bytes(value, data->value_size),
        question->marked.mark);
}

void vg_evaluate_marked(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    vg_evaluate_each(node, block, row_marked, wanted, out);
}

static bool row_bytes_absent(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    (void)node;
    const uint8_t *value = vg_column_fixed(data, row);
    for (uint32_t i = 0; i < data->value_size; i++) {
        if (value[i] != 0) {
            return false;
        }
    }
    return true;
}

void vg_evaluate_absent_bytes(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    vg_evaluate_each(node, block, row_bytes_absent, wanted, out);
}
