/*
 * Links of an event to other systems, from templates that the operator has set
 * (setting event_links).
 *
 * A template is NAME=TYPE=URI; several are separated by blanks. TYPE is generic or specific. In the
 * URI {id}, {type}, {timestamp}, {customerID}, {eventID}, {signature}, {sourceAddress},
 * {destinationAddress} and {domain} stand for what the event has, percent-encoded (RFC 3986 §2.1).
 * An event that lacks what a template names has no such link.
 *
 * Threads: pure functions.
 */
#ifndef VG_CORE_EVENTS_EVENT_LINK_H
#define VG_CORE_EVENTS_EVENT_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/record/event_record.h"

/* Numbers of both APIs. */
enum vg_event_link_type {
    VG_EVENT_LINK_GENERIC = 1,
    VG_EVENT_LINK_SPECIFIC = 2,
};

struct vg_event_link {
    struct vg_bytes name;
    enum vg_event_link_type type;
    char *uri;
};

/*
 * Are these templates well-formed?
 *
 * Fails with: CONFIG, saying what is wrong with which.
 */
VG_MUST_USE enum vg_reason vg_event_link_check(const char *templates, struct vg_error *error);

/*
 * The links of `record`, in the order of the well-formed `templates`, which names borrow from.
 *
 * Fails with: REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_event_link_make(
    const char *templates,
    const struct vg_event_record *record,
    struct vg_arena *arena,
    struct vg_event_link **out_links,
    size_t *out_count);

#endif
