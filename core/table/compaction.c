/*
 * Compaction, in three parts like a checkpoint.
 *
 * Begin, on the writer's thread, chooses sealed chunks and copies their deaths as of now: that is
 * the snapshot the rest works from, and no view of the store is held for it. Run puts the rows that
 * live into the order of their timestamps and writes as few chunks as hold them, evenly filled.
 *
 * Finish, on the writer's thread again, brings them up to date: rows that died since then are dead
 * in their copies from the same sequence on, and an entry of the id map follows its row only if it
 * still names it. Then one publication shows the new chunks instead of the old ones. A reader of an
 * older one goes on with the old chunks, whose deaths end where it stands.
 *
 * All that can fail comes before the first change; until the publication nothing has happened but
 * files that nobody names.
 */
#include "core/table/compaction.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/chunk_copy.h"
#include "core/table/chunk_file.h"
#include "core/table/table_breaks.h"
#include "core/table/table_parts.h"

/* A row that was dead when the compaction began has no copy. */
#define NOWHERE UINT32_MAX

/* Entries of the id map fetched ahead: each is a cache miss, and the writer waits. */
#define IDS_AHEAD 16u

struct vg_compaction_source {
    struct vg_chunk *chunk; /* a reference of the writer's */
    uint64_t *dead;         /* when the compaction began; one bit per row */
    uint32_t *copies;       /* by position: which row of the compaction it became */
    struct vg_obsolete *file;
};

struct vg_compaction_output {
    uint32_t number;
    uint32_t first; /* of the compaction's rows */
    uint32_t rows;
    bool is_written; /* the file may be there */
    struct vg_chunk *sealed;
};

struct vg_compaction {
    struct vg_table *table;
    struct vg_table_kind *kind;
    uint64_t generation;
    uint32_t source_count;
    uint32_t output_count;
    struct vg_compaction_source sources[VG_COMPACTION_CHUNKS_MAX];
    struct vg_compaction_output outputs[VG_COMPACTION_CHUNKS_MAX];
    uint32_t row_count; /* that live */
    uint32_t dropped;
    struct vg_row_origin *rows; /* in order of time, once run */
    uint64_t *hashes;           /* of their ids */
    bool done;
};

static uint32_t time_column(const struct vg_table_schema *schema)
{
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (schema->columns[i].kind == VG_COLUMN_TIME) {
            return i;
        }
    }
    return UINT32_MAX;
}

/* ---- choosing */

/* Which chunks of `kind` are worth rewriting, as places in its list. False without memory. */
static bool choose(
    const struct vg_table *table,
    const struct vg_table_kind *kind,
    uint32_t out_chosen[VG_COMPACTION_CHUNKS_MAX],
    uint32_t *out_count)
{
    struct vg_compaction_candidate *candidates =
        calloc((size_t)kind->list->count + 1, sizeof(*candidates));
    if (candidates == NULL) {
        return false;
    }
    uint32_t column = time_column(kind->schema);
    uint32_t count = 0;
    for (uint32_t i = 0; i < kind->list->count; i++) {
        const struct vg_chunk *chunk = kind->list->chunks[i];
        if (chunk->form != VG_CHUNK_SEALED) {
            continue;
        }
        struct vg_compaction_candidate *candidate = &candidates[count++];
        candidate->index = i;
        candidate->rows = chunk->rows;
        candidate->settled = vg_deaths_settled(chunk->deaths);
        candidate->dead = vg_deaths_total(chunk->deaths);
        if (column != UINT32_MAX) {
            const struct vg_zone *zone = chunk->columns[column].zone;
            bool has_times = zone->min <= zone->max;
            candidate->min = has_times ? zone->min : 0;
            candidate->max = has_times ? zone->max : 0;
        }
    }
    *out_count = vg_compaction_plan_choose(candidates, count, table->limits.chunk_rows, out_chosen);
    free(candidates);
    return true;
}

static bool may_begin(const struct vg_table *table, const struct vg_table_kind *kind)
{
    return atomic_load(&table->state) == VG_TABLE_RUNNING && kind->compaction == NULL &&
           table->obsolete_bytes < table->limits.obsolete_bytes;
}

