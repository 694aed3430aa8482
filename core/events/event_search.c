#include "core/events/event_search.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/events/event_table.h"
#include "core/events/record_fetch.h"

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

/* -------------------------------------------------------------------------------------- passes */

/* Places of one pass, and their sort. */
#define VG_PASS_BYTES_MAX (16u * 1024u * 1024u)

/* A search under way: what it asks, and the rows of the pass at hand. */
struct vg_event_pass {
    struct vg_event_store source;
    struct vg_snapshot snapshot;
    struct vg_event_reader reader;
    struct sorting sorting;
    struct vg_search asked;
    struct vg_arena arena; /* of the pass */
    struct vg_record_fetch fetch;
    uint32_t rows_max; /* of one pass */
    struct vg_search_explanation *explain;
    struct vg_hit last; /* of the pass before */
    uint64_t skipped;   /* rows still to be passed over */
    uint64_t left;      /* rows wanted behind those of this pass */
    bool is_last;       /* no row comes behind this pass */
};

/* How many rows a search may find, and where its result begins. */
static void set_wanted(struct vg_event_pass *pass, const struct vg_event_search *search)
{
    pass->skipped = (uint64_t)search->offset;
    pass->left = (uint64_t)search->limit;
    if (search->limit == 0) {
        pass->left = search->is_unlimited ? UINT64_MAX / 2 : VG_LIMIT_SEARCH_ROWS;
    }
}

/* The next rows. The first pass counts all that match, those behind it need not. */
static enum vg_reason run_pass(
    struct vg_event_pass *pass,
    struct vg_search_result *out_result,
    struct vg_error *error)
{
    uint64_t wanted = pass->skipped + pass->left;
    pass->asked.limit = wanted < pass->rows_max ? (uint32_t)wanted : pass->rows_max;
    vg_arena_reset(&pass->arena);
    enum vg_reason reason =
        vg_search_run(&pass->snapshot, &pass->asked, &pass->arena, out_result, error);
    if (reason != VG_OK) {
        return reason;
    }
    uint32_t count = out_result->hit_count;
    uint32_t skipped = pass->skipped < count ? (uint32_t)pass->skipped : count;
    pass->skipped -= skipped;
    pass->left -= count - skipped;
    pass->is_last = count < pass->asked.limit || pass->skipped + pass->left == 0;
    vg_record_fetch_set(&pass->fetch, out_result->hits + skipped, count - skipped);
    if (count > 0) {
        pass->last = out_result->hits[count - 1];
        pass->asked.after = &pass->last;
    }
    pass->asked.uncounted = true;
    return VG_OK;
}

/* Passes until there is a row to hand out, or none is left. */
static enum vg_reason next_rows(struct vg_event_pass *pass, struct vg_error *error)
{
    enum vg_reason reason = VG_OK;
    while (reason == VG_OK && pass->fetch.count == 0 && !pass->is_last) {
        struct vg_search_result result = { 0 };
        reason = run_pass(pass, &result, error);
    }
    return reason;
}

/* The leaves are in the memory of the pass, which the next one takes again. */
static bool keep_leaves(struct vg_search_explanation *explain, struct vg_arena *arena)
{
    size_t size = explain->leaf_count * sizeof(*explain->leaves);
    struct vg_search_leaf *leaves = vg_arena_alloc(arena, size);
    if (leaves != NULL && size > 0) {
        memcpy(leaves, explain->leaves, size);
    }
    explain->leaves = leaves;
    return leaves != NULL;
}

static enum vg_reason first_rows(
    struct vg_event_pass *pass,
    const struct vg_event_search *search,
    struct vg_arena *arena,
    uint64_t *out_count,
    struct vg_error *error)
{
    struct vg_search_result result = { 0 };
    enum vg_reason reason = run_pass(pass, &result, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (search->limit == 0 && !search->is_unlimited && result.match_count > VG_LIMIT_SEARCH_ROWS) {
        char most[16];
        (void)snprintf(most, sizeof(most), "%d", VG_LIMIT_SEARCH_ROWS);
        (void)vg_error_set(error, VG_RESULTSET_TOO_LARGE, NULL);
        return vg_error_field(error, "", most);
    }
    if (search->explain != NULL && !keep_leaves(search->explain, arena)) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    pass->asked.explain = NULL;
    *out_count = result.match_count;
    return next_rows(pass, error);
}

/* The table calls too many questions a limit of the server; they are a fault of the request. */
enum vg_reason vg_event_search_check(const struct vg_predicate *where, struct vg_error *error)
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
    struct vg_event_pass *pass = vg_arena_calloc(arena, 1, sizeof(*pass));
    if (pass == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason = make_sorting(search, &pass->sorting, error);
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
    vg_arena_init(&pass->arena, VG_PASS_BYTES_MAX);
    set_wanted(pass, search);
    pass->rows_max = search->pass_rows != 0 ? search->pass_rows : VG_EVENT_PASS_ROWS;
    pass->explain = search->explain;
    pass->asked = (struct vg_search){
        .kind = source->kind,
        .where = search->where,
        .sort = pass->sorting.keys,
        .sort_count = pass->sorting.count,
        .reader = &pass->reader.reader,
        .explain = search->explain,
        .check = search->check,
        .owner = search->owner,
    };
    reason = first_rows(pass, search, arena, &cursor.match_count, error);
    if (reason != VG_OK) {
        vg_event_cursor_close(&cursor);
        return reason;
    }
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
    vg_arena_dispose(&pass->arena);
    vg_snapshot_release(&pass->snapshot);
    cursor->pass = NULL;
}
