#include "core/table/tail.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

/* Sealed files pad their arrays the same way, so no loop need treat the two apart. */
#define ARRAY_PAD 64u

static bool make_column(
    struct vg_column_data *data,
    const struct vg_column *column,
    uint32_t capacity)
{
    size_t rows = (size_t)capacity + ARRAY_PAD;
    data->zone = calloc(1, sizeof(*data->zone));
    if (data->zone == NULL) {
        return false;
    }
    data->zone->min = INT64_MAX;
    data->zone->max = INT64_MIN;
    if (data->value_size > 0) {
        data->values = calloc(rows, data->value_size);
        if (data->values == NULL) {
            return false;
        }
    }
    if (column->kind == VG_COLUMN_NETWORK) {
        data->codes = calloc(rows, 1);
        if (data->codes == NULL) {
            return false;
        }
    }
    if (column->kind == VG_COLUMN_NUMBERS || column->kind == VG_COLUMN_HASHES ||
        column->kind == VG_COLUMN_TOKENS || column->kind == VG_COLUMN_TEXTS) {
        data->starts = calloc(rows, sizeof(uint32_t));
        data->ends = calloc(rows, sizeof(uint32_t));
        if (data->starts == NULL || data->ends == NULL) {
            return false;
        }
    }
    if (data->element_size > 0) {
        data->blocks = calloc((size_t)capacity + 1, sizeof(void *));
    }
    return data->element_size == 0 || data->blocks != NULL;
}

struct vg_chunk *vg_tail_create(
    const struct vg_table_schema *schema,
    const struct vg_dictionary *dictionaries,
    uint32_t number,
    uint32_t capacity,
    struct vg_deaths *taken_deaths)
{
    struct vg_chunk *tail = vg_chunk_create(schema, dictionaries, number, capacity, taken_deaths);
    if (tail == NULL) {
        return NULL;
    }
    tail->form = VG_CHUNK_TAIL;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (!make_column(&tail->columns[i], &schema->columns[i], capacity)) {
            tail->deaths = NULL; /* stays the caller's */
            vg_chunk_unref(tail);
            return NULL;
        }
    }
    return tail;
}

static enum vg_reason no_memory(struct vg_error *error)
{
    return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for rows of the table");
}

/* Readers may look at the bounds at any time (vg_zone_read_bounds). */
static void widen(struct vg_zone *zone, int64_t value)
{
    if (value < zone->min) {
        __atomic_store_n(&zone->min, value, __ATOMIC_RELAXED);
    }
    if (value > zone->max) {
        __atomic_store_n(&zone->max, value, __ATOMIC_RELAXED);
    }
}

static bool write_number(struct vg_column_data *data, uint32_t position, int64_t number)
{
    bool absent = number == VG_ABSENT;
    if (absent) {
        __atomic_store_n(&data->zone->has_absent, 1, __ATOMIC_RELAXED);
    } else {
        widen(data->zone, number);
    }
    if (data->value_size == 8) {
        ((int64_t *)data->values)[position] = number;
        return true;
    }
    uint64_t none = (UINT64_C(1) << data->value_size * 8) - 1;
    if (!absent && (number < 0 || (uint64_t)number >= none)) {
        return false;
    }
    uint64_t stored = absent ? none : (uint64_t)number;
    switch (data->value_size) {
    case 1:
        ((uint8_t *)data->values)[position] = (uint8_t)stored;
        return true;
    case 2:
        ((uint16_t *)data->values)[position] = (uint16_t)stored;
        return true;
    default:
        ((uint32_t *)data->values)[position] = (uint32_t)stored;
        return true;
    }
}

static void note_id(struct vg_column_data *data, uint32_t id)
{
    uint32_t bit = id % VG_CHUNK_PRESENCE_BITS;
    data->zone->presence[bit / 64] |= UINT64_C(1) << bit % 64;
}

static void write_id(struct vg_column_data *data, uint32_t position, uint32_t id)
{
    note_id(data, id);
    ((uint32_t *)data->values)[position] = id;
}

