/*
 * Leaves over the words of a record's values. A column of words only rules out; what it leaves over
 * the record decides, which costs most of all.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/table/evaluate_parts.h"

/* Do all wanted words stand in one value of the row? Values from the 64th on count as one. */
static bool has_words_together(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    uint32_t count;
    const uint32_t *items = vg_column_list(data, row, &count);
    if (count == 1 && items[0] == VG_TOKEN_ANY) {
        return true;
    }
    uint64_t values = UINT64_MAX;
    for (uint32_t w = 0; w < node->question->count && values != 0; w++) {
        uint32_t wanted = node->question->tokens.hashes[w];
        uint64_t with_word = 0;
        /* Nearly no row has the word: that is found out many elements at a time. */
        if (!vg_loop_has_masked(items, count, wanted, ~VG_TOKEN_ORDINAL_MAX)) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            uint32_t ordinal = items[i] & VG_TOKEN_ORDINAL_MAX;
            uint64_t same = (items[i] ^ wanted) <= VG_TOKEN_ORDINAL_MAX;
            with_word |= same << ordinal;
        }
        values &= with_word;
    }
    return values != 0;
}

/* So many records are read between two questions whether to go on. */
#define RECORDS_UNCHECKED_MAX 32u

bool vg_evaluate_confirm(
    const struct vg_plan_block *block,
    const struct vg_hit *hit,
    vg_predicate_confirm confirm,
    const void *owner)
{
    struct vg_plan_run *run = block->run;
    if (run->reason == VG_OK && run->check != NULL && run->confirmed % RECORDS_UNCHECKED_MAX == 0) {
        run->reason = run->check(run->owner, run->error);
    }
    if (run->reason != VG_OK) {
        return false;
    }
    const void *record = NULL;
    bool matches = false;
    run->confirmed++;
    run->reason = run->reader->read(run->reader->owner, hit, &record, run->error);
    if (run->reason == VG_OK) {
        run->reason = confirm(owner, record, &matches, run->error);
    }
    return run->reason == VG_OK && matches;
}

/* Rows that are confirmed together. */
#define CONFIRMED_TOGETHER 256u

/* Take from `out` the rows whose record says no. */
static void confirm_rows(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const struct vg_hit *hits,
    uint32_t count,
    uint64_t *out)
{
    const struct vg_record_reader *reader = block->run->reader;
    if (reader->expect != NULL) {
        reader->expect(reader->owner, hits, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = hits[i].position - block->first;
        if (!vg_evaluate_confirm(
                block,
                &hits[i],
                node->question->tokens.confirm,
                node->question->tokens.owner)) {
            out[row / 64] &= ~(UINT64_C(1) << row % 64);
        }
    }
    if (reader->expect != NULL) {
        reader->expect(reader->owner, NULL, 0);
    }
}

void vg_evaluate_tokens(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_column_data *data = vg_evaluate_column(node, block);
    struct vg_hit hits[CONFIRMED_TOGETHER];
    uint32_t count = 0;
    VG_ASSERT(block->run != NULL && block->run->reader != NULL);
    memcpy(out, wanted, vg_plan_block_words(block) * sizeof(*out));
    for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
        for (uint64_t rest = out[word]; rest != 0; rest &= rest - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(rest);
            uint32_t row = block->first + word * 64 + bit;
            if (!has_words_together(node, data, row)) {
                out[word] &= ~(UINT64_C(1) << bit);
                continue;
            }
            hits[count++] = (struct vg_hit){ .chunk = block->chunk, .position = row };
            if (count == CONFIRMED_TOGETHER) {
                confirm_rows(node, block, hits, count, out);
                count = 0;
            }
        }
    }
    if (count > 0) {
        confirm_rows(node, block, hits, count, out);
    }
}
