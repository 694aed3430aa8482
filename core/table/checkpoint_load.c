/*
 * Loading a checkpoint: everything is checked before it is believed, and whatever is wrong is a
 * reason to rebuild, never an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/checksum.h"
#include "core/table/manifest.h"
#include "core/table/table_parts.h"

/* A mapped file being read front to back. */
struct vg_file_reader {
    void *mapping;
    size_t mapping_size;
    struct vg_bytes rest;
};

static bool open_reader(
    struct vg_disk *disk,
    const char *name,
    const struct vg_file_mark *mark,
    uint64_t generation,
    struct vg_file_reader *out_reader)
{
    uint64_t stored;
    out_reader->mapping = vg_disk_map(disk, name, &out_reader->mapping_size);
    if (out_reader->mapping == NULL) {
        return false;
    }
    struct vg_bytes content = vg_bytes(out_reader->mapping, out_reader->mapping_size);
    if (content.size != mark->size || content.size < sizeof(stored) ||
        vg_checksum_add(0, content) != mark->checksum) {
        vg_disk_unmap(out_reader->mapping, out_reader->mapping_size);
        return false;
    }
    memcpy(&stored, content.data, sizeof(stored));
    if (stored != generation) {
        vg_disk_unmap(out_reader->mapping, out_reader->mapping_size);
        return false;
    }
    out_reader->rest = vg_bytes(content.data + sizeof(stored), content.size - sizeof(stored));
    return true;
}

/* The next `size` bytes; NULL when there are fewer. */
static const uint8_t *take_bytes(struct vg_file_reader *reader, size_t size)
{
    if (reader->rest.size < size) {
        return NULL;
    }
    const uint8_t *taken = reader->rest.data;
    reader->rest = vg_bytes(taken + size, reader->rest.size - size);
    return taken;
}

static bool take_count(struct vg_file_reader *reader, uint32_t *out_count)
{
    const uint8_t *taken = take_bytes(reader, sizeof(*out_count));
    if (taken != NULL) {
        memcpy(out_count, taken, sizeof(*out_count));
    }
    return taken != NULL;
}

/* Entries come back in the order of their ids, so adding them gives the same ids again. */
static bool load_dictionary(struct vg_file_reader *reader, struct vg_dictionary *dictionary)
{
    uint32_t count;
    uint32_t beyond;
    if (!take_count(reader, &count) || !take_count(reader, &beyond)) {
        return false;
    }
    if (beyond != 0) {
        vg_dictionary_note_beyond(dictionary);
    }
    for (uint32_t id = 1; id <= count; id++) {
        uint32_t size;
        uint32_t added;
        bool full;
        if (!take_count(reader, &size)) {
            return false;
        }
        const uint8_t *entry = take_bytes(reader, size);
        if (entry == NULL || !vg_dictionary_add(dictionary, vg_bytes(entry, size), &added, &full) ||
            added != id) {
            return false;
        }
    }
    return true;
}

static bool load_dictionaries(struct vg_table *table, const struct vg_manifest *manifest)
{
    char name[VG_DISK_NAME_SIZE];
    struct vg_file_reader reader;
    vg_manifest_dictionaries_name(name, manifest->generation);
    if (!open_reader(table->disk, name, &manifest->dictionaries, manifest->generation, &reader)) {
        return false;
    }
    bool loaded = true;
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        const struct vg_table_kind *kind = &table->kinds[i];
        for (uint32_t c = 0; loaded && c < kind->schema->column_count; c++) {
            if (kind->dictionaries[c].segments != NULL) {
                loaded = load_dictionary(&reader, &kind->dictionaries[c]);
            }
        }
    }
    loaded = loaded && reader.rest.size == 0;
    vg_disk_unmap(reader.mapping, reader.mapping_size);
    return loaded;
}

static bool load_deaths(struct vg_file_reader *reader, struct vg_deaths *deaths)
{
    uint32_t words;
    uint64_t bitmap[VG_TABLE_CHUNK_ROWS_MAX / 64];
    if (!take_count(reader, &words) || (words != 0 && words != vg_deaths_words(deaths))) {
        return false;
    }
    const uint8_t *taken = take_bytes(reader, words * sizeof(uint64_t));
    if (taken == NULL || words == 0) {
        return taken != NULL;
    }
    memcpy(bitmap, taken, words * sizeof(uint64_t));
    return vg_deaths_load(deaths, bitmap);
}

