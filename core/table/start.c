/*
 * Start: the checkpoint and the change log behind it, or a rebuild from the records.
 *
 * Replay collects the ids that changed after the manifest's sequence, each once. For each, the row
 * that the id map names dies and the record as it is now gets a row; a record that is not there any
 * more was deleted, so no tombstones are kept. All of it is published at once, at `state`'s
 * sequence.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/store/store.h"
#include "core/table/manifest.h"
#include "core/table/table_breaks.h"
#include "core/table/table_parts.h"

#define PROGRESS_ROWS 65536u

struct vg_replay_id {
    uint32_t kind;
    struct vg_bytes id;
};

struct vg_table_replay {
    struct vg_table *table;
    struct vg_arena arena;
    struct vg_replay_id *ids;
    uint32_t count;
    uint32_t capacity;
    uint64_t last;   /* sequence */
    bool unreadable; /* the log does not hold what it must: rebuild */
};

struct vg_table_rebuild {
    struct vg_table *table;
    const struct vg_table_start *start;
    uint64_t rows;
    uint64_t birth; /* rows are not older than this */
};

/* Files for chunks that are full, so that a start needs no more memory than running does. */
static enum vg_reason make_room(struct vg_table *table, struct vg_error *error)
{
    if (vg_table_closed_count(table) < table->limits.closed_chunks) {
        return VG_OK;
    }
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        struct vg_table_kind *kind = &table->kinds[i];
        vg_table_close_full(kind);
        uint32_t full = kind->list->count - (kind->list->has_tail ? 1 : 0);
        for (uint32_t c = 0; c < full; c++) {
            struct vg_chunk *closed = kind->list->chunks[c];
            if (closed->form == VG_CHUNK_SEALED) {
                continue;
            }
            struct vg_chunk_file file = {
                .schema = kind->schema,
                .dictionaries = kind->dictionaries,
                .number = closed->number,
                .rows = closed->rows,
                .generation = table->generation,
                .is_ours = true,
            };
            enum vg_reason reason =
                vg_chunk_file_write(table->disk, closed, file.generation, &file.mark, error);
            if (reason != VG_OK) {
                return reason;
            }
            struct vg_chunk *sealed = vg_chunk_file_open(table->disk, &file, NULL);
            if (sealed == NULL) {
                return vg_error_set(error, VG_STORE_IO, "a chunk file cannot be mapped");
            }
            sealed->deaths = vg_deaths_ref(closed->deaths);
            kind->list->chunks[c] = sealed; /* nobody reads yet */
            kind->by_number[sealed->number] = sealed;
            vg_chunk_unref(closed);
        }
    }
    table->generation++;
    return VG_OK;
}

static void kill_row(
    struct vg_table *table,
    struct vg_table_kind *kind,
    struct vg_row_place place,
    uint64_t sequence)
{
    struct vg_deaths *deaths = kind->by_number[place.chunk]->deaths;
    vg_deaths_add(deaths, place.position, sequence);
    vg_deaths_forget(deaths);
    table->unsettled++;
}

