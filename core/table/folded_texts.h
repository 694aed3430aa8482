/*
 * Folded texts: the entries of a dictionary once more, case-folded and side by side in blocks, so
 * that a substring is looked for in many of them by one walk over memory. An entry's folded form is
 * made when the entry is added, and never moves.
 *
 * Threads: as of the dictionary: one writer adds; readers look at entries they know to be counted.
 */
#ifndef VG_CORE_TABLE_FOLDED_TEXTS_H
#define VG_CORE_TABLE_FOLDED_TEXTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

#define VG_FOLDED_BLOCK_SIZE (64u * 1024u)

/* Between texts; no byte of UTF-8. */
#define VG_FOLDED_SEPARATOR 0xFFu

struct vg_folded_text {
    uint32_t block;
    uint32_t start;
    uint32_t size;
};

struct vg_folded_block {
    uint32_t first_id;
    uint32_t used; /* the writer's */
    uint8_t data[VG_FOLDED_BLOCK_SIZE];
};

struct vg_folded_texts {
    struct vg_folded_block **blocks; /* rising ids; the array never moves */
    uint32_t block_count;            /* the writer's */
    uint32_t blocks_max;
    struct vg_folded_text **segments; /* by id / VG_DICTIONARY_SEGMENT */
    uint32_t segment_count;
};

/* For so many entries of so many bytes together at most. NULL without memory. */
struct vg_folded_texts *vg_folded_texts_create(uint32_t entries_max, uint64_t bytes_max);
void vg_folded_texts_destroy(struct vg_folded_texts *texts); /* accepts NULL */

/* Add the folded form of the entry `id`, one more than the last. False without memory. */
VG_MUST_USE bool vg_folded_texts_add(
    struct vg_folded_texts *texts,
    uint32_t id,
    struct vg_bytes text);

/* The block an entry stands in. */
uint32_t vg_folded_texts_block(const struct vg_folded_texts *texts, uint32_t id);

/* The last entry of `block`, up to the entry `count`. An entry of the block must be counted. */
uint32_t vg_folded_texts_last(const struct vg_folded_texts *texts, uint32_t block, uint32_t count);

/*
 * Set in `bitmap` the bits of the entries of `block`, up to the entry `count`, whose folded form
 * holds `needle`, which is folded and not empty. An entry of the block must be counted.
 */
void vg_folded_texts_scan(
    const struct vg_folded_texts *texts,
    uint32_t block,
    uint32_t count,
    struct vg_bytes needle,
    uint64_t *bitmap);

/* Does the folded form of the entry `id`, which is counted, hold `needle`? */
bool vg_folded_texts_contains(
    const struct vg_folded_texts *texts,
    uint32_t id,
    struct vg_bytes needle);

/* Bytes of memory it takes for `count` entries. */
uint64_t vg_folded_texts_memory(const struct vg_folded_texts *texts, uint32_t count);

#endif
