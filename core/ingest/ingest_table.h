/*
 * The shard's table as its writer sees it: the calls of core/table/table.h that one batch makes, as
 * a table of functions, so that the writer's own tests need no columns.
 *
 * Threads: the writer's.
 */
#ifndef VG_CORE_INGEST_INGEST_TABLE_H
#define VG_CORE_INGEST_INGEST_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/store/store.h"
#include "core/table/row.h"
#include "core/table/table.h"

struct vg_ingest_table {
    /* As vg_table_foresee, _has, _prepare, _cancel, _publish, _stop and _maintain. */
    uint64_t (*foresee)(struct vg_ingest_table *self, uint32_t kind, const struct vg_row *identity);
    bool (*has)(
        struct vg_ingest_table *self,
        uint32_t kind,
        const struct vg_row *identity,
        uint64_t id_hash);
    enum vg_reason (*prepare)(
        struct vg_ingest_table *self,
        const struct vg_table_change *changes,
        uint32_t count,
        struct vg_error *error);
    void (*cancel)(struct vg_ingest_table *self);
    void (*publish)(
        struct vg_ingest_table *self,
        uint64_t sequence,
        struct vg_store_view *taken_view);
    void (*stop)(struct vg_ingest_table *self);
    void (*maintain)(struct vg_ingest_table *self);
    /* As vg_table_is_behind: the next batch had better wait for a checkpoint. */
    bool (*is_behind)(struct vg_ingest_table *self);
};

/* The real one. */
struct vg_ingest_columns {
    struct vg_ingest_table self;
    struct vg_table *table;
};

/* `table` must outlive it. */
void vg_ingest_columns_init(struct vg_ingest_columns *columns, struct vg_table *table);

#endif
