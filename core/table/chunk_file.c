#include "core/table/chunk_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/checksum.h"
#include "core/table/table.h"

#define CHUNK_MAGIC   UINT64_C(0x31306B6E75684356)
#define CHUNK_VERSION 2u
#define ARRAY_ALIGN   64u

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files keep the low bytes of numbers");

struct vg_chunk_file_header {
    uint64_t magic;
    uint32_t version;
    uint32_t column_count;
    uint64_t schema;
    uint64_t size;
    uint32_t number;
    uint32_t rows;
};

/* Offsets from the beginning of the file; 0 = the column has no such array. */
struct vg_chunk_file_column {
    uint64_t values;
    uint64_t codes;
    uint64_t starts;
    uint64_t elements;
    uint64_t zone;
    int64_t base;
    uint32_t element_count;
    uint32_t value_size;
};

void vg_chunk_file_name(
    char out_name[VG_DISK_NAME_SIZE],
    const struct vg_table_schema *schema,
    uint32_t number,
    uint64_t generation)
{
    (void)snprintf(
        out_name,
        VG_DISK_NAME_SIZE,
        "%.32s-%08" PRIx32 "-%08" PRIx64 ".chunk",
        schema->name,
        number,
        generation);
}

bool vg_chunk_file_is_name(const char *name)
{
    static const char end[] = ".chunk";
    size_t length = strlen(name);
    return length >= sizeof(end) - 1 && strcmp(name + length - (sizeof(end) - 1), end) == 0;
}

static uint64_t take(uint64_t *size, uint64_t bytes)
{
    uint64_t offset = (*size + ARRAY_ALIGN - 1) & ~(uint64_t)(ARRAY_ALIGN - 1);
    *size = offset + bytes;
    return offset;
}

/* Elements that rows point at; a tail's blocks have gaps, a file has none. */
static uint32_t count_elements(const struct vg_chunk *chunk, uint32_t column)
{
    const struct vg_column_data *data = &chunk->columns[column];
    uint32_t count = 0;
    for (uint32_t row = 0; row < chunk->rows; row++) {
        if (data->starts != NULL) {
            count += data->ends[row] - data->starts[row];
        } else {
            count +=
                data->codes[row] >= VG_NETWORK_CODE_V6 && data->codes[row] != VG_NETWORK_CODE_NONE;
        }
    }
    return count;
}

/*
 * Times and numbers are kept as differences to the chunk's smallest, in as few bytes as hold them
 * (the largest value stands for absent): 49 days of times fit into four.
 */
static uint32_t narrow_size(enum vg_column_kind kind, const struct vg_column_data *data)
{
    const struct vg_zone *zone = data->zone;
    uint32_t size = data->value_size;
    if (kind != VG_COLUMN_TIME && kind != VG_COLUMN_NUMBER) {
        return size;
    }
    VG_ASSERT(size <= sizeof(int64_t));
    uint64_t range = zone->min > zone->max ? 0 : (uint64_t)zone->max - (uint64_t)zone->min;
    for (uint32_t narrow = 1; narrow < size; narrow *= 2) {
        if (range < (UINT64_C(1) << narrow * 8) - 1) {
            return narrow;
        }
    }
    return size;
}

/* Lists of hashes are written turned over. */
struct file_indexes {
    uint64_t *blocks[VG_TABLE_COLUMNS_MAX]; /* NULL for other kinds */
    uint32_t words[VG_TABLE_COLUMNS_MAX];
};

static uint64_t *make_index(const struct vg_chunk *chunk, uint32_t column, uint32_t *out_words)
{
    const struct vg_column_data *data = &chunk->columns[column];
    struct vg_hash_pairs pairs;
    if (data->starts == NULL) { /* copied, and turned over already */
        uint64_t *copy = malloc((size_t)data->element_count * sizeof(*copy));
        if (copy != NULL) {
            memcpy(copy, data->elements, (size_t)data->element_count * sizeof(*copy));
            *out_words = data->element_count;
        }
        return copy;
    }
    if (!vg_hash_pairs_init(&pairs, count_elements(chunk, column))) {
        return NULL;
    }
    for (uint32_t row = 0; row < chunk->rows; row++) {
        uint32_t count = data->ends[row] - data->starts[row];
        const uint64_t *items = count == 0 ? NULL : vg_chunk_elements(data, data->starts[row]);
        for (uint32_t i = 0; i < count; i++) {
            vg_hash_pairs_add(&pairs, items[i], (uint16_t)row);
        }
    }
    uint64_t *block = vg_hash_index_make(&pairs, chunk->rows, out_words);
    vg_hash_pairs_dispose(&pairs);
    return block;
}

