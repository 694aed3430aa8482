#include "core/table/chunk_copy.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/compaction_plan.h"
#include "core/table/table.h"

#define COPY_SOURCES_MAX VG_COMPACTION_CHUNKS_MAX

struct copy {
    const struct vg_chunk *const *sources;
    uint32_t source_count;
    const struct vg_row_origin *origins;
    uint32_t count;
    struct vg_chunk *target;
};

/* The column as the origin of row `row` stores it. */
static const struct vg_column_data *source_column(
    const struct copy *copy,
    uint32_t column,
    uint32_t row)
{
    return &copy->sources[copy->origins[row].source]->columns[column];
}

static void widen(struct vg_zone *zone, int64_t value)
{
    zone->min = value < zone->min ? value : zone->min;
    zone->max = value > zone->max ? value : zone->max;
}

/* Sources may keep their values in fewer bytes; the file of the copy chooses its own. */
static bool copy_numbers(const struct copy *copy, uint32_t column)
{
    struct vg_column_data *target = &copy->target->columns[column];
    uint8_t *values = target->values;
    for (uint32_t row = 0; row < copy->count; row++) {
        int64_t number =
            vg_column_number(source_column(copy, column, row), copy->origins[row].position);
        uint64_t stored = (uint64_t)number;
        if (number != VG_ABSENT) {
            widen(target->zone, number);
        } else {
            target->zone->has_absent = 1;
            stored = target->value_size < sizeof(stored) ? UINT64_MAX : stored;
        }
        /* The lowest bytes: the machine is little endian (chunk_file.c asserts it). */
        memcpy(values + (size_t)row * target->value_size, &stored, target->value_size);
    }
    return true;
}

static bool copy_flags(const struct copy *copy, uint32_t column)
{
    uint64_t *flags = copy->target->columns[column].values;
    for (uint32_t row = 0; row < copy->count; row++) {
        flags[row] = vg_column_flags(source_column(copy, column, row), copy->origins[row].position);
    }
    return true;
}

static bool copy_fixed(const struct copy *copy, uint32_t column)
{
    struct vg_column_data *target = &copy->target->columns[column];
    size_t size = target->value_size;
    uint8_t *values = target->values;
    for (uint32_t row = 0; row < copy->count; row++) {
        const struct vg_column_data *source = source_column(copy, column, row);
        memcpy(values + row * size, vg_column_fixed(source, copy->origins[row].position), size);
    }
    return true;
}

static bool copy_ids(const struct copy *copy, uint32_t column)
{
    struct vg_column_data *target = &copy->target->columns[column];
    uint32_t *ids = target->values;
    for (uint32_t row = 0; row < copy->count; row++) {
        uint32_t id = vg_column_id(source_column(copy, column, row), copy->origins[row].position);
        uint32_t bit = id % VG_CHUNK_PRESENCE_BITS;
        target->zone->presence[bit / 64] |= UINT64_C(1) << bit % 64;
        ids[row] = id;
    }
    return true;
}

static bool is_version_6(uint8_t code)
{
    return code >= VG_NETWORK_CODE_V6 && code != VG_NETWORK_CODE_NONE;
}

static bool copy_networks(const struct copy *copy, uint32_t column)
{
    struct vg_column_data *target = &copy->target->columns[column];
    uint32_t *values = target->values;
    for (uint32_t row = 0; row < copy->count; row++) {
        uint8_t code =
            vg_column_code(source_column(copy, column, row), copy->origins[row].position);
        target->codes[row] = code;
        target->element_count += is_version_6(code);
        widen(target->zone, code);
    }
    target->elements = calloc((size_t)target->element_count + 1, target->element_size);
    if (target->elements == NULL) {
        return false;
    }
    uint8_t *elements = target->elements;
    uint32_t used = 0;
    for (uint32_t row = 0; row < copy->count; row++) {
        const struct vg_column_data *source = source_column(copy, column, row);
        uint32_t value = vg_column_address(source, copy->origins[row].position);
        if (is_version_6(target->codes[row])) {
            const void *address = vg_column_elements(source, value);
            memcpy(elements + (size_t)used * target->element_size, address, target->element_size);
            value = used++;
        }
        values[row] = value;
    }
    return true;
}

