/* The arena: alignment, its cap, and growing in place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/arena.h"
#include "core/base/compiler.h"

#define VG_TEST_MAX (1u << 20)

static void test_arena__pieces_are_aligned_apart_and_writable(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, VG_TEST_MAX);
    uint8_t *pieces[500];
    for (size_t i = 0; i < VG_ARRAY_COUNT(pieces); i++) {
        pieces[i] = vg_arena_alloc(&arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)(i & 0xFF), i);
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(pieces); i++) {
        for (size_t at = 0; at < i; at++) {
            assert_int_equal(pieces[i][at], i & 0xFF);
        }
    }
    assert_ptr_not_equal(pieces[0], pieces[1]); /* size 0 has a place of its own */
    vg_arena_dispose(&arena);
}

static void test_arena__the_cap_holds_and_is_an_ordinary_answer(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 10000);
    assert_null(vg_arena_alloc(&arena, 10001));
    assert_null(vg_arena_alloc(&arena, SIZE_MAX));
    assert_null(vg_arena_calloc(&arena, SIZE_MAX / 2, 3));
    size_t count = 0;
    while (vg_arena_alloc(&arena, 100) != NULL) {
        count++;
        assert_true(count < 100);
    }
    assert_true(count >= 70); /* little is lost to headers */
    assert_true(arena.used <= 10000);
    assert_null(vg_arena_alloc(&arena, 5000));
    vg_arena_set_max(&arena, 20000);
    assert_non_null(vg_arena_alloc(&arena, 5000));
    vg_arena_dispose(&arena);
    assert_null(vg_arena_alloc(&arena, 1));
}

static void test_arena__lent_memory_comes_first_and_is_given_up(void **state)
{
    (void)state;
    _Alignas(16) uint8_t lent[256];
    struct vg_arena arena;
    vg_arena_init(&arena, VG_TEST_MAX);
    vg_arena_lend(&arena, lent, sizeof(lent));
    uint8_t *pieces[40];
    for (size_t i = 0; i < VG_ARRAY_COUNT(pieces); i++) {
        pieces[i] = vg_arena_alloc(&arena, 32);
        assert_non_null(pieces[i]);
        memset(pieces[i], (int)i, 32);
#ifndef __SANITIZE_ADDRESS__
        bool inside = pieces[i] >= lent && pieces[i] < lent + sizeof(lent);
        assert_int_equal(inside, i < sizeof(lent) / 32);
#endif
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(pieces); i++) {
        assert_int_equal(pieces[i][31], i);
    }
    vg_arena_reset(&arena);
    uint8_t *piece = vg_arena_alloc(&arena, 32);
    assert_true(piece < lent || piece >= lent + sizeof(lent));
    vg_arena_dispose(&arena);
}

static void test_arena__clearing_keeps_no_more_than_one_block(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, VG_TEST_MAX);
    vg_arena_clear(&arena); /* of an arena without a block */
    size_t most = 0;
    for (int round = 0; round < 100; round++) {
        vg_arena_clear(&arena);
        assert_true(arena.used <= 256 * 1024);
        for (int i = 0; i < 100; i++) {
            uint8_t *piece = vg_arena_calloc(&arena, 1, 700);
            assert_non_null(piece);
            assert_int_equal(piece[699], 0);
            memset(piece, 0xFF, 700);
        }
        most = arena.used > most ? arena.used : most;
    }
    assert_true(most <= 512 * 1024); /* rounds do not add up */
    vg_arena_clear(&arena);
    assert_non_null(vg_arena_alloc(&arena, 600 * 1024));
    vg_arena_clear(&arena);
    assert_int_equal(arena.used, 0); /* one of unusual size is not kept */
    vg_arena_dispose(&arena);
}

static void test_arena__a_piece_of_the_whole_cap_fits_but_for_the_header(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 4096);
    assert_null(vg_arena_alloc(&arena, 4096));
    assert_non_null(vg_arena_alloc(&arena, 4096 - 16));
    assert_null(vg_arena_alloc(&arena, 1));
    vg_arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    assert_non_null(vg_arena_alloc(&arena, 4096 - 16));
    vg_arena_dispose(&arena);
}

static void test_arena__calloc_clears_what_was_used_before(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, VG_TEST_MAX);
    for (int round = 0; round < 3; round++) {
        uint64_t *numbers = vg_arena_calloc(&arena, 100, sizeof(*numbers));
        assert_non_null(numbers);
        for (size_t i = 0; i < 100; i++) {
            assert_true(numbers[i] == 0);
            numbers[i] = UINT64_MAX;
        }
        vg_arena_reset(&arena);
    }
    vg_arena_dispose(&arena);
}

static void test_arena__texts_end_with_nul(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 3000);
    const char *text = vg_arena_text(&arena, vg_bytes("abcdef", 3));
    assert_string_equal(text, "abc");
    text = vg_arena_text(&arena, vg_bytes(NULL, 0));
    assert_string_equal(text, "");
    text = vg_arena_printf(&arena, "%s-%d", "x", 7);
    assert_string_equal(text, "x-7");
    char large[4000];
    memset(large, 'x', sizeof(large));
    assert_null(vg_arena_text(&arena, vg_bytes(large, sizeof(large))));
    assert_null(vg_arena_printf(&arena, "%.*s", (int)sizeof(large), large));
    vg_arena_dispose(&arena);
}

static void test_arena__only_the_newest_piece_is_resized(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, VG_TEST_MAX);
    assert_false(vg_arena_resize_last(&arena, NULL, 0, 16));
    char *first = vg_arena_alloc(&arena, 20);
    assert_non_null(first);
    memcpy(first, "0123456789", 11);
    assert_true(vg_arena_resize_last(&arena, first, 20, 400));
    assert_string_equal(first, "0123456789");
    char *second = vg_arena_alloc(&arena, 32);
    assert_non_null(second);
    assert_true(second >= first + 400);
    assert_false(vg_arena_resize_last(&arena, first, 400, 500));
    assert_true(vg_arena_resize_last(&arena, second, 32, 16));
    char *third = vg_arena_alloc(&arena, 16);
    assert_ptr_equal(third, second + 16); /* what was given back is used again */
    assert_false(vg_arena_resize_last(&arena, third, 16, VG_TEST_MAX + 1));
    assert_false(vg_arena_resize_last(&arena, third, 16, 100000)); /* its block has no room */
    vg_arena_dispose(&arena);
}

static void test_arena__of_zero_bytes_is_disposed(void **state)
{
    (void)state;
    struct vg_arena arena = { .bytes_max = 0 };
    vg_arena_dispose(&arena);
    vg_arena_init(&arena, 0);
    assert_null(vg_arena_alloc(&arena, 0));
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena__pieces_are_aligned_apart_and_writable),
        cmocka_unit_test(test_arena__the_cap_holds_and_is_an_ordinary_answer),
        cmocka_unit_test(test_arena__lent_memory_comes_first_and_is_given_up),
        cmocka_unit_test(test_arena__clearing_keeps_no_more_than_one_block),
        cmocka_unit_test(test_arena__a_piece_of_the_whole_cap_fits_but_for_the_header),
        cmocka_unit_test(test_arena__calloc_clears_what_was_used_before),
        cmocka_unit_test(test_arena__texts_end_with_nul),
        cmocka_unit_test(test_arena__only_the_newest_piece_is_resized),
        cmocka_unit_test(test_arena__of_zero_bytes_is_disposed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
