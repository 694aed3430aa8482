/*
 * Evaluation of a plan over one block of rows. A branch narrows what its children still have to
 * look at; a leaf over fixed values runs a loop over the whole block, which is cheaper than picking
 * rows, and a leaf over lists or long values looks at the wanted rows one by one. A leaf over words
 * reads the records of the rows its words leave over; it costs most, so it comes last (plan.c).
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/table/evaluate_parts.h"
#include "core/table/id_marks.h"

static bool is_empty(const uint64_t *bits, uint32_t words)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < words; i++) {
        any |= bits[i];
    }
    return any == 0;
}

static void fill(uint64_t *out, uint32_t words, uint64_t value)
{
    for (uint32_t i = 0; i < words; i++) {
        out[i] = value;
    }
}

/* The bounds of a column whose stored values are unsigned, `base` less than what they mean, and
 * whose largest value stands for absent. False when no value can lie between. */
static bool narrow_bounds(
    const struct vg_column_data *data,
    int64_t min,
    int64_t max,
    uint64_t *out_min,
    uint64_t *out_max)
{
    uint64_t largest = (UINT64_C(1) << data->value_size * 8) - 2;
    if (min > max || max < data->base) {
        return false;
    }
    /* The difference of two int64 fits into uint64. */
    uint64_t low = min <= data->base ? 0 : (uint64_t)min - (uint64_t)data->base;
    uint64_t high = (uint64_t)max - (uint64_t)data->base;
    if (low > largest) {
        return false;
    }
    *out_min = low;
    *out_max = high > largest ? largest : high;
    return true;
}

void vg_plan_range(
    const struct vg_column_data *data,
    const struct vg_plan_block *block,
    int64_t min,
    int64_t max,
    uint64_t *out)
{
    const uint8_t *values = (const uint8_t *)data->values + (size_t)block->first * data->value_size;
    if (data->value_size == 8) {
        int64_t least = min == VG_ABSENT ? VG_ABSENT + 1 : min;
        vg_loop_range_64((const int64_t *)(const void *)values, block->count, least, max, out);
        return;
    }
    uint64_t low;
    uint64_t high;
    if (!narrow_bounds(data, min, max, &low, &high)) {
        fill(out, vg_plan_block_words(block), 0);
    } else if (data->value_size == 1) {
        vg_loop_range_8(values, block->count, (uint8_t)low, (uint8_t)high, out);
    } else if (data->value_size == 2) {
        const uint16_t *wide = (const uint16_t *)(const void *)values;
        vg_loop_range_16(wide, block->count, (uint16_t)low, (uint16_t)high, out);
    } else {
        const uint32_t *wide = (const uint32_t *)(const void *)values;
        vg_loop_range_32(wide, block->count, (uint32_t)low, (uint32_t)high, out);
    }
}

static void loop_absent_number(
    const struct vg_column_data *data,
    const struct vg_plan_block *block,
    uint64_t *out)
{
    const uint8_t *values = (const uint8_t *)data->values + (size_t)block->first * data->value_size;
    if (data->value_size == 8) {
        const int64_t *wide = (const int64_t *)(const void *)values;
        vg_loop_range_64(wide, block->count, VG_ABSENT, VG_ABSENT, out);
    } else if (data->value_size == 1) {
        vg_loop_range_8(values, block->count, UINT8_MAX, UINT8_MAX, out);
    } else if (data->value_size == 2) {
        const uint16_t *wide = (const uint16_t *)(const void *)values;
        vg_loop_range_16(wide, block->count, UINT16_MAX, UINT16_MAX, out);
    } else {
        const uint32_t *wide = (const uint32_t *)(const void *)values;
        vg_loop_range_32(wide, block->count, UINT32_MAX, UINT32_MAX, out);
    }
}

