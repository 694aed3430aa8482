/*
 * A node: everything one vigild process works on, opened and closed in order. Handlers reach the
 * core through it.
 *
 * Life:
 *     open    store, its format, directory, access: quick, a second process is refused here
 *     start   the table from its checkpoint, or rebuilt from the records (may take seconds); writer
 *     …       serve; a commit that failed is recovered from in the background, see keeper.c
 *     stop    writer drained, checkpoint written
 *     close
 *
 * Threads: open, start, stop and close by one thread; the members are set by then and used from any
 * thread by their own rules.
 */
#ifndef VG_CORE_NODE_NODE_H
#define VG_CORE_NODE_NODE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/ingest/ingest.h"
#include "core/ingest/ingest_table.h"
#include "core/keyspace/format_version.h"

struct vg_access;
struct vg_blob_files;
struct vg_directory;
struct vg_event_watches;
struct vg_record_cache;
struct vg_settings;
struct vg_store;
struct vg_table;

/* The only shard of a LevelDB store. */
#define VG_NODE_SHARD 0u

struct vg_node {
    const struct vg_settings *settings;
    const struct vg_clock *clock;
    struct vg_random *random;
    struct vg_store *store;
    struct vg_blob_files *blobs; /* of samples */
    struct vg_directory *directory;
    struct vg_access *access;
    struct vg_table *table;               /* of all kinds: record_kind.h */
    struct vg_record_cache *record_cache; /* of events; NULL = none */
    struct vg_ingest *ingest;
    struct vg_event_watches *watches; /* who waits for changes of events */
    struct vg_format format;          /* store id and the secret of hash lists */

    /* May be NULL; set between open and start. Asked now and then while the table is brought up;
     * once true, the start ends with CANCELLED. What is half made is made anew the next time. */
    bool (*gives_up)(void *owner);
    void *owner;

    /* Private to core/node. */
    const struct vg_table_schema *schemas[VG_INGEST_KIND_COUNT];
    struct vg_ingest_columns columns;
    unsigned loader_threads; /* that decode records when the table is rebuilt */
    pthread_t keeper;        /* checkpoints and trimming */
    bool keeper_runs;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    bool wanted;           /* the keeper is to look at once */
    bool checkpoint_asked; /* the writer's: it has said so */
    pthread_t sweeper;     /* removes what deleted samples left */
    bool sweeper_runs;
    pthread_mutex_t sweep_lock; /* of the rest */
    pthread_cond_t sweep_wake;
    bool sweep_stopping;
    bool sweep_wanted; /* the sweeper is to look at once */
};

/*
 * Open the data directory settings->data, made if missing. `node` is the caller's, zeroed.
 *
 * Fails with: STORE_LOCKED, STORE_FORMAT, STORE_CORRUPT, STORE_IO, STORE_FULL; nothing is left
 * open.
 */
VG_MUST_USE enum vg_reason vg_node_open(
    struct vg_node *node,
    const struct vg_settings *settings,
    const struct vg_clock *clock,
    struct vg_random *random,
    struct vg_error *error);

/* Bring the table up and start the writer. Fails with what the store and the table fail with, and
 * with CANCELLED. */
VG_MUST_USE enum vg_reason vg_node_start(struct vg_node *node, struct vg_error *error);

/* A sample has been deleted: remove what it leaves. Any thread. */
void vg_node_purge_soon(struct vg_node *node);

/* No call is under way any more: drain the writer, write a checkpoint. Accepts a node not started.
 */
void vg_node_stop(struct vg_node *node);

/* After stop, or after a failed start. Accepts a zeroed node. */
void vg_node_close(struct vg_node *node);

#endif
