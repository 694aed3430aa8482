/*
 * Compaction: rewrites a few sealed chunks of one kind, without their dead rows and in order of
 * timestamp (the first TIME column of the schema), so that dead rows go and zone maps are sharp
 * again.
 *
 * Snapshots taken before keep the old chunks; the old files are unlinked when neither a snapshot
 * nor the manifest on disk needs them. What a run that broke off leaves behind is removed at once,
 * or at the next start.
 *
 * Threads: begin and finish belong to the writer's thread, between batches; the run in the middle
 * to any thread.
 */
#ifndef VG_CORE_TABLE_COMPACTION_H
#define VG_CORE_TABLE_COMPACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/base/error.h"

struct vg_table;
struct vg_compaction;

/* Is there something worth rewriting? *out_kind is whose chunks. */
bool vg_table_wants_compaction(struct vg_table *table, uint32_t *out_kind);

/*
 * Choose the chunks and fix which of their rows are dead. At most one compaction per kind at a
 * time; a checkpoint may be under way. *out_compaction is NULL when nothing is worth rewriting.
 *
 * Fails with: OVERLOADED while old snapshots hold limits.obsolete_bytes of rewritten chunks;
 * RESOURCE_LIMIT without memory; STORE_UNAVAILABLE unless started.
 */
VG_MUST_USE enum vg_reason vg_table_compaction_begin(
    struct vg_table *table,
    uint32_t kind,
    struct vg_compaction **out_compaction,
    struct vg_error *error);

/*
 * Write and sync the new chunks.
 *
 * Fails with: STORE_FULL, STORE_IO, RESOURCE_LIMIT; STORE_UNAVAILABLE when the table was stopped
 * meanwhile. vg_table_compaction_finish must be called all the same.
 */
VG_MUST_USE enum vg_reason vg_compaction_run(
    struct vg_compaction *compaction,
    struct vg_error *error);

/* What a compaction did; zeros when nothing was installed. */
struct vg_compacted {
    uint32_t chunks_in;
    uint32_t chunks_out;
    uint64_t rows;
    uint64_t rows_dropped;
};

/*
 * Put the new chunks in the place of the old ones and free the compaction; when the run failed, the
 * table was stopped, or there is no memory, only free it: then all is as before.
 */
void vg_table_compaction_finish(
    struct vg_table *table,
    struct vg_compaction *taken_compaction,
    struct vg_compacted *out_compacted);

#endif
