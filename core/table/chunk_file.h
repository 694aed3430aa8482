/*
 * Chunk file: a sealed chunk. Written once from a closed chunk, with the same rows, dead ones
 * included, at the same positions; mapped read-only ever after. Deaths are not in it.
 *
 * Layout: a header, one descriptor per column, then the zones and arrays, each at a multiple of 64
 * bytes, in the machine's byte order (the magic number tells). The checksum of the whole file
 * stands in the manifest.
 *
 * Threads: any; a chunk being written must be closed.
 */
#ifndef VG_CORE_TABLE_CHUNK_FILE_H
#define VG_CORE_TABLE_CHUNK_FILE_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/table/chunk.h"
#include "core/table/table_disk.h"

/* What the manifest says about a file. */
struct vg_file_mark {
    uint64_t size;
    uint64_t checksum;
};

/* "events-00000012-0000002a.chunk" */
void vg_chunk_file_name(
    char out_name[VG_DISK_NAME_SIZE],
    const struct vg_table_schema *schema,
    uint32_t number,
    uint64_t generation);

/* Does a name end as those of chunk files do? */
bool vg_chunk_file_is_name(const char *name);

/*
 * Write and sync the file of a closed chunk.
 *
 * Fails with: STORE_FULL, STORE_IO; RESOURCE_LIMIT without memory.
 */
VG_MUST_USE enum vg_reason vg_chunk_file_write(
    struct vg_disk *disk,
    const struct vg_chunk *chunk,
    uint64_t generation,
    struct vg_file_mark *out_mark,
    struct vg_error *error);

struct vg_chunk_file {
    const struct vg_table_schema *schema;
    const struct vg_dictionary *dictionaries;
    uint32_t number;
    uint32_t rows;
    uint64_t generation;
    struct vg_file_mark mark;
    bool is_ours; /* just written by this process: the checksum need not be computed again */
};

/*
 * Map the file. The chunk has one reference, and takes over `taken_deaths` (later, when NULL). NULL
 * when the file is missing, is not what `file` says, or there is no memory.
 */
struct vg_chunk *vg_chunk_file_open(
    struct vg_disk *disk,
    const struct vg_chunk_file *file,
    struct vg_deaths *taken_deaths);

#endif