bool vg_table_wants_compaction(struct vg_table *table, uint32_t *out_kind)
{
    uint32_t chosen[VG_COMPACTION_CHUNKS_MAX];
    uint32_t count = 0;
    table->wants_compaction = false;
    for (uint32_t i = 0; i < table->config.kind_count && !table->wants_compaction; i++) {
        if (may_begin(table, &table->kinds[i]) && choose(table, &table->kinds[i], chosen, &count) &&
            count > 0) {
            table->wants_compaction = true;
            *out_kind = i;
        }
    }
    return table->wants_compaction;
}

/* ---- begin */

static void free_compaction(struct vg_compaction *compaction)
{
    for (uint32_t i = 0; i < compaction->source_count; i++) {
        vg_chunk_unref(compaction->sources[i].chunk);
        free(compaction->sources[i].dead);
        free(compaction->sources[i].copies);
        free(compaction->sources[i].file);
    }
    for (uint32_t i = 0; i < compaction->output_count; i++) {
        vg_chunk_unref(compaction->outputs[i].sealed);
    }
    free(compaction->rows);
    free(compaction->hashes);
    free(compaction);
}

static bool collect_source(struct vg_compaction *compaction, struct vg_chunk *chunk)
{
    struct vg_compaction_source *source = &compaction->sources[compaction->source_count++];
    uint32_t words = vg_deaths_words(chunk->deaths);
    source->chunk = vg_chunk_ref(chunk);
    source->dead = calloc(words, sizeof(uint64_t));
    source->copies = calloc(chunk->rows, sizeof(uint32_t));
    source->file = calloc(1, sizeof(*source->file));
    if (source->dead == NULL || source->copies == NULL || source->file == NULL) {
        return false;
    }
    uint32_t dead = 0;
    if (vg_deaths_mark(chunk->deaths, compaction->table->sequence, source->dead)) {
        for (uint32_t word = 0; word < words; word++) {
            dead += (uint32_t)__builtin_popcountll(source->dead[word]);
        }
    }
    compaction->row_count += chunk->rows - dead;
    compaction->dropped += dead;
    return true;
}

/* As few chunks as hold the rows, evenly filled: a small rest would soon be rewritten again. */
static void plan_outputs(struct vg_compaction *compaction)
{
    /* Chunks may be from a time of larger ones. */
    uint32_t chunk_rows = compaction->table->limits.chunk_rows;
    for (uint32_t i = 0; i < compaction->source_count; i++) {
        uint32_t rows = compaction->sources[i].chunk->rows;
        chunk_rows = rows > chunk_rows ? rows : chunk_rows;
    }
    uint32_t count = (compaction->row_count + chunk_rows - 1) / chunk_rows;
    VG_ASSERT(count <= compaction->source_count);
    for (uint32_t i = 0; i < count; i++) {
        struct vg_compaction_output *output = &compaction->outputs[i];
        output->first = (uint32_t)((uint64_t)compaction->row_count * i / count);
        output->rows =
            (uint32_t)((uint64_t)compaction->row_count * (i + 1) / count) - output->first;
        output->number = vg_table_take_number(compaction->table, compaction->kind);
    }
    compaction->output_count = count;
}

static struct vg_compaction *make_compaction(
    struct vg_table *table,
    struct vg_table_kind *kind,
    const uint32_t *chosen,
    uint32_t count)
{
    struct vg_compaction *compaction = calloc(1, sizeof(*compaction));
    if (compaction == NULL) {
        return NULL;
    }
    compaction->table = table;
    compaction->kind = kind;
    bool collected = true;
    for (uint32_t i = 0; i < count && collected; i++) {
        collected = collect_source(compaction, kind->list->chunks[chosen[i]]);
    }
    compaction->rows = calloc((size_t)compaction->row_count + 1, sizeof(*compaction->rows));
    compaction->hashes = calloc((size_t)compaction->row_count + 1, sizeof(*compaction->hashes));
    if (!collected || compaction->rows == NULL || compaction->hashes == NULL) {
        free_compaction(compaction);
        return NULL;
    }
    return compaction;
}

