/* Sets of digests and UUIDs: what was put in is found, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/table/fixed_set.h"

#define VALUES_MAX 3000u

static void make_value(uint32_t number, uint8_t out[64])
{
    uint64_t random = number * UINT64_C(0x9E3779B97F4A7C15);
    for (uint32_t i = 0; i < 64; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        out[i] = (uint8_t)(random >> 56);
    }
}

static void check_set(uint32_t width, uint32_t count, struct vg_arena *arena)
{
    static uint8_t bytes[VALUES_MAX][64];
    struct vg_bytes values[VALUES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        make_value(i, bytes[i]);
        values[i] = vg_bytes(bytes[i], width);
    }
    struct vg_fixed_set *set = vg_fixed_set_create(width, values, count, arena);
    assert_non_null(set);
    for (uint32_t i = 0; i < 2 * VALUES_MAX; i++) {
        uint8_t value[64];
        make_value(i, value);
        assert_int_equal(vg_fixed_set_has(set, value), i < count);
        value[width - 1] ^= 1; /* the hash is the same for widths above 16 */
        assert_false(vg_fixed_set_has(set, value));
    }
}

static void test_fixed_set__has_what_was_put_in(void **state)
{
    (void)state;
    static const uint32_t widths[] = { 4, 16, 20, 32, 64 };
    static const uint32_t counts[] = { 0, 1, 2, 4, 5, 100, VALUES_MAX };
    struct vg_arena arena;
    vg_arena_init(&arena, 16u << 20);
    for (size_t w = 0; w < VG_ARRAY_COUNT(widths); w++) {
        for (size_t c = 0; c < VG_ARRAY_COUNT(counts); c++) {
            check_set(widths[w], counts[c], &arena);
            vg_arena_reset(&arena);
        }
    }
    vg_arena_dispose(&arena);
}

static void test_fixed_set__takes_repeated_values_and_leaves_out_others(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    uint8_t value[64];
    make_value(1, value);
    struct vg_bytes values[5];
    for (size_t i = 0; i < 4; i++) {
        values[i] = vg_bytes(value, 32);
    }
    values[4] = vg_bytes(value, 31);
    struct vg_fixed_set *set = vg_fixed_set_create(32, values, 5, &arena);
    assert_non_null(set);
    assert_true(vg_fixed_set_has(set, value));
    set = vg_fixed_set_create(32, &values[4], 1, &arena);
    assert_non_null(set);
    assert_false(vg_fixed_set_has(set, value));
    vg_arena_dispose(&arena);
    vg_arena_init(&arena, 100);
    assert_null(vg_fixed_set_create(32, values, 4, &arena));
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_set__has_what_was_put_in),
        cmocka_unit_test(test_fixed_set__takes_repeated_values_and_leaves_out_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
