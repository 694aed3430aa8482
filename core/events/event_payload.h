/*
 * The payload of an event: its own, or, of an aggregated event without one, that of its earliest
 * sub-event that has one (events-api.md 1.5).
 *
 * Threads: any; a payload belongs to one thread at a time.
 */
#ifndef VG_CORE_EVENTS_EVENT_PAYLOAD_H
#define VG_CORE_EVENTS_EVENT_PAYLOAD_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/events/event_reader.h"
#include "core/record/event_record.h"

struct vg_event_payload {
    enum vg_event_payload_type type;
    struct vg_bytes data;
    vg_time timestamp; /* of the event that has it */
    struct vg_store_value value;
};

/*
 * Find the payload of `record` as the snapshot has it; *out_found tells whether there is one. On
 * success the payload is to be released.
 *
 * Fails with: STORE_CORRUPT, STORE_IO, STORE_UNAVAILABLE; REQUEST_MEMORY when `arena` is full.
 */
VG_MUST_USE enum vg_reason vg_event_payload_find(
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_event_record *record,
    struct vg_arena *arena,
    struct vg_event_payload *out_payload,
    bool *out_found,
    struct vg_error *error);
void vg_event_payload_release(struct vg_event_payload *payload);

/* As answers show it: the text of a string, base64 of everything else. NULL when the arena is full.
 */
VG_MUST_USE char *vg_event_payload_text(
    const struct vg_event_payload *payload,
    struct vg_arena *arena);

/* Can it be had as a capture file? */
static inline bool vg_event_payload_is_capture(const struct vg_event_payload *payload)
{
    return payload->type == VG_EVENT_PAYLOAD_PCAP || payload->type == VG_EVENT_PAYLOAD_ETHERNET;
}

/* Longest part of a frame that a capture file holds; the rest of a longer one is cut off, as a
 * capture does. Readers refuse files that say more. */
#define VG_EVENT_PAYLOAD_SNAPLEN 262144u

/*
 * The capture file: a stored one byte for byte; a frame as the only packet of a classic file, at
 * the time of the event that has it. data NULL when the arena is full.
 */
struct vg_bytes vg_event_payload_capture(
    const struct vg_event_payload *payload,
    struct vg_arena *arena);

#endif
