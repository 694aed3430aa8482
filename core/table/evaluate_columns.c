/*
 * Leaves over columns of a fixed width: numbers, ids, sets of flags and networks. Each width a
 * sealed column can have is compared by a loop of its own, as it is stored.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/table/evaluate_parts.h"

/* The stored values of a block. Where all rows share one, only the first may be asked about. */
static const void *values_of(const struct vg_column_data *data, const struct vg_plan_block *block)
{
    VG_ASSERT(!vg_column_has_one_value(data) || block->count <= 1);
    return (const uint8_t *)data->values +
           (size_t)(block->first & data->row_mask) * data->value_size;
}

/* Stored values of 1, 2 or 4 bytes that lie between two bounds. */
static void loop_stored(
    const struct vg_column_data *data,
    const struct vg_plan_block *block,
    uint64_t low,
    uint64_t high,
    uint64_t *out)
{
    const void *values = values_of(data, block);
    if (data->value_size == 1) {
        vg_loop_range_8(values, block->count, (uint8_t)low, (uint8_t)high, out);
    } else if (data->value_size == 2) {
        vg_loop_range_16(values, block->count, (uint16_t)low, (uint16_t)high, out);
    } else {
        VG_ASSERT(data->value_size == 4);
        vg_loop_range_32(values, block->count, (uint32_t)low, (uint32_t)high, out);
    }
}

static void add_bits(const struct vg_plan_block *block, const uint64_t *more, uint64_t *out)
{
    for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
        out[word] |= more[word];
    }
}

/* --- numbers --- */

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
    uint64_t low;
    uint64_t high;
    if (vg_column_has_one_value(data)) {
        int64_t number = vg_column_number(data, 0);
        bool matches = number != VG_ABSENT && number >= min && number <= max;
        uint32_t rest = block->count % 64;
        vg_evaluate_fill(block, matches ? UINT64_MAX : 0, out);
        if (rest != 0) {
            out[block->count / 64] &= (UINT64_C(1) << rest) - 1;
        }
    } else if (data->value_size == 8) {
        int64_t least = min == VG_ABSENT ? VG_ABSENT + 1 : min;
        vg_loop_range_64(values_of(data, block), block->count, least, max, out);
    } else if (narrow_bounds(data, min, max, &low, &high)) {
        loop_stored(data, block, low, high, out);
    } else {
        vg_evaluate_fill(block, 0, out);
    }
}

