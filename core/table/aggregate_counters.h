/*
 * Counters: rows counted by cell, where all levels together have few cells, and by span where a
 * timeline has few of them: a plane of cells for each span, and one for rows in none. Several
 * tables take turns, so that equal cells in a row do not wait for each other. A counter is one
 * word: rows above, the sum of small amounts below, moved to wider cells before either could
 * overflow. Which row is an example of a cell is found out afterwards, once per chunk that brought
 * new cells.
 *
 * Threads: belongs to one aggregation.
 */
#ifndef VG_CORE_TABLE_AGGREGATE_COUNTERS_H
#define VG_CORE_TABLE_AGGREGATE_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/table/aggregate.h"
#include "core/table/aggregate_strip.h"

/* More cells are not worth a table of counters. */
#define VG_COUNTERS_WIDTH_MAX 65536u

/* A word counts 2^24 rows and amounts up to 2^40. */
#define VG_COUNTERS_ROW_SHIFT 40u

struct vg_counter_example {
    uint32_t part; /* number of the chunk, plus 1; 0 = none yet */
    uint32_t position;
    bool is_missing; /* none yet, but the chunk at hand has one */
};

struct vg_counters {
    uint32_t width;  /* cells of a plane */
    uint32_t planes; /* 1, or one for rows in no span and one for each span */
    uint32_t size;   /* of a table: all planes */
    uint32_t tables;
    uint64_t *words;    /* table after table: rows << VG_COUNTERS_ROW_SHIFT, plus amounts */
    uint64_t rows_left; /* that the words still have room for */
    uint64_t amount_left;
    struct vg_aggregate_cell *cells;     /* of all planes: what was moved out of the words */
    struct vg_counter_example *examples; /* of the cells of all planes together */
    uint16_t *unseen;                    /* cells without an example */
    uint32_t unseen_count;
    bool lacks_examples; /* since the last vg_counters_missing */
};

/* Counters of `width` cells in each of `planes`, at most VG_COUNTERS_WIDTH_MAX in all; settled
 * often, they have one table only. False when the arena is full. */
VG_MUST_USE bool vg_counters_init(
    struct vg_counters *counters,
    uint32_t width,
    uint32_t planes,
    bool settles_often,
    struct vg_arena *arena);

/* Count the wanted rows of `strip` in `plane`; `cells` are those of its rows. To count each row in
 * a plane of its own, give plane * width + cell instead, and plane 0. */
void vg_counters_add(
    struct vg_counters *counters,
    const struct vg_strip *strip,
    const uint16_t *cells,
    uint32_t plane);

/* How many cells with rows have no example; rows were added to planes `first` to `last` only since
 * it was asked last. */
uint32_t vg_counters_missing(struct vg_counters *counters, uint32_t first, uint32_t last);

/* Take examples from a strip of the chunk number `part`, which need not have been added as a whole;
 * `cells` without planes. Returns how many were missing. */
uint32_t vg_counters_take_examples(
    struct vg_counters *counters,
    const struct vg_strip *strip,
    const uint16_t *cells,
    uint32_t part);

/* Move all words to the cells, which then are what was counted. */
void vg_counters_settle(struct vg_counters *counters);

#endif
