#include "core/samples/sample_search.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/ingest/ingest_domain.h"
#include "core/keyspace/keyspace.h"
#include "core/query/row_cursor.h"
#include "core/query/sort_order.h"
#include "core/samples/sample_table.h"
#include "core/samples/submission_table.h"
#include "core/table/join.h"

/* By what no sample has all are alike, and the next key decides. Only what is left of a deleted
 * sample has no newest submission. */
static enum vg_reason make_order(
    const struct vg_sample_search *search,
    struct vg_sort_order *order,
    struct vg_error *error)
{
    static const struct vg_sort_column fields[VG_SAMPLE_SORT_FIELD_COUNT] = {
        [VG_SAMPLE_SORT_CLASSIFICATION_TYPE] = { VG_SORT_NO_COLUMN, VG_SORT_NO_COLUMN, false },
        [VG_SAMPLE_SORT_LAST_ANALYSIS] = { VG_SORT_NO_COLUMN, VG_SORT_NO_COLUMN, false },
        [VG_SAMPLE_SORT_LAST_LINK] = { VG_SORT_NO_COLUMN, VG_SORT_NO_COLUMN, false },
        [VG_SAMPLE_SORT_CREATED] = { VG_SAMPLE_COLUMN_CREATED, VG_SORT_NO_COLUMN, false },
        [VG_SAMPLE_SORT_SIZE] = { VG_SAMPLE_COLUMN_SIZE, VG_SORT_NO_COLUMN, false },
        [VG_SAMPLE_SORT_LAST_SUBMISSION] = { VG_SAMPLE_COLUMN_LAST_SUBMITTED,
                                             VG_SAMPLE_COLUMN_NO_SUBMISSION,
                                             false },
    };
    static const struct vg_sample_sort newest_first = { VG_SAMPLE_SORT_CREATED, true };
    const struct vg_sample_sort *sort = search->sort_count == 0 ? &newest_first : search->sort;
    size_t count = search->sort_count == 0 ? 1 : search->sort_count;
    enum vg_reason reason = VG_OK;
    vg_sort_order_init(order);
    for (size_t i = 0; reason == VG_OK && i < count; i++) {
        VG_ASSERT(sort[i].field > 0 && sort[i].field < VG_SAMPLE_SORT_FIELD_COUNT);
        reason = vg_sort_order_add(
            order,
            sort[i].field,
            &fields[sort[i].field],
            sort[i].descending,
            error);
    }
    /* Ties go by the digest. */
    return reason == VG_OK ? vg_sort_order_end(order, VG_SAMPLE_COLUMN_SHA256, error) : reason;
}

/* ------------------------------------------------------------------------------------ the passes
 */

/* A search under way. Lives in its arena. */
struct run {
    const struct vg_sample_search *search;
    struct vg_sample_questions questions;
    const struct vg_predicate *where;
    struct vg_sort_order order;
    struct vg_id_marks ids;
    struct vg_submission_store submissions;
    struct vg_submission_rows rows;
};

static enum vg_reason mark_all(
    struct run *run,
    const struct vg_snapshot *snapshot,
    struct vg_arena *arena,
    struct vg_error *error)
{
    const struct vg_join join = {
        .snapshot = snapshot,
        .kind = VG_INGEST_KIND_SUBMISSION,
        .column = VG_SUBMISSION_COLUMN_SAMPLE,
        .ids = &run->ids,
        .reader = &run->rows.reader,
        .check = run->search->check,
        .owner = run->search->owner,
    };
    enum vg_reason reason = VG_OK;
    for (uint32_t mark = 0; reason == VG_OK && mark < run->questions.count; mark++) {
        reason = vg_join_mark(&join, run->questions.items[mark], mark, arena, error);
    }
    return reason;
}

static enum vg_reason find(
    struct run *run,
    const struct vg_snapshot *snapshot,
    struct vg_arena *arena,
    struct vg_search_result *out_result,
    struct vg_error *error)
{
    const struct vg_sample_search *search = run->search;
    const struct vg_search asked = {
        .kind = VG_INGEST_KIND_SAMPLE,
        .where = run->where,
        .sort = run->order.keys,
        .sort_count = run->order.count,
        .limit = search->limit == 0 ? VG_LIMIT_SAMPLE_ROWS : (uint32_t)search->limit,
        .offset = (uint64_t)search->offset,
        .check = search->check,
        .owner = search->owner,
        .explain = search->explain,
    };
    enum vg_reason reason = vg_search_run(snapshot, &asked, arena, out_result, error);
    if (reason == VG_OK && search->limit == 0 && out_result->match_count > VG_LIMIT_SAMPLE_ROWS) {
        char most[16];
        (void)snprintf(most, sizeof(most), "%d", VG_LIMIT_SAMPLE_ROWS);
        (void)vg_error_set(error, VG_RESULTSET_TOO_LARGE, NULL);
        return vg_error_field(error, "", most);
    }
    return reason;
}

