#include "core/store/store.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/store/store_backend.h"

void vg_store_init(
    struct vg_store *store,
    const struct vg_store_backend *backend,
    uint32_t shard_count)
{
    VG_ASSERT(shard_count > 0);
    store->backend = backend;
    store->shard_count = shard_count;
    atomic_init(&store->refuses_writes, false);
    atomic_init(&store->view_count, 0);
    VG_ASSERT(pthread_mutex_init(&store->write_lock, NULL) == 0);
    /* The default kind lets a thread that reads take the lock again: a visitor of a scan may get.
     */
    VG_ASSERT(pthread_rwlock_init(&store->open_lock, NULL) == 0);
}

void vg_store_dispose(struct vg_store *store)
{
    (void)pthread_rwlock_destroy(&store->open_lock);
    (void)pthread_mutex_destroy(&store->write_lock);
}

void vg_store_close(struct vg_store *store)
{
    if (store == NULL) {
        return;
    }
    VG_ASSERT(atomic_load(&store->view_count) == 0);
    store->backend->close(store);
}

const char *vg_store_name(const struct vg_store *store)
{
    return store->backend->name;
}

uint32_t vg_store_shards(const struct vg_store *store)
{
    return store->shard_count;
}

/* Whether a write with this outcome leaves it open what the store holds now. */
static bool outcome_is_doubtful(enum vg_reason reason)
{
    return reason != VG_OK && reason != VG_STORE_CONFLICT && reason != VG_RESOURCE_LIMIT;
}

enum vg_reason vg_store_apply(
    struct vg_store *store,
    uint32_t shard,
    const struct vg_batch *batch,
    struct vg_error *error)
{
    VG_ASSERT(shard < store->shard_count);
    if (vg_batch_failed(batch)) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "the change is larger than one batch may be");
    }
    if (vg_batch_size(batch) > VG_STORE_BATCH_BYTES_MAX) {
        return vg_error_set(
            error,
            VG_RESOURCE_LIMIT,
            "a batch of %zu bytes is over the limit of %u",
            vg_batch_size(batch),
            VG_STORE_BATCH_BYTES_MAX);
    }
    (void)pthread_mutex_lock(&store->write_lock);
    enum vg_reason reason;
    if (atomic_load(&store->refuses_writes)) {
        reason = vg_error_set(
            error,
            VG_STORE_UNAVAILABLE,
            "the store takes no changes until it is open again: a write has failed");
    } else {
        (void)pthread_rwlock_rdlock(&store->open_lock);
        reason = store->backend->apply(store, shard, batch, error);
        (void)pthread_rwlock_unlock(&store->open_lock);
        if (outcome_is_doubtful(reason)) {
            atomic_store(&store->refuses_writes, true);
        }
    }
    (void)pthread_mutex_unlock(&store->write_lock);
    return reason;
}

/* A view keeps the store from being reopened; without one the lock does. */
static void begin_read(struct vg_store *store, const struct vg_store_view *view, uint32_t shard)
{
    VG_ASSERT(shard < store->shard_count);
    VG_ASSERT(view == NULL || (view->store == store && view->shard == shard));
    if (view == NULL) {
        (void)pthread_rwlock_rdlock(&store->open_lock);
    }
}

static void end_read(struct vg_store *store, const struct vg_store_view *view)
{
    if (view == NULL) {
        (void)pthread_rwlock_unlock(&store->open_lock);
    }
}

enum vg_reason vg_store_get(
    struct vg_store *store,
    const struct vg_store_keys *keys,
    struct vg_store_value *out_values,
    struct vg_error *error)
{
    begin_read(store, keys->view, keys->shard);
    void *pinned = vg_store_pinned(keys->view);
    enum vg_reason reason = VG_OK;
    size_t done = 0;
    while (done < keys->count && reason == VG_OK) {
        out_values[done] = (struct vg_store_value){ .found = false };
        reason = store->backend
                     ->get(store, pinned, keys->shard, keys->keys[done], &out_values[done], error);
        done += reason == VG_OK;
    }
    end_read(store, keys->view);
    if (reason != VG_OK) {
        for (size_t index = 0; index < done; index++) {
            vg_store_value_release(&out_values[index]);
        }
    }
    return reason;
}

enum vg_reason vg_store_get_one(
    struct vg_store *store,
    struct vg_store_view *view,
    uint32_t shard,
    struct vg_bytes key,
    struct vg_store_value *out_value,
    struct vg_error *error)
{
    struct vg_store_keys keys = { .view = view, .shard = shard, .keys = &key, .count = 1 };
    return vg_store_get(store, &keys, out_value, error);
}

