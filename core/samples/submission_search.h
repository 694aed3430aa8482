/*
 * Searching submissions: a page of those that criteria ask for, on a snapshot.
 *
 * Threads: as of the cursor.
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
    const struct vg_predicate *where;      /* of vg_submission_criteria_compile */
    const struct vg_submission_sort *sort; /* none: newest submission first */
    size_t sort_count;
    int64_t limit; /* 0 = all, VG_LIMIT_SAMPLE_ROWS at most */
    int64_t offset;
    /* Asked now and then; anything but VG_OK ends the search. NULL = never. */
    enum vg_reason (*check)(void *owner, struct vg_error *error);
    void *owner;
};

/*
 * Find rows, as vg_submission_cursor_open does.
 *
 * Fails with: INVALID_FIELD_VALUE for a sort field twice; what vg_submission_cursor_open fails
 * with.
 */
VG_MUST_USE enum vg_reason vg_submission_search_run(
    const struct vg_submission_store *source,
    const struct vg_submission_search *search,
    struct vg_arena *arena,
    struct vg_submission_cursor *out_cursor,
    struct vg_error *error);

#endif
