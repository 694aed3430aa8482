#include "core/table/join.h"

#include <stdio.h>

#include "core/base/assert.h"
#include "core/table/chunk_walk.h"
#include "core/table/table_parts.h"

static enum vg_reason full(const struct vg_id_marks *ids, struct vg_error *error)
{
    char most[16];
    (void)snprintf(most, sizeof(most), "%u", ids->ids_max);
    (void)vg_error_set(error, VG_RESULTSET_TOO_LARGE, NULL);
    return vg_error_field(error, "", most);
}

/* Only zero bytes: the row names nothing. */
static bool is_absent(const uint8_t *id, uint32_t size)
{
    uint8_t any = 0;
    for (uint32_t i = 0; i < size; i++) {
        any |= id[i];
    }
    return any == 0;
}

static enum vg_reason mark_word(
    const struct vg_join *join,
    const struct vg_column_data *data,
    uint32_t first_row,
    uint64_t bits,
    uint32_t mark,
    struct vg_error *error)
{
    for (; bits != 0; bits &= bits - 1) {
        uint32_t row = first_row + (uint32_t)__builtin_ctzll(bits);
        const uint8_t *id = vg_column_fixed(data, row);
        if (is_absent(id, data->value_size)) {
            continue;
        }
        switch (vg_id_marks_add(join->ids, vg_bytes(id, data->value_size), mark)) {
        case VG_ID_MARKS_DONE:
            break;
        case VG_ID_MARKS_FULL:
            return full(join->ids, error);
        case VG_ID_MARKS_MEMORY:
            return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for the ids of a join");
        }
    }
    return VG_OK;
}

static enum vg_reason mark_block(
    const struct vg_join *join,
    struct vg_chunk_walk *walk,
    uint32_t number,
    uint32_t mark,
    struct vg_error *error)
{
    struct vg_plan_block block;
    uint64_t found[VG_PLAN_BLOCK_WORDS];
    enum vg_reason reason = vg_chunk_walk_read(walk, number, &block, found);
    const struct vg_column_data *data = &block.chunk->columns[join->column];
    for (uint32_t word = 0; reason == VG_OK && word < (block.count + 63) / 64; word++) {
        reason = mark_word(join, data, block.first + word * 64, found[word], mark, error);
    }
    return reason;
}

enum vg_reason vg_join_mark(
    const struct vg_join *join,
    const struct vg_predicate *where,
    uint32_t mark,
    struct vg_arena *arena,
    struct vg_error *error)
{
    VG_ASSERT(join->kind < join->snapshot->published->kind_count);
    const struct vg_table_schema *schema = join->snapshot->table->kinds[join->kind].schema;
    if (join->column >= schema->column_count ||
        schema->columns[join->column].kind != VG_COLUMN_FIXED) {
        return vg_error_set(error, VG_INTERNAL, "a join over a column that holds no id");
    }
    struct vg_chunk_walk *walk = vg_arena_calloc(arena, 1, sizeof(*walk));
    if (walk == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    walk->snapshot = join->snapshot;
    walk->records = (struct vg_plan_run){ .reader = join->reader,
                                          .check = join->check,
                                          .owner = join->owner,
                                          .error = error };
    enum vg_reason reason = vg_chunk_walk_begin(walk, join->kind, where, arena, error);
    for (uint32_t i = 0; reason == VG_OK && i < walk->part_count; i++) {
        bool look = false;
        reason = vg_chunk_walk_enter(walk, &walk->parts[i], &look, error);
        uint32_t blocks = reason == VG_OK && look ? vg_chunk_walk_blocks(walk) : 0;
        for (uint32_t number = 0; reason == VG_OK && number < blocks; number++) {
            reason = mark_block(join, walk, number, mark, error);
        }
    }
    return reason;
}
