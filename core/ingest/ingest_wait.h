/*
 * A submission, or a write, whose caller waits for the writer's answer.
 *
 *     vg_ingest_wait_init(&wait) → items into wait.group → vg_ingest_wait_run →
 * vg_ingest_wait_dispose
 *
 *     batch → vg_ingest_wait_apply
 *
 * Threads: those that may wait: executors, never a worker or the writer itself.
 */
#ifndef VG_CORE_INGEST_INGEST_WAIT_H
#define VG_CORE_INGEST_INGEST_WAIT_H

#include <semaphore.h>

#include "core/ingest/ingest.h"

struct vg_ingest_wait {
    struct vg_ingest_submission group;
    sem_t answered; /* private */
};

void vg_ingest_wait_init(struct vg_ingest_wait *wait);
void vg_ingest_wait_dispose(struct vg_ingest_wait *wait);

/*
 * Submit and wait. *out_refused tells that certainly nothing was stored by this submission. Items
 * have reasons of their own.
 *
 * Fails with: what vg_ingest_submit fails with, and the reason of the submission.
 */
VG_MUST_USE enum vg_reason vg_ingest_wait_run(
    struct vg_ingest *ingest,
    struct vg_ingest_wait *wait,
    bool *out_refused,
    struct vg_error *error);

/*
 * Apply `batch`, which stays the caller's, and wait.
 *
 * Fails with: what vg_ingest_apply fails with, and the reason of the write: STORE_CONFLICT when one
 * of its guards was false.
 */
VG_MUST_USE enum vg_reason vg_ingest_wait_apply(
    struct vg_ingest *ingest,
    struct vg_batch *batch,
    struct vg_error *error);

#endif
