/*
 * The keeper: the thread of a node that writes checkpoints and trims the change log behind them,
 * and compacts the columns when there is no checkpoint to write; and how table and store come back
 * after a commit that failed.
 *
 * Threads: start and stop by the node's owner; recover by the writer.
 */
#ifndef VG_CORE_NODE_KEEPER_H
#define VG_CORE_NODE_KEEPER_H

#include "core/node/node.h"

VG_MUST_USE enum vg_reason vg_keeper_start(struct vg_node *node, struct vg_error *error);
void vg_keeper_stop(struct vg_node *node); /* accepts a node whose keeper was never started */

/* For ingest: a commit has failed. Says so in the log. */
void vg_keeper_failed(void *node, enum vg_reason reason, const char *message);

/* For ingest, on the writer's thread: a commit has failed; bring store and table back. */
VG_MUST_USE enum vg_reason vg_keeper_recover(void *owner, struct vg_error *error);

/* For ingest, on the writer's thread between batches. */
void vg_keeper_between(void *owner);

/* Start the table as the store stands. Nobody writes meanwhile. */
VG_MUST_USE enum vg_reason vg_keeper_start_table(struct vg_node *node, struct vg_error *error);

/* One checkpoint now, the rows in memory included; the writer must run and the keeper must not. */
void vg_keeper_checkpoint(struct vg_node *node);

#endif
