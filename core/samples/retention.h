/*
 * Retention: what has had its time goes: submissions past their expiry, unless their sample is
 * malicious, challenges past their lifetime, and what was remembered of similar submissions.
 *
 * Nobody waits for it: what has expired is not seen any more and proves nothing.
 *
 * Threads: one at a time, any but the writer's.
 */
#ifndef VG_CORE_SAMPLES_RETENTION_H
#define VG_CORE_SAMPLES_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/ingest/ingest.h"
#include "core/keyspace/key_codec.h"
#include "core/samples/submission_reader.h"

/* Submissions looked at, and keys passed over, in one portion: little enough that nobody who waits
 * for the writer notices. */
#define VG_RETENTION_SUBMISSIONS 500u
#define VG_RETENTION_KEYS        2000u

struct vg_retention {
    struct vg_submission_store source;
    struct vg_ingest *ingest;
    const struct vg_clock *clock;
    uint32_t similar_window_ms;

    /* Private: where the walk over challenges goes on. */
    unsigned family;
    struct vg_key after; /* size 0 = at the beginning */
};

/*
 * Do one portion. *out_more tells that there is more to do at once.
 *
 * Fails with: what the snapshot, the table, the store and ingest fail with; it may be tried again.
 */
VG_MUST_USE enum vg_reason vg_retention_run(
    struct vg_retention *retention,
    bool *out_more,
    struct vg_error *error);

/*
 * Of that the reviews alone, which cost next to nothing when none waits: of one sample whose newest
 * verdict says otherwise than the one before. Until then its submissions expire as before.
 *
 * Fails with: the same.
 */
VG_MUST_USE enum vg_reason vg_retention_review(
    const struct vg_retention *retention,
    bool *out_more,
    struct vg_error *error);

#endif
