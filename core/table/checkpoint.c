/*
 * Checkpoint: the files from which a start need not rebuild.
 *
 * Begin, on the writer's thread, fixes what is written: all chunks but the tail, a copy of their
 * deaths as of now, and the sequence: one less than the lowest birth in the tail. Deaths noted
 * later belong to changes with a higher sequence, which the change log replays. Run writes: chunk
 * files and deaths, then the dictionaries (so that they hold every id in the chunks), syncs files
 * and folder, renames the manifest and syncs the folder. Finish puts the mapped files in the place
 * of the rows in memory; only then may the log be trimmed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/store/store.h"
#include "core/table/checksum.h"
#include "core/table/manifest.h"
#include "core/table/table_breaks.h"
#include "core/table/table_parts.h"

/* A checkpoint is made when so many chunks of compactions are in no manifest, also when more are to
 * come: until then the files they replace stay on disk, and a start compacts again. */
#define UNNAMED_CHUNKS_MAX 16u

struct vg_checkpoint_chunk {
    struct vg_chunk *chunk; /* a reference of the writer's */
    uint32_t kind;
    uint64_t *deaths; /* one bit per row; NULL = none */
    bool is_new;      /* has no file yet */
    bool is_written;  /* the file may be there */
    bool is_installed;
    struct vg_chunk *sealed; /* its mapped form */
    struct vg_file_mark mark;
    uint64_t generation;
};

struct vg_checkpoint {
    struct vg_table *table;
    uint64_t sequence;
    uint64_t generation;
    uint32_t unnamed_chunks; /* of compactions, that this one names */
    uint32_t chunk_count;
    bool renamed; /* the manifest on disk may be the new one */
    bool done;
    struct vg_checkpoint_chunk chunks[];
};

bool vg_table_wants_checkpoint(const struct vg_table *table)
{
    if (table->checkpoint != NULL || atomic_load(&table->state) != VG_TABLE_RUNNING) {
        return false;
    }
    bool has_chunks = false;
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        const struct vg_chunk_list *list = table->kinds[i].list;
        has_chunks |= list->count > (list->has_tail ? 1u : 0u);
    }
    return vg_table_closed_count(table) > 0 || (has_chunks && !table->has_checkpoint) ||
           table->sequence - table->checkpoint_sequence > table->limits.log_sequences ||
           (table->unnamed_chunks > 0 &&
            (!table->wants_compaction || table->unnamed_chunks >= UNNAMED_CHUNKS_MAX));
}

static bool close_tails(struct vg_table *table)
{
    bool closed = true;
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        closed = vg_table_close_tail(&table->kinds[i]) && closed;
    }
    /* Without the new publication readers see a tail in what is closed, which is the same rows. */
    return vg_publication_again(table) && closed;
}

static uint32_t sealable_count(const struct vg_table *table)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        const struct vg_chunk_list *list = table->kinds[i].list;
        count += list->count - (list->has_tail ? 1 : 0);
    }
    return count;
}

static bool collect_chunk(
    struct vg_checkpoint *checkpoint,
    const struct vg_table_kind *kind,
    struct vg_chunk *chunk)
{
    struct vg_checkpoint_chunk *part = &checkpoint->chunks[checkpoint->chunk_count++];
    part->kind = kind->index;
    part->chunk = vg_chunk_ref(chunk);
    part->is_new = chunk->form == VG_CHUNK_CLOSED;
    part->generation = part->is_new ? checkpoint->generation : chunk->generation;
    part->mark = (struct vg_file_mark){ .size = chunk->mapping_size, .checksum = chunk->checksum };
    chunk->named_by = checkpoint->generation;
    if (vg_deaths_total(chunk->deaths) == 0) {
        return true;
    }
    part->deaths = calloc(vg_deaths_words(chunk->deaths), sizeof(uint64_t));
    return part->deaths != NULL &&
           vg_deaths_mark(chunk->deaths, checkpoint->table->sequence, part->deaths);
}

