/*
 * Reading events: one by its identity, or those that rows of the table stand for, on a snapshot, so
 * that a get never runs ahead of a search.
 *
 * Threads: a reader belongs to one thread at a time.
 */
#ifndef VG_CORE_EVENTS_EVENT_READER_H
#define VG_CORE_EVENTS_EVENT_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/record/event_id.h"
#include "core/record/event_record.h"
#include "core/store/store.h"
#include "core/table/predicate.h"
#include "core/table/snapshot.h"

struct vg_executor;
struct vg_record_cache;

/* Where events are read from. */
struct vg_event_store {
    struct vg_table *table;
    struct vg_store *store;
    uint32_t shard;
    uint32_t kind;                 /* of the table */
    uint32_t snapshot_age_ms;      /* how long an answer may take */
    struct vg_executor *helpers;   /* may read beside the caller; NULL = nobody */
    struct vg_record_cache *cache; /* of scattered records; NULL = none */
};

/* One event and what it was read on; to be released. */
struct vg_event_reading {
    struct vg_snapshot snapshot;
    struct vg_store_value value;
    struct vg_bytes record;
};

/*
 * Read the event `id` as it was last published; *out_found tells whether there is one. Release the
 * reading in any case.
 *
 * Fails with: STARTING, STORE_UNAVAILABLE, STORE_IO, STORE_CORRUPT, OVERLOADED.
 */
VG_MUST_USE enum vg_reason vg_event_read(
    const struct vg_event_store *source,
    const struct vg_event_id *id,
    struct vg_event_reading *out_reading,
    bool *out_found,
    struct vg_error *error);
void vg_event_reading_release(struct vg_event_reading *reading);

/* The identity of the event a row stands for. */
void vg_event_hit_id(const struct vg_hit *hit, struct vg_event_id *out_id);

/*
 * Read the packed record of the event `id` through the snapshot; release the value. Whoever has the
 * id from a row of the snapshot takes one that is not found for STORE_CORRUPT.
 *
 * Fails with: STORE_IO, STORE_CORRUPT, STORE_UNAVAILABLE.
 */
VG_MUST_USE enum vg_reason vg_event_read_packed(
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_event_id *id,
    struct vg_store_value *out_value,
    struct vg_error *error);

struct vg_record_fetch;

/* Gives searches the unpacked records (struct vg_event_record) that vg_property_match_predicate
 * asks. */
struct vg_event_reader {
    struct vg_record_reader reader; /* for vg_search.reader */
    const struct vg_event_store *source;
    const struct vg_snapshot *snapshot;
    struct vg_hit hit; /* whose record is at hand: several questions ask the same one */
    struct vg_store_value value;
    struct vg_record_fetch *fetch; /* reads ahead; NULL until rows are expected */
    struct vg_event_record record;
    struct vg_arena arena;
};

/* Source and snapshot are borrowed until vg_event_reader_dispose. */
void vg_event_reader_init(
    struct vg_event_reader *reader,
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot);
void vg_event_reader_dispose(struct vg_event_reader *reader);

#endif
