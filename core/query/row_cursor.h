/*
 * Row cursor: the rows of a search, a stretch at a time: what events and submissions share of
 * paging. However many rows there are, a cursor holds the places of VG_ROW_CURSOR_ROWS of them; a
 * further pass goes on behind the last row, on the same snapshot. The first pass counts all that
 * match, the others need not.
 *
 * Threads: a cursor belongs to one thread at a time.
 */
#ifndef VG_CORE_QUERY_ROW_CURSOR_H
#define VG_CORE_QUERY_ROW_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/table/search.h"
#include "core/table/snapshot.h"

/* Rows found at a time. */
#define VG_ROW_CURSOR_ROWS 65536u

struct vg_row_page {
    uint64_t limit; /* 0 = all */
    uint64_t offset;
    uint32_t most;      /* limit 0 is for at most so many matches; 0 = any number */
    uint32_t pass_rows; /* 0 = VG_ROW_CURSOR_ROWS; tests take fewer */
};

struct vg_row_cursor {
    uint64_t match_count; /* all matches, exactly */
    /* Private. */
    const struct vg_snapshot *snapshot;
    struct vg_search asked;
    struct vg_arena arena;           /* of the pass */
    struct vg_hit last;              /* of the pass before */
    uint32_t rows_max;               /* of one pass */
    uint64_t skipped;                /* rows still to be passed over */
    uint64_t left;                   /* rows wanted behind those of this pass */
    bool is_last;                    /* no row comes behind this pass */
    const struct vg_hit *first_hits; /* of the first pass, until they are taken */
    uint32_t first_count;
};

/*
 * Can the table be asked what criteria ask? Too many questions are a fault of the request.
 *
 * Fails with: INVALID_FIELD_VALUE; INTERNAL.
 */
VG_MUST_USE enum vg_reason vg_row_cursor_check(
    const struct vg_predicate *where,
    const struct vg_table_schema *schema,
    struct vg_error *error);

/*
 * Run the first pass of `search`, of which limit, offset, after and uncounted are the cursor's.
 * What it points at, and `snapshot`, must stay until the cursor is closed, which on success it must
 * be. Leaves of its explanation are in `arena`.
 *
 * Fails with: RESULTSET_TOO_LARGE when limit 0 finds more than page->most; REQUEST_MEMORY; what
 * vg_search_run fails with.
 */
VG_MUST_USE enum vg_reason vg_row_cursor_open(
    const struct vg_snapshot *snapshot,
    const struct vg_search *search,
    const struct vg_row_page *page,
    struct vg_arena *arena,
    struct vg_row_cursor *out_cursor,
    struct vg_error *error);

/* The next rows, which stay until the next call; none at the end. Fails as vg_search_run does. */
VG_MUST_USE enum vg_reason vg_row_cursor_next(
    struct vg_row_cursor *cursor,
    const struct vg_hit **out_hits,
    uint32_t *out_count,
    struct vg_error *error);

/* Accepts a cursor of zero bytes. */
void vg_row_cursor_close(struct vg_row_cursor *cursor);

#endif
