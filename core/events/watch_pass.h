/*
 * Watch pass: what has changed behind a position, as of now, in the order of changes: at most a
 * page of events, each in its newest state. A pass holds a snapshot and is meant to be short;
 * nothing is lost by closing it early, for the next one begins where the last event stood.
 *
 * Threads: a pass belongs to one thread at a time.
 */
#ifndef VG_CORE_EVENTS_WATCH_PASS_H
#define VG_CORE_EVENTS_WATCH_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/events/event_reader.h"
#include "core/events/record_fetch.h"
#include "core/events/watch_position.h"
#include "core/table/predicate.h"

/* Rows found at a time. More than may share one time of update, so that a page that is full can be
 * cut between two times. */
#define VG_WATCH_PASS_ROWS 1024u

struct vg_watch_question {
    const struct vg_predicate *where; /* access included */
    bool only_new;
    vg_time updated;  /* of the newest change there was before the pass was asked for */
    vg_time new_from; /* 0, or events first stored before are not new either */
    /* Asked now and then; anything but VG_OK ends the pass. NULL = never. */
    enum vg_reason (*check)(void *owner, struct vg_error *error);
    void *owner;
    uint32_t rows; /* 0 = VG_WATCH_PASS_ROWS; tests take fewer */
};

struct vg_watch_entry;

struct vg_watch_pass {
    struct vg_event_store source;
    struct vg_snapshot snapshot;
    struct vg_arena arena;
    struct vg_record_fetch fetch;
    struct vg_watch_entry *entries; /* to be told, in the order of changes */
    uint32_t count;
    uint32_t next;
    struct vg_watch_position at;  /* behind the event told last */
    struct vg_watch_position end; /* behind all of the pass */
    bool is_full;                 /* there may be more behind `end` */
};

/*
 * The position behind all there is now. `question` needs only its times.
 *
 * Fails with: as vg_snapshot_acquire.
 */
VG_MUST_USE enum vg_reason vg_watch_pass_here(
    const struct vg_event_store *source,
    const struct vg_watch_question *question,
    struct vg_watch_position *out_position,
    struct vg_error *error);

/*
 * Find what is to be told behind `position`. Must be closed on success. What `source` and
 * `question` point at must stay until then.
 *
 * Fails with: WATCH_POSITION_GONE when the position is ahead of the store; REQUEST_MEMORY; what
 * the snapshot, the table, the store and `check` fail with.
 */
VG_MUST_USE enum vg_reason vg_watch_pass_open(
    struct vg_watch_pass *pass,
    const struct vg_event_store *source,
    const struct vg_watch_position *position,
    const struct vg_watch_question *question,
    struct vg_error *error);

/*
 * The next event and its packed record, which stays until the next call; pass->at is the position
 * behind it. *out_end = true when there is none: then pass->at is pass->end.
 *
 * Fails with: SNAPSHOT_EXPIRED, STORE_UNAVAILABLE, STORE_IO, STORE_CORRUPT, REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_watch_pass_next(
    struct vg_watch_pass *pass,
    struct vg_event_id *out_id,
    struct vg_bytes *out_record,
    bool *out_end,
    struct vg_error *error);

void vg_watch_pass_close(struct vg_watch_pass *pass);

#endif
