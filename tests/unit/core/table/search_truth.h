/*
 * A table of random rows beside the same rows as plain structs, an evaluator of predicates that
 * shares no code with the table, and random predicates about values that occur.
 *
 * Threads: one test's.
 */
#ifndef VG_TESTS_UNIT_CORE_TABLE_SEARCH_TRUTH_H
#define VG_TESTS_UNIT_CORE_TABLE_SEARCH_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/search.h"
#include "tests/unit/core/table/table_fixture.h"

#define IDS_MAX 700u

struct truth {
    char path[64];
    struct vg_table_config config;
    struct vg_table *table;
    struct fixture_row *rows; /* by id; live when is_live */
    bool is_live[IDS_MAX];
    uint64_t random;
    struct vg_arena arena;
    uint32_t records_read;
};

void truth_setup(struct truth *truth, uint32_t chunk_rows, uint64_t seed);
void truth_teardown(struct truth *truth);

/* Insert, update or delete some random records, 64 at most, in one batch. */
void truth_change(struct truth *truth, uint32_t count);

/* Does the row match, straight from the definitions? */
bool truth_matches(const struct vg_predicate *node, const struct fixture_row *row);

/* A random predicate; in the arena of `truth`. */
const struct vg_predicate *truth_random_tree(struct truth *truth, uint32_t depth);

/* For a struct vg_record_reader whose owner is the truth: the row of a hit, which must be alive. */
enum vg_reason truth_read_record(
    void *owner,
    const struct vg_hit *hit,
    const void **out_record,
    struct vg_error *error);

/* For vg_predicate_tokens: the words asked for are the letters of the text `owner`. */
enum vg_reason truth_confirm_words(
    const void *owner,
    const void *record,
    bool *out_matches,
    struct vg_error *error);

#endif
