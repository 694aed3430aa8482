/*
 * Manifest: the one file that says which others make up a checkpoint, and of which sequence. It is
 * replaced by a rename, so there is always the old one or the new one.
 *
 * Threads: values.
 */
#ifndef VG_CORE_TABLE_MANIFEST_H
#define VG_CORE_TABLE_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/table/chunk_file.h"
#include "core/table/table.h"

#define VG_MANIFEST_NAME     "manifest"
#define VG_MANIFEST_NEW_NAME "manifest.new"

struct vg_manifest_chunk {
    uint32_t number;
    uint32_t rows;
    uint64_t generation;
    struct vg_file_mark mark;
};

struct vg_manifest_kind {
    uint32_t chunk_count;
    struct vg_manifest_chunk *chunks; /* each number once, in no order */
};

struct vg_manifest {
    uint64_t sequence; /* all rows born and dead up to it are in the files */
    uint64_t generation;
    uint32_t kind_count;
    struct vg_manifest_kind kinds[VG_TABLE_KINDS_MAX];
    struct vg_file_mark deaths;
    struct vg_file_mark dictionaries;
};

/* "deaths-0000002a" */
void vg_manifest_deaths_name(char out_name[VG_DISK_NAME_SIZE], uint64_t generation);
void vg_manifest_dictionaries_name(char out_name[VG_DISK_NAME_SIZE], uint64_t generation);

/* Append the file's content, with the store and schemas of `config`, to `out_content`. */
void vg_manifest_encode(
    const struct vg_manifest *manifest,
    const struct vg_table_config *config,
    struct vg_buffer *out_content);

/*
 * Read a manifest; chunk arrays come from `arena`. NULL on success, or a sentence why it cannot be
 * believed: damaged, of another store or schema, of a newer program. The generation is set even
 * then, if it could be read.
 */
VG_MUST_USE const char *vg_manifest_decode(
    struct vg_bytes content,
    const struct vg_table_config *config,
    struct vg_arena *arena,
    struct vg_manifest *out_manifest);

/* Remove all files of the folder that `manifest` (NULL = none) does not name, the manifest itself
 * apart; chunk files only with `chunks_too`, because a table that runs may still need them. False
 * when one could not be removed, or without memory. */
VG_MUST_USE bool vg_manifest_sweep(
    struct vg_disk *disk,
    const struct vg_manifest *manifest,
    bool chunks_too,
    const struct vg_table_config *config);

#endif
