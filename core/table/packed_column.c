#include "core/table/packed_column.h"

#include <string.h>

#include "core/base/assert.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files keep the low bytes of numbers");

/* The furthest a list may begin behind that of the first of its 64 rows. */
#define STEP_MAX UINT16_MAX

static bool is_version_6(uint8_t code)
{
    return code >= VG_NETWORK_CODE_V6 && code != VG_NETWORK_CODE_NONE;
}

static bool is_list(enum vg_column_kind kind)
{
    return kind == VG_COLUMN_NUMBERS || kind == VG_COLUMN_TOKENS || kind == VG_COLUMN_TEXTS;
}

/* --- measuring --- */

/* Bytes for values up to `largest`, `natural` at most. */
static uint32_t narrowest(uint64_t largest, uint32_t natural)
{
    for (uint32_t size = 1; size < natural; size *= 2) {
        if (largest < UINT64_C(1) << size * 8) {
            return size;
        }
    }
    return natural;
}

static void measure_numbers(
    const struct vg_column_data *data,
    uint32_t rows,
    struct vg_packed_shape *shape)
{
    const struct vg_zone *zone = data->zone;
    bool has_value = zone->min <= zone->max;
    uint64_t range = has_value ? (uint64_t)zone->max - (uint64_t)zone->min : 0;
    /* One number more stands for absent. The range may fill 64 bits. */
    shape->value_size =
        range == UINT64_MAX ? data->value_size : narrowest(range + 1, data->value_size);
    if (shape->value_size != data->value_size) {
        shape->base = has_value ? zone->min : 0;
    }
    bool is_one = !has_value || (range == 0 && zone->has_absent == 0);
    shape->value_count = is_one ? 1 : rows;
}

static void measure_ids(
    const struct vg_column_data *data,
    uint32_t rows,
    struct vg_packed_shape *shape)
{
    const uint32_t *ids = data->values;
    uint32_t least = UINT32_MAX; /* 0 left out, which wraps to the largest */
    uint32_t largest = 0;
    uint32_t differ = 0;
    for (uint32_t row = 0; row < rows; row++) {
        least = ids[row] - 1 < least ? ids[row] - 1 : least;
        largest = ids[row] > largest ? ids[row] : largest;
        differ |= ids[row] ^ ids[0];
    }
    bool has_hash = (largest & VG_DICTIONARY_BEYOND) != 0;
    uint32_t base = largest == 0 ? 0 : least;
    if (!has_hash) {
        shape->value_size = narrowest(largest - base, data->value_size);
        shape->base = shape->value_size == data->value_size ? 0 : base;
    }
    /* The record of a row with a hash must be asked, so its rows are not alike. */
    shape->value_count = differ == 0 && !has_hash ? 1 : rows;
}

static void measure_flags(
    const struct vg_column_data *data,
    uint32_t rows,
    struct vg_packed_shape *shape)
{
    const uint64_t *flags = data->values;
    uint64_t any = 0;
    uint64_t differ = 0;
    for (uint32_t row = 0; row < rows; row++) {
        any |= flags[row];
        differ |= flags[row] ^ flags[0];
    }
    shape->value_size = narrowest(vg_bits_gather(any, any), data->value_size);
    shape->value_count = differ == 0 ? 1 : rows;
    if (shape->value_size != data->value_size) {
        memcpy(&shape->base, &any, sizeof(any));
    }
}

static void measure_fixed(
    const struct vg_column_data *data,
    uint32_t rows,
    struct vg_packed_shape *shape)
{
    uint32_t row = 1;
    while (row < rows &&
           memcmp(vg_column_fixed(data, row), vg_column_fixed(data, 0), data->value_size) == 0) {
        row++;
    }
    shape->value_count = row >= rows ? 1 : rows;
}

static void measure_networks(
    const struct vg_column_data *data,
    uint32_t rows,
    struct vg_packed_shape *shape)
{
    const uint32_t *addresses = data->values;
    uint32_t differ = 0;
    uint8_t codes_differ = 0;
    for (uint32_t row = 0; row < rows; row++) {
        differ |= addresses[row] ^ addresses[0];
        codes_differ |= data->codes[row] ^ data->codes[0];
        shape->element_count += is_version_6(data->codes[row]);
    }
    shape->code_count = codes_differ == 0 ? 1 : rows;
    shape->value_count = codes_differ == 0 && differ == 0 && shape->element_count == 0 ? 1 : rows;
}

