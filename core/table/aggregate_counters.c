#include "core/table/aggregate_counters.h"

#include <string.h>

#include "core/table/column_loops.h"

#define TABLES 4u

/* Several tables must stay in a near cache, or waiting for memory costs more than they save. */
#define TABLES_BYTES_MAX (256u << 10)

/* From so many wanted rows on, a strip is counted row by row, wanted or not, with a weight of 1 or
 * 0: cheaper than picking. */
#define ROWS_WEIGHED_MIN (VG_STRIP_ROWS / 4)

#define ONE_ROW    (UINT64_C(1) << VG_COUNTERS_ROW_SHIFT)
#define AMOUNT_MAX (ONE_ROW - 1)
#define ROWS_MAX   ((UINT64_C(1) << (64 - VG_COUNTERS_ROW_SHIFT)) - 1)

bool vg_counters_init(
    struct vg_counters *counters,
    uint32_t width,
    uint32_t planes,
    bool settles_often,
    struct vg_arena *arena)
{
    size_t word = sizeof(*counters->words);
    uint32_t size = width * planes;
    bool is_small = size * word * TABLES <= TABLES_BYTES_MAX;
    *counters = (struct vg_counters){
        .width = width,
        .planes = planes,
        .size = size,
        .tables = is_small && !settles_often ? TABLES : 1,
        .rows_left = ROWS_MAX,
        .amount_left = AMOUNT_MAX,
        .unseen_count = width,
    };
    counters->words = vg_arena_calloc(arena, (size_t)size * counters->tables, word);
    counters->cells = vg_arena_calloc(arena, size, sizeof(*counters->cells));
    counters->examples = vg_arena_calloc(arena, width, sizeof(*counters->examples));
    counters->unseen = vg_arena_calloc(arena, width, sizeof(*counters->unseen));
    for (uint32_t cell = 0; counters->unseen != NULL && cell < width; cell++) {
        counters->unseen[cell] = (uint16_t)cell;
    }
    return counters->words != NULL && counters->cells != NULL && counters->examples != NULL &&
           counters->unseen != NULL;
}

static void add_amount(struct vg_aggregate_cell *cell, uint64_t count, uint64_t amount)
{
    cell->count += count;
    cell->sum = (int64_t)((uint64_t)cell->sum + amount);
}

void vg_counters_settle(struct vg_counters *counters)
{
    for (uint32_t table = 0; table < counters->tables; table++) {
        const uint64_t *words = counters->words + (size_t)table * counters->size;
        for (uint32_t cell = 0; cell < counters->size; cell++) {
            uint64_t count = words[cell] >> VG_COUNTERS_ROW_SHIFT;
            add_amount(&counters->cells[cell], count, words[cell] & AMOUNT_MAX);
        }
    }
    memset(counters->words, 0, (size_t)counters->size * counters->tables * sizeof(uint64_t));
    counters->rows_left = ROWS_MAX;
    counters->amount_left = AMOUNT_MAX;
}

/* --- the loops: 64 rows, four at a time, each into a table of its own --- */

struct tables {
    uint64_t *words[TABLES];
    uint64_t each; /* what every row adds */
};

static struct tables tables_of(
    const struct vg_counters *counters,
    const struct vg_strip *strip,
    uint32_t plane)
{
    const struct vg_amounts *amounts = &strip->amounts;
    struct tables tables = { .each = ONE_ROW };
    if (amounts->form != VG_AMOUNT_NONE && amounts->form != VG_AMOUNT_WIDE) {
        tables.each += (uint64_t)amounts->base;
    }
    for (uint32_t i = 0; i < TABLES; i++) {
        tables.words[i] = counters->words + (size_t)(i % counters->tables) * counters->size +
                          (size_t)plane * counters->width;
    }
    return tables;
}

static void count_all(const struct tables *tables, const uint16_t *cells)
{
    const struct tables own = *tables;
    for (uint32_t i = 0; i < 64; i += TABLES) {
        own.words[0][cells[i]] += own.each;
        own.words[1][cells[i + 1]] += own.each;
        own.words[2][cells[i + 2]] += own.each;
        own.words[3][cells[i + 3]] += own.each;
    }
}

