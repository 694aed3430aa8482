#include "core/base/shared_work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"

/* What owner and helper have in common. The helper may come when the owner has long gone: the last
 * of the two frees it. */
struct shared {
    struct vg_task task;
    struct vg_shared_work work; /* its owner is there as long as the job is not closed */
    atomic_uint next;           /* part to begin with */
    pthread_mutex_t lock;
    pthread_cond_t left;
    bool is_closed; /* the owner has gone, or waits */
    bool is_helped; /* a helper is at it */
    uint32_t refs;
};

static bool take_slice(struct shared *shared, uint32_t *out_first, uint32_t *out_count)
{
    uint32_t count = shared->work.count;
    uint32_t first = atomic_load(&shared->next);
    uint32_t taken;
    do {
        if (first >= count) {
            return false;
        }
        taken = count - first < shared->work.slice ? count - first : shared->work.slice;
    } while (!atomic_compare_exchange_weak(&shared->next, &first, first + taken));
    *out_first = first;
    *out_count = taken;
    return true;
}

static void work_on(struct shared *shared)
{
    uint32_t first;
    uint32_t count;
    while (take_slice(shared, &first, &count)) {
        if (!shared->work.run(shared->work.owner, first, count)) {
            atomic_store(&shared->next, shared->work.count);
        }
    }
}

static void init_shared(struct shared *shared, const struct vg_shared_work *work)
{
    *shared = (struct shared){ .work = *work, .refs = 1 };
    atomic_init(&shared->next, 0);
    VG_ASSERT(pthread_mutex_init(&shared->lock, NULL) == 0);
    VG_ASSERT(pthread_cond_init(&shared->left, NULL) == 0);
}

/* Under the lock, which is given up. */
static void unref_locked(struct shared *shared)
{
    bool is_last = --shared->refs == 0;
    (void)pthread_mutex_unlock(&shared->lock);
    if (is_last) {
        (void)pthread_cond_destroy(&shared->left);
        (void)pthread_mutex_destroy(&shared->lock);
        free(shared);
    }
}

static void help(struct vg_task *task)
{
    struct shared *shared = VG_CONTAINER_OF(task, struct shared, task);
    (void)pthread_mutex_lock(&shared->lock);
    if (!shared->is_closed) {
        shared->is_helped = true;
        (void)pthread_mutex_unlock(&shared->lock);
        work_on(shared);
        (void)pthread_mutex_lock(&shared->lock);
        shared->is_helped = false;
        (void)pthread_cond_signal(&shared->left);
    }
    unref_locked(shared);
}

static void work_alone(const struct vg_shared_work *work)
{
    bool goes_on = true;
    for (uint32_t first = 0; goes_on && first < work->count;) {
        uint32_t rest = work->count - first;
        uint32_t count = rest < work->slice ? rest : work->slice;
        goes_on = work->run(work->owner, first, count);
        first += count;
    }
}

void vg_shared_work_run(const struct vg_shared_work *work, struct vg_executor *helpers)
{
    VG_ASSERT(work->slice > 0);
    struct shared *shared = NULL;
    if (helpers != NULL && work->count > work->slice) {
        shared = malloc(sizeof(*shared));
    }
    if (shared == NULL) {
        work_alone(work);
        return;
    }
    init_shared(shared, work);
    shared->task.run = help;
    shared->refs = 2;
    if (!vg_executor_offer(helpers, &shared->task)) {
        shared->refs = 1; /* nobody else has seen it */
    }
    work_on(shared);
    (void)pthread_mutex_lock(&shared->lock);
    shared->is_closed = true;
    while (shared->is_helped) {
        (void)pthread_cond_wait(&shared->left, &shared->lock);
    }
    unref_locked(shared);
}
