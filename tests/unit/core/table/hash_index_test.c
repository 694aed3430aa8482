/* Hash lists turned over: asked beside the pairs they were made from, and never believed when
 * damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/table/hash_index.h"

#define ROWS_MAX  65536u
#define WORDS_MAX (ROWS_MAX / 64)

static uint64_t next_random(uint64_t *state)
{
    uint64_t mixed = (*state += UINT64_C(0x9E3779B97F4A7C15));
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

/* A made index with what it was made from. */
struct made {
    uint32_t rows;
    struct vg_hash_pairs asked; /* in the order in which they came */
    uint64_t *block;
    uint32_t words;
    struct vg_hash_index index;
};

static void make(struct made *made, const struct vg_hash_pairs *pairs, uint32_t rows)
{
    struct vg_hash_pairs taken;
    made->rows = rows;
    assert_true(vg_hash_pairs_init(&made->asked, pairs->count));
    assert_true(vg_hash_pairs_init(&taken, pairs->count));
    for (uint32_t i = 0; i < pairs->count; i++) {
        vg_hash_pairs_add(&made->asked, pairs->hashes[i], pairs->rows[i]);
        vg_hash_pairs_add(&taken, pairs->hashes[i], pairs->rows[i]);
    }
    made->block = vg_hash_index_make(&taken, rows, &made->words);
    assert_non_null(made->block);
    vg_hash_pairs_dispose(&taken);
    assert_true(vg_hash_index_open(made->block, made->words, rows, &made->index));
}

static void drop(struct made *made)
{
    vg_hash_pairs_dispose(&made->asked);
    free(made->block);
}

static void check_hash(const struct made *made, uint64_t hash)
{
    static uint64_t expected[WORDS_MAX];
    static uint64_t marked[WORDS_MAX];
    static uint16_t rows[ROWS_MAX];
    uint32_t count = 0;
    memset(expected, 0, sizeof(expected));
    memset(marked, 0, sizeof(marked));
    for (uint32_t i = 0; i < made->asked.count; i++) {
        if (made->asked.hashes[i] == hash) {
            uint32_t row = made->asked.rows[i];
            count += (expected[row / 64] >> row % 64 & 1) == 0;
            expected[row / 64] |= UINT64_C(1) << row % 64;
        }
    }
    uint32_t number = vg_hash_index_find(&made->index, hash);
    if (count == 0) {
        assert_int_equal(number, VG_HASH_INDEX_NONE);
        return;
    }
    assert_int_not_equal(number, VG_HASH_INDEX_NONE);
    assert_int_equal(vg_hash_index_count(&made->index, number), count);
    for (uint32_t first = 0; first < made->rows; first += 128) {
        uint32_t part = made->rows - first < 128 ? made->rows - first : 128;
        vg_hash_index_mark(&made->index, number, first, part, &marked[first / 64]);
    }
    assert_memory_equal(marked, expected, sizeof(marked));
    assert_int_equal(vg_hash_index_rows(&made->index, number, rows), count);
    for (uint32_t i = 0; i < count; i++) {
        assert_true((expected[rows[i] / 64] >> rows[i] % 64 & 1) != 0);
        assert_true(i == 0 || rows[i] > rows[i - 1]);
    }
}

static void check_any(const struct made *made)
{
    static uint64_t any[WORDS_MAX];
    memset(any, 0, sizeof(any));
    for (uint32_t i = 0; i < made->asked.count; i++) {
        any[made->asked.rows[i] / 64] |= UINT64_C(1) << made->asked.rows[i] % 64;
    }
    assert_memory_equal(any, vg_hash_index_any(&made->index), (made->rows + 63) / 64 * 8);
}

/* Hashes that one row, some rows and most rows have; some pairs twice. */
static void test_hash_index__answers_what_the_lists_say(void **state)
{
    (void)state;
    static const uint32_t sizes[] = { 1, 3, 63, 64, 65, 1000, 4097, ROWS_MAX };
    uint64_t random = 1;
    for (size_t size = 0; size < sizeof(sizes) / sizeof(sizes[0]); size++) {
        struct vg_hash_pairs pairs;
        struct made made;
        uint32_t rows = sizes[size];
        assert_true(vg_hash_pairs_init(&pairs, 0));
        assert_true(vg_hash_pairs_reserve(&pairs, rows * 4));
        for (uint32_t i = 0; i < rows * 4; i++) {
            uint64_t few = next_random(&random) % 40;
            uint64_t word = i % 4 == 0 ? few * few / 40 : i % 4 == 1 ? 1000 : 2000 + i;
            uint32_t row = i % 4 == 1 ? i / 4 : (uint32_t)(next_random(&random) % rows);
            vg_hash_pairs_add(&pairs, next_random(&word), (uint16_t)row);
        }
        make(&made, &pairs, rows);
        check_any(&made);
        for (uint32_t i = 0; i < pairs.count; i += 1 + pairs.count / 50) {
            check_hash(&made, pairs.hashes[i]);
            check_hash(&made, pairs.hashes[i] + 1);
        }
        vg_hash_pairs_dispose(&pairs);
        drop(&made);
    }
}

