/* Randomness: repeatable from a seed, unrepeatable from the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/random.h"

static void test_random__a_seed_repeats_its_sequence_and_seeds_differ(void **state)
{
    (void)state;
    struct vg_random_seeded one;
    struct vg_random_seeded two;
    struct vg_random_seeded other;
    vg_random_seeded_init(&one, 1);
    vg_random_seeded_init(&two, 1);
    vg_random_seeded_init(&other, 2);
    uint64_t first = vg_random_u64(&one.random);
    assert_true(first == vg_random_u64(&two.random));
    assert_false(first == vg_random_u64(&other.random));
    uint8_t a[13];
    uint8_t b[13];
    vg_random_bytes(&one.random, a, sizeof(a));
    vg_random_bytes(&two.random, b, sizeof(b));
    assert_memory_equal(a, b, sizeof(a));
    vg_random_seeded_dispose(&one);
    vg_random_seeded_dispose(&two);
    vg_random_seeded_dispose(&other);
}

static void test_random__below_stays_below_and_reaches_every_number(void **state)
{
    (void)state;
    struct vg_random_seeded seeded;
    vg_random_seeded_init(&seeded, 3);
    unsigned seen[7] = { 0 };
    for (int i = 0; i < 7000; i++) {
        uint64_t value = vg_random_below(&seeded.random, 7);
        assert_true(value < 7);
        seen[value]++;
    }
    for (int i = 0; i < 7; i++) {
        assert_in_range(seen[i], 850, 1150);
    }
    assert_true(vg_random_below(&seeded.random, 1) == 0);
    uint64_t large = UINT64_MAX / 2 + 2;
    for (int i = 0; i < 100; i++) {
        assert_true(vg_random_below(&seeded.random, large) < large);
    }
    vg_random_seeded_dispose(&seeded);
}

static void test_random__real_bytes_of_every_size_are_filled(void **state)
{
    (void)state;
    uint8_t data[600];
    for (size_t size = 8; size <= sizeof(data); size += 37) {
        memset(data, 0, sizeof(data));
        vg_random_bytes(vg_random_real(), data, size);
        unsigned set = 0;
        for (size_t i = 0; i < size; i++) {
            set |= data[i];
        }
        assert_int_not_equal(set, 0); /* 2^-64 by chance */
        for (size_t i = size; i < sizeof(data); i++) {
            assert_int_equal(data[i], 0);
        }
    }
    assert_false(vg_random_u64(vg_random_real()) == vg_random_u64(vg_random_real()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random__a_seed_repeats_its_sequence_and_seeds_differ),
        cmocka_unit_test(test_random__below_stays_below_and_reaches_every_number),
        cmocka_unit_test(test_random__real_bytes_of_every_size_are_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
