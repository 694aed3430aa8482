/*
 * A search walks the chunks of its snapshot in the direction of the sort, best zone first. For each
 * it takes the rows that are alive, lets the plan say which match, counts them by population count,
 * and offers them to the heap only while the chunk can still hold rows of the page.
 */
#include "core/table/search.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/chunk_walk.h"
#include "core/table/table_parts.h"
#include "core/table/top_rows.h"

struct vg_search_run {
    const struct vg_search *search;
    const struct vg_table_schema *schema;
    struct vg_chunk_walk walk; /* order of a part: the best key any row of it can have */
    struct vg_top_rows top;
    struct vg_top_row after; /* rows of the page sort behind it, if search->after is set */
    uint64_t match_count;
    bool out_of_memory; /* the arena is full */
};

static bool can_sort(enum vg_column_kind kind)
{
    return kind != VG_COLUMN_NETWORK && kind != VG_COLUMN_NUMBERS && kind != VG_COLUMN_HASHES &&
           kind != VG_COLUMN_TOKENS;
}

static enum vg_reason check_search(
    const struct vg_search *search,
    const struct vg_table_schema *schema,
    struct vg_error *error)
{
    if (search->sort_count > VG_SEARCH_SORT_KEYS_MAX) {
        return vg_error_set(error, VG_INTERNAL, "too many sort keys");
    }
    for (uint32_t i = 0; i < search->sort_count; i++) {
        if (search->sort[i].column >= schema->column_count ||
            !can_sort(schema->columns[search->sort[i].column].kind)) {
            return vg_error_set(error, VG_INTERNAL, "a column that cannot be sorted by");
        }
    }
    if (search->limit > 0 && (search->limit > VG_LIMIT_SEARCH_ROWS ||
                              search->offset > VG_LIMIT_SEARCH_ROWS - search->limit)) {
        return vg_error_set(
            error,
            VG_RESULTSET_TOO_LARGE,
            "offset and limit together may be %u",
            VG_LIMIT_SEARCH_ROWS);
    }
    return VG_OK;
}

/* Absent values are the smallest, so a chunk with one may begin (ascending) with it. */
static int64_t best_key(const struct vg_search_run *run, const struct vg_walk_part *part)
{
    const struct vg_column *columns = run->schema->columns;
    const struct vg_sort_key *first = &run->top.keys[0];
    if (part->is_tail || !run->top.has_number || columns[first->column].kind == VG_COLUMN_FLAGS) {
        return INT64_MIN;
    }
    const struct vg_zone *zone = part->chunk->columns[first->column].zone;
    if (first->descending) {
        return ~zone->max;
    }
    return zone->has_absent != 0 ? VG_ABSENT : zone->min;
}

static int compare_parts(const void *left, const void *right)
{
    const struct vg_walk_part *a = left;
    const struct vg_walk_part *b = right;
    return (a->order > b->order) - (a->order < b->order);
}

static void order_parts(struct vg_search_run *run)
{
    struct vg_chunk_walk *walk = &run->walk;
    for (uint32_t i = 0; i < walk->part_count; i++) {
        walk->parts[i].order = best_key(run, &walk->parts[i]);
    }
    if (walk->part_count > 1) {
        qsort(walk->parts, walk->part_count, sizeof(walk->parts[0]), compare_parts);
    }
}

/* Offer the rows of one word, from the end that sorts first in a chunk in order of time. */
static void offer_word(
    struct vg_search_run *run,
    const struct vg_walk_part *part,
    uint32_t first_row,
    uint64_t bits)
{
    bool backwards = run->top.keys[0].descending;
    while (bits != 0) {
        uint32_t bit =
            backwards ? 63 - (uint32_t)__builtin_clzll(bits) : (uint32_t)__builtin_ctzll(bits);
        bits &= ~(UINT64_C(1) << bit);
        struct vg_top_row row = { .hit = { .chunk = part->chunk, .position = first_row + bit } };
        row.key = vg_top_rows_key(&run->top, part->chunk, row.hit.position);
        if (vg_top_rows_wants(&run->top, row.key) &&
            (run->search->after == NULL || vg_top_rows_compare(&run->top, &row, &run->after) > 0)) {
            run->out_of_memory |= !vg_top_rows_offer(&run->top, &row);
        }
    }
}

