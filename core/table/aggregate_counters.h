/*
 * Counters: rows counted by cell, where all levels together have few cells. Several tables take
 * turns, so that equal cells in a row do not wait for each other. A counter is one word: rows
 * above, the sum of small amounts below, moved to wider cells before either could overflow. Which
 * row is an example of a cell is found out afterwards, once per chunk that brought new cells.
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
};

struct vg_counters {
    uint32_t width;
    uint32_t tables;
    uint64_t *words;    /* table after table: rows << VG_COUNTERS_ROW_SHIFT, plus amounts */
    uint64_t rows_left; /* that the words still have room for */
    uint64_t amount_left;
    struct vg_aggregate_cell *cells; /* what was moved out of the words */
    struct vg_counter_example *examples;
    bool lacks_examples; /* since the last vg_counters_missing */
};

/* Counters of `width` cells; settled often, they have one table only. False when the arena is full.
 */
VG_MUST_USE bool vg_counters_init(
    struct vg_counters *counters,
    uint32_t width,
    bool settles_often,
    struct vg_arena *arena);

/* Count the wanted rows of `strip`, of the chunk number `part`; `cells` are those of its rows. */
void vg_counters_add(
    struct vg_counters *counters,
    const struct vg_strip *strip,
    const uint32_t *cells,
    uint32_t part);

/* How many cells with rows have no example. */
uint32_t vg_counters_missing(struct vg_counters *counters);

/* Take examples from a strip, which need not have been added as a whole; returns how many were
 * missing. */
uint32_t vg_counters_take_examples(
    struct vg_counters *counters,
    const struct vg_strip *strip,
    const uint32_t *cells,
    uint32_t part);

/* Move all words to the cells, which then are what was counted. */
void vg_counters_settle(struct vg_counters *counters);

#endif
