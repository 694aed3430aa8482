/* Mailboxes and executors, with many threads at once. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/metrics.h"
#include "core/base/task.h"

/* A gate that holds a thread until it is opened. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    unsigned waiting;
};

#define VG_GATE_INIT                                                                               \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0                              \
    }

static void gate_pass(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->waiting++;
    (void)pthread_cond_broadcast(&gate->changed);
    while (!gate->open) {
        (void)pthread_cond_wait(&gate->changed, &gate->lock);
    }
    (void)pthread_mutex_unlock(&gate->lock);
}

static void gate_await(struct gate *gate, unsigned waiting)
{
    (void)pthread_mutex_lock(&gate->lock);
    while (gate->waiting < waiting) {
        (void)pthread_cond_wait(&gate->changed, &gate->lock);
    }
    (void)pthread_mutex_unlock(&gate->lock);
}

static void gate_open(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->open = true;
    (void)pthread_cond_broadcast(&gate->changed);
    (void)pthread_mutex_unlock(&gate->lock);
}

struct numbered_task {
    struct vg_task task;
    unsigned number;
    _Atomic unsigned runs;
    struct gate *gate;
    struct vg_mailbox *again; /* where to post the next one when run */
    struct numbered_task *next;
};

static unsigned order[16];
static size_t order_count;

static void run_in_order(struct vg_task *task)
{
    struct numbered_task *own = VG_CONTAINER_OF(task, struct numbered_task, task);
    order[order_count++] = own->number;
    atomic_fetch_add(&own->runs, 1);
    if (own->again != NULL) {
        vg_mailbox_post(own->again, &own->next->task);
    }
}

static void run_counted(struct vg_task *task)
{
    struct numbered_task *own = VG_CONTAINER_OF(task, struct numbered_task, task);
    if (own->gate != NULL) {
        gate_pass(own->gate);
    }
    atomic_fetch_add(&own->runs, 1);
}

static _Atomic unsigned wakes;

static void count_wake(struct vg_mailbox *mailbox)
{
    (void)mailbox;
    atomic_fetch_add(&wakes, 1);
}

static void test_mailbox__runs_in_order_with_what_arrives_meanwhile(void **state)
{
    (void)state;
    struct vg_mailbox mailbox;
    vg_mailbox_init(&mailbox, count_wake);
    struct numbered_task tasks[4];
    memset(tasks, 0, sizeof(tasks));
    for (unsigned i = 0; i < 4; i++) {
        tasks[i].task.run = run_in_order;
        tasks[i].number = i;
    }
    tasks[0].again = &mailbox;
    tasks[0].next = &tasks[3];
    atomic_store(&wakes, 0);
    order_count = 0;
    assert_int_equal(vg_mailbox_run(&mailbox), 0);
    for (unsigned i = 0; i < 3; i++) {
        vg_mailbox_post(&mailbox, &tasks[i].task);
    }
    assert_int_equal(atomic_load(&wakes), 1); /* only into an empty mailbox */
    assert_int_equal(vg_mailbox_run(&mailbox), 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(order[i], i);
        assert_int_equal(atomic_load(&tasks[i].runs), 1);
    }
    assert_int_equal(vg_mailbox_run(&mailbox), 0);
    vg_mailbox_dispose(&mailbox);
}

#define VG_POSTERS    4u
#define VG_PER_POSTER 2000u

struct poster {
    struct vg_mailbox *mailbox;
    struct vg_executor *executor;
    struct numbered_task tasks[VG_PER_POSTER];
    unsigned refused;
};

static struct poster posters[VG_POSTERS];

static void *post_all(void *owner)
{
    struct poster *poster = owner;
    for (unsigned i = 0; i < VG_PER_POSTER; i++) {
        poster->tasks[i].task.run = run_counted;
        if (poster->mailbox != NULL) {
            vg_mailbox_post(poster->mailbox, &poster->tasks[i].task);
        } else if (!vg_executor_post(poster->executor, &poster->tasks[i].task)) {
            poster->refused++;
            i--; /* the same again: the queue is being emptied */
        }
    }
    return NULL;
}

static void assert_all_ran_once(void)
{
    for (unsigned p = 0; p < VG_POSTERS; p++) {
        for (unsigned i = 0; i < VG_PER_POSTER; i++) {
            assert_int_equal(atomic_load(&posters[p].tasks[i].runs), 1);
        }
    }
}

