/*
 * A search walks the chunks of its snapshot in the direction of the sort, best zone first. For each
 * it takes the rows that are alive, lets the plan say which match, counts them by population count,
 * and offers them to the page only while the chunk can still hold rows of the page.
 */
#include "core/table/search.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/chunk_walk.h"
#include "core/table/table_parts.h"
#include "core/table/top_rows.h"

/* Between which keys (top_rows.h) the rows of a chunk lie. */
struct key_bounds {
    int64_t best;
    int64_t worst;
    bool is_column; /* no row is absent: the keys can be compared in the column, many at a time */
};

struct vg_search_run {
    const struct vg_search *search;
    const struct vg_table_schema *schema;
    struct vg_chunk_walk walk; /* order of a part: the best key any row of it can have */
    struct vg_top_rows top;
    struct vg_top_row after;      /* rows of the page sort behind it, if search->after is set */
    struct vg_entry_ranks *ranks; /* of a sort by text; NULL otherwise */
    uint64_t match_count;
    uint64_t offered_count;
    bool out_of_memory; /* the arena is full */
};

static bool can_sort(enum vg_column_kind kind)
{
    return kind != VG_COLUMN_NETWORK && kind != VG_COLUMN_NUMBERS && kind != VG_COLUMN_HASHES &&
           kind != VG_COLUMN_TOKENS && kind != VG_COLUMN_TEXTS;
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

static struct key_bounds make_bounds(bool descending, int64_t min, int64_t max, bool is_column)
{
    return (struct key_bounds){
        .best = descending ? ~max : min,
        .worst = descending ? ~min : max,
        .is_column = is_column,
    };
}

static struct key_bounds find_bounds(
    const struct vg_search_run *run,
    const struct vg_walk_part *part)
{
    const struct vg_sort_key *first = &run->top.keys[0];
    if (!vg_top_rows_has_column(&run->top) ||
        run->schema->columns[first->column].kind == VG_COLUMN_FLAGS) {
        return (struct key_bounds){ .best = INT64_MIN, .worst = INT64_MAX };
    }
    /* Absent values are the smallest. */
    const struct vg_zone_bounds bounds =
        vg_zone_read_bounds(part->chunk->columns[first->column].zone);
    bool has_value = bounds.min <= bounds.max;
    return make_bounds(
        first->descending,
        bounds.has_absent ? VG_ABSENT : bounds.min,
        has_value ? bounds.max : VG_ABSENT,
        !bounds.has_absent);
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
    for (uint32_t i = 0; i < walk->part_count && run->top.capacity > 0; i++) {
        walk->parts[i].order = find_bounds(run, &walk->parts[i]).best;
    }
    if (walk->part_count > 1 && run->top.capacity > 0) {
        qsort(walk->parts, walk->part_count, sizeof(walk->parts[0]), compare_parts);
    }
}

/* Can a row between these bounds still get on the page? */
static bool wants_any(const struct vg_search_run *run, const struct key_bounds *bounds)
{
    return vg_top_rows_wants(&run->top, bounds->best) &&
           (run->search->after == NULL || bounds->worst >= run->after.key);
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
            run->offered_count++;
            run->out_of_memory |= !vg_top_rows_offer(&run->top, &row);
        }
    }
}

/* Keep of `rows` those whose key lets them get on the page, as far as a loop over the column can
 * tell. Most rows are turned away here, 64 at a time. */
static void narrow_to_page(
    const struct vg_search_run *run,
    const struct vg_plan_block *block,
    const struct key_bounds *bounds,
    uint64_t *rows)
{
    bool is_full = vg_top_rows_is_full(&run->top);
    int64_t best = run->search->after != NULL ? run->after.key : INT64_MIN;
    int64_t worst = is_full ? run->top.worst.key : INT64_MAX;
    if (!bounds->is_column || (best <= bounds->best && worst >= bounds->worst)) {
        return;
    }
    const struct vg_sort_key *first = &run->top.keys[0];
    uint64_t near[VG_PLAN_BLOCK_WORDS];
    vg_plan_range(
        &block->chunk->columns[first->column],
        block,
        first->descending ? ~worst : best,
        first->descending ? ~best : worst,
        near);
    for (uint32_t word = 0; word < (block->count + 63) / 64; word++) {
        rows[word] &= near[word];
    }
}

static bool has_row(const uint64_t *rows, uint32_t words)
{
    uint64_t any = 0;
    for (uint32_t word = 0; word < words; word++) {
        any |= rows[word];
    }
    return any != 0;
}