static void count_weighed(const struct tables *tables, const uint16_t *cells, uint64_t bits)
{
    const struct tables own = *tables;
    for (uint32_t i = 0; i < 64; i += TABLES, bits >>= TABLES) {
        own.words[0][cells[i]] += own.each & (0 - (bits & 1));
        own.words[1][cells[i + 1]] += own.each & (0 - (bits >> 1 & 1));
        own.words[2][cells[i + 2]] += own.each & (0 - (bits >> 2 & 1));
        own.words[3][cells[i + 3]] += own.each & (0 - (bits >> 3 & 1));
    }
}

/* The same with amounts, as they are stored. */
#define SUM_LOOPS(all, weighed, type)                                                              \
    static void all(const struct tables *tables, const uint16_t *cells, const type *amounts)       \
    {                                                                                              \
        const struct tables own = *tables;                                                         \
        for (uint32_t i = 0; i < 64; i += TABLES) {                                                \
            own.words[0][cells[i]] += own.each + (uint64_t)amounts[i];                             \
            own.words[1][cells[i + 1]] += own.each + (uint64_t)amounts[i + 1];                     \
            own.words[2][cells[i + 2]] += own.each + (uint64_t)amounts[i + 2];                     \
            own.words[3][cells[i + 3]] += own.each + (uint64_t)amounts[i + 3];                     \
        }                                                                                          \
    }                                                                                              \
    static void weighed(                                                                           \
        const struct tables *tables,                                                               \
        const uint16_t *cells,                                                                     \
        const type *amounts,                                                                       \
        uint64_t bits)                                                                             \
    {                                                                                              \
        const struct tables own = *tables;                                                         \
        for (uint32_t i = 0; i < 64; i += TABLES, bits >>= TABLES) {                               \
            uint64_t masks[TABLES] = { 0 - (bits & 1),                                             \
                                       0 - (bits >> 1 & 1),                                        \
                                       0 - (bits >> 2 & 1),                                        \
                                       0 - (bits >> 3 & 1) };                                      \
            own.words[0][cells[i]] += (own.each + (uint64_t)amounts[i]) & masks[0];                \
            own.words[1][cells[i + 1]] += (own.each + (uint64_t)amounts[i + 1]) & masks[1];        \
            own.words[2][cells[i + 2]] += (own.each + (uint64_t)amounts[i + 2]) & masks[2];        \
            own.words[3][cells[i + 3]] += (own.each + (uint64_t)amounts[i + 3]) & masks[3];        \
        }                                                                                          \
    }

SUM_LOOPS(sum_all_8, sum_weighed_8, uint8_t)
SUM_LOOPS(sum_all_16, sum_weighed_16, uint16_t)
SUM_LOOPS(sum_all_64, sum_weighed_64, int64_t)

/* Sixty-four rows; behind the last row of a strip there are none, so these are picked. */
static void add_word(
    const struct tables *tables,
    const struct vg_strip *strip,
    const uint16_t *cells,
    uint32_t word)
{
    const struct vg_amounts *amounts = &strip->amounts;
    uint64_t bits = strip->found[word];
    uint32_t first = word * 64;
    const uint16_t *own = cells + first;
    if (strip->count - first < 64) {
        for (; bits != 0; bits &= bits - 1) {
            uint32_t i = (uint32_t)__builtin_ctzll(bits);
            tables->words[0][own[i]] += ONE_ROW + (uint64_t)vg_amount_at(amounts, first + i);
        }
        return;
    }
    bool is_all = bits == UINT64_MAX;
    if (amounts->form == VG_AMOUNT_BYTES) {
        const uint8_t *values = (const uint8_t *)amounts->values + first;
        is_all ? sum_all_8(tables, own, values) : sum_weighed_8(tables, own, values, bits);
    } else if (amounts->form == VG_AMOUNT_SHORTS) {
        const uint16_t *values = (const uint16_t *)amounts->values + first;
        is_all ? sum_all_16(tables, own, values) : sum_weighed_16(tables, own, values, bits);
    } else if (amounts->form == VG_AMOUNT_WIDE) {
        const int64_t *values = (const int64_t *)amounts->values + first;
        is_all ? sum_all_64(tables, own, values) : sum_weighed_64(tables, own, values, bits);
    } else if (is_all) {
        count_all(tables, own);
    } else {
        count_weighed(tables, own, bits);
    }
}

/* --- strips --- */

VG_LOOP_CLONES static uint64_t any_bits(const int64_t *amounts, uint32_t count)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < count; i++) {
        any |= (uint64_t)amounts[i];
    }
    return any;
}

