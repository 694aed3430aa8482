#include "core/table/chunk_walk.h"

#include "core/table/table_parts.h"

static bool collect_parts(struct vg_chunk_walk *walk, uint32_t kind, struct vg_arena *arena)
{
    const struct vg_published_kind *shown = &walk->snapshot->published->kinds[kind];
    const struct vg_chunk_list *list = shown->list;
    walk->parts = vg_arena_calloc(arena, (size_t)list->count + 1, sizeof(*walk->parts));
    if (walk->parts == NULL) {
        return false;
    }
    walk->part_count = list->count;
    for (uint32_t i = 0; i < list->count; i++) {
        struct vg_walk_part *part = &walk->parts[i];
        part->chunk = list->chunks[i];
        part->is_tail = list->has_tail && i == list->count - 1;
        part->rows = part->is_tail ? shown->tail_rows : list->chunks[i]->rows;
    }
    return true;
}

enum vg_reason vg_chunk_walk_begin(
    struct vg_chunk_walk *walk,
    uint32_t kind,
    const struct vg_predicate *where,
    struct vg_arena *arena,
    struct vg_error *error)
{
    struct vg_table *table = walk->snapshot->table;
    const struct vg_table_kind *searched = &table->kinds[kind];
    enum vg_reason reason = vg_snapshot_check(walk->snapshot, error);
    if (reason == VG_OK) {
        reason = vg_predicate_check(where, searched->schema, error);
    }
    if (reason == VG_OK && walk->records.reader == NULL && vg_predicate_reads_records(where)) {
        reason = vg_error_set(error, VG_INTERNAL, "a search that needs records has no reader");
    }
    if (reason != VG_OK) {
        return reason;
    }
    unsigned slot = vg_epoch_enter(&table->epoch);
    walk->plan = vg_plan_create(where, searched->schema, searched->dictionaries, arena);
    vg_epoch_leave(&table->epoch, slot);
    if (walk->plan == NULL || !collect_parts(walk, kind, arena)) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    return VG_OK;
}

enum vg_reason vg_chunk_walk_enter(
    struct vg_chunk_walk *walk,
    const struct vg_walk_part *part,
    bool *out_look,
    struct vg_error *error)
{
    enum vg_reason reason = vg_snapshot_check(walk->snapshot, error);
    if (reason == VG_OK && walk->records.check != NULL) {
        reason = walk->records.check(walk->records.owner, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    const struct vg_chunk *chunk = part->chunk;
    enum vg_plan_decision decision = vg_plan_decide(walk->plan, chunk, part->is_tail);
    walk->part = part;
    *out_look = decision != VG_PLAN_NO_ROW;
    if (!*out_look) {
        walk->counts.chunks_skipped++;
        return VG_OK;
    }
    struct vg_epoch *epoch = &walk->snapshot->table->epoch;
    unsigned slot = vg_epoch_enter(epoch);
    walk->has_dead = vg_deaths_mark(chunk->deaths, walk->snapshot->published->sequence, walk->dead);
    vg_epoch_leave(epoch, slot);
    walk->counts.chunks_whole += decision == VG_PLAN_EVERY_ROW;
    walk->counts.chunks_looked += decision == VG_PLAN_LOOK;
    return VG_OK;
}

/* Bits of the first `count` rows of a word. */
static uint64_t first_bits(uint32_t count)
{
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

struct vg_plan_block vg_chunk_walk_block(struct vg_chunk_walk *walk, uint32_t number)
{
    uint32_t first = number * VG_PLAN_BLOCK_ROWS;
    uint32_t rest = walk->part->rows - first;
    return (struct vg_plan_block){
        .chunk = walk->part->chunk,
        .first = first,
        .count = rest < VG_PLAN_BLOCK_ROWS ? rest : VG_PLAN_BLOCK_ROWS,
        .is_tail = walk->part->is_tail,
        .run = &walk->records,
    };
}

enum vg_reason vg_chunk_walk_narrow(
    struct vg_chunk_walk *walk,
    const struct vg_plan_block *block,
    uint64_t *rows)
{
    uint64_t alive[VG_PLAN_BLOCK_WORDS];
    uint32_t words = (block->count + 63) / 64;
    const uint64_t *dead = walk->has_dead ? &walk->dead[block->first / 64] : NULL;
    for (uint32_t word = 0; word < words; word++) {
        alive[word] = dead == NULL ? rows[word] : rows[word] & ~dead[word];
    }
    walk->counts.rows_looked += walk->plan->decision == VG_PLAN_LOOK ? block->count : 0;
    vg_plan_evaluate(walk->plan, block, alive, rows);
    return walk->records.reason;
}

enum vg_reason vg_chunk_walk_read(
    struct vg_chunk_walk *walk,
    uint32_t number,
    struct vg_plan_block *out_block,
    uint64_t *out_found)
{
    *out_block = vg_chunk_walk_block(walk, number);
    uint32_t words = (out_block->count + 63) / 64;
    for (uint32_t word = 0; word < words; word++) {
        out_found[word] = first_bits(out_block->count - word * 64);
    }
    return vg_chunk_walk_narrow(walk, out_block, out_found);
}
