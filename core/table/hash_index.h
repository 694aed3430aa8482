/*
 * Hash index: the hash lists of a sealed chunk, turned over. For each distinct hash it says which
 * rows have it: one row beside the hash itself, a few as a rising list of 16-bit positions, many as
 * a bitmap. Real records share most of their keys and many values, so this takes a third of what
 * the lists take, and a question is answered by one look-up instead of reading every list.
 *
 * It is one block of 64-bit words, as it stands in the file. A row's hashes are a set: their order
 * and repetitions are not kept.
 *
 * Threads: pure functions; an index is constant.
 */
#ifndef VG_CORE_TABLE_HASH_INDEX_H
#define VG_CORE_TABLE_HASH_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/compiler.h"

#define VG_HASH_INDEX_NONE UINT32_MAX

/* An opened block; borrows it. */
struct vg_hash_index {
    uint32_t rows;
    uint32_t hash_count;
    uint32_t position_count;
    uint32_t bitmap_count;     /* the one of rows with any hash included */
    const uint64_t *hashes;    /* rising */
    const uint64_t *bitmaps;   /* (rows + 63) / 64 words each; the first: rows with any hash */
    const uint32_t *places;    /* of each hash: see hash_index.c */
    const uint16_t *positions; /* lists, each behind its length - 1 */
};

/* Which hash a row has; what an index is made from. */
struct vg_hash_pairs {
    uint64_t *hashes;
    uint16_t *rows;
    uint32_t count;
    uint32_t capacity;
};

/* No pairs, with room for `capacity`. False without memory. */
VG_MUST_USE bool vg_hash_pairs_init(struct vg_hash_pairs *pairs, uint32_t capacity);

/* Room for `more` pairs behind those there are. False without memory. */
VG_MUST_USE bool vg_hash_pairs_reserve(struct vg_hash_pairs *pairs, uint32_t more);

/* There must be room. */
static inline void vg_hash_pairs_add(struct vg_hash_pairs *pairs, uint64_t hash, uint16_t row)
{
    pairs->hashes[pairs->count] = hash;
    pairs->rows[pairs->count++] = row;
}

void vg_hash_pairs_dispose(struct vg_hash_pairs *pairs); /* accepts zero bytes */

/*
 * The block for `rows` rows (65,536 at most) with these pairs, which are used up;
 * free() it. NULL without memory.
 */
VG_MUST_USE uint64_t *vg_hash_index_make(
    struct vg_hash_pairs *pairs,
    uint32_t rows,
    uint32_t *out_words);

/* Open a block of `words` words. False when it is not one of so many rows. */
VG_MUST_USE bool vg_hash_index_open(
    const uint64_t *block,
    uint64_t words,
    uint32_t rows,
    struct vg_hash_index *out_index);

/* Number of the hash; VG_HASH_INDEX_NONE when no row has it. */
uint32_t vg_hash_index_find(const struct vg_hash_index *index, uint64_t hash);

/* How many rows have hash number `number`. */
uint32_t vg_hash_index_count(const struct vg_hash_index *index, uint32_t number);

/* Set in `out` the bits of those of the `count` rows from `first`, a multiple of 64, on that have
 * hash number `number`; others stay. */
void vg_hash_index_mark(
    const struct vg_hash_index *index,
    uint32_t number,
    uint32_t first,
    uint32_t count,
    uint64_t *out);

/* The rows that have hash number `number`, rising; out_rows has room for all rows. Returns how
 * many.
 */
uint32_t vg_hash_index_rows(const struct vg_hash_index *index, uint32_t number, uint16_t *out_rows);

/* Rows that have any hash. */
static inline const uint64_t *vg_hash_index_any(const struct vg_hash_index *index)
{
    return index->bitmaps;
}

#endif
