#include "core/table/column_loops.h"

#include <stdbool.h>
#include <string.h>

#include "core/table/fixed_text.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* 64 bytes of 0 or 255 to 64 bits. */
static inline uint64_t pack(const uint8_t hits[64])
{
    uint64_t word = 0;
#ifdef __SSE2__
    for (unsigned i = 0; i < 4; i++) {
        __m128i part;
        memcpy(&part, hits + 16 * i, sizeof(part));
        word |= (uint64_t)(uint16_t)_mm_movemask_epi8(part) << 16 * i;
    }
#else
    for (unsigned i = 0; i < 64; i++) {
        word |= (uint64_t)(hits[i] & 1) << i;
    }
#endif
    return word;
}

/*
 * The shape of every loop: whole words through an array of bytes, which the compiler turns into
 * vectors; the rest row by row. `question` is 0 or 1 and looks at `row`.
 */
#define LOOP(question)                                                                             \
    do {                                                                                           \
        for (uint32_t word = 0; word < count / 64; word++) {                                       \
            uint8_t hits[64];                                                                      \
            for (uint32_t i = 0; i < 64; i++) {                                                    \
                uint32_t row = word * 64 + i;                                                      \
                hits[i] = (uint8_t) - (int)(question);                                             \
            }                                                                                      \
            out[word] = pack(hits);                                                                \
        }                                                                                          \
        uint64_t last = 0;                                                                         \
        for (uint32_t row = count - count % 64; row < count; row++) {                              \
            last |= (uint64_t)(question) << row % 64;                                              \
        }                                                                                          \
        if (count % 64 != 0) {                                                                     \
            out[count / 64] = last;                                                                \
        }                                                                                          \
    } while (false)

#define IN_RANGE(value, min, max) (((value) >= (min)) & ((value) <= (max)))

/* The copy for AVX2 has an instruction for it. */
VG_LOOP_CLONES uint32_t vg_loop_count_bits(const uint64_t *words, uint32_t count)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < count; i++) {
        bits += (uint32_t)__builtin_popcountll(words[i]);
    }
    return bits;
}

#define RANGE_LOOP(name, type)                                                                     \
    VG_LOOP_CLONES void                                                                            \
    name(const type *values, uint32_t count, type min, type max, uint64_t *out)                    \
    {                                                                                              \
        LOOP(IN_RANGE(values[row], min, max));                                                     \
    }

RANGE_LOOP(vg_loop_range_8, uint8_t)
RANGE_LOOP(vg_loop_range_16, uint16_t)
RANGE_LOOP(vg_loop_range_32, uint32_t)
RANGE_LOOP(vg_loop_range_64, int64_t)

// NOLINTBEGIN(bugprone-macro-parentheses): an operator and its operand
#define BITS_LOOP(name, type, wanted)                                                              \
    VG_LOOP_CLONES void name(const type *values, uint32_t count, type mask, uint64_t *out)         \
    {                                                                                              \
        LOOP((values[row] & mask) wanted);                                                         \
    }
// NOLINTEND(bugprone-macro-parentheses)

BITS_LOOP(vg_loop_all_bits_8, uint8_t, == mask)
BITS_LOOP(vg_loop_all_bits_16, uint16_t, == mask)
BITS_LOOP(vg_loop_all_bits_32, uint32_t, == mask)
BITS_LOOP(vg_loop_all_bits_64, uint64_t, == mask)
BITS_LOOP(vg_loop_any_bit_8, uint8_t, != 0)
BITS_LOOP(vg_loop_any_bit_16, uint16_t, != 0)
BITS_LOOP(vg_loop_any_bit_32, uint32_t, != 0)
BITS_LOOP(vg_loop_any_bit_64, uint64_t, != 0)

VG_LOOP_CLONES void vg_loop_both_ends(
    const uint8_t *text,
    uint32_t count,
    struct vg_bytes needle,
    uint64_t *out)
{
    const uint8_t *ends = text + needle.size - 1;
    uint8_t first = needle.data[0];
    uint8_t final = needle.data[needle.size - 1];
    LOOP((text[row] == first) & (ends[row] == final));
}

VG_LOOP_CLONES void vg_loop_pairs(
    const uint8_t *bytes,
    uint32_t count,
    const struct vg_fixed_pair *pairs,
    uint64_t *out)
{
    const uint8_t *behind = bytes + 1;
    const struct vg_fixed_pair a = pairs[0];
    const struct vg_fixed_pair b = pairs[1];
    LOOP(
        (((bytes[row] & a.masks[0]) == a.values[0]) & ((behind[row] & a.masks[1]) == a.values[1])) |
        (((bytes[row] & b.masks[0]) == b.values[0]) & ((behind[row] & b.masks[1]) == b.values[1])));
}

