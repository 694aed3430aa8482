#include "core/table/top_rows.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

#define ROOM_FIRST 64u

/* Rows out of order are kept until there are so many times as may stay. */
#define SPARE 2u

static void add_key(struct vg_top_rows *top, uint32_t column, bool descending)
{
    top->keys[top->key_count++] =
        (struct vg_sort_key){ .column = column, .descending = descending };
}

bool vg_top_rows_init(
    struct vg_top_rows *top,
    const struct vg_table_schema *schema,
    const struct vg_sort_key *sort,
    uint32_t sort_count,
    uint32_t capacity,
    struct vg_arena *arena)
{
    VG_ASSERT(sort_count <= VG_SEARCH_SORT_KEYS_MAX);
    *top = (struct vg_top_rows){ .capacity = capacity, .is_sorted = true, .arena = arena };
    bool descending = false;
    for (uint32_t i = 0; i < sort_count; i++) {
        descending = sort[i].descending;
        add_key(top, sort[i].column, descending);
    }
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if ((schema->columns[i].flags & VG_COLUMN_ID) != 0) {
            add_key(top, i, descending);
        }
    }
    enum vg_column_kind first = schema->columns[top->keys[0].column].kind;
    top->key_parts =
        first == VG_COLUMN_TIME || first == VG_COLUMN_NUMBER || first == VG_COLUMN_FLAGS;
    top->room = capacity < ROOM_FIRST ? capacity : ROOM_FIRST;
    top->rows = vg_arena_calloc(arena, (size_t)top->room + 1, sizeof(*top->rows));
    return top->rows != NULL;
}

static bool has_entries(const struct vg_column *column)
{
    return column->kind == VG_COLUMN_TEXT || column->kind == VG_COLUMN_SUBJECTS;
}

/* In which of the keys the ranked column is; UINT32_MAX = there is none. */
static uint32_t ranked_key(const struct vg_top_rows *top, const struct vg_table_schema *schema)
{
    const struct vg_column *first = &schema->columns[top->keys[0].column];
    if (has_entries(first)) {
        return 0;
    }
    bool is_small = first->kind == VG_COLUMN_NUMBER && first->width == 1;
    return is_small && top->key_count > 1 && has_entries(&schema->columns[top->keys[1].column]) &&
                   top->keys[0].descending == top->keys[1].descending
               ? 1
               : UINT32_MAX;
}

bool vg_top_rows_find_ranked(
    const struct vg_top_rows *top,
    const struct vg_table_schema *schema,
    uint32_t *out_column)
{
    uint32_t key = ranked_key(top, schema);
    if (key == UINT32_MAX) {
        return false;
    }
    *out_column = top->keys[key].column;
    return true;
}

void vg_top_rows_use_ranks(
    struct vg_top_rows *top,
    const struct vg_table_schema *schema,
    const struct vg_entry_ranks *ranks)
{
    VG_ASSERT(top->count == 0);
    top->key_parts = ranked_key(top, schema) + 1;
    top->ranks = ranks;
}

/* The number, if there is one, above the rank; an absent number is the smallest. */
static int64_t ranked_number(
    const struct vg_top_rows *top,
    const struct vg_chunk *chunk,
    uint32_t row)
{
    uint32_t column = top->keys[top->key_parts - 1].column;
    uint32_t id = vg_column_id(&chunk->columns[column], row);
    int64_t rank = vg_entry_ranks_find(top->ranks, id);
    if (top->key_parts == 1) {
        return rank;
    }
    int64_t number = vg_chunk_number(chunk, top->keys[0].column, row);
    return (number == VG_ABSENT ? 0 : number + 1) << 32 | rank;
}

int64_t vg_top_rows_key(const struct vg_top_rows *top, const struct vg_chunk *chunk, uint32_t row)
{
    if (top->key_parts == 0) {
        return 0;
    }
    int64_t number = top->ranks != NULL ? ranked_number(top, chunk, row)
                                        : vg_chunk_number(chunk, top->keys[0].column, row);
    return top->keys[0].descending ? ~number : number;
}

int vg_top_rows_compare(
    const struct vg_top_rows *top,
    const struct vg_top_row *left,
    const struct vg_top_row *right)
{
    if (left->key != right->key) {
        return left->key < right->key ? -1 : 1;
    }
    for (uint32_t i = top->key_parts; i < top->key_count; i++) {
        int order = vg_chunk_compare(
            left->hit.chunk,
            left->hit.position,
            right->hit.chunk,
            right->hit.position,
            top->keys[i].column);
        if (order != 0) {
            return top->keys[i].descending ? -order : order;
        }
    }
    return 0;
}

static void swap(struct vg_top_row *left, struct vg_top_row *right)
{
    struct vg_top_row kept = *left;
    *left = *right;
    *right = kept;
}

/* For qsort_r. */
static int compare_rows(const void *left, const void *right, void *top)
{
    return vg_top_rows_compare(top, left, right);
}

static void sort_rows(struct vg_top_rows *top, struct vg_top_row *rows, uint32_t count)
{
    qsort_r(rows, count, sizeof(*rows), compare_rows, top);
}

/* Below so many rows sorting is as fast as choosing. */
#define SORT_MAX 16u

