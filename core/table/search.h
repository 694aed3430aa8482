/*
 * Search: rows of one snapshot that a predicate wants, sorted, a page of them, and the exact count
 * of all.
 *
 * Rows with equal sort values come in the order of their id columns, in the direction of the last
 * sort key given, so the order is total and a page is the same every time it is asked on one
 * snapshot.
 *
 * Threads: any; several searches may run on one snapshot at a time.
 */
#ifndef VG_CORE_TABLE_SEARCH_H
#define VG_CORE_TABLE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/table/predicate.h"
#include "core/table/snapshot.h"

#define VG_SEARCH_SORT_KEYS_MAX 8u

/* Column to sort by: any kind but the lists and NETWORK. Absent values come before all others
 * (ascending). Texts and fixed values compare byte for byte, subject sets number by number; texts
 * past the dictionary's limit come behind the others, in no meaningful order. */
struct vg_sort_key {
    uint32_t column;
    bool descending;
};

/* One question about a column, as it was evaluated. */
struct vg_search_leaf {
    const char *column;              /* of the schema */
    enum vg_predicate_kind question; /* vg_predicate_kind_name says it in words */
    uint32_t value_count;            /* of a question that names values; else 0 */
    bool is_negated;                 /* below an odd number of NOTs */
    uint64_t rows_in;                /* asked about */
    uint64_t rows_out;               /* answered with yes */
    uint64_t spent_ns;
};

/*
 * What a search did. Counts and times are added to what is there; the leaves are those of the last
 * search, in the order they were asked. Zones and dictionaries that decide for a whole chunk ask no
 * leaf.
 */
struct vg_search_explanation {
    const struct vg_clock *clock; /* set by the caller; times are taken from it */
    uint64_t chunks;
    uint64_t chunks_skipped; /* zones, dictionaries or the page rule all rows out */
    uint64_t chunks_whole;   /* zones tell that all rows match that are not dead */
    uint64_t chunks_looked;  /* the others */
    uint64_t rows_looked;    /* in those */
    uint64_t rows_matched;
    uint64_t rows_offered;      /* to the page */
    uint64_t records_confirmed; /* read to decide on words */
    uint64_t plan_ns;
    uint64_t evaluate_ns;
    uint64_t page_ns;  /* put in order and taken */
    uint64_t fetch_ns; /* records of the page, by whoever reads them */
    uint64_t records_fetched;
    const struct vg_search_leaf *leaves; /* in the search's arena */
    uint32_t leaf_count;
};

struct vg_search {
    uint32_t kind;                    /* index of the schema */
    const struct vg_predicate *where; /* access included */
    const struct vg_sort_key *sort;
    uint32_t sort_count;
    uint32_t limit; /* rows wanted; 0 = only the count */
    uint64_t offset;
    const struct vg_hit *after; /* NULL, or a hit of this snapshot: only rows that sort behind it
                                   are returned (all that match are counted) */
    bool uncounted; /* match_count is not needed: what cannot be on the page is not looked at */
    struct vg_search_explanation *explain; /* NULL = nobody asks */
    /* Needed when vg_predicate_reads_records(where); else NULL. */
    const struct vg_record_reader *reader;
    /* Asked once per chunk, and while records are read; anything but VG_OK (CANCELLED,
     * DEADLINE_EXCEEDED) ends the search with that reason. NULL = never. */
    enum vg_reason (*check)(void *owner, struct vg_error *error);
    void *owner;
};

struct vg_search_result {
    struct vg_hit *hits; /* in the arena */
    uint32_t hit_count;
    uint64_t match_count; /* rows that match, page or not; without a meaning when uncounted */
};

/*
 * Run `search`. Memory comes from `arena`.
 *
 * Fails with: RESULTSET_TOO_LARGE when offset + limit passes VG_LIMIT_SEARCH_ROWS; RESOURCE_LIMIT
 * for a predicate past its limits; REQUEST_MEMORY when the arena is full; SNAPSHOT_EXPIRED or
 * STORE_UNAVAILABLE when the snapshot has ended; INTERNAL when predicate or sort key do not fit the
 * schema, or a reader is missing; what `check`, the reader and a vg_predicate_confirm returned.
 */
VG_MUST_USE enum vg_reason vg_search_run(
    const struct vg_snapshot *snapshot,
    const struct vg_search *search,
    struct vg_arena *arena,
    struct vg_search_result *out_result,
    struct vg_error *error);

/*
 * Read one column of a hit. Pointers in the value stay valid while the snapshot is held. A subject
 * set's or IPv6 value needs no arena; nothing is allocated.
 */
void vg_hit_read(const struct vg_hit *hit, uint32_t column, struct vg_value *out_value);

#endif