/* Everything up to here is in the chunks that are collected. */
static uint64_t safe_sequence(const struct vg_table *table)
{
    uint64_t sequence = table->sequence;
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        const struct vg_chunk_list *list = table->kinds[i].list;
        if (list->has_tail && !VG_BROKEN(CHECKPOINT_TOO_NEW)) {
            uint64_t first = list->chunks[list->count - 1]->first_sequence;
            sequence = first - 1 < sequence ? first - 1 : sequence;
        }
    }
    return sequence;
}

static void free_checkpoint(struct vg_checkpoint *checkpoint)
{
    for (uint32_t i = 0; i < checkpoint->chunk_count; i++) {
        vg_chunk_unref(checkpoint->chunks[i].chunk);
        vg_chunk_unref(checkpoint->chunks[i].sealed);
        free(checkpoint->chunks[i].deaths);
    }
    free(checkpoint);
}

enum vg_reason vg_table_checkpoint_begin(
    struct vg_table *table,
    bool close_tail,
    struct vg_checkpoint **out_checkpoint,
    struct vg_error *error)
{
    VG_ASSERT(!table->prepared && table->checkpoint == NULL);
    if (atomic_load(&table->state) != VG_TABLE_RUNNING) {
        return vg_error_set(error, VG_STORE_UNAVAILABLE, "the table does not run");
    }
    bool log_is_long = table->sequence - table->checkpoint_sequence > table->limits.log_sequences;
    if ((close_tail || log_is_long) && !close_tails(table)) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a checkpoint");
    }
    struct vg_checkpoint *checkpoint =
        calloc(1, sizeof(*checkpoint) + sealable_count(table) * sizeof(checkpoint->chunks[0]));
    if (checkpoint == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a checkpoint");
    }
    checkpoint->table = table;
    checkpoint->generation = table->generation++;
    checkpoint->sequence = safe_sequence(table);
    checkpoint->unnamed_chunks = table->unnamed_chunks;
    bool collected = true;
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        const struct vg_table_kind *kind = &table->kinds[i];
        uint32_t count = kind->list->count - (kind->list->has_tail ? 1 : 0);
        for (uint32_t c = 0; c < count && collected; c++) {
            collected = collect_chunk(checkpoint, kind, kind->list->chunks[c]);
        }
    }
    if (!collected) {
        free_checkpoint(checkpoint);
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a checkpoint");
    }
    table->checkpoint = checkpoint;
    *out_checkpoint = checkpoint;
    return VG_OK;
}

static enum vg_reason write_chunk(
    struct vg_checkpoint *checkpoint,
    struct vg_checkpoint_chunk *part,
    struct vg_error *error)
{
    struct vg_disk *disk = checkpoint->table->disk;
    part->is_written = true;
    enum vg_reason reason =
        vg_chunk_file_write(disk, part->chunk, part->generation, &part->mark, error);
    if (reason != VG_OK) {
        return reason;
    }
    const struct vg_chunk_file file = {
        .schema = part->chunk->schema,
        .dictionaries = part->chunk->dictionaries,
        .number = part->chunk->number,
        .rows = part->chunk->rows,
        .generation = part->generation,
        .mark = part->mark,
        .is_ours = true,
    };
    part->sealed = vg_chunk_file_open(disk, &file, NULL);
    return part->sealed != NULL ? VG_OK
                                : vg_error_set(error, VG_STORE_IO, "a chunk file cannot be mapped");
}

static enum vg_reason write_file(
    struct vg_disk *disk,
    const char *name,
    struct vg_buffer *content,
    struct vg_file_mark *out_mark,
    struct vg_error *error)
{
    if (content->failed) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for %s", name);
    }
    struct vg_bytes bytes = vg_buffer_bytes(content);
    *out_mark = (struct vg_file_mark){ .size = bytes.size, .checksum = vg_checksum_add(0, bytes) };
    enum vg_reason reason = vg_disk_write(disk, name, bytes, error);
    return reason != VG_OK ? reason : vg_disk_sync(disk, name, error);
}