/* A tail's blocks have gaps, a file has none. */
static void measure_lists(
    const struct vg_column_data *data,
    uint32_t rows,
    struct vg_packed_shape *shape)
{
    uint32_t first = 0; /* of the 64 rows */
    uint32_t furthest = 0;
    for (uint32_t row = 0; row < rows; row++) {
        first = row % VG_COLUMN_STEP_ROWS == 0 ? shape->element_count : first;
        furthest =
            shape->element_count - first > furthest ? shape->element_count - first : furthest;
        shape->element_count += data->ends[row] - data->starts[row];
    }
    /* The row behind the last one is asked where it begins as well. */
    first = rows % VG_COLUMN_STEP_ROWS == 0 ? shape->element_count : first;
    furthest = shape->element_count - first > furthest ? shape->element_count - first : furthest;
    shape->step_size = shape->element_count == 0 ? 0
                       : furthest <= STEP_MAX    ? sizeof(uint16_t)
                                                 : sizeof(uint32_t);
}

void vg_packed_column_measure(
    const struct vg_chunk *chunk,
    uint32_t column,
    struct vg_packed_shape *out_shape)
{
    const struct vg_column_data *data = &chunk->columns[column];
    *out_shape = (struct vg_packed_shape){ .value_size = data->value_size };
    switch (chunk->schema->columns[column].kind) {
    case VG_COLUMN_TIME:
    case VG_COLUMN_NUMBER:
        measure_numbers(data, chunk->rows, out_shape);
        return;
    case VG_COLUMN_TEXT:
    case VG_COLUMN_SUBJECTS:
        measure_ids(data, chunk->rows, out_shape);
        return;
    case VG_COLUMN_FLAGS:
        measure_flags(data, chunk->rows, out_shape);
        return;
    case VG_COLUMN_FIXED:
        measure_fixed(data, chunk->rows, out_shape);
        return;
    case VG_COLUMN_NETWORK:
        measure_networks(data, chunk->rows, out_shape);
        return;
    case VG_COLUMN_NUMBERS:
    case VG_COLUMN_TOKENS:
    case VG_COLUMN_TEXTS:
        measure_lists(data, chunk->rows, out_shape);
        return;
    case VG_COLUMN_HASHES:
        break;
    }
    VG_UNREACHABLE();
}

/* --- shapes --- */

uint32_t vg_packed_shape_starts(const struct vg_packed_shape *shape, uint32_t rows)
{
    return shape->step_size == sizeof(uint16_t)   ? rows / VG_COLUMN_STEP_ROWS + 1
           : shape->step_size == sizeof(uint32_t) ? rows + 1
                                                  : 0;
}

uint32_t vg_packed_shape_steps(const struct vg_packed_shape *shape, uint32_t rows)
{
    return shape->step_size == sizeof(uint16_t) ? rows + 1 : 0;
}

static bool is_count(uint32_t count, uint32_t rows)
{
    return count == 1 || count == rows;
}

bool vg_packed_shape_is_legal(
    const struct vg_packed_shape *shape,
    const struct vg_column *column,
    uint32_t rows)
{
    enum vg_column_kind kind = column->kind;
    uint32_t natural = kind == VG_COLUMN_HASHES ? 0 : vg_chunk_value_size(column);
    bool may_narrow = kind == VG_COLUMN_TIME || kind == VG_COLUMN_NUMBER ||
                      kind == VG_COLUMN_FLAGS || vg_column_kind_has_dictionary(kind);
    uint32_t size = shape->value_size;
    bool is_narrow = may_narrow && size < natural && (size == 1 || size == 2 || size == 4);
    return (size == natural || is_narrow) &&
           (natural == 0 ? shape->value_count == 0 : is_count(shape->value_count, rows)) &&
           (kind == VG_COLUMN_NETWORK ? is_count(shape->code_count, rows)
                                      : shape->code_count == 0) &&
           (is_list(kind) ? shape->step_size == 2 || shape->step_size == 4 ||
                                (shape->step_size == 0 && shape->element_count == 0)
                          : shape->step_size == 0);
}

/* --- writing --- */

