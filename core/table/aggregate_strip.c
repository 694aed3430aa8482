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

/* All rows have the same value. */
// NOLINTBEGIN(bugprone-macro-parentheses): types
#define FILL_LOOP(name, type)                                                                      \
    VG_LOOP_CLONES static void name(type value, uint32_t count, type *restrict out)                \
    {                                                                                              \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            out[i] = value;                                                                        \
        }                                                                                          \
    }
// NOLINTEND(bugprone-macro-parentheses)

FILL_LOOP(fill_16, uint16_t)
FILL_LOOP(fill_32, uint32_t)
FILL_LOOP(fill_64, int64_t)

/* `plus` wraps round: what is added may be less than nothing. */
// NOLINTBEGIN(bugprone-macro-parentheses): types
#define CELLS_LOOP(name, type, cell)                                                               \
    VG_LOOP_CLONES static void                                                                     \
    name(const type *values, uint32_t count, type none, cell plus, cell *restrict out)             \
    {                                                                                              \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            cell number = (cell)((cell)values[i] + plus);                                          \
            out[i] = values[i] == none ? 0 : number;                                               \
        }                                                                                          \
    }
// NOLINTEND(bugprone-macro-parentheses)

CELLS_LOOP(cells_8_to_16, uint8_t, uint16_t)
CELLS_LOOP(cells_16_to_16, uint16_t, uint16_t)
CELLS_LOOP(cells_32_to_16, uint32_t, uint16_t)
CELLS_LOOP(cells_64_to_16, int64_t, uint16_t)
CELLS_LOOP(cells_8_to_32, uint8_t, uint32_t)
CELLS_LOOP(cells_16_to_32, uint16_t, uint32_t)
CELLS_LOOP(cells_32_to_32, uint32_t, uint32_t)
CELLS_LOOP(cells_64_to_32, int64_t, uint32_t)

VG_LOOP_CLONES void vg_strip_join_16(
    const uint16_t *numbers,
    uint32_t count,
    uint32_t width,
    uint16_t *restrict cells)
{
    for (uint32_t i = 0; i < count; i++) {
        cells[i] = (uint16_t)((uint16_t)(cells[i] * width) + numbers[i]);
    }
}

VG_LOOP_CLONES static void join_32(
    const uint32_t *numbers,
    uint32_t count,
    uint32_t width,
    uint32_t *restrict cells)
{
    for (uint32_t i = 0; i < count; i++) {
        cells[i] = cells[i] * width + numbers[i];
    }
}

/* Sixty-four rows. */
#define SUM_LOOP(name, type)                                                                       \
    VG_LOOP_CLONES static uint64_t name(const type *values, uint64_t bits)                         \
    {                                                                                              \
        uint64_t sum = 0;                                                                          \
        for (uint32_t i = 0; i < 64; i++) {                                                        \
            sum += (uint64_t)values[i] & (0 - (bits >> i & 1));                                    \
        }                                                                                          \
        return sum;                                                                                \
    }

SUM_LOOP(sum_16, uint16_t)
SUM_LOOP(sum_64, int64_t)

/* The bytes of eight rows at a time in the lanes of a word, those not wanted masked out. */
static uint64_t sum_8(const uint8_t *values, uint64_t bits)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t even = UINT64_C(0x00FF00FF00FF00FF);
    uint64_t lanes = 0; /* four of 16 bits, which sixteen bytes do not fill */
    for (uint32_t i = 0; i < 64; i += 8) {
        uint64_t eight;
        memcpy(&eight, values + i, sizeof(eight));
        uint64_t own = (bits >> i & 0xFF) * ones & UINT64_C(0x8040201008040201);
        uint64_t mask = ((own + ones * 0x7F) >> 7 & ones) * 0xFF;
        eight &= mask;
        lanes += (eight & even) + (eight >> 8 & even);
    }
    return lanes * UINT64_C(0x0001000100010001) >> 48;
}

/* --- strips --- */

