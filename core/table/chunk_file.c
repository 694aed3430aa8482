#include "core/table/chunk_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/checksum.h"
#include "core/table/packed_column.h"
#include "core/table/table.h"

#define CHUNK_MAGIC   UINT64_C(0x31306B6E75684356)
#define CHUNK_VERSION 3u
#define ARRAY_ALIGN   64u

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
    uint64_t steps;
    uint64_t elements;
    uint64_t zone;
    struct vg_packed_shape shape;
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

/* The offset of the next array; 0 of one without bytes. */
static uint64_t take(uint64_t *size, uint64_t bytes)
{
    uint64_t offset = (*size + ARRAY_ALIGN - 1) & ~(uint64_t)(ARRAY_ALIGN - 1);
    if (bytes == 0) {
        return 0;
    }
    *size = offset + bytes;
    return offset;
}

/* Lists of hashes are written turned over. */
struct file_indexes {
    uint64_t *blocks[VG_TABLE_COLUMNS_MAX]; /* NULL for other kinds */
    uint32_t words[VG_TABLE_COLUMNS_MAX];
};

static uint32_t count_elements(const struct vg_column_data *data, uint32_t rows)
{
    uint32_t count = 0;
    for (uint32_t row = 0; row < rows; row++) {
        count += data->ends[row] - data->starts[row];
    }
    return count;
}

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
    if (!vg_hash_pairs_init(&pairs, count_elements(data, chunk->rows))) {
        return NULL;
    }
    for (uint32_t row = 0; row < chunk->rows; row++) {
        uint32_t count;
        const uint64_t *items = vg_column_list(data, row, &count);
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

/* Where the arrays of a column's shape go; an empty one is left out. */
static void place_column(
    struct vg_chunk_file_column *column,
    const struct vg_column_data *data,
    uint32_t rows,
    uint64_t *size)
{
    const struct vg_packed_shape *shape = &column->shape;
    uint64_t starts = vg_packed_shape_starts(shape, rows);
    uint64_t steps = vg_packed_shape_steps(shape, rows);
    column->zone = take(size, sizeof(struct vg_zone));
    column->values = take(size, (uint64_t)shape->value_count * shape->value_size);
    column->codes = take(size, shape->code_count);
    column->starts = take(size, starts * sizeof(uint32_t));
    column->steps = take(size, steps * sizeof(uint16_t));
    column->elements = take(size, (uint64_t)shape->element_count * data->element_size);
}

static uint64_t plan_columns(
    const struct vg_chunk *chunk,
    const struct file_indexes *indexes,
    struct vg_chunk_file_column *columns)
{
    uint64_t size = sizeof(struct vg_chunk_file_header) +
                    chunk->schema->column_count * sizeof(struct vg_chunk_file_column);
    for (uint32_t i = 0; i < chunk->schema->column_count; i++) {
        if (indexes->blocks[i] != NULL) {
            columns[i].shape.element_count = indexes->words[i];
        } else {
            vg_packed_column_measure(chunk, i, &columns[i].shape);
        }
        place_column(&columns[i], &chunk->columns[i], chunk->rows, &size);
    }
    return size;
}

static void *array_at(uint8_t *image, uint64_t offset)
{
    return offset == 0 ? NULL : image + offset;
}

static void fill_column(
    const struct vg_chunk *chunk,
    uint32_t index,
    const struct vg_chunk_file_column *column,
    uint8_t *image)
{
    const struct vg_packed_arrays arrays = {
        .values = array_at(image, column->values),
        .codes = array_at(image, column->codes),
        .starts = array_at(image, column->starts),
        .steps = array_at(image, column->steps),
        .elements = array_at(image, column->elements),
    };
    vg_packed_column_write(chunk, index, &column->shape, &arrays);
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
        memcpy(image + columns[i].zone, chunk->columns[i].zone, sizeof(struct vg_zone));
        if (indexes.blocks[i] != NULL) {
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

/* 0 = there is none, and there must be none. */
static bool array_fits(uint64_t offset, uint64_t bytes, uint64_t size)
{
    return (offset == 0) == (bytes == 0) && offset % ARRAY_ALIGN == 0 && offset <= size &&
           bytes <= size - offset;
}

static bool is_entry(uint32_t id, uint32_t count)
{
    return id <= count || (id & VG_DICTIONARY_BEYOND) != 0;
}

/* Every id must be an entry: a dictionary that is too short would be read behind its end. */
static bool ids_exist(const struct vg_chunk *chunk, uint32_t column)
{
    const struct vg_column_data *data = &chunk->columns[column];
    uint32_t count = vg_dictionary_count(&chunk->dictionaries[column]);
    bool exist = true;
    if (chunk->schema->columns[column].kind == VG_COLUMN_TEXTS) {
        const uint32_t *ids = data->elements;
        for (uint32_t i = 0; i < data->element_count; i++) {
            exist &= is_entry(ids[i], count);
        }
        return exist;
    }
    uint32_t rows = vg_column_has_one_value(data) ? 1 : chunk->rows;
    for (uint32_t row = 0; row < rows; row++) {
        exist &= is_entry(vg_column_id(data, row), count);
    }
    return exist;
}

static bool arrays_fit(
    const struct vg_chunk_file_column *column,
    const struct vg_column_data *data,
    uint32_t rows,
    uint64_t size)
{
    const struct vg_packed_shape *shape = &column->shape;
    uint64_t starts = vg_packed_shape_starts(shape, rows);
    uint64_t steps = vg_packed_shape_steps(shape, rows);
    uint64_t elements = (uint64_t)shape->element_count * data->element_size;
    return array_fits(column->zone, sizeof(struct vg_zone), size) &&
           array_fits(column->values, (uint64_t)shape->value_count * shape->value_size, size) &&
           array_fits(column->codes, shape->code_count, size) &&
           array_fits(column->starts, starts * sizeof(uint32_t), size) &&
           array_fits(column->steps, steps * sizeof(uint16_t), size) &&
           array_fits(column->elements, elements, size);
}

static bool map_column(
    struct vg_chunk *chunk,
    uint32_t index,
    const struct vg_chunk_file_column *column,
    uint8_t *image,
    uint64_t size)
{
    const struct vg_column *schema = &chunk->schema->columns[index];
    const struct vg_packed_shape *shape = &column->shape;
    struct vg_column_data *data = &chunk->columns[index];
    if (!vg_packed_shape_is_legal(shape, schema, chunk->rows) ||
        !arrays_fit(column, data, chunk->rows, size)) {
        return false;
    }
    data->zone = calloc(1, sizeof(*data->zone));
    if (data->zone == NULL) {
        return false;
    }
    memcpy(data->zone, image + column->zone, sizeof(*data->zone));
    data->value_size = (uint8_t)shape->value_size;
    data->row_mask = shape->value_count < chunk->rows && shape->value_count == 1 ? 0 : UINT32_MAX;
    data->code_mask = shape->code_count < chunk->rows && shape->code_count == 1 ? 0 : UINT32_MAX;
    data->base = shape->base;
    data->element_count = shape->element_count;
    data->values = array_at(image, column->values);
    data->codes = array_at(image, column->codes);
    data->elements = array_at(image, column->elements);
    data->starts = array_at(image, column->starts);
    data->steps = array_at(image, column->steps);
    if (data->starts != NULL && data->steps == NULL) {
        data->ends = data->starts + 1;
    }
    if (schema->kind == VG_COLUMN_HASHES) {
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
