/*
 * Searching submissions: a page of those that a predicate asks for, on a snapshot.
 *
 * Threads: a cursor belongs to one thread at a time.
 */
#ifndef VG_CORE_SAMPLES_SUBMISSION_SEARCH_H
#define VG_CORE_SAMPLES_SUBMISSION_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/samples/submission_reader.h"
#include "core/table/predicate.h"

#define VG_SUBMISSION_LIMIT_DEFAULT 25

/* What a search is sorted by: numbers of vigil.sampledb.v2.SubmissionSortBy, halved. */
enum vg_submission_sort_field {
    VG_SUBMISSION_SORT_FILE_NAME = 1,
    VG_SUBMISSION_SORT_MIME_TYPE = 2,
    VG_SUBMISSION_SORT_EXPIRY = 3,
    VG_SUBMISSION_SORT_OBSERVED = 4,
    VG_SUBMISSION_SORT_SUBMITTED = 5,
    VG_SUBMISSION_SORT_FIELD_COUNT,
};

struct vg_submission_sort {
    enum vg_submission_sort_field field;
    bool descending;
};

struct vg_submission_search {
    const struct vg_predicate *where;      /* access included */
    const struct vg_submission_sort *sort; /* none: newest submission first */
    size_t sort_count;
    int64_t limit; /* 0 = all, VG_LIMIT_SAMPLE_ROWS at most */
    int64_t offset;
    struct vg_search_explanation *explain; /* NULL = nobody asks */
    /* Asked now and then; anything but VG_OK ends the search. NULL = never. */
    enum vg_reason (*check)(void *owner, struct vg_error *error);
    void *owner;
};

struct vg_submission_pass;

/* The rows found, and the snapshot they were found on. */
struct vg_submission_cursor {
    uint64_t match_count; /* all matches, exactly */
    struct vg_submission_pass *pass;
};

/*
 * Find rows. The search's predicate and `arena`, which holds the cursor's state, must stay until
 * the cursor is closed, which on success it must be.
 *
 * Fails with: INVALID_FIELD_VALUE (a sort field twice, too many questions); RESULTSET_TOO_LARGE
 * (limit 0 and too many matches); REQUEST_MEMORY, also without a predicate; what the snapshot, the
 * table and `check` fail with.
 */
VG_MUST_USE enum vg_reason vg_submission_search_run(
    const struct vg_submission_store *source,
    const struct vg_submission_search *search,
    struct vg_arena *arena,
    struct vg_submission_cursor *out_cursor,
    struct vg_error *error);

/*
 * The next submission, read into `arena`. *out_end = true when there is none.
 *
 * Fails with: SNAPSHOT_EXPIRED, STORE_UNAVAILABLE, STORE_IO, STORE_CORRUPT, REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_submission_cursor_next(
    struct vg_submission_cursor *cursor,
    struct vg_arena *arena,
    struct vg_submission_record *out_record,
    bool *out_end,
    struct vg_error *error);

/* Give the snapshot back. Accepts a cursor of zero bytes. */
void vg_submission_cursor_close(struct vg_submission_cursor *cursor);

#endif
