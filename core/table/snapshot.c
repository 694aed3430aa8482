#include "core/table/snapshot.h"

#include <stddef.h>

#include "core/base/assert.h"
#include "core/table/table_breaks.h"
#include "core/table/table_parts.h"

static enum vg_reason not_running(const struct vg_table *table, struct vg_error *error)
{
    return atomic_load(&table->state) == VG_TABLE_STARTING
               ? vg_error_set(error, VG_STARTING, NULL)
               : vg_error_set(error, VG_STORE_UNAVAILABLE, NULL);
}

/* The reference is taken inside the epoch: between loading the pointer and counting, the writer may
 * supersede the object, and must not free it. */
static struct vg_published *take_current(struct vg_table *table)
{
    unsigned slot = VG_BROKEN(ACQUIRE_WITHOUT_EPOCH) ? 0 : vg_epoch_enter(&table->epoch);
    struct vg_published *published = atomic_load(&table->current);
    VG_REACHED(ACQUIRE_LOADED);
    if (published != NULL) {
        VG_ASSERT(published->magic == VG_PUBLISHED_MAGIC);
        atomic_fetch_add(&published->refs, 1);
    }
    if (!VG_BROKEN(ACQUIRE_WITHOUT_EPOCH)) {
        vg_epoch_leave(&table->epoch, slot);
    }
    return published;
}

enum vg_reason vg_snapshot_acquire(
    struct vg_table *table,
    uint32_t age_max_ms,
    struct vg_snapshot *out_snapshot,
    struct vg_error *error)
{
    if (atomic_fetch_add(&table->open_snapshots, 1) >= table->limits.snapshots) {
        atomic_fetch_sub(&table->open_snapshots, 1);
        return vg_error_set(error, VG_OVERLOADED, NULL);
    }
    struct vg_published *published = take_current(table);
    if (published == NULL) {
        atomic_fetch_sub(&table->open_snapshots, 1);
        return not_running(table, error);
    }
    uint64_t age_ns = (uint64_t)age_max_ms * 1000000u;
    *out_snapshot = (struct vg_snapshot){
        .table = table,
        .published = published,
        .expires_ns = vg_clock_monotonic_ns(table->config.clock) + age_ns,
    };
    return VG_OK;
}

void vg_snapshot_release(struct vg_snapshot *snapshot)
{
    if (snapshot->published == NULL) {
        return;
    }
    struct vg_table *table = snapshot->table;
    atomic_fetch_sub(&snapshot->published->refs, 1);
    atomic_fetch_sub(&table->open_snapshots, 1);
    *snapshot = (struct vg_snapshot){ 0 };
}

enum vg_reason vg_snapshot_check(const struct vg_snapshot *snapshot, struct vg_error *error)
{
    struct vg_table *table = snapshot->table;
    VG_ASSERT(snapshot->published != NULL);
    if (atomic_load(&table->state) != VG_TABLE_RUNNING) {
        return not_running(table, error);
    }
    if (atomic_load(&snapshot->published->ended) ||
        vg_clock_monotonic_ns(table->config.clock) > snapshot->expires_ns) {
        return vg_error_set(error, VG_SNAPSHOT_EXPIRED, NULL);
    }
    return VG_OK;
}

struct vg_store_view *vg_snapshot_view(const struct vg_snapshot *snapshot)
{
    return snapshot->published->view;
}

uint64_t vg_snapshot_sequence(const struct vg_snapshot *snapshot)
{
    return snapshot->published->sequence;
}

uint64_t vg_snapshot_row_count(const struct vg_snapshot *snapshot, uint32_t kind)
{
    VG_ASSERT(kind < snapshot->published->kind_count);
    return snapshot->published->kinds[kind].live;
}