/* Lists. */
static bool copy_lists(const struct copy *copy, uint32_t column)
{
    struct vg_column_data *target = &copy->target->columns[column];
    for (uint32_t row = 0; row < copy->count; row++) {
        uint32_t length;
        (void)
            vg_column_list(source_column(copy, column, row), copy->origins[row].position, &length);
        target->starts[row] = target->element_count;
        target->element_count += length;
        target->ends[row] = target->element_count;
    }
    target->elements = calloc((size_t)target->element_count + 1, target->element_size);
    if (target->elements == NULL) {
        return false;
    }
    uint8_t *elements = target->elements;
    for (uint32_t row = 0; row < copy->count; row++) {
        uint32_t length;
        const void *items =
            vg_column_list(source_column(copy, column, row), copy->origins[row].position, &length);
        if (length > 0) {
            memcpy(
                elements + (size_t)target->starts[row] * target->element_size,
                items,
                (size_t)length * target->element_size);
        }
    }
    return true;
}

/* Lists of ids of a dictionary. */
static bool copy_texts(const struct copy *copy, uint32_t column)
{
    struct vg_column_data *target = &copy->target->columns[column];
    if (!copy_lists(copy, column)) {
        return false;
    }
    const uint32_t *ids = target->elements;
    for (uint32_t i = 0; i < target->element_count; i++) {
        uint32_t bit = ids[i] % VG_CHUNK_PRESENCE_BITS;
        target->zone->presence[bit / 64] |= UINT64_C(1) << bit % 64;
    }
    return true;
}

/* Position -> row of the copy; COPY_NONE = it is not in this copy. */
#define COPY_NONE UINT32_MAX

/* Room for the hashes of a row of usual size, to begin with. */
#define COPY_HASHES_GUESS 32u

/* The hashes of one source's rows. `copies` and `positions` are room for all positions. */
static bool turn_over(
    const struct copy *copy,
    uint32_t column,
    uint32_t source,
    uint32_t *copies,
    uint16_t *positions,
    struct vg_hash_pairs *pairs)
{
    const struct vg_hash_index *index = copy->sources[source]->columns[column].index;
    memset(copies, 0xFF, VG_TABLE_CHUNK_ROWS_MAX * sizeof(*copies));
    for (uint32_t row = 0; row < copy->count; row++) {
        if (copy->origins[row].source == source) {
            copies[copy->origins[row].position] = row;
        }
    }
    for (uint32_t number = 0; number < index->hash_count; number++) {
        uint32_t count = vg_hash_index_rows(index, number, positions);
        if (!vg_hash_pairs_reserve(pairs, count)) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (copies[positions[i]] != COPY_NONE) {
                vg_hash_pairs_add(pairs, index->hashes[number], (uint16_t)copies[positions[i]]);
            }
        }
    }
    return true;
}

/* Sealed sources have their hashes turned over, and so they stay: the file takes the block as it
 * is. */
static bool copy_hashes(const struct copy *copy, uint32_t column)
{
    struct vg_column_data *target = &copy->target->columns[column];
    uint32_t *copies = malloc(VG_TABLE_CHUNK_ROWS_MAX * sizeof(*copies));
    uint16_t *positions = malloc(VG_TABLE_CHUNK_ROWS_MAX * sizeof(*positions));
    struct vg_hash_pairs pairs;
    bool made = vg_hash_pairs_init(&pairs, copy->count * COPY_HASHES_GUESS) && copies != NULL &&
                positions != NULL;
    for (uint32_t i = 0; i < copy->source_count && made; i++) {
        VG_ASSERT(copy->sources[i]->columns[column].index != NULL);
        made = turn_over(copy, column, i, copies, positions, &pairs);
    }
    if (made) {
        target->elements = vg_hash_index_make(&pairs, copy->count, &target->element_count);
        made = target->elements != NULL;
    }
    vg_hash_pairs_dispose(&pairs);
    free(copies);
    free(positions);
    return made;
}

