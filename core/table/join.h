/*
 * Join: which ids of one kind of records are named by those of another that a predicate wants
 * (docs/table.md, "Joins"). Samples are searched for by their submissions so:
 *
 *     vg_join_mark over submissions, once for each question      → ids with marks
 *     vg_search_run over samples with vg_predicate_marked         → samples
 *
 * Both on one snapshot, so that they agree. Who may see what is part of the predicate of the first
 * pass, as everywhere.
 *
 * Threads: any; the marks belong to the search.
 */
#ifndef VG_CORE_TABLE_JOIN_H
#define VG_CORE_TABLE_JOIN_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/table/id_marks.h"
#include "core/table/predicate.h"
#include "core/table/snapshot.h"

struct vg_join {
    const struct vg_snapshot *snapshot;
    uint32_t kind;           /* of the records that name others */
    uint32_t column;         /* FIXED: the id they name */
    struct vg_id_marks *ids; /* filled */
    /* As in struct vg_search. */
    const struct vg_record_reader *reader;
    enum vg_reason (*check)(void *owner, struct vg_error *error);
    void *owner;
};

/*
 * Give `mark` to every id named by a record that `where` wants. `arena` is needed meanwhile only.
 *
 * Fails with: RESULTSET_TOO_LARGE past the ids the set may have; RESOURCE_LIMIT without memory, or
 * for a predicate past its limits; and otherwise as vg_search_run.
 */
VG_MUST_USE enum vg_reason vg_join_mark(
    const struct vg_join *join,
    const struct vg_predicate *where,
    uint32_t mark,
    struct vg_arena *arena,
    struct vg_error *error);

#endif
