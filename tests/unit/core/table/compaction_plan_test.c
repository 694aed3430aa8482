/* Which chunks a compaction chooses, and that choosing comes to an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/table/compaction_plan.h"

#define CHUNK_ROWS 100u
#define MANY       40u

static uint32_t choose(
    const struct vg_compaction_candidate *candidates,
    uint32_t count,
    bool out_is_chosen[MANY])
{
    struct vg_compaction_candidate copy[MANY];
    uint32_t chosen[VG_COMPACTION_CHUNKS_MAX];
    memcpy(copy, candidates, count * sizeof(copy[0]));
    uint32_t found = vg_compaction_plan_choose(copy, count, CHUNK_ROWS, chosen);
    memset(out_is_chosen, 0, MANY * sizeof(out_is_chosen[0]));
    for (uint32_t i = 0; i < found; i++) {
        assert_true(chosen[i] < count && !out_is_chosen[chosen[i]]);
        out_is_chosen[chosen[i]] = true;
    }
    return found;
}

/* Full chunks, one after the other in time. */
static void fill(struct vg_compaction_candidate *candidates, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        candidates[i] = (struct vg_compaction_candidate){
            .index = i,
            .rows = CHUNK_ROWS,
            .min = (int64_t)i * 1000,
            .max = (int64_t)i * 1000 + 999,
        };
    }
}

static void test_compaction_plan__leaves_alone_what_is_in_order(void **state)
{
    (void)state;
    struct vg_compaction_candidate candidates[MANY];
    bool chosen[MANY];
    fill(candidates, MANY);
    assert_int_equal(choose(candidates, 0, chosen), 0);
    assert_int_equal(choose(candidates, MANY, chosen), 0);
}

static void test_compaction_plan__takes_chunks_from_a_quarter_dead_on(void **state)
{
    (void)state;
    struct vg_compaction_candidate candidates[8];
    bool chosen[MANY];
    fill(candidates, 8);
    candidates[3].dead = CHUNK_ROWS; /* those that are not settled some reader still sees */
    candidates[3].rows = 4 * CHUNK_ROWS;
    candidates[3].settled = CHUNK_ROWS - 1;
    assert_int_equal(choose(candidates, 8, chosen), 0);
    candidates[3].settled = CHUNK_ROWS;
    assert_int_equal(choose(candidates, 8, chosen), 1);
    assert_true(chosen[3]);
    /* With those beside it that are worth it too, four at most. */
    for (uint32_t i = 1; i < 7; i++) {
        candidates[i].settled = CHUNK_ROWS;
        candidates[i].dead = CHUNK_ROWS;
        candidates[i].rows = 2 * CHUNK_ROWS;
    }
    assert_int_equal(choose(candidates, 8, chosen), VG_COMPACTION_CHUNKS_MAX);
    assert_false(chosen[0] || chosen[7]);
}

static void test_compaction_plan__merges_small_neighbours(void **state)
{
    (void)state;
    struct vg_compaction_candidate candidates[8];
    bool chosen[MANY];
    fill(candidates, 8);
    candidates[2].rows = CHUNK_ROWS / 2;
    candidates[4].rows = CHUNK_ROWS / 2;
    assert_int_equal(choose(candidates, 8, chosen), 0); /* not beside each other */
    candidates[3].rows = CHUNK_ROWS / 2 + 1;
    assert_int_equal(choose(candidates, 8, chosen), 0); /* more than half full */
    candidates[3].rows = CHUNK_ROWS / 2;
    assert_int_equal(choose(candidates, 8, chosen), 3);
    assert_true(chosen[2] && chosen[3] && chosen[4]);
    candidates[3].rows = CHUNK_ROWS; /* what lies over others does not part them */
    candidates[3].max = 7999;
    assert_int_equal(choose(candidates, 8, chosen), 2);
    assert_true(chosen[2] && chosen[4]);
}

static void test_compaction_plan__takes_chunks_that_overlap(void **state)
{
    (void)state;
    struct vg_compaction_candidate candidates[8];
    bool chosen[MANY];
    fill(candidates, 8);
    candidates[5].min = 0; /* one wide chunk over narrow ones: not yet */
    candidates[5].max = 7999;
    assert_int_equal(choose(candidates, 8, chosen), 0);
    candidates[6].min = 0;
    candidates[6].max = 7999;
    assert_true(choose(candidates, 8, chosen) >= 2);
    assert_true(chosen[5] && chosen[6]);
}

static void test_compaction_plan__times_at_the_ends_of_the_range_are_only_wide(void **state)
{
    (void)state;
    struct vg_compaction_candidate candidates[4];
    bool chosen[MANY];
    fill(candidates, 4);
    for (uint32_t i = 0; i < 4; i++) {
        candidates[i].min = INT64_MIN;
        candidates[i].max = INT64_MAX;
    }
    assert_int_equal(choose(candidates, 4, chosen), 4);
    for (uint32_t i = 0; i < 4; i++) {
        candidates[i].min = INT64_MAX; /* all rows at one time: nothing gets narrower */
    }
    assert_int_equal(choose(candidates, 4, chosen), 0);
}

/* Rewriting as told, with rows spread evenly over a chunk's times, comes to an end, and then hardly
 * any chunk overlaps another. */
static void test_compaction_plan__comes_to_an_end(void **state)
{
    (void)state;
    struct vg_compaction_candidate candidates[MANY];
    bool chosen[MANY];
    fill(candidates, MANY);
    for (uint32_t i = 20; i < MANY; i++) {
        candidates[i].min = (int64_t)(i % 4) * 100;
        candidates[i].max = 20000 - (int64_t)(i % 3) * 100;
    }
    uint32_t jobs = 0;
    for (uint32_t found = choose(candidates, MANY, chosen); found > 0;
         found = choose(candidates, MANY, chosen)) {
        int64_t min = INT64_MAX;
        int64_t max = INT64_MIN;
        for (uint32_t i = 0; i < MANY; i++) {
            if (chosen[i]) {
                min = candidates[i].min < min ? candidates[i].min : min;
                max = candidates[i].max > max ? candidates[i].max : max;
            }
        }
        uint32_t part = 0;
        for (uint32_t i = 0; i < MANY; i++) {
            if (chosen[i]) {
                candidates[i].min = min + (max - min) * part / found;
                candidates[i].max = min + (max - min) * (part + 1) / found;
                part++;
            }
        }
        jobs++;
        assert_true(jobs < 1000);
    }
    int64_t widths = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        widths += candidates[i].max - candidates[i].min;
    }
    assert_true(widths < 4 * INT64_C(20000)); /* of 420,000 before */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compaction_plan__leaves_alone_what_is_in_order),
        cmocka_unit_test(test_compaction_plan__takes_chunks_from_a_quarter_dead_on),
        cmocka_unit_test(test_compaction_plan__merges_small_neighbours),
        cmocka_unit_test(test_compaction_plan__takes_chunks_that_overlap),
        cmocka_unit_test(test_compaction_plan__times_at_the_ends_of_the_range_are_only_wide),
        cmocka_unit_test(test_compaction_plan__comes_to_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