/* The middle one of the first, the middle and the last row goes first. */
static void put_middle_first(const struct vg_top_rows *top, struct vg_top_row *rows, uint32_t count)
{
    struct vg_top_row *first = &rows[0];
    struct vg_top_row *middle = &rows[count / 2];
    struct vg_top_row *last = &rows[count - 1];
    if (vg_top_rows_compare(top, middle, last) > 0) {
        swap(middle, last);
    }
    if (vg_top_rows_compare(top, first, middle) < 0) {
        swap(first, middle); /* the smaller of the two is behind */
    } else if (vg_top_rows_compare(top, first, last) > 0) {
        swap(first, last);
    }
}

/* Part `rows` by the first one: those before it, itself, those behind it. Returns its place. */
static uint32_t part_rows(const struct vg_top_rows *top, struct vg_top_row *rows, uint32_t count)
{
    put_middle_first(top, rows, count);
    uint32_t low = 1;
    uint32_t high = count - 1;
    for (;;) {
        while (low <= high && vg_top_rows_compare(top, &rows[low], &rows[0]) < 0) {
            low++;
        }
        while (low <= high && vg_top_rows_compare(top, &rows[high], &rows[0]) > 0) {
            high--;
        }
        if (low >= high) {
            break;
        }
        swap(&rows[low++], &rows[high--]);
    }
    swap(&rows[0], &rows[high]);
    return high;
}

/*
 * Bring the best `wanted` of `count` rows to the front, in any order. What is left after as many
 * rounds as should have done is sorted: no order of rows makes this slow.
 */
static void choose_best(struct vg_top_rows *top, uint32_t count, uint32_t wanted)
{
    uint32_t begin = 0;
    uint32_t end = count;
    uint32_t rounds = 2 * (32 - (uint32_t)__builtin_clz(count | 1));
    while (end - begin > SORT_MAX && rounds-- > 0) {
        uint32_t place = begin + part_rows(top, &top->rows[begin], end - begin);
        if (place == wanted || place + 1 == wanted) {
            return;
        }
        if (place < wanted) {
            begin = place + 1;
        } else {
            end = place;
        }
    }
    if (begin < wanted && wanted < end) {
        sort_rows(top, &top->rows[begin], end - begin);
    }
}

static void find_worst(struct vg_top_rows *top)
{
    uint32_t worst = 0;
    for (uint32_t i = 1; i < top->count; i++) {
        if (vg_top_rows_compare(top, &top->rows[i], &top->rows[worst]) > 0) {
            worst = i;
        }
    }
    top->worst = top->rows[worst];
}

static bool grow(struct vg_top_rows *top)
{
    uint32_t most = top->capacity * SPARE;
    uint32_t room = top->room > most / 2 ? most : top->room * 2;
    struct vg_top_row *rows = vg_arena_alloc(top->arena, room * sizeof(*rows));
    if (rows == NULL) {
        return false;
    }
    memcpy(rows, top->rows, top->count * sizeof(*rows));
    top->rows = rows;
    top->room = room;
    return true;
}

/* A row may stand so far from the end of the list to be put in its place. */
#define SHIFT_MAX 128u

/* How many rows of the sorted list come before `row`. */
static uint32_t find_place(const struct vg_top_rows *top, const struct vg_top_row *row)
{
    uint32_t low = 0;
    uint32_t high = top->count;
    /* Nearly always it comes last. */
    if (high > 0 && vg_top_rows_compare(top, row, &top->rows[high - 1]) >= 0) {
        return high;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (vg_top_rows_compare(top, row, &top->rows[middle]) >= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void offer_to_list(struct vg_top_rows *top, const struct vg_top_row *row, uint32_t place)
{
    uint32_t kept = top->count < top->capacity ? top->count : top->capacity - 1;
    memmove(&top->rows[place + 1], &top->rows[place], (kept - place) * sizeof(*row));
    top->rows[place] = *row;
    top->count = kept + 1;
    top->worst = top->rows[kept];
}

/* Full with spares: the best half stays, and the worst of it is what turns others away. */
static void drop_spares(struct vg_top_rows *top)
{
    choose_best(top, top->count, top->capacity);
    top->count = top->capacity;
    find_worst(top);
}

static void offer_unsorted(struct vg_top_rows *top, const struct vg_top_row *row)
{
    if (vg_top_rows_is_full(top) && vg_top_rows_compare(top, row, &top->worst) >= 0) {
        return;
    }
    top->rows[top->count++] = *row;
    if (top->count == top->capacity) {
        find_worst(top);
    } else if (top->count == top->capacity * SPARE) {
        drop_spares(top);
    }
}

bool vg_top_rows_offer(struct vg_top_rows *top, const struct vg_top_row *row)
{
    if (top->capacity == 0) {
        return true;
    }
    uint32_t place = 0;
    if (top->is_sorted) {
        place = find_place(top, row);
        if (place == top->capacity) {
            return true;
        }
        top->is_sorted = top->count - place <= SHIFT_MAX;
    }
    uint32_t most = top->is_sorted ? top->capacity : top->capacity * SPARE;
    if (top->count < most && top->count == top->room && !grow(top)) {
        return false;
    }
    if (top->is_sorted) {
        offer_to_list(top, row, place);
    } else {
        offer_unsorted(top, row);
    }
    return true;
}

void vg_top_rows_sort(struct vg_top_rows *top)
{
    if (top->is_sorted) {
        return;
    }
    if (top->count > top->capacity) {
        choose_best(top, top->count, top->capacity);
        top->count = top->capacity;
    }
    sort_rows(top, top->rows, top->count);
}
