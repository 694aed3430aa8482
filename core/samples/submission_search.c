#include "core/samples/submission_search.h"

#include "core/base/assert.h"
#include "core/query/sort_order.h"
#include "core/samples/submission_table.h"

static enum vg_reason make_order(
    const struct vg_submission_search *search,
    struct vg_sort_order *order,
    struct vg_error *error)
{
    static const struct vg_sort_column fields[VG_SUBMISSION_SORT_FIELD_COUNT] = {
        [VG_SUBMISSION_SORT_FILE_NAME] = { VG_SUBMISSION_COLUMN_FILE_NAME,
                                           VG_SORT_NO_COLUMN,
                                           false },
        [VG_SUBMISSION_SORT_MIME_TYPE] = { VG_SUBMISSION_COLUMN_MIME_TYPE,
                                           VG_SORT_NO_COLUMN,
                                           false },
        [VG_SUBMISSION_SORT_EXPIRY] = { VG_SUBMISSION_COLUMN_EXPIRY,
                                        VG_SUBMISSION_COLUMN_NO_EXPIRY,
                                        false },
        [VG_SUBMISSION_SORT_OBSERVED] = { VG_SUBMISSION_COLUMN_OBSERVED, VG_SORT_NO_COLUMN, false },
        [VG_SUBMISSION_SORT_SUBMITTED] = { VG_SUBMISSION_COLUMN_SUBMITTED,
                                           VG_SORT_NO_COLUMN,
                                           false },
    };
    static const struct vg_submission_sort newest_first = { VG_SUBMISSION_SORT_SUBMITTED, true };
    const struct vg_submission_sort *sort = search->sort_count == 0 ? &newest_first : search->sort;
    size_t count = search->sort_count == 0 ? 1 : search->sort_count;
    enum vg_reason reason = VG_OK;
    vg_sort_order_init(order);
    for (size_t i = 0; reason == VG_OK && i < count; i++) {
        VG_ASSERT(sort[i].field > 0 && sort[i].field < VG_SUBMISSION_SORT_FIELD_COUNT);
        reason = vg_sort_order_add(
            order,
            sort[i].field,
            &fields[sort[i].field],
            sort[i].descending,
            error);
    }
    /* Ties go by the id. */
    return reason == VG_OK ? vg_sort_order_end(order, VG_SUBMISSION_COLUMN_UUID, error) : reason;
}

enum vg_reason vg_submission_search_run(
    const struct vg_submission_store *source,
    const struct vg_submission_search *search,
    struct vg_arena *arena,
    struct vg_submission_cursor *out_cursor,
    struct vg_error *error)
{
    struct vg_sort_order *order = vg_arena_alloc(arena, sizeof(*order));
    if (order == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason = make_order(search, order, error);
    if (reason != VG_OK) {
        return reason;
    }
    const struct vg_submission_query query = {
        .where = search->where,
        .sort = order->keys,
        .sort_count = order->count,
        .limit = search->limit,
        .offset = search->offset,
        .check = search->check,
        .owner = search->owner,
    };
    return vg_submission_cursor_open(source, &query, arena, out_cursor, error);
}
