/*
 * The store: ordered keys and values in shards, changed by atomic batches. Everything above this
 * folder sees only this page; which backend lies below is chosen once, at start.
 *
 * What no backend can do everywhere, no caller may use: there is no reverse scan, no batch over
 * several shards, and a view is one shard's.
 *
 * A write that fails, or whose end is not known, closes the store for writing: LevelDB goes on to
 * acknowledge synced writes after a failed append and loses them. From then on every write of every
 * thread is refused with STORE_UNAVAILABLE until vg_store_reopen, which needs all views released
 * first. Reads go on.
 *
 * Threads: any thread may use a store; writes are done one at a time. Opening, reopening and
 * closing are the owner's.
 */
#ifndef VG_CORE_STORE_STORE_H
#define VG_CORE_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "core/store/batch.h"

struct vg_store;

/* The store as it was when the view was taken. Counted by reference; holds back compaction, so it
 * is released soon. */
struct vg_store_view;

/* A value found by vg_store_get, pinned until it is released. */
struct vg_store_value {
    struct vg_bytes bytes; /* valid while pinned */
    bool found;
    void *owner; /* the backend's */
    void (*release)(void *owner);
};

/* What to walk: keys that begin with `prefix` and come after `start_after`, in memcmp order. */
struct vg_store_range {
    struct vg_store_view *view; /* NULL = as of now; then a long walk is no point-in-time view */
    uint32_t shard;
    struct vg_bytes prefix;      /* may be empty: the whole shard */
    struct vg_bytes start_after; /* excluded; empty = from the beginning of the prefix */
    size_t limit;                /* at most this many; 0 = no limit */
};

/*
 * Called for each entry in order; both borrowed for the call. Return false to stop. May read from
 * the store, must not write to it.
 */
typedef bool (*vg_store_visit)(void *owner, struct vg_bytes key, struct vg_bytes value);

/* Close `store`; NULL is accepted. All views and values must have been released. */
void vg_store_close(struct vg_store *store);

/* "leveldb", "memory", … */
const char *vg_store_name(const struct vg_store *store);

/* How many shards the store has; shards are 0 to count - 1. */
uint32_t vg_store_shards(const struct vg_store *store);

/*
 * Apply `batch` to one shard: all guards are checked, then all changes are made, or none.
 *
 * Fails with: STORE_CONFLICT when a guard is false, nothing was written; RESOURCE_LIMIT when the
 * batch is over its maximum, nothing was written; STORE_FULL, STORE_UNKNOWN when the write failed:
 * it may or may not be there after reopening; STORE_UNAVAILABLE when an earlier write failed,
 * nothing was written.
 */
VG_MUST_USE enum vg_reason vg_store_apply(
    struct vg_store *store,
    uint32_t shard,
    const struct vg_batch *batch,
    struct vg_error *error);

/* What to read. */
struct vg_store_keys {
    struct vg_store_view *view; /* NULL = as of now */
    uint32_t shard;
    const struct vg_bytes *keys;
    size_t count;
};

/*
 * Read several keys in one go, into out_values[0..keys->count). An absent key is a value with found
 * = false. On success every value must be released.
 *
 * Fails with: STORE_IO, STORE_CORRUPT, STORE_UNAVAILABLE; then nothing is pinned.
 */
VG_MUST_USE enum vg_reason vg_store_get(
    struct vg_store *store,
    const struct vg_store_keys *keys,
    struct vg_store_value *out_values,
    struct vg_error *error);

/* The same for one key. */
VG_MUST_USE enum vg_reason vg_store_get_one(
    struct vg_store *store,
    struct vg_store_view *view,
    uint32_t shard,
    struct vg_bytes key,
    struct vg_store_value *out_value,
    struct vg_error *error);

/* Unpin; a value of zero bytes or not found is accepted. Sets *value to zero. */
void vg_store_value_release(struct vg_store_value *value);

/*
 * Walk `range` forward. `out_more` (NULL allowed) tells whether entries were left behind the last
 * one visited.
 *
 * Fails with: STORE_IO, STORE_CORRUPT, STORE_UNAVAILABLE.
 */
VG_MUST_USE enum vg_reason vg_store_scan(
    struct vg_store *store,
    const struct vg_store_range *range,
    vg_store_visit visit,
    void *owner,
    bool *out_more,
    struct vg_error *error);

/*
 * Take a view of `shard` as it is now, with one reference. *out_view is NULL, and that is success,
 * on a backend without views.
 *
 * Fails with: STORE_UNAVAILABLE, RESOURCE_LIMIT.
 */
VG_MUST_USE enum vg_reason vg_store_view_take(
    struct vg_store *store,
    uint32_t shard,
    struct vg_store_view **out_view,
    struct vg_error *error);

/* One more reference, to be given back with vg_store_view_release; NULL is accepted. */
struct vg_store_view *vg_store_view_ref(struct vg_store_view *view);

/* Give a reference back; NULL is accepted. */
void vg_store_view_release(struct vg_store_view *view);

/* Views not yet released: for metrics and for whoever waits to reopen. */
size_t vg_store_views(const struct vg_store *store);

/* Files of level 0; 0 where the backend has no such thing. */
unsigned vg_store_level0_files(struct vg_store *store);

/* Levels of LevelDB. */
#define VG_STORE_LEVELS 7u

/* What the backend tells of itself, for metrics. Sizes are of compacted files, as exact as the
 * backend says them (LevelDB: MiB). */
struct vg_store_usage {
    uint64_t memory_bytes; /* of caches and write buffers */
    struct vg_store_level {
        uint64_t files;
        uint64_t bytes;
        uint64_t compaction_s; /* time spent to write this level, and what was read and written */
        uint64_t read_bytes;
        uint64_t written_bytes;
    } levels[VG_STORE_LEVELS];
};

/* False where the backend has no such figures. */
VG_MUST_USE bool vg_store_usage(struct vg_store *store, struct vg_store_usage *out_usage);

/* True after a failed write, until reopened. */
bool vg_store_refuses_writes(const struct vg_store *store);

/*
 * Close and open the store again in place, after a failed write. Reads of other threads wait
 * meanwhile. What an unknown write left behind is then to be read.
 *
 * Fails with: STORE_UNAVAILABLE while views are held (release them and try again); STORE_LOCKED,
 * STORE_IO, STORE_CORRUPT, and then reads fail too until a later try succeeds.
 */
VG_MUST_USE enum vg_reason vg_store_reopen(struct vg_store *store, struct vg_error *error);

#endif
