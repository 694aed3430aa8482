#include "core/table/aggregate_strip.h"

#include "core/table/column_loops.h"

/* --- loops --- */

#define NUMBERS_LOOP(name, type, none)                                                             \
    VG_LOOP_CLONES static void                                                                     \
    name(const type *values, uint32_t count, int64_t base, int64_t absent, int64_t *restrict out)  \
    {                                                                                              \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            out[i] = values[i] == (none) ? absent : base + (int64_t)values[i];                     \
        }                                                                                          \
    }

NUMBERS_LOOP(numbers_8, uint8_t, UINT8_MAX)
NUMBERS_LOOP(numbers_16, uint16_t, UINT16_MAX)
NUMBERS_LOOP(numbers_32, uint32_t, UINT32_MAX)
NUMBERS_LOOP(numbers_64, int64_t, VG_ABSENT)

/* `plus` wraps round: what is added may be less than nothing. */
#define CELLS_LOOP(name, type, none)                                                               \
    VG_LOOP_CLONES static void name(                                                               \
        const type *values,                                                                        \
        uint32_t count,                                                                            \
        uint32_t plus,                                                                             \
        uint32_t width,                                                                            \
        uint32_t *restrict cells)                                                                  \
    {                                                                                              \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            uint32_t number = values[i] == (none) ? 0 : (uint32_t)values[i] + plus;                \
            cells[i] = cells[i] * width + number;                                                  \
        }                                                                                          \
    }

CELLS_LOOP(cells_8, uint8_t, UINT8_MAX)
CELLS_LOOP(cells_16, uint16_t, UINT16_MAX)
CELLS_LOOP(cells_32, uint32_t, UINT32_MAX)
CELLS_LOOP(cells_64, int64_t, VG_ABSENT)

VG_LOOP_CLONES
static void cells_ids(const uint32_t *ids, uint32_t count, uint32_t width, uint32_t *restrict cells)
{
    for (uint32_t i = 0; i < count; i++) {
        cells[i] = cells[i] * width + ids[i];
    }
}

VG_LOOP_CLONES static void bounds_32(
    const uint32_t *values,
    uint32_t count,
    uint32_t *out_min,
    uint32_t *out_max)
{
    uint32_t min = UINT32_MAX;
    uint32_t max = 0;
    for (uint32_t i = 0; i < count; i++) {
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
    }
    *out_min = min;
    *out_max = max;
}

/* Rows mostly come in order of time; then the first and the last say it all. */
#define RISING_LOOP(name, type)                                                                    \
    VG_LOOP_CLONES static bool name(const type *values, uint32_t count)                            \
    {                                                                                              \
        type falls = 0;                                                                            \
        for (uint32_t i = 1; i < count; i++) {                                                     \
            falls |= values[i] < values[i - 1];                                                    \
        }                                                                                          \
        return falls == 0;                                                                         \
    }

RISING_LOOP(is_rising_32, uint32_t)
RISING_LOOP(is_rising_64, int64_t)

VG_LOOP_CLONES static uint64_t sum_of(const int64_t *numbers, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += (uint64_t)numbers[i];
    }
    return sum;
}

/* --- strips --- */

static const void *values_of(const struct vg_strip *strip, uint32_t column)
{
    const struct vg_column_data *data = &strip->chunk->columns[column];
    return (const uint8_t *)data->values + (size_t)strip->first * data->value_size;
}

uint32_t vg_strip_rows(const struct vg_strip *strip, uint16_t out_rows[VG_STRIP_ROWS])
{
    uint32_t count = 0;
    for (uint32_t word = 0; word * 64 < strip->count; word++) {
        for (uint64_t rest = strip->found[word]; rest != 0; rest &= rest - 1) {
            out_rows[count++] = (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(rest));
        }
    }
    return count;
}

