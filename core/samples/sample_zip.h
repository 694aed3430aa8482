/*
 * The safe form of a sample: a ZIP file with one entry, named by the SHA-256 of the file and
 * encrypted with the classic cipher of ZIP and the password `infected`, so that the tools people
 * have open it and no scanner on the way does. The cipher protects nobody's secret; it is a label.
 *
 * Threads: any; waits for the disk.
 */
#ifndef VG_CORE_SAMPLES_SAMPLE_ZIP_H
#define VG_CORE_SAMPLES_SAMPLE_ZIP_H

#include <stdbool.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/store/blob_files.h"

#define VG_SAMPLE_ZIP_PASSWORD "infected"

struct vg_sample_zip_job {
    struct vg_blob_files *files; /* where the ZIP file is made */
    const struct vg_blob_reader *sample;
    const uint8_t *sha256;
    vg_time modified; /* of the entry */
    /* Asked now and then: should work stop? */
    bool (*is_cancelled)(void *owner);
    void *owner;
};

/*
 * Make the ZIP file, in a file without a name, in memory that does not grow with it.
 *
 * Fails with: STORE_FULL, STORE_IO; CANCELLED when is_cancelled says so.
 */
VG_MUST_USE enum vg_reason vg_sample_zip(
    const struct vg_sample_zip_job *job,
    struct vg_blob_reader *out_zip,
    struct vg_error *error);

#endif
