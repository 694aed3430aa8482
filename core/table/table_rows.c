/*
 * Rows of a table, the writer's view: ids, the tail, closing. Changes here are working state;
 * readers see them with the next publication.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/digest.h"
#include "core/table/table_parts.h"
#include "core/table/tail.h"

/* Bytes hashed for one id at most; larger subject sets are hashed by themselves first. */
#define ID_BYTES_MAX 256u

static void add_bytes(uint8_t *buffer, size_t *used, const void *data, size_t size)
{
    VG_ASSERT(*used + size <= ID_BYTES_MAX);
    memcpy(buffer + *used, data, size);
    *used += size;
}

static void add_id_value(
    const struct vg_table *table,
    const struct vg_column *column,
    const struct vg_value *value,
    uint8_t *buffer,
    size_t *used)
{
    if (column->kind == VG_COLUMN_FIXED) {
        VG_ASSERT(value->bytes.size == column->width);
        add_bytes(buffer, used, value->bytes.data, column->width);
    } else if (column->kind == VG_COLUMN_SUBJECTS && value->numbers.count == 1) {
        add_bytes(buffer, used, value->numbers.items, sizeof(int64_t));
    } else if (column->kind == VG_COLUMN_SUBJECTS) {
        uint64_t hash = vg_siphash_short(
            table->config.secret,
            vg_bytes(value->numbers.items, value->numbers.count * sizeof(int64_t)));
        add_bytes(buffer, used, &hash, sizeof(hash));
    } else {
        add_bytes(buffer, used, &value->number, sizeof(int64_t));
    }
}

uint64_t vg_table_row_hash(
    const struct vg_table *table,
    const struct vg_table_kind *kind,
    const struct vg_value *values)
{
    uint8_t buffer[ID_BYTES_MAX];
    size_t used = 0;
    for (uint32_t i = 0; i < kind->id_count; i++) {
        uint32_t column = kind->id_columns[i];
        add_id_value(table, &kind->schema->columns[column], &values[column], buffer, &used);
    }
    buffer[used++] = (uint8_t)kind->index;
    return vg_siphash_short(table->config.secret, vg_bytes(buffer, used));
}

uint64_t vg_table_stored_hash(
    const struct vg_table *table,
    const struct vg_table_kind *kind,
    const struct vg_chunk *chunk,
    uint32_t position)
{
    struct vg_value values[VG_TABLE_COLUMNS_MAX];
    for (uint32_t i = 0; i < kind->id_count; i++) {
        vg_chunk_read(chunk, kind->id_columns[i], position, &values[kind->id_columns[i]]);
    }
    return vg_table_row_hash(table, kind, values);
}

bool vg_table_find_row(
    const struct vg_table_kind *kind,
    uint64_t hash,
    const struct vg_value *values,
    struct vg_row_place *out_place)
{
    uint64_t cursor = 0;
    struct vg_row_place place;
    while (vg_id_map_next(&kind->ids, hash, &cursor, &place)) {
        const struct vg_chunk *chunk = kind->by_number[place.chunk];
        bool equal = true;
        for (uint32_t i = 0; equal && i < kind->id_count; i++) {
            uint32_t column = kind->id_columns[i];
            equal = vg_chunk_id_equal(chunk, column, place.position, &values[column]);
        }
        if (equal) {
            *out_place = place;
            return true;
        }
    }
    return false;
}

static enum vg_reason no_memory(struct vg_error *error)
{
    return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for rows of the table");
}

/* Chunks a list will show as closed though no file holds them. */
static uint32_t closed_in(const struct vg_table_kind *kind)
{
    uint32_t closed = 0;
    if (kind->list == NULL) {
        return 0; /* not started */
    }
    for (uint32_t i = kind->list->count; i > 0; i--) {
        closed += kind->list->chunks[i - 1]->form != VG_CHUNK_SEALED;
    }
    return kind->list->has_tail ? closed - 1 : closed;
}

uint32_t vg_table_closed_count(const struct vg_table *table)
{
    uint32_t closed = 0;
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        closed += closed_in(&table->kinds[i]);
    }
    return closed;
}

bool vg_table_is_behind(const struct vg_table *table)
{
    return vg_table_closed_count(table) > table->limits.closed_chunks / 2;
}

bool vg_table_has_number(const struct vg_table_kind *kind, uint32_t number)
{
    return (kind->taken_numbers[number / 64] >> number % 64 & 1) != 0;
}

void vg_table_mark_number(struct vg_table_kind *kind, uint32_t number)
{
    VG_ASSERT(!vg_table_has_number(kind, number));
    kind->taken_numbers[number / 64] |= UINT64_C(1) << number % 64;
}

uint32_t vg_table_take_number(const struct vg_table *table, struct vg_table_kind *kind)
{
    for (uint32_t number = 0; number < vg_table_number_count(table); number++) {
        if (kind->taken_numbers[number / 64] == UINT64_MAX) {
            number |= 63; /* the whole word is taken */
        } else if (!vg_table_has_number(kind, number)) {
            vg_table_mark_number(kind, number);
            return number;
        }
    }
    VG_UNREACHABLE(); /* chunks and compactions are bounded, so one is free */
}

void vg_table_free_number(struct vg_table_kind *kind, uint32_t number)
{
    VG_ASSERT(vg_table_has_number(kind, number));
    kind->taken_numbers[number / 64] &= ~(UINT64_C(1) << number % 64);
    kind->by_number[number] = NULL;
}

static void set_list(struct vg_table_kind *kind, struct vg_chunk_list *taken_list)
{
    vg_chunk_list_unref(kind->list);
    kind->list = taken_list;
}

