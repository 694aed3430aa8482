/*
 * Ingest: the one way by which anything is changed in a shard of the store.
 *
 * Each shard has one writer thread behind a bounded queue. The writer takes what waits (up to 1,000
 * items or 1 MiB, always whole submissions), reads what exists, lets the domain merge, and writes
 * all of it as one synced batch: records, whatever the domain adds (payload, lineage), one
 * change-log entry and `state`. Then it takes a view, publishes the rows into the table and
 * answers. So what is acknowledged is durable and found by the next search.
 *
 * Ingest knows no events: a domain (core/events, core/samples) brings the rules as callbacks, the
 * table is reached through struct vg_ingest_table.
 *
 * If a commit fails, or its end is not known, nothing of it is published, everybody who waits is
 * answered STORE_UNAVAILABLE (those of the batch itself with the store's own reason), and ingest
 * refuses everything until the owner has reopened the store, replayed the table and called
 * vg_ingest_recover.
 *
 * Threads: submit from any thread. All callbacks below run on the writer thread, unless a mailbox
 * carries them to another.
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
#include "core/store/store.h"

struct vg_ingest;
struct vg_ingest_domain;
struct vg_ingest_item;
struct vg_ingest_submission;

/* Items and bytes that one submission may bring; more is RESOURCE_LIMIT. */
#define VG_INGEST_SUBMISSION_ITEMS_MAX 10000
#define VG_INGEST_SUBMISSION_BYTES_MAX (32u * 1024 * 1024)

/* lastUpdatedTimestamp: at most so many stored changes of one kind share a value. */
#define VG_INGEST_CHANGES_PER_TIME_MAX 200

/* Kinds of a shard's tables. */
enum vg_ingest_kind {
    VG_INGEST_KIND_EVENT,
    VG_INGEST_KIND_SUBMISSION,
    VG_INGEST_KIND_SAMPLE,
    VG_INGEST_KIND_COUNT,
};

/* ------------------------------------------------------------------ what the domain implements */

enum vg_ingest_verdict {
    VG_INGEST_UNCHANGED, /* the item changes nothing: no put, no row, no lastUpdatedTimestamp */
    VG_INGEST_PUT,       /* `new_record` is the record from now on */
    VG_INGEST_DELETE,    /* the record goes */
};

/*
 * One item about to be merged. The same record may be changed several times in one batch: each
 * merge sees the result of the one before, and the store gets one put, the table one row.
 */
struct vg_ingest_change {
    /* Set by ingest. */
    struct vg_bytes key;    /* the record's key in the store */
    bool exists;            /* whether there is a record now */
    struct vg_bytes record; /* the record now; borrowed until the batch is published */
    const void *row;        /* new_row of the merge before in this batch, else NULL */
    uint64_t revision;      /* sequence of the batch being built */
    vg_time last_updated;   /* what the record gets as lastUpdatedTimestamp if it is stored */
    vg_time now;            /* the clock, the same for the whole batch */
    uint32_t number;        /* stored changes of this record in this batch so far */
    struct vg_arena *arena; /* lives until the batch is published */
    void *writer;           /* ingest's own */

    /* Set by the merge. new_record and new_row live in `arena`, or in the item (which lives until
     * its submission is answered). */
    enum vg_ingest_verdict verdict;
    struct vg_bytes new_record;
    const void *new_row; /* column values for the table; NULL = the table derives them itself */
};

struct vg_ingest_domain {
    enum vg_ingest_kind kind;

    /*
     * Merge `item` into change->record. Returns VG_OK with a verdict, or the reason why this item
     * alone is refused (EVENT_TOO_LARGE, EVENT_NOT_FOUND, RESOURCE_LIMIT …): it is then answered
     * with that reason, nothing of it is stored and whatever it added with vg_ingest_put is taken
     * back. Words beyond the reason are kept by the domain in its own item.
     *
     * Must depend on nothing but its arguments, and be quick: it runs on the only writer.
     */
    enum vg_reason (*merge)(
        struct vg_ingest_domain *domain,
        struct vg_ingest_item *item,
        struct vg_ingest_change *change);
};

/* For merge only: keys that are written, or deleted, in the same batch as the change (payload,
 * lineage). Families other than the record's own. */
void vg_ingest_put(struct vg_ingest_change *change, struct vg_bytes key, struct vg_bytes value);
void vg_ingest_delete(struct vg_ingest_change *change, struct vg_bytes key);

/* ------------------------------------------------------------------------------- what is handed in
 */

/* One change asked for; embedded in the domain's own struct. */
struct vg_ingest_item {
    /* Set by the caller; borrowed until answered. */
    struct vg_ingest_item *next;
    struct vg_ingest_domain *domain;
    struct vg_bytes key; /* of the record, as core/keyspace builds it */
    size_t bytes;        /* what the item weighs in the queue: its packed size */

    /* Set before the submission is answered; valid if the submission's reason is VG_OK. */
    enum vg_reason reason;
    enum vg_ingest_verdict verdict;
    bool created;         /* a put of what did not exist */
    vg_time last_updated; /* given, if something was stored; else 0 */
};

/* Private: a place in the queue. */
struct vg_ingest_place {
    struct vg_ingest_place *next;
    uint8_t type;
    uint32_t items;
    size_t bytes;
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
    bool all_or_nothing; /* one refused item refuses all, with SUBMISSION's reason = the item's */

    /*
     * Optional: the caller's idempotency key, as core/keyspace builds it (empty = none). If the key
     * is in the store, `recall` gets what `remember` gave back then, and nothing is merged;
     * `recalled` is set. Else `remember` makes the value to be stored in the same batch; its memory
     * must live in `arena`.
     */
    struct vg_bytes idempotency_key;
    enum vg_reason (*recall)(struct vg_ingest_submission *submission, struct vg_bytes value);
    struct vg_bytes (*remember)(struct vg_ingest_submission *submission, struct vg_arena *arena);

