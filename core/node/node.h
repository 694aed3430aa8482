/*
 * A node: everything one vigild process works on, opened and closed in order. Handlers reach the core through it.
 *
 * Life: open (store, format, directory: quick) → start (the table: from its checkpoint, or rebuilt; may take seconds)
 * → serve → stop (writers drained, checkpoint written) → close.
 *
 * Threads: open, start, stop and close by one thread; the members are set by then and used from any thread by their
 * own rules.
 */
#ifndef VG_CORE_NODE_NODE_H
#define VG_CORE_NODE_NODE_H

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/random.h"

struct vg_access;
struct vg_directory;
struct vg_ingest;
struct vg_settings;
struct vg_store;
struct vg_table;

struct vg_node {
    const struct vg_settings *settings;
    const struct vg_clock *clock;
    struct vg_random *random;
    struct vg_store *store;
    struct vg_directory *directory;
    struct vg_access *access;
    struct vg_ingest *ingest;
    struct vg_table *table; /* of events */
};

#endif
