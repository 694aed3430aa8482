/*
 * Evaluation of questions about texts: substrings and beginnings of dictionary entries, for columns
 * of one text a row and for lists of them. What is past the limit of the dictionary is asked of the
 * record.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/table/column_loops.h"
#include "core/table/evaluate_parts.h"

/* -------------------------------------------------------------------------------------- entries */

/* So many entries of a block of folded texts are looked at alone; then looking at the whole block,
 * some 2,500 of them, is cheaper. */
#define ENTRIES_ALONE_MAX 24u

_Static_assert(ENTRIES_ALONE_MAX < VG_PLAN_SCANNED, "the count tells from the mark");

/* Look for the wanted texts in the block that holds an entry, unless that was done before. Returns
 * the last entry of the block that is counted. */
static uint32_t scan_block(const struct vg_plan_node *node, uint32_t id)
{
    const struct vg_folded_texts *texts = node->dictionary->folded;
    uint32_t count = node->bitmap_bits - 1;
    uint32_t block = vg_folded_texts_block(texts, id);
    if (node->asked[block] != VG_PLAN_SCANNED) {
        node->asked[block] = VG_PLAN_SCANNED;
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

/* Make the entry's own bit right, with more of its block once many of them were asked for. */
static __attribute__((noinline)) void look_at_entry(const struct vg_plan_node *node, uint32_t id)
{
    const struct vg_folded_texts *texts = node->dictionary->folded;
    uint32_t block = vg_folded_texts_block(texts, id);
    if (node->asked[block] >= ENTRIES_ALONE_MAX) {
        make_ready(node, id / 64);
        return;
    }
    node->asked[block]++;
    bool contains = false;
    for (uint32_t i = 0; i < node->question->count && !contains; i++) {
        contains = vg_folded_texts_contains(texts, id, node->question->texts.values[i]);
    }
    if (contains) {
        node->bitmap[id / 64] |= UINT64_C(1) << id % 64;
    }
}

/* What a row's entries say; those past the limit of the dictionary only match byte for byte. */
enum vg_entry_answer { VG_ENTRY_NO, VG_ENTRY_YES, VG_ENTRY_ASK_RECORD };

/* Does the folded form of a dictionary's entry hold a wanted text? */
static inline enum vg_entry_answer ask_contains(const struct vg_plan_node *node, uint32_t id)
{
    if (id - 1 >= node->bitmap_bits - 1) { /* none, or past the limit */
        VG_ASSERT(id == 0 || (id & VG_DICTIONARY_BEYOND) != 0);
        return id == 0 || node->question->texts.confirm == NULL ? VG_ENTRY_NO : VG_ENTRY_ASK_RECORD;
    }
    if (!node->is_complete && node->ready[id / 64] == 0) {
        look_at_entry(node, id);
    }
    return (node->bitmap[id / 64] >> id % 64 & 1) != 0 ? VG_ENTRY_YES : VG_ENTRY_NO;
}

/* The same of entries that were found when the plan was made: PREFIX and BYTES_IN. */
static inline enum vg_entry_answer ask_found(const struct vg_plan_node *node, uint32_t id)
{
    if (id == 0) {
        return VG_ENTRY_NO;
    }
    if ((id & VG_DICTIONARY_BEYOND) == 0 && node->bitmap != NULL) {
        bool is_set = id < node->bitmap_bits && (node->bitmap[id / 64] >> id % 64 & 1) != 0;
        return is_set ? VG_ENTRY_YES : VG_ENTRY_NO;
    }
    if (node->question->kind != VG_PREDICATE_BYTES_IN) {
        return node->question->texts.confirm == NULL ? VG_ENTRY_NO : VG_ENTRY_ASK_RECORD;
    }
    for (uint32_t i = 0; i < node->id_count; i++) {
        if (node->ids[i] == id) {
            return VG_ENTRY_YES;
        }
    }
    return VG_ENTRY_NO;
}

/* ----------------------------------------------------------------------------------------- rows */

typedef enum vg_entry_answer (*entry_question)(const struct vg_plan_node *node, uint32_t id);

static inline enum vg_entry_answer ask_row(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row,
    entry_question ask)
{
    if (node->column_kind == VG_COLUMN_TEXT) {
        return ask(node, vg_column_id(data, row));
    }
    enum vg_entry_answer answer = VG_ENTRY_NO;
    uint32_t count;
    const uint32_t *ids = vg_column_list(data, row, &count);
    for (uint32_t i = 0; i < count && answer != VG_ENTRY_YES; i++) {
        enum vg_entry_answer one = ask(node, ids[i]);
        answer = one == VG_ENTRY_NO ? answer : one;
    }
    return answer;
}

static bool keeps_row(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    uint32_t row,
    enum vg_entry_answer answer)
{
    const struct vg_hit hit = { .chunk = block->chunk, .position = row };
    return answer == VG_ENTRY_YES ||
           (answer == VG_ENTRY_ASK_RECORD && vg_evaluate_confirm(
                                                 block,
                                                 &hit,
                                                 node->question->texts.confirm,
                                                 node->question->texts.owner));
}

static inline void filter_all(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    uint64_t *out,
    entry_question ask)
{
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
    for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
        for (uint64_t rest = out[word]; rest != 0; rest &= rest - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(rest);
            uint32_t row = block->first + word * 64 + bit;
            if (!keeps_row(node, block, row, ask_row(node, data, row, ask))) {
                out[word] &= ~(UINT64_C(1) << bit);
            }
        }
    }
}

/* Of lists a row is at three places in memory. Where few rows are wanted, these are fetched so many
 * rows ahead. */
#define SPARSE_ROWS_MAX (VG_PLAN_BLOCK_ROWS / 8)
#define PLACES_AHEAD    24u
#define LISTS_AHEAD     12u

static inline void filter_few(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    uint64_t *out,
    entry_question ask)
{
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
    uint32_t rows[SPARSE_ROWS_MAX];
    uint32_t count = 0;
    for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
        for (uint64_t rest = out[word]; rest != 0; rest &= rest - 1) {
            rows[count++] = block->first + word * 64 + (uint32_t)__builtin_ctzll(rest);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (i + PLACES_AHEAD < count) {
            vg_column_list_expect(data, rows[i + PLACES_AHEAD]);
        }
        if (i + LISTS_AHEAD < count) {
            uint32_t length;
            __builtin_prefetch(vg_column_list(data, rows[i + LISTS_AHEAD], &length));
        }
        if (!keeps_row(node, block, rows[i], ask_row(node, data, rows[i], ask))) {
            uint32_t at = rows[i] - block->first;
            out[at / 64] &= ~(UINT64_C(1) << at % 64);
        }
    }
}

void vg_evaluate_entries(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    memcpy(out, wanted, vg_plan_block_words(block) * sizeof(*out));
    bool is_few = node->column_kind == VG_COLUMN_TEXTS &&
                  vg_loop_count_bits(out, vg_plan_block_words(block)) <= SPARSE_ROWS_MAX;
    bool contains = node->question->kind == VG_PREDICATE_CONTAINS;
    if (is_few && contains) {
        filter_few(node, block, out, ask_contains);
    } else if (is_few) {
        filter_few(node, block, out, ask_found);
    } else if (contains) {
        filter_all(node, block, out, ask_contains);
    } else {
        filter_all(node, block, out, ask_found);
    }
}