static enum vg_reason search_block(struct vg_search_run *run, uint32_t number)
{
    const struct vg_walk_part *part = run->walk.part;
    struct vg_plan_block block;
    uint64_t found[VG_PLAN_BLOCK_WORDS];
    enum vg_reason reason = vg_chunk_walk_read(&run->walk, number, &block, found);
    if (reason != VG_OK) {
        return reason;
    }
    uint32_t words = (block.count + 63) / 64;
    for (uint32_t word = 0; word < words; word++) {
        run->match_count += (uint64_t)__builtin_popcountll(found[word]);
    }
    if (!vg_top_rows_wants(&run->top, part->order)) {
        return VG_OK;
    }
    bool backwards = run->top.keys[0].descending;
    for (uint32_t i = 0; i < words; i++) {
        uint32_t word = backwards ? words - 1 - i : i;
        if (found[word] != 0) {
            offer_word(run, part, block.first + word * 64, found[word]);
        }
    }
    return run->out_of_memory ? vg_error_set(run->walk.records.error, VG_REQUEST_MEMORY, NULL)
                              : VG_OK;
}

static enum vg_reason search_parts(struct vg_search_run *run, struct vg_error *error)
{
    bool backwards = run->top.keys[0].descending;
    for (uint32_t i = 0; i < run->walk.part_count; i++) {
        bool look;
        enum vg_reason reason = vg_chunk_walk_enter(&run->walk, &run->walk.parts[i], &look, error);
        uint32_t blocks = reason == VG_OK && look ? vg_chunk_walk_blocks(&run->walk) : 0;
        for (uint32_t block = 0; reason == VG_OK && block < blocks; block++) {
            reason = search_block(run, backwards ? blocks - 1 - block : block);
        }
        if (reason != VG_OK) {
            return reason;
        }
    }
    return VG_OK;
}

static enum vg_reason prepare_run(
    struct vg_search_run *run,
    struct vg_arena *arena,
    struct vg_error *error)
{
    const struct vg_search *search = run->search;
    uint32_t capacity = search->limit == 0 ? 0 : (uint32_t)search->offset + search->limit;
    enum vg_reason reason =
        vg_chunk_walk_begin(&run->walk, search->kind, search->where, arena, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (!vg_top_rows_init(
            &run->top,
            run->schema,
            search->sort,
            search->sort_count,
            capacity,
            arena)) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    order_parts(run);
    if (search->after != NULL) {
        run->after.hit = *search->after;
        run->after.key = vg_top_rows_key(&run->top, search->after->chunk, search->after->position);
    }
    return VG_OK;
}

static void finish_run(struct vg_search_run *run, struct vg_search_result *out_result)
{
    struct vg_search_result result = { .match_count = run->match_count };
    vg_top_rows_sort(&run->top);
    if (run->top.count > run->search->offset) {
        uint32_t offset = (uint32_t)run->search->offset;
        result.hit_count = run->top.count - offset;
        /* The hits take the place of the rows, front to back: a hit is smaller than a row. */
        _Static_assert(sizeof(struct vg_hit) <= sizeof(struct vg_top_row), "hits fit");
        result.hits = (struct vg_hit *)(void *)run->top.rows;
        for (uint32_t i = 0; i < result.hit_count; i++) {
            const struct vg_hit hit = run->top.rows[offset + i].hit;
            memcpy(&result.hits[i], &hit, sizeof(hit));
        }
    }
    *out_result = result;
}

enum vg_reason vg_search_run(
    const struct vg_snapshot *snapshot,
    const struct vg_search *search,
    struct vg_arena *arena,
    struct vg_search_result *out_result,
    struct vg_error *error)
{
    VG_ASSERT(search->kind < snapshot->published->kind_count);
    const struct vg_table_schema *schema = snapshot->table->kinds[search->kind].schema;
    enum vg_reason reason = check_search(search, schema, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_search_run *run = vg_arena_calloc(arena, 1, sizeof(*run));
    if (run == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    run->search = search;
    run->schema = schema;
    run->walk.snapshot = snapshot;
    run->walk.records = (struct vg_plan_run){ .reader = search->reader,
                                              .check = search->check,
                                              .owner = search->owner,
                                              .error = error };
    reason = prepare_run(run, arena, error);
    if (reason == VG_OK) {
        reason = search_parts(run, error);
    }
    if (reason == VG_OK) {
        finish_run(run, out_result);
    }
    return reason;
}

void vg_hit_read(const struct vg_hit *hit, uint32_t column, struct vg_value *out_value)
{
    vg_chunk_read(hit->chunk, column, hit->position, out_value);
}
