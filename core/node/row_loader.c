/*
 * Records are gathered in batches; a full batch is given to the threads, and the batch that was
 * given away longest ago is handed to the table. If nobody has begun with it, the caller's thread
 * decodes it itself, so that on a machine with few cores it never stands idle.
 */
#include "core/node/row_loader.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/base/task.h"
#include "core/node/record_kind.h"
#include "core/table/table.h"

#define BATCH_RECORDS 256u
/* A batch ends before this, unless one record alone is larger. */
#define BATCH_BYTES     (1024u * 1024u)
#define BATCH_BYTES_MAX (16u * 1024u * 1024u)
#define ROWS_BYTES_MAX  (64u * 1024u * 1024u)

enum vg_batch_state {
    BATCH_GATHERS, /* the caller's */
    BATCH_WAITS,   /* whoever changes it to TAKEN decodes it */
    BATCH_TAKEN,
};

struct record_place {
    size_t key; /* where they begin in `bytes`; the record ends where the next key begins */
    size_t record;
};

struct batch {
    struct vg_task task;
    const struct vg_record_kind *kind;
    const uint8_t *secret;
    _Atomic int state;
    sem_t passed; /* the task has been run and will not touch the batch again */
    struct vg_buffer bytes;
    struct record_place places[BATCH_RECORDS + 1];
    uint32_t count;
    struct vg_arena arena; /* of the rows */
    struct vg_row rows[BATCH_RECORDS];
    enum vg_reason reason;
    struct vg_error error;
};

struct vg_row_loader {
    struct vg_table_rebuild *rebuild;
    uint32_t kind;
    struct vg_executor *threads;
    unsigned gathering; /* index of the batch that gathers; the next one is the oldest given away */
    unsigned batch_count;
    struct batch batches[];
};

static void decode(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count && batch->reason == VG_OK; i++) {
        const struct record_place *place = &batch->places[i];
        struct vg_bytes key = vg_bytes(batch->bytes.data + place->key, place->record - place->key);
        struct vg_bytes record =
            vg_bytes(batch->bytes.data + place->record, place[1].key - place->record);
        batch->reason =
            batch->kind
                ->load(key, record, batch->secret, &batch->arena, &batch->rows[i], &batch->error);
    }
}

static bool take(struct batch *batch)
{
    int waits = BATCH_WAITS;
    return atomic_compare_exchange_strong(&batch->state, &waits, BATCH_TAKEN);
}

static void batch_task(struct vg_task *task)
{
    struct batch *batch = VG_CONTAINER_OF(task, struct batch, task);
    if (take(batch)) {
        decode(batch);
    }
    VG_ASSERT(sem_post(&batch->passed) == 0);
}

static void clear(struct batch *batch)
{
    vg_buffer_clear(&batch->bytes);
    vg_arena_reset(&batch->arena);
    batch->count = 0;
    batch->places[0].key = 0;
    batch->reason = VG_OK;
    atomic_store(&batch->state, BATCH_GATHERS);
}

/* A batch that was given away: its rows go to the table, and it is empty again. */
static enum vg_reason collect(
    struct vg_row_loader *loader,
    struct batch *batch,
    struct vg_error *error)
{
    if (atomic_load(&batch->state) == BATCH_GATHERS) {
        return VG_OK; /* it was never given away */
    }
    if (take(batch)) {
        decode(batch);
    }
    while (sem_wait(&batch->passed) != 0) {
        VG_ASSERT(errno == EINTR);
    }
    enum vg_reason reason = batch->reason;
    if (reason != VG_OK && error != NULL) {
        *error = batch->error;
    }
    for (uint32_t i = 0; i < batch->count && reason == VG_OK; i++) {
        reason = vg_table_rebuild_add(loader->rebuild, loader->kind, &batch->rows[i], error);
    }
    clear(batch);
    return reason;
}

/* Give the gathering batch to the threads and gather in the next. */
static enum vg_reason give_away(struct vg_row_loader *loader, struct vg_error *error)
{
    struct batch *batch = &loader->batches[loader->gathering];
    atomic_store(&batch->state, BATCH_WAITS);
    VG_ASSERT(vg_executor_post(loader->threads, &batch->task)); /* its queue has room for all */
    loader->gathering = (loader->gathering + 1) % loader->batch_count;
    return collect(loader, &loader->batches[loader->gathering], error);
}

enum vg_reason vg_row_loader_create(
    struct vg_table_rebuild *rebuild,
    uint32_t kind,
    const uint8_t *secret,
    unsigned thread_count,
    struct vg_row_loader **out_loader,
    struct vg_error *error)
{
    VG_ASSERT(thread_count > 0 && kind < VG_INGEST_KIND_COUNT);
    unsigned batch_count = 2 * thread_count + 2;
    struct vg_row_loader *loader = calloc(1, sizeof(*loader) + batch_count * sizeof(struct batch));
    if (loader == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, NULL);
    }
    enum vg_reason reason =
        vg_executor_create("loader", thread_count, batch_count, &loader->threads, error);
    if (reason != VG_OK) {
        free(loader);
        return reason;
    }
    loader->rebuild = rebuild;
    loader->kind = kind;
    loader->batch_count = batch_count;
    for (unsigned i = 0; i < batch_count; i++) {
        struct batch *batch = &loader->batches[i];
        batch->task.run = batch_task;
        batch->kind = &vg_record_kinds[kind];
        batch->secret = secret;
        VG_ASSERT(sem_init(&batch->passed, 0, 0) == 0);
        vg_buffer_init(&batch->bytes, BATCH_BYTES_MAX);
        vg_arena_init(&batch->arena, ROWS_BYTES_MAX);
        vg_error_init(&batch->error, NULL);
        clear(batch);
    }
    *out_loader = loader;
    return VG_OK;
}

void vg_row_loader_destroy(struct vg_row_loader *loader)
{
    if (loader == NULL) {
        return;
    }
    vg_executor_destroy(loader->threads); /* what waits is run first */
    for (unsigned i = 0; i < loader->batch_count; i++) {
        struct batch *batch = &loader->batches[i];
        vg_buffer_dispose(&batch->bytes);
        vg_arena_dispose(&batch->arena);
        (void)sem_destroy(&batch->passed);
    }
    free(loader);
}

enum vg_reason vg_row_loader_add(
    struct vg_row_loader *loader,
    struct vg_bytes key,
    struct vg_bytes record,
    struct vg_error *error)
{
    struct batch *batch = &loader->batches[loader->gathering];
    struct record_place *place = &batch->places[batch->count++];
    vg_buffer_append(&batch->bytes, key.data, key.size);
    place->record = batch->bytes.size;
    vg_buffer_append(&batch->bytes, record.data, record.size);
    place[1].key = batch->bytes.size;
    if (batch->bytes.failed) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, NULL);
    }
    bool full = batch->count == BATCH_RECORDS || batch->bytes.size >= BATCH_BYTES;
    return full ? give_away(loader, error) : VG_OK;
}

enum vg_reason vg_row_loader_finish(struct vg_row_loader *loader, struct vg_error *error)
{
    enum vg_reason reason = VG_OK;
    if (loader->batches[loader->gathering].count > 0) {
        reason = give_away(loader, error);
    }
    for (unsigned i = 1; i < loader->batch_count && reason == VG_OK; i++) {
        unsigned oldest = (loader->gathering + i) % loader->batch_count;
        reason = collect(loader, &loader->batches[oldest], error);
    }
    return reason;
}