/* Per chunk of the manifest: how many deaths, and if any, the bitmap. */
static enum vg_reason write_deaths(
    struct vg_checkpoint *checkpoint,
    struct vg_manifest *manifest,
    struct vg_error *error)
{
    struct vg_buffer content;
    vg_buffer_init(&content, SIZE_MAX);
    vg_buffer_append(&content, &checkpoint->generation, sizeof(checkpoint->generation));
    for (uint32_t i = 0; i < checkpoint->chunk_count; i++) {
        const struct vg_checkpoint_chunk *part = &checkpoint->chunks[i];
        uint32_t words = part->deaths == NULL ? 0 : (part->chunk->rows + 63) / 64;
        vg_buffer_append(&content, &words, sizeof(words));
        vg_buffer_append(&content, part->deaths, words * sizeof(uint64_t));
    }
    char name[VG_DISK_NAME_SIZE];
    vg_manifest_deaths_name(name, checkpoint->generation);
    enum vg_reason reason =
        write_file(checkpoint->table->disk, name, &content, &manifest->deaths, error);
    vg_buffer_dispose(&content);
    return reason;
}

/* How many entries of a dictionary are written: all there are by now, more than the chunks need. */
static uint32_t dictionary_cut(const struct vg_table_kind *kind, uint32_t column)
{
    uint32_t count = vg_dictionary_count(&kind->dictionaries[column]);
#ifdef VG_TABLE_TEST
    if (VG_BROKEN(DICTIONARIES_FIRST)) {
        uint32_t *earlier = &vg_table_test.dictionary_counts[kind->index][column];
        uint32_t stale = *earlier < count ? *earlier : count;
        *earlier = count;
        return stale;
    }
#endif
    return count;
}

static enum vg_reason write_dictionaries(
    struct vg_checkpoint *checkpoint,
    struct vg_manifest *manifest,
    struct vg_error *error)
{
    struct vg_table *table = checkpoint->table;
    struct vg_buffer content;
    vg_buffer_init(&content, SIZE_MAX);
    vg_buffer_append(&content, &checkpoint->generation, sizeof(checkpoint->generation));
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        const struct vg_table_kind *kind = &table->kinds[i];
        for (uint32_t c = 0; c < kind->schema->column_count; c++) {
            if (kind->dictionaries[c].segments == NULL) {
                continue;
            }
            uint32_t count = dictionary_cut(kind, c);
            uint32_t beyond = vg_dictionary_has_beyond(&kind->dictionaries[c]);
            vg_buffer_append(&content, &count, sizeof(count));
            vg_buffer_append(&content, &beyond, sizeof(beyond));
            for (uint32_t id = 1; id <= count; id++) {
                struct vg_bytes entry = vg_dictionary_get(&kind->dictionaries[c], id);
                uint32_t size = (uint32_t)entry.size;
                vg_buffer_append(&content, &size, sizeof(size));
                vg_buffer_append(&content, entry.data, entry.size);
            }
        }
    }
    char name[VG_DISK_NAME_SIZE];
    vg_manifest_dictionaries_name(name, checkpoint->generation);
    enum vg_reason reason = write_file(table->disk, name, &content, &manifest->dictionaries, error);
    vg_buffer_dispose(&content);
    return reason;
}

static bool fill_manifest(
    const struct vg_checkpoint *checkpoint,
    struct vg_arena *arena,
    struct vg_manifest *manifest)
{
    manifest->sequence = checkpoint->sequence;
    manifest->generation = checkpoint->generation;
    manifest->kind_count = checkpoint->table->config.kind_count;
    for (uint32_t i = 0; i < manifest->kind_count; i++) {
        manifest->kinds[i].chunks =
            vg_arena_calloc(arena, checkpoint->chunk_count, sizeof(struct vg_manifest_chunk));
        if (manifest->kinds[i].chunks == NULL) {
            return false;
        }
    }
    for (uint32_t i = 0; i < checkpoint->chunk_count; i++) {
        const struct vg_checkpoint_chunk *part = &checkpoint->chunks[i];
        struct vg_manifest_kind *kind = &manifest->kinds[part->kind];
        kind->chunks[kind->chunk_count++] = (struct vg_manifest_chunk){
            .number = part->chunk->number,
            .rows = part->chunk->rows,
            .generation = part->generation,
            .mark = part->mark,
        };
    }
    return true;
}

