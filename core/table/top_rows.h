/*
 * Top rows: the first rows of a sort order, kept while chunks go by in any order. Once a page of
 * them is kept, a bound is at hand that is not better than the worst row of the page, so most rows
 * are turned away by one comparison of one number. Rows that come about in order are kept as a
 * sorted list, which costs next to nothing; from the first one on that comes far out of place, rows
 * are kept as they come, and whenever two pages are full the better one is chosen. That takes a few
 * comparisons a row, whatever the size of the page.
 *
 * Threads: belongs to one search.
 */
#ifndef VG_CORE_TABLE_TOP_ROWS_H
#define VG_CORE_TABLE_TOP_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/table/chunk.h"
#include "core/table/search.h"

struct vg_top_row {
    int64_t key; /* what the first sort keys come to, turned so that the smaller comes first; 0 when
                    that is no number */
    struct vg_hit hit;
};

struct vg_top_rows {
    struct vg_sort_key keys[VG_SEARCH_SORT_KEYS_MAX + VG_TABLE_ID_COLUMNS_MAX];
    uint32_t key_count;
    uint32_t key_parts;                 /* so many of `keys` are in a row's `key` */
    const struct vg_entry_ranks *ranks; /* of the last of these; NULL = the first, a number */
    uint32_t capacity;
    uint32_t count; /* at most `capacity` while sorted, and in the end */
    uint32_t room;  /* of `rows`; grows with what is found */
    bool is_sorted;
    struct vg_top_row worst; /* once full: `capacity` rows are known that are not behind it */
    struct vg_top_row *rows; /* the best first while sorted */
    struct vg_arena *arena;
};

/*
 * Keep the first `capacity` rows by `sort`, then by the id columns of `schema` in the direction of
 * the last key. False when the arena is full.
 */
VG_MUST_USE bool vg_top_rows_init(
    struct vg_top_rows *top,
    const struct vg_table_schema *schema,
    const struct vg_sort_key *sort,
    uint32_t sort_count,
    uint32_t capacity,
    struct vg_arena *arena);

/* Is the key the value of the first column, so that it can be compared in the column? */
static inline bool vg_top_rows_has_column(const struct vg_top_rows *top)
{
    return top->key_parts == 1 && top->ranks == NULL;
}

/*
 * The dictionary column whose ranks would decide most comparisons: the first key, or the second
 * behind a small number that is sorted in the same direction. False when there is none.
 */
bool vg_top_rows_find_ranked(
    const struct vg_top_rows *top,
    const struct vg_table_schema *schema,
    uint32_t *out_column);

/* Compare that column by `ranks`, which stay until the end. Before any row is offered. */
void vg_top_rows_use_ranks(
    struct vg_top_rows *top,
    const struct vg_table_schema *schema,
    const struct vg_entry_ranks *ranks);

/* The key of a row. */
int64_t vg_top_rows_key(const struct vg_top_rows *top, const struct vg_chunk *chunk, uint32_t row);

/* Are as many rows kept as are wanted, so that none is that comes behind the worst? */
static inline bool vg_top_rows_is_full(const struct vg_top_rows *top)
{
    return top->count >= top->capacity;
}

/* Could a row with this key, or a worse one, still be kept? */
static inline bool vg_top_rows_wants(const struct vg_top_rows *top, int64_t key)
{
    return !vg_top_rows_is_full(top) || (top->capacity > 0 && key <= top->worst.key);
}

/* Whether the row of `left` comes before that of `right` (negative), or behind. */
int vg_top_rows_compare(
    const struct vg_top_rows *top,
    const struct vg_top_row *left,
    const struct vg_top_row *right);

/* Keep the row if it is among the first. False when the arena is full. */
VG_MUST_USE bool vg_top_rows_offer(struct vg_top_rows *top, const struct vg_top_row *row);

/* Put the rows in order, the first one first; nothing can be offered any more. */
void vg_top_rows_sort(struct vg_top_rows *top);

#endif
