/* The order of a fair queue, by example and beside a model that knows nothing of lines and buckets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/fair_queue.h"

struct own_task {
    struct vg_task task;
    uint64_t caller;
    unsigned number;
};

static struct own_task *take(struct vg_fair_queue *queue)
{
    struct vg_task *task = vg_fair_queue_take(queue);
    return task == NULL ? NULL : VG_CONTAINER_OF(task, struct own_task, task);
}

static void put_all(struct vg_fair_queue *queue, struct own_task *tasks, const char *callers)
{
    for (unsigned i = 0; callers[i] != '\0'; i++) {
        tasks[i] = (struct own_task){ .caller = (uint64_t)callers[i], .number = i };
        vg_fair_queue_put(queue, tasks[i].caller, &tasks[i].task);
    }
}

static void assert_order(struct vg_fair_queue *queue, const unsigned *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct own_task *task = take(queue);
        assert_non_null(task);
        assert_int_equal(task->number, numbers[i]);
    }
    assert_null(take(queue));
    assert_int_equal(queue->count, 0);
}

static void test_fair_queue__one_caller_is_served_in_order(void **state)
{
    (void)state;
    static const unsigned order[] = { 0, 1, 2, 3 };
    struct vg_fair_queue queue = { 0 };
    struct own_task tasks[4];
    assert_null(vg_fair_queue_take(&queue));
    put_all(&queue, tasks, "aaaa");
    assert_int_equal(vg_fair_queue_count_of(&queue, 'a'), 4);
    assert_int_equal(vg_fair_queue_count_of(&queue, 'b'), 0);
    assert_order(&queue, order, VG_ARRAY_COUNT(order));
}

static void test_fair_queue__callers_take_turns(void **state)
{
    (void)state;
    static const unsigned turns[] = { 0, 5, 7, 1, 6, 8, 2, 3, 4, 9 };
    struct vg_fair_queue queue = { 0 };
    struct own_task tasks[10];
    put_all(&queue, tasks, "aaaaabbcca");
    assert_int_equal(vg_fair_queue_count_of(&queue, 'a'), 6);
    assert_int_equal(vg_fair_queue_count_of(&queue, 'c'), 2);
    /* Lines of 6, 2 and 2: a b c, a b c, a a a a. */
    assert_order(&queue, turns, VG_ARRAY_COUNT(turns));
}

static void test_fair_queue__who_comes_late_waits_for_one_task_of_each(void **state)
{
    (void)state;
    struct vg_fair_queue queue = { 0 };
    struct own_task crowd[1000];
    struct own_task other = { .caller = 'b', .number = 5000 };
    for (unsigned i = 0; i < VG_ARRAY_COUNT(crowd); i++) {
        crowd[i] = (struct own_task){ .caller = 'a', .number = i };
        vg_fair_queue_put(&queue, 'a', &crowd[i].task);
    }
    vg_fair_queue_put(&queue, 'b', &other.task);
    assert_int_equal(take(&queue)->number, 0);
    assert_int_equal(take(&queue)->number, 5000);
    assert_int_equal(take(&queue)->number, 1);
    /* Again and again: his next task never waits for more than one. */
    for (unsigned i = 2; i < 500; i++) {
        vg_fair_queue_put(&queue, 'b', &other.task);
        assert_int_equal(take(&queue)->number, i);
        assert_int_equal(take(&queue)->number, 5000);
    }
}

/* ---- beside a model */

#define MODEL_TASKS   300u
#define MODEL_CALLERS 40u
#define MODEL_STEPS   60000u

/* The callers that have tasks, in the order of their turns, and what each has waiting. */
struct model {
    uint64_t turns[MODEL_CALLERS];
    size_t turn_count;
    unsigned waiting[MODEL_CALLERS][MODEL_TASKS];
    size_t counts[MODEL_CALLERS];
};

static void model_put(struct model *model, uint64_t caller, unsigned number)
{
    if (model->counts[caller] == 0) {
        model->turns[model->turn_count++] = caller;
    }
    model->waiting[caller][model->counts[caller]++] = number;
}

static unsigned model_take(struct model *model)
{
    const uint64_t caller = model->turns[0];
    const unsigned number = model->waiting[caller][0];
    model->turn_count--;
    memmove(model->turns, model->turns + 1, model->turn_count * sizeof(model->turns[0]));
    model->counts[caller]--;
    memmove(
        model->waiting[caller],
        model->waiting[caller] + 1,
        model->counts[caller] * sizeof(model->waiting[caller][0]));
    if (model->counts[caller] > 0) {
        model->turns[model->turn_count++] = caller;
    }
    return number;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* Of real callers some share a bucket: the identities are addresses, small numbers and what falls
 * into bucket 0. */
static uint64_t identity(uint64_t caller)
{
    static int places[MODEL_CALLERS];
    return caller < 8 ? caller : caller < 20 ? (uint64_t)(uintptr_t)&places[caller] : caller << 56;
}

static void test_fair_queue__is_as_the_model(void **state)
{
    (void)state;
    static struct model model;
    static struct own_task tasks[MODEL_TASKS];
    unsigned free_numbers[MODEL_TASKS];
    size_t free_count = MODEL_TASKS;
    struct vg_fair_queue queue = { 0 };
    uint64_t seed = 20261122;
    for (unsigned i = 0; i < MODEL_TASKS; i++) {
        free_numbers[i] = i;
    }
    for (unsigned step = 0; step < MODEL_STEPS; step++) {
        /* It fills and empties in turns. */
        const bool puts = next_random(&seed) % 100 < ((step / 1000) % 2 == 0 ? 60 : 40);
        if (puts && free_count > 0) {
            const unsigned number = free_numbers[--free_count];
            /* Few have most of it. */
            const uint64_t caller = next_random(&seed) % (1 + next_random(&seed) % MODEL_CALLERS);
            tasks[number].number = number;
            tasks[number].caller = caller;
            vg_fair_queue_put(&queue, identity(caller), &tasks[number].task);
            model_put(&model, caller, number);
        } else if (!puts && queue.count > 0) {
            const struct own_task *task = take(&queue);
            assert_int_equal(task->number, model_take(&model));
            free_numbers[free_count++] = task->number;
        }
        assert_int_equal(queue.count, MODEL_TASKS - free_count);
        const uint64_t asked = next_random(&seed) % MODEL_CALLERS;
        assert_int_equal(vg_fair_queue_count_of(&queue, identity(asked)), model.counts[asked]);
    }
    while (queue.count > 0) {
        assert_int_equal(take(&queue)->number, model_take(&model));
    }
    for (size_t i = 0; i < VG_FAIR_QUEUE_BUCKETS; i++) {
        assert_null(queue.buckets[i]);
    }
    assert_null(queue.first);
    assert_null(queue.last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fair_queue__one_caller_is_served_in_order),
        cmocka_unit_test(test_fair_queue__callers_take_turns),
        cmocka_unit_test(test_fair_queue__who_comes_late_waits_for_one_task_of_each),
        cmocka_unit_test(test_fair_queue__is_as_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