/* Make `row` the live row of its record; without `exists`, leave the record without one. */
static enum vg_reason take_record(
    struct vg_table_rebuild *rebuild,
    struct vg_table_kind *kind,
    const struct vg_row *row,
    bool exists,
    struct vg_error *error)
{
    struct vg_table *table = rebuild->table;
    uint64_t hash = vg_table_row_hash(table, kind, row->values);
    struct vg_row_place old;
    struct vg_row_place place;
    bool has_old = vg_table_find_row(kind, hash, row->values, &old);
    if ((has_old && !vg_deaths_reserve(kind->by_number[old.chunk]->deaths)) ||
        !vg_id_map_reserve(&kind->ids, 1)) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory to start the table");
    }
    if (has_old) {
        kill_row(table, kind, old, rebuild->start->sequence);
        vg_id_map_remove(&kind->ids, hash, old);
        kind->live--;
    }
    if (!exists) {
        return VG_OK;
    }
    enum vg_reason reason = make_room(table, error);
    if (reason == VG_OK) {
        reason = vg_table_append_row(table, kind, row, &place, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_chunk *chunk = kind->by_number[place.chunk];
    if (chunk->first_sequence == 0) {
        chunk->first_sequence = rebuild->birth;
    }
    vg_id_map_add(&kind->ids, hash, place);
    kind->live++;
    return VG_OK;
}

enum vg_reason vg_table_rebuild_add(
    struct vg_table_rebuild *rebuild,
    uint32_t kind,
    const struct vg_row *row,
    struct vg_error *error)
{
    struct vg_table *table = rebuild->table;
    VG_ASSERT(kind < table->config.kind_count);
    const struct vg_table_source *source = rebuild->start->source;
    rebuild->rows++;
    if (source->progress != NULL && rebuild->rows % PROGRESS_ROWS == 0) {
        source->progress(source->owner, rebuild->rows);
    }
    return take_record(rebuild, &table->kinds[kind], row, true, error);
}

enum vg_reason vg_table_replay_sequence(
    struct vg_table_replay *replay,
    uint64_t sequence,
    struct vg_error *error)
{
    if (sequence != replay->last + 1) {
        replay->unreadable = true;
        return vg_error_set(error, VG_STORE_CORRUPT, "the change log has a gap");
    }
    replay->last = sequence;
    return VG_OK;
}

enum vg_reason vg_table_replay_id(
    struct vg_table_replay *replay,
    uint32_t kind,
    struct vg_bytes id,
    struct vg_error *error)
{
    struct vg_table *table = replay->table;
    if (kind >= table->config.kind_count || replay->count >= table->limits.log_ids) {
        replay->unreadable = true;
        return vg_error_set(error, VG_RESOURCE_LIMIT, "the change log is too long to replay");
    }
    if (replay->count == replay->capacity) {
        uint32_t capacity = replay->capacity == 0 ? 1024 : replay->capacity * 2;
        struct vg_replay_id *ids = realloc(replay->ids, capacity * sizeof(*ids));
        if (ids == NULL) {
            return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory to replay the change log");
        }
        replay->ids = ids;
        replay->capacity = capacity;
    }
    const char *copy = vg_arena_text(&replay->arena, id);
    if (copy == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory to replay the change log");
    }
    replay->ids[replay->count++] =
        (struct vg_replay_id){ .kind = kind, .id = vg_bytes(copy, id.size) };
    return VG_OK;
}

static int compare_ids(const void *left, const void *right)
{
    const struct vg_replay_id *a = left;
    const struct vg_replay_id *b = right;
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return vg_bytes_compare(a->id, b->id);
}

/* Every value absent, so that a source need set only what there is. */
static void clear_row(const struct vg_table_schema *schema, struct vg_value *values)
{
    memset(values, 0, schema->column_count * sizeof(*values));
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (schema->columns[i].kind == VG_COLUMN_TIME ||
            schema->columns[i].kind == VG_COLUMN_NUMBER) {
            values[i].number = VG_ABSENT;
        }
    }
}

static enum vg_reason apply_ids(
    struct vg_table_rebuild *rebuild,
    struct vg_table_replay *replay,
    uint64_t *out_ids,
    struct vg_error *error)
{
    const struct vg_table_source *source = rebuild->start->source;
    struct vg_value values[VG_TABLE_COLUMNS_MAX];
    struct vg_row row = { .values = values };
    if (replay->count > 0) {
        qsort(replay->ids, replay->count, sizeof(replay->ids[0]), compare_ids);
    }
    for (uint32_t i = 0; i < replay->count; i++) {
        const struct vg_replay_id *id = &replay->ids[i];
        if (i > 0 && compare_ids(id, id - 1) == 0) {
            continue;
        }
        struct vg_table_kind *kind = &rebuild->table->kinds[id->kind];
        bool exists = false;
        clear_row(kind->schema, values);
        enum vg_reason reason = source->load(source->owner, id->kind, id->id, &row, &exists, error);
        if (reason == VG_OK) {
            reason = take_record(rebuild, kind, &row, exists, error);
        }
        if (reason != VG_OK) {
            return reason;
        }
        (*out_ids)++;
    }
    return VG_OK;
}

