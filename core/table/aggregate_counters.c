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
    bool settles_often,
    struct vg_arena *arena)
{
    size_t size = sizeof(*counters->words);
    bool is_small = width * size * TABLES <= TABLES_BYTES_MAX;
    *counters = (struct vg_counters){
        .width = width,
        .tables = is_small && !settles_often ? TABLES : 1,
        .rows_left = ROWS_MAX,
        .amount_left = AMOUNT_MAX,
    };
    counters->words = vg_arena_calloc(arena, (size_t)width * counters->tables, size);
    counters->cells = vg_arena_calloc(arena, width, sizeof(*counters->cells));
    counters->examples = vg_arena_calloc(arena, width, sizeof(*counters->examples));
    return counters->words != NULL && counters->cells != NULL && counters->examples != NULL;
}

static void add_amount(struct vg_aggregate_cell *cell, uint64_t count, uint64_t amount)
{
    cell->count += count;
    cell->sum = (int64_t)((uint64_t)cell->sum + amount);
}

void vg_counters_settle(struct vg_counters *counters)
{
    for (uint32_t table = 0; table < counters->tables; table++) {
        const uint64_t *words = counters->words + (size_t)table * counters->width;
        for (uint32_t cell = 0; cell < counters->width; cell++) {
            uint64_t count = words[cell] >> VG_COUNTERS_ROW_SHIFT;
            add_amount(&counters->cells[cell], count, words[cell] & AMOUNT_MAX);
        }
    }
    memset(counters->words, 0, (size_t)counters->width * counters->tables * sizeof(uint64_t));
    counters->rows_left = ROWS_MAX;
    counters->amount_left = AMOUNT_MAX;
}

/* --- the loops: 64 rows, four at a time, each into a table of its own --- */

struct tables {
    uint64_t *words[TABLES];
};

static struct tables tables_of(const struct vg_counters *counters)
{
    struct tables tables;
    for (uint32_t i = 0; i < TABLES; i++) {
        tables.words[i] = counters->words + (size_t)(i % counters->tables) * counters->width;
    }
    return tables;
}

static void count_all(const struct tables *tables, const uint32_t *cells)
{
    const struct tables own = *tables;
    for (uint32_t i = 0; i < 64; i += TABLES) {
        own.words[0][cells[i]] += ONE_ROW;
        own.words[1][cells[i + 1]] += ONE_ROW;
        own.words[2][cells[i + 2]] += ONE_ROW;
        own.words[3][cells[i + 3]] += ONE_ROW;
    }
}

static void count_weighed(const struct tables *tables, const uint32_t *cells, uint64_t bits)
{
    const struct tables own = *tables;
    for (uint32_t i = 0; i < 64; i += TABLES, bits >>= TABLES) {
        own.words[0][cells[i]] += (bits & 1) << VG_COUNTERS_ROW_SHIFT;
        own.words[1][cells[i + 1]] += (bits >> 1 & 1) << VG_COUNTERS_ROW_SHIFT;
        own.words[2][cells[i + 2]] += (bits >> 2 & 1) << VG_COUNTERS_ROW_SHIFT;
        own.words[3][cells[i + 3]] += (bits >> 3 & 1) << VG_COUNTERS_ROW_SHIFT;
    }
}

static void sum_all(const struct tables *tables, const uint32_t *cells, const int64_t *amounts)
{
    const struct tables own = *tables;
    for (uint32_t i = 0; i < 64; i += TABLES) {
        own.words[0][cells[i]] += ONE_ROW + (uint64_t)amounts[i];
        own.words[1][cells[i + 1]] += ONE_ROW + (uint64_t)amounts[i + 1];
        own.words[2][cells[i + 2]] += ONE_ROW + (uint64_t)amounts[i + 2];
        own.words[3][cells[i + 3]] += ONE_ROW + (uint64_t)amounts[i + 3];
    }
}

static void sum_weighed(
    const struct tables *tables,
    const uint32_t *cells,
    uint64_t bits,
    const int64_t *amounts)
{
    const struct tables own = *tables;
    for (uint32_t i = 0; i < 64; i += TABLES, bits >>= TABLES) {
        own.words[0][cells[i]] += (ONE_ROW + (uint64_t)amounts[i]) & (0 - (bits & 1));
        own.words[1][cells[i + 1]] += (ONE_ROW + (uint64_t)amounts[i + 1]) & (0 - (bits >> 1 & 1));
        own.words[2][cells[i + 2]] += (ONE_ROW + (uint64_t)amounts[i + 2]) & (0 - (bits >> 2 & 1));
        own.words[3][cells[i + 3]] += (ONE_ROW + (uint64_t)amounts[i + 3]) & (0 - (bits >> 3 & 1));
    }
}