static void loop_numbers(
    const struct vg_predicate *question,
    const struct vg_column_data *data,
    const struct vg_plan_block *block,
    uint64_t *out)
{
    uint64_t one[VG_PLAN_BLOCK_WORDS];
    fill(out, vg_plan_block_words(block), 0);
    for (uint32_t i = 0; i < question->count; i++) {
        vg_plan_range(data, block, question->numbers[i], question->numbers[i], one);
        for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
            out[word] |= one[word];
        }
    }
}

static void loop_ids(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    const struct vg_plan_block *block,
    uint64_t *out)
{
    const uint32_t *ids = (const uint32_t *)data->values + block->first;
    uint64_t one[VG_PLAN_BLOCK_WORDS];
    if (node->bitmap != NULL) {
        vg_loop_in_bitmap(ids, block->count, node->bitmap, node->bitmap_bits, out);
    } else {
        fill(out, vg_plan_block_words(block), 0);
    }
    for (uint32_t i = 0; i < node->id_count; i++) {
        vg_loop_range_32(ids, block->count, node->ids[i], node->ids[i], one);
        for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
            out[word] |= one[word];
        }
    }
}

/* Keep the rows of `out` for which `question` says yes. */
static void filter(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    bool (*question)(const struct vg_plan_node *node, const struct vg_column_data *, uint32_t row),
    uint64_t *out)
{
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
    for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
        for (uint64_t rest = out[word]; rest != 0; rest &= rest - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(rest);
            if (!question(node, data, block->first + word * 64 + bit)) {
                out[word] &= ~(UINT64_C(1) << bit);
            }
        }
    }
}

static bool row_number_wanted(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    int64_t number = vg_column_number(data, row);
    return number != VG_ABSENT && vg_predicate_has_number(node->question, number);
}