static void test_mailbox__many_threads_post_and_nothing_is_lost(void **state)
{
    (void)state;
    struct vg_mailbox mailbox;
    vg_mailbox_init(&mailbox, NULL);
    memset(posters, 0, sizeof(posters));
    pthread_t threads[VG_POSTERS];
    for (unsigned i = 0; i < VG_POSTERS; i++) {
        posters[i].mailbox = &mailbox;
        assert_int_equal(pthread_create(&threads[i], NULL, post_all, &posters[i]), 0);
    }
    size_t count = 0;
    while (count < (size_t)VG_POSTERS * VG_PER_POSTER) {
        count += vg_mailbox_run(&mailbox);
    }
    for (unsigned i = 0; i < VG_POSTERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(vg_mailbox_run(&mailbox), 0);
    assert_all_ran_once();
    vg_mailbox_dispose(&mailbox);
}

static void test_executor__many_threads_post_and_each_task_runs_once(void **state)
{
    (void)state;
    struct vg_executor *executor = NULL;
    assert_int_equal(vg_executor_create("test-executor-x", 3, 64, &executor, NULL), VG_OK);
    memset(posters, 0, sizeof(posters));
    pthread_t threads[VG_POSTERS];
    for (unsigned i = 0; i < VG_POSTERS; i++) {
        posters[i].executor = executor;
        assert_int_equal(pthread_create(&threads[i], NULL, post_all, &posters[i]), 0);
    }
    for (unsigned i = 0; i < VG_POSTERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    vg_executor_destroy(executor); /* runs what waits */
    assert_all_ran_once();
}

static void test_executor__a_full_queue_is_an_answer(void **state)
{
    (void)state;
    struct gate gate = VG_GATE_INIT;
    struct vg_executor *executor = NULL;
    assert_int_equal(vg_executor_create("gated", 2, 3, &executor, NULL), VG_OK);
    struct numbered_task tasks[6];
    memset(tasks, 0, sizeof(tasks));
    for (unsigned i = 0; i < 6; i++) {
        tasks[i].task.run = run_counted;
        tasks[i].gate = &gate;
    }
    assert_true(vg_executor_post(executor, &tasks[0].task));
    assert_true(vg_executor_post(executor, &tasks[1].task));
    gate_await(&gate, 2); /* both threads are busy */
    assert_int_equal(vg_executor_waiting(executor), 0);
    for (unsigned i = 2; i < 5; i++) {
        assert_true(vg_executor_post(executor, &tasks[i].task));
    }
    assert_int_equal(vg_executor_waiting(executor), 3);
    assert_false(vg_executor_post(executor, &tasks[5].task)); /* one past the limit */
    assert_int_equal(vg_executor_waiting(executor), 3);
    gate_open(&gate);
    vg_executor_destroy(executor);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(atomic_load(&tasks[i].runs), 1);
    }
    assert_int_equal(atomic_load(&tasks[5].runs), 0);
}

/* One thread that is held, and a queue of eight behind it. */
struct held {
    struct gate gate;
    struct numbered_task holder;
    struct vg_executor *executor;
    struct numbered_task tasks[16];
    unsigned used;
};

static void hold(struct held *held)
{
    *held = (struct held){ .gate = VG_GATE_INIT };
    assert_int_equal(vg_executor_create("held", 1, 8, &held->executor, NULL), VG_OK);
    held->holder.task.run = run_counted;
    held->holder.gate = &held->gate;
    assert_true(vg_executor_post_for(held->executor, 1, &held->holder.task));
    gate_await(&held->gate, 1);
    assert_int_equal(vg_executor_waiting(held->executor), 0);
    order_count = 0;
}

/* How many of `wanted` tasks of `caller` find room. They are numbered as they come. */
static unsigned post_some(struct held *held, uint64_t caller, unsigned wanted)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < wanted; i++) {
        struct numbered_task *task = &held->tasks[held->used];
        task->task.run = run_in_order;
        task->number = held->used;
        if (vg_executor_post_for(held->executor, caller, &task->task)) {
            held->used++;
            taken++;
        }
    }
    return taken;
}

static void let_go(struct held *held, const unsigned *numbers, size_t count)
{
    gate_open(&held->gate);
    vg_executor_destroy(held->executor); /* runs what waits */
    assert_int_equal(order_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(order[i], numbers[i]);
    }
}

static void test_executor__leaves_room_for_those_who_come_next(void **state)
{
    (void)state;
    static const unsigned turns[] = { 0, 4, 6, 1, 5, 2, 3 };
    struct held held;
    hold(&held);
    const int64_t before = vg_metrics_value(VG_METRIC_executor_share_refused_total);
    assert_int_equal(post_some(&held, 10, 4), 4); /* half of it */
    assert_int_equal(post_some(&held, 10, 1), 0); /* and one past it */
    assert_int_equal(vg_metrics_value(VG_METRIC_executor_share_refused_total), before + 1);
    assert_int_equal(post_some(&held, 20, 3), 2); /* of the four that are left */
    assert_int_equal(post_some(&held, 30, 2), 1);
    assert_int_equal(vg_metrics_value(VG_METRIC_executor_share_refused_total), before + 3);
    assert_int_equal(vg_executor_waiting(held.executor), 7);
    let_go(&held, turns, VG_ARRAY_COUNT(turns));
}

