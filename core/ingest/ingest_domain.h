/*
 * What a domain (core/events, core/samples) brings to ingest: items, and the rule by which an item
 * is merged into the record it is about.
 *
 * Threads: items are filled by whoever hands them in and read by the writer; merges run on the
 * writer thread.
 */
#ifndef VG_CORE_INGEST_INGEST_DOMAIN_H
#define VG_CORE_INGEST_INGEST_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/table/row.h"

struct vg_ingest_domain;
struct vg_ingest_item;

/* Kinds of a shard's tables, in the order of their schemas. Part of the change log: never change.
 */
enum vg_ingest_kind {
    VG_INGEST_KIND_EVENT,
    VG_INGEST_KIND_SUBMISSION,
    VG_INGEST_KIND_SAMPLE,
    VG_INGEST_KIND_COUNT,
    /* Of records that have no rows: the table and the change log do not hear of them. */
    VG_INGEST_KIND_ROWLESS = VG_INGEST_KIND_COUNT,
};

enum vg_ingest_verdict {
    VG_INGEST_UNCHANGED, /* the item changes nothing: no put, no row, no lastUpdatedTimestamp */
    VG_INGEST_PUT,       /* `new_record` is the record from now on */
    VG_INGEST_DELETE,    /* the record goes */
    VG_INGEST_BESIDE,    /* the record stays as it is; what was put beside it is stored */
};

/* One change asked for; embedded in the domain's own struct. */
struct vg_ingest_item {
    /* Set by the caller; borrowed until answered. */
    struct vg_ingest_item *next;
    struct vg_ingest_domain *domain;
    struct vg_bytes key;           /* of the record, as core/keyspace builds it */
    const struct vg_row *identity; /* the id columns of its row; others need not be set. NULL of
                                      ROWLESS */
    size_t bytes;                  /* what the item weighs in the queue: its packed size */

    /* Set before the submission is answered; valid if the submission's reason is VG_OK. */
    enum vg_reason reason;
    enum vg_ingest_verdict verdict;
    bool created;         /* a put of what did not exist */
    vg_time last_updated; /* given, if something was stored; else 0, as for ROWLESS */

    uint64_t id_hash; /* the writer's own */
};

/*
 * One item about to be merged. The same record may be changed several times in one batch: each
 * merge sees the result of the one before, and the store gets one put, the table one row.
 */
struct vg_ingest_change {
    /* Set by ingest. */
    struct vg_bytes key;      /* the record's key in the store */
    bool exists;              /* whether there is a record now */
    struct vg_bytes record;   /* the record now; borrowed until the batch is published */
    const struct vg_row *row; /* new_row of the merge before in this batch, else NULL */
    uint64_t revision;        /* sequence of the batch being built */
    vg_time last_updated;     /* what the record gets as lastUpdatedTimestamp if it is stored */
    vg_time now;              /* the clock, the same for the whole batch */
    uint32_t number;          /* stored changes of this record in this batch so far */
    struct vg_arena *arena;   /* lives until the batch is published */
    void *writer;             /* ingest's own */

    /* Set by the merge. new_record and new_row live in `arena`, or in the item (which lives until
     * its submission is answered). */
    enum vg_ingest_verdict verdict;
    struct vg_bytes new_record;
    const struct vg_row
        *new_row; /* with PUT: the complete row of the new record; NULL of ROWLESS */
};

struct vg_ingest_domain {
    enum vg_ingest_kind kind;

    /*
     * Merge `item` into change->record. Returns VG_OK with a verdict, or the reason why this item
     * alone is refused (EVENT_TOO_LARGE, EVENT_NOT_FOUND, REQUEST_MEMORY …): it is then answered
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

/*
 * For merge only: another record, as the batch has made it so far; *out_exists false when there is
 * none. What a merge decides by it stays true until the batch is committed, because all changes of
 * the shard pass here. The bytes stay until the batch is published.
 *
 * Fails with: what the store fails with, REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_ingest_read(
    struct vg_ingest_change *change,
    struct vg_bytes key,
    struct vg_bytes *out_record,
    bool *out_exists);

/*
 * For merge only: keys that are written, or deleted, in the same batch as the change (payload,
 * lineage, challenges). Families other than the record's own, and none that has rows. Of a family
 * that merges read, a key is read in a merge before it is put or deleted there.
 */
void vg_ingest_put(struct vg_ingest_change *change, struct vg_bytes key, struct vg_bytes value);
void vg_ingest_delete(struct vg_ingest_change *change, struct vg_bytes key);

/* For merge only: put a key that nobody can have stored before, since a new random id is part of
 * it. It is not looked for in the store; what else is merged into the batch reads it. */
void vg_ingest_put_new(struct vg_ingest_change *change, struct vg_bytes key, struct vg_bytes value);

#endif
