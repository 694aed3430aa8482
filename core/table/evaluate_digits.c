/*
 * Evaluation of substrings of digests and UUIDs: two bytes side by side rule out most rows before a
 * text is made.
 */
#include <string.h>

#include "core/table/evaluate_parts.h"

/* Positions looked at by one call of a loop. */
#define PAIR_POSITIONS 1024u

/* Rows near a needle are those of whose bytes two, side by side, agree with one of its pairs; of
 * them the text is looked at. The pair at the last byte of all is not looked at: its row is near.
 */
static void find_near(
    const struct vg_fixed_needle *needle,
    const uint8_t *values,
    uint32_t width,
    uint32_t rows,
    uint64_t *near)
{
    uint32_t positions = rows * width - 1;
    uint64_t hits[PAIR_POSITIONS / 64];
    near[(rows - 1) / 64] |= UINT64_C(1) << (rows - 1) % 64;
    for (uint32_t from = 0; from < positions; from += PAIR_POSITIONS) {
        uint32_t rest = positions - from;
        uint32_t here = rest < PAIR_POSITIONS ? rest : PAIR_POSITIONS;
        vg_loop_pairs(values + from, here, needle->pairs, hits);
        for (uint32_t word = 0; word < (here + 63) / 64; word++) {
            for (uint64_t bits = hits[word]; bits != 0; bits &= bits - 1) {
                uint32_t row = (from + word * 64 + (uint32_t)__builtin_ctzll(bits)) / width;
                near[row / 64] |= UINT64_C(1) << row % 64;
            }
        }
    }
}

void vg_evaluate_digits(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
    uint32_t width = data->value_size;
    const uint8_t *values = (const uint8_t *)data->values + (size_t)block->first * width;
    memset(out, 0, vg_plan_block_words(block) * sizeof(*out));
    for (uint32_t i = 0; i < node->needle_count && block->count > 0; i++) {
        uint64_t near[VG_PLAN_BLOCK_WORDS] = { 0 };
        find_near(&node->needles[i], values, width, block->count, near);
        for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
            uint64_t rest = near[word] & wanted[word] & ~out[word];
            for (; rest != 0; rest &= rest - 1) {
                uint32_t bit = (uint32_t)__builtin_ctzll(rest);
                const uint8_t *value = values + (size_t)(word * 64 + bit) * width;
                if (vg_fixed_needle_matches(&node->needles[i], width, value)) {
                    out[word] |= UINT64_C(1) << bit;
                }
            }
        }
    }
}
