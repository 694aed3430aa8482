/*
 * Evaluation of substrings of digests and UUIDs: two bytes side by side rule out most rows before a
 * text is made, and say all about a needle of few digits.
 */
#include <string.h>

#include "core/table/column_loops.h"
#include "core/table/evaluate_parts.h"

/* Positions looked at by one call of a loop. */
#define PAIR_POSITIONS 1024u

/* Rows that match, and rows of which the text has to be looked at. */
struct digit_rows {
    uint64_t sure[VG_PLAN_BLOCK_WORDS];
    uint64_t near[VG_PLAN_BLOCK_WORDS];
};

/* Set the rows of the bytes at `position` on of which a bit is set, 64 bytes at a time. */
static inline void note_rows(uint64_t bits, uint32_t position, uint32_t width, uint64_t *rows)
{
    if (64 % width != 0) {
        for (; bits != 0; bits &= bits - 1) {
            uint32_t row = (position + (uint32_t)__builtin_ctzll(bits)) / width;
            rows[row / 64] |= UINT64_C(1) << row % 64;
        }
        return;
    }
    uint32_t row = position / width;
    uint64_t whole = UINT64_MAX >> (64 - width);
    for (uint32_t at = 0; at < 64; at += width, row++) {
        rows[row / 64] |= (uint64_t)((bits >> at & whole) != 0) << row % 64;
    }
}

/*
 * Rows of whose bytes two, side by side, agree with one of the needle's pairs. The pair at the last
 * byte of all is not looked at: its row is near.
 */
static inline void find_rows(
    const struct vg_fixed_needle *needle,
    const uint8_t *values,
    uint32_t width,
    uint32_t rows,
    struct digit_rows *found)
{
    uint32_t positions = rows * width - 1;
    uint64_t hits[PAIR_POSITIONS / 64];
    found->near[(rows - 1) / 64] |= UINT64_C(1) << (rows - 1) % 64;
    for (uint32_t from = 0; from < positions; from += PAIR_POSITIONS) {
        uint32_t rest = positions - from;
        uint32_t here = rest < PAIR_POSITIONS ? rest : PAIR_POSITIONS;
        vg_loop_pairs(values + from, here, needle->pairs, hits);
        for (uint32_t word = 0; word < (here + 63) / 64; word++) {
            if (hits[word] != 0) {
                note_rows(hits[word] & needle->sure, from + word * 64, width, found->sure);
                note_rows(hits[word] & ~needle->sure, from + word * 64, width, found->near);
            }
        }
    }
}

static void find_needle(
    const struct vg_fixed_needle *needle,
    const uint8_t *values,
    uint32_t width,
    uint32_t rows,
    struct digit_rows *found)
{
    if (width == 16) { /* widths the compiler can reckon with */
        find_rows(needle, values, 16, rows, found);
    } else if (width == 32) {
        find_rows(needle, values, 32, rows, found);
    } else {
        find_rows(needle, values, width, rows, found);
    }
}

/* Look at the texts of the rows of one word that are near. */
static uint64_t match_texts(
    const struct vg_fixed_needle *needle,
    uint64_t near,
    const uint8_t *values,
    uint32_t width)
{
    uint64_t matches = 0;
    for (; near != 0; near &= near - 1) {
        uint32_t bit = (uint32_t)__builtin_ctzll(near);
        if (vg_fixed_needle_matches(needle, width, values + (size_t)bit * width)) {
            matches |= UINT64_C(1) << bit;
        }
    }
    return matches;
}

void vg_evaluate_digits(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
    uint32_t width = data->value_size;
    const uint8_t *values = vg_column_fixed(data, block->first);
    memset(out, 0, vg_plan_block_words(block) * sizeof(*out));
    for (uint32_t i = 0; i < node->needle_count && block->count > 0; i++) {
        struct digit_rows found;
        memset(&found, 0, sizeof(found));
        find_needle(&node->needles[i], values, width, block->count, &found);
        for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
            out[word] |= found.sure[word] & wanted[word];
            uint64_t near = found.near[word] & wanted[word] & ~out[word];
            const uint8_t *first = values + (size_t)word * 64 * width;
            out[word] |= match_texts(&node->needles[i], near, first, width);
        }
    }
}
