/*
 * Lineage of an event: who changed it, when and how.
 *
 * Each stored change after the creation leaves an entry of its own, written by the writer in the
 * batch of the change, under a key that begins with the event's identity and goes on with the
 * revision: so entries are found, and sorted, by one walk over a prefix. The creation leaves none:
 * what it would tell is in the record.
 *
 * Threads: pure functions; writing belongs to merges.
 */
#ifndef VG_CORE_EVENTS_EVENT_LINEAGE_H
#define VG_CORE_EVENTS_EVENT_LINEAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/uuid.h"
#include "core/events/event_reader.h"
#include "core/ingest/ingest_domain.h"
#include "core/record/event_record.h"

/* Numbers of vigil.record.v1.LineageType and of the answers. */
enum vg_event_lineage_type {
    VG_EVENT_LINEAGE_CREATED = 1,
    VG_EVENT_LINEAGE_UPDATED = 2,
    VG_EVENT_LINEAGE_ASSESSED = 3,
};

/* Entries of one event that one answer looks through at most. */
#define VG_EVENT_LINEAGE_ENTRIES_MAX 200000u

struct vg_event_lineage {
    struct vg_uuid id;
    enum vg_event_lineage_type type;
    vg_time created;
    int64_t user_id;
    vg_time last_updated;     /* the event's, after the change */
    vg_time previous_updated; /* and before it */
    struct vg_bytes description;
    struct vg_bytes data_center;
};

/* Who changes an event, and where: the same for all changes of one call. Texts live until the call
 * is answered. */
struct vg_event_author {
    int64_t user_id;
    enum vg_event_lineage_type type;
    struct vg_bytes description;
    struct vg_bytes data_center;
    const uint8_t *secret; /* 16 bytes: ids of entries are made with it */
};

/*
 * For merges: add the entry of the change that is being merged to its batch. `previous_updated` is
 * the event's last update until then.
 *
 * Fails with: REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_event_lineage_put(
    struct vg_ingest_change *change,
    const struct vg_event_id *id,
    const struct vg_event_author *author,
    vg_time previous_updated);

/*
 * Read a packed entry; texts borrow from `bytes`.
 *
 * Fails with: STORE_CORRUPT.
 */
VG_MUST_USE enum vg_reason vg_event_lineage_unpack(
    struct vg_bytes bytes,
    struct vg_event_lineage *out_entry,
    struct vg_error *error);

/* Where an entry is found, in the order of time. */
struct vg_event_lineage_place {
    vg_time created;
    uint64_t revision; /* 0 = the creation */
    uint32_t number;
};

/* The lineage of one event as a snapshot has it. */
struct vg_event_lineage_list {
    struct vg_event_lineage_place *places; /* the oldest first; the creation is among them */
    size_t count;
    vg_time created_updated; /* the event's last update when it was created */
};

/*
 * Find the places of all entries, in `arena`.
 *
 * Fails with: RESULTSET_TOO_LARGE past VG_EVENT_LINEAGE_ENTRIES_MAX; REQUEST_MEMORY; STORE_CORRUPT,
 * STORE_IO, STORE_UNAVAILABLE.
 */
VG_MUST_USE enum vg_reason vg_event_lineage_find(
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_event_record *record,
    struct vg_arena *arena,
    struct vg_event_lineage_list *out_list,
    struct vg_error *error);

/*
 * Read the stored entry at `place` (not the creation); the entry borrows from the value, which is
 * to be released.
 *
 * Fails with: STORE_CORRUPT, STORE_IO, STORE_UNAVAILABLE.
 */
VG_MUST_USE enum vg_reason vg_event_lineage_read(
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_event_id *id,
    const struct vg_event_lineage_place *place,
    struct vg_store_value *out_value,
    struct vg_event_lineage *out_entry,
    struct vg_error *error);

/* The entry of the creation, from the record; `last_updated` is the event's at that time. */
struct vg_event_lineage vg_event_lineage_creation(
    const struct vg_event_record *record,
    vg_time last_updated,
    const uint8_t secret[16],
    struct vg_bytes data_center);

#endif