void vg_evaluate_absent_number(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    (void)wanted;
    const struct vg_column_data *data = vg_evaluate_column(node, block);
    if (data->value_size == 8) {
        vg_loop_range_64(values_of(data, block), block->count, VG_ABSENT, VG_ABSENT, out);
    } else {
        uint64_t absent = (UINT64_C(1) << data->value_size * 8) - 1;
        loop_stored(data, block, absent, absent, out);
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

/* Up to so many numbers are compared in loops, more are searched for per row. */
#define NUMBERS_COMPARED_MAX 8u

void vg_evaluate_number_in(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_predicate *question = node->question;
    const struct vg_column_data *data = vg_evaluate_column(node, block);
    uint64_t one[VG_PLAN_BLOCK_WORDS];
    if (question->count > NUMBERS_COMPARED_MAX) {
        vg_evaluate_each(node, block, row_number_wanted, wanted, out);
        return;
    }
    vg_evaluate_fill(block, 0, out);
    for (uint32_t i = 0; i < question->count; i++) {
        vg_plan_range(data, block, question->numbers[i], question->numbers[i], one);
        add_bits(block, one, out);
    }
}

/* --- ids of dictionaries --- */

/* What stands in the rows of an entry; false when no row of the chunk can have it. */
static bool find_stored(const struct vg_column_data *data, uint32_t id, uint64_t *out_stored)
{
    uint32_t base = (uint32_t)data->base;
    if (id == 0 || data->value_size == sizeof(id)) {
        *out_stored = id;
        return true;
    }
    *out_stored = id - base;
    return id > base && id - base < UINT32_C(1) << data->value_size * 8;
}

static void loop_bitmap(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    const struct vg_plan_block *block,
    uint64_t *out)
{
    const void *values = values_of(data, block);
    const struct vg_loop_bitmap bitmap = {
        .words = node->bitmap,
        .bits = node->bitmap_bits,
        .base = (uint32_t)data->base,
    };
    if (data->value_size == 1) {
        vg_loop_in_bitmap_8(values, block->count, &bitmap, out);
    } else if (data->value_size == 2) {
        vg_loop_in_bitmap_16(values, block->count, &bitmap, out);
    } else {
        vg_loop_in_bitmap_32(values, block->count, &bitmap, out);
    }
}

void vg_evaluate_ids(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    (void)wanted;
    const struct vg_column_data *data = vg_evaluate_column(node, block);
    uint64_t one[VG_PLAN_BLOCK_WORDS];
    uint64_t stored;
    if (node->bitmap != NULL) {
        loop_bitmap(node, data, block, out);
    } else {
        vg_evaluate_fill(block, 0, out);
    }
    for (uint32_t i = 0; i < node->id_count; i++) {
        if (find_stored(data, node->ids[i], &stored)) {
            loop_stored(data, block, stored, stored, one);
            add_bits(block, one, out);
        }
    }
}

void vg_evaluate_absent_id(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    (void)wanted;
    loop_stored(vg_evaluate_column(node, block), block, 0, 0, out);
}

/* --- sets of flags --- */

static void loop_all_bits(
    const struct vg_column_data *data,
    const struct vg_plan_block *block,
    uint64_t mask,
    uint64_t *out)
{
    const void *values = values_of(data, block);
    if (data->value_size == 1) {
        vg_loop_all_bits_8(values, block->count, (uint8_t)mask, out);
    } else if (data->value_size == 2) {
        vg_loop_all_bits_16(values, block->count, (uint16_t)mask, out);
    } else if (data->value_size == 4) {
        vg_loop_all_bits_32(values, block->count, (uint32_t)mask, out);
    } else {
        vg_loop_all_bits_64(values, block->count, mask, out);
    }
}

static void loop_any_bit(
    const struct vg_column_data *data,
    const struct vg_plan_block *block,
    uint64_t mask,
    uint64_t *out)
{
    const void *values = values_of(data, block);
    if (data->value_size == 1) {
        vg_loop_any_bit_8(values, block->count, (uint8_t)mask, out);
    } else if (data->value_size == 2) {
        vg_loop_any_bit_16(values, block->count, (uint16_t)mask, out);
    } else if (data->value_size == 4) {
        vg_loop_any_bit_32(values, block->count, (uint32_t)mask, out);
    } else {
        vg_loop_any_bit_64(values, block->count, mask, out);
    }
}

void vg_evaluate_flags(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    (void)wanted;
    const struct vg_column_data *data = vg_evaluate_column(node, block);
    uint64_t mask = node->question->mask;
    uint64_t missing = 0; /* flags that no row of the chunk has */
    if (data->value_size < sizeof(mask)) {
        missing = mask & ~(uint64_t)data->base;
        mask = vg_bits_gather(mask, (uint64_t)data->base);
    }
    if (node->question->kind == VG_PREDICATE_FLAGS_ANY) {
        loop_any_bit(data, block, mask, out);
    } else if (missing == 0) {
        loop_all_bits(data, block, mask, out);
    } else {
        vg_evaluate_fill(block, 0, out);
    }
}

/* --- networks --- */

static bool row_network_6_wanted(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    const struct vg_network *wanted = &node->question->network.network;
    struct vg_network stored = { .family = VG_NETWORK_IPV6 };
    stored.bits = (uint8_t)(vg_column_code(data, row) - VG_NETWORK_CODE_V6);
    memcpy(
        stored.address,
        vg_column_elements(data, vg_column_address(data, row)),
        sizeof(stored.address));
    return vg_network_matches(wanted, node->question->network.min_bits, &stored);
}

static bool row_network_in_set(
    const struct vg_plan_node *node,
    const struct vg_column_data *data,
    uint32_t row)
{
    const struct vg_predicate *question = node->question;
    uint8_t code = vg_column_code(data, row);
    uint32_t value = vg_column_address(data, row);
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
    memcpy(stored.address, vg_column_elements(data, value), sizeof(stored.address));
    return vg_network_set_matches(question->networks.set, question->networks.min_bits, &stored);
}

/* The codes of a block, written out in `room` where all rows share one. */
static const uint8_t *codes_of(
    const struct vg_column_data *data,
    const struct vg_plan_block *block,
    uint8_t room[VG_PLAN_BLOCK_ROWS])
{
    if (data->code_mask != 0) {
        return data->codes + block->first;
    }
    memset(room, data->codes[0], block->count);
    return room;
}

void vg_evaluate_network(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    const struct vg_column_data *data = vg_evaluate_column(node, block);
    const struct vg_loop_network *network = &node->network;
    uint8_t room[VG_PLAN_BLOCK_ROWS];
    uint64_t found[VG_PLAN_BLOCK_WORDS];
    if (node->question->network.network.family == VG_NETWORK_IPV6) {
        const uint8_t *codes = codes_of(data, block, room);
        vg_loop_range_8(codes, block->count, VG_NETWORK_CODE_V6, VG_NETWORK_CODE_V6 + 128, found);
        for (uint32_t word = 0; word < vg_plan_block_words(block); word++) {
            found[word] &= wanted[word];
        }
        vg_evaluate_each(node, block, row_network_6_wanted, found, out);
        return;
    }
    const uint32_t *addresses = values_of(data, block);
    /* A chunk of whole addresses only: the masks need not be looked at. */
    if (!block->is_tail && data->zone->min == 32 && data->zone->max == 32 &&
        network->min_bits <= 32) {
        vg_loop_host_in(addresses, block->count, network, out);
        return;
    }
    vg_loop_network(addresses, codes_of(data, block, room), block->count, network, out);
}

void vg_evaluate_networks(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    vg_evaluate_each(node, block, row_network_in_set, wanted, out);
}

void vg_evaluate_absent_network(
    const struct vg_plan_node *node,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out)
{
    (void)wanted;
    uint8_t room[VG_PLAN_BLOCK_ROWS];
    vg_loop_range_8(
        codes_of(vg_evaluate_column(node, block), block, room),
        block->count,
        VG_NETWORK_CODE_NONE,
        VG_NETWORK_CODE_NONE,
        out);
}