/* The lowest bytes: files are in the machine's order, which is little endian. */
static void put(
    const struct vg_packed_arrays *arrays,
    const struct vg_packed_shape *shape,
    uint32_t row,
    uint64_t stored)
{
    uint8_t *value = arrays->values + (size_t)row * shape->value_size;
    switch (shape->value_size) {
    case 1:
        memcpy(value, &stored, 1);
        return;
    case 2:
        memcpy(value, &stored, 2);
        return;
    case 4:
        memcpy(value, &stored, 4);
        return;
    default:
        memcpy(value, &stored, 8);
        return;
    }
}

static void write_numbers(
    const struct vg_column_data *data,
    const struct vg_packed_shape *shape,
    const struct vg_packed_arrays *arrays)
{
    for (uint32_t row = 0; row < shape->value_count; row++) {
        int64_t number = vg_column_number(data, row);
        uint64_t stored = (uint64_t)number - (uint64_t)shape->base;
        put(arrays, shape, row, number == VG_ABSENT ? UINT64_MAX : stored);
    }
}

static void write_ids(
    const struct vg_column_data *data,
    const struct vg_packed_shape *shape,
    const struct vg_packed_arrays *arrays)
{
    const uint32_t *ids = data->values;
    for (uint32_t row = 0; row < shape->value_count; row++) {
        put(arrays, shape, row, ids[row] == 0 ? 0 : ids[row] - (uint64_t)shape->base);
    }
}

static void write_flags(
    const struct vg_column_data *data,
    const struct vg_packed_shape *shape,
    const struct vg_packed_arrays *arrays)
{
    const uint64_t *flags = data->values;
    for (uint32_t row = 0; row < shape->value_count; row++) {
        put(arrays, shape, row, vg_bits_gather(flags[row], (uint64_t)shape->base));
    }
}

static void write_networks(
    const struct vg_column_data *data,
    const struct vg_packed_shape *shape,
    const struct vg_packed_arrays *arrays)
{
    const uint32_t *addresses = data->values;
    uint32_t count = 0;
    memcpy(arrays->codes, data->codes, shape->code_count);
    for (uint32_t row = 0; row < shape->value_count; row++) {
        uint32_t stored = addresses[row];
        if (is_version_6(data->codes[row])) {
            const void *address = vg_column_elements(data, addresses[row]);
            memcpy(
                arrays->elements + (size_t)count * data->element_size,
                address,
                data->element_size);
            stored = count++;
        }
        put(arrays, shape, row, stored);
    }
}

static void write_lists(
    const struct vg_column_data *data,
    uint32_t rows,
    const struct vg_packed_shape *shape,
    const struct vg_packed_arrays *arrays)
{
    uint32_t first = 0;
    uint32_t count = 0;
    for (uint32_t row = 0; row <= rows && shape->step_size != 0; row++) {
        if (arrays->steps == NULL) {
            arrays->starts[row] = count;
        } else {
            first = row % VG_COLUMN_STEP_ROWS == 0 ? count : first;
            arrays->starts[row / VG_COLUMN_STEP_ROWS] = first;
            arrays->steps[row] = (uint16_t)(count - first);
        }
        uint32_t length = 0;
        const void *items = row < rows ? vg_column_list(data, row, &length) : NULL;
        if (length > 0) {
            memcpy(
                arrays->elements + (size_t)count * data->element_size,
                items,
                (size_t)length * data->element_size);
        }
        count += length;
    }
}

void vg_packed_column_write(
    const struct vg_chunk *chunk,
    uint32_t column,
    const struct vg_packed_shape *shape,
    const struct vg_packed_arrays *arrays)
{
    const struct vg_column_data *data = &chunk->columns[column];
    enum vg_column_kind kind = chunk->schema->columns[column].kind;
    if (kind == VG_COLUMN_NETWORK) {
        write_networks(data, shape, arrays);
    } else if (is_list(kind)) {
        write_lists(data, chunk->rows, shape, arrays);
    } else if (shape->value_size == data->value_size) {
        memcpy(arrays->values, data->values, (size_t)shape->value_count * shape->value_size);
    } else if (kind == VG_COLUMN_FLAGS) {
        write_flags(data, shape, arrays);
    } else if (vg_column_kind_has_dictionary(kind)) {
        write_ids(data, shape, arrays);
    } else {
        write_numbers(data, shape, arrays);
    }
}
