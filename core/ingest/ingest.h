/*
 * Ingest: the one way by which anything is changed in a shard of the store.
 *
 * Each shard has one writer thread behind a bounded queue. The writer takes what waits (up to 1,000
 * items or 1 MiB, always whole submissions), reads what exists, lets the domain merge, and writes
 * all of it as one synced batch: records, whatever the domain adds (payload, lineage), one
 * change-log entry and `state`. Then it takes a view, publishes the rows in the table and answers.
 * So what is acknowledged is durable and found by the next search.
 *
 * If a commit fails, or its end is not known, nothing of it is published, the table is stopped,
 * everybody who waits is answered, and all that comes is refused (STORE_UNAVAILABLE) until the
 * owner's `recover` has reopened the store and started the table again.
 *
 * Threads: submit from any thread. Callbacks run on the writer thread; answers go where their
 * mailbox leads.
 */
#ifndef VG_CORE_INGEST_INGEST_H
#define VG_CORE_INGEST_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "core/base/task.h"
#include "core/ingest/commit_pace.h"
#include "core/ingest/ingest_domain.h"
#include "core/ingest/ingest_table.h"
#include "core/store/store.h"

struct vg_ingest;

/* Items and bytes that one submission may bring; more is RESOURCE_LIMIT. */
#define VG_INGEST_SUBMISSION_ITEMS_MAX 100000u
#define VG_INGEST_SUBMISSION_BYTES_MAX (256u * 1024 * 1024)

#define VG_INGEST_MESSAGE_SIZE 200

/* Private: a place in the queue. */
struct vg_ingest_place {
    struct vg_ingest_place *next;
    uint32_t items;
    size_t bytes;
    bool is_write;
};

/*
 * Items to be stored together with one answer: a single event, a bulk, a chunk of a stream.
 * Embedded in the call. Filled by vg_ingest_submission_init and _add.
 */
struct vg_ingest_submission {
    struct vg_ingest_place place;

    /* Set by the caller. */
    struct vg_task done;        /* run exactly once if vg_ingest_submit returned VG_OK */
    struct vg_mailbox *mailbox; /* where `done` is posted; NULL = run on the writer thread */
    struct vg_ingest_item *first;
    struct vg_ingest_item *last;
    bool all_or_nothing; /* one refused item refuses all, the submission gets its reason */

    /*
     * Optional: the caller's idempotency key, as core/keyspace builds it (empty = none). If the key
     * is in the store and its value is not `outdated` (NULL = none is), `recall` gets what
     * `remember` gave back then, and nothing is merged; `recalled` is set. Else `remember` makes
     * the value that is stored in the same batch, in `arena`; without memory it returns bytes with
     * data NULL and the submission is refused.
     */
    struct vg_bytes idempotency_key;
    void *idempotency_owner; /* for these */
    bool (*outdated)(const struct vg_ingest_submission *submission, struct vg_bytes value);
    /* Or: the key is a place that every such submission moves on (the position of a stream). Then
     * `recall` only judges what stands there, in line with all other changes, and after VG_OK the
     * items are merged and `remember` replaces it. */
    bool continues;
    enum vg_reason (*recall)(struct vg_ingest_submission *submission, struct vg_bytes value);
    struct vg_bytes (*remember)(struct vg_ingest_submission *submission, struct vg_arena *arena);

    /*
     * Set before the answer. VG_OK: each item has its own result. Otherwise none of it was stored,
     * or, with STORE_UNKNOWN, STORE_FULL or STORE_UNAVAILABLE after a failed commit, perhaps some:
     * sending it again is safe.
     */
    enum vg_reason reason;
    char message[VG_INGEST_MESSAGE_SIZE]; /* words for the reason; "" = those of its row */
    uint64_t sequence;                    /* of the batch in which its last item was stored */
    uint32_t refused;                     /* items whose own reason is not VG_OK */
    bool recalled;
};

void vg_ingest_submission_init(struct vg_ingest_submission *submission);

/* Append `item`; items are applied in this order. */
void vg_ingest_submission_add(struct vg_ingest_submission *submission, struct vg_ingest_item *item);

/*
 * Any other change of the shard (directory, keys): a batch of its own, with its own guards, in line
 * with everything else. Records that have rows are changed by submissions only.
 */
struct vg_ingest_write {
    struct vg_ingest_place place;

