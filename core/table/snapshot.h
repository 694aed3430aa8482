/*
 * Snapshot: the table and the store as they were right after one committed batch. Whoever holds one
 * sees exactly that, without a lock, while the writer goes on.
 *
 * Holding one has a price (the store keeps what it would drop), so a snapshot has an age limit, and
 * ends early when the store had to be reopened or memory for deaths runs out: vg_snapshot_check
 * says so, searches say so by themselves. An ended snapshot must still be released.
 *
 * Threads: acquire on any thread; a snapshot may be handed to another thread and be used by several
 * at a time; release once.
 */
#ifndef VG_CORE_TABLE_SNAPSHOT_H
#define VG_CORE_TABLE_SNAPSHOT_H

#include <stdint.h>

#include "core/base/compiler.h"
#include "core/base/error.h"

struct vg_table;
struct vg_store_view; /* core/store/store.h */
struct vg_published;

struct vg_snapshot {
    struct vg_table *table;
    struct vg_published *published; /* NULL = nothing held */
    uint64_t expires_ns;            /* monotonic */
};

/* Ages a snapshot may reach. */
#define VG_SNAPSHOT_AGE_MS        10000u
#define VG_SNAPSHOT_AGE_STREAM_MS 60000u

/*
 * Take the newest published state, for at most `age_max_ms`.
 *
 * Fails with: STARTING before the table has started; STORE_UNAVAILABLE while it is stopped;
 * OVERLOADED past the limit of open snapshots.
 */
VG_MUST_USE enum vg_reason vg_snapshot_acquire(
    struct vg_table *table,
    uint32_t age_max_ms,
    struct vg_snapshot *out_snapshot,
    struct vg_error *error);

/* Give it back. Accepts a snapshot of zero bytes; leaves one. */
void vg_snapshot_release(struct vg_snapshot *snapshot);

/*
 * May the snapshot still be used? To be asked now and then by whatever holds one for long.
 *
 * Fails with: SNAPSHOT_EXPIRED past its age or ended for memory; STORE_UNAVAILABLE when the table
 * has been stopped.
 */
VG_MUST_USE enum vg_reason vg_snapshot_check(
    const struct vg_snapshot *snapshot,
    struct vg_error *error);

/* The store right after the batch `sequence`; valid until the release. NULL for a store without
 * views. Single reads go through it too, or a get would run ahead of search. */
struct vg_store_view *vg_snapshot_view(const struct vg_snapshot *snapshot);

uint64_t vg_snapshot_sequence(const struct vg_snapshot *snapshot);

/* Rows of `kind` in the snapshot that are not dead. */
uint64_t vg_snapshot_row_count(const struct vg_snapshot *snapshot, uint32_t kind);

#endif