/* No amount is greater, wanted or not, and few are half as great; where one may be below zero it is
 * a very large number. */
static uint64_t greatest(const struct vg_strip *strip)
{
    const struct vg_amounts *amounts = &strip->amounts;
    uint64_t base = amounts->base < 0 ? INT64_MAX : (uint64_t)amounts->base;
    switch (amounts->form) {
    case VG_AMOUNT_SAME:
        return base;
    case VG_AMOUNT_BYTES:
        return base + UINT8_MAX;
    case VG_AMOUNT_SHORTS:
        return base + UINT16_MAX;
    case VG_AMOUNT_WIDE:
        return any_bits(amounts->values, strip->count);
    case VG_AMOUNT_NONE:
        break;
    }
    return 0;
}

/* May the rows of the strip be counted in words? Makes room in them. */
static bool fits_words(struct vg_counters *counters, const struct vg_strip *strip)
{
    uint64_t most = greatest(strip);
    if (most > AMOUNT_MAX / VG_STRIP_ROWS) {
        return false;
    }
    if (counters->rows_left < strip->count || counters->amount_left < most * strip->count) {
        vg_counters_settle(counters);
    }
    counters->rows_left -= strip->count;
    counters->amount_left -= most * strip->count;
    return true;
}

static void add_picked(
    struct vg_counters *counters,
    const struct vg_strip *strip,
    const uint16_t *cells,
    uint32_t plane)
{
    struct vg_aggregate_cell *own = counters->cells + (size_t)plane * counters->width;
    uint16_t rows[VG_STRIP_ROWS];
    uint32_t count = vg_strip_rows(strip, rows);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t amount = (uint64_t)vg_amount_at(&strip->amounts, rows[i]);
        add_amount(&own[cells[rows[i]]], 1, amount);
    }
}

void vg_counters_add(
    struct vg_counters *counters,
    const struct vg_strip *strip,
    const uint16_t *cells,
    uint32_t plane)
{
    counters->lacks_examples = true;
    if (strip->found_count < ROWS_WEIGHED_MIN || !fits_words(counters, strip)) {
        add_picked(counters, strip, cells, plane);
        return;
    }
    const struct tables tables = tables_of(counters, strip, plane);
    for (uint32_t word = 0; word * 64 < strip->count; word++) {
        add_word(&tables, strip, cells, word);
    }
}

/* --- examples --- */

static bool has_rows(
    const struct vg_counters *counters,
    uint32_t cell,
    uint32_t first,
    uint32_t last)
{
    uint64_t any = 0;
    for (uint32_t plane = first; plane <= last && any == 0; plane++) {
        uint32_t at = plane * counters->width + cell;
        any = counters->cells[at].count;
        for (uint32_t table = 0; table < counters->tables; table++) {
            any |= counters->words[(size_t)table * counters->size + at];
        }
    }
    return any != 0;
}

uint32_t vg_counters_missing(struct vg_counters *counters, uint32_t first, uint32_t last)
{
    uint32_t missing = 0;
    uint32_t kept = 0;
    if (!counters->lacks_examples) {
        return 0;
    }
    for (uint32_t i = 0; i < counters->unseen_count; i++) {
        uint16_t cell = counters->unseen[i];
        if (counters->examples[cell].part != 0) {
            continue;
        }
        if (has_rows(counters, cell, first, last)) {
            counters->examples[cell].is_missing = true;
            missing++;
        } else {
            counters->unseen[kept++] = cell;
        }
    }
    counters->unseen_count = kept;
    counters->lacks_examples = false;
    return missing;
}

uint32_t vg_counters_take_examples(
    struct vg_counters *counters,
    const struct vg_strip *strip,
    const uint16_t *cells,
    uint32_t part)
{
    uint32_t taken = 0;
    for (uint32_t word = 0; word * 64 < strip->count; word++) {
        for (uint64_t rest = strip->found[word]; rest != 0; rest &= rest - 1) {
            uint32_t row = word * 64 + (uint32_t)__builtin_ctzll(rest);
            struct vg_counter_example *example = &counters->examples[cells[row]];
            if (example->is_missing) {
                *example =
                    (struct vg_counter_example){ .part = part + 1, .position = strip->first + row };
                taken++;
            }
        }
    }
    return taken;
}
