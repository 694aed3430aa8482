/*
 * The sweeper: the thread of a node that removes what deleted samples have left behind, and files
 * that nobody knows of (sample_orphans.h). It looks about once a second, and at once when something
 * has been deleted; it walks over all files after each start, and then once an hour.
 *
 * Threads: start and stop by the node's owner; wake from any thread.
 */
#ifndef VG_CORE_NODE_SWEEPER_H
#define VG_CORE_NODE_SWEEPER_H

#include "core/node/node.h"

VG_MUST_USE enum vg_reason vg_sweeper_start(struct vg_node *node, struct vg_error *error);

/* After this nothing is removed any more, until the next start goes on with it. Accepts a node
 * whose sweeper was never started. */
void vg_sweeper_stop(struct vg_node *node);

#endif
