#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/memory_budget.h"

#define LIMIT (4u << 20)

/* In a thread of its own: what one keeps for later is its own affair. */
static void in_thread(void *(*run)(void *owner), void *owner)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, owner), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_memory_budget__ends_at_its_limit(void **state)
{
    (void)state;
    vg_memory_budget_configure(LIMIT);
    const size_t before = vg_memory_budget_used();
    const size_t room = LIMIT - before;
    assert_true(vg_memory_budget_take(room));
    assert_true(vg_memory_budget_is_short());
    assert_false(vg_memory_budget_take(2 * VG_MEMORY_BUDGET_PIECE));
    vg_memory_budget_give(room);
    assert_false(vg_memory_budget_take(LIMIT + 2 * VG_MEMORY_BUDGET_PIECE));
    assert_in_range(vg_memory_budget_used(), 0, 2 * VG_MEMORY_BUDGET_PIECE);
    assert_false(vg_memory_budget_is_short());
    vg_memory_budget_configure(0);
    assert_true(vg_memory_budget_take((size_t)1 << 40));
    assert_false(vg_memory_budget_is_short());
    vg_memory_budget_give((size_t)1 << 40);
}

static void *give_all(void *owner)
{
    vg_memory_budget_give(*(const size_t *)owner);
    return NULL;
}

static void test_memory_budget__another_thread_may_give_back(void **state)
{
    (void)state;
    size_t size = 1u << 20;
    const size_t before = vg_memory_budget_used();
    assert_true(vg_memory_budget_take(size));
    in_thread(give_all, &size);
    assert_in_range(vg_memory_budget_used(), 0, before + 2 * VG_MEMORY_BUDGET_PIECE);
}

static void test_memory_budget__arenas_and_buffers_ask(void **state)
{
    (void)state;
    struct vg_arena arena;
    struct vg_buffer buffer;
    vg_memory_budget_configure(LIMIT);
    vg_arena_init(&arena, 100u << 20);
    vg_arena_count(&arena);
    vg_buffer_init(&buffer, 100u << 20);
    vg_buffer_count(&buffer);
    for (int round = 0; round < 3; round++) {
        assert_non_null(vg_arena_alloc(&arena, LIMIT / 2));
        assert_null(vg_arena_alloc(&arena, LIMIT / 2));
        assert_false(vg_buffer_reserve(&buffer, LIMIT / 2));
        vg_arena_reset(&arena);
        vg_buffer_clear(&buffer);
        assert_true(vg_buffer_reserve(&buffer, LIMIT / 2));
        assert_null(vg_arena_alloc(&arena, LIMIT / 2));
        vg_buffer_dispose(&buffer);
    }
    vg_arena_dispose(&arena);
    assert_in_range(vg_memory_budget_used(), 0, 2 * VG_MEMORY_BUDGET_PIECE);
    vg_arena_init(&arena, 100u << 20); /* one that does not ask */
    assert_non_null(vg_arena_alloc(&arena, 2 * LIMIT));
    vg_arena_dispose(&arena);
    vg_memory_budget_configure(0);
}

static void test_memory_budget__a_cleared_arena_gives_back_what_it_does_not_keep(void **state)
{
    (void)state;
    struct vg_arena arena;
    const size_t before = vg_memory_budget_used();
    vg_arena_init(&arena, 100u << 20);
    vg_arena_count(&arena);
    for (int i = 0; i < 1000; i++) {
        assert_non_null(vg_arena_alloc(&arena, 100000));
        assert_non_null(vg_arena_alloc(&arena, 3000000));
        vg_arena_clear(&arena);
    }
    vg_arena_dispose(&arena);
    assert_in_range(vg_memory_budget_used(), 0, before + 2 * VG_MEMORY_BUDGET_PIECE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_budget__ends_at_its_limit),
        cmocka_unit_test(test_memory_budget__another_thread_may_give_back),
        cmocka_unit_test(test_memory_budget__arenas_and_buffers_ask),
        cmocka_unit_test(test_memory_budget__a_cleared_arena_gives_back_what_it_does_not_keep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