VG_LOOP_CLONES void vg_loop_bounds_64(
    const int64_t *values,
    uint32_t count,
    int64_t *out_min,
    int64_t *out_max)
{
    int64_t min = INT64_MAX;
    int64_t max = INT64_MIN;
    for (uint32_t row = 0; row < count; row++) {
        min = values[row] < min ? values[row] : min;
        max = values[row] > max ? values[row] : max;
    }
    *out_min = min;
    *out_max = max;
}

static inline uint32_t in_bitmap(const struct vg_loop_bitmap *bitmap, uint32_t stored)
{
    uint32_t number = stored == 0 ? 0 : stored + bitmap->base;
    uint32_t is_known = number < bitmap->bits;
    number = is_known ? number : 0;
    return is_known & (uint32_t)(bitmap->words[number / 64] >> number % 64 & 1);
}

/* Row by row: the compiler makes no vectors of look-ups. */
#define BITMAP_ROWS(values, count, bitmap, out)                                                    \
    do {                                                                                           \
        const struct vg_loop_bitmap wanted = *(bitmap);                                            \
        for (uint32_t first = 0; first < (count); first += 64) {                                   \
            uint64_t word = 0;                                                                     \
            uint32_t rows = (count)-first < 64 ? (count)-first : 64;                               \
            for (uint32_t i = 0; i < rows; i++) {                                                  \
                word |= (uint64_t)in_bitmap(&wanted, (values)[first + i]) << i;                    \
            }                                                                                      \
            (out)[first / 64] = word;                                                              \
        }                                                                                          \
    } while (false)

/* Of so many rows it pays to look at all values there can be first. */
#define BYTES_TABLED_MIN 512u

static void look_up_few(
    const uint8_t *values,
    uint32_t count,
    const struct vg_loop_bitmap *bitmap,
    uint64_t *out)
{
    BITMAP_ROWS(values, count, bitmap, out);
}

VG_LOOP_CLONES void vg_loop_in_bitmap_8(
    const uint8_t *values,
    uint32_t count,
    const struct vg_loop_bitmap *bitmap,
    uint64_t *out)
{
    uint8_t table[UINT8_MAX + 1];
    if (count < BYTES_TABLED_MIN) {
        look_up_few(values, count, bitmap, out);
        return;
    }
    for (uint32_t value = 0; value <= UINT8_MAX; value++) {
        table[value] = (uint8_t)in_bitmap(bitmap, value);
    }
    LOOP(table[values[row]]);
}

void vg_loop_in_bitmap_16(
    const uint16_t *values,
    uint32_t count,
    const struct vg_loop_bitmap *bitmap,
    uint64_t *out)
{
    BITMAP_ROWS(values, count, bitmap, out);
}

void vg_loop_in_bitmap_32(
    const uint32_t *values,
    uint32_t count,
    const struct vg_loop_bitmap *bitmap,
    uint64_t *out)
{
    BITMAP_ROWS(values, count, bitmap, out);
}

VG_LOOP_CLONES void vg_loop_equal_16(
    const uint64_t *values,
    uint32_t count,
    const uint64_t wanted[2],
    uint64_t *out)
{
    const uint64_t first = wanted[0];
    const uint64_t second = wanted[1];
    LOOP(((values[2 * row] ^ first) | (values[2 * row + 1] ^ second)) == 0);
}

VG_LOOP_CLONES void vg_loop_host_in(
    const uint32_t *addresses,
    uint32_t count,
    const struct vg_loop_network *network,
    uint64_t *out)
{
    const uint32_t address = network->address;
    const uint32_t mask = ~(uint32_t)(UINT64_C(0xFFFFFFFF) >> network->bits);
    LOOP(((addresses[row] ^ address) & mask) == 0);
}

/* Bits in which two networks need not agree: all but the first `bits`, 0 to 32. Two shifts, since
 * one by 32 is not defined. */
static inline uint32_t host_bits(uint32_t bits)
{
    return UINT32_C(0xFFFFFFFF) >> bits / 2 >> (bits - bits / 2);
}

/* Inside and covering are one comparison: both masked with the shorter of the two. */
static inline uint32_t networks_meet(
    uint32_t address,
    uint32_t code,
    struct vg_loop_network network)
{
    uint32_t shorter = code < network.bits ? code : network.bits;
    uint32_t together = ((address ^ network.address) & ~host_bits(shorter)) == 0;
    uint32_t same = (code == network.bits) & (address == network.address);
    uint32_t narrow_enough = (code >= network.min_bits) | same;
    return (code <= 32) & together & narrow_enough;
}

VG_LOOP_CLONES void vg_loop_network(
    const uint32_t *addresses,
    const uint8_t *codes,
    uint32_t count,
    const struct vg_loop_network *network,
    uint64_t *out)
{
    const struct vg_loop_network wanted = *network;
    LOOP(networks_meet(addresses[row], codes[row], wanted));
}

VG_LOOP_CLONES
bool vg_loop_has_masked(const uint32_t *items, uint32_t count, uint32_t wanted, uint32_t mask)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        found |= ((items[i] ^ wanted) & mask) == 0;
    }
    return found != 0;
}