    /* Set by the caller. */
    struct vg_task done;
    struct vg_mailbox *mailbox;
    struct vg_batch *batch; /* owned by the caller, kept until answered; ingest adds to it */
    /* Optional: runs after the commit and before anybody is answered, in the order of commits, so
     * that what is kept in memory follows the store. */
    void (*committed)(struct vg_ingest_write *write);

    /* Set before the answer. STORE_CONFLICT: one of the batch's own guards was false. */
    enum vg_reason reason;
    char message[VG_INGEST_MESSAGE_SIZE];
    uint64_t sequence;
};

/* `batch` may be NULL here and be set later. */
void vg_ingest_write_init(struct vg_ingest_write *write, struct vg_batch *batch);

struct vg_ingest_settings {
    size_t queue_items_max; /* waiting items (a write counts as one); more is OVERLOADED */
    size_t queue_bytes_max; /* their bytes */
    size_t group_items_max; /* of one batch; a larger submission is a batch of its own */
    size_t group_bytes_max;
    uint32_t recover_wait_ms; /* between two tries of `recover` */
    struct vg_commit_pace_settings pace;
};

struct vg_ingest_options {
    struct vg_store *store;
    uint32_t shard;
    const struct vg_clock *clock;
    struct vg_ingest_table *table;
    struct vg_ingest_settings settings;
    void *owner; /* for the callbacks */

    /* May be NULL. Told on the writer thread that a commit has failed, once for each; `message` is
     * for the log. */
    void (*failed)(void *owner, enum vg_reason reason, const char *message);

    /* May be NULL. Told on the writer thread after each batch that was published, before it is
     * answered, and where the shard stands when the writer starts or has recovered. Must be quick.
     */
    void (*published)(void *owner, uint64_t sequence, vg_time last_updated);

    /*
     * May be NULL. Called on the writer thread after a failed commit, and again every
     * recover_wait_ms until it returns VG_OK: reopen the store (all views must be released for
     * that: STORE_UNAVAILABLE until then) and start the table again. NULL: refuse for ever.
     */
    enum vg_reason (*recover)(void *owner, struct vg_error *error);

    /* May be NULL. Called on the writer thread between batches, and about once a second when there
     * are none: the place to begin a checkpoint. Not called while commits have failed. */
    void (*between)(void *owner);
};

struct vg_ingest_settings vg_ingest_settings_default(void);

/*
 * Start the writer of a shard whose table has started. Everything in `options` must outlive it.
 *
 * Fails with: STORE_IO, STORE_CORRUPT, STORE_UNAVAILABLE (`state` cannot be read); RESOURCE_LIMIT
 * (no thread, no memory).
 */
VG_MUST_USE enum vg_reason vg_ingest_create(
    const struct vg_ingest_options *options,
    struct vg_ingest **out_ingest,
    struct vg_error *error);

/* Take no more (DRAINING), commit and answer all that waits, run all errands, stop the thread. */
void vg_ingest_drain(struct vg_ingest *ingest);

/* Drain and free; NULL is accepted. */
void vg_ingest_destroy(struct vg_ingest *ingest);

/*
 * Queue `submission`; it is answered through its `done`.
 *
 * Fails with: OVERLOADED (queue full), DRAINING, STORE_UNAVAILABLE (after a failed commit),
 * RESOURCE_LIMIT (more items or bytes than one submission may bring); then `done` is not run.
 */
VG_MUST_USE enum vg_reason vg_ingest_submit(
    struct vg_ingest *ingest,
    struct vg_ingest_submission *submission,
    struct vg_error *error);

/* Queue `write`; the same. */
VG_MUST_USE enum vg_reason vg_ingest_apply(
    struct vg_ingest *ingest,
    struct vg_ingest_write *write,
    struct vg_error *error);

/*
 * Run `task` on the writer thread between two batches, also while commits have failed: how a
 * checkpoint is installed. Must not come after vg_ingest_drain has been called.
 */
void vg_ingest_errand(struct vg_ingest *ingest, struct vg_task *task);

/* What the shard has come to; any thread. The rest is in the metrics. */
struct vg_ingest_figures {
    uint64_t sequence; /* of the last published batch */
    vg_time last_updated;
    uint64_t paced_ns; /* time the writer waited for compaction */
    size_t waiting_items;
    size_t waiting_bytes;
    bool failed; /* a commit failed and nothing is recovered yet */
};

void vg_ingest_read_figures(struct vg_ingest *ingest, struct vg_ingest_figures *out_figures);

#endif
