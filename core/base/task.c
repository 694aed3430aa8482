#include "core/base/task.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/base/assert.h"
#include "core/base/fair_queue.h"
#include "core/base/metrics.h"

void vg_mailbox_init(struct vg_mailbox *mailbox, void (*wake)(struct vg_mailbox *mailbox))
{
    *mailbox = (struct vg_mailbox){ .wake = wake };
    VG_ASSERT(pthread_mutex_init(&mailbox->lock, NULL) == 0);
}

void vg_mailbox_dispose(struct vg_mailbox *mailbox)
{
    VG_ASSERT(mailbox->first == NULL);
    (void)pthread_mutex_destroy(&mailbox->lock);
}

void vg_mailbox_post(struct vg_mailbox *mailbox, struct vg_task *task)
{
    task->next = NULL;
    (void)pthread_mutex_lock(&mailbox->lock);
    bool was_empty = mailbox->first == NULL;
    if (was_empty) {
        mailbox->first = task;
    } else {
        mailbox->last->next = task;
    }
    mailbox->last = task;
    (void)pthread_mutex_unlock(&mailbox->lock);
    if (was_empty && mailbox->wake != NULL) {
        mailbox->wake(mailbox);
    }
}

size_t vg_mailbox_run(struct vg_mailbox *mailbox)
{
    size_t count = 0;
    for (;;) {
        (void)pthread_mutex_lock(&mailbox->lock);
        struct vg_task *task = mailbox->first;
        mailbox->first = NULL;
        mailbox->last = NULL;
        (void)pthread_mutex_unlock(&mailbox->lock);
        if (task == NULL) {
            return count;
        }
        while (task != NULL) {
            struct vg_task *next = task->next; /* the task may be gone after it ran */
            task->run(task);
            task = next;
            count++;
        }
    }
}

struct vg_executor {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct vg_fair_queue queue;
    size_t queue_max;
    int yields;  /* steps of nice; 0 = not at all */
    size_t idle; /* threads that wait for work; some may have been woken for a task that waits */
    bool stopping;
    unsigned thread_count;
    pthread_t threads[];
};

/* Of this thread alone: Linux has these for each thread. That it may not be allowed is no failure:
 * the thread runs as the others do. */
static void give_way(int steps)
{
    const struct sched_param none = { 0 };
    (void)sched_setscheduler(0, SCHED_BATCH, &none);
    const int now = getpriority(PRIO_PROCESS, 0);
    (void)setpriority(PRIO_PROCESS, 0, now + steps);
}

/* *yielded: what the thread has given way to so far. */
static struct vg_task *executor_take(struct vg_executor *executor, int *yielded)
{
    (void)pthread_mutex_lock(&executor->lock);
    while (executor->queue.count == 0 && !executor->stopping) {
        executor->idle++;
        (void)pthread_cond_wait(&executor->work, &executor->lock);
        executor->idle--;
    }
    struct vg_task *task = vg_fair_queue_take(&executor->queue);
    const int steps = executor->yields;
    (void)pthread_mutex_unlock(&executor->lock);
    if (steps != *yielded) {
        *yielded = steps;
        give_way(steps);
    }
    return task;
}

static void *executor_thread(void *owner)
{
    struct vg_executor *executor = owner;
    struct vg_task *task;
    int yielded = 0;
    while ((task = executor_take(executor, &yielded)) != NULL) {
        task->run(task);
    }
    return NULL;
}