static bool row_list_wanted(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    uint32_t count = data->ends[row] - data->starts[row];
    const int64_t *items = count == 0 ? NULL : vg_chunk_elements(data, data->starts[row]);
    for (uint32_t i = 0; i < count; i++) {
        if (vg_predicate_has_number(node->question, items[i])) {
            return true;
        }
    }
    return false;
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
    uint32_t count = data->ends[row] - data->starts[row];
    const uint64_t *items = count == 0 ? NULL : vg_chunk_elements(data, data->starts[row]);
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
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
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
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
    uint64_t any = vg_hash_signature(node->question->hashes, node->question->count);
    vg_loop_any_bit((const uint64_t *)data->values + block->first, block->count, any, out);
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
    const struct vg_hash_index *index = block->chunk->columns[node->question->column].index;
    fill(out, vg_plan_block_words(block), 0);
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
static void evaluate_hashes(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
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
            const uint8_t *elements = vg_chunk_elements(data, data->starts[block->first + row]);
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

/* Do all wanted words stand in one value of the row? Values from the 64th on count as one. */
static bool has_words_together(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    uint32_t count = data->ends[row] - data->starts[row];
    const uint32_t *items = count == 0 ? NULL : vg_chunk_elements(data, data->starts[row]);
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

static void filter_tokens(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    uint64_t *out)
{
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
    struct vg_hit hits[CONFIRMED_TOGETHER];
    uint32_t count = 0;
    VG_ASSERT(block->run != NULL && block->run->reader != NULL);
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

static bool row_marked(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    const uint8_t *value = (const uint8_t *)data->values + (size_t)row * data->value_size;
    const struct vg_predicate *question = node->question;
    return vg_id_marks_has(
        question->marked.ids,
        vg_bytes(value, data->value_size),
        question->marked.mark);
}

static bool row_bytes_absent(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    (void)node;
    const uint8_t *value = (const uint8_t *)data->values + (size_t)row * data->value_size;
    for (uint32_t i = 0; i < data->value_size; i++) {
        if (value[i] != 0) {
            return false;
        }
    }
    return true;
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
    return data->ends[row] == data->starts[row];
}

static bool row_network_6_wanted(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    const struct vg_network *wanted = &node->question->network.network;
    struct vg_network stored = { .family = VG_NETWORK_IPV6 };
    stored.bits = (uint8_t)(data->codes[row] - VG_NETWORK_CODE_V6);
    memcpy(
        stored.address,
        vg_chunk_elements(data, ((const uint32_t *)data->values)[row]),
        sizeof(stored.address));
    return vg_network_matches(wanted, node->question->network.min_bits, &stored);
}

static bool row_network_in_set(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    const struct vg_predicate *question = node->question;
    uint8_t code = data->codes[row];
    uint32_t value = ((const uint32_t *)data->values)[row];
    if (code == VG_NETWORK_CODE_NONE) {
        return false;
    }
    if (code < VG_NETWORK_CODE_V6) {
        return vg_network_set_matches_v4(
            question->networks.set,
            question->networks.min_bits,
            value,
            code);
    }
    struct vg_network stored = { .family = VG_NETWORK_IPV6 };
    stored.bits = (uint8_t)(code - VG_NETWORK_CODE_V6);
    memcpy(stored.address, vg_chunk_elements(data, value), sizeof(stored.address));
    return vg_network_set_matches(question->networks.set, question->networks.min_bits, &stored);
}

static void evaluate_network(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
    const uint32_t *addresses = (const uint32_t *)data->values + block->first;
    const uint8_t *codes = data->codes + block->first;
    if (node->question->network.network.family == VG_NETWORK_IPV6) {
        vg_loop_range_8(codes, block->count, VG_NETWORK_CODE_V6, VG_NETWORK_CODE_V6 + 128, out);
        for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
            out[word] &= wanted[word];
        }
        filter(node, block, row_network_6_wanted, out);
        return;
    }
    /* A chunk of whole addresses only: the masks need not be looked at. */
    if (!block->is_tail && data->zone->min == 32 && data->zone->max == 32 &&
        node->network.min_bits <= 32) {
        vg_loop_host_in(addresses, block->count, &node->network, out);
        return;
    }
    vg_loop_network(addresses, codes, block->count, &node->network, out);
}

static void evaluate_bytes(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_predicate *question = node->question;
    const struct vg_column_data *data = &block->chunk->columns[question->column];
    if (data->value_size == 16 && question->count == 1 && question->bytes[0].size == 16) {
        uint64_t pair[2];
        memcpy(pair, question->bytes[0].data, sizeof(pair));
        vg_loop_equal_16(
            (const uint64_t *)data->values + 2 * (size_t)block->first,
            block->count,
            pair,
            out);
        return;
    }
    const uint8_t *values = (const uint8_t *)data->values + (size_t)block->first * data->value_size;
    for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
        out[word] = 0;
        for (uint64_t rest = wanted[word]; rest != 0; rest &= rest - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(rest);
            const uint8_t *value = values + (size_t)(word * 64 + bit) * data->value_size;
            out[word] |= (uint64_t)vg_fixed_set_has(node->fixed, value) << bit;
        }
    }
}

/* Up to so many numbers are compared in loops, more are searched for per row. */
#define NUMBERS_COMPARED_MAX 8u

static void evaluate_number_in(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
    if (node->column_kind == VG_COLUMN_SUBJECTS) {
        loop_ids(node, data, block, out);
    } else if (
        node->column_kind != VG_COLUMN_NUMBERS && node->question->count <= NUMBERS_COMPARED_MAX) {
        loop_numbers(node->question, data, block, out);
    } else {
        memcpy(out, wanted, vg_plan_block_words(block) * sizeof(*out));
        filter(
            node,
            block,
            node->column_kind == VG_COLUMN_NUMBERS ? row_list_wanted : row_number_wanted,
            out);
    }
}

static void evaluate_absent(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_column_data *data = &block->chunk->columns[node->question->column];
    switch (node->column_kind) {
    case VG_COLUMN_TIME:
    case VG_COLUMN_NUMBER:
        loop_absent_number(data, block, out);
        return;
    case VG_COLUMN_TEXT:
    case VG_COLUMN_SUBJECTS:
        vg_loop_range_32((const uint32_t *)data->values + block->first, block->count, 0, 0, out);
        return;
    case VG_COLUMN_NETWORK:
        vg_loop_range_8(
            data->codes + block->first,
            block->count,
            VG_NETWORK_CODE_NONE,
            VG_NETWORK_CODE_NONE,
            out);
        return;
    case VG_COLUMN_FIXED:
        memcpy(out, wanted, vg_plan_block_words(block) * sizeof(*out));
        filter(node, block, row_bytes_absent, out);
        return;
    case VG_COLUMN_NUMBERS:
    case VG_COLUMN_HASHES:
    case VG_COLUMN_TOKENS:
    case VG_COLUMN_TEXTS:
        memcpy(out, wanted, vg_plan_block_words(block) * sizeof(*out));
        filter(node, block, row_list_absent, out);
        return;
    case VG_COLUMN_FLAGS:
        break;
    }
    VG_UNREACHABLE();
}

static void evaluate_block(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_predicate *question = node->question;
    const struct vg_column_data *data = &block->chunk->columns[question->column];
    const uint64_t *flags = (const uint64_t *)data->values + block->first;
    switch (question->kind) {
    case VG_PREDICATE_RANGE:
        vg_plan_range(data, block, question->range.min, question->range.max, out);
        return;
    case VG_PREDICATE_NUMBER_IN:
        evaluate_number_in(node, block, wanted, out);
        return;
    case VG_PREDICATE_FLAGS_ALL:
        vg_loop_all_bits(flags, block->count, question->mask, out);
        return;
    case VG_PREDICATE_FLAGS_ANY:
        vg_loop_any_bit(flags, block->count, question->mask, out);
        return;
    case VG_PREDICATE_BYTES_IN:
        if (node->column_kind == VG_COLUMN_TEXT) {
            loop_ids(node, data, block, out);
        } else if (node->column_kind == VG_COLUMN_TEXTS) {
            memcpy(out, wanted, vg_plan_block_words(block) * sizeof(*out));
            vg_evaluate_entries(node, block, out);
        } else {
            evaluate_bytes(node, block, wanted, out);
        }
        return;
    case VG_PREDICATE_NETWORK:
        evaluate_network(node, block, wanted, out);
        return;
    case VG_PREDICATE_NETWORKS:
        memcpy(out, wanted, vg_plan_block_words(block) * sizeof(*out));
        filter(node, block, row_network_in_set, out);
        return;
    case VG_PREDICATE_HASH_IN:
        evaluate_hashes(node, block, wanted, out);
        return;
    case VG_PREDICATE_TOKENS:
        memcpy(out, wanted, vg_plan_block_words(block) * sizeof(*out));
        filter_tokens(node, block, out);
        return;
    case VG_PREDICATE_MARKED:
        memcpy(out, wanted, vg_plan_block_words(block) * sizeof(*out));
        filter(node, block, row_marked, out);
        return;
    case VG_PREDICATE_PREFIX:
    case VG_PREDICATE_CONTAINS:
        if (node->column_kind == VG_COLUMN_FIXED) {
            vg_evaluate_digits(node, block, wanted, out);
        } else if (node->is_complete && node->column_kind == VG_COLUMN_TEXT) {
            loop_ids(node, data, block, out);
        } else {
            memcpy(out, wanted, vg_plan_block_words(block) * sizeof(*out));
            vg_evaluate_entries(node, block, out);
        }
        return;
    case VG_PREDICATE_ABSENT:
        evaluate_absent(node, block, wanted, out);
        return;
    case VG_PREDICATE_ALL:
    case VG_PREDICATE_NONE:
    case VG_PREDICATE_AND:
    case VG_PREDICATE_OR:
    case VG_PREDICATE_NOT:
        break;
    }
    VG_UNREACHABLE();
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
        evaluate_block(node, block, wanted, out); /* one look-up, or wanted rows only */
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
            evaluate_block(node, &part, &wanted[first], &out[first]);
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
        fill(out, words, 0);
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