/* The table calls too many questions a limit of the server; they are a fault of the request. */
static enum vg_reason check_questions(const struct run *run, struct vg_error *error)
{
    enum vg_reason reason = vg_row_cursor_check(run->where, &vg_sample_table_schema, error);
    for (uint32_t i = 0; reason == VG_OK && i < run->questions.count; i++) {
        reason = vg_row_cursor_check(run->questions.items[i], &vg_submission_table_schema, error);
    }
    return reason;
}

static enum vg_reason prepare(struct run *run, struct vg_arena *arena, struct vg_error *error)
{
    const struct vg_sample_search *search = run->search;
    const struct vg_sample_criteria_context context = {
        .viewer = search->viewer,
        .index_start = search->index_start,
        .index_end = search->index_end,
        .ids = &run->ids,
        .arena = arena,
    };
    enum vg_reason reason = make_order(search, &run->order, error);
    if (reason == VG_OK) {
        reason = vg_sample_criteria_compile(
            search->criteria,
            &context,
            &run->where,
            &run->questions,
            error);
    }
    return reason == VG_OK ? check_questions(run, error) : reason;
}

static enum vg_reason run_on(
    struct run *run,
    struct vg_sample_cursor *cursor,
    struct vg_arena *arena,
    struct vg_error *error)
{
    uint32_t ids_max = run->search->ids_max != 0 ? run->search->ids_max : VG_LIMIT_JOIN_IDS;
    vg_id_marks_init(&run->ids, run->search->secret, ids_max);
    vg_submission_rows_init(&run->rows, &run->submissions, &cursor->snapshot);
    enum vg_reason reason = mark_all(run, &cursor->snapshot, arena, error);
    if (reason == VG_OK) {
        reason = find(run, &cursor->snapshot, arena, &cursor->found, error);
    }
    vg_submission_rows_dispose(&run->rows);
    vg_id_marks_dispose(&run->ids);
    return reason;
}

enum vg_reason vg_sample_search_run(
    const struct vg_sample_store *source,
    const struct vg_sample_search *search,
    struct vg_arena *arena,
    struct vg_sample_cursor *out_cursor,
    struct vg_error *error)
{
    struct run *run = vg_arena_calloc(arena, 1, sizeof(*run));
    if (run == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    run->search = search;
    run->submissions = (struct vg_submission_store){ .table = source->table,
                                                     .store = source->store,
                                                     .shard = source->shard,
                                                     .snapshot_age_ms = source->snapshot_age_ms };
    enum vg_reason reason = prepare(run, arena, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_sample_cursor cursor = { .source = *source };
    reason = vg_snapshot_acquire(source->table, source->snapshot_age_ms, &cursor.snapshot, error);
    if (reason == VG_OK) {
        reason = run_on(run, &cursor, arena, error);
    }
    if (reason != VG_OK) {
        vg_sample_cursor_close(&cursor);
        return reason;
    }
    cursor.match_count = cursor.found.match_count;
    *out_cursor = cursor;
    return VG_OK;
}

/* -------------------------------------------------------------------------------------- cursor */

enum vg_reason vg_sample_cursor_next(
    struct vg_sample_cursor *cursor,
    struct vg_arena *arena,
    struct vg_sample_record *out_record,
    bool *out_end,
    struct vg_error *error)
{
    enum vg_reason reason = vg_snapshot_check(&cursor->snapshot, error);
    *out_end = cursor->next == cursor->found.hit_count;
    if (reason != VG_OK || *out_end) {
        return reason;
    }
    struct vg_value id;
    struct vg_key key;
    struct vg_store_value value;
    vg_hit_read(&cursor->found.hits[cursor->next++], VG_SAMPLE_COLUMN_SHA256, &id);
    vg_key_sample(&key, id.bytes.data);
    reason = vg_store_get_one(
        cursor->source.store,
        vg_snapshot_view(&cursor->snapshot),
        cursor->source.shard,
        vg_key_bytes(&key),
        &value,
        error);
    if (reason == VG_OK) {
        reason = value.found
                     ? vg_sample_record_unpack(id.bytes.data, value.bytes, arena, out_record, error)
                     : vg_error_set(error, VG_STORE_CORRUPT, NULL);
        vg_store_value_release(&value);
    }
    return reason;
}

void vg_sample_cursor_close(struct vg_sample_cursor *cursor)
{
    vg_snapshot_release(&cursor->snapshot);
}