static enum vg_reason write_manifest(
    struct vg_checkpoint *checkpoint,
    const struct vg_manifest *manifest,
    struct vg_error *error)
{
    struct vg_table *table = checkpoint->table;
    struct vg_buffer content;
    struct vg_file_mark mark;
    vg_buffer_init(&content, SIZE_MAX);
    vg_manifest_encode(manifest, &table->config, &content);
    enum vg_reason reason = write_file(table->disk, VG_MANIFEST_NEW_NAME, &content, &mark, error);
    vg_buffer_dispose(&content);
    if (reason == VG_OK && !VG_BROKEN(TRIM_BEFORE_SYNC)) {
        reason = vg_disk_sync_folder(table->disk, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    checkpoint->renamed = true;
    reason = vg_disk_rename(table->disk, VG_MANIFEST_NEW_NAME, VG_MANIFEST_NAME, error);
    if (reason == VG_OK && !VG_BROKEN(TRIM_BEFORE_SYNC)) {
        reason = vg_disk_sync_folder(table->disk, error);
    }
    return reason;
}

/* A checkpoint that failed before the rename leaves nothing behind: the disk may be full. */
static void remove_own_files(struct vg_checkpoint *checkpoint)
{
    struct vg_disk *disk = checkpoint->table->disk;
    char name[VG_DISK_NAME_SIZE];
    for (uint32_t i = 0; i < checkpoint->chunk_count; i++) {
        const struct vg_checkpoint_chunk *part = &checkpoint->chunks[i];
        if (part->is_written) {
            vg_chunk_file_name(name, part->chunk->schema, part->chunk->number, part->generation);
            (void)!vg_disk_remove(disk, name, NULL);
        }
    }
    vg_manifest_deaths_name(name, checkpoint->generation);
    (void)!vg_disk_remove(disk, name, NULL);
    vg_manifest_dictionaries_name(name, checkpoint->generation);
    (void)!vg_disk_remove(disk, name, NULL);
    (void)!vg_disk_remove(disk, VG_MANIFEST_NEW_NAME, NULL);
}

enum vg_reason vg_checkpoint_run(struct vg_checkpoint *checkpoint, struct vg_error *error)
{
    struct vg_arena arena;
    struct vg_manifest manifest = { 0 };
    enum vg_reason reason = VG_OK;
    vg_arena_init(&arena, SIZE_MAX / 2);
    for (uint32_t i = 0; i < checkpoint->chunk_count && reason == VG_OK; i++) {
        if (checkpoint->chunks[i].is_new) {
            reason = write_chunk(checkpoint, &checkpoint->chunks[i], error);
        }
    }
    if (reason == VG_OK && !fill_manifest(checkpoint, &arena, &manifest)) {
        reason = vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a manifest");
    }
    if (reason == VG_OK) {
        reason = write_deaths(checkpoint, &manifest, error);
    }
    if (reason == VG_OK) {
        reason = write_dictionaries(checkpoint, &manifest, error);
    }
    if (reason == VG_OK) {
        reason = write_manifest(checkpoint, &manifest, error);
    }
    checkpoint->done = reason == VG_OK;
    if (checkpoint->done) {
        /* Files of older checkpoints; what cannot be removed now goes with the next one. */
        (void)!vg_manifest_sweep(
            checkpoint->table->disk,
            &manifest,
            false,
            &checkpoint->table->config);
    } else if (!checkpoint->renamed) {
        remove_own_files(checkpoint);
    }
    vg_arena_dispose(&arena);
    return reason;
}

static struct vg_deaths *shared_deaths(struct vg_table *table, struct vg_checkpoint_chunk *part)
{
    if (VG_BROKEN(SEAL_COPIES_DEATHS)) {
        struct vg_deaths *copy =
            vg_deaths_create(table->limits.chunk_rows, &table->epoch, &table->retired);
        VG_ASSERT(copy != NULL && (part->deaths == NULL || vg_deaths_load(copy, part->deaths)));
        return copy;
    }
    return vg_deaths_ref(part->chunk->deaths);
}

/* Put the mapped form in the place of the closed one. Numbers tell where. */
static void install_chunk(
    struct vg_table *table,
    struct vg_checkpoint_chunk *part,
    uint64_t checkpoint_generation)
{
    struct vg_table_kind *kind = &table->kinds[part->kind];
    struct vg_chunk_list *list = kind->list;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->chunks[i] == part->chunk) {
            part->sealed->deaths = shared_deaths(table, part);
            part->sealed->serial = part->chunk->serial;
            part->sealed->named_by = checkpoint_generation;
            part->is_installed = true;
            vg_chunk_unref(list->chunks[i]);
            list->chunks[i] = part->sealed;
            kind->by_number[part->sealed->number] = part->sealed;
            part->sealed = NULL;
            return;
        }
    }
}

