/*
 * Ingest queue: what waits for the writer of a shard, bounded, and the one place where the writer
 * sleeps. A full queue is an answer, not a wait.
 *
 * Threads: push, errand, drain and the figures from any thread; wait, refuse and accept are the
 * writer's.
 */
#ifndef VG_CORE_INGEST_INGEST_QUEUE_H
#define VG_CORE_INGEST_INGEST_QUEUE_H

#include <pthread.h>

#include "core/base/clock.h"
#include "core/ingest/commit_pace.h"
#include "core/ingest/ingest.h"

struct vg_ingest_queue {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    const struct vg_ingest_settings *settings;

    /* Under the lock. */
    struct vg_ingest_place *first;
    struct vg_ingest_place *last;
    size_t waiting_items;
    size_t waiting_bytes;
    uint64_t paced_ns;
    bool has_errands;
    bool draining;
    bool refuses; /* a commit has failed */
};

/* `settings` must outlive the queue. */
void vg_ingest_queue_init(struct vg_ingest_queue *queue, const struct vg_ingest_settings *settings);
void vg_ingest_queue_dispose(struct vg_ingest_queue *queue);

/* Fails with: OVERLOADED, DRAINING, STORE_UNAVAILABLE. */
VG_MUST_USE enum vg_reason vg_ingest_queue_push(
    struct vg_ingest_queue *queue,
    struct vg_ingest_place *place,
    struct vg_error *error);

/* The writer has errands to run. */
void vg_ingest_queue_errand(struct vg_ingest_queue *queue);

/* Take no more; the writer ends when all is done. */
void vg_ingest_queue_drain(struct vg_ingest_queue *queue);

/* What the writer is to do next. */
struct vg_ingest_turn {
    struct vg_ingest_place *group; /* one write, or submissions for one batch; NULL = none */
    bool refuses;                  /* a commit has failed: try to recover */
    bool drained;                  /* nothing will come any more */
};

/*
 * Wait for something to do, at most a second, and `recover_wait_ms` while refusing. What `pace`
 * asks for is waited as well; meanwhile more gathers for the batch. `holds`: no group is given out,
 * unless draining; only errands are.
 */
struct vg_ingest_turn vg_ingest_queue_wait(
    struct vg_ingest_queue *queue,
    const struct vg_commit_pace *pace,
    const struct vg_clock *clock,
    bool holds);

/* Refuse from now on; returns what was waiting, to be answered. */
struct vg_ingest_place *vg_ingest_queue_refuse(struct vg_ingest_queue *queue);

/* Take submissions again. */
void vg_ingest_queue_accept(struct vg_ingest_queue *queue);

/* Fill in waiting_items, waiting_bytes, paced_ns and failed. */
void vg_ingest_queue_read_figures(struct vg_ingest_queue *queue, struct vg_ingest_figures *figures);

#endif
