#include "core/ingest/ingest_table.h"

#include "core/base/compiler.h"

static struct vg_table *table_of(struct vg_ingest_table *self)
{
    return VG_CONTAINER_OF(self, struct vg_ingest_columns, self)->table;
}

static uint64_t columns_foresee(
    struct vg_ingest_table *self,
    uint32_t kind,
    const struct vg_row *identity)
{
    return vg_table_foresee(table_of(self), kind, identity);
}

static bool columns_has(
    struct vg_ingest_table *self,
    uint32_t kind,
    const struct vg_row *identity,
    uint64_t id_hash)
{
    return vg_table_has(table_of(self), kind, identity, id_hash);
}

static enum vg_reason columns_prepare(
    struct vg_ingest_table *self,
    const struct vg_table_change *changes,
    uint32_t count,
    struct vg_error *error)
{
    return vg_table_prepare(table_of(self), changes, count, error);
}

static void columns_cancel(struct vg_ingest_table *self)
{
    vg_table_cancel(table_of(self));
}

static void columns_publish(
    struct vg_ingest_table *self,
    uint64_t sequence,
    struct vg_store_view *taken_view)
{
    vg_table_publish(table_of(self), sequence, taken_view);
}

static void columns_stop(struct vg_ingest_table *self)
{
    vg_table_stop(table_of(self));
}

static void columns_maintain(struct vg_ingest_table *self)
{
    vg_table_maintain(table_of(self));
}

static bool columns_is_behind(struct vg_ingest_table *self)
{
    return vg_table_is_behind(table_of(self));
}

void vg_ingest_columns_init(struct vg_ingest_columns *columns, struct vg_table *table)
{
    *columns = (struct vg_ingest_columns){
        .self = {
            .foresee = columns_foresee,
            .has = columns_has,
            .prepare = columns_prepare,
            .cancel = columns_cancel,
            .publish = columns_publish,
            .stop = columns_stop,
            .maintain = columns_maintain,
            .is_behind = columns_is_behind,
        },
        .table = table,
    };
}