static bool load_chunk(
    struct vg_table *table,
    struct vg_table_kind *kind,
    const struct vg_manifest_chunk *entry,
    struct vg_file_reader *deaths_reader)
{
    if (entry->rows == 0 || entry->rows > VG_TABLE_CHUNK_ROWS_MAX ||
        entry->number >= vg_table_number_count(table) || vg_table_has_number(kind, entry->number)) {
        return false;
    }
    const struct vg_chunk_file file = {
        .schema = kind->schema,
        .dictionaries = kind->dictionaries,
        .number = entry->number,
        .rows = entry->rows,
        .generation = entry->generation,
        .mark = entry->mark,
    };
    struct vg_deaths *deaths = vg_deaths_create(entry->rows, &table->epoch, &table->retired);
    struct vg_chunk *chunk = NULL;
    if (deaths != NULL && load_deaths(deaths_reader, deaths)) {
        chunk = vg_chunk_file_open(table->disk, &file, deaths);
    }
    if (chunk == NULL) {
        vg_deaths_unref(deaths);
        return false;
    }
    struct vg_chunk_list *list = vg_chunk_list_with(kind->list, chunk, false);
    if (list == NULL) {
        vg_chunk_unref(chunk);
        return false;
    }
    vg_chunk_list_unref(kind->list);
    kind->list = list;
    chunk->named_by = table->manifest_generation;
    vg_table_mark_number(kind, chunk->number);
    kind->by_number[chunk->number] = chunk;
    return true;
}

static bool load_chunks(struct vg_table *table, const struct vg_manifest *manifest)
{
    char name[VG_DISK_NAME_SIZE];
    struct vg_file_reader reader;
    vg_manifest_deaths_name(name, manifest->generation);
    if (!open_reader(table->disk, name, &manifest->deaths, manifest->generation, &reader)) {
        return false;
    }
    bool loaded = true;
    table->manifest_generation = manifest->generation;
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        const struct vg_manifest_kind *entry = &manifest->kinds[i];
        for (uint32_t c = 0; loaded && c < entry->chunk_count; c++) {
            loaded = load_chunk(table, &table->kinds[i], &entry->chunks[c], &reader);
        }
        loaded = loaded && entry->chunk_count <= table->limits.chunks;
    }
    loaded = loaded && reader.rest.size == 0;
    vg_disk_unmap(reader.mapping, reader.mapping_size);
    return loaded;
}

/* Enter the live rows of a chunk. False without memory, or for two live rows of one record. */
static bool map_chunk_ids(
    struct vg_table *table,
    struct vg_table_kind *kind,
    const struct vg_chunk *chunk)
{
    uint64_t dead[VG_TABLE_CHUNK_ROWS_MAX / 64] = { 0 };
    (void)vg_deaths_mark(chunk->deaths, UINT64_MAX, dead);
    for (uint32_t row = 0; row < chunk->rows; row++) {
        if ((dead[row / 64] >> row % 64 & 1) != 0) {
            continue;
        }
        struct vg_value values[VG_TABLE_COLUMNS_MAX];
        for (uint32_t i = 0; i < kind->id_count; i++) {
            vg_chunk_read(chunk, kind->id_columns[i], row, &values[kind->id_columns[i]]);
        }
        uint64_t hash = vg_table_row_hash(table, kind, values);
        struct vg_row_place place;
        if (vg_table_find_row(kind, hash, values, &place) || !vg_id_map_reserve(&kind->ids, 1)) {
            return false;
        }
        place = (struct vg_row_place){ .chunk = chunk->number, .position = row };
        vg_id_map_add(&kind->ids, hash, place);
        kind->live++;
    }
    return true;
}

static bool map_ids(struct vg_table *table)
{
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        struct vg_table_kind *kind = &table->kinds[i];
        for (uint32_t c = 0; c < kind->list->count; c++) {
            if (!map_chunk_ids(table, kind, kind->list->chunks[c])) {
                return false;
            }
        }
    }
    return true;
}

static const char *load_files(
    struct vg_table *table,
    const struct vg_manifest *manifest,
    uint64_t state_sequence)
{
    if (manifest->sequence > state_sequence) {
        return "the checkpoint is ahead of the store";
    }
    if (!load_dictionaries(table, manifest)) {
        return "the checkpoint's dictionaries are missing or damaged";
    }
    if (!load_chunks(table, manifest)) {
        return "a file of the checkpoint is missing or damaged";
    }
    if (!map_ids(table)) {
        return "the checkpoint shows a record twice";
    }
    return NULL;
}

bool vg_table_load(
    struct vg_table *table,
    uint64_t state_sequence,
    uint64_t *out_sequence,
    char *out_reason,
    size_t reason_size)
{
    size_t size;
    void *mapping = vg_disk_map(table->disk, VG_MANIFEST_NAME, &size);
    if (mapping == NULL) {
        (void)snprintf(out_reason, reason_size, "there is no checkpoint");
        return false;
    }
    struct vg_arena arena;
    struct vg_manifest manifest;
    vg_arena_init(&arena, SIZE_MAX / 2);
    const char *trouble =
        vg_manifest_decode(vg_bytes(mapping, size), &table->config, &arena, &manifest);
    vg_disk_unmap(mapping, size);
    if (manifest.generation >= table->generation) {
        table->generation = manifest.generation + 1;
    }
    if (trouble == NULL) {
        trouble = load_files(table, &manifest, state_sequence);
    }
    if (trouble == NULL) {
        /* What a broken-off checkpoint left. If it cannot be removed now it is written over. */
        (void)!vg_manifest_sweep(table->disk, &manifest, true, &table->config);
    }
    vg_arena_dispose(&arena);
    *out_sequence = manifest.sequence;
    (void)snprintf(out_reason, reason_size, "%s", trouble == NULL ? "" : trouble);
    return trouble == NULL;
}