static enum vg_reason offer_block(
    struct vg_search_run *run,
    const struct vg_plan_block *block,
    const uint64_t *rows)
{
    uint32_t words = (block->count + 63) / 64;
    bool backwards = run->top.keys[0].descending;
    for (uint32_t i = 0; i < words; i++) {
        uint32_t word = backwards ? words - 1 - i : i;
        if (rows[word] != 0) {
            offer_word(run, run->walk.part, block->first + word * 64, rows[word]);
        }
    }
    return run->out_of_memory ? vg_error_set(run->walk.records.error, VG_REQUEST_MEMORY, NULL)
                              : VG_OK;
}

/* Count all rows that match; look closer only at those that can get on the page. */
static enum vg_reason search_block(
    struct vg_search_run *run,
    uint32_t number,
    const struct key_bounds *bounds)
{
    struct vg_plan_block block;
    uint64_t found[VG_PLAN_BLOCK_WORDS];
    enum vg_reason reason = vg_chunk_walk_read(&run->walk, number, &block, found);
    if (reason != VG_OK) {
        return reason;
    }
    run->match_count += vg_loop_count_bits(found, (block.count + 63) / 64);
    if (!wants_any(run, bounds)) {
        return VG_OK;
    }
    narrow_to_page(run, &block, bounds, found);
    return offer_block(run, &block, found);
}

/* The same without a count: what cannot get on the page is not asked about. */
static enum vg_reason search_block_uncounted(
    struct vg_search_run *run,
    uint32_t number,
    const struct key_bounds *bounds)
{
    struct vg_plan_block block = vg_chunk_walk_block(&run->walk, number);
    uint64_t found[VG_PLAN_BLOCK_WORDS];
    uint32_t words = (block.count + 63) / 64;
    for (uint32_t word = 0; word < words; word++) {
        uint32_t rest = block.count - word * 64;
        found[word] = rest >= 64 ? UINT64_MAX : (UINT64_C(1) << rest) - 1;
    }
    narrow_to_page(run, &block, bounds, found);
    if (!wants_any(run, bounds) || !has_row(found, words)) {
        return VG_OK;
    }
    enum vg_reason reason = vg_chunk_walk_narrow(&run->walk, &block, found);
    return reason == VG_OK ? offer_block(run, &block, found) : reason;
}

static enum vg_reason search_part(
    struct vg_search_run *run,
    const struct vg_walk_part *part,
    struct vg_error *error)
{
    struct key_bounds bounds = find_bounds(run, part);
    if (run->search->uncounted && !wants_any(run, &bounds)) {
        run->walk.counts.chunks_skipped++;
        return VG_OK;
    }
    bool look;
    bool backwards = run->top.keys[0].descending;
    enum vg_reason reason = vg_chunk_walk_enter(&run->walk, part, &look, error);
    uint32_t blocks = reason == VG_OK && look ? vg_chunk_walk_blocks(&run->walk) : 0;
    for (uint32_t i = 0; reason == VG_OK && i < blocks; i++) {
        uint32_t number = backwards ? blocks - 1 - i : i;
        reason = run->search->uncounted ? search_block_uncounted(run, number, &bounds)
                                        : search_block(run, number, &bounds);
    }
    return reason;
}