static void free_indexes(struct file_indexes *indexes)
{
    for (uint32_t i = 0; i < VG_TABLE_COLUMNS_MAX; i++) {
        free(indexes->blocks[i]);
    }
}

/* False without memory; what is there must be freed all the same. */
static bool make_indexes(const struct vg_chunk *chunk, struct file_indexes *indexes)
{
    for (uint32_t i = 0; i < chunk->schema->column_count; i++) {
        if (chunk->schema->columns[i].kind == VG_COLUMN_HASHES) {
            indexes->blocks[i] = make_index(chunk, i, &indexes->words[i]);
            if (indexes->blocks[i] == NULL) {
                return false;
            }
        }
    }
    return true;
}

static uint64_t plan_columns(
    const struct vg_chunk *chunk,
    const struct file_indexes *indexes,
    struct vg_chunk_file_column *columns)
{
    uint64_t size = sizeof(struct vg_chunk_file_header) +
                    chunk->schema->column_count * sizeof(struct vg_chunk_file_column);
    for (uint32_t i = 0; i < chunk->schema->column_count; i++) {
        const struct vg_column_data *data = &chunk->columns[i];
        struct vg_chunk_file_column *column = &columns[i];
        column->value_size = narrow_size(chunk->schema->columns[i].kind, data);
        if (column->value_size != data->value_size) {
            column->base = data->zone->min > data->zone->max ? 0 : data->zone->min;
        }
        column->zone = take(&size, sizeof(struct vg_zone));
        if (indexes->blocks[i] != NULL) {
            column->value_size = 0;
            column->element_count = indexes->words[i];
            column->elements = take(&size, (uint64_t)indexes->words[i] * sizeof(uint64_t));
            continue;
        }
        if (column->value_size > 0) {
            column->values = take(&size, (uint64_t)chunk->rows * column->value_size);
        }
        if (data->codes != NULL) {
            column->codes = take(&size, chunk->rows);
        }
        if (data->starts != NULL) {
            column->starts = take(&size, ((uint64_t)chunk->rows + 1) * sizeof(uint32_t));
        }
        if (data->element_size > 0) {
            column->element_count = count_elements(chunk, i);
            column->elements = take(&size, (uint64_t)column->element_count * data->element_size);
        }
    }
    return size;
}

static void copy_narrow(
    const struct vg_column_data *data,
    const struct vg_chunk_file_column *column,
    uint32_t rows,
    uint8_t *out_values)
{
    for (uint32_t row = 0; row < rows; row++) {
        int64_t number = vg_column_number(data, row);
        uint64_t stored = (uint64_t)number - (uint64_t)column->base;
        if (number == VG_ABSENT) {
            stored = UINT64_MAX;
        }
        /* The lowest bytes: files are in the machine's order, which is little endian. */
        memcpy(out_values + (size_t)row * column->value_size, &stored, column->value_size);
    }
}

static void copy_networks(
    const struct vg_column_data *data,
    uint32_t rows,
    uint32_t *out_values,
    uint8_t *out_elements)
{
    const uint32_t *values = data->values;
    uint32_t count = 0;
    for (uint32_t row = 0; row < rows; row++) {
        out_values[row] = values[row];
        if (data->codes[row] >= VG_NETWORK_CODE_V6 && data->codes[row] != VG_NETWORK_CODE_NONE) {
            memcpy(out_elements + (size_t)count * 16, vg_chunk_elements(data, values[row]), 16);
            out_values[row] = count++;
        }
    }
}

static void copy_lists(
    const struct vg_column_data *data,
    uint32_t rows,
    uint32_t *out_starts,
    uint8_t *out_elements)
{
    uint32_t count = 0;
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t length = data->ends[row] - data->starts[row];
        out_starts[row] = count;
        if (length > 0) {
            memcpy(
                out_elements + (size_t)count * data->element_size,
                vg_chunk_elements(data, data->starts[row]),
                (size_t)length * data->element_size);
        }
        count += length;
    }
    out_starts[rows] = count;
}

