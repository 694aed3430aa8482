/*
 * Removes answers to requests with an idempotency key that are kept no longer. Keys are hashes, so
 * which are due is found by looking at all of them: a part at a time, from where the last part
 * ended.
 *
 * Threads: one at a time; it waits for the writer.
 */
#ifndef VG_CORE_INGEST_IDEMPOTENCY_SWEEP_H
#define VG_CORE_INGEST_IDEMPOTENCY_SWEEP_H

#include "core/base/clock.h"
#include "core/ingest/ingest.h"
#include "core/keyspace/keyspace.h"

/* Answers one part looks at. */
#define VG_IDEMPOTENCY_SWEEP_PART 1000u

/* Where the next part begins; zeroed at first. */
struct vg_idempotency_sweep {
    struct vg_key after; /* empty = at the beginning */
};

/*
 * Look at the next part and remove of it what is outdated at `now`. *out_done tells that it was the
 * last one; the next begins anew. What is answered anew meanwhile stays.
 *
 * Fails with: what the store and vg_ingest_apply fail with. The part is looked at again.
 */
VG_MUST_USE enum vg_reason vg_idempotency_sweep_part(
    struct vg_idempotency_sweep *sweep,
    struct vg_store *store,
    uint32_t shard,
    struct vg_ingest *ingest,
    vg_time now,
    bool *out_done,
    struct vg_error *error);

#endif
