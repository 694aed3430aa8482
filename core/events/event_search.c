#include "core/events/event_search.h"

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/events/event_table.h"
#include "core/events/record_fetch.h"
#include "core/query/row_cursor.h"
#include "core/query/sort_order.h"

/* ---------------------------------------------------------------------------------------- sort */

static enum vg_reason make_order(
    const struct vg_event_search *search,
    struct vg_sort_order *order,
    struct vg_error *error)
{
    static const struct vg_sort_column fields[VG_EVENT_SORT_FIELD_COUNT] = {
        [VG_EVENT_SORT_TIMESTAMP] = { VG_EVENT_COLUMN_TIMESTAMP, VG_SORT_NO_COLUMN, false },
        [VG_EVENT_SORT_FIRST_EVENT] = { VG_EVENT_COLUMN_FIRST_EVENT, VG_SORT_NO_COLUMN, false },
        [VG_EVENT_SORT_LAST_EVENT] = { VG_EVENT_COLUMN_LAST_EVENT, VG_SORT_NO_COLUMN, false },
        [VG_EVENT_SORT_LAST_UPDATED] = { VG_EVENT_COLUMN_LAST_UPDATED, VG_SORT_NO_COLUMN, false },
        [VG_EVENT_SORT_SEVERITY] = { VG_EVENT_COLUMN_SEVERITY, VG_SORT_NO_COLUMN, false },
        [VG_EVENT_SORT_COUNT] = { VG_EVENT_COLUMN_COUNT, VG_SORT_NO_COLUMN, false },
        [VG_EVENT_SORT_CUSTOMER] = { VG_EVENT_COLUMN_CUSTOMER, VG_SORT_NO_COLUMN, false },
        [VG_EVENT_SORT_SIGNATURE] = { VG_EVENT_COLUMN_SIGNATURE,
                                      VG_EVENT_COLUMN_NO_SIGNATURE,
                                      false },
        [VG_EVENT_SORT_PROTOCOL] = { VG_EVENT_COLUMN_PROTOCOL, VG_EVENT_COLUMN_NO_PROTOCOL, false },
        [VG_EVENT_SORT_ENGINE_PERSISTED] = { VG_EVENT_COLUMN_ENGINE_PERSISTED,
                                             VG_SORT_NO_COLUMN,
                                             false },
        [VG_EVENT_SORT_UUID] = { VG_EVENT_COLUMN_UUID, VG_SORT_NO_COLUMN, false },
        /* By class; the other parts of the identity follow in that direction by themselves. */
        [VG_EVENT_SORT_ID] = { VG_EVENT_COLUMN_TYPE, VG_SORT_NO_COLUMN, true },
    };
    static const struct vg_event_sort newest_first = { VG_EVENT_SORT_TIMESTAMP, true };
    const struct vg_event_sort *sort = search->sort_count == 0 ? &newest_first : search->sort;
    size_t count = search->sort_count == 0 ? 1 : search->sort_count;
    enum vg_reason reason = VG_OK;
    vg_sort_order_init(order);
    for (size_t i = 0; reason == VG_OK && i < count; i++) {
        VG_ASSERT(sort[i].field > 0 && sort[i].field < VG_EVENT_SORT_FIELD_COUNT);
        reason = vg_sort_order_add(
            order,
            sort[i].field,
            &fields[sort[i].field],
            sort[i].descending,
            error);
    }
    /* Ties go by the identity: by class here, the rest follows in this direction. */
    return reason == VG_OK ? vg_sort_order_end(order, VG_EVENT_COLUMN_TYPE, error) : reason;
}

/* -------------------------------------------------------------------------------------- passes */

/* A search under way: what it asks, and the rows at hand. */
struct vg_event_pass {
    struct vg_event_store source;
    struct vg_snapshot snapshot;
    struct vg_event_reader reader;
    struct vg_sort_order order;
    struct vg_row_cursor rows;
    struct vg_record_fetch fetch;
    struct vg_search_explanation *explain;
};

/* Rows until there is one to hand out, or none is left. */
static enum vg_reason next_rows(struct vg_event_pass *pass, struct vg_error *error)
{
    const struct vg_hit *hits;
    uint32_t count;
    if (pass->fetch.count > 0) {
        return VG_OK;
    }
    enum vg_reason reason = vg_row_cursor_next(&pass->rows, &hits, &count, error);
    if (reason == VG_OK && count > 0) {
        vg_record_fetch_set(&pass->fetch, hits, count);
    }
    return reason;
}