void vg_store_value_release(struct vg_store_value *value)
{
    if (value->release != NULL) {
        value->release(value->owner);
    }
    *value = (struct vg_store_value){ .found = false };
}

enum vg_reason vg_store_scan(
    struct vg_store *store,
    const struct vg_store_range *range,
    vg_store_visit visit,
    void *owner,
    bool *out_more,
    struct vg_error *error)
{
    begin_read(store, range->view, range->shard);
    bool more = false;
    enum vg_reason reason = store->backend->scan(store, range, visit, owner, &more, error);
    end_read(store, range->view);
    if (reason == VG_OK && out_more != NULL) {
        *out_more = more;
    }
    return reason;
}

enum vg_reason vg_store_view_take(
    struct vg_store *store,
    uint32_t shard,
    struct vg_store_view **out_view,
    struct vg_error *error)
{
    VG_ASSERT(shard < store->shard_count);
    if (store->backend->view_pin == NULL) {
        *out_view = NULL;
        return VG_OK;
    }
    struct vg_store_view *view = malloc(sizeof(*view));
    if (view == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a view of the store");
    }
    view->store = store;
    view->shard = shard;
    view->pinned = NULL;
    atomic_init(&view->references, 1);
    (void)pthread_rwlock_rdlock(&store->open_lock);
    enum vg_reason reason = store->backend->view_pin(store, shard, &view->pinned, error);
    if (reason == VG_OK) {
        atomic_fetch_add(&store->view_count, 1);
    }
    (void)pthread_rwlock_unlock(&store->open_lock);
    if (reason != VG_OK) {
        free(view);
        return reason;
    }
    *out_view = view;
    return VG_OK;
}

struct vg_store_view *vg_store_view_ref(struct vg_store_view *view)
{
    if (view != NULL) {
        VG_ASSERT(atomic_fetch_add(&view->references, 1) > 0);
    }
    return view;
}

void vg_store_view_release(struct vg_store_view *view)
{
    if (view == NULL) {
        return;
    }
    unsigned before = atomic_fetch_sub(&view->references, 1);
    VG_ASSERT(before > 0);
    if (before == 1) {
        struct vg_store *store = view->store;
        store->backend->view_unpin(store, view->pinned);
        atomic_fetch_sub(&store->view_count, 1); /* last: whoever sees 0 may reopen */
        free(view);
    }
}

size_t vg_store_views(const struct vg_store *store)
{
    return atomic_load(&store->view_count);
}

unsigned vg_store_level0_files(struct vg_store *store)
{
    if (store->backend->level0_files == NULL) {
        return 0;
    }
    (void)pthread_rwlock_rdlock(&store->open_lock);
    unsigned files = store->backend->level0_files(store);
    (void)pthread_rwlock_unlock(&store->open_lock);
    return files;
}

bool vg_store_usage(struct vg_store *store, struct vg_store_usage *out_usage)
{
    if (store->backend->usage == NULL) {
        return false;
    }
    *out_usage = (struct vg_store_usage){ .memory_bytes = 0 };
    (void)pthread_rwlock_rdlock(&store->open_lock);
    bool known = store->backend->usage(store, out_usage);
    (void)pthread_rwlock_unlock(&store->open_lock);
    return known;
}

bool vg_store_refuses_writes(const struct vg_store *store)
{
    return atomic_load(&store->refuses_writes);
}

enum vg_reason vg_store_reopen(struct vg_store *store, struct vg_error *error)
{
    enum vg_reason reason;
    (void)pthread_mutex_lock(&store->write_lock);
    (void)pthread_rwlock_wrlock(&store->open_lock);
    size_t views = atomic_load(&store->view_count);
    if (views > 0) {
        reason = vg_error_set(
            error,
            VG_STORE_UNAVAILABLE,
            "the store cannot be reopened: %zu views are held",
            views);
    } else {
        /* Refused until it is open: a failed reopen must not let writes through. */
        atomic_store(&store->refuses_writes, true);
        reason = store->backend->reopen(store, error);
        if (reason == VG_OK) {
            atomic_store(&store->refuses_writes, false);
        }
    }
    (void)pthread_rwlock_unlock(&store->open_lock);
    (void)pthread_mutex_unlock(&store->write_lock);
    return reason;
}
