/*
 * Where the table gets its rows from, of all kinds, at a start: the change log and the records.
 *
 * Threads: whoever starts the table.
 */
#ifndef VG_CORE_NODE_RECORD_SOURCE_H
#define VG_CORE_NODE_RECORD_SOURCE_H

#include "core/base/arena.h"
#include "core/store/store.h"
#include "core/table/table.h"

struct vg_record_source {
    struct vg_table_source source; /* hand this to the table */
    struct vg_store *store;
    uint32_t shard;
    const uint8_t *secret; /* 16 bytes */
    struct vg_arena arena; /* of the row handed over last */
    struct vg_store_value value;
    unsigned thread_count; /* that decode records in a rebuild, besides the caller */
    /* May be NULL. Asked now and then; once true, a start ends with CANCELLED. */
    bool (*gives_up)(void *owner);
    void *owner;
    uint32_t visited; /* records since it was asked */
};

/* `store` and `secret` are borrowed. */
void vg_record_source_init(
    struct vg_record_source *source,
    struct vg_store *store,
    uint32_t shard,
    const uint8_t *secret,
    unsigned thread_count);
void vg_record_source_dispose(struct vg_record_source *source);

#endif
