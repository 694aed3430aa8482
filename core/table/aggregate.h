/*
 * Aggregate: rows of one snapshot that a predicate wants, counted in groups, nested groups and
 * spans of time, in one pass over the columns.
 *
 * Groups come as a tree of levels: a group of level 0 holds one value of the first column, its
 * children one value of the second, and so on. Counts of a level do not follow from those of the
 * next: a row without a value is in the group of the absent value, a row with several (a list
 * column) in several groups, but only once in their parent.
 *
 * Threads: any; several may run on one snapshot at a time.
 */
#ifndef VG_CORE_TABLE_AGGREGATE_H
#define VG_CORE_TABLE_AGGREGATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/table/predicate.h"
#include "core/table/search.h"
#include "core/table/snapshot.h"

#define VG_AGGREGATE_LEVELS_MAX    16u
#define VG_AGGREGATE_TIMELINES_MAX 16u
#define VG_AGGREGATE_EXTREMES_MAX  16u

/* Of one answer, all levels together; and spans of all timelines of all leaves together. */
#define VG_AGGREGATE_GROUPS_MAX 100000u
#define VG_AGGREGATE_CELLS_MAX  1000000u

/* No column: no sum, or no end of an interval. */
#define VG_AGGREGATE_NO_COLUMN UINT32_MAX

/* A row is counted in the span that holds its time, or in every span that the interval of its two
 * times touches: the end is part of it, and an interval that ends in a span before the one it
 * begins in touches none. Times outside all spans are not counted; neither are rows of which a time
 * is absent. */
struct vg_aggregate_timeline {
    uint32_t column;       /* TIME */
    uint32_t end_column;   /* TIME, the end of the interval; VG_AGGREGATE_NO_COLUMN = a moment */
    const vg_time *bounds; /* rising; span i is bounds[i] <= time < bounds[i + 1] */
    uint32_t span_count;   /* one less than there are bounds */
};

struct vg_aggregate {
    uint32_t kind;                    /* index of the schema */
    const struct vg_predicate *where; /* access included */
    const uint32_t *columns;          /* of the levels: any kind but FLAGS, HASHES and TOKENS */
    uint32_t column_count;            /* 0 = no groups: only the root */
    /* NULL, or one for each level: of a level of TEXTS only the elements that begin with it are
     * there. */
    const struct vg_bytes *prefixes;
    uint32_t sum_column; /* NUMBER to add up (absent = 0), or VG_AGGREGATE_NO_COLUMN */
    const struct vg_aggregate_timeline *timelines; /* counted for every leaf */
    uint32_t timeline_count;
    /* With columns: leave the timelines out unless groups and spans are so few that they cost next
     * to nothing; has_spans of the result says which it was. */
    bool may_skip_spans;
    const uint32_t *extreme_columns; /* TIME, NUMBER: least and greatest are found for every leaf */
    uint32_t extreme_count;
    /* Needed when vg_predicate_reads_records(where); else NULL. */
    const struct vg_record_reader *reader;
    /* Asked once per chunk, and while records are read; anything but VG_OK ends the work with that
     * reason. NULL = never. */
    enum vg_reason (*check)(void *owner, struct vg_error *error);
    void *owner;
};

struct vg_aggregate_cell {
    uint64_t count; /* rows */
    int64_t sum;    /* of sum_column */
};

/* Of the values of a column; both VG_ABSENT when there are none. */
struct vg_aggregate_extremes {
    int64_t min;
    int64_t max;
};

struct vg_aggregate_group {
    uint32_t parent; /* index in the level above; of level 0: 0 */
    /* As the level's column holds it; of NUMBERS one element, as `number` (VG_ABSENT for an empty
     * list); of TEXTS one, as `bytes`. Pointers stay while the snapshot is held. */
    struct vg_value value;
    struct vg_hit example; /* a row of the group, for what only its record tells */
    struct vg_aggregate_cell total;
    const struct vg_aggregate_cell *spans; /* of a leaf: those of all timelines, one behind the
                                              other; NULL without timelines */
    const struct vg_aggregate_extremes *extremes; /* of a leaf; NULL without columns of them */
};

struct vg_aggregate_level {
    const struct vg_aggregate_group
        *groups; /* in no particular order, those of one parent side by side */
    uint32_t group_count;
};

struct vg_aggregate_result {
    struct vg_aggregate_cell total;        /* of all rows that match */
    bool has_spans;                        /* there are timelines, and they were counted */
    const struct vg_aggregate_cell *spans; /* of all rows when there are no columns; else NULL */
    const struct vg_aggregate_extremes *extremes;              /* the same */
    struct vg_aggregate_level levels[VG_AGGREGATE_LEVELS_MAX]; /* column_count of them */
};

/*
 * Run `aggregate`. Memory comes from `arena`.
 *
 * Fails with: RESULTSET_TOO_LARGE past VG_AGGREGATE_GROUPS_MAX or VG_AGGREGATE_CELLS_MAX;
 * RESOURCE_LIMIT for a predicate past its limits, or when a level of TEXTS with a prefix meets a
 * text past the limit of the dictionary; REQUEST_MEMORY when the arena is full;
 * SNAPSHOT_EXPIRED or STORE_UNAVAILABLE when the snapshot has ended; INTERNAL when a column does
 * not fit or a reader is missing; what `check`, the reader and a vg_predicate_confirm returned.
 */
VG_MUST_USE enum vg_reason vg_aggregate_run(
    const struct vg_snapshot *snapshot,
    const struct vg_aggregate *aggregate,
    struct vg_arena *arena,
    struct vg_aggregate_result *out_result,
    struct vg_error *error);

#endif
