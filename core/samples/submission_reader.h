/*
 * Reading submissions: one by its id, or the records of rows, on a snapshot.
 *
 * Threads: any; rows belong to one thread at a time.
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

/* The submission a row stands for. */
void vg_submission_hit_id(const struct vg_hit *hit, struct vg_submission_id *out_id);

/*
 * The record of a row of the snapshot, in `arena`.
 *
 * Fails with: STORE_IO, STORE_CORRUPT (also for a record that is not there), STORE_UNAVAILABLE,
 * REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_submission_hit_record(
    const struct vg_submission_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_hit *hit,
    struct vg_arena *arena,
    struct vg_submission_record *out_record,
    struct vg_error *error);

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

/* The same; the record stays until the next call. */
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