static void test_hash_index__hashes_that_begin_alike_are_told_apart(void **state)
{
    (void)state;
    struct vg_hash_pairs pairs;
    struct made made;
    assert_true(vg_hash_pairs_init(&pairs, 300));
    for (uint32_t i = 0; i < 300; i++) {
        vg_hash_pairs_add(&pairs, UINT64_C(0x1234567800000000) + (i * 7) % 11, (uint16_t)(299 - i));
    }
    make(&made, &pairs, 300);
    for (uint32_t i = 0; i < 12; i++) {
        check_hash(&made, UINT64_C(0x1234567800000000) + i);
    }
    vg_hash_pairs_dispose(&pairs);
    drop(&made);
}

/* Rows that come in falling order, as compaction brings them, some twice; one hash, or two that
 * begin alike: runs around the length from which they are sorted otherwise. */
static void test_hash_index__runs_of_every_length(void **state)
{
    (void)state;
    for (uint32_t length = 1; length < 80; length++) {
        for (uint32_t alike = 1; alike <= 2; alike++) {
            struct vg_hash_pairs pairs;
            struct made made;
            assert_true(vg_hash_pairs_init(&pairs, length + 2));
            vg_hash_pairs_add(&pairs, UINT64_C(0x1111111100000000), 65535);
            for (uint32_t i = 0; i < length; i++) {
                uint32_t row = 65000 - (i - (i % 5 == 4)) * 700;
                vg_hash_pairs_add(&pairs, UINT64_C(0x7777777700000000) + i % alike, (uint16_t)row);
            }
            vg_hash_pairs_add(&pairs, UINT64_C(0xEEEEEEEE00000000), 0);
            make(&made, &pairs, ROWS_MAX);
            check_any(&made);
            for (uint32_t i = 0; i < pairs.count; i++) {
                check_hash(&made, pairs.hashes[i]);
            }
            vg_hash_pairs_dispose(&pairs);
            drop(&made);
        }
    }
}

static void test_hash_index__may_be_empty(void **state)
{
    (void)state;
    struct vg_hash_pairs pairs;
    struct made made;
    assert_true(vg_hash_pairs_init(&pairs, 0));
    make(&made, &pairs, 100);
    check_hash(&made, 0);
    check_any(&made);
    vg_hash_pairs_dispose(&pairs);
    drop(&made);
}

/* Whatever is changed in a block: it is refused, or answers within its rows. */
static void test_hash_index__a_damaged_block_is_harmless(void **state)
{
    (void)state;
    struct vg_hash_pairs pairs;
    struct made made;
    uint64_t random = 5;
    assert_true(vg_hash_pairs_init(&pairs, 700));
    for (uint32_t i = 0; i < 700; i++) {
        uint64_t word = i % 3 == 0 ? 1 : i % 3 == 1 ? i % 30 : 1000 + i;
        uint64_t hash = next_random(&word);
        vg_hash_pairs_add(&pairs, hash, (uint16_t)(next_random(&random) % 200));
    }
    make(&made, &pairs, 200);
    assert_false(vg_hash_index_open(made.block, made.words - 1, 200, &made.index));
    assert_false(vg_hash_index_open(made.block, 1, 200, &made.index));
    assert_false(vg_hash_index_open(made.block, made.words, 199, &made.index));
    uint32_t refused = 0;
    for (uint32_t round = 0; round < 3000; round++) {
        uint64_t *copy = malloc(made.words * sizeof(*copy)); /* exact: an overrun is seen */
        struct vg_hash_index index;
        assert_non_null(copy);
        memcpy(copy, made.block, made.words * sizeof(*copy));
        copy[next_random(&random) % made.words] ^= UINT64_C(1) << next_random(&random) % 64;
        if (!vg_hash_index_open(copy, made.words, 200, &index)) {
            refused++;
        }
        free(copy);
    }
    assert_true(refused > 100);
    vg_hash_pairs_dispose(&pairs);
    drop(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_index__answers_what_the_lists_say),
        cmocka_unit_test(test_hash_index__hashes_that_begin_alike_are_told_apart),
        cmocka_unit_test(test_hash_index__runs_of_every_length),
        cmocka_unit_test(test_hash_index__may_be_empty),
        cmocka_unit_test(test_hash_index__a_damaged_block_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
