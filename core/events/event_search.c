#include "core/events/event_search.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/events/event_table.h"

/* Every field, one more for those that may be absent, and the tie. */
#define VG_SORT_ROOM (VG_EVENT_SORT_FIELD_COUNT + 3u)

/* ---------------------------------------------------------------------------------------- sort */

struct sorting {
    struct vg_sort_key keys[VG_SORT_ROOM];
    uint32_t count;
};

static void add_key(struct sorting *sorting, uint32_t column, bool descending)
{
    VG_ASSERT(sorting->count < VG_SORT_ROOM);
    sorting->keys[sorting->count++] =
        (struct vg_sort_key){ .column = column, .descending = descending };
}

static void add_field(struct sorting *sorting, const struct vg_event_sort *sort)
{
    static const uint32_t columns[VG_EVENT_SORT_FIELD_COUNT] = {
        [VG_EVENT_SORT_TIMESTAMP] = VG_EVENT_COLUMN_TIMESTAMP,
        [VG_EVENT_SORT_FIRST_EVENT] = VG_EVENT_COLUMN_FIRST_EVENT,
        [VG_EVENT_SORT_LAST_EVENT] = VG_EVENT_COLUMN_LAST_EVENT,
        [VG_EVENT_SORT_LAST_UPDATED] = VG_EVENT_COLUMN_LAST_UPDATED,
        [VG_EVENT_SORT_SEVERITY] = VG_EVENT_COLUMN_SEVERITY,
        [VG_EVENT_SORT_COUNT] = VG_EVENT_COLUMN_COUNT,
        [VG_EVENT_SORT_CUSTOMER] = VG_EVENT_COLUMN_CUSTOMER,
        [VG_EVENT_SORT_SIGNATURE] = VG_EVENT_COLUMN_SIGNATURE,
        [VG_EVENT_SORT_PROTOCOL] = VG_EVENT_COLUMN_PROTOCOL,
        [VG_EVENT_SORT_ENGINE_PERSISTED] = VG_EVENT_COLUMN_ENGINE_PERSISTED,
        [VG_EVENT_SORT_UUID] = VG_EVENT_COLUMN_UUID,
        /* By class; the other parts of the identity follow in that direction by themselves. */
        [VG_EVENT_SORT_ID] = VG_EVENT_COLUMN_TYPE,
    };
    /* The table has absent values before all others; they come last, whatever the direction. */
    if (!sort->descending && sort->field == VG_EVENT_SORT_SIGNATURE) {
        add_key(sorting, VG_EVENT_COLUMN_NO_SIGNATURE, false);
    } else if (!sort->descending && sort->field == VG_EVENT_SORT_PROTOCOL) {
        add_key(sorting, VG_EVENT_COLUMN_NO_PROTOCOL, false);
    }
    add_key(sorting, columns[sort->field], sort->descending);
}

static enum vg_reason make_sorting(
    const struct vg_event_search *search,
    struct sorting *sorting,
    struct vg_error *error)
{
    static const struct vg_event_sort newest_first = { VG_EVENT_SORT_TIMESTAMP, true };
    const struct vg_event_sort *sort = search->sort_count == 0 ? &newest_first : search->sort;
    size_t count = search->sort_count == 0 ? 1 : search->sort_count;
    uint32_t seen = 0;
    bool by_id = false;
    sorting->count = 0;
    for (size_t i = 0; i < count; i++) {
        VG_ASSERT(sort[i].field > 0 && sort[i].field < VG_EVENT_SORT_FIELD_COUNT);
        if ((seen >> sort[i].field & 1) != 0) {
            (void)vg_error_set(error, VG_INVALID_FIELD_VALUE, "sortBy names a key twice");
            return vg_error_field(error, "sortBy", "");
        }
        seen |= 1u << sort[i].field;
        if (by_id) {
            continue; /* nothing is left to sort: an identity is one event's */
        }
        add_field(sorting, &sort[i]);
        by_id = sort[i].field == VG_EVENT_SORT_ID;
    }
    /* Ties go by the identity, ascending: by class here, the rest follows in this direction. */
    if (!by_id) {
        add_key(sorting, VG_EVENT_COLUMN_TYPE, false);
    }
    if (sorting->count > VG_SEARCH_SORT_KEYS_MAX) {
        (void)vg_error_set(error, VG_INVALID_FIELD_VALUE, "sortBy has too many keys");
        return vg_error_field(error, "sortBy", "");
    }
    return VG_OK;
}

/* ---------------------------------------------------------------------------------------- page */