struct vg_aggregate_cell vg_strip_total(const struct vg_strip *strip, const uint64_t *bits)
{
    uint64_t count = vg_loop_count_bits(bits, (strip->count + 63) / 64);
    uint64_t sum = 0;
    for (uint32_t word = 0; strip->amounts != NULL && word * 64 < strip->count; word++) {
        const int64_t *amounts = strip->amounts + word * 64;
        if (bits[word] == UINT64_MAX) {
            sum += sum_of(amounts, 64);
            continue;
        }
        for (uint64_t rest = bits[word]; rest != 0; rest &= rest - 1) {
            sum += (uint64_t)amounts[__builtin_ctzll(rest)];
        }
    }
    return (struct vg_aggregate_cell){ .count = count, .sum = (int64_t)sum };
}

void vg_strip_numbers(
    const struct vg_strip *strip,
    uint32_t column,
    int64_t absent,
    int64_t out_numbers[VG_STRIP_ROWS])
{
    const struct vg_column_data *data = &strip->chunk->columns[column];
    const void *values = values_of(strip, column);
    if (data->value_size == 1) {
        numbers_8(values, strip->count, data->base, absent, out_numbers);
    } else if (data->value_size == 2) {
        numbers_16(values, strip->count, data->base, absent, out_numbers);
    } else if (data->value_size == 4) {
        numbers_32(values, strip->count, data->base, absent, out_numbers);
    } else {
        numbers_64(values, strip->count, 0, absent, out_numbers);
    }
}

bool vg_strip_measure(
    const struct vg_strip *strip,
    uint32_t column,
    struct vg_strip_range *out_range)
{
    const struct vg_column_data *data = &strip->chunk->columns[column];
    const void *values = values_of(strip, column);
    bool is_rising = (data->value_size == 4 && is_rising_32(values, strip->count)) ||
                     (data->value_size == 8 && is_rising_64(values, strip->count));
    out_range->is_rising = is_rising;
    if (is_rising) {
        out_range->min = vg_column_number(data, strip->first);
        out_range->max = vg_column_number(data, strip->first + strip->count - 1);
        return out_range->min != VG_ABSENT && out_range->max != VG_ABSENT;
    }
    if (data->value_size == 4) {
        uint32_t least;
        uint32_t greatest;
        bounds_32(values, strip->count, &least, &greatest);
        out_range->min = data->base + (int64_t)least;
        out_range->max = data->base + (int64_t)greatest;
        return greatest != UINT32_MAX;
    }
    int64_t numbers[VG_STRIP_ROWS];
    if (data->value_size != 8) {
        vg_strip_numbers(strip, column, VG_ABSENT, numbers);
        values = numbers;
    }
    vg_loop_bounds_64(values, strip->count, &out_range->min, &out_range->max);
    return out_range->min != VG_ABSENT;
}

uint32_t vg_strip_rows_below(const struct vg_strip *strip, uint32_t column, int64_t bound)
{
    const struct vg_column_data *data = &strip->chunk->columns[column];
    uint32_t low = 0;
    uint32_t high = strip->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (vg_column_number(data, strip->first + middle) < bound) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void vg_strip_cells(
    const struct vg_strip *strip,
    const struct vg_narrow_column *narrow,
    uint32_t cells[VG_STRIP_ROWS])
{
    const struct vg_column_data *data = &strip->chunk->columns[narrow->column];
    const void *values = values_of(strip, narrow->column);
    uint32_t plus = (uint32_t)((uint64_t)data->base - (uint64_t)narrow->min + 1);
    if (narrow->has_ids) {
        cells_ids(values, strip->count, narrow->width, cells);
    } else if (data->value_size == 1) {
        cells_8(values, strip->count, plus, narrow->width, cells);
    } else if (data->value_size == 2) {
        cells_16(values, strip->count, plus, narrow->width, cells);
    } else if (data->value_size == 4) {
        cells_32(values, strip->count, plus, narrow->width, cells);
    } else {
        plus = (uint32_t)(1 - (uint64_t)narrow->min);
        cells_64(values, strip->count, plus, narrow->width, cells);
    }
}
