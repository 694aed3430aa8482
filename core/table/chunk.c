#include "core/table/chunk.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base/assert.h"

uint8_t vg_chunk_value_size(const struct vg_column *column)
{
    switch (column->kind) {
    case VG_COLUMN_TIME:
    case VG_COLUMN_FLAGS:
    case VG_COLUMN_HASHES:
        return 8;
    case VG_COLUMN_NUMBER:
    case VG_COLUMN_FIXED:
        return column->width;
    case VG_COLUMN_TEXT:
    case VG_COLUMN_SUBJECTS:
    case VG_COLUMN_NETWORK:
        return 4;
    case VG_COLUMN_NUMBERS:
    case VG_COLUMN_TOKENS:
    case VG_COLUMN_TEXTS:
        return 0;
    }
    return 0;
}

uint8_t vg_chunk_element_size(const struct vg_column *column)
{
    switch (column->kind) {
    case VG_COLUMN_NETWORK:
        return 16;
    case VG_COLUMN_NUMBERS:
    case VG_COLUMN_HASHES:
        return 8;
    case VG_COLUMN_TOKENS:
    case VG_COLUMN_TEXTS:
        return 4;
    case VG_COLUMN_TIME:
    case VG_COLUMN_NUMBER:
    case VG_COLUMN_FLAGS:
    case VG_COLUMN_TEXT:
    case VG_COLUMN_SUBJECTS:
    case VG_COLUMN_FIXED:
        return 0;
    }
    return 0;
}

/* Chunks made so far. */
static atomic_uint_fast64_t last_serial;

struct vg_chunk *vg_chunk_create(
    const struct vg_table_schema *schema,
    const struct vg_dictionary *dictionaries,
    uint32_t number,
    uint32_t capacity,
    struct vg_deaths *taken_deaths)
{
    struct vg_chunk *chunk =
        calloc(1, sizeof(*chunk) + schema->column_count * sizeof(struct vg_column_data));
    if (chunk == NULL) {
        return NULL;
    }
    chunk->strip_zones = calloc(schema->column_count, sizeof(*chunk->strip_zones));
    if (chunk->strip_zones == NULL) {
        free(chunk);
        return NULL;
    }
    chunk->schema = schema;
    chunk->dictionaries = dictionaries;
    chunk->number = number;
    chunk->serial = atomic_fetch_add(&last_serial, 1) + 1;
    chunk->capacity = capacity;
    chunk->refs = 1;
    chunk->deaths = taken_deaths;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        chunk->columns[i].value_size = vg_chunk_value_size(&schema->columns[i]);
        chunk->columns[i].element_size = vg_chunk_element_size(&schema->columns[i]);
        chunk->columns[i].row_mask = UINT32_MAX;
        chunk->columns[i].code_mask = UINT32_MAX;
    }
    return chunk;
}

struct vg_chunk *vg_chunk_ref(struct vg_chunk *chunk)
{
    chunk->refs++;
    return chunk;
}

/* A sealed chunk's arrays are in its mapping; only the zones are memory in every form. */
static void free_column(struct vg_column_data *data, enum vg_chunk_form form)
{
    free(data->zone);
    free(data->index);
    if (form == VG_CHUNK_SEALED) {
        return;
    }
    if (data->blocks != NULL) {
        for (uint32_t i = 0; (uint64_t)i * VG_ROW_LIST_MAX < data->element_count; i++) {
            free(data->blocks[i]);
        }
    }
    free(data->values);
    free(data->codes);
    free(data->starts);
    free(data->ends);
    free(data->blocks);
    free(data->elements);
}

void vg_chunk_unref(struct vg_chunk *chunk)
{
    if (chunk == NULL || --chunk->refs > 0) {
        return;
    }
    for (uint32_t i = 0; i < chunk->schema->column_count; i++) {
        free_column(&chunk->columns[i], chunk->form);
        free(atomic_load_explicit(&chunk->strip_zones[i], memory_order_relaxed));
    }
    free(chunk->strip_zones);
    if (chunk->mapping != NULL) {
        VG_ASSERT(munmap(chunk->mapping, chunk->mapping_size) == 0);
    }
    vg_deaths_unref(chunk->deaths);
    free(chunk);
}

uint64_t vg_chunk_memory(const struct vg_chunk *chunk, uint32_t rows)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < chunk->schema->column_count; i++) {
        const struct vg_column_data *data = &chunk->columns[i];
        bytes += (uint64_t)rows * data->value_size + sizeof(*data->zone);
        bytes += data->codes == NULL ? 0 : rows;
        bytes += data->starts == NULL ? 0 : (uint64_t)rows * 2 * sizeof(uint32_t);
        bytes += (uint64_t)data->element_count * data->element_size;
    }
    return bytes;
}

