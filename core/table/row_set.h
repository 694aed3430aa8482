/*
 * Row set: some rows of a snapshot, known by where they stand, and the question whether a predicate
 * wants any of them. For many predicates about the same few rows (those of the last batches, asked
 * for each of a thousand watchers): the rows are found once, and each predicate looks at them
 * alone.
 *
 * Threads: a set belongs to one thread; the snapshot is shared.
 */
#ifndef VG_CORE_TABLE_ROW_SET_H
#define VG_CORE_TABLE_ROW_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/table/predicate.h"
#include "core/table/snapshot.h"

struct vg_row_set_part;

struct vg_row_set {
    const struct vg_snapshot *snapshot;
    uint32_t kind;
    struct vg_row_set_part *parts; /* one for each chunk that holds any */
    uint32_t part_count;
};

/* The set of `hits`, found on `snapshot`, both of which must stay. False when the arena is full. */
VG_MUST_USE bool vg_row_set_make(
    struct vg_row_set *set,
    const struct vg_snapshot *snapshot,
    uint32_t kind,
    const struct vg_hit *hits,
    uint32_t count,
    struct vg_arena *arena);

/*
 * Does `where` want any row of the set? It must not read records (vg_predicate_reads_records).
 * Memory comes from `arena`.
 *
 * Fails with: RESOURCE_LIMIT for a predicate past its limits; REQUEST_MEMORY; SNAPSHOT_EXPIRED or
 * STORE_UNAVAILABLE when the snapshot has ended.
 */
VG_MUST_USE enum vg_reason vg_row_set_has(
    const struct vg_row_set *set,
    const struct vg_predicate *where,
    struct vg_arena *arena,
    bool *out_any,
    struct vg_error *error);

#endif
