/*
 * Column loops: one question about a run of rows of one column, answered as one bit per row. The
 * innermost loops of every search; this file is built with -O3 and, where the compiler can, in a
 * second copy for AVX2 that is chosen when the program is loaded.
 *
 * `out` gets (count + 63) / 64 words; bits behind `count` are zero. No row behind `count` is read:
 * the writer may be filling it.
 *
 * Threads: pure functions.
 */
#ifndef VG_CORE_TABLE_COLUMN_LOOPS_H
#define VG_CORE_TABLE_COLUMN_LOOPS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

/* A loop in two copies, the one for AVX2 taken where the processor has it. clang 14 has no
 * target_clones in C, and the sanitizers' runtime is not up when the loader asks which copy to
 * take. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VG_LOOP_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define VG_LOOP_CLONES
#endif

/* How many bits of so many words are set. */
uint32_t vg_loop_count_bits(const uint64_t *words, uint32_t count);

/* min <= value <= max */
void vg_loop_range_8(
    const uint8_t *values,
    uint32_t count,
    uint8_t min,
    uint8_t max,
    uint64_t *out);
void vg_loop_range_16(
    const uint16_t *values,
    uint32_t count,
    uint16_t min,
    uint16_t max,
    uint64_t *out);
void vg_loop_range_32(
    const uint32_t *values,
    uint32_t count,
    uint32_t min,
    uint32_t max,
    uint64_t *out);
void vg_loop_range_64(
    const int64_t *values,
    uint32_t count,
    int64_t min,
    int64_t max,
    uint64_t *out);

/* The smallest and the largest value; INT64_MAX and INT64_MIN of none. */
void vg_loop_bounds_64(const int64_t *values, uint32_t count, int64_t *out_min, int64_t *out_max);

/* all, or any, of the bits of `mask` */
void vg_loop_all_bits_8(const uint8_t *values, uint32_t count, uint8_t mask, uint64_t *out);
void vg_loop_all_bits_16(const uint16_t *values, uint32_t count, uint16_t mask, uint64_t *out);
void vg_loop_all_bits_32(const uint32_t *values, uint32_t count, uint32_t mask, uint64_t *out);
void vg_loop_all_bits_64(const uint64_t *values, uint32_t count, uint64_t mask, uint64_t *out);
void vg_loop_any_bit_8(const uint8_t *values, uint32_t count, uint8_t mask, uint64_t *out);
void vg_loop_any_bit_16(const uint16_t *values, uint32_t count, uint16_t mask, uint64_t *out);
void vg_loop_any_bit_32(const uint32_t *values, uint32_t count, uint32_t mask, uint64_t *out);
void vg_loop_any_bit_64(const uint64_t *values, uint32_t count, uint64_t mask, uint64_t *out);

/* Ids of a dictionary: number < bits and bit `number` of `words` is set. */
struct vg_loop_bitmap {
    const uint64_t *words;
    uint32_t bits;
    uint32_t base; /* what a stored id other than 0 is less than what it means */
};

void vg_loop_in_bitmap_8(
    const uint8_t *values,
    uint32_t count,
    const struct vg_loop_bitmap *bitmap,
    uint64_t *out);
void vg_loop_in_bitmap_16(
    const uint16_t *values,
    uint32_t count,
    const struct vg_loop_bitmap *bitmap,
    uint64_t *out);
void vg_loop_in_bitmap_32(
    const uint32_t *values,
    uint32_t count,
    const struct vg_loop_bitmap *bitmap,
    uint64_t *out);

/* 16 bytes are equal; `values` are pairs of words */
void vg_loop_equal_16(
    const uint64_t *values,
    uint32_t count,
    const uint64_t wanted[2],
    uint64_t *out);

/* The needle's first byte stands at the position and its last byte where it would end. The bytes of
 * a needle behind the last position are read. */
void vg_loop_both_ends(const uint8_t *text, uint32_t count, struct vg_bytes needle, uint64_t *out);

/* The byte and the one behind it agree with one of two pairs in the bits of its masks. One byte
 * behind the last is read. */
struct vg_fixed_pair;
void vg_loop_pairs(
    const uint8_t *bytes,
    uint32_t count,
    const struct vg_fixed_pair *pairs,
    uint64_t *out);

/* Is one of `items` equal to `wanted` in all bits of `mask`? */
bool vg_loop_has_masked(const uint32_t *items, uint32_t count, uint32_t wanted, uint32_t mask);

/* A network of IPv4, and how wide a stored one may be. */
struct vg_loop_network {
    uint32_t address;
    uint32_t bits;
    uint32_t min_bits;
};

/* The row's address, a whole one, is in the network. */
void vg_loop_host_in(
    const uint32_t *addresses,
    uint32_t count,
    const struct vg_loop_network *network,
    uint64_t *out);

/* The row's network, `codes` long, is in the network or covers it; codes above 32 are none. */
void vg_loop_network(
    const uint32_t *addresses,
    const uint8_t *codes,
    uint32_t count,
    const struct vg_loop_network *network,
    uint64_t *out);

#endif
