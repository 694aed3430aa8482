/*
 * Answers of many events: criteria are searched for, and the page found becomes the rows of the
 * reply, in the shape that the method answers.
 *
 * Threads: an executor's, with the call.
 */
#ifndef VG_RPC_HANDLERS_EVENT_PAGES_H
#define VG_RPC_HANDLERS_EVENT_PAGES_H

#include "core/events/event_criteria.h"
#include "core/events/event_search.h"
#include "rpc/handlers/event_view.h"
#include "rpc/service/call.h"

/* A simple list looks back so far. */
#define VG_EVENT_PAGES_LIST_SPAN_MS (24 * 60 * 60 * INT64_C(1000))

/* What a row of the answer is. */
enum vg_event_pages_shape {
    VG_EVENT_PAGES_AGGREGATED, /* vigil.events.v1.AggregatedEvent */
    VG_EVENT_PAGES_RAW,        /* vigil.events.v1.RawEvent */
    VG_EVENT_PAGES_EITHER,     /* vigil.events.v1.Event */
    VG_EVENT_PAGES_V2,         /* vigil.events.v2.Event */
};

struct vg_event_pages {
    enum vg_event_pages_shape shape;
    enum vg_event_type type; /* UNSET = both classes */
    const struct vg_event_criteria *criteria;
    const struct vg_event_sort *sort;
    size_t sort_count;
    int64_t limit; /* as asked */
    int64_t offset;
    const char *separator;                /* v1, NULL = the server's */
    struct vg_event_view_members members; /* v2 */
    int64_t case_id;   /* 0, or: the events of this case and of those merged into it; the caller
                          must be able to read it */
    bool with_details; /* the raw events that those consist of, too */
    bool open;         /* whoever may read the case may read its events, whatever else he may */
};

/* An even number of a SortBy sorts ascending, the odd one above it descending: what is left is the
 * field, found in `fields`. NULL when the arena is full. */
struct vg_event_sort *vg_event_pages_sort(
    struct vg_call *call,
    const void *keys,
    size_t count,
    const uint8_t *fields);

/*
 * Find the page and read its events, for what that tells: `explanation` has been given its clock.
 *
 * Fails with: as vg_event_pages_answer, and what vg_event_cursor_next fails with.
 */
VG_MUST_USE enum vg_reason vg_event_pages_explain(
    struct vg_call *call,
    const struct vg_event_pages *pages,
    struct vg_search_explanation *explanation);

/*
 * Find the page and make it the reply of `call`.
 *
 * Fails with: ACCESS_DENIED (a case that is unknown or may not be read); what
 * vg_event_criteria_compile and vg_event_search_run fail with.
 */
VG_MUST_USE enum vg_reason vg_event_pages_answer(
    struct vg_call *call,
    const struct vg_event_pages *pages);

#endif
