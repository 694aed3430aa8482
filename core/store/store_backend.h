/*
 * What a store backend implements. The front (store.c) checks arguments, lets one write through at
 * a time, refuses all writes after a failed one and counts views; the backend only moves bytes.
 *
 * Threads: apply comes from one thread at a time; get, scan, view_pin and view_unpin from any;
 * reopen and close when nothing else runs.
 */
#ifndef VG_CORE_STORE_STORE_BACKEND_H
#define VG_CORE_STORE_STORE_BACKEND_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/store/store.h"

/*
 * What a backend provides. Functions get arguments that are checked; writes come one at a time,
 * reopen and close when nothing else runs. Each backend's struct begins with a struct vg_store.
 */
struct vg_store_backend {
    const char *name;

    /*
     * Must be there. Check all guards, then apply sets and deletes in order, all or nothing;
     * durable on return if batch->synced. Fails with: STORE_CONFLICT (a guard is false, nothing was
     * written); STORE_FULL, STORE_UNKNOWN, STORE_UNAVAILABLE, after which no write is passed down
     * until reopened.
     */
    enum vg_reason (*apply)(
        struct vg_store *store,
        uint32_t shard,
        const struct vg_batch *batch,
        struct vg_error *error);

    /* Must be there. `pinned` is what view_pin gave, or NULL = as of now. Fails with: STORE_IO,
     * STORE_CORRUPT, STORE_UNAVAILABLE. */
    enum vg_reason (*get)(
        struct vg_store *store,
        void *pinned,
        uint32_t shard,
        struct vg_bytes key,
        struct vg_store_value *out_value,
        struct vg_error *error);

    /* Must be there. vg_store_pinned(range->view) says as of when. *out_more: stopped by limit or
     * visitor with at least one more entry behind. */
    enum vg_reason (*scan)(
        struct vg_store *store,
        const struct vg_store_range *range,
        vg_store_visit visit,
        void *owner,
        bool *out_more,
        struct vg_error *error);

    /* May be NULL, both or neither: the backend has no views. */
    enum vg_reason (*view_pin)(
        struct vg_store *store,
        uint32_t shard,
        void **out_pinned,
        struct vg_error *error);
    void (*view_unpin)(struct vg_store *store, void *pinned);

    /* May be NULL = 0: files of level 0, the measure of compaction debt. */
    unsigned (*level0_files)(struct vg_store *store);

    /* May be NULL = unknown. False = not now. */
    bool (*usage)(struct vg_store *store, struct vg_store_usage *out_usage);

    /* Must be there. Close and open again what is below. No view exists and nothing else runs. */
    enum vg_reason (*reopen)(struct vg_store *store, struct vg_error *error);

    /* Must be there. Free everything, the struct itself included. */
    void (*close)(struct vg_store *store);
};

struct vg_store_view {
    struct vg_store *store;
    void *pinned; /* the backend's */
    uint32_t shard;
    atomic_uint references;
};

/* What view_pin gave for `view`; NULL for none. */
static inline void *vg_store_pinned(const struct vg_store_view *view)
{
    return view == NULL ? NULL : view->pinned;
}

struct vg_store {
    const struct vg_store_backend *backend;
    uint32_t shard_count;
    pthread_mutex_t write_lock; /* one write at a time */
    pthread_rwlock_t open_lock; /* read: uses what is open; write: reopens it */
    atomic_bool refuses_writes; /* set under write_lock */
    atomic_size_t view_count;
};

/* For backends: prepare the front's part. */
void vg_store_init(
    struct vg_store *store,
    const struct vg_store_backend *backend,
    uint32_t shard_count);

/* For a backend's close: the front's part. */
void vg_store_dispose(struct vg_store *store);

#endif
