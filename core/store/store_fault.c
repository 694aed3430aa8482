#include "core/store/store_fault.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/store/store_backend.h"

struct fault {
    uint32_t countdown;
    uint32_t repeat;
    uint32_t fired;
};

/* Undoes one unsynced batch; newest first. */
struct undo {
    struct undo *older;
    uint32_t shard;
    struct vg_batch batch;
};

struct store_fault {
    struct vg_store store;
    struct vg_store *inner;
    pthread_mutex_t write_lock; /* a write of the inner store, or a crash; taken before `lock` */
    pthread_mutex_t lock;       /* everything below */
    struct fault faults[VG_FAULT_POINT_COUNT];
    struct undo *undo;
    bool crashed;
    bool ignores_sync;
    unsigned level0_files;
    void (*before_apply)(void *owner);
    void *owner;
};

static struct store_fault *fault_of(struct vg_store *store)
{
    return VG_CONTAINER_OF(store, struct store_fault, store);
}

static enum vg_reason crash_error(struct vg_error *error)
{
    return vg_error_set(error, VG_STORE_UNAVAILABLE, "the store has crashed");
}

/* One call passes `point`: whether it fails. */
static bool ticks(struct store_fault *self, enum vg_fault_point point)
{
    (void)pthread_mutex_lock(&self->lock);
    struct fault *fault = &self->faults[point];
    bool fails = false;
    if (fault->countdown > 0) {
        fault->countdown--;
    } else if (fault->repeat > 0) {
        fault->repeat -= fault->repeat != VG_FAULT_ALWAYS;
        fault->fired++;
        fails = true;
    }
    (void)pthread_mutex_unlock(&self->lock);
    return fails;
}

static bool is_crashed(struct store_fault *self)
{
    (void)pthread_mutex_lock(&self->lock);
    bool crashed = self->crashed;
    (void)pthread_mutex_unlock(&self->lock);
    return crashed;
}

/* ---- undoing what was not synced */

static struct undo *undo_prepare(
    struct store_fault *self,
    uint32_t shard,
    const struct vg_batch *batch)
{
    struct undo *undo = malloc(sizeof(*undo));
    VG_ASSERT(undo != NULL);
    undo->shard = shard;
    vg_batch_init(&undo->batch, VG_STORE_BATCH_BYTES_MAX);
    struct vg_batch_entry entry;
    for (size_t position = 0; vg_batch_next(batch, &position, &entry);) {
        if (entry.operation != VG_BATCH_SET && entry.operation != VG_BATCH_DELETE) {
            continue;
        }
        struct vg_store_value value;
        VG_ASSERT(vg_store_get_one(self->inner, NULL, shard, entry.key, &value, NULL) == VG_OK);
        if (value.found) {
            vg_batch_set(&undo->batch, entry.key, value.bytes);
        } else {
            vg_batch_delete(&undo->batch, entry.key);
        }
        vg_store_value_release(&value);
    }
    return undo;
}

static void undo_free(struct undo *undo)
{
    vg_batch_dispose(&undo->batch);
    free(undo);
}

static void undo_forget_all(struct store_fault *self)
{
    while (self->undo != NULL) {
        struct undo *older = self->undo->older;
        undo_free(self->undo);
        self->undo = older;
    }
}

static enum vg_reason apply_inner(
    struct store_fault *self,
    uint32_t shard,
    const struct vg_batch *batch,
    struct vg_error *error)
{
    (void)pthread_mutex_lock(&self->lock);
    bool synced = batch->synced && !self->ignores_sync;
    (void)pthread_mutex_unlock(&self->lock);
    struct undo *undo = synced ? NULL : undo_prepare(self, shard, batch);
    enum vg_reason reason = vg_store_apply(self->inner, shard, batch, error);
    (void)pthread_mutex_lock(&self->lock);
    if (reason == VG_OK && synced) {
        undo_forget_all(self);
    } else if (reason == VG_OK) {
        undo->older = self->undo;
        self->undo = undo;
        undo = NULL;
    }
    (void)pthread_mutex_unlock(&self->lock);
    if (undo != NULL) {
        undo_free(undo);
    }
    return reason;
}

