/*
 * Figures of the node that nobody counts: they are asked for when the metrics are.
 *
 * Threads: any, while the node is open.
 */
#ifndef VG_CORE_NODE_NODE_METRICS_H
#define VG_CORE_NODE_NODE_METRICS_H

#include "core/base/buffer.h"

struct vg_node;

/* Append what the store says of itself, as Prometheus text. */
void vg_node_metrics_write(const struct vg_node *node, struct vg_buffer *out);

#endif
