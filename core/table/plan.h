/*
 * Plan: a predicate made ready for one search: texts and subject sets looked up in the dictionaries
 * once, children in the order of their cost. For each chunk the plan first decides from zone maps
 * and presence what it can; what is left is evaluated in blocks of rows.
 *
 * Threads: belongs to one search.
 */
#ifndef VG_CORE_TABLE_PLAN_H
#define VG_CORE_TABLE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/table/chunk.h"
#include "core/table/column_loops.h"
#include "core/table/fixed_set.h"
#include "core/table/fixed_text.h"
#include "core/table/predicate.h"

/* Rows evaluated at a time: their selections stay in the nearest cache. */
#define VG_PLAN_BLOCK_ROWS  4096u
#define VG_PLAN_BLOCK_WORDS (VG_PLAN_BLOCK_ROWS / 64)

/* What a chunk's zone maps say about a question. */
enum vg_plan_decision { VG_PLAN_LOOK, VG_PLAN_NO_ROW, VG_PLAN_EVERY_ROW };

/*
 * What the evaluation of one search shares beside its plan: where records come from, who may stop
 * it, and how it went. Must stay until the search ends. Only plans that read records
 * (vg_predicate_reads_records) need one; after each block of such a plan `reason` must be looked
 * at.
 */
struct vg_plan_run {
    const struct vg_record_reader *reader;
    enum vg_reason (*check)(void *owner, struct vg_error *error); /* NULL = never asked */
    void *owner;
    struct vg_error *error;
    enum vg_reason reason;        /* VG_OK, or why evaluation was given up: `error` says it too */
    uint64_t confirmed;           /* records asked */
    const struct vg_clock *clock; /* NULL, or leaves count and are timed */
};

/* Of `asked`. */
#define VG_PLAN_SCANNED UINT8_MAX

struct vg_plan_node {
    const struct vg_predicate *question;
    enum vg_column_kind column_kind; /* of question->column */
    uint32_t cost;                   /* about bytes looked at per row */
    uint32_t cost_here;              /* the same for the chunk at hand */
    enum vg_plan_decision decision;  /* for the chunk at hand */
    uint32_t child_count;
    struct vg_plan_node **children; /* cheapest first, for the chunk at hand */
    /* TEXT, SUBJECTS and TEXTS: ids that answer yes. A few are compared, many looked up in a
     * bitmap. */
    uint32_t *ids;
    uint32_t id_count;
    uint64_t *bitmap;
    uint32_t bitmap_bits;
    uint64_t *presence;                     /* the ids, folded as in a zone; NULL = none */
    const struct vg_dictionary *dictionary; /* PREFIX and CONTAINS of texts */
    uint8_t *asked;   /* CONTAINS: how many entries of a block of folded texts were looked at alone;
                         VG_PLAN_SCANNED = all of the block are in the bitmap */
    bool is_complete; /* CONTAINS of a small dictionary: all entries were looked at */
    uint8_t *ready;   /* CONTAINS: words of the bitmap of which all entries were looked at */
    struct vg_fixed_set *fixed;      /* BYTES_IN of FIXED, NULL of one UUID */
    struct vg_fixed_needle *needles; /* CONTAINS of FIXED: those that can be found */
    uint32_t needle_count;
    struct vg_loop_network network; /* NETWORK of IPv4 */
    /* Of a leaf, counted when the run has a clock. */
    uint64_t rows_in;
    uint64_t rows_out;
    uint64_t spent_ns;
};

/*
 * Make the plan of a checked predicate. Must be called inside an epoch (dictionaries are searched).
 * NULL when the arena is full.
 */
struct vg_plan_node *vg_plan_create(
    const struct vg_predicate *predicate,
    const struct vg_table_schema *schema,
    const struct vg_dictionary *dictionaries,
    struct vg_arena *arena);

/* Decide about `chunk` from its zones; for a tail, about what needs no zone. */
enum vg_plan_decision vg_plan_decide(
    struct vg_plan_node *plan,
    const struct vg_chunk *chunk,
    bool is_tail);

/* Rows of a chunk: at most VG_PLAN_BLOCK_ROWS from `first`, a multiple of 64, on. */
struct vg_plan_block {
    const struct vg_chunk *chunk;
    uint32_t first;
    uint32_t count;
    bool is_tail;
    struct vg_plan_run *run; /* NULL for a plan that reads no records */
};

/* Set in `out` the rows of `wanted` that match. vg_plan_decide must have seen the chunk. Once the
 * run has failed no row matches. */
void vg_plan_evaluate(
    struct vg_plan_node *plan,
    const struct vg_plan_block *block,
    const uint64_t *wanted,
    uint64_t *out);

/* Set in `out` the rows of a TIME or NUMBER column with min <= value <= max, whatever the plan. */
void vg_plan_range(
    const struct vg_column_data *data,
    const struct vg_plan_block *block,
    int64_t min,
    int64_t max,
    uint64_t *out);

#endif
