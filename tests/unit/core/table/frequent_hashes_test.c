/* Frequent hashes: what is taken out of pairs as bitmaps and what is left are together what there
 * was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/table/frequent_hashes.h"

#define ROWS  6400u
#define LEAST 400u

/* One of a few hashes; they fall as their numbers rise. */
#define HASHES 10u
static uint64_t hash_of(uint32_t number)
{
    return UINT64_C(0x9E3779B97F4A7C15) * (HASHES - number);
}

struct seen {
    bool has[HASHES][ROWS];
};

static void note(struct seen *seen, uint64_t hash, uint32_t row)
{
    for (uint32_t number = 0; number < HASHES; number++) {
        if (hash == hash_of(number)) {
            seen->has[number][row] = true;
            return;
        }
    }
    fail();
}

/* Take the frequent ones out of `pairs`; compares all there is before and after. */
static void take(struct vg_frequent_hashes *frequent, struct vg_hash_pairs *pairs)
{
    static struct seen before;
    static struct seen after;
    memset(&before, 0, sizeof(before));
    memset(&after, 0, sizeof(after));
    for (uint32_t i = 0; i < pairs->count; i++) {
        note(&before, pairs->hashes[i], pairs->rows[i]);
    }
    assert_true(vg_frequent_hashes_take(frequent, pairs, ROWS, LEAST));
    for (uint32_t i = 0; i < pairs->count; i++) {
        note(&after, pairs->hashes[i], pairs->rows[i]);
    }
    for (uint32_t number = 0; number < frequent->count; number++) {
        const uint64_t *bitmap = vg_frequent_hashes_bitmap(frequent, number);
        assert_true(number == 0 || frequent->hashes[number] > frequent->hashes[number - 1]);
        for (uint32_t i = 0; i < pairs->count; i++) {
            assert_true(pairs->hashes[i] != frequent->hashes[number]);
        }
        for (uint32_t row = 0; row < ROWS; row++) {
            if ((bitmap[row / 64] >> row % 64 & 1) != 0) {
                note(&after, frequent->hashes[number], row);
            }
        }
    }
    assert_memory_equal(&after, &before, sizeof(after));
}

static void test_frequent_hashes__are_those_of_many_rows(void **state)
{
    (void)state;
    struct vg_hash_pairs pairs;
    struct vg_frequent_hashes frequent;
    assert_true(vg_hash_pairs_init(&pairs, 3 * ROWS));
    for (uint32_t row = 0; row < ROWS; row++) {
        vg_hash_pairs_add(&pairs, hash_of(0), (uint16_t)row);
        if (row % 16 == 0) { /* as many rows as it must have */
            vg_hash_pairs_add(&pairs, hash_of(1), (uint16_t)row);
        }
        if (row % 16 == 1 && row > 16) { /* and one fewer */
            vg_hash_pairs_add(&pairs, hash_of(2), (uint16_t)row);
        }
        if (row % 900 == 0) {
            vg_hash_pairs_add(&pairs, hash_of(3), (uint16_t)row);
        }
    }
    take(&frequent, &pairs);
    assert_int_equal(frequent.count, 2);
    assert_true(frequent.hashes[0] == hash_of(1) || frequent.hashes[1] == hash_of(1));
    assert_true(frequent.hashes[0] == hash_of(0) || frequent.hashes[1] == hash_of(0));
    vg_frequent_hashes_dispose(&frequent);
    vg_hash_pairs_dispose(&pairs);
}

static void test_frequent_hashes__repetitions_are_no_more_rows(void **state)
{
    (void)state;
    struct vg_hash_pairs pairs;
    struct vg_frequent_hashes frequent;
    assert_true(vg_hash_pairs_init(&pairs, 2 * ROWS));
    for (uint32_t i = 0; i < 2 * ROWS; i++) {
        vg_hash_pairs_add(&pairs, hash_of(4), (uint16_t)(i % (LEAST - 1)));
    }
    take(&frequent, &pairs);
    assert_int_equal(frequent.count, 0);
    assert_int_equal(pairs.count, LEAST - 1);
    vg_frequent_hashes_dispose(&frequent);
    vg_hash_pairs_dispose(&pairs);
}

static void test_frequent_hashes__few_pairs_stay_as_they_are(void **state)
{
    (void)state;
    static const uint32_t counts[] = { 0, 1, 64, 2047, 2048 };
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct vg_hash_pairs pairs;
        struct vg_frequent_hashes frequent;
        assert_true(vg_hash_pairs_init(&pairs, counts[i]));
        for (uint32_t row = 0; row < counts[i]; row++) {
            vg_hash_pairs_add(&pairs, hash_of(row % 2), (uint16_t)row);
        }
        take(&frequent, &pairs);
        assert_int_equal(frequent.count, counts[i] < 2048 ? 0 : 2);
        vg_frequent_hashes_dispose(&frequent);
        vg_hash_pairs_dispose(&pairs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frequent_hashes__are_those_of_many_rows),
        cmocka_unit_test(test_frequent_hashes__repetitions_are_no_more_rows),
        cmocka_unit_test(test_frequent_hashes__few_pairs_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
