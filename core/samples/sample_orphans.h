/*
 * Orphans: files without a record that says they are there. A file gets its name before its record
 * is committed, so a crash between the two leaves one; so does a commit whose end nobody learnt.
 * One walk over the folders of all files finds them and removes them.
 *
 * That a record is absent is asked of the writer, under the lock of the file: so it is neither an
 * upload under way nor a record that a failed store may still bring back.
 *
 * Threads: one at a time, a thread that may wait for the writer and the disk.
 */
#ifndef VG_CORE_SAMPLES_SAMPLE_ORPHANS_H
#define VG_CORE_SAMPLES_SAMPLE_ORPHANS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/ingest/ingest.h"
#include "core/store/blob_files.h"
#include "core/store/store.h"

/* Files after which a portion ends with the folder at hand. */
#define VG_SAMPLE_ORPHANS_PORTION 1000u

struct vg_sample_orphans {
    struct vg_store *store;
    uint32_t shard;
    struct vg_ingest *ingest;
    struct vg_blob_files *blobs;
    /* NULL, or asked between two files: anything but true ends the portion. */
    bool (*goes_on)(void *owner);
    void *owner;

    /* Private: the folder the next portion begins with. Zero = the first. */
    uint32_t next;
};

/*
 * One portion. *out_removed is how many files were removed, *out_end that the walk is over; the
 * next portion begins another.
 *
 * Fails with: what the files, the store and ingest fail with. Then the folder at hand is looked at
 * again by the next portion.
 */
VG_MUST_USE enum vg_reason vg_sample_orphans_run(
    struct vg_sample_orphans *orphans,
    uint32_t *out_removed,
    bool *out_end,
    struct vg_error *error);

#endif
