/*
 * Stored events as the answers of both APIs: the same record, two views (events-api.md 2).
 *
 * Threads: a view belongs to one call; everything made is in its arena.
 */
#ifndef VG_RPC_HANDLERS_EVENT_VIEW_H
#define VG_RPC_HANDLERS_EVENT_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "core/access/principal.h"
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/directory/directory.h"
#include "core/record/event_record.h"

#include "vigil/events/v1/event.pb-c.h"

/* For whom an event is shown, and how. */
struct vg_event_view {
    const struct vg_directory_snapshot *directory;
    const struct vg_principal *principal; /* cases he may not read are left out */
    const char *location_zone;            /* of a location that names none, v1 */
    const char *separator;                /* between the values of a property, v1 */
    struct vg_arena *arena;
};

/*
 * The v1 views. Texts are copied; nothing points into the record.
 *
 * Fail with: REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_event_view_aggregated(
    const struct vg_event_view *view,
    const struct vg_event_record *record,
    Vigil__Events__V1__AggregatedEvent **out_event,
    struct vg_error *error);
VG_MUST_USE enum vg_reason vg_event_view_raw(
    const struct vg_event_view *view,
    const struct vg_event_record *record,
    Vigil__Events__V1__RawEvent **out_event,
    struct vg_error *error);

/* What a v2 answer tells beside the rest; comments, properties and sub-events are null unless asked
 * for. */
struct vg_event_view_members {
    bool comments;
    bool sub_events;
    bool all_properties;
    char *const *properties; /* read only when all_properties is false */
    size_t property_count;
};

/*
 * The v2 view as wire bytes of vigil.events.v2.Event: those of the stored record, and what the key
 * and the directory know.
 *
 * Fails with: STORE_CORRUPT, REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_event_view_wire(
    const struct vg_event_view *view,
    const struct vg_event_id *id,
    struct vg_bytes record,
    const struct vg_event_view_members *members,
    struct vg_bytes *out_bytes,
    struct vg_error *error);

#endif