static void install(struct vg_table *table, struct vg_checkpoint *checkpoint)
{
    /* Lists readers may hold are not touched: each kind gets a copy first. Without memory the rows
     * stay in memory, and the next checkpoint tries again. */
    struct vg_chunk_list *lists[VG_TABLE_KINDS_MAX] = { NULL };
    bool complete = true;
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        lists[i] = vg_chunk_list_copy(table->kinds[i].list, table->kinds[i].list->has_tail);
        complete &= lists[i] != NULL;
    }
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        if (complete) {
            vg_chunk_list_unref(table->kinds[i].list);
            table->kinds[i].list = lists[i];
        } else {
            vg_chunk_list_unref(lists[i]);
        }
    }
    for (uint32_t i = 0; complete && i < checkpoint->chunk_count; i++) {
        if (checkpoint->chunks[i].sealed != NULL) {
            install_chunk(table, &checkpoint->chunks[i], checkpoint->generation);
        }
    }
    if (complete) {
        (void)vg_publication_again(table); /* else the next batch shows it */
    }
}

/* Files that were written and are not used: the manifest on disk may name them, so they go when the
 * next one is there. Without memory they go with the next start. */
static void forget_files(struct vg_table *table, const struct vg_checkpoint *checkpoint)
{
    for (uint32_t i = 0; i < checkpoint->chunk_count; i++) {
        const struct vg_checkpoint_chunk *part = &checkpoint->chunks[i];
        if (!part->is_written || part->is_installed || !checkpoint->renamed) {
            continue;
        }
        struct vg_obsolete *file = calloc(1, sizeof(*file));
        if (file != NULL) {
            file->named_by = checkpoint->generation;
            vg_chunk_file_name(
                file->name,
                part->chunk->schema,
                part->chunk->number,
                part->generation);
            vg_obsolete_add(table, file);
        }
    }
}

uint64_t vg_table_checkpoint_finish(struct vg_table *table, struct vg_checkpoint *taken_checkpoint)
{
    VG_ASSERT(table->checkpoint == taken_checkpoint && !table->prepared);
    if (taken_checkpoint->done) {
        VG_ASSERT(taken_checkpoint->sequence >= table->checkpoint_sequence);
        table->checkpoint_sequence = taken_checkpoint->sequence;
        table->has_checkpoint = true;
        table->manifest_generation = taken_checkpoint->generation;
        table->unnamed_chunks -= taken_checkpoint->unnamed_chunks;
        if (atomic_load(&table->state) == VG_TABLE_RUNNING) {
            install(table, taken_checkpoint);
        }
    }
    forget_files(table, taken_checkpoint);
    free_checkpoint(taken_checkpoint);
    table->checkpoint = NULL;
    return table->checkpoint_sequence;
}
