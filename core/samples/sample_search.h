/*
 * Searching samples: a page of those that criteria ask for. Two passes over one snapshot: one over
 * the submissions that the caller sees, for each question about them, and one over the samples
 * (core/table/join.h).
 *
 * Threads: a cursor belongs to one thread at a time.
 */
#ifndef VG_CORE_SAMPLES_SAMPLE_SEARCH_H
#define VG_CORE_SAMPLES_SAMPLE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/samples/sample_access.h"
#include "core/samples/sample_criteria.h"
#include "core/samples/submission_reader.h"
#include "core/table/search.h"

#define VG_SAMPLE_LIMIT_DEFAULT 25

/* What a search is sorted by: numbers of vigil.sampledb.v2.SampleSortBy, halved. */
enum vg_sample_sort_field {
    VG_SAMPLE_SORT_CREATED = 1,
    VG_SAMPLE_SORT_SIZE = 2,
    VG_SAMPLE_SORT_CLASSIFICATION_TYPE = 3, /* no sample has one: all are alike, as for the last
                                               two */
    VG_SAMPLE_SORT_LAST_SUBMISSION = 4,
    VG_SAMPLE_SORT_LAST_ANALYSIS = 5,
    VG_SAMPLE_SORT_LAST_LINK = 6,
    VG_SAMPLE_SORT_FIELD_COUNT,
};

struct vg_sample_sort {
    enum vg_sample_sort_field field;
    bool descending;
};

struct vg_sample_search {
    const struct vg_sample_criteria *criteria;
    struct vg_submission_viewer viewer;
    vg_time index_start; /* of the last change, both inclusive */
    vg_time index_end;
    const struct vg_sample_sort *sort; /* none: newest first */
    size_t sort_count;
    int64_t limit; /* 0 = all, VG_LIMIT_SAMPLE_ROWS at most */
    int64_t offset;
    const uint8_t *secret;                 /* of the store, 16 bytes: how a join knows ids */
    uint32_t ids_max;                      /* 0 = VG_LIMIT_JOIN_IDS; tests take fewer */
    struct vg_search_explanation *explain; /* NULL = nobody asks */
    /* Asked now and then; anything but VG_OK ends the search. NULL = never. */
    enum vg_reason (*check)(void *owner, struct vg_error *error);
    void *owner;
};

/* The rows found, and the snapshot they were found on. */
struct vg_sample_cursor {
    uint64_t match_count; /* all matches, exactly */
    struct vg_sample_store source;
    struct vg_snapshot snapshot;
    struct vg_search_result found; /* in the arena of the search */
    uint32_t next;
};

/*
 * Find rows; what is found is in `arena`. On success the cursor must be closed.
 *
 * Fails with: INVALID_FIELD_VALUE (a sort field twice; what vg_sample_criteria_compile fails with);
 * RESULTSET_TOO_LARGE (limit 0 and too many matches; more samples than a join takes); what the
 * snapshot, the table and `check` fail with.
 */
VG_MUST_USE enum vg_reason vg_sample_search_run(
    const struct vg_sample_store *source,
    const struct vg_sample_search *search,
    struct vg_arena *arena,
    struct vg_sample_cursor *out_cursor,
    struct vg_error *error);

/*
 * The next sample, read into `arena`. *out_end = true when there is none.
 *
 * Fails with: SNAPSHOT_EXPIRED, STORE_UNAVAILABLE, STORE_IO, STORE_CORRUPT, REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_sample_cursor_next(
    struct vg_sample_cursor *cursor,
    struct vg_arena *arena,
    struct vg_sample_record *out_record,
    bool *out_end,
    struct vg_error *error);

/* Give the snapshot back. Accepts a cursor of zero bytes. */
void vg_sample_cursor_close(struct vg_sample_cursor *cursor);

#endif
