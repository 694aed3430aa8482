/*
 * Chunk walk: the way of a search or an aggregation through the chunks of a snapshot. Each chunk is
 * asked about once: may we go on, can it hold a row that is wanted, which of its rows are dead; and
 * then read in blocks of rows, as bits.
 *
 * Threads: belongs to one search; the snapshot is shared.
 */
#ifndef VG_CORE_TABLE_CHUNK_WALK_H
#define VG_CORE_TABLE_CHUNK_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/table/plan.h"
#include "core/table/snapshot.h"
#include "core/table/table.h"

struct vg_walk_part {
    const struct vg_chunk *chunk;
    uint32_t rows; /* visible ones */
    bool is_tail;  /* its zones must not be read */
    int64_t order; /* for the caller; 0 */
};

/* What a walk came across. */
struct vg_walk_counts {
    uint64_t chunks_skipped; /* zones and dictionaries tell that no row is wanted */
    uint64_t chunks_whole;   /* they tell that every row is that is not dead */
    uint64_t chunks_looked;  /* the others */
    uint64_t rows_looked;    /* rows of blocks of the latter */
};

struct vg_chunk_walk {
    /* Set by the caller before the walk begins. */
    const struct vg_snapshot *snapshot;
    struct vg_plan_run records; /* `check` is asked at every chunk as well */

    struct vg_plan_node *plan;
    struct vg_walk_part *parts; /* the tail last; the caller may put them in another order */
    uint32_t part_count;

    /* Of the part entered last. */
    const struct vg_walk_part *part;
    bool has_dead;
    uint64_t dead[VG_TABLE_CHUNK_ROWS_MAX / 64];

    struct vg_walk_counts counts;
};

/*
 * Check `where`, plan it and collect the chunks of `kind`. Memory comes from `arena`.
 *
 * Fails with: RESOURCE_LIMIT for a predicate past its limits; INTERNAL when it does not fit the
 * schema or a reader is missing; REQUEST_MEMORY when the arena is full; SNAPSHOT_EXPIRED or
 * STORE_UNAVAILABLE when the snapshot has ended.
 */
VG_MUST_USE enum vg_reason vg_chunk_walk_begin(
    struct vg_chunk_walk *walk,
    uint32_t kind,
    const struct vg_predicate *where,
    struct vg_arena *arena,
    struct vg_error *error);

/*
 * Go to `part`, one of the walk's. *out_look is false when it holds no row that is wanted.
 *
 * Fails with: SNAPSHOT_EXPIRED or STORE_UNAVAILABLE when the snapshot has ended; what `check`
 * returned.
 */
VG_MUST_USE enum vg_reason vg_chunk_walk_enter(
    struct vg_chunk_walk *walk,
    const struct vg_walk_part *part,
    bool *out_look,
    struct vg_error *error);

/* Blocks of the part entered last. */
static inline uint32_t vg_chunk_walk_blocks(const struct vg_chunk_walk *walk)
{
    return (walk->part->rows + VG_PLAN_BLOCK_ROWS - 1) / VG_PLAN_BLOCK_ROWS;
}

/* Block `number` of the part entered last. */
struct vg_plan_block vg_chunk_walk_block(struct vg_chunk_walk *walk, uint32_t number);

/*
 * Leave in `rows`, VG_PLAN_BLOCK_WORDS words with a bit for some rows of `block`, those that are
 * wanted and alive.
 *
 * Fails with: as vg_chunk_walk_read.
 */
VG_MUST_USE enum vg_reason vg_chunk_walk_narrow(
    struct vg_chunk_walk *walk,
    const struct vg_plan_block *block,
    uint64_t *rows);

/*
 * The rows of block `number` that are wanted and alive: VG_PLAN_BLOCK_WORDS words, of which only
 * those that hold rows are written.
 *
 * Fails with: what the reader, a vg_predicate_confirm and `check` returned.
 */
VG_MUST_USE enum vg_reason vg_chunk_walk_read(
    struct vg_chunk_walk *walk,
    uint32_t number,
    struct vg_plan_block *out_block,
    uint64_t *out_found);

#endif