/* The greatest amount, wanted or not; one below zero comes out as a very large one. */
VG_LOOP_CLONES static uint64_t greatest(const int64_t *amounts, uint32_t count)
{
    uint64_t any = 0; /* at least the greatest, less than twice as much */
    for (uint32_t i = 0; i < count; i++) {
        any |= (uint64_t)amounts[i];
    }
    return any;
}

/* May the rows of the strip be counted in words? Makes room in them. */
static bool fits_words(struct vg_counters *counters, const struct vg_strip *strip)
{
    uint64_t most = strip->amounts == NULL ? 0 : greatest(strip->amounts, strip->count);
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

static void note_example(
    struct vg_counters *counters,
    uint32_t cell,
    uint32_t part,
    uint32_t position)
{
    if (counters->examples[cell].part == 0) {
        counters->examples[cell] =
            (struct vg_counter_example){ .part = part + 1, .position = position };
    }
}

static void add_picked(
    struct vg_counters *counters,
    const struct vg_strip *strip,
    const uint32_t *cells,
    uint32_t part)
{
    uint16_t rows[VG_STRIP_ROWS];
    uint32_t count = vg_strip_rows(strip, rows);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows[i];
        uint64_t amount = strip->amounts == NULL ? 0 : (uint64_t)strip->amounts[row];
        add_amount(&counters->cells[cells[row]], 1, amount);
        note_example(counters, cells[row], part, strip->first + row);
    }
}

/* Sixty-four rows; behind the last row of a strip there are none, so these are picked. */
static void add_word(
    const struct tables *tables,
    const struct vg_strip *strip,
    const uint32_t *cells,
    uint32_t word)
{
    uint64_t bits = strip->found[word];
    const uint32_t *own = cells + (size_t)word * 64;
    const int64_t *amounts = strip->amounts == NULL ? NULL : strip->amounts + (size_t)word * 64;
    if (strip->count - word * 64 < 64) {
        for (; bits != 0; bits &= bits - 1) {
            uint32_t i = (uint32_t)__builtin_ctzll(bits);
            tables->words[0][own[i]] += ONE_ROW + (amounts == NULL ? 0 : (uint64_t)amounts[i]);
        }
    } else if (amounts == NULL && bits == UINT64_MAX) {
        count_all(tables, own);
    } else if (amounts == NULL) {
        count_weighed(tables, own, bits);
    } else if (bits == UINT64_MAX) {
        sum_all(tables, own, amounts);
    } else {
        sum_weighed(tables, own, bits, amounts);
    }
}

void vg_counters_add(
    struct vg_counters *counters,
    const struct vg_strip *strip,
    const uint32_t *cells,
    uint32_t part)
{
    if (strip->found_count < ROWS_WEIGHED_MIN || !fits_words(counters, strip)) {
        add_picked(counters, strip, cells, part);
        return;
    }
    const struct tables tables = tables_of(counters);
    counters->lacks_examples = true;
    for (uint32_t word = 0; word * 64 < strip->count; word++) {
        add_word(&tables, strip, cells, word);
    }
}

static bool has_rows(const struct vg_counters *counters, uint32_t cell)
{
    uint64_t any = counters->cells[cell].count;
    for (uint32_t table = 0; table < counters->tables; table++) {
        any |= counters->words[(size_t)table * counters->width + cell];
    }
    return any != 0;
}

uint32_t vg_counters_missing(struct vg_counters *counters)
{
    uint32_t missing = 0;
    for (uint32_t cell = 0; counters->lacks_examples && cell < counters->width; cell++) {
        missing += counters->examples[cell].part == 0 && has_rows(counters, cell);
    }
    counters->lacks_examples = false;
    return missing;
}

uint32_t vg_counters_take_examples(
    struct vg_counters *counters,
    const struct vg_strip *strip,
    const uint32_t *cells,
    uint32_t part)
{
    uint32_t taken = 0;
    for (uint32_t word = 0; word * 64 < strip->count; word++) {
        for (uint64_t rest = strip->found[word]; rest != 0; rest &= rest - 1) {
            uint32_t row = word * 64 + (uint32_t)__builtin_ctzll(rest);
            if (counters->examples[cells[row]].part == 0 && has_rows(counters, cells[row])) {
                note_example(counters, cells[row], part, strip->first + row);
                taken++;
            }
        }
    }
    return taken;
}