static enum vg_reason add_tail(
    struct vg_table *table,
    struct vg_table_kind *kind,
    struct vg_error *error)
{
    if (kind->list->count >= table->limits.chunks) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "the table has all the chunks it may have");
    }
    if (kind->list->has_tail && vg_table_closed_count(table) >= table->limits.closed_chunks) {
        return vg_error_set(error, VG_OVERLOADED, "rows wait to be written to disk");
    }
    struct vg_deaths *deaths =
        vg_deaths_create(table->limits.chunk_rows, &table->epoch, &table->retired);
    if (deaths == NULL) {
        return no_memory(error);
    }
    uint32_t number = vg_table_take_number(table, kind);
    struct vg_chunk *tail =
        vg_tail_create(kind->schema, kind->dictionaries, number, table->limits.chunk_rows, deaths);
    if (tail == NULL) {
        vg_table_free_number(kind, number);
        vg_deaths_unref(deaths);
        return no_memory(error);
    }
    struct vg_chunk_list *list = vg_chunk_list_with(kind->list, tail, true);
    if (list == NULL) {
        vg_table_free_number(kind, number);
        vg_chunk_unref(tail);
        return no_memory(error);
    }
    set_list(kind, list);
    kind->by_number[number] = tail;
    kind->tail_rows = 0;
    return VG_OK;
}

enum vg_reason vg_table_append_row(
    struct vg_table *table,
    struct vg_table_kind *kind,
    const struct vg_row *row,
    struct vg_row_place *out_place,
    struct vg_error *error)
{
    if (!kind->list->has_tail || kind->tail_rows == table->limits.chunk_rows) {
        enum vg_reason reason = add_tail(table, kind, error);
        if (reason != VG_OK) {
            return reason;
        }
    }
    struct vg_chunk *tail = kind->list->chunks[kind->list->count - 1];
    enum vg_reason reason = vg_tail_write(tail, kind->dictionaries, kind->tail_rows, row, error);
    if (reason == VG_OK) {
        *out_place = (struct vg_row_place){ .chunk = tail->number, .position = kind->tail_rows };
        kind->tail_rows++;
    }
    return reason;
}

void vg_table_close_full(struct vg_table_kind *kind)
{
    uint32_t full = kind->list->has_tail ? kind->list->count - 1 : kind->list->count;
    for (uint32_t i = full; i > 0 && kind->list->chunks[i - 1]->form == VG_CHUNK_TAIL; i--) {
        struct vg_chunk *chunk = kind->list->chunks[i - 1];
        chunk->form = VG_CHUNK_CLOSED;
        chunk->rows = chunk->capacity;
    }
}

bool vg_table_close_tail(struct vg_table_kind *kind)
{
    if (!kind->list->has_tail) {
        return true;
    }
    VG_ASSERT(kind->tail_rows > 0);
    struct vg_chunk_list *list = vg_chunk_list_copy(kind->list, false);
    if (list == NULL) {
        return false;
    }
    struct vg_chunk *tail = list->chunks[list->count - 1];
    tail->form = VG_CHUNK_CLOSED;
    tail->rows = kind->tail_rows;
    set_list(kind, list);
    kind->tail_rows = 0;
    return true;
}

static void clear_kind(struct vg_table_kind *kind)
{
    vg_chunk_list_unref(kind->list);
    if (kind->dictionaries != NULL) {
        for (uint32_t i = 0; i < kind->schema->column_count; i++) {
            if (kind->dictionaries[i].segments != NULL) {
                vg_dictionary_dispose(&kind->dictionaries[i]);
            }
        }
    }
    free(kind->dictionaries);
    free(kind->by_number);
    free(kind->taken_numbers);
    vg_id_map_dispose(&kind->ids);
    *kind = (struct vg_table_kind){ .schema = kind->schema, .index = kind->index };
}

void vg_table_clear(struct vg_table *table)
{
    /* No reader is left, so all that was retired can go. */
    VG_ASSERT(table->oldest == NULL && vg_retired_collect(&table->retired, &table->epoch));
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        clear_kind(&table->kinds[i]);
    }
    vg_obsolete_clear(table);
    table->unsettled = 0;
    table->unnamed_chunks = 0;
    table->sequence = 0;
}

static bool init_kind(struct vg_table *table, struct vg_table_kind *kind)
{
    const struct vg_table_schema *schema = kind->schema;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if ((schema->columns[i].flags & VG_COLUMN_ID) != 0) {
            kind->id_columns[kind->id_count++] = i;
        }
    }
    kind->list = vg_chunk_list_create();
    kind->by_number = calloc(vg_table_number_count(table), sizeof(struct vg_chunk *));
    kind->taken_numbers = calloc(vg_table_number_count(table) / 64 + 1, sizeof(uint64_t));
    kind->dictionaries = calloc(schema->column_count, sizeof(*kind->dictionaries));
    if (kind->list == NULL || kind->by_number == NULL || kind->taken_numbers == NULL ||
        kind->dictionaries == NULL || !vg_id_map_init(&kind->ids)) {
        return false;
    }
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (!vg_column_kind_has_dictionary(schema->columns[i].kind)) {
            continue;
        }
        if (!vg_dictionary_init(
                &kind->dictionaries[i],
                table->config.secret,
                table->limits.dictionary_entries,
                table->limits.dictionary_bytes,
                &table->epoch,
                &table->retired) ||
            ((schema->columns[i].flags & VG_COLUMN_FOLDED) != 0 &&
             !vg_dictionary_fold(&kind->dictionaries[i]))) {
            return false;
        }
    }
    return true;
}

bool vg_table_init_kinds(struct vg_table *table)
{
    for (uint32_t i = 0; i < table->config.kind_count; i++) {
        if (!init_kind(table, &table->kinds[i])) {
            vg_table_clear(table);
            return false;
        }
    }
    return true;
}
