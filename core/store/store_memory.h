/*
 * The store in memory: the model every other backend is compared with, and the store of tests. It
 * keeps versions, so views work as on LevelDB; nothing outlives vg_store_close.
 *
 * Threads: as core/store/store.h says.
 */
#ifndef VG_CORE_STORE_STORE_MEMORY_H
#define VG_CORE_STORE_STORE_MEMORY_H

#include "core/store/store.h"

/* An empty store of `shard_count` shards. Aborts without memory, here and in every write. */
struct vg_store *vg_store_memory_open(uint32_t shard_count);

#endif
