/*
 * The order of an answer, made of the fields a request names (conventions.md 4): earlier ones go
 * first, what has no value comes last in both directions, and a tie that no two rows share ends it.
 *
 *     vg_sort_order_init → vg_sort_order_add for each → vg_sort_order_end
 *
 * Threads: one owner.
 */
#ifndef VG_CORE_QUERY_SORT_ORDER_H
#define VG_CORE_QUERY_SORT_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/table/search.h"

/* Fields of a domain are numbered below this. */
#define VG_SORT_FIELDS_MAX 32u

/* As a column: there is none. */
#define VG_SORT_NO_COLUMN UINT32_MAX

/* How a field sorts. */
struct vg_sort_column {
    uint32_t column; /* VG_SORT_NO_COLUMN = all rows are alike */
    uint32_t absent; /* the column that is 1 where there is no value; VG_SORT_NO_COLUMN = none is */
    bool is_identity; /* no two rows are alike: nothing is left to sort behind it */
};

struct vg_sort_order {
    struct vg_sort_key keys[VG_SEARCH_SORT_KEYS_MAX];
    uint32_t count; /* that were wanted, which may be more than fit */

    /* Private. */
    uint32_t seen;
    bool is_complete;
};

void vg_sort_order_init(struct vg_sort_order *order);

/*
 * Add the field of that number.
 *
 * Fails with: INVALID_FIELD_VALUE when it was added before.
 */
VG_MUST_USE enum vg_reason vg_sort_order_add(
    struct vg_sort_order *order,
    uint32_t number,
    const struct vg_sort_column *field,
    bool descending,
    struct vg_error *error);

/*
 * The end: ties go by `tie`, ascending.
 *
 * Fails with: INVALID_FIELD_VALUE when there are more keys than the table sorts by.
 */
VG_MUST_USE enum vg_reason vg_sort_order_end(
    struct vg_sort_order *order,
    uint32_t tie,
    struct vg_error *error);

#endif
