/*
 * Chunk copy: rows of several chunks, in a given order, as one new closed chunk. What is stored is
 * copied as it is: dictionary ids keep their meaning, so nothing is looked up or added.
 *
 * Threads: any; the rows must be published and the sources referenced.
 */
#ifndef VG_CORE_TABLE_CHUNK_COPY_H
#define VG_CORE_TABLE_CHUNK_COPY_H

#include <stdint.h>

#include "core/base/compiler.h"
#include "core/table/chunk.h"

/* Where a row of the new chunk is copied from. */
struct vg_row_origin {
    int64_t time; /* what rows are put in order by */
    uint32_t source;
    uint32_t position;
};

/*
 * A closed chunk with `count` rows, row i from origins[i]; its zones are exact. The sources, at
 * most VG_COMPACTION_CHUNKS_MAX, are sealed. It has one reference and no deaths, and can only be
 * written to a file: what its hashes have for elements is the block of an index. NULL without
 * memory.
 */
struct vg_chunk *vg_chunk_copy_rows(
    const struct vg_chunk *const *sources,
    uint32_t source_count,
    const struct vg_row_origin *origins,
    uint32_t count,
    uint32_t number);

#endif