static enum vg_reason write_entry(
    struct vg_column_data *data,
    struct vg_dictionary *dictionary,
    uint32_t position,
    struct vg_bytes bytes,
    bool *out_full,
    struct vg_error *error)
{
    uint32_t id = 0;
    *out_full = false;
    if (bytes.data != NULL && !vg_dictionary_add(dictionary, bytes, &id, out_full)) {
        return no_memory(error);
    }
    write_id(data, position, id);
    return VG_OK;
}

static enum vg_reason write_subjects(
    struct vg_column_data *data,
    struct vg_dictionary *dictionary,
    uint32_t position,
    const struct vg_value *value,
    struct vg_error *error)
{
    size_t size = value->numbers.count * sizeof(int64_t);
    struct vg_bytes bytes = vg_bytes(size == 0 ? NULL : value->numbers.items, size);
    bool full = false;
    enum vg_reason reason = write_entry(data, dictionary, position, bytes, &full, error);
    if (reason == VG_OK && full) {
        /* Access hangs on these sets: one that is not known cannot be decided on. */
        return vg_error_set(error, VG_RESOURCE_LIMIT, "too many different sets of subjects");
    }
    return reason;
}

/* Room for `count` elements that stand together; *out_start is the first one's number. */
static enum vg_reason take_elements(
    const struct vg_chunk *chunk,
    struct vg_column_data *data,
    uint32_t count,
    uint32_t *out_start,
    struct vg_error *error)
{
    uint32_t start = data->element_count;
    uint32_t used = start % VG_ROW_LIST_MAX;
    if (used != 0 && used + count > VG_ROW_LIST_MAX) {
        start += VG_ROW_LIST_MAX - used;
    }
    uint32_t block = start / VG_ROW_LIST_MAX;
    if (block > chunk->capacity || start > UINT32_MAX - VG_ROW_LIST_MAX) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "the lists of one chunk are too long");
    }
    if (data->blocks[block] == NULL) {
        data->blocks[block] = calloc(VG_ROW_LIST_MAX, data->element_size);
        if (data->blocks[block] == NULL) {
            return no_memory(error);
        }
    }
    data->element_count = start + count;
    *out_start = start;
    return VG_OK;
}

static void *element_at(struct vg_column_data *data, uint32_t number)
{
    uint8_t *block = data->blocks[number / VG_ROW_LIST_MAX];
    return block + (size_t)(number % VG_ROW_LIST_MAX) * data->element_size;
}

static enum vg_reason write_network(
    struct vg_chunk *chunk,
    struct vg_column_data *data,
    uint32_t position,
    const struct vg_network *network,
    struct vg_error *error)
{
    uint32_t value = 0;
    uint8_t code = VG_NETWORK_CODE_NONE;
    if (network->family == 4 && network->bits <= 32) {
        code = network->bits;
        for (unsigned i = 0; i < 4; i++) {
            value = value << 8 | network->address[i];
        }
    } else if (network->family == 6 && network->bits <= 128) {
        enum vg_reason reason = take_elements(chunk, data, 1, &value, error);
        if (reason != VG_OK) {
            return reason;
        }
        code = (uint8_t)(VG_NETWORK_CODE_V6 + network->bits);
        memcpy(element_at(data, value), network->address, 16);
    } else if (network->family != 0) {
        return vg_error_set(error, VG_INTERNAL, "a network that is none");
    }
    widen(data->zone, code);
    data->codes[position] = code;
    ((uint32_t *)data->values)[position] = value;
    return VG_OK;
}

static enum vg_reason write_fixed(
    struct vg_column_data *data,
    uint32_t position,
    struct vg_bytes bytes,
    struct vg_error *error)
{
    uint8_t *target = (uint8_t *)data->values + (size_t)position * data->value_size;
    if (bytes.data == NULL) {
        memset(target, 0, data->value_size);
        return VG_OK;
    }
    if (bytes.size != data->value_size) {
        return vg_error_set(error, VG_INTERNAL, "a fixed value of the wrong size");
    }
    memcpy(target, bytes.data, bytes.size);
    return VG_OK;
}

