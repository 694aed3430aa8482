/*
 * Searching events: a page of those that criteria ask for, on a snapshot.
 *
 * Threads: a cursor belongs to one thread at a time.
 */
#ifndef VG_CORE_EVENTS_EVENT_SEARCH_H
#define VG_CORE_EVENTS_EVENT_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/events/event_criteria.h"
#include "core/events/event_reader.h"
#include "core/record/event_id.h"
#include "core/store/store.h"
#include "core/table/search.h"
#include "core/table/snapshot.h"

#define VG_EVENT_LIMIT_DEFAULT 25

/* What a search is sorted by. */
enum vg_event_sort_field {
    VG_EVENT_SORT_UNSET = 0,
    VG_EVENT_SORT_TIMESTAMP = 1,
    VG_EVENT_SORT_FIRST_EVENT = 2,
    VG_EVENT_SORT_LAST_EVENT = 3,
    VG_EVENT_SORT_LAST_UPDATED = 4,
    VG_EVENT_SORT_SEVERITY = 5,
    VG_EVENT_SORT_COUNT = 6,
    VG_EVENT_SORT_CUSTOMER = 7,
    VG_EVENT_SORT_SIGNATURE = 8,
    VG_EVENT_SORT_PROTOCOL = 9,
    VG_EVENT_SORT_ID = 10,
    VG_EVENT_SORT_ENGINE_PERSISTED = 11,
    VG_EVENT_SORT_UUID = 12,
    VG_EVENT_SORT_FIELD_COUNT,
};

struct vg_event_sort {
    enum vg_event_sort_field field;
    bool descending;
};

struct vg_event_search {
    const struct vg_predicate *where; /* of vg_event_criteria_compile */
    const struct vg_event_sort *sort; /* none: newest first */
    size_t sort_count;
    int64_t limit; /* 0 = all */
    int64_t offset;
    bool is_unlimited;  /* limit 0 is for any number; else VG_LIMIT_SEARCH_ROWS matches at most */
    uint32_t pass_rows; /* 0 = VG_EVENT_PASS_ROWS; tests take fewer */
    struct vg_search_explanation *explain; /* NULL = nobody asks; of the first pass, and what the
                                              cursor reads. Leaves are in the arena */
    /* Asked now and then, by the cursor as well; anything but VG_OK ends the search. NULL = never.
     */
    enum vg_reason (*check)(void *owner, struct vg_error *error);
    void *owner;
};

/*
 * Can the table be asked what criteria ask? Too many questions are a fault of the request.
 *
 * Fails with: INVALID_FIELD_VALUE; INTERNAL.
 */
VG_MUST_USE enum vg_reason vg_event_search_check(
    const struct vg_predicate *where,
    struct vg_error *error);

struct vg_event_pass;

/* The rows found, and the snapshot they were found on. However many there are, a cursor holds the
 * places of VG_EVENT_PASS_ROWS of them and few records at a time. */
struct vg_event_cursor {
    uint64_t match_count; /* all matches, exactly */
    struct vg_event_pass *pass;
};

/* Rows found at a time. */
#define VG_EVENT_PASS_ROWS 65536u

/*
 * Find rows. The predicate and `arena`, which hold the cursor's state, must stay until the cursor
 * is closed, which on success it must be.
 *
 * Fails with: INVALID_FIELD_VALUE (a sort field twice, more than the table can sort by, too many
 * questions); RESULTSET_TOO_LARGE (limit 0 and too many matches); REQUEST_MEMORY; what the
 * snapshot, the table and `check` fail with.
 */
VG_MUST_USE enum vg_reason vg_event_search_run(
    const struct vg_event_store *source,
    const struct vg_event_search *search,
    struct vg_arena *arena,
    struct vg_event_cursor *out_cursor,
    struct vg_error *error);

/*
 * The next event: its identity and its packed record, which stays until the next call.
 * *out_end = true when there is none.
 *
 * Fails with: SNAPSHOT_EXPIRED, STORE_UNAVAILABLE, STORE_IO, STORE_CORRUPT, REQUEST_MEMORY; what
 * `check` returned.
 */
VG_MUST_USE enum vg_reason vg_event_cursor_next(
    struct vg_event_cursor *cursor,
    struct vg_event_id *out_id,
    struct vg_bytes *out_record,
    bool *out_end,
    struct vg_error *error);

/* Give the snapshot back. Accepts a cursor of zero bytes. */
void vg_event_cursor_close(struct vg_event_cursor *cursor);

#endif