enum vg_reason vg_executor_create(
    const char *name,
    unsigned thread_count,
    size_t queue_max,
    struct vg_executor **out_executor,
    struct vg_error *error)
{
    struct vg_executor *executor = calloc(1, sizeof(*executor) + thread_count * sizeof(pthread_t));
    if (executor == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory for executor threads");
    }
    executor->queue_max = queue_max;
    VG_ASSERT(pthread_mutex_init(&executor->lock, NULL) == 0);
    VG_ASSERT(pthread_cond_init(&executor->work, NULL) == 0);
    for (unsigned i = 0; i < thread_count; i++) {
        if (pthread_create(&executor->threads[i], NULL, executor_thread, executor) != 0) {
            vg_executor_destroy(executor);
            return vg_error_set(error, VG_RESOURCE_LIMIT, "cannot start an executor thread");
        }
        executor->thread_count++;
        char label[16];
        strncpy(label, name, sizeof(label) - 1);
        label[sizeof(label) - 1] = '\0';
        (void)pthread_setname_np(executor->threads[i], label);
    }
    *out_executor = executor;
    return VG_OK;
}

void vg_executor_yield(struct vg_executor *executor, int steps)
{
    VG_ASSERT(steps >= 0);
    (void)pthread_mutex_lock(&executor->lock);
    VG_ASSERT(executor->yields == 0);
    executor->yields = steps;
    (void)pthread_mutex_unlock(&executor->lock);
}

void vg_executor_destroy(struct vg_executor *executor)
{
    if (executor == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&executor->lock);
    executor->stopping = true;
    (void)pthread_cond_broadcast(&executor->work);
    (void)pthread_mutex_unlock(&executor->lock);
    for (unsigned i = 0; i < executor->thread_count; i++) {
        (void)pthread_join(executor->threads[i], NULL);
    }
    (void)pthread_cond_destroy(&executor->work);
    (void)pthread_mutex_destroy(&executor->lock);
    free(executor);
}

static void append_locked(struct vg_executor *executor, uint64_t caller, struct vg_task *task)
{
    vg_fair_queue_put(&executor->queue, caller, task);
    (void)pthread_cond_signal(&executor->work);
}

static size_t room_locked(const struct vg_executor *executor)
{
    const size_t waiting = executor->queue.count;
    return waiting < executor->queue_max && !executor->stopping ? executor->queue_max - waiting : 0;
}

bool vg_executor_post(struct vg_executor *executor, struct vg_task *task)
{
    (void)pthread_mutex_lock(&executor->lock);
    const bool taken = room_locked(executor) > 0;
    if (taken) {
        append_locked(executor, VG_TASK_CALLER_NONE, task);
    }
    (void)pthread_mutex_unlock(&executor->lock);
    return taken;
}

bool vg_executor_post_for(struct vg_executor *executor, uint64_t caller, struct vg_task *task)
{
    (void)pthread_mutex_lock(&executor->lock);
    const size_t room = room_locked(executor);
    const bool taken = vg_fair_queue_count_of(&executor->queue, caller) < room;
    if (taken) {
        append_locked(executor, caller, task);
    }
    (void)pthread_mutex_unlock(&executor->lock);
    if (!taken && room > 0) {
        vg_metrics_add(VG_METRIC_executor_share_refused_total, 1);
    }
    return taken;
}

bool vg_executor_resume_for(struct vg_executor *executor, uint64_t caller, struct vg_task *task)
{
    (void)pthread_mutex_lock(&executor->lock);
    const bool taken = !executor->stopping;
    if (taken) {
        append_locked(executor, caller, task);
    }
    (void)pthread_mutex_unlock(&executor->lock);
    return taken;
}

bool vg_executor_offer(struct vg_executor *executor, struct vg_task *task)
{
    (void)pthread_mutex_lock(&executor->lock);
    const bool taken = executor->queue.count < executor->idle && room_locked(executor) > 0;
    if (taken) {
        append_locked(executor, VG_TASK_CALLER_NONE, task);
    }
    (void)pthread_mutex_unlock(&executor->lock);
    return taken;
}

size_t vg_executor_waiting(struct vg_executor *executor)
{
    (void)pthread_mutex_lock(&executor->lock);
    const size_t waiting = executor->queue.count;
    (void)pthread_mutex_unlock(&executor->lock);
    return waiting;
}