static void fill_column(
    const struct vg_chunk *chunk,
    uint32_t index,
    const struct vg_chunk_file_column *column,
    uint8_t *image)
{
    const struct vg_column_data *data = &chunk->columns[index];
    memcpy(image + column->zone, data->zone, sizeof(*data->zone));
    uint32_t *values = (uint32_t *)(void *)(image + column->values);
    if (data->codes != NULL) {
        memcpy(image + column->codes, data->codes, chunk->rows);
        copy_networks(data, chunk->rows, values, image + column->elements);
    } else if (column->value_size != data->value_size) {
        copy_narrow(data, column, chunk->rows, image + column->values);
    } else if (column->value_size > 0) {
        memcpy(values, data->values, (size_t)chunk->rows * column->value_size);
    }
    if (data->starts != NULL) {
        copy_lists(
            data,
            chunk->rows,
            (uint32_t *)(void *)(image + column->starts),
            image + column->elements);
    }
}

/* The whole file in memory: at most some 20 MB, and its checksum comes for free. */
static uint8_t *make_image(const struct vg_chunk *chunk, uint64_t *out_size)
{
    struct vg_chunk_file_column columns[VG_TABLE_COLUMNS_MAX];
    struct file_indexes indexes = { { NULL }, { 0 } };
    memset(columns, 0, sizeof(columns));
    uint8_t *image = NULL;
    uint64_t size = 0;
    if (make_indexes(chunk, &indexes)) {
        size = plan_columns(chunk, &indexes, columns);
        image = calloc(1, size);
    }
    if (image == NULL) {
        free_indexes(&indexes);
        return NULL;
    }
    const struct vg_chunk_file_header header = {
        .magic = CHUNK_MAGIC,
        .version = CHUNK_VERSION,
        .column_count = chunk->schema->column_count,
        .schema = vg_table_schema_fingerprint(chunk->schema),
        .size = size,
        .number = chunk->number,
        .rows = chunk->rows,
    };
    memcpy(image, &header, sizeof(header));
    memcpy(image + sizeof(header), columns, chunk->schema->column_count * sizeof(columns[0]));
    for (uint32_t i = 0; i < chunk->schema->column_count; i++) {
        if (indexes.blocks[i] != NULL) {
            memcpy(image + columns[i].zone, chunk->columns[i].zone, sizeof(struct vg_zone));
            memcpy(
                image + columns[i].elements,
                indexes.blocks[i],
                (size_t)indexes.words[i] * sizeof(uint64_t));
        } else {
            fill_column(chunk, i, &columns[i], image);
        }
    }
    free_indexes(&indexes);
    *out_size = size;
    return image;
}

enum vg_reason vg_chunk_file_write(
    struct vg_disk *disk,
    const struct vg_chunk *chunk,
    uint64_t generation,
    struct vg_file_mark *out_mark,
    struct vg_error *error)
{
    VG_ASSERT(chunk->form == VG_CHUNK_CLOSED);
    char name[VG_DISK_NAME_SIZE];
    vg_chunk_file_name(name, chunk->schema, chunk->number, generation);
    uint64_t size;
    uint8_t *image = make_image(chunk, &size);
    if (image == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for a chunk file");
    }
    struct vg_bytes content = vg_bytes(image, size);
    enum vg_reason reason = vg_disk_write(disk, name, content, error);
    if (reason == VG_OK) {
        reason = vg_disk_sync(disk, name, error);
    }
    if (reason == VG_OK) {
        *out_mark = (struct vg_file_mark){ .size = size, .checksum = vg_checksum_add(0, content) };
    }
    free(image);
    return reason;
}

static bool array_fits(uint64_t offset, uint64_t bytes, uint64_t size)
{
    return offset % ARRAY_ALIGN == 0 && offset <= size && bytes <= size - offset;
}

/* Every id must be an entry: a dictionary that is too short would be read behind its end. */
static bool ids_exist(const struct vg_chunk *chunk, uint32_t column)
{
    const struct vg_column_data *data = &chunk->columns[column];
    bool is_list = chunk->schema->columns[column].kind == VG_COLUMN_TEXTS;
    const uint32_t *ids = is_list ? data->elements : data->values;
    uint32_t id_count = is_list ? data->element_count : chunk->rows;
    uint32_t count = vg_dictionary_count(&chunk->dictionaries[column]);
    bool exist = true;
    for (uint32_t i = 0; i < id_count; i++) {
        exist &= ids[i] <= count || (ids[i] & VG_DICTIONARY_BEYOND) != 0;
    }
    return exist;
}

