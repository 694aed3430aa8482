/*
 * Frequent hashes: those that many rows of a chunk have, as all rows have the keys of the
 * properties that a sensor sends. They are half of a chunk's pairs and a handful of hashes, so they
 * are taken out as bitmaps before the rest is sorted.
 *
 * Threads: one owner.
 */
#ifndef VG_CORE_TABLE_FREQUENT_HASHES_H
#define VG_CORE_TABLE_FREQUENT_HASHES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/table/hash_index.h"

#define VG_FREQUENT_HASHES_MAX 64u

struct vg_frequent_hashes {
    uint32_t count;
    uint32_t words;                          /* of a bitmap */
    uint64_t hashes[VG_FREQUENT_HASHES_MAX]; /* rising */
    uint64_t *bitmaps;                       /* one behind the other, of rows */
};

/*
 * Take out of `pairs` those of hashes that `rows_least` rows have at least: of as many as a sample
 * shows, perhaps of none. `rows`: of the chunk. Afterwards the pairs stand in another order.
 *
 * False without memory; then the pairs are as they were, and there is nothing to dispose.
 */
VG_MUST_USE bool vg_frequent_hashes_take(
    struct vg_frequent_hashes *frequent,
    struct vg_hash_pairs *pairs,
    uint32_t rows,
    uint32_t rows_least);
void vg_frequent_hashes_dispose(struct vg_frequent_hashes *frequent);

/* The bitmap of hash `number`. */
static inline const uint64_t *vg_frequent_hashes_bitmap(
    const struct vg_frequent_hashes *frequent,
    uint32_t number)
{
    return frequent->bitmaps + (size_t)number * frequent->words;
}

#endif
