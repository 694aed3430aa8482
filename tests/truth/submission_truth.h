/*
 * Criteria of searches for submissions: made at random, and evaluated one submission at a time by
 * the rules of sampledb-api.md 4; nothing is shared with the way through predicates and columns.
 *
 * Threads: the caller's.
 */
#ifndef VG_TESTS_TRUTH_SUBMISSION_TRUTH_H
#define VG_TESTS_TRUTH_SUBMISSION_TRUTH_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/samples/submission_criteria.h"
#include "tests/truth/submission_world.h"
#include "tests/truth/truth_random.h"

/* Keywords that criteria look for, and what folding makes of them. */
#define SUBMISSION_NEEDLES 20u
extern const struct submission_text submission_needles[SUBMISSION_NEEDLES];

/* Criteria in the world's arena, of words, ids and times the world has and some it has not. */
struct vg_submission_criteria *submission_truth_make(
    struct submission_world *world,
    struct truth_random *random);

/* Does the submission match? Whether the caller sees it is not asked here. */
bool submission_truth_matches(
    struct vg_arena *arena,
    const struct vg_submission_criteria *criteria,
    const struct plain_submission *plain);

#endif