static bool map_column(
    struct vg_chunk *chunk,
    uint32_t index,
    const struct vg_chunk_file_column *column,
    uint8_t *image,
    uint64_t size)
{
    const struct vg_column *schema = &chunk->schema->columns[index];
    struct vg_column_data *data = &chunk->columns[index];
    bool is_index = schema->kind == VG_COLUMN_HASHES;
    bool is_number = schema->kind == VG_COLUMN_TIME || schema->kind == VG_COLUMN_NUMBER;
    bool is_narrow =
        is_number && column->value_size < data->value_size &&
        (column->value_size == 1 || column->value_size == 2 || column->value_size == 4);
    if ((column->value_size != (is_index ? 0 : data->value_size) && !is_narrow) ||
        (column->values == 0) != (column->value_size == 0) ||
        !array_fits(column->zone, sizeof(struct vg_zone), size) ||
        !array_fits(column->values, (uint64_t)chunk->rows * column->value_size, size) ||
        !array_fits(column->codes, chunk->rows, size) ||
        !array_fits(column->starts, ((uint64_t)chunk->rows + 1) * sizeof(uint32_t), size) ||
        !array_fits(column->elements, (uint64_t)column->element_count * data->element_size, size)) {
        return false;
    }
    data->zone = calloc(1, sizeof(*data->zone));
    if (data->zone == NULL) {
        return false;
    }
    memcpy(data->zone, image + column->zone, sizeof(*data->zone));
    data->value_size = (uint8_t)column->value_size;
    data->base = column->base;
    data->element_count = column->element_count;
    data->values = column->values == 0 ? NULL : image + column->values;
    data->codes = column->codes == 0 ? NULL : image + column->codes;
    data->elements = column->elements == 0 ? NULL : image + column->elements;
    if (column->starts != 0) {
        data->starts = (uint32_t *)(void *)(image + column->starts);
        data->ends = data->starts + 1;
    }
    if (is_index) {
        data->index = calloc(1, sizeof(*data->index));
        return data->index != NULL && data->elements != NULL &&
               vg_hash_index_open(data->elements, data->element_count, chunk->rows, data->index);
    }
    return !vg_column_kind_has_dictionary(schema->kind) || ids_exist(chunk, index);
}

static bool map_chunk(struct vg_chunk *chunk, const struct vg_chunk_file *file)
{
    uint8_t *image = chunk->mapping;
    struct vg_chunk_file_header header;
    if (chunk->mapping_size != file->mark.size || file->mark.size < sizeof(header) ||
        (!file->is_ours &&
         vg_checksum_add(0, vg_bytes(image, file->mark.size)) != file->mark.checksum)) {
        return false;
    }
    memcpy(&header, image, sizeof(header));
    uint64_t columns_end =
        sizeof(header) + header.column_count * sizeof(struct vg_chunk_file_column);
    if (header.magic != CHUNK_MAGIC || header.version != CHUNK_VERSION ||
        header.size != file->mark.size || header.number != file->number ||
        header.rows != file->rows || header.rows == 0 || header.rows > VG_TABLE_CHUNK_ROWS_MAX ||
        header.column_count != file->schema->column_count || columns_end > header.size ||
        header.schema != vg_table_schema_fingerprint(file->schema)) {
        return false;
    }
    for (uint32_t i = 0; i < header.column_count; i++) {
        struct vg_chunk_file_column column;
        memcpy(&column, image + sizeof(header) + i * sizeof(column), sizeof(column));
        if (!map_column(chunk, i, &column, image, header.size)) {
            return false;
        }
    }
    return true;
}

struct vg_chunk *vg_chunk_file_open(
    struct vg_disk *disk,
    const struct vg_chunk_file *file,
    struct vg_deaths *taken_deaths)
{
    struct vg_chunk *chunk =
        vg_chunk_create(file->schema, file->dictionaries, file->number, file->rows, NULL);
    if (chunk == NULL) {
        return NULL;
    }
    char name[VG_DISK_NAME_SIZE];
    vg_chunk_file_name(name, file->schema, file->number, file->generation);
    chunk->form = VG_CHUNK_SEALED;
    chunk->rows = file->rows;
    chunk->generation = file->generation;
    chunk->checksum = file->mark.checksum;
    chunk->mapping = vg_disk_map(disk, name, &chunk->mapping_size);
    if (chunk->mapping == NULL || !map_chunk(chunk, file)) {
        vg_chunk_unref(chunk);
        return NULL;
    }
    chunk->deaths = taken_deaths;
    return chunk;
}
