/*
 * Samples as a domain of ingest: how the writer records that a file has been uploaded.
 *
 * Threads: the domain is constant once made; merges run on the writer.
 */
#ifndef VG_CORE_SAMPLES_SAMPLE_INGEST_H
#define VG_CORE_SAMPLES_SAMPLE_INGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ingest/ingest.h"
#include "core/keyspace/keyspace.h"
#include "core/record/sample_record.h"
#include "core/samples/sample_table.h"

/* A file that is stored and is to be recorded. */
struct vg_sample_upload {
    struct vg_ingest_item item;
    struct vg_sample_record record; /* digests and size; times and revision are the commit's */
    /* Set by the merge, valid if the item is answered VG_OK: nobody had uploaded the file before,
     * or it had been deleted since. Of uploads at once exactly one sees true. */
    bool is_new;

    /* Private. */
    struct vg_sample_id_row identity;
    struct vg_key key;
};

/* Make `upload`, whose record has digests and size, an item of `group`. */
void vg_sample_ingest_upload(struct vg_ingest_submission *group, struct vg_sample_upload *upload);

/* That a submission of the sample is added: the sample's times of submissions follow. */
struct vg_sample_submitted {
    struct vg_ingest_item item;
    vg_time observed;     /* when the file was seen */
    bool observed_is_now; /* it is the time of the commit instead */
    /* NULL, or the item of the submission, which stands before this one in the group: unless that
     * one is stored (VG_INGEST_PUT), the sample stays as it is. */
    const struct vg_ingest_item *submission;

    /* Private. */
    struct vg_sample_id_row identity;
    struct vg_key key;
};

/*
 * Make `submitted`, filled, an item of `group`, which must be all_or_nothing. It is refused with
 * SAMPLE_NOT_FOUND when there is no such sample, or it is deleted.
 */
void vg_sample_ingest_submitted(
    struct vg_ingest_submission *group,
    struct vg_sample_submitted *submitted,
    const uint8_t sha256[VG_SHA256_SIZE]);

/* For merges of samples: `record` is what the sample is from now on. */
VG_MUST_USE enum vg_reason vg_sample_ingest_put(
    struct vg_sample_record *record,
    struct vg_ingest_change *change);

#endif