    /* Set before the answer. */
    enum vg_reason reason; /* VG_OK: each item has its own result; else none of them was stored, or
                              (STORE_UNKNOWN, STORE_FULL) nobody knows */
    char message[200];     /* words for the reason */
    uint64_t sequence;     /* the batch in which it was stored */
    bool recalled;
};

void vg_ingest_submission_init(struct vg_ingest_submission *submission);

/* Append `item`; items are applied in this order. */
void vg_ingest_submission_add(struct vg_ingest_submission *submission, struct vg_ingest_item *item);

/*
 * Any other change of the shard (directory, keys, retention): a batch of its own, with its own
 * guards, in line with everything else. The caller owns and keeps `batch` until answered.
 */
struct vg_ingest_write {
    struct vg_ingest_place place;

    /* Set by the caller. */
    struct vg_task done;
    struct vg_mailbox *mailbox;
    struct vg_batch *batch; /* `state` and the change log are added by ingest */
    /* Optional: runs after the commit and before anybody is answered, in the order of commits, so
     * that what is kept in memory follows the store. */
    void (*committed)(struct vg_ingest_write *write);

    /* Set before the answer. STORE_CONFLICT: a guard was false. */
    enum vg_reason reason;
    char message[200];
    uint64_t sequence;
};

/* --------------------------------------------------------------------- what the table implements
 */

/* One record that a batch changed. */
struct vg_ingest_row {
    enum vg_ingest_kind kind;
    struct vg_bytes key;
    bool existed;           /* it has a live row, which dies with this batch */
    bool deleted;           /* no new row */
    vg_time last_updated;   /* rows come in this order */
    struct vg_bytes record; /* as stored; empty if deleted */
    const void *values;     /* new_row of the last merge, or NULL */
};

/* The shard's table as its writer sees it. Only the writer thread calls. */
struct vg_ingest_table {
    /* Whether the record has a live row (the id map, confirmed): exact, so that only what exists is
     * read from the store. */
    bool (*exists)(struct vg_ingest_table *table, enum vg_ingest_kind kind, struct vg_bytes key);

    /* Reserve everything that publishing these rows will need, so that it cannot fail. */
    enum vg_reason (*reserve)(
        struct vg_ingest_table *table,
        const struct vg_ingest_row *rows,
        size_t count,
        struct vg_error *error);

    /* The batch was not committed: give back what was reserved. */
    void (*cancel)(struct vg_ingest_table *table);

    /*
     * The batch is durable: append rows, note deaths, and publish at `sequence` with `taken_view`
     * (may be NULL), whose reference is handed over. `count` may be 0: a batch without rows.
     */
    void (*publish)(
        struct vg_ingest_table *table,
        uint64_t sequence,
        struct vg_store_view *taken_view,
        const struct vg_ingest_row *rows,
        size_t count);
};

/* ------------------------------------------------------------------------------------- the writer
 */

struct vg_ingest_settings {
    size_t queue_items_max; /* waiting items; more is OVERLOADED */
    size_t queue_bytes_max; /* their bytes */
    size_t group_items_max; /* of one batch */
    size_t group_bytes_max;
    unsigned pace_files_first; /* level-0 files from which on commits are paced … */
    unsigned pace_files_last;  /* … up to the slowest pace */
    size_t pace_bytes_first;   /* bytes per second at the first and at the last figure */
    size_t pace_bytes_last;
};

struct vg_ingest_options {
    struct vg_store *store;
    uint32_t shard;
    const struct vg_clock *clock;
    struct vg_ingest_table *table;
    struct vg_ingest_settings settings;
    /* Called on the writer thread after a failed commit, when all who waited are answered: the
     * owner ends snapshots, releases views, reopens, replays and calls vg_ingest_recover (from
     * another thread). May be NULL. */
    void (*failed)(void *owner, enum vg_reason reason, const char *message);
    void *owner;
};

struct vg_ingest_settings vg_ingest_settings_default(void);

/*
 * Start the writer of a shard whose table stands at `state`'s sequence. Everything in `options`
 * must outlive it.
 *
 * Fails with: STORE_IO, STORE_CORRUPT (state cannot be read), RESOURCE_LIMIT (no thread).
 */
VG_MUST_USE enum vg_reason vg_ingest_create(
    const struct vg_ingest_options *options,
    struct vg_ingest **out_ingest,
    struct vg_error *error);

/* Take no more (DRAINING), commit and answer all that waits, stop the thread. Idempotent. */
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
 * Run `task` on the writer thread between two batches: how the table installs what was sealed or
 * compacted. Never refused before vg_ingest_drain has returned; runs also while commits have
 * failed.
 */
void vg_ingest_errand(struct vg_ingest *ingest, struct vg_task *task);

/*
 * After a failed commit: the store is open again and the table replayed. Reads `state` and accepts
 * again.
 *
 * Fails with: STORE_UNAVAILABLE, STORE_IO, STORE_CORRUPT; ingest then goes on refusing.
 */
VG_MUST_USE enum vg_reason vg_ingest_recover(struct vg_ingest *ingest, struct vg_error *error);

/* Figures for metrics; any thread. */
struct vg_ingest_figures {
    uint64_t sequence; /* of the last published batch */
    vg_time last_updated;
    uint64_t batches;
    uint64_t items;
    uint64_t refused;  /* OVERLOADED answers */
    uint64_t paced_ns; /* time the writer waited for compaction */
    uint64_t failures;
    size_t waiting_items;
    size_t waiting_bytes;
};

void vg_ingest_read_figures(struct vg_ingest *ingest, struct vg_ingest_figures *out_figures);

#endif
