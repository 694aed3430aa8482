/*
 * Watch position: how far somebody who watches events has been told, and its text, the resume token
 * of docs/streams.md.
 *
 * Changes are told in the order of (revision, last update, identity): the revision of a stored
 * event is the sequence of the batch that changed it last, and within a batch the times of update
 * do not fall. So nothing that is committed later can come before a position, and one tuple says it
 * all.
 *
 * Threads: values; pure functions.
 */
#ifndef VG_CORE_EVENTS_WATCH_POSITION_H
#define VG_CORE_EVENTS_WATCH_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/record/event_id.h"

struct vg_watch_position {
    uint32_t store;    /* tag of the store it belongs to */
    uint64_t revision; /* what earlier batches have changed is told */
    vg_time updated;   /* what is not yet told was updated then or later */
    uint64_t known;    /* who wants only new events: those of this batch and before are not new */
    bool is_within;    /* of the batch `revision` only what comes up to `updated` and `id` is told;
                          else all of it */
    struct vg_event_id id; /* if is_within */
};

/* Where an event stands in the order of changes. */
struct vg_watch_place {
    uint64_t revision;
    vg_time updated;
    struct vg_event_id id;
};

/* Of one batch: the order of changes; else that of revisions. */
int vg_watch_place_compare(const struct vg_watch_place *left, const struct vg_watch_place *right);

/* Has the change at `place` been told? */
bool vg_watch_position_covers(
    const struct vg_watch_position *position,
    const struct vg_watch_place *place);

#define VG_WATCH_TOKEN_SIZE 192 /* the longest token and a NUL */

/* Write the token and a NUL; returns its length. */
size_t vg_watch_position_print(
    const struct vg_watch_position *position,
    char out_text[VG_WATCH_TOKEN_SIZE]);

/* Read a token, exactly as it was printed; false, output untouched, for anything else. */
VG_MUST_USE bool vg_watch_position_parse(
    struct vg_bytes text,
    struct vg_watch_position *out_position);

/* The tag of a store: the beginning of its id. */
uint32_t vg_watch_position_store(const uint8_t store_id[16]);

#endif