/* Under write_lock. */
static enum vg_reason apply_or_fail(
    struct store_fault *self,
    uint32_t shard,
    const struct vg_batch *batch,
    struct vg_error *error)
{
    if (is_crashed(self)) {
        return crash_error(error);
    }
    if (ticks(self, VG_FAULT_APPLY_LOST)) {
        return vg_error_set(error, VG_STORE_UNKNOWN, NULL);
    }
    if (ticks(self, VG_FAULT_APPLY_FULL)) {
        return vg_error_set(error, VG_STORE_FULL, NULL);
    }
    enum vg_reason reason = apply_inner(self, shard, batch, error);
    if (reason == VG_OK && ticks(self, VG_FAULT_APPLY_DONE)) {
        return vg_error_set(error, VG_STORE_UNKNOWN, NULL);
    }
    return reason;
}

/* ---- the backend */

static enum vg_reason fault_apply(
    struct vg_store *store,
    uint32_t shard,
    const struct vg_batch *batch,
    struct vg_error *error)
{
    struct store_fault *self = fault_of(store);
    (void)pthread_mutex_lock(&self->lock);
    void (*hook)(void *) = self->before_apply;
    void *owner = self->owner;
    (void)pthread_mutex_unlock(&self->lock);
    if (hook != NULL) {
        hook(owner);
    }
    (void)pthread_mutex_lock(&self->write_lock);
    enum vg_reason reason = apply_or_fail(self, shard, batch, error);
    (void)pthread_mutex_unlock(&self->write_lock);
    return reason;
}
static enum vg_reason fault_get(
    struct vg_store *store,
    void *pinned,
    uint32_t shard,
    struct vg_bytes key,
    struct vg_store_value *out_value,
    struct vg_error *error)
{
    struct store_fault *self = fault_of(store);
    if (is_crashed(self)) {
        return crash_error(error);
    }
    if (ticks(self, VG_FAULT_GET)) {
        return vg_error_set(error, VG_STORE_IO, NULL);
    }
    return vg_store_get_one(self->inner, pinned, shard, key, out_value, error);
}

static enum vg_reason fault_scan(
    struct vg_store *store,
    const struct vg_store_range *range,
    vg_store_visit visit,
    void *owner,
    bool *out_more,
    struct vg_error *error)
{
    struct store_fault *self = fault_of(store);
    if (is_crashed(self)) {
        return crash_error(error);
    }
    bool fails = ticks(self, VG_FAULT_SCAN);
    struct vg_store_range inner = *range;
    inner.view = vg_store_pinned(range->view);
    inner.limit = fails ? 1 : range->limit;
    enum vg_reason reason = vg_store_scan(self->inner, &inner, visit, owner, out_more, error);
    return fails && reason == VG_OK ? vg_error_set(error, VG_STORE_IO, NULL) : reason;
}

static enum vg_reason fault_view_pin(
    struct vg_store *store,
    uint32_t shard,
    void **out_pinned,
    struct vg_error *error)
{
    struct store_fault *self = fault_of(store);
    if (is_crashed(self)) {
        return crash_error(error);
    }
    if (ticks(self, VG_FAULT_VIEW)) {
        return vg_error_set(error, VG_STORE_UNAVAILABLE, NULL);
    }
    struct vg_store_view *view = NULL;
    enum vg_reason reason = vg_store_view_take(self->inner, shard, &view, error);
    if (reason == VG_OK) {
        *out_pinned = view;
    }
    return reason;
}

static void fault_view_unpin(struct vg_store *store, void *pinned)
{
    (void)store;
    vg_store_view_release(pinned);
}

static unsigned fault_level0_files(struct vg_store *store)
{
    struct store_fault *self = fault_of(store);
    (void)pthread_mutex_lock(&self->lock);
    unsigned files = self->level0_files;
    (void)pthread_mutex_unlock(&self->lock);
    return files;
}

