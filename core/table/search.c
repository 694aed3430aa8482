/*
 * A search walks the chunks of its snapshot in the direction of the sort, best zone first. For each
 * it takes the rows that are alive, lets the plan say which match, counts them by population count,
 * and offers them to the heap only while the chunk can still hold rows of the page.
 */
#include "core/table/search.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/plan.h"
#include "core/table/table_parts.h"
#include "core/table/top_rows.h"

/* A chunk of the snapshot, with the best key any row of it can have. */
struct vg_search_part {
    const struct vg_chunk *chunk;
    uint32_t rows;
    bool is_tail;
    int64_t best_key;
};

struct vg_search_run {
    const struct vg_snapshot *snapshot;
    const struct vg_search *search;
    const struct vg_table_kind *kind;
    struct vg_plan_node *plan;
    struct vg_top_rows top;
    struct vg_top_row after; /* rows of the page sort behind it, if search->after is set */
    struct vg_search_part *parts;
    uint32_t part_count;
    uint64_t match_count;
    struct vg_plan_run records;
    bool out_of_memory;                          /* the arena is full */
    uint64_t dead[VG_TABLE_CHUNK_ROWS_MAX / 64]; /* of the chunk at hand */
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
    enum vg_reason reason = vg_predicate_check(search->where, schema, error);
    if (reason == VG_OK && search->reader == NULL && vg_predicate_reads_records(search->where)) {
        return vg_error_set(error, VG_INTERNAL, "a search that needs records has no reader");
    }
    return reason;
}

/* Absent values are the smallest, so a chunk with one may begin (ascending) with it. */
static int64_t best_key(const struct vg_search_run *run, const struct vg_search_part *part)
{
    const struct vg_column *columns = run->kind->schema->columns;
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
    const struct vg_search_part *a = left;
    const struct vg_search_part *b = right;
    return (a->best_key > b->best_key) - (a->best_key < b->best_key);
}

static bool collect_parts(struct vg_search_run *run, struct vg_arena *arena)
{
    const struct vg_published_kind *shown = &run->snapshot->published->kinds[run->search->kind];
    const struct vg_chunk_list *list = shown->list;
    run->parts = vg_arena_calloc(arena, (size_t)list->count + 1, sizeof(*run->parts));
    if (run->parts == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        struct vg_search_part *part = &run->parts[run->part_count++];
        part->chunk = list->chunks[i];
        part->is_tail = list->has_tail && i == list->count - 1;
        part->rows = part->is_tail ? shown->tail_rows : list->chunks[i]->rows;
        part->best_key = best_key(run, part);
    }
    if (run->part_count > 1) {
        qsort(run->parts, run->part_count, sizeof(run->parts[0]), compare_parts);
    }
    return true;
}

/* Bits of the first `count` rows of a word. */
static uint64_t first_bits(uint32_t count)
{
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

/* Offer the rows of one word, from the end that sorts first in a chunk in order of time. */
static void offer_word(
    struct vg_search_run *run,
    const struct vg_search_part *part,
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

static void search_block(
    struct vg_search_run *run,
    const struct vg_search_part *part,
    const struct vg_plan_block *block,
    bool has_dead)
{
    uint64_t alive[VG_PLAN_BLOCK_WORDS] = { 0 };
    uint64_t found[VG_PLAN_BLOCK_WORDS];
    uint32_t words = (block->count + 63) / 64;
    for (uint32_t word = 0; word < words; word++) {
        alive[word] = first_bits(block->count - word * 64);
        alive[word] &= has_dead ? ~run->dead[block->first / 64 + word] : UINT64_MAX;
    }
    vg_plan_evaluate(run->plan, block, alive, found);
    for (uint32_t word = 0; word < words; word++) {
        run->match_count += (uint64_t)__builtin_popcountll(found[word]);
    }
    if (!vg_top_rows_wants(&run->top, part->best_key)) {
        return;
    }
    bool backwards = run->top.keys[0].descending;
    for (uint32_t i = 0; i < words; i++) {
        uint32_t word = backwards ? words - 1 - i : i;
        if (found[word] != 0) {
            offer_word(run, part, block->first + word * 64, found[word]);
        }
    }
}

static void search_part(struct vg_search_run *run, const struct vg_search_part *part)
{
    const struct vg_chunk *chunk = part->chunk;
    if (vg_plan_decide(run->plan, chunk, part->is_tail) == VG_PLAN_NO_ROW) {
        return;
    }
    struct vg_epoch *epoch = &run->snapshot->table->epoch;
    unsigned slot = vg_epoch_enter(epoch);
    bool has_dead = vg_deaths_mark(chunk->deaths, run->snapshot->published->sequence, run->dead);
    vg_epoch_leave(epoch, slot);
    uint32_t blocks = (part->rows + VG_PLAN_BLOCK_ROWS - 1) / VG_PLAN_BLOCK_ROWS;
    bool backwards = run->top.keys[0].descending;
    for (uint32_t i = 0; i < blocks && run->records.reason == VG_OK; i++) {
        uint32_t first = (backwards ? blocks - 1 - i : i) * VG_PLAN_BLOCK_ROWS;
        uint32_t rest = part->rows - first;
        const struct vg_plan_block block = {
            .chunk = chunk,
            .first = first,
            .count = rest < VG_PLAN_BLOCK_ROWS ? rest : VG_PLAN_BLOCK_ROWS,
            .is_tail = part->is_tail,
            .run = &run->records,
        };
        search_block(run, part, &block, has_dead);
    }
}

static enum vg_reason walk(struct vg_search_run *run, struct vg_error *error)
{
    for (uint32_t i = 0; i < run->part_count; i++) {
        enum vg_reason reason = vg_snapshot_check(run->snapshot, error);
        if (reason == VG_OK && run->search->check != NULL) {
            reason = run->search->check(run->search->owner, error);
        }
        if (reason != VG_OK) {
            return reason;
        }
        search_part(run, &run->parts[i]);
        if (run->records.reason != VG_OK) {
            return run->records.reason;
        }
        if (run->out_of_memory) {
            return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
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
    struct vg_epoch *epoch = &run->snapshot->table->epoch;
    unsigned slot = vg_epoch_enter(epoch);
    run->plan = vg_plan_create(search->where, run->kind->schema, run->kind->dictionaries, arena);
    vg_epoch_leave(epoch, slot);
    if (run->plan == NULL ||
        !vg_top_rows_init(
            &run->top,
            run->kind->schema,
            search->sort,
            search->sort_count,
            capacity,
            arena) ||
        !collect_parts(run, arena)) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
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
    const struct vg_table_kind *kind = &snapshot->table->kinds[search->kind];
    enum vg_reason reason = vg_snapshot_check(snapshot, error);
    if (reason == VG_OK) {
        reason = check_search(search, kind->schema, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_search_run *run = vg_arena_calloc(arena, 1, sizeof(*run));
    if (run == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    run->snapshot = snapshot;
    run->search = search;
    run->kind = kind;
    run->records = (struct vg_plan_run){ .reader = search->reader,
                                         .check = search->check,
                                         .owner = search->owner,
                                         .error = error };
    reason = prepare_run(run, arena, error);
    if (reason == VG_OK) {
        reason = walk(run, error);
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
