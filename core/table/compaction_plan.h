/*
 * Compaction plan: which chunks are worth rewriting together. A pure function of what is known
 * about each sealed chunk, so that the rule can be tested by itself.
 *
 * In this order:
 *   dead     a chunk with a quarter of its rows dead, with those beside it that are dead or small
 *   small    chunks beside each other in time that are at most half full
 *   wide     chunks whose times overlap: rewritten in order of time they no longer do
 *
 * Each choice leaves fewer dead rows, fewer chunks or narrower ones, so repeated choices end.
 *
 * Threads: pure functions.
 */
#ifndef VG_CORE_TABLE_COMPACTION_PLAN_H
#define VG_CORE_TABLE_COMPACTION_PLAN_H

#include <stdint.h>

/* Chunks rewritten together at most. */
#define VG_COMPACTION_CHUNKS_MAX 4u

/* A chunk is worth rewriting from one settled death in so many rows on. */
#define VG_COMPACTION_DEAD_ONE_IN 4u

/* Of a table with more chunks, only the widest are asked whom they overlap. */
#define VG_COMPACTION_ANCHORS_MAX 64u

struct vg_compaction_candidate {
    uint32_t index; /* the caller's */
    uint32_t rows;
    uint32_t settled; /* deaths every reader sees */
    uint32_t dead;    /* all deaths */
    int64_t min;      /* times; both 0 when there is none */
    int64_t max;
};

/*
 * Choose among `candidates`, which are put into order of time. Returns how many were chosen, 0 when
 * nothing is worth it; out_chosen gets their `index`.
 */
uint32_t vg_compaction_plan_choose(
    struct vg_compaction_candidate *candidates,
    uint32_t count,
    uint32_t chunk_rows,
    uint32_t out_chosen[VG_COMPACTION_CHUNKS_MAX]);

#endif