static enum vg_reason fault_reopen(struct vg_store *store, struct vg_error *error)
{
    struct store_fault *self = fault_of(store);
    if (ticks(self, VG_FAULT_REOPEN)) {
        return vg_error_set(error, VG_STORE_IO, NULL);
    }
    enum vg_reason reason = vg_store_reopen(self->inner, error);
    if (reason == VG_OK) {
        (void)pthread_mutex_lock(&self->lock);
        self->crashed = false;
        (void)pthread_mutex_unlock(&self->lock);
    }
    return reason;
}

static void fault_close(struct vg_store *store)
{
    struct store_fault *self = fault_of(store);
    undo_forget_all(self);
    vg_store_close(self->inner);
    (void)pthread_mutex_destroy(&self->lock);
    (void)pthread_mutex_destroy(&self->write_lock);
    vg_store_dispose(store);
    free(self);
}

static const struct vg_store_backend fault_backend = {
    .name = "fault",
    .apply = fault_apply,
    .get = fault_get,
    .scan = fault_scan,
    .view_pin = fault_view_pin,
    .view_unpin = fault_view_unpin,
    .level0_files = fault_level0_files,
    .reopen = fault_reopen,
    .close = fault_close,
};

struct vg_store *vg_store_fault_open(struct vg_store *taken_inner)
{
    struct store_fault *self = calloc(1, sizeof(*self));
    VG_ASSERT(self != NULL);
    vg_store_init(&self->store, &fault_backend, vg_store_shards(taken_inner));
    VG_ASSERT(pthread_mutex_init(&self->lock, NULL) == 0);
    VG_ASSERT(pthread_mutex_init(&self->write_lock, NULL) == 0);
    self->inner = taken_inner;
    return &self->store;
}

void vg_store_fault_set(
    struct vg_store *store,
    enum vg_fault_point point,
    uint32_t countdown,
    uint32_t repeat)
{
    struct store_fault *self = fault_of(store);
    (void)pthread_mutex_lock(&self->lock);
    self->faults[point] = (struct fault){ .countdown = countdown, .repeat = repeat };
    (void)pthread_mutex_unlock(&self->lock);
}

uint32_t vg_store_fault_fired(struct vg_store *store, enum vg_fault_point point)
{
    struct store_fault *self = fault_of(store);
    (void)pthread_mutex_lock(&self->lock);
    uint32_t fired = self->faults[point].fired;
    (void)pthread_mutex_unlock(&self->lock);
    return fired;
}

void vg_store_fault_hook(struct vg_store *store, void (*before_apply)(void *owner), void *owner)
{
    struct store_fault *self = fault_of(store);
    (void)pthread_mutex_lock(&self->lock);
    self->before_apply = before_apply;
    self->owner = owner;
    (void)pthread_mutex_unlock(&self->lock);
}

void vg_store_fault_ignore_sync(struct vg_store *store)
{
    struct store_fault *self = fault_of(store);
    (void)pthread_mutex_lock(&self->lock);
    self->ignores_sync = true;
    (void)pthread_mutex_unlock(&self->lock);
}

void vg_store_fault_crash(struct vg_store *store)
{
    struct store_fault *self = fault_of(store);
    (void)pthread_mutex_lock(&self->write_lock);
    (void)pthread_mutex_lock(&self->lock);
    self->crashed = true;
    struct undo *undo = self->undo;
    self->undo = NULL;
    (void)pthread_mutex_unlock(&self->lock);
    while (undo != NULL) {
        struct undo *older = undo->older;
        VG_ASSERT(vg_store_apply(self->inner, undo->shard, &undo->batch, NULL) == VG_OK);
        undo_free(undo);
        undo = older;
    }
    (void)pthread_mutex_unlock(&self->write_lock);
}

void vg_store_fault_level0_files(struct vg_store *store, unsigned files)
{
    struct store_fault *self = fault_of(store);
    (void)pthread_mutex_lock(&self->lock);
    self->level0_files = files;
    (void)pthread_mutex_unlock(&self->lock);
}