enum vg_reason vg_event_search_check(const struct vg_predicate *where, struct vg_error *error)
{
    return vg_row_cursor_check(where, &vg_event_table_schema, error);
}

static enum vg_reason first_rows(
    struct vg_event_pass *pass,
    const struct vg_event_search *search,
    struct vg_arena *arena,
    struct vg_error *error)
{
    const struct vg_search asked = {
        .kind = pass->source.kind,
        .where = search->where,
        .sort = pass->order.keys,
        .sort_count = pass->order.count,
        .reader = &pass->reader.reader,
        .explain = search->explain,
        .check = search->check,
        .owner = search->owner,
    };
    const struct vg_row_page page = {
        .limit = (uint64_t)search->limit,
        .offset = (uint64_t)search->offset,
        .most = search->is_unlimited ? 0 : VG_LIMIT_SEARCH_ROWS,
        .pass_rows = search->pass_rows,
    };
    enum vg_reason reason =
        vg_row_cursor_open(&pass->snapshot, &asked, &page, arena, &pass->rows, error);
    return reason == VG_OK ? next_rows(pass, error) : reason;
}

enum vg_reason vg_event_search_run(
    const struct vg_event_store *source,
    const struct vg_event_search *search,
    struct vg_arena *arena,
    struct vg_event_cursor *out_cursor,
    struct vg_error *error)
{
    struct vg_event_pass *pass = vg_arena_calloc(arena, 1, sizeof(*pass));
    if (pass == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason = make_order(search, &pass->order, error);
    if (reason == VG_OK) {
        reason = vg_event_search_check(search->where, error);
    }
    if (reason == VG_OK) {
        reason =
            vg_snapshot_acquire(source->table, source->snapshot_age_ms, &pass->snapshot, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_event_cursor cursor = { .pass = pass };
    pass->source = *source;
    vg_event_reader_init(&pass->reader, &pass->source, &pass->snapshot);
    vg_record_fetch_init(&pass->fetch, &pass->source, &pass->snapshot);
    pass->explain = search->explain;
    reason = first_rows(pass, search, arena, error);
    if (reason != VG_OK) {
        vg_event_cursor_close(&cursor);
        return reason;
    }
    cursor.match_count = pass->rows.match_count;
    *out_cursor = cursor;
    return VG_OK;
}

/* -------------------------------------------------------------------------------------- cursor */

static enum vg_reason fetch_record(
    struct vg_event_pass *pass,
    struct vg_event_id *out_id,
    struct vg_bytes *out_record,
    struct vg_error *error)
{
    struct vg_search_explanation *explain = pass->explain;
    if (explain == NULL) {
        return vg_record_fetch_next(&pass->fetch, out_id, out_record, error);
    }
    uint64_t begun_ns = vg_clock_monotonic_ns(explain->clock);
    enum vg_reason reason = vg_record_fetch_next(&pass->fetch, out_id, out_record, error);
    explain->fetch_ns += vg_clock_monotonic_ns(explain->clock) - begun_ns;
    explain->records_fetched += reason == VG_OK;
    return reason;
}

enum vg_reason vg_event_cursor_next(
    struct vg_event_cursor *cursor,
    struct vg_event_id *out_id,
    struct vg_bytes *out_record,
    bool *out_end,
    struct vg_error *error)
{
    struct vg_event_pass *pass = cursor->pass;
    enum vg_reason reason = vg_snapshot_check(&pass->snapshot, error);
    if (reason == VG_OK) {
        reason = next_rows(pass, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    if (pass->fetch.count == 0) {
        *out_end = true;
        return VG_OK;
    }
    reason = fetch_record(pass, out_id, out_record, error);
    if (reason == VG_OK) {
        *out_end = false;
    }
    return reason;
}

void vg_event_cursor_close(struct vg_event_cursor *cursor)
{
    struct vg_event_pass *pass = cursor->pass;
    if (pass == NULL) {
        return;
    }
    vg_record_fetch_dispose(&pass->fetch);
    vg_event_reader_dispose(&pass->reader);
    vg_row_cursor_close(&pass->rows);
    vg_snapshot_release(&pass->snapshot);
    cursor->pass = NULL;
}