/* How many rows `limit` 0 stands for: all that match, if they are not too many. */
static enum vg_reason count_rows(
    const struct vg_snapshot *snapshot,
    struct vg_search *search,
    struct vg_arena *arena,
    int64_t *out_limit,
    struct vg_error *error)
{
    struct vg_search_result result;
    search->limit = 0;
    search->offset = 0;
    enum vg_reason reason = vg_search_run(snapshot, search, arena, &result, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (result.match_count > VG_LIMIT_SEARCH_ROWS) {
        char most[16];
        (void)snprintf(most, sizeof(most), "%d", VG_LIMIT_SEARCH_ROWS);
        (void)vg_error_set(error, VG_RESULTSET_TOO_LARGE, NULL);
        return vg_error_field(error, "", most);
    }
    *out_limit = (int64_t)result.match_count;
    return VG_OK;
}

/* Which rows of the result are wanted. */
struct wanted {
    int64_t limit;
    int64_t offset;
};

/* A page far behind is reached in passes, each behind the last row of the one before. */
static enum vg_reason find_page(
    const struct vg_snapshot *snapshot,
    struct vg_search *search,
    const struct wanted *wanted,
    struct vg_arena *arena,
    struct vg_search_result *out_result,
    struct vg_error *error)
{
    int64_t limit = wanted->limit;
    int64_t offset = wanted->offset;
    struct vg_hit last;
    while (offset + limit > VG_LIMIT_SEARCH_ROWS) {
        int64_t step = offset < VG_LIMIT_SEARCH_ROWS ? offset : VG_LIMIT_SEARCH_ROWS;
        search->limit = (uint32_t)step;
        search->offset = 0;
        enum vg_reason reason = vg_search_run(snapshot, search, arena, out_result, error);
        if (reason != VG_OK) {
            return reason;
        }
        if (out_result->hit_count < step) {
            out_result->hit_count = 0;
            return VG_OK;
        }
        last = out_result->hits[step - 1];
        search->after = &last;
        offset -= step;
    }
    search->limit = (uint32_t)limit;
    search->offset = (uint64_t)offset;
    return vg_search_run(snapshot, search, arena, out_result, error);
}

/* The table calls too many questions a limit of the server; they are a fault of the request. */
static enum vg_reason check_questions(const struct vg_predicate *where, struct vg_error *error)
{
    struct vg_error limit;
    vg_error_init(&limit, NULL);
    enum vg_reason reason = vg_predicate_check(where, &vg_event_table_schema, &limit);
    if (reason == VG_RESOURCE_LIMIT) {
        return vg_error_set(
            error,
            VG_INVALID_FIELD_VALUE,
            "The criteria ask more than %u questions",
            VG_PREDICATE_NODES_MAX);
    }
    return reason == VG_OK ? VG_OK : vg_error_set(error, reason, NULL);
}

enum vg_reason vg_event_search_run(
    const struct vg_event_store *source,
    const struct vg_event_search *search,
    struct vg_arena *arena,
    struct vg_event_cursor *out_cursor,
    struct vg_error *error)
{
    struct sorting sorting;
    enum vg_reason reason = make_sorting(search, &sorting, error);
    if (reason == VG_OK) {
        reason = check_questions(search->where, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_event_cursor cursor = { .source = *source };
    reason = vg_snapshot_acquire(source->table, source->snapshot_age_ms, &cursor.snapshot, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_event_reader reader;
    vg_event_reader_init(&reader, source, &cursor.snapshot);
    struct vg_search asked = {
        .reader = &reader.reader,
        .kind = source->kind,
        .where = search->where,
        .sort = sorting.keys,
        .sort_count = sorting.count,
        .check = search->check,
        .owner = search->owner,
    };
    struct vg_search_result result = { 0 };
    struct wanted wanted = { .limit = search->limit, .offset = search->offset };
    if (wanted.limit == 0) {
        reason = count_rows(&cursor.snapshot, &asked, arena, &wanted.limit, error);
    }
    if (reason == VG_OK) {
        reason = find_page(&cursor.snapshot, &asked, &wanted, arena, &result, error);
    }
    vg_event_reader_dispose(&reader);
    if (reason != VG_OK) {
        vg_event_cursor_close(&cursor);
        return reason;
    }
    cursor.hits = result.hits;
    cursor.hit_count = result.hit_count;
    cursor.match_count = result.match_count;
    *out_cursor = cursor;
    return VG_OK;
}

/* -------------------------------------------------------------------------------------- cursor */

enum vg_reason vg_event_cursor_next(
    struct vg_event_cursor *cursor,
    struct vg_event_id *out_id,
    struct vg_bytes *out_record,
    bool *out_end,
    struct vg_error *error)
{
    vg_store_value_release(&cursor->value);
    if (cursor->position == cursor->hit_count) {
        *out_end = true;
        return VG_OK;
    }
    enum vg_reason reason = vg_snapshot_check(&cursor->snapshot, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_event_id id;
    vg_event_hit_id(&cursor->hits[cursor->position], &id);
    reason = vg_event_read_packed(&cursor->source, &cursor->snapshot, &id, &cursor->value, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (!cursor->value.found) {
        return vg_error_set(error, VG_STORE_CORRUPT, NULL);
    }
    cursor->position++;
    *out_id = id;
    *out_record = cursor->value.bytes;
    *out_end = false;
    return VG_OK;
}

void vg_event_cursor_close(struct vg_event_cursor *cursor)
{
    vg_store_value_release(&cursor->value);
    vg_snapshot_release(&cursor->snapshot);
}