static enum vg_reason write_list(
    struct vg_chunk *chunk,
    struct vg_column_data *data,
    uint32_t position,
    const void *items,
    uint32_t count,
    struct vg_error *error)
{
    if (count > VG_ROW_LIST_MAX) {
        return vg_error_set(
            error,
            VG_RESOURCE_LIMIT,
            "a list of a record may have %u elements",
            VG_ROW_LIST_MAX);
    }
    uint32_t start = 0;
    if (count > 0) {
        enum vg_reason reason = take_elements(chunk, data, count, &start, error);
        if (reason != VG_OK) {
            return reason;
        }
        memcpy(element_at(data, start), items, (size_t)count * data->element_size);
    }
    data->starts[position] = start;
    data->ends[position] = start + count;
    return VG_OK;
}

static enum vg_reason write_texts(
    struct vg_chunk *chunk,
    struct vg_dictionary *dictionary,
    uint32_t column,
    uint32_t position,
    const struct vg_value *value,
    struct vg_error *error)
{
    struct vg_column_data *data = &chunk->columns[column];
    uint32_t count = value->texts.count;
    uint32_t start = 0;
    if (count > VG_ROW_LIST_MAX) {
        return vg_error_set(
            error,
            VG_RESOURCE_LIMIT,
            "a list of a record may have %u elements",
            VG_ROW_LIST_MAX);
    }
    enum vg_reason reason = count == 0 ? VG_OK : take_elements(chunk, data, count, &start, error);
    if (reason != VG_OK) {
        return reason;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t *element = element_at(data, start + i);
        bool full;
        if (!vg_dictionary_add(dictionary, value->texts.items[i], element, &full)) {
            return no_memory(error);
        }
        note_id(data, *element);
    }
    data->starts[position] = start;
    data->ends[position] = start + count;
    return VG_OK;
}

static enum vg_reason write_value(
    struct vg_chunk *chunk,
    struct vg_dictionary *dictionaries,
    uint32_t column,
    uint32_t position,
    const struct vg_value *value,
    struct vg_error *error)
{
    struct vg_column_data *data = &chunk->columns[column];
    bool full;
    switch (chunk->schema->columns[column].kind) {
    case VG_COLUMN_TIME:
    case VG_COLUMN_NUMBER:
        if (!write_number(data, position, value->number)) {
            return vg_error_set(
                error,
                VG_INTERNAL,
                "column %s cannot hold %lld",
                chunk->schema->columns[column].name,
                (long long)value->number);
        }
        return VG_OK;
    case VG_COLUMN_FLAGS:
        ((int64_t *)data->values)[position] = value->number;
        return VG_OK;
    case VG_COLUMN_TEXT:
        return write_entry(data, &dictionaries[column], position, value->bytes, &full, error);
    case VG_COLUMN_SUBJECTS:
        return write_subjects(data, &dictionaries[column], position, value, error);
    case VG_COLUMN_NETWORK:
        return write_network(chunk, data, position, &value->network, error);
    case VG_COLUMN_FIXED:
        return write_fixed(data, position, value->bytes, error);
    case VG_COLUMN_NUMBERS:
        return write_list(chunk, data, position, value->numbers.items, value->numbers.count, error);
    case VG_COLUMN_HASHES:
        ((uint64_t *)data->values)[position] =
            vg_hash_signature(value->hashes.items, value->hashes.count);
        return write_list(chunk, data, position, value->hashes.items, value->hashes.count, error);
    case VG_COLUMN_TOKENS:
        return write_list(chunk, data, position, value->tokens.items, value->tokens.count, error);
    case VG_COLUMN_TEXTS:
        return write_texts(chunk, &dictionaries[column], column, position, value, error);
    }
    return VG_OK;
}

enum vg_reason vg_tail_write(
    struct vg_chunk *tail,
    struct vg_dictionary *dictionaries,
    uint32_t position,
    const struct vg_row *row,
    struct vg_error *error)
{
    VG_ASSERT(tail->form == VG_CHUNK_TAIL && position < tail->capacity);
    for (uint32_t i = 0; i < tail->schema->column_count; i++) {
        enum vg_reason reason =
            write_value(tail, dictionaries, i, position, &row->values[i], error);
        if (reason != VG_OK) {
            return reason;
        }
    }
    return VG_OK;
}
