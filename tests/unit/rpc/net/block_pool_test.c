#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/net/block_pool.h"

static void test_block_pool__blocks_hold_what_they_promise(void **state)
{
    (void)state;
    struct vg_block_pool pool = { .used = 0 };
    for (size_t size = 0; size <= VG_BLOCK_POOL_SIZE_MAX + 100; size++) {
        uint8_t *first = vg_block_pool_alloc(&pool, size);
        uint8_t *second = vg_block_pool_alloc(&pool, size);
        assert_non_null(first);
        assert_non_null(second);
        assert_ptr_not_equal(first, second);
        assert_int_equal((uintptr_t)first % 16, 0);
        memset(first, 1, size);
        memset(second, 2, size);
        assert_true(size == 0 || (first[size - 1] == 1 && second[0] == 2));
        vg_block_pool_free(&pool, first);
        vg_block_pool_free(&pool, second);
    }
    assert_int_equal(pool.used, 0);
    vg_block_pool_dispose(&pool);
}

static void test_block_pool__a_freed_block_is_used_again(void **state)
{
    (void)state;
    struct vg_block_pool pool = { .used = 0 };
    void *first = vg_block_pool_alloc(&pool, 100);
    vg_block_pool_free(&pool, first);
    void *second = vg_block_pool_alloc(&pool, 128);
    if (VG_BLOCK_POOL_KEEPS) {
        assert_ptr_equal(first, second);
    }
    vg_block_pool_free(&pool, second);
    uint8_t *zeroed = vg_block_pool_calloc(&pool, 16, 8);
    for (size_t i = 0; i < 128; i++) {
        assert_int_equal(zeroed[i], 0);
    }
    vg_block_pool_free(&pool, zeroed);
    vg_block_pool_dispose(&pool);
}

static void test_block_pool__realloc_keeps_the_content(void **state)
{
    (void)state;
    struct vg_block_pool pool = { .used = 0 };
    uint8_t *block = vg_block_pool_realloc(&pool, NULL, 1);
    block[0] = 7;
    for (size_t size = 2; size < 20000; size += 37) {
        block = vg_block_pool_realloc(&pool, block, size);
        assert_non_null(block);
        assert_int_equal(block[0], 7);
        block[size - 1] = 9;
    }
    block = vg_block_pool_realloc(&pool, block, 1);
    assert_int_equal(block[0], 7);
    vg_block_pool_free(&pool, block);
    vg_block_pool_free(&pool, NULL);
    vg_block_pool_dispose(&pool);
}

static void test_block_pool__keeps_no_more_than_its_limit(void **state)
{
    (void)state;
    enum { COUNT = 2 * VG_BLOCK_POOL_BYTES_MAX / VG_BLOCK_POOL_SIZE_MAX };
    static void *blocks[COUNT];
    struct vg_block_pool pool = { .used = 0 };
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = vg_block_pool_alloc(&pool, VG_BLOCK_POOL_SIZE_MAX);
    }
    for (size_t i = 0; i < COUNT; i++) {
        vg_block_pool_free(&pool, blocks[i]);
        assert_true(pool.kept_bytes <= VG_BLOCK_POOL_BYTES_MAX);
    }
    assert_int_equal(pool.kept_bytes, VG_BLOCK_POOL_KEEPS ? VG_BLOCK_POOL_BYTES_MAX : 0);
    vg_block_pool_dispose(&pool);
    assert_int_equal(pool.kept_bytes, 0);
}

static void test_block_pool__an_impossible_size_is_refused(void **state)
{
    (void)state;
    struct vg_block_pool pool = { .used = 0 };
    assert_null(vg_block_pool_alloc(&pool, SIZE_MAX));
    assert_null(vg_block_pool_calloc(&pool, SIZE_MAX / 2, 3));
    assert_int_equal(pool.used, 0);
    vg_block_pool_dispose(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_pool__blocks_hold_what_they_promise),
        cmocka_unit_test(test_block_pool__a_freed_block_is_used_again),
        cmocka_unit_test(test_block_pool__realloc_keeps_the_content),
        cmocka_unit_test(test_block_pool__keeps_no_more_than_its_limit),
        cmocka_unit_test(test_block_pool__an_impossible_size_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
