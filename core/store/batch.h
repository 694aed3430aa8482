/*
 * A batch: the guards, sets and deletes of one atomic write, appended one behind the other into one
 * buffer. The writer thread fills one batch over and over, so appending copies bytes and nothing
 * else; and not even the value where the caller keeps that.
 *
 * Order counts: a later set or delete of the same key wins. Keys are 1 to VG_STORE_KEY_BYTES_MAX
 * bytes without NUL, values at most VG_STORE_VALUE_BYTES_MAX; both are the business of the code
 * above, which checks what comes from outside before it gets here, so a breach is an assertion. The
 * whole batch has a maximum: past it the batch is marked as failed and applying it is refused with
 * RESOURCE_LIMIT.
 *
 * Threads: one owner at a time.
 */
#ifndef VG_CORE_STORE_BATCH_H
#define VG_CORE_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"

#define VG_STORE_KEY_BYTES_MAX   1024
#define VG_STORE_VALUE_BYTES_MAX (16u * 1024 * 1024)
/* RADOS refuses an operation of 95 MiB; stay well under it on every backend. */
#define VG_STORE_BATCH_BYTES_MAX (64u * 1024 * 1024)

enum vg_batch_operation {
    VG_BATCH_SET,
    VG_BATCH_DELETE,
    VG_BATCH_GUARD_VALUE,  /* the key must have exactly this value, which is not empty */
    VG_BATCH_GUARD_ABSENT, /* the key must not exist */
};

struct vg_batch {
    struct vg_buffer buffer;
    size_t borrowed; /* bytes of values that lie elsewhere */
    uint32_t guard_count;
    uint32_t change_count; /* sets and deletes */
    /*
     * True unless the owner says otherwise: durable when acknowledged. A batch that is not synced
     * may be lost by a crash, together with those after it and never without them; only what can be
     * repeated at any time (trimming the change log) may be written so.
     */
    bool synced;
};

/* One entry, borrowed from the batch. */
struct vg_batch_entry {
    enum vg_batch_operation operation;
    struct vg_bytes key;
    struct vg_bytes value; /* SET and GUARD_VALUE */
};

/* A place in a batch, to cut it back to. */
struct vg_batch_mark {
    size_t size;
    size_t borrowed;
    uint32_t guard_count;
    uint32_t change_count;
    bool failed;
};

/* An empty, synced batch of at most `bytes_max` bytes, framing included. */
void vg_batch_init(struct vg_batch *batch, size_t bytes_max);
void vg_batch_dispose(struct vg_batch *batch);

/* Forget the entries, keep the memory. */
void vg_batch_clear(struct vg_batch *batch);

void vg_batch_set(struct vg_batch *batch, struct vg_bytes key, struct vg_bytes value);
/* The same, but `kept_value` stays where it is, until the batch is cleared, cut back or disposed.
 */
void vg_batch_set_kept(struct vg_batch *batch, struct vg_bytes key, struct vg_bytes kept_value);
void vg_batch_delete(struct vg_batch *batch, struct vg_bytes key);
void vg_batch_guard_value(struct vg_batch *batch, struct vg_bytes key, struct vg_bytes value);
void vg_batch_guard_absent(struct vg_batch *batch, struct vg_bytes key);

struct vg_batch_mark vg_batch_mark(const struct vg_batch *batch);

/* Drop all entries after `mark`, and a failure that came after it. */
void vg_batch_cut(struct vg_batch *batch, struct vg_batch_mark mark);

/* Read the entry at *position (start with 0) and move on; false at the end. */
VG_MUST_USE bool vg_batch_next(
    const struct vg_batch *batch,
    size_t *position,
    struct vg_batch_entry *out_entry);

/* True when an append did not fit or found no memory. */
static inline bool vg_batch_failed(const struct vg_batch *batch)
{
    return batch->buffer.failed;
}

/* Bytes of the batch so far, framing and kept values included. */
static inline size_t vg_batch_size(const struct vg_batch *batch)
{
    return batch->buffer.size + batch->borrowed;
}

#endif
