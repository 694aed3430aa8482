/*
 * Reading submissions: one by its id, or a page of those a predicate asks for, on a snapshot.
 *
 * Threads: a cursor belongs to one thread at a time.
 */
#ifndef VG_CORE_SAMPLES_SUBMISSION_READER_H
#define VG_CORE_SAMPLES_SUBMISSION_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/record/submission_record.h"
#include "core/samples/submission_access.h"
#include "core/samples/submission_table.h"
#include "core/store/store.h"
#include "core/table/search.h"
#include "core/table/snapshot.h"

/* Where submissions are read from. */
struct vg_submission_store {
    struct vg_table *table;
    struct vg_store *store;
    uint32_t shard;
    uint32_t snapshot_age_ms; /* how long an answer may take */
};

struct vg_submission_query {
    const struct vg_predicate *where; /* access included */
    const struct vg_sort_key *sort;
    uint32_t sort_count;
    int64_t limit; /* 0 = all, at most VG_LIMIT_SAMPLE_ROWS */
    int64_t offset;
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
 * Find rows. The query's predicate, sort and `arena`, which hold the cursor's state, must stay
 * until the cursor is closed, which on success it must be.
 *
 * Fails with: INVALID_FIELD_VALUE (too many questions); RESULTSET_TOO_LARGE (limit 0 and too many
 * matches); what the snapshot, the table and
 * `check` fail with.
 */
VG_MUST_USE enum vg_reason vg_submission_cursor_open(
    const struct vg_submission_store *source,
    const struct vg_submission_query *query,
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

/* The submission a row stands for. */
void vg_submission_hit_id(const struct vg_hit *hit, struct vg_submission_id *out_id);

/* Rows of one sample. NULL when the arena is full. */
const struct vg_predicate *vg_submission_of_sample(
    const uint8_t sample[VG_SHA256_SIZE],
    struct vg_arena *arena);

/* Gives searches the records (struct vg_submission_record) that questions about texts ask when a
 * dictionary is full, and groups the names of such texts. */
struct vg_submission_rows {
    struct vg_record_reader reader; /* for vg_search.reader */
    const struct vg_submission_store *source;
    const struct vg_snapshot *snapshot;
    struct vg_hit hit; /* whose record is at hand: several questions ask the same one */
    struct vg_submission_record record;
    struct vg_arena arena;
};

/* Source and snapshot are borrowed until vg_submission_rows_dispose. */
void vg_submission_rows_init(
    struct vg_submission_rows *rows,
    const struct vg_submission_store *source,
    const struct vg_snapshot *snapshot);
void vg_submission_rows_dispose(struct vg_submission_rows *rows);

/*
 * The record of a row of the snapshot; it stays until the next call.
 *
 * Fails with: STORE_IO, STORE_CORRUPT (also for a record that is not there), STORE_UNAVAILABLE,
 * REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_submission_rows_read(
    struct vg_submission_rows *rows,
    const struct vg_hit *hit,
    const struct vg_submission_record **out_record,
    struct vg_error *error);

/*
 * Read the submission `id` for `viewer`, into `arena`.
 *
 * Fails with: SAMPLE_NOT_FOUND, when no submission of the sample is one that he sees;
 * SUBMISSION_NOT_FOUND; what the snapshot, the table and the store fail with.
 */
VG_MUST_USE enum vg_reason vg_submission_find(
    const struct vg_submission_store *source,
    const struct vg_submission_viewer *viewer,
    const struct vg_submission_id *id,
    struct vg_arena *arena,
    struct vg_submission_record *out_record,
    struct vg_error *error);

#endif
