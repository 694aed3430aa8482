/*
 * Evaluation of questions about texts: substrings and beginnings of dictionary entries, for columns
 * of one text a row and for lists of them. What is past the limit of the dictionary is asked of the
 * record.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/table/evaluate_parts.h"

/* Look for the wanted texts in the block that holds an entry, unless that was done before. Returns
 * the last entry of the block that is counted. */
static uint32_t scan_block(const struct vg_plan_node *node, uint32_t id)
{
    const struct vg_folded_texts *texts = node->dictionary->folded;
    uint32_t count = node->bitmap_bits - 1;
    uint32_t block = vg_folded_texts_block(texts, id);
    if (node->scanned[block] == 0) {
        node->scanned[block] = 1;
        for (uint32_t i = 0; i < node->question->count; i++) {
            vg_folded_texts_scan(
                texts,
                block,
                count,
                node->question->texts.values[i],
                node->bitmap);
        }
    }
    return vg_folded_texts_last(texts, block, count);
}

/* All entries of a word of the bitmap are looked at, with those that stand in the same blocks. */
static void make_ready(const struct vg_plan_node *node, uint32_t word)
{
    uint32_t end = word * 64 + 63;
    end = end < node->bitmap_bits ? end : node->bitmap_bits - 1;
    for (uint32_t id = word == 0 ? 1 : word * 64; id <= end;) {
        id = scan_block(node, id) + 1;
    }
    node->ready[word] = 1;
}

/* Does the folded form of a dictionary's entry hold a wanted text? */
static inline bool entry_contains(const struct vg_plan_node *node, uint32_t id)
{
    if (!node->is_complete && node->ready[id / 64] == 0) {
        VG_ASSERT(id < node->bitmap_bits);
        make_ready(node, id / 64);
    }
    return (node->bitmap[id / 64] >> id % 64 & 1) != 0;
}

/* What a row's entries say; those past the limit of the dictionary only match byte for byte. */
enum entry_answer { ENTRY_NO, ENTRY_YES, ENTRY_ASK_RECORD };

static inline enum entry_answer ask_entry(const struct vg_plan_node *node, uint32_t id)
{
    if (id == 0) {
        return ENTRY_NO;
    }
    if ((id & VG_DICTIONARY_BEYOND) == 0 && node->question->kind == VG_PREDICATE_CONTAINS) {
        return entry_contains(node, id) ? ENTRY_YES : ENTRY_NO;
    }
    if ((id & VG_DICTIONARY_BEYOND) == 0 && node->bitmap != NULL) {
        bool is_set = id < node->bitmap_bits && (node->bitmap[id / 64] >> id % 64 & 1) != 0;
        return is_set ? ENTRY_YES : ENTRY_NO;
    }
    if (node->question->kind != VG_PREDICATE_BYTES_IN) {
        return node->question->texts.confirm == NULL ? ENTRY_NO : ENTRY_ASK_RECORD;
    }
    for (uint32_t i = 0; i < node->id_count; i++) {
        if (node->ids[i] == id) {
            return ENTRY_YES;
        }
    }
    return ENTRY_NO;
}

static inline enum entry_answer ask_entries(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    if (node->column_kind == VG_COLUMN_TEXT) {
        return ask_entry(node, ((const uint32_t *)data->values)[row]);
    }
    enum entry_answer answer = ENTRY_NO;
    uint32_t count = data->ends[row] - data->starts[row];
    const uint32_t *ids = count == 0 ? NULL : vg_chunk_elements(data, data->starts[row]);
    for (uint32_t i = 0; i < count && answer != ENTRY_YES; i++) {
        enum entry_answer one = ask_entry(node, ids[i]);
        answer = one == ENTRY_NO ? answer : one;
    }
    return answer;
}

void vg_evaluate_entries(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    uint64_t *out)
{
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
    for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
        for (uint64_t rest = out[word]; rest != 0; rest &= rest - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(rest);
            uint32_t row = block->first + word * 64 + bit;
            enum entry_answer answer = ask_entries(node, data, row);
            const struct vg_hit hit = { .chunk = block->chunk, .position = row };
            if (answer == ENTRY_NO ||
                (answer == ENTRY_ASK_RECORD && !vg_evaluate_confirm(
                                                   block,
                                                   &hit,
                                                   node->question->texts.confirm,
                                                   node->question->texts.owner))) {
                out[word] &= ~(UINT64_C(1) << bit);
            }
        }
    }
}
