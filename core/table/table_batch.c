/*
 * One batch of the writer: all that can fail happens before the store's commit, in prepare, on rows
 * and slots nobody can see; publish only links them.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/table_parts.h"

uint64_t vg_table_foresee(struct vg_table *table, uint32_t kind, const struct vg_row *row)
{
    VG_ASSERT(kind < table->config.kind_count);
    const struct vg_table_kind *parts = &table->kinds[kind];
    uint64_t hash = vg_table_row_hash(table, parts, row->values);
    vg_id_map_prefetch(&parts->ids, hash);
    return hash;
}

static uint64_t known_hash(
    const struct vg_table *table,
    const struct vg_table_kind *kind,
    const struct vg_row *row,
    uint64_t id_hash)
{
    return id_hash != 0 ? id_hash : vg_table_row_hash(table, kind, row->values);
}

bool vg_table_has(struct vg_table *table, uint32_t kind, const struct vg_row *row, uint64_t id_hash)
{
    VG_ASSERT(kind < table->config.kind_count && !table->prepared);
    const struct vg_table_kind *parts = &table->kinds[kind];
    struct vg_row_place place;
    uint64_t hash = known_hash(table, parts, row, id_hash);
    return vg_table_find_row(parts, hash, row->values, &place);
}

static void save(struct vg_table_kind *kind)
{
    kind->saved_list = vg_chunk_list_ref(kind->list);
    kind->saved_tail_rows = kind->tail_rows;
    kind->prepared_new = 0;
}

static void drop_saved(struct vg_table_kind *kind)
{
    vg_chunk_list_unref(kind->saved_list);
    kind->saved_list = NULL;
}

static void restore(struct vg_table_kind *kind)
{
    for (uint32_t i = kind->saved_list->count; i < kind->list->count; i++) {
        vg_table_free_number(kind, kind->list->chunks[i]->number);
    }
    vg_chunk_list_unref(kind->list);
    kind->list = kind->saved_list;
    kind->saved_list = NULL;
    kind->tail_rows = kind->saved_tail_rows;
}

static void forget_reservations(struct vg_table *table)
{
    for (uint32_t i = 0; i < table->pending_count; i++) {
        const struct vg_pending *pending = &table->pending[i];
        if (pending->has_old) {
            vg_deaths_forget(table->kinds[pending->kind].by_number[pending->old.chunk]->deaths);
        }
    }
    table->pending_count = 0;
}

static void roll_back(struct vg_table *table)
{
    forget_reservations(table);
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        restore(&table->kinds[i]);
    }
    free(table->next);
    table->next = NULL;
    table->prepared = false;
}

static enum vg_reason reserve_batch(
    struct vg_table *table,
    uint32_t change_count,
    struct vg_error *error)
{
    if (change_count > table->pending_capacity) {
        struct vg_pending *pending =
            realloc(table->pending, change_count * sizeof(*table->pending));
        if (pending == NULL) {
            return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a batch");
        }
        table->pending = pending;
        table->pending_capacity = change_count;
    }
    table->next = vg_publication_create();
    if (table->next == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a batch");
    }
    return VG_OK;
}

#define CACHE_LINE 64u
#define ROWS_AHEAD 3u

/* The row of a change that will soon be prepared: another thread has made it, in its own cache. */
static void fetch_row(const struct vg_table *table, const struct vg_table_change *change)
{
    if (change->removes) {
        return;
    }
    const char *values = (const char *)change->row->values;
    size_t size = table->kinds[change->kind].schema->column_count * sizeof(struct vg_value);
    for (size_t at = 0; at < size; at += CACHE_LINE) {
        __builtin_prefetch(values + at);
    }
}

static enum vg_reason prepare_change(
    struct vg_table *table,
    const struct vg_table_change *change,
    struct vg_error *error)
{
    VG_ASSERT(change->kind < table->config.kind_count);
    struct vg_table_kind *kind = &table->kinds[change->kind];
    struct vg_pending pending = { .kind = change->kind, .removes = change->removes };
    pending.hash = known_hash(table, kind, change->row, change->id_hash);
    pending.has_old =
        !change->is_new && vg_table_find_row(kind, pending.hash, change->row->values, &pending.old);
    if (pending.has_old && !vg_deaths_reserve(kind->by_number[pending.old.chunk]->deaths)) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for deaths of rows");
    }
    table->pending[table->pending_count++] = pending;
    if (change->removes) {
        return VG_OK;
    }
    if (!pending.has_old && !vg_id_map_reserve(&kind->ids, ++kind->prepared_new)) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for the id map");
    }
    return vg_table_append_row(
        table,
        kind,
        change->row,
        &table->pending[table->pending_count - 1].row,
        error);
}

enum vg_reason vg_table_prepare(
    struct vg_table *table,
    const struct vg_table_change *changes,
    uint32_t change_count,
    struct vg_error *error)
{
    VG_ASSERT(!table->prepared);
    if (atomic_load(&table->state) != VG_TABLE_RUNNING) {
        return vg_error_set(error, VG_STORE_UNAVAILABLE, "the table does not run");
    }
    if (table->unsettled + change_count > table->limits.unsettled_deaths) {
        vg_table_maintain(table);
        if (table->unsettled + change_count > table->limits.unsettled_deaths) {
            return vg_error_set(error, VG_OVERLOADED, "old snapshots hold too many old rows");
        }
    }
    enum vg_reason reason = reserve_batch(table, change_count, error);
    if (reason != VG_OK) {
        return reason;
    }
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        save(&table->kinds[i]);
    }
    for (uint32_t i = 0; i < change_count && reason == VG_OK; i++) {
        if (change_count - i > ROWS_AHEAD) {
            fetch_row(table, &changes[i + ROWS_AHEAD]);
        }
        reason = prepare_change(table, &changes[i], error);
    }
    if (reason != VG_OK) {
        roll_back(table);
        return reason;
    }
    table->prepared = true;
    return VG_OK;
}

void vg_table_cancel(struct vg_table *table)
{
    VG_ASSERT(table->prepared);
    roll_back(table);
}

/* Deaths of what the change supersedes, and the id map. */
static void apply_change(
    struct vg_table *table,
    const struct vg_pending *pending,
    uint64_t sequence)
{
    struct vg_table_kind *kind = &table->kinds[pending->kind];
    if (pending->has_old) {
        vg_deaths_add(kind->by_number[pending->old.chunk]->deaths, pending->old.position, sequence);
        table->unsettled++;
    }
    if (pending->removes) {
        if (pending->has_old) {
            vg_id_map_remove(&kind->ids, pending->hash, pending->old);
            kind->live--;
        }
        return;
    }
    struct vg_chunk *chunk = kind->by_number[pending->row.chunk];
    if (chunk->first_sequence == 0) {
        chunk->first_sequence = sequence;
    }
    if (pending->has_old) {
        vg_id_map_move(&kind->ids, pending->hash, pending->old, pending->row);
    } else {
        vg_id_map_add(&kind->ids, pending->hash, pending->row);
        kind->live++;
    }
}

void vg_table_publish(struct vg_table *table, uint64_t sequence, struct vg_store_view *view)
{
    VG_ASSERT(table->prepared && sequence == table->sequence + 1);
    for (uint32_t i = 0; i < table->pending_count; i++) {
        apply_change(table, &table->pending[i], sequence);
    }
    forget_reservations(table);
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        vg_table_close_full(&table->kinds[i]);
        drop_saved(&table->kinds[i]);
    }
    struct vg_published *next = table->next;
    table->next = NULL;
    table->prepared = false;
    vg_publication_install(table, next, sequence, view);
}
