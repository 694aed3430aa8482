#include "core/table/row_set.h"

#include <string.h>

#include "core/table/chunk_walk.h"

/* The rows of one chunk, as bits. */
struct vg_row_set_part {
    const struct vg_chunk *chunk;
    struct vg_row_set_part *next;
    uint64_t bits[VG_TABLE_CHUNK_ROWS_MAX / 64];
};

static struct vg_row_set_part *find_part(const struct vg_row_set *set, const struct vg_chunk *chunk)
{
    struct vg_row_set_part *part = set->parts;
    while (part != NULL && part->chunk != chunk) {
        part = part->next;
    }
    return part;
}

bool vg_row_set_make(
    struct vg_row_set *set,
    const struct vg_snapshot *snapshot,
    uint32_t kind,
    const struct vg_hit *hits,
    uint32_t count,
    struct vg_arena *arena)
{
    *set = (struct vg_row_set){ .snapshot = snapshot, .kind = kind };
    struct vg_row_set_part *part = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (part == NULL || part->chunk != hits[i].chunk) {
            part = find_part(set, hits[i].chunk);
        }
        if (part == NULL) {
            part = vg_arena_calloc(arena, 1, sizeof(*part));
            if (part == NULL) {
                return false;
            }
            part->chunk = hits[i].chunk;
            part->next = set->parts;
            set->parts = part;
            set->part_count++;
        }
        part->bits[hits[i].position / 64] |= UINT64_C(1) << (hits[i].position % 64);
    }
    return true;
}

/* Is any of the rows of `part`, the part the walk has entered, wanted? */
static enum vg_reason look(
    struct vg_chunk_walk *walk,
    const struct vg_row_set_part *part,
    bool *out_any)
{
    uint64_t rows[VG_PLAN_BLOCK_WORDS];
    enum vg_reason reason = VG_OK;
    uint32_t blocks = vg_chunk_walk_blocks(walk);
    for (uint32_t number = 0; reason == VG_OK && !*out_any && number < blocks; number++) {
        const struct vg_plan_block block = vg_chunk_walk_block(walk, number);
        uint32_t words = (block.count + 63) / 64;
        uint64_t any = 0;
        memcpy(rows, &part->bits[block.first / 64], sizeof(rows));
        for (uint32_t word = 0; word < words; word++) {
            any |= rows[word];
        }
        if (any == 0) {
            continue;
        }
        reason = vg_chunk_walk_narrow(walk, &block, rows);
        for (uint32_t word = 0; word < words; word++) {
            *out_any = *out_any || rows[word] != 0;
        }
    }
    return reason;
}

enum vg_reason vg_row_set_has(
    const struct vg_row_set *set,
    const struct vg_predicate *where,
    struct vg_arena *arena,
    bool *out_any,
    struct vg_error *error)
{
    *out_any = false;
    struct vg_chunk_walk *walk = vg_arena_alloc(arena, sizeof(*walk));
    if (walk == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    memset(walk, 0, offsetof(struct vg_chunk_walk, dead));
    walk->counts = (struct vg_walk_counts){ 0 };
    walk->snapshot = set->snapshot;
    walk->records.error = error;
    enum vg_reason reason = vg_chunk_walk_begin(walk, set->kind, where, arena, error);
    for (uint32_t i = 0; reason == VG_OK && !*out_any && i < walk->part_count; i++) {
        const struct vg_row_set_part *part = find_part(set, walk->parts[i].chunk);
        bool wanted = false;
        if (part != NULL) {
            reason = vg_chunk_walk_enter(walk, &walk->parts[i], &wanted, error);
        }
        if (reason == VG_OK && wanted) {
            reason = look(walk, part, out_any);
        }
    }
    return reason;
}
