/*
 * Changes of samples that are there: a verdict is added, a sample is deleted, what it had is
 * removed. Items of ingest, as sample_ingest.h.
 *
 * Deleting goes in three steps, of which each is a batch or several: the record says at once that
 * the sample is deleted, and up to which batch what it had must go (purged_until); then that goes,
 * in portions; then the record says that nothing is left to be done. A crash between any two leaves
 * a record that says what is still to be done (sample_purge.h). Whoever uploads the file meanwhile
 * gets a sample anew: what is added from then on is younger than purged_until and stays.
 *
 * Threads: the domains are constant; merges run on the writer.
 */
#ifndef VG_CORE_SAMPLES_SAMPLE_CHANGE_H
#define VG_CORE_SAMPLES_SAMPLE_CHANGE_H

#include "core/ingest/ingest.h"
#include "core/keyspace/keyspace.h"
#include "core/record/sample_record.h"
#include "core/samples/sample_table.h"
#include "core/samples/submission_table.h"

/* What all changes of one sample begin with. */
struct vg_sample_change {
    struct vg_ingest_item item;

    /* Private. */
    struct vg_sample_id_row identity;
    struct vg_key key;
};

/* A manual verdict to be added. */
struct vg_sample_judgement {
    struct vg_sample_change change;
    /* Status, comment and user are the caller's; the rest is the merge's. */
    struct vg_sample_verdict verdict;
};

/*
 * Make `judgement` an item of `group`. It is refused with SAMPLE_NOT_FOUND when the sample is not
 * there or deleted, and with RESULTSET_TOO_LARGE past VG_LIMIT_SAMPLE_VERDICTS. A verdict is never
 * older than the one before it, whatever the clock says.
 */
void vg_sample_change_judge(
    struct vg_ingest_submission *group,
    struct vg_sample_judgement *judgement,
    const uint8_t sha256[VG_SHA256_SIZE]);

/* Make `change` the deletion of the sample. SAMPLE_NOT_FOUND when there is none; a deleted one
 * stays as it is. */
void vg_sample_change_delete(
    struct vg_ingest_submission *group,
    struct vg_sample_change *change,
    const uint8_t sha256[VG_SHA256_SIZE]);

/* That nothing is left of what batches up to `until` stored about the sample. */
struct vg_sample_purged {
    struct vg_sample_change change;
    uint64_t until;
};
void vg_sample_change_purged(
    struct vg_ingest_submission *group,
    struct vg_sample_purged *purged,
    const uint8_t sha256[VG_SHA256_SIZE],
    uint64_t until);

/* The removal of a submission that a batch up to `until` stored; a younger one stays. */
struct vg_submission_removal {
    struct vg_ingest_item item;
    uint64_t until;

    /* Private. */
    struct vg_submission_id_row identity;
    struct vg_key key;
};
void vg_sample_change_remove_submission(
    struct vg_ingest_submission *group,
    struct vg_submission_removal *removal,
    const struct vg_submission_id *id,
    uint64_t until);

#endif