static void test_executor__is_full_for_all_when_it_is_full(void **state)
{
    (void)state;
    static const unsigned turns[] = { 0, 4, 6, 7, 8, 1, 5, 2, 9, 3 };
    struct held held;
    hold(&held);
    assert_int_equal(post_some(&held, 10, 8), 4);
    assert_int_equal(post_some(&held, 20, 8), 2);
    assert_int_equal(post_some(&held, 30, 8), 1);
    assert_int_equal(post_some(&held, 40, 8), 1);
    const int64_t before = vg_metrics_value(VG_METRIC_executor_share_refused_total);
    assert_int_equal(post_some(&held, 50, 1), 0);
    assert_false(vg_executor_post(held.executor, &held.tasks[8].task));
    assert_int_equal(vg_metrics_value(VG_METRIC_executor_share_refused_total), before);
    /* But for what was taken before and goes on: in its caller's line. */
    for (; held.used < 10; held.used++) {
        struct numbered_task *task = &held.tasks[held.used];
        task->task.run = run_in_order;
        task->number = held.used;
        assert_true(vg_executor_resume_for(held.executor, held.used == 8 ? 50 : 20, &task->task));
    }
    assert_int_equal(vg_executor_waiting(held.executor), 10);
    let_go(&held, turns, VG_ARRAY_COUNT(turns));
}

static void test_executor__does_not_ration_what_nobody_asked_for(void **state)
{
    (void)state;
    struct held held;
    hold(&held);
    for (unsigned i = 0; i < 8; i++) {
        held.tasks[i].task.run = run_counted;
        assert_true(vg_executor_post(held.executor, &held.tasks[i].task));
    }
    assert_false(vg_executor_post(held.executor, &held.tasks[8].task));
    let_go(&held, NULL, 0);
}

struct noted_task {
    struct vg_task task;
    struct gate *gate;
    int nice;
    int policy;
};

static void run_noting(struct vg_task *task)
{
    struct noted_task *own = VG_CONTAINER_OF(task, struct noted_task, task);
    own->nice = getpriority(PRIO_PROCESS, 0);
    own->policy = sched_getscheduler(0);
    gate_pass(own->gate);
}

static void test_executor__gives_way_from_the_next_task_on(void **state)
{
    (void)state;
    struct gate gate = VG_GATE_INIT;
    struct noted_task tasks[4];
    struct vg_executor *executor = NULL;
    const int nice = getpriority(PRIO_PROCESS, 0);
    const int policy = sched_getscheduler(0);
    const int nicer = nice + 3 < 19 ? nice + 3 : 19;
    for (unsigned i = 0; i < VG_ARRAY_COUNT(tasks); i++) {
        tasks[i] = (struct noted_task){ .task.run = run_noting, .gate = &gate };
    }
    assert_int_equal(vg_executor_create("polite", 1, 8, &executor, NULL), VG_OK);
    assert_true(vg_executor_post(executor, &tasks[0].task));
    gate_await(&gate, 1);
    assert_int_equal(tasks[0].nice, nice);
    assert_int_equal(tasks[0].policy, policy);
    vg_executor_yield(executor, 3);
    for (unsigned i = 1; i < VG_ARRAY_COUNT(tasks); i++) {
        assert_true(vg_executor_post(executor, &tasks[i].task));
    }
    gate_open(&gate);
    vg_executor_destroy(executor);
    for (unsigned i = 1; i < VG_ARRAY_COUNT(tasks); i++) {
        assert_int_equal(tasks[i].nice, nicer); /* once, not with each task */
        assert_int_equal(tasks[i].policy, SCHED_BATCH);
    }
    assert_int_equal(getpriority(PRIO_PROCESS, 0), nice); /* who posts is as before */
    assert_int_equal(sched_getscheduler(0), policy);
}

static void test_executor__destroys_nothing_and_the_idle(void **state)
{
    (void)state;
    struct vg_executor *executor = NULL;
    vg_executor_destroy(NULL);
    assert_int_equal(vg_executor_create("idle", 4, 1, &executor, NULL), VG_OK);
    vg_executor_destroy(executor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mailbox__runs_in_order_with_what_arrives_meanwhile),
        cmocka_unit_test(test_mailbox__many_threads_post_and_nothing_is_lost),
        cmocka_unit_test(test_executor__many_threads_post_and_each_task_runs_once),
        cmocka_unit_test(test_executor__a_full_queue_is_an_answer),
        cmocka_unit_test(test_executor__gives_way_from_the_next_task_on),
        cmocka_unit_test(test_executor__leaves_room_for_those_who_come_next),
        cmocka_unit_test(test_executor__is_full_for_all_when_it_is_full),
        cmocka_unit_test(test_executor__does_not_ration_what_nobody_asked_for),
        cmocka_unit_test(test_executor__destroys_nothing_and_the_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
