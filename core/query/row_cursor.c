#include "core/query/row_cursor.h"

#include <stdio.h>
#include <string.h>

/* Places of one pass, and their sort. */
#define VG_PASS_BYTES_MAX (16u * 1024u * 1024u)

/* The table calls too many questions a limit of the server; they are a fault of the request. */
enum vg_reason vg_row_cursor_check(
    const struct vg_predicate *where,
    const struct vg_table_schema *schema,
    struct vg_error *error)
{
    struct vg_error limit;
    vg_error_init(&limit, NULL);
    enum vg_reason reason = vg_predicate_check(where, schema, &limit);
    if (reason == VG_RESOURCE_LIMIT) {
        return vg_error_set(
            error,
            VG_INVALID_FIELD_VALUE,
            "The criteria ask more than %u questions",
            VG_PREDICATE_NODES_MAX);
    }
    return reason == VG_OK ? VG_OK : vg_error_set(error, reason, NULL);
}

/* The next pass; what it finds behind the rows to be passed over. */
static enum vg_reason run_pass(
    struct vg_row_cursor *cursor,
    const struct vg_hit **out_hits,
    uint32_t *out_count,
    struct vg_error *error)
{
    struct vg_search_result result;
    uint64_t wanted = cursor->skipped + cursor->left;
    cursor->asked.limit = wanted < cursor->rows_max ? (uint32_t)wanted : cursor->rows_max;
    vg_arena_reset(&cursor->arena);
    enum vg_reason reason =
        vg_search_run(cursor->snapshot, &cursor->asked, &cursor->arena, &result, error);
    if (reason != VG_OK) {
        return reason;
    }
    uint32_t count = result.hit_count;
    uint32_t skipped = cursor->skipped < count ? (uint32_t)cursor->skipped : count;
    cursor->skipped -= skipped;
    cursor->left -= count - skipped;
    cursor->is_last = count < cursor->asked.limit || cursor->skipped + cursor->left == 0;
    if (count > 0) {
        cursor->last = result.hits[count - 1];
        cursor->asked.after = &cursor->last;
    }
    if (!cursor->asked.uncounted) {
        cursor->match_count = result.match_count;
    }
    cursor->asked.uncounted = true;
    *out_hits = count == 0 ? NULL : result.hits + skipped;
    *out_count = count - skipped;
    return VG_OK;
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
    explain->leaf_count = leaves != NULL ? explain->leaf_count : 0;
    return leaves != NULL;
}

static enum vg_reason run_first(
    struct vg_row_cursor *cursor,
    const struct vg_row_page *page,
    struct vg_arena *arena,
    struct vg_error *error)
{
    enum vg_reason reason = run_pass(cursor, &cursor->first_hits, &cursor->first_count, error);
    /* Whoever is told of a failure may ask what was done for it. */
    if (cursor->asked.explain != NULL && !keep_leaves(cursor->asked.explain, arena) &&
        reason == VG_OK) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    cursor->asked.explain = NULL;
    if (reason != VG_OK) {
        return reason;
    }
    if (page->limit == 0 && page->most != 0 && cursor->match_count > page->most) {
        char most[16];
        (void)snprintf(most, sizeof(most), "%u", (unsigned)page->most);
        (void)vg_error_set(error, VG_RESULTSET_TOO_LARGE, NULL);
        return vg_error_field(error, "", most);
    }
    return VG_OK;
}

enum vg_reason vg_row_cursor_open(
    const struct vg_snapshot *snapshot,
    const struct vg_search *search,
    const struct vg_row_page *page,
    struct vg_arena *arena,
    struct vg_row_cursor *out_cursor,
    struct vg_error *error)
{
    struct vg_row_cursor *cursor = out_cursor;
    *cursor = (struct vg_row_cursor){
        .snapshot = snapshot,
        .asked = *search,
        .rows_max = page->pass_rows != 0 ? page->pass_rows : VG_ROW_CURSOR_ROWS,
        .skipped = page->offset,
        .left = page->limit,
    };
    if (page->limit == 0) {
        cursor->left = page->most == 0 ? UINT64_MAX / 2 : page->most;
    }
    cursor->asked.offset = 0;
    cursor->asked.after = NULL;
    cursor->asked.uncounted = false;
    vg_arena_init(&cursor->arena, VG_PASS_BYTES_MAX);
    enum vg_reason reason = run_first(cursor, page, arena, error);
    if (reason != VG_OK) {
        vg_row_cursor_close(cursor);
    }
    return reason;
}

enum vg_reason vg_row_cursor_next(
    struct vg_row_cursor *cursor,
    const struct vg_hit **out_hits,
    uint32_t *out_count,
    struct vg_error *error)
{
    *out_hits = cursor->first_hits;
    *out_count = cursor->first_count;
    cursor->first_count = 0;
    enum vg_reason reason = VG_OK;
    while (reason == VG_OK && *out_count == 0 && !cursor->is_last) {
        reason = run_pass(cursor, out_hits, out_count, error);
    }
    return reason;
}

void vg_row_cursor_close(struct vg_row_cursor *cursor)
{
    if (cursor->snapshot != NULL) {
        vg_arena_dispose(&cursor->arena);
    }
    *cursor = (struct vg_row_cursor){ 0 };
}
