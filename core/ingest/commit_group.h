/*
 * Commit group: one batch of the writer in the making. Items are merged one after the other over
 * what is stored and what the batch has made of it so far; then everything is committed and
 * published together.
 *
 * Life of a group: begin, any number of adds, commit (or nothing), release, begin …
 *
 * Threads: the writer's.
 */
#ifndef VG_CORE_INGEST_COMMIT_GROUP_H
#define VG_CORE_INGEST_COMMIT_GROUP_H

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/ingest/ingest.h"
#include "core/ingest/recent_records.h"
#include "core/keyspace/change_log.h"
#include "core/store/store.h"
#include "core/table/update_clock.h"

/* From so many bytes of records, or changed records, on, a group is committed before the next item
 * is taken. */
#define VG_COMMIT_GROUP_BYTES_FULL   (16u * 1024 * 1024)
#define VG_COMMIT_GROUP_RECORDS_FULL 10000u
/* A submission that must not be divided is refused past this. */
#define VG_COMMIT_GROUP_BYTES_MAX (48u * 1024 * 1024)

struct vg_touched;
struct vg_undo;

struct vg_commit_group {
    struct vg_store *store;
    struct vg_ingest_table *table;
    const struct vg_clock *clock;
    uint32_t shard;

    struct vg_shard_state state;      /* as last committed */
    bool state_exists;                /* the store has a `state` */
    struct vg_recent_records *recent; /* NULL without memory: then all is read */
    struct vg_update_clock issued;    /* as last committed */

    /* The batch in the making. */
    struct vg_update_clock issuing;
    vg_time now;
    struct vg_batch batch;
    struct vg_buffer log_entry;
    struct vg_arena arena;
    uint8_t hash_key[16];
    struct vg_touched **slots;   /* by hash of the key, open addressing */
    size_t slot_count;           /* a power of two */
    size_t slots_used;           /* at most half of them */
    struct vg_touched *touched;  /* all of them, newest first */
    struct vg_touched **changed; /* in the order of their first change, which is that of rows */
    uint32_t changed_count;
    uint32_t changed_max;
    size_t record_bytes;              /* read and made */
    struct vg_undo *undo;             /* what may be taken back, newest first */
    bool beside_failed;               /* one of them found no memory */
    struct vg_ingest_change *merging; /* NULL outside a merge */
};

/* Make a group that writes `shard`. `state` NULL: the store has none. */
void vg_commit_group_init(
    struct vg_commit_group *group,
    const struct vg_ingest_options *options,
    const struct vg_shard_state *state);
void vg_commit_group_dispose(struct vg_commit_group *group);

/* Continue from `state`, as after a start. The group must be released. */
void vg_commit_group_set_state(struct vg_commit_group *group, const struct vg_shard_state *state);

/*
 * Begin a batch of at most `item_count` items and idempotency keys.
 *
 * Fails with: RESOURCE_LIMIT.
 */
VG_MUST_USE enum vg_reason vg_commit_group_begin(
    struct vg_commit_group *group,
    uint32_t item_count,
    struct vg_error *error);

/*
 * Merge the items of `submission` from *position on; sets their results and the submission's
 * reason. Returns false, with *position at the next item, when the group is full: commit it, begin
 * anew and go on.
 */
VG_MUST_USE bool vg_commit_group_add(
    struct vg_commit_group *group,
    struct vg_ingest_submission *submission,
    struct vg_ingest_item **position);

enum vg_commit_outcome {
    VG_COMMIT_NOTHING, /* nothing was to be written */
    VG_COMMIT_DONE,    /* durable and published */
    VG_COMMIT_REFUSED, /* not written, for the reason given; the next may be */
    VG_COMMIT_FAILED,  /* the store, and with it the table, has to be started anew */
};

/* Write and publish the batch. *out_reason is VG_OK for the first two outcomes. */
enum vg_commit_outcome vg_commit_group_commit(
    struct vg_commit_group *group,
    enum vg_reason *out_reason,
    struct vg_error *error);

/* The same for a write that is a batch of its own. `committed` is not called. */
enum vg_commit_outcome vg_commit_group_write(
    struct vg_commit_group *group,
    struct vg_batch *batch,
    enum vg_reason *out_reason,
    struct vg_error *error);

/* Forget the batch and give back what it held. */
void vg_commit_group_release(struct vg_commit_group *group);

#endif