/* started->rebuilt is set when the log cannot continue this checkpoint. */
static enum vg_reason replay_log(
    struct vg_table *table,
    const struct vg_table_start *start,
    uint64_t after,
    struct vg_table_started *started,
    struct vg_error *error)
{
    struct vg_table_replay replay = { .table = table, .last = after };
    struct vg_table_rebuild rebuild = { .table = table, .start = start, .birth = after + 1 };
    vg_arena_init(&replay.arena, SIZE_MAX / 2);
    enum vg_reason reason = VG_OK;
    if (after < start->sequence) {
        reason = start->source->replay(start->source->owner, after, &replay, error);
    }
    if (replay.unreadable || (reason == VG_OK && replay.last != start->sequence)) {
        started->rebuilt = true;
        reason = VG_OK;
        (void)snprintf(
            started->reason,
            sizeof(started->reason),
            "the change log does not hold all that came after the checkpoint");
    } else if (reason == VG_OK) {
        reason = apply_ids(&rebuild, &replay, &started->replayed_ids, error);
    }
    free(replay.ids);
    vg_arena_dispose(&replay.arena);
    return reason;
}

/* A rejected manifest must be gone, for good, before the first new write: else a later start could
 * find it beside a store that has grown to its sequence and believe it. */
static enum vg_reason reject_checkpoint(struct vg_table *table, struct vg_error *error)
{
    if (VG_BROKEN(KEEP_REJECTED_MANIFEST)) {
        return VG_OK;
    }
    enum vg_reason reason = vg_disk_remove(table->disk, VG_MANIFEST_NAME, error);
    if (reason == VG_OK) {
        reason = vg_disk_sync_folder(table->disk, error);
    }
    if (reason == VG_OK && !vg_manifest_sweep(table->disk, NULL, true, &table->config)) {
        reason = vg_error_set(error, VG_STORE_IO, "old files of the table cannot be removed");
    }
    return reason;
}

static enum vg_reason rebuild_rows(
    struct vg_table *table,
    const struct vg_table_start *start,
    struct vg_error *error)
{
    struct vg_table_rebuild rebuild = { .table = table, .start = start, .birth = 1 };
    table->checkpoint_sequence = 0;
    table->has_checkpoint = false;
    table->manifest_generation = 0;
    vg_table_clear(table);
    if (!vg_table_init_kinds(table)) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory to start the table");
    }
    enum vg_reason reason = reject_checkpoint(table, error);
    if (reason == VG_OK) {
        reason = start->source->scan(start->source->owner, &rebuild, error);
    }
    /* When they were born is not known, so they must not stay in a tail: no checkpoint could pass
     * them by. */
    for (uint32_t i = 0; reason == VG_OK && i < table->config.kind_count; i++) {
        vg_table_close_full(&table->kinds[i]);
        if (!vg_table_close_tail(&table->kinds[i])) {
            reason = vg_error_set(error, VG_RESOURCE_LIMIT, "no memory to start the table");
        }
    }
    return reason;
}

static enum vg_reason fill_table(
    struct vg_table *table,
    const struct vg_table_start *start,
    struct vg_table_started *started,
    struct vg_error *error)
{
    uint64_t after = 0;
    enum vg_reason reason = VG_OK;
    if (!vg_table_init_kinds(table)) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory to start the table");
    }
    started->rebuilt =
        !vg_table_load(table, start->sequence, &after, started->reason, sizeof(started->reason));
    if (!started->rebuilt) {
        table->checkpoint_sequence = after;
        table->has_checkpoint = true;
        reason = replay_log(table, start, after, started, error);
    }
    if (reason == VG_OK && started->rebuilt) {
        started->replayed_ids = 0;
        reason = rebuild_rows(table, start, error);
    }
    return reason;
}

enum vg_reason vg_table_start(
    struct vg_table *table,
    const struct vg_table_start *start,
    struct vg_table_started *out_started,
    struct vg_error *error)
{
    VG_ASSERT(
        atomic_load(&table->state) != VG_TABLE_RUNNING && table->checkpoint == NULL &&
        vg_table_is_drained(table));
    struct vg_table_started started = { 0 };
    vg_table_clear(table);
    struct vg_published *next = vg_publication_create();
    enum vg_reason reason =
        next == NULL ? vg_error_set(error, VG_RESOURCE_LIMIT, "no memory to start the table")
                     : fill_table(table, start, &started, error);
    if (reason != VG_OK) {
        vg_table_clear(table);
        vg_store_view_release(start->view);
        free(next);
        return reason;
    }
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        vg_table_close_full(&table->kinds[i]);
        started.rows += table->kinds[i].live;
    }
    vg_publication_install(table, next, start->sequence, start->view);
    atomic_store(&table->state, VG_TABLE_RUNNING);
    *out_started = started;
    return VG_OK;
}