enum vg_reason vg_table_compaction_begin(
    struct vg_table *table,
    uint32_t kind,
    struct vg_compaction **out_compaction,
    struct vg_error *error)
{
    VG_ASSERT(!table->prepared && kind < table->config.kind_count);
    struct vg_table_kind *parts = &table->kinds[kind];
    VG_ASSERT(parts->compaction == NULL);
    if (atomic_load(&table->state) != VG_TABLE_RUNNING) {
        return vg_error_set(error, VG_STORE_UNAVAILABLE, "the table does not run");
    }
    if (!may_begin(table, parts)) {
        return vg_error_set(error, VG_OVERLOADED, "old snapshots hold too many old files");
    }
    uint32_t chosen[VG_COMPACTION_CHUNKS_MAX];
    uint32_t count = 0;
    bool chose = choose(table, parts, chosen, &count);
    struct vg_compaction *compaction = NULL;
    if (chose && count > 0) {
        compaction = make_compaction(table, parts, chosen, count);
    }
    if (!chose || (count > 0 && compaction == NULL)) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a compaction");
    }
    if (compaction != NULL) {
        compaction->generation = table->generation++;
        plan_outputs(compaction);
        parts->compaction = compaction;
    }
    *out_compaction = compaction;
    return VG_OK;
}

/* ---- run */

static int compare_origins(const void *left, const void *right)
{
    const struct vg_row_origin *a = left;
    const struct vg_row_origin *b = right;
    if (a->time != b->time) {
        return a->time < b->time ? -1 : 1;
    }
    if (a->source != b->source) {
        return a->source < b->source ? -1 : 1;
    }
    return (a->position > b->position) - (a->position < b->position);
}

static void order_rows(struct vg_compaction *compaction)
{
    uint32_t column = time_column(compaction->kind->schema);
    uint32_t count = 0;
    for (uint32_t i = 0; i < compaction->source_count; i++) {
        const struct vg_compaction_source *source = &compaction->sources[i];
        for (uint32_t row = 0; row < source->chunk->rows; row++) {
            source->copies[row] = NOWHERE;
            if ((source->dead[row / 64] >> row % 64 & 1) == 0) {
                compaction->rows[count++] = (struct vg_row_origin){
                    .time = column == UINT32_MAX ? 0 : vg_chunk_number(source->chunk, column, row),
                    .source = i,
                    .position = row,
                };
            }
        }
    }
    VG_ASSERT(count == compaction->row_count);
    if (count > 0) {
        qsort(compaction->rows, count, sizeof(compaction->rows[0]), compare_origins);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct vg_row_origin *origin = &compaction->rows[i];
        const struct vg_compaction_source *source = &compaction->sources[origin->source];
        source->copies[origin->position] = i;
        compaction->hashes[i] = vg_table_stored_hash(
            compaction->table,
            compaction->kind,
            source->chunk,
            origin->position);
    }
}

static enum vg_reason write_output(
    struct vg_compaction *compaction,
    struct vg_compaction_output *output,
    struct vg_error *error)
{
    const struct vg_chunk *sources[VG_COMPACTION_CHUNKS_MAX] = { NULL };
    for (uint32_t i = 0; i < compaction->source_count; i++) {
        sources[i] = compaction->sources[i].chunk;
    }
    struct vg_chunk *closed = vg_chunk_copy_rows(
        sources,
        compaction->source_count,
        compaction->rows + output->first,
        output->rows,
        output->number);
    if (closed == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a compaction");
    }
    struct vg_disk *disk = compaction->table->disk;
    struct vg_chunk_file file = {
        .schema = closed->schema,
        .dictionaries = closed->dictionaries,
        .number = output->number,
        .rows = output->rows,
        .generation = compaction->generation,
        .is_ours = true,
    };
    output->is_written = true;
    enum vg_reason reason =
        vg_chunk_file_write(disk, closed, compaction->generation, &file.mark, error);
    vg_chunk_unref(closed);
    if (reason != VG_OK) {
        return reason;
    }
    output->sealed = vg_chunk_file_open(disk, &file, NULL);
    return output->sealed != NULL
               ? VG_OK
               : vg_error_set(error, VG_STORE_IO, "a chunk file cannot be mapped");
}

