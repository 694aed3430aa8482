/*
 * Record cache: packed records read one by one not long ago, by the row of the table they belong
 * to. A row is one version of one record and never changes, so nothing here is ever out of date:
 * an update makes another row. What has not been asked for the longest is overwritten first.
 *
 * LevelDB's own cache is of blocks, which it does not keep of files it has mapped; and a scattered
 * record costs it a search in the write buffer, in each new file and in one of every level.
 *
 * Memory is all taken at birth and touched as records come.
 *
 * Threads: any thread may read and add.
 */
#ifndef VG_CORE_EVENTS_RECORD_CACHE_H
#define VG_CORE_EVENTS_RECORD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"

/* Larger records are not kept. */
#define VG_RECORD_CACHE_RECORD_MAX (64u * 1024u)

/* A cache is not smaller than this, unless there is none. */
#define VG_RECORD_CACHE_LEAST (4u * 1024u * 1024u)

struct vg_record_cache;

/* A row: the chunk's serial and the position in it. */
struct vg_record_place {
    uint64_t serial;
    uint32_t position;
};

/* NULL for 0 bytes, and without memory: there is no cache then. */
struct vg_record_cache *vg_record_cache_create(size_t bytes);
void vg_record_cache_destroy(struct vg_record_cache *cache); /* accepts NULL */

/* Append the row's record to `out`; false when it is not there (or `out` failed: nothing is
 * appended). */
VG_MUST_USE bool vg_record_cache_read(
    struct vg_record_cache *cache,
    const struct vg_record_place *place,
    struct vg_buffer *out);

void vg_record_cache_add(
    struct vg_record_cache *cache,
    const struct vg_record_place *place,
    struct vg_bytes record);

#endif
