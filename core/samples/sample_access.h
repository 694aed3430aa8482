/*
 * Who sees what of SampleDB (sampledb-api.md 1.2): a sample through a submission that is seen
 * (submission_access.h).
 *
 * Threads: pure; reads go through a snapshot of the table.
 */
#ifndef VG_CORE_SAMPLES_SAMPLE_ACCESS_H
#define VG_CORE_SAMPLES_SAMPLE_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/access/principal.h"
#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/record/sample_record.h"
#include "core/samples/submission_access.h"
#include "core/store/store.h"
#include "core/table/snapshot.h"

/* A bit of vg_principal.functions, by number of vigil.Permission. */
#define VG_FUNCTION_DELETE_SAMPLE_COMPLETELY (UINT64_C(1) << 23)

/* Where records are read from. */
struct vg_sample_store {
    struct vg_table *table;
    struct vg_store *store;
    uint32_t shard;
    uint32_t snapshot_age_ms;
};

/* Does he see what is left of deleted samples? Whoever may delete samples: the role ADMIN. */
bool vg_sample_access_sees_deleted(const struct vg_principal *principal);

/* May he delete samples of which he sees no submission? The operator: whoever may delete samples,
 * of all customers. */
bool vg_sample_access_is_operator(const struct vg_principal *principal);

/* A sample, and what it was read on; to be released in any case. */
struct vg_sample_reading {
    struct vg_snapshot snapshot;
    struct vg_sample_record record; /* comment and marks of verdicts are in the arena */
    bool exists;                    /* there is a record, deleted or not */
    bool visible;                   /* the viewer sees it */
};

/*
 * Read the sample `sha256` as it was last published, and find out whether the viewer sees it.
 *
 * Fails with: STARTING, STORE_UNAVAILABLE, STORE_IO, STORE_CORRUPT, OVERLOADED, REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_sample_read(
    const struct vg_sample_store *source,
    const struct vg_submission_viewer *viewer,
    const uint8_t sha256[VG_SHA256_SIZE],
    struct vg_arena *arena,
    struct vg_sample_reading *out_reading,
    struct vg_error *error);
void vg_sample_reading_release(struct vg_sample_reading *reading);

#endif