/* One line per kind of column: all that a new kind needs here. */
static bool (*const copiers[VG_COLUMN_KIND_COUNT])(const struct copy *copy, uint32_t column) = {
    [VG_COLUMN_TIME] = copy_numbers,     /* numbers, perhaps kept narrow */
    [VG_COLUMN_NUMBER] = copy_numbers,   /* the same */
    [VG_COLUMN_FLAGS] = copy_flags,      /* sets, perhaps kept narrow */
    [VG_COLUMN_TEXT] = copy_ids,         /* ids of a dictionary */
    [VG_COLUMN_SUBJECTS] = copy_ids,     /* the same */
    [VG_COLUMN_NETWORK] = copy_networks, /* value, code and perhaps an element */
    [VG_COLUMN_FIXED] = copy_fixed,      /* bytes as they are */
    [VG_COLUMN_NUMBERS] = copy_lists,    /* elements */
    [VG_COLUMN_HASHES] = copy_hashes,    /* an index of sets */
    [VG_COLUMN_TOKENS] = copy_lists,     /* elements */
    [VG_COLUMN_TEXTS] = copy_texts,      /* elements that are ids */
};
_Static_assert(VG_COLUMN_KIND_COUNT == 11, "a new kind of column says how it is copied");

static bool make_column(struct vg_column_data *data, const struct vg_column *column, uint32_t rows)
{
    bool has_lists = column->kind == VG_COLUMN_NUMBERS || column->kind == VG_COLUMN_TOKENS ||
                     column->kind == VG_COLUMN_TEXTS;
    data->zone = calloc(1, sizeof(*data->zone));
    if (data->zone == NULL) {
        return false;
    }
    data->zone->min = INT64_MAX;
    data->zone->max = INT64_MIN;
    if (column->kind == VG_COLUMN_HASHES) {
        return true;
    }
    if (data->value_size > 0) {
        data->values = calloc(rows, data->value_size);
    }
    if (column->kind == VG_COLUMN_NETWORK) {
        data->codes = calloc(rows, 1);
    }
    if (has_lists) {
        data->starts = calloc(rows, sizeof(uint32_t));
        data->ends = calloc(rows, sizeof(uint32_t));
    }
    return (data->value_size == 0 || data->values != NULL) &&
           (column->kind != VG_COLUMN_NETWORK || data->codes != NULL) &&
           (!has_lists || (data->starts != NULL && data->ends != NULL));
}

struct vg_chunk *vg_chunk_copy_rows(
    const struct vg_chunk *const *sources,
    uint32_t source_count,
    const struct vg_row_origin *origins,
    uint32_t count,
    uint32_t number)
{
    VG_ASSERT(count > 0 && source_count <= COPY_SOURCES_MAX);
    const struct vg_table_schema *schema = sources[0]->schema;
    struct vg_chunk *target =
        vg_chunk_create(schema, sources[0]->dictionaries, number, count, NULL);
    if (target == NULL) {
        return NULL;
    }
    target->form = VG_CHUNK_CLOSED;
    target->rows = count;
    const struct copy copy = { sources, source_count, origins, count, target };
    for (uint32_t i = 0; i < schema->column_count; i++) {
        VG_ASSERT(copiers[schema->columns[i].kind] != NULL);
        if (!make_column(&target->columns[i], &schema->columns[i], count) ||
            !copiers[schema->columns[i].kind](&copy, i)) {
            vg_chunk_unref(target);
            return NULL;
        }
    }
    return target;
}
