#include "core/samples/submission_search.h"

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/ingest/ingest_domain.h"
#include "core/query/row_cursor.h"
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

/* -------------------------------------------------------------------------------------- cursor */

/* A search under way. */
struct vg_submission_pass {
    struct vg_submission_store source;
    struct vg_snapshot snapshot;
    struct vg_submission_rows asked;
    struct vg_sort_order order;
    struct vg_row_cursor rows;
    const struct vg_hit *hits; /* still to come */
    uint32_t hit_count;
};

enum vg_reason vg_submission_search_run(
    const struct vg_submission_store *source,
    const struct vg_submission_search *search,
    struct vg_arena *arena,
    struct vg_submission_cursor *out_cursor,
    struct vg_error *error)
{
    struct vg_submission_pass *pass = vg_arena_calloc(arena, 1, sizeof(*pass));
    if (search->where == NULL || pass == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason = make_order(search, &pass->order, error);
    if (reason == VG_OK) {
        reason = vg_row_cursor_check(search->where, &vg_submission_table_schema, error);
    }
    if (reason == VG_OK) {
        reason =
            vg_snapshot_acquire(source->table, source->snapshot_age_ms, &pass->snapshot, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_submission_cursor cursor = { .pass = pass };
    pass->source = *source;
    vg_submission_rows_init(&pass->asked, &pass->source, &pass->snapshot);
    const struct vg_search asked = {
        .kind = VG_INGEST_KIND_SUBMISSION,
        .where = search->where,
        .sort = pass->order.keys,
        .sort_count = pass->order.count,
        .reader = &pass->asked.reader,
        .check = search->check,
        .owner = search->owner,
        .explain = search->explain,
    };
    const struct vg_row_page page = {
        .limit = (uint64_t)search->limit,
        .offset = (uint64_t)search->offset,
        .most = VG_LIMIT_SAMPLE_ROWS,
    };
    reason = vg_row_cursor_open(&pass->snapshot, &asked, &page, arena, &pass->rows, error);
    if (reason != VG_OK) {
        vg_submission_cursor_close(&cursor);
        return reason;
    }
    cursor.match_count = pass->rows.match_count;
    *out_cursor = cursor;
    return VG_OK;
}

enum vg_reason vg_submission_cursor_next(
    struct vg_submission_cursor *cursor,
    struct vg_arena *arena,
    struct vg_submission_record *out_record,
    bool *out_end,
    struct vg_error *error)
{
    struct vg_submission_pass *pass = cursor->pass;
    enum vg_reason reason = vg_snapshot_check(&pass->snapshot, error);
    if (reason == VG_OK && pass->hit_count == 0) {
        reason = vg_row_cursor_next(&pass->rows, &pass->hits, &pass->hit_count, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    *out_end = pass->hit_count == 0;
    if (*out_end) {
        return VG_OK;
    }
    pass->hit_count--;
    return vg_submission_hit_record(
        &pass->source,
        &pass->snapshot,
        pass->hits++,
        arena,
        out_record,
        error);
}

void vg_submission_cursor_close(struct vg_submission_cursor *cursor)
{
    struct vg_submission_pass *pass = cursor->pass;
    if (pass == NULL) {
        return;
    }
    vg_row_cursor_close(&pass->rows);
    vg_submission_rows_dispose(&pass->asked);
    vg_snapshot_release(&pass->snapshot);
    cursor->pass = NULL;
}