static uint64_t start_bytes(const struct vg_column_data *data, uint64_t rows)
{
    if (data->steps != NULL) {
        return (rows + 1) * sizeof(uint16_t) + (rows / VG_COLUMN_STEP_ROWS + 1) * sizeof(uint32_t);
    }
    return data->starts == NULL ? 0 : (rows + 1) * sizeof(uint32_t);
}

uint64_t vg_chunk_column_bytes(const struct vg_chunk *chunk, uint32_t column)
{
    VG_ASSERT(chunk->form == VG_CHUNK_SEALED);
    const struct vg_column_data *data = &chunk->columns[column];
    uint64_t values = data->values == NULL ? 0 : data->row_mask == 0 ? 1 : chunk->rows;
    uint64_t codes = data->codes == NULL ? 0 : data->code_mask == 0 ? 1 : chunk->rows;
    return values * data->value_size + codes + start_bytes(data, chunk->rows) +
           (uint64_t)data->element_count * data->element_size;
}

int64_t vg_chunk_number(const struct vg_chunk *chunk, uint32_t column, uint32_t position)
{
    const struct vg_column_data *data = &chunk->columns[column];
    return chunk->schema->columns[column].kind == VG_COLUMN_FLAGS
               ? vg_flags_number(vg_column_flags(data, position))
               : vg_column_number(data, position);
}