static enum vg_reason search_parts(struct vg_search_run *run, struct vg_error *error)
{
    enum vg_reason reason = VG_OK;
    for (uint32_t i = 0; reason == VG_OK && i < run->walk.part_count; i++) {
        reason = search_part(run, &run->walk.parts[i], error);
    }
    return reason;
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
    uint32_t ranked;
    if (capacity > 0 && vg_top_rows_find_ranked(&run->top, run->schema, &ranked)) {
        struct vg_table_kind *kind = &run->walk.snapshot->table->kinds[search->kind];
        run->ranks = vg_entry_ranks_acquire(
            &kind->dictionaries[ranked],
            run->schema->columns[ranked].kind == VG_COLUMN_SUBJECTS);
    }
    if (run->ranks != NULL) {
        vg_top_rows_use_ranks(&run->top, run->schema, run->ranks);
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

/* -------------------------------------------------------------------------------- explanation */

static bool is_branch(const struct vg_plan_node *node)
{
    return node->question->kind == VG_PREDICATE_AND || node->question->kind == VG_PREDICATE_OR ||
           node->question->kind == VG_PREDICATE_NOT;
}

static bool is_leaf(const struct vg_plan_node *node)
{
    return !is_branch(node) && node->question->kind != VG_PREDICATE_ALL &&
           node->question->kind != VG_PREDICATE_NONE;
}

static uint32_t count_leaves(const struct vg_plan_node *node)
{
    uint32_t count = is_leaf(node) ? 1 : 0;
    for (uint32_t i = 0; i < node->child_count; i++) {
        count += count_leaves(node->children[i]);
    }
    return count;
}

static void list_leaves(
    const struct vg_search_run *run,
    const struct vg_plan_node *node,
    bool is_negated,
    struct vg_search_leaf **next)
{
    if (is_leaf(node)) {
        *(*next)++ = (struct vg_search_leaf){
            .column = run->schema->columns[node->question->column].name,
            .question = node->question->kind,
            .value_count = node->question->count,
            .is_negated = is_negated,
            .rows_in = node->rows_in,
            .rows_out = node->rows_out,
            .spent_ns = node->spent_ns,
        };
    }
    for (uint32_t i = 0; i < node->child_count; i++) {
        list_leaves(
            run,
            node->children[i],
            is_negated != (node->question->kind == VG_PREDICATE_NOT),
            next);
    }
}

static enum vg_reason explain_run(
    const struct vg_search_run *run,
    struct vg_arena *arena,
    struct vg_error *error)
{
    struct vg_search_explanation *explain = run->search->explain;
    const struct vg_walk_counts *counts = &run->walk.counts;
    uint32_t leaf_count = count_leaves(run->walk.plan);
    struct vg_search_leaf *leaves = vg_arena_calloc(arena, (size_t)leaf_count + 1, sizeof(*leaves));
    if (leaves == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    explain->leaves = leaves;
    explain->leaf_count = leaf_count;
    list_leaves(run, run->walk.plan, false, &leaves);
    explain->chunks += run->walk.part_count;
    explain->chunks_skipped += counts->chunks_skipped;
    explain->chunks_whole += counts->chunks_whole;
    explain->chunks_looked += counts->chunks_looked;
    explain->rows_looked += counts->rows_looked;
    explain->rows_matched += run->match_count;
    explain->rows_offered += run->offered_count;
    explain->records_confirmed += run->walk.records.confirmed;
    return VG_OK;
}

/* Add to `sum_ns` what has passed since *begun_ns, and begin anew. */
static void take_time(const struct vg_search_run *run, uint64_t *begun_ns, uint64_t *sum_ns)
{
    uint64_t now_ns = vg_clock_monotonic_ns(run->walk.records.clock);
    *sum_ns += now_ns - *begun_ns;
    *begun_ns = now_ns;
}

/* ---------------------------------------------------------------------------------- the whole */

static enum vg_reason run_explained(
    struct vg_search_run *run,
    struct vg_arena *arena,
    struct vg_search_result *out_result,
    struct vg_error *error)
{
    struct vg_search_explanation *explain = run->search->explain;
    run->walk.records.clock = explain->clock;
    uint64_t begun_ns = vg_clock_monotonic_ns(explain->clock);
    enum vg_reason reason = prepare_run(run, arena, error);
    take_time(run, &begun_ns, &explain->plan_ns);
    if (reason == VG_OK) {
        reason = search_parts(run, error);
        take_time(run, &begun_ns, &explain->evaluate_ns);
    }
    if (reason == VG_OK) {
        reason = explain_run(run, arena, error);
    }
    if (reason == VG_OK) {
        finish_run(run, out_result);
        take_time(run, &begun_ns, &explain->page_ns);
    }
    return reason;
}

static enum vg_reason run_unexplained(
    struct vg_search_run *run,
    struct vg_arena *arena,
    struct vg_search_result *out_result,
    struct vg_error *error)
{
    enum vg_reason reason = prepare_run(run, arena, error);
    if (reason == VG_OK) {
        reason = search_parts(run, error);
    }
    if (reason == VG_OK) {
        finish_run(run, out_result);
    }
    return reason;
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
    reason = search->explain != NULL ? run_explained(run, arena, out_result, error)
                                     : run_unexplained(run, arena, out_result, error);
    vg_entry_ranks_release(run->ranks);
    return reason;
}

void vg_hit_read(const struct vg_hit *hit, uint32_t column, struct vg_value *out_value)
{
    vg_chunk_read(hit->chunk, column, hit->position, out_value);
}
