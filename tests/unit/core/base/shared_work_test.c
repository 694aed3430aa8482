/* Work that an owner shares with an idle thread: alone, with a helper, with one that never comes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/shared_work.h"

#define PARTS 1000u

/* A gate that holds threads until it is opened. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    unsigned passed; /* threads that have come to it */
};

#define VG_GATE_INIT                                                                               \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0                              \
    }

static void gate_pass(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->passed++;
    (void)pthread_cond_broadcast(&gate->changed);
    while (!gate->open) {
        (void)pthread_cond_wait(&gate->changed, &gate->lock);
    }
    (void)pthread_mutex_unlock(&gate->lock);
}

static void gate_await(struct gate *gate, unsigned passed)
{
    (void)pthread_mutex_lock(&gate->lock);
    while (gate->passed < passed) {
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

struct job {
    atomic_uint done[PARTS]; /* how often */
    atomic_uint sum;
    atomic_uint end_at; /* the job ends with this part */
    atomic_uint helped; /* slices */
    pthread_t owner;
    uint32_t await; /* a helper goes on when the owner has done so many parts */
};

static bool do_parts(void *owner, uint32_t first, uint32_t count)
{
    struct job *job = owner;
    if (pthread_equal(job->owner, pthread_self()) == 0) {
        atomic_fetch_add(&job->helped, 1);
        while (atomic_load(&job->sum) < job->await) {
            (void)sched_yield();
        }
    }
    bool goes_on = true;
    for (uint32_t i = first; i < first + count; i++) {
        atomic_fetch_add(&job->done[i], 1);
        atomic_fetch_add(&job->sum, 1);
        goes_on = goes_on && i != atomic_load(&job->end_at);
    }
    return goes_on;
}

static void run_job(struct job *job, uint32_t count, uint32_t slice, struct vg_executor *executor)
{
    const struct vg_shared_work work = { count, slice, do_parts, job };
    job->owner = pthread_self();
    vg_shared_work_run(&work, executor);
}

static void check_all_done(struct vg_executor *executor)
{
    static const uint32_t counts[] = { 0, 1, 15, 16, 17, 999, PARTS };
    for (size_t i = 0; i < VG_ARRAY_COUNT(counts); i++) {
        struct job job = { .end_at = UINT32_MAX };
        run_job(&job, counts[i], 16, executor);
        assert_int_equal(job.sum, counts[i]);
        for (uint32_t part = 0; part < PARTS; part++) {
            assert_int_equal(job.done[part], part < counts[i] ? 1 : 0);
        }
    }
}

static void test_shared_work__each_part_is_done_once(void **state)
{
    (void)state;
    check_all_done(NULL);
    for (unsigned threads = 0; threads < 3; threads++) {
        struct vg_executor *executor = NULL;
        assert_int_equal(vg_executor_create("helpers", threads, 64, &executor, NULL), VG_OK);
        for (int round = 0; round < 50; round++) {
            check_all_done(executor);
        }
        vg_executor_destroy(executor);
    }
}

struct offer {
    struct vg_task task;
    struct gate *gate;
};

static void hold(struct vg_task *task)
{
    gate_pass(VG_CONTAINER_OF(task, struct offer, task)->gate);
}

/* An executor starts idle some time after it is made. */
static void offer_until_taken(struct vg_executor *executor, struct vg_task *task)
{
    while (!vg_executor_offer(executor, task)) {
        (void)sched_yield();
    }
}

/* A helper that has begun is waited for: here it is in its slice until the owner has done the rest.
 * Whether it comes in time is for the machine to say, so it is asked until it does. */
static void test_shared_work__waits_for_who_has_begun(void **state)
{
    (void)state;
    struct vg_executor *executor = NULL;
    assert_int_equal(vg_executor_create("helpers", 1, 64, &executor, NULL), VG_OK);
    uint32_t helped = 0;
    while (helped == 0) {
        struct job job = { .end_at = UINT32_MAX, .await = PARTS - 1 };
        run_job(&job, PARTS, 1, executor);
        assert_int_equal(job.sum, PARTS);
        helped = job.helped;
    }
    assert_int_equal(helped, 1);
    vg_executor_destroy(executor);
}

/* All threads are busy, one of them with the owner itself: nobody is asked, nobody waited for. */
struct nested {
    struct vg_task task;
    struct vg_executor *executor;
    struct gate *done;
    struct job job;
};

static void run_nested(struct vg_task *task)
{
    struct nested *nested = VG_CONTAINER_OF(task, struct nested, task);
    run_job(&nested->job, PARTS, 16, nested->executor);
    gate_pass(nested->done);
}

static void test_shared_work__of_a_thread_of_the_executor(void **state)
{
    (void)state;
    struct vg_executor *executor = NULL;
    assert_int_equal(vg_executor_create("helpers", 1, 64, &executor, NULL), VG_OK);
    struct gate done = VG_GATE_INIT;
    done.open = true;
    static struct nested nested;
    nested = (struct nested){ { .run = run_nested }, executor, &done, { .end_at = UINT32_MAX } };
    assert_true(vg_executor_post(executor, &nested.task));
    gate_await(&done, 1);
    assert_int_equal(nested.job.sum, PARTS);
    assert_int_equal(nested.job.helped, 0);
    vg_executor_destroy(executor);
}

static void test_shared_work__ends_early(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads < 3; threads++) {
        struct vg_executor *executor = NULL;
        assert_int_equal(vg_executor_create("helpers", threads, 64, &executor, NULL), VG_OK);
        for (int round = 0; round < 50; round++) {
            struct job job = { .end_at = 40 };
            run_job(&job, PARTS, 16, executor);
            assert_int_equal(job.done[40], 1);
            assert_true(job.sum >= 16); /* its own slice at least */
            for (uint32_t part = 0; part < PARTS; part++) {
                assert_true(job.done[part] <= 1);
            }
            assert_true(threads > 0 || job.sum == 48);
        }
        vg_executor_destroy(executor);
    }
}

/* A task is taken only by a thread that has nothing to do, and by each one once. */
static void test_executor__offers_to_the_idle(void **state)
{
    (void)state;
    struct vg_executor *executor = NULL;
    assert_int_equal(vg_executor_create("none", 0, 64, &executor, NULL), VG_OK);
    struct gate gate = VG_GATE_INIT;
    struct offer offers[3] = { { { .run = hold }, &gate },
                               { { .run = hold }, &gate },
                               { { .run = hold }, &gate } };
    assert_false(vg_executor_offer(executor, &offers[0].task));
    vg_executor_destroy(executor);
    assert_int_equal(vg_executor_create("two", 2, 64, &executor, NULL), VG_OK);
    offer_until_taken(executor, &offers[0].task);
    offer_until_taken(executor, &offers[1].task);
    assert_false(vg_executor_offer(executor, &offers[2].task));
    gate_await(&gate, 2);
    assert_false(vg_executor_offer(executor, &offers[2].task));
    gate_open(&gate);
    vg_executor_destroy(executor);
    assert_int_equal(gate.passed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_work__each_part_is_done_once),
        cmocka_unit_test(test_shared_work__waits_for_who_has_begun),
        cmocka_unit_test(test_shared_work__of_a_thread_of_the_executor),
        cmocka_unit_test(test_shared_work__ends_early),
        cmocka_unit_test(test_executor__offers_to_the_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