/* As they are stored; just one where all rows share it. */
static const void *values_of(const struct vg_strip *strip, uint32_t column)
{
    const struct vg_column_data *data = &strip->chunk->columns[column];
    return (const uint8_t *)data->values +
           (size_t)(strip->first & data->row_mask) * data->value_size;
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

/* Fewer rows of a word are picked one by one. */
#define ROWS_SUMMED_MIN 10

static uint64_t sum_word(const struct vg_strip *strip, uint32_t word, uint64_t bits)
{
    const struct vg_amounts *amounts = &strip->amounts;
    size_t first = (size_t)word * 64;
    int count = __builtin_popcountll(bits);
    uint64_t sum = 0;
    if (count < ROWS_SUMMED_MIN || strip->count - first < 64) {
        for (; bits != 0; bits &= bits - 1) {
            sum +=
                (uint64_t)vg_amount_at(amounts, (uint32_t)first + (uint32_t)__builtin_ctzll(bits));
        }
        return sum;
    }
    if (amounts->form == VG_AMOUNT_WIDE) {
        return sum_64((const int64_t *)amounts->values + first, bits);
    }
    sum = (uint64_t)amounts->base * (uint64_t)count;
    return sum + (amounts->form == VG_AMOUNT_BYTES
                      ? sum_8((const uint8_t *)amounts->values + first, bits)
                      : sum_16((const uint16_t *)amounts->values + first, bits));
}

struct vg_aggregate_cell vg_strip_total(const struct vg_strip *strip, const uint64_t *bits)
{
    uint32_t words = (strip->count + 63) / 64;
    uint64_t count = vg_loop_count_bits(bits, words);
    uint64_t sum = 0;
    if (strip->amounts.form == VG_AMOUNT_SAME) {
        sum = (uint64_t)strip->amounts.base * count;
    } else if (strip->amounts.form != VG_AMOUNT_NONE) {
        for (uint32_t word = 0; word < words; word++) {
            sum += sum_word(strip, word, bits[word]);
        }
    }
    return (struct vg_aggregate_cell){ .count = count, .sum = (int64_t)sum };
}

struct vg_amounts vg_strip_amounts(
    const struct vg_strip *strip,
    uint32_t column,
    int64_t room[VG_STRIP_ROWS])
{
    const struct vg_column_data *data = &strip->chunk->columns[column];
    const struct vg_zone *zone = data->zone;
    if (!strip->is_tail && zone->has_absent == 0) {
        if (zone->min == zone->max) {
            return (struct vg_amounts){ .form = VG_AMOUNT_SAME, .base = zone->min };
        }
        if (data->value_size <= 2) {
            return (struct vg_amounts){
                .form = data->value_size == 1 ? VG_AMOUNT_BYTES : VG_AMOUNT_SHORTS,
                .base = data->base,
                .values = values_of(strip, column),
            };
        }
    }
    vg_strip_numbers(strip, column, 0, room);
    return (struct vg_amounts){ .form = VG_AMOUNT_WIDE, .values = room };
}

void vg_strip_numbers(
    const struct vg_strip *strip,
    uint32_t column,
    int64_t absent,
    int64_t out_numbers[VG_STRIP_ROWS])
{
    const struct vg_column_data *data = &strip->chunk->columns[column];
    const void *values = values_of(strip, column);
    if (vg_column_has_one_value(data)) {
        int64_t number = vg_column_number(data, 0);
        fill_64(number == VG_ABSENT ? absent : number, strip->count, out_numbers);
    } else if (data->value_size == 1) {
        numbers_8(values, strip->count, data->base, absent, out_numbers);
    } else if (data->value_size == 2) {
        numbers_16(values, strip->count, data->base, absent, out_numbers);
    } else if (data->value_size == 4) {
        numbers_32(values, strip->count, data->base, absent, out_numbers);
    } else {
        numbers_64(values, strip->count, 0, absent, out_numbers);
    }
}

struct vg_strip_zone vg_strip_zone(const struct vg_strip *strip, uint32_t column)
{
    const struct vg_strip_zone *zones =
        strip->is_tail ? NULL : vg_strip_zones(strip->chunk, column);
    if (zones != NULL) {
        return zones[strip->first / VG_STRIP_ROWS];
    }
    struct vg_strip_zone zone;
    vg_strip_zone_measure(&strip->chunk->columns[column], strip->first, strip->count, &zone);
    return zone;
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

/* What is stored becomes a cell by adding `plus`, but for what says that there is no value. */
struct step {
    const void *values;
    uint8_t value_size;
    bool is_one; /* all rows have the first value */
    uint64_t none;
    uint64_t plus;
};

static struct step step_of(const struct vg_strip *strip, const struct vg_narrow_column *narrow)
{
    const struct vg_column_data *data = &strip->chunk->columns[narrow->column];
    struct step step = {
        .values = values_of(strip, narrow->column),
        .value_size = data->value_size,
        .is_one = vg_column_has_one_value(data),
        .plus = (uint64_t)data->base,
    };
    if (!narrow->has_ids) {
        step.none = UINT64_MAX;
        step.plus = (data->value_size == 8 ? 0 : (uint64_t)data->base) - (uint64_t)narrow->min + 1;
    }
    return step;
}

// NOLINTBEGIN(bugprone-macro-parentheses): types
#define NUMBER_ROWS(name, cell, bits)                                                              \
    static void name(const struct step *step, uint32_t count, cell *out)                           \
    {                                                                                              \
        cell plus = (cell)step->plus;                                                              \
        if (step->is_one) {                                                                        \
            struct step first = *step;                                                             \
            cell number;                                                                           \
            first.is_one = false;                                                                  \
            name(&first, 1, &number);                                                              \
            fill_##bits(number, count, out);                                                       \
        } else if (step->value_size == 1) {                                                        \
            cells_8_to_##bits(step->values, count, (uint8_t)step->none, plus, out);                \
        } else if (step->value_size == 2) {                                                        \
            cells_16_to_##bits(step->values, count, (uint16_t)step->none, plus, out);              \
        } else if (step->value_size == 4) {                                                        \
            cells_32_to_##bits(step->values, count, (uint32_t)step->none, plus, out);              \
        } else {                                                                                   \
            cells_64_to_##bits(step->values, count, VG_ABSENT, plus, out);                         \
        }                                                                                          \
    }
// NOLINTEND(bugprone-macro-parentheses)

NUMBER_ROWS(number_rows_16, uint16_t, 16)
NUMBER_ROWS(number_rows_32, uint32_t, 32)

#define STRIP_CELLS(name, join, cell, bits)                                                        \
    void name(                                                                                     \
        const struct vg_strip *strip,                                                              \
        const struct vg_narrow_column *narrow,                                                     \
        uint32_t count,                                                                            \
        cell out_cells[VG_STRIP_ROWS])                                                             \
    {                                                                                              \
        cell numbers[VG_STRIP_ROWS];                                                               \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            struct step step = step_of(strip, &narrow[i]);                                         \
            number_rows_##bits(&step, strip->count, i == 0 ? out_cells : numbers);                 \
            if (i > 0) {                                                                           \
                join(numbers, strip->count, narrow[i].width, out_cells);                           \
            }                                                                                      \
        }                                                                                          \
    }

STRIP_CELLS(vg_strip_cells, join_32, uint32_t, 32)
STRIP_CELLS(vg_strip_cells_16, vg_strip_join_16, uint16_t, 16)