enum vg_reason vg_compaction_run(struct vg_compaction *compaction, struct vg_error *error)
{
    enum vg_reason reason = VG_OK;
    order_rows(compaction);
    for (uint32_t i = 0; i < compaction->output_count && reason == VG_OK; i++) {
        if (atomic_load(&compaction->table->state) != VG_TABLE_RUNNING) {
            return vg_error_set(error, VG_STORE_UNAVAILABLE, "the table was stopped");
        }
        reason = write_output(compaction, &compaction->outputs[i], error);
    }
    compaction->done = reason == VG_OK;
    return reason;
}

/* ---- finish */

/* Deaths since the compaction began, in the place of the copy. */
struct carrying {
    struct vg_compaction *compaction;
    const struct vg_compaction_source *source;
    bool reserves; /* else adds what has been reserved */
    bool failed;
};

static struct vg_compaction_output *output_of(struct vg_compaction *compaction, uint32_t row)
{
    uint32_t i = 0;
    while (row >= compaction->outputs[i].first + compaction->outputs[i].rows) {
        i++;
    }
    return &compaction->outputs[i];
}

static void carry_death(void *owner, uint32_t position, uint64_t sequence)
{
    struct carrying *carrying = owner;
    struct vg_compaction *compaction = carrying->compaction;
    uint32_t copy = carrying->source->copies[position];
    VG_ASSERT(copy != NOWHERE); /* those dead from the beginning are known, and not told */
    struct vg_compaction_output *output = output_of(compaction, copy);
    if (carrying->reserves) {
        carrying->failed = carrying->failed || !vg_deaths_reserve(output->sealed->deaths);
    } else {
        vg_deaths_add(output->sealed->deaths, copy - output->first, sequence);
        compaction->table->unsettled++;
    }
}

static bool carry_deaths(struct vg_compaction *compaction, bool reserves)
{
    struct carrying carrying = { .compaction = compaction, .reserves = reserves };
    for (uint32_t i = 0; i < compaction->source_count && !VG_BROKEN(COMPACTION_LOSES_DEATHS); i++) {
        carrying.source = &compaction->sources[i];
        const struct vg_deaths *deaths = carrying.source->chunk->deaths;
        vg_deaths_walk(deaths, carrying.source->dead, carry_death, &carrying);
    }
    return !carrying.failed;
}

static bool make_deaths(struct vg_compaction *compaction)
{
    struct vg_table *table = compaction->table;
    for (uint32_t i = 0; i < compaction->output_count; i++) {
        struct vg_compaction_output *output = &compaction->outputs[i];
        output->sealed->deaths = vg_deaths_create(output->rows, &table->epoch, &table->retired);
        if (output->sealed->deaths == NULL) {
            return false;
        }
    }
    return carry_deaths(compaction, true);
}

static bool is_source(const struct vg_compaction *compaction, const struct vg_chunk *chunk)
{
    for (uint32_t i = 0; i < compaction->source_count; i++) {
        if (compaction->sources[i].chunk == chunk) {
            return true;
        }
    }
    return false;
}

/* The list with the new chunks where the first of the old ones stood. NULL without memory. */
static struct vg_chunk_list *make_list(const struct vg_compaction *compaction)
{
    struct vg_chunk *outputs[VG_COMPACTION_CHUNKS_MAX] = { NULL };
    for (uint32_t i = 0; i < compaction->output_count; i++) {
        outputs[i] = compaction->outputs[i].sealed;
    }
    const struct vg_chunk_list *list = compaction->kind->list;
    struct vg_chunk_list *made = vg_chunk_list_sized(
        list->count - compaction->source_count + compaction->output_count,
        list->has_tail);
    if (made == NULL) {
        return NULL;
    }
    uint32_t count = 0;
    bool placed = false;
    for (uint32_t i = 0; i < list->count; i++) {
        if (!is_source(compaction, list->chunks[i])) {
            made->chunks[count++] = vg_chunk_ref(list->chunks[i]);
            continue;
        }
        for (uint32_t o = 0; !placed && o < compaction->output_count; o++) {
            made->chunks[count++] = vg_chunk_ref(outputs[o]);
        }
        placed = true;
    }
    VG_ASSERT(count == made->count);
    return made;
}