static void read_network(
    const struct vg_column_data *data,
    uint32_t position,
    struct vg_network *out_network)
{
    uint8_t code = vg_column_code(data, position);
    uint32_t value = vg_column_address(data, position);
    memset(out_network, 0, sizeof(*out_network));
    if (code == VG_NETWORK_CODE_NONE) {
        return;
    }
    if (code >= VG_NETWORK_CODE_V6) {
        out_network->family = 6;
        out_network->bits = (uint8_t)(code - VG_NETWORK_CODE_V6);
        memcpy(out_network->address, vg_column_elements(data, value), 16);
        return;
    }
    out_network->family = 4;
    out_network->bits = code;
    for (unsigned i = 0; i < 4; i++) {
        out_network->address[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

/* The entry of a dictionary column; data NULL for the absent value and for one past the limit. */
static struct vg_bytes read_entry(
    const struct vg_chunk *chunk,
    uint32_t column,
    uint32_t position,
    bool *out_beyond)
{
    uint32_t id = vg_column_id(&chunk->columns[column], position);
    *out_beyond = (id & VG_DICTIONARY_BEYOND) != 0;
    return id == 0 || *out_beyond ? vg_bytes(NULL, 0)
                                  : vg_dictionary_get(&chunk->dictionaries[column], id);
}

/* Only zero bytes are the absent value, but not in an id column: the nil UUID may be an id. */
static struct vg_bytes read_fixed(const struct vg_column_data *data, uint32_t position, bool is_id)
{
    const uint8_t *value = vg_column_fixed(data, position);
    if (is_id) {
        return vg_bytes(value, data->value_size);
    }
    for (uint32_t i = 0; i < data->value_size; i++) {
        if (value[i] != 0) {
            return vg_bytes(value, data->value_size);
        }
    }
    return vg_bytes(NULL, 0);
}

void vg_chunk_read(
    const struct vg_chunk *chunk,
    uint32_t column,
    uint32_t position,
    struct vg_value *out_value)
{
    const struct vg_column_data *data = &chunk->columns[column];
    memset(out_value, 0, sizeof(*out_value));
    switch (chunk->schema->columns[column].kind) {
    case VG_COLUMN_TIME:
    case VG_COLUMN_NUMBER:
    case VG_COLUMN_FLAGS:
        out_value->number = vg_chunk_number(chunk, column, position);
        return;
    case VG_COLUMN_TEXT:
        out_value->bytes = read_entry(chunk, column, position, &out_value->beyond);
        return;
    case VG_COLUMN_SUBJECTS: {
        struct vg_bytes entry = read_entry(chunk, column, position, &out_value->beyond);
        out_value->numbers.items = (const int64_t *)(const void *)entry.data;
        out_value->numbers.count = (uint32_t)(entry.size / sizeof(int64_t));
        return;
    }
    case VG_COLUMN_NETWORK:
        read_network(data, position, &out_value->network);
        return;
    case VG_COLUMN_FIXED:
        out_value->bytes =
            read_fixed(data, position, (chunk->schema->columns[column].flags & VG_COLUMN_ID) != 0);
        return;
    case VG_COLUMN_NUMBERS:
        out_value->numbers.items = vg_column_list(data, position, &out_value->numbers.count);
        return;
    case VG_COLUMN_HASHES:
        if (data->index != NULL) {
            return;
        }
        out_value->hashes.items = vg_column_list(data, position, &out_value->hashes.count);
        return;
    case VG_COLUMN_TOKENS:
        out_value->tokens.items = vg_column_list(data, position, &out_value->tokens.count);
        return;
    case VG_COLUMN_TEXTS:
        out_value->text_ids.items = vg_column_list(data, position, &out_value->text_ids.count);
        return;
    }
}

bool vg_chunk_has_hash(
    const struct vg_chunk *chunk,
    uint32_t column,
    uint32_t position,
    uint64_t hash)
{
    const struct vg_column_data *data = &chunk->columns[column];
    if (data->index != NULL) {
        uint32_t first = position / 64 * 64;
        uint64_t marked = 0;
        uint32_t number = vg_hash_index_find(data->index, hash);
        if (number != VG_HASH_INDEX_NONE) {
            vg_hash_index_mark(data->index, number, first, position - first + 1, &marked);
        }
        return (marked >> (position - first) & 1) != 0;
    }
    uint32_t count;
    const uint64_t *items = vg_column_list(data, position, &count);
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        found |= items[i] == hash;
    }
    return found;
}

struct vg_bytes vg_chunk_text(const struct vg_chunk *chunk, uint32_t column, uint32_t id)
{
    bool is_entry = id != 0 && (id & VG_DICTIONARY_BEYOND) == 0;
    return is_entry ? vg_dictionary_get(&chunk->dictionaries[column], id) : vg_bytes(NULL, 0);
}

static int compare_numbers(int64_t left, int64_t right)
{
    return (left > right) - (left < right);
}

static int compare_entries(const struct vg_value *left, const struct vg_value *right, bool subjects)
{
    if (left->beyond || right->beyond) {
        return (int)left->beyond - (int)right->beyond;
    }
    if (!subjects) {
        bool left_absent = left->bytes.data == NULL;
        bool right_absent = right->bytes.data == NULL;
        if (left_absent || right_absent) {
            return (int)right_absent - (int)left_absent;
        }
        return vg_bytes_compare(left->bytes, right->bytes);
    }
    for (uint32_t i = 0; i < left->numbers.count && i < right->numbers.count; i++) {
        int order = compare_numbers(left->numbers.items[i], right->numbers.items[i]);
        if (order != 0) {
            return order;
        }
    }
    return compare_numbers(left->numbers.count, right->numbers.count);
}

int vg_chunk_compare(
    const struct vg_chunk *left,
    uint32_t left_position,
    const struct vg_chunk *right,
    uint32_t right_position,
    uint32_t column)
{
    enum vg_column_kind kind = left->schema->columns[column].kind;
    if (kind == VG_COLUMN_TIME || kind == VG_COLUMN_NUMBER || kind == VG_COLUMN_FLAGS) {
        return compare_numbers(
            vg_chunk_number(left, column, left_position),
            vg_chunk_number(right, column, right_position));
    }
    struct vg_value a;
    struct vg_value b;
    vg_chunk_read(left, column, left_position, &a);
    vg_chunk_read(right, column, right_position, &b);
    return compare_entries(&a, &b, kind == VG_COLUMN_SUBJECTS);
}

bool vg_chunk_id_equal(
    const struct vg_chunk *chunk,
    uint32_t column,
    uint32_t position,
    const struct vg_value *value)
{
    struct vg_value stored;
    vg_chunk_read(chunk, column, position, &stored);
    switch (chunk->schema->columns[column].kind) {
    case VG_COLUMN_SUBJECTS:
        return stored.numbers.count == value->numbers.count &&
               (stored.numbers.count == 0 || memcmp(
                                                 stored.numbers.items,
                                                 value->numbers.items,
                                                 stored.numbers.count * sizeof(int64_t)) == 0);
    case VG_COLUMN_FIXED:
        return vg_bytes_equal(stored.bytes, value->bytes);
    case VG_COLUMN_TIME:
    case VG_COLUMN_NUMBER:
    case VG_COLUMN_FLAGS:
    case VG_COLUMN_TEXT:
    case VG_COLUMN_NETWORK:
    case VG_COLUMN_NUMBERS:
    case VG_COLUMN_HASHES:
    case VG_COLUMN_TOKENS:
    case VG_COLUMN_TEXTS:
        return stored.number == value->number;
    }
    return false;
}
