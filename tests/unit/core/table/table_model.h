/*
 * The model of table-engine.md section 9: a shard (table and store) driven by random steps, and a
 * plain array of records that says what must be seen.
 *
 * Every check that fails ends the run through model_failed: in a child process with _exit, so that
 * a test can show that a broken rule is noticed; else as a failed test.
 *
 * Threads: the test's.
 */
#ifndef VG_TESTS_UNIT_CORE_TABLE_TABLE_MODEL_H
#define VG_TESTS_UNIT_CORE_TABLE_TABLE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/store/store_memory.h"
#include "core/table/update_clock.h"
#include "tests/unit/core/table/power_disk.h"
#include "tests/unit/core/table/table_fixture.h"

#define MODEL_IDS       24u
#define MODEL_KINDS     2u
#define MODEL_SNAPSHOTS 5u

/* Rules of the protocol that bind the caller of the table; broken by the model itself. */
enum model_break {
    MODEL_KEEPS_THE_RULES,
    MODEL_STATE_APART,           /* `state` is not in the batch */
    MODEL_GOES_ON_AFTER_UNKNOWN, /* no restart after a commit of unknown outcome */
    MODEL_READS_LIVE,            /* single reads do not go through the published view */
};

struct model_record {
    bool exists;
    uint64_t seed;
    vg_time updated;
};

/* The plain array, as of one sequence. */
struct model_state {
    struct model_record records[MODEL_KINDS][MODEL_IDS];
    vg_time last_updated;
};

struct model {
    uint64_t random;
    enum model_break broken;
    char path[64];
    struct power_disk disk;
    struct vg_clock_manual clock;
    struct vg_table_config config;
    struct vg_table *table;
    struct vg_store *store;
    struct vg_update_clock update_clock;
    struct model_state *history; /* by sequence */
    uint64_t history_capacity;
    uint64_t sequence;     /* of `state`, as far as the writer knows */
    uint64_t acknowledged; /* newest batch whose callers were answered */
    struct vg_snapshot snapshots[MODEL_SNAPSHOTS];
    struct vg_checkpoint *checkpoint;
    bool checkpoint_ran;
    struct vg_compaction *compactions[MODEL_KINDS];
    bool compaction_ran[MODEL_KINDS];
    bool rebuild_allowed; /* the next start may rebuild */
    struct model_record pulled[MODEL_KINDS][MODEL_IDS];
    vg_time pulled_to[MODEL_KINDS];
    bool inside; /* a step is under way inside another one */
    struct vg_arena arena;
    /* What happened, to see that the run was worth it. */
    uint32_t batches;
    uint32_t restarts;
    uint32_t crashes;
    uint32_t rebuilds;
    uint32_t replayed;
    uint32_t checkpoints;
    uint32_t roll_backs;
    uint32_t installed; /* compactions */
    uint64_t rows_dropped;
};

/* Run `steps` random steps from `seed`. `out_model` may be NULL; it gets the counters. */
void model_run(
    uint64_t seed,
    uint32_t chunk_rows,
    uint32_t steps,
    enum model_break broken,
    struct model *out_counters);

/* Set in a child process that is expected to fail. */
extern bool model_in_child;

_Noreturn void model_failed(const char *what, const char *file, int line);
#define MODEL_CHECK(condition)                                                                     \
    ((condition) ? (void)0 : model_failed(#condition, __FILE__, __LINE__))

/* --- table_model_store.c: the store's side of the shard --- */

struct model_change {
    uint32_t kind;
    uint32_t id;
    bool is_new;
    uint64_t id_hash;
    struct model_record record;
};

/* Commit a batch of changes as `sequence`. */
void model_store_commit(
    struct model *model,
    const struct model_change *changes,
    uint32_t count,
    uint64_t sequence,
    bool with_state);
void model_store_state(struct model *model, uint64_t sequence, vg_time last_updated);

/* Read `state`; zeros in a new store. */
void model_store_read_state(struct model *model, uint64_t *out_sequence, vg_time *out_last_updated);

/* Remove change-log entries up to `sequence`. */
void model_store_trim(struct model *model, uint64_t sequence);

/* Make the store what it was at `sequence`; log entries behind are gone. */
void model_store_roll_back(struct model *model, uint64_t sequence);

/* The record as of `view` (NULL = now). */
struct model_record model_store_get(
    struct model *model,
    struct vg_store_view *view,
    uint32_t kind,
    uint32_t id);

extern const struct vg_table_source model_source; /* to be copied, with the model as owner */

#endif
