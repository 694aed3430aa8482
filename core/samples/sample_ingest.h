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

#endif