static void move_ids(struct vg_compaction *compaction)
{
    struct vg_id_map *ids = &compaction->kind->ids;
    for (uint32_t i = 0; i < compaction->output_count; i++) {
        const struct vg_compaction_output *output = &compaction->outputs[i];
        for (uint32_t row = 0; row < output->rows; row++) {
            uint32_t copy = output->first + row;
            if (copy + IDS_AHEAD < compaction->row_count) {
                vg_id_map_prefetch(ids, compaction->hashes[copy + IDS_AHEAD]);
            }
            const struct vg_row_origin *origin = &compaction->rows[copy];
            const struct vg_row_place from = {
                .chunk = compaction->sources[origin->source].chunk->number,
                .position = origin->position,
            };
            const struct vg_row_place to = { .chunk = output->number, .position = row };
            (void)vg_id_map_move_found(ids, compaction->hashes[copy], from, to);
        }
    }
}

/* From here on nothing fails. */
static void replace_chunks(struct vg_compaction *compaction, struct vg_chunk_list *taken_list)
{
    struct vg_table *table = compaction->table;
    struct vg_table_kind *kind = compaction->kind;
    (void)carry_deaths(compaction, false);
    move_ids(compaction);
    for (uint32_t i = 0; i < compaction->output_count; i++) {
        struct vg_compaction_output *output = &compaction->outputs[i];
        vg_deaths_forget(output->sealed->deaths);
        kind->by_number[output->number] = output->sealed;
    }
    for (uint32_t i = 0; i < compaction->source_count; i++) {
        struct vg_compaction_source *source = &compaction->sources[i];
        table->unsettled -= vg_deaths_logged(source->chunk->deaths);
        vg_table_free_number(kind, source->chunk->number);
        vg_chunk_file_name(
            source->file->name,
            kind->schema,
            source->chunk->number,
            source->chunk->generation);
        source->file->named_by = source->chunk->named_by;
        source->file->chunk = vg_chunk_ref(source->chunk);
        vg_obsolete_add(table, source->file);
        source->file = NULL;
    }
    vg_chunk_list_unref(kind->list);
    kind->list = taken_list;
    table->unnamed_chunks += compaction->output_count;
}

static bool install(struct vg_compaction *compaction)
{
    struct vg_chunk_list *list = make_deaths(compaction) ? make_list(compaction) : NULL;
    if (list == NULL) {
        return false;
    }
    replace_chunks(compaction, list);
    (void)vg_publication_again(compaction->table); /* else the next batch shows it */
    return true;
}

/* Nothing names these files, so they can go at once; what cannot be removed goes with the next
 * start. */
static void remove_outputs(struct vg_compaction *compaction)
{
    char name[VG_DISK_NAME_SIZE];
    for (uint32_t i = 0; i < compaction->output_count; i++) {
        struct vg_compaction_output *output = &compaction->outputs[i];
        if (output->is_written) {
            vg_chunk_file_name(
                name,
                compaction->kind->schema,
                output->number,
                compaction->generation);
            (void)!vg_disk_remove(compaction->table->disk, name, NULL);
        }
        vg_table_free_number(compaction->kind, output->number);
    }
}

void vg_table_compaction_finish(
    struct vg_table *table,
    struct vg_compaction *taken_compaction,
    struct vg_compacted *out_compacted)
{
    struct vg_compaction *compaction = taken_compaction;
    struct vg_compacted compacted = { 0 };
    VG_ASSERT(!table->prepared && compaction->kind->compaction == compaction);
    compaction->kind->compaction = NULL;
    if (compaction->done && atomic_load(&table->state) == VG_TABLE_RUNNING && install(compaction)) {
        compacted = (struct vg_compacted){
            .chunks_in = compaction->source_count,
            .chunks_out = compaction->output_count,
            .rows = compaction->row_count,
            .rows_dropped = compaction->dropped,
        };
    } else {
        remove_outputs(compaction);
    }
    free_compaction(compaction);
    *out_compacted = compacted;
}
