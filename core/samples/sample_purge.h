/*
 * Purge: what is left to be done for deleted samples (sample_change.h). Finds the samples whose
 * record says that something is to be removed, and removes it: submissions in portions, verdicts
 * and challenges, the file; then the record says that it is done. Whatever it is interrupted by,
 * the next round finds the same samples and goes on.
 *
 * Threads: one at a time, a thread that may wait for the writer and the disk.
 */
#ifndef VG_CORE_SAMPLES_SAMPLE_PURGE_H
#define VG_CORE_SAMPLES_SAMPLE_PURGE_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/ingest/ingest.h"
#include "core/samples/sample_access.h"
#include "core/store/blob_files.h"

/* Records of one portion. */
#define VG_SAMPLE_PURGE_PORTION 1000u

/* Samples of one round. */
#define VG_SAMPLE_PURGE_ROUND 100u

struct vg_sample_purge {
    struct vg_sample_store source;
    struct vg_ingest *ingest;
    struct vg_blob_files *blobs;
    /* NULL, or asked between two portions: anything but true ends the round. */
    bool (*goes_on)(void *owner);
    void *owner;
};

/*
 * One round: the samples that wait, at most VG_SAMPLE_PURGE_ROUND. *out_purged is how many are
 * done with.
 *
 * Fails with: what the snapshot, the store, ingest and the files fail with; what was done by then
 * stays done.
 */
VG_MUST_USE enum vg_reason vg_sample_purge_run(
    const struct vg_sample_purge *purge,
    uint32_t *out_purged,
    struct vg_error *error);

#endif
