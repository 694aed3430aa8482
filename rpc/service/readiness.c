#include "rpc/service/readiness.h"

#include "core/base/assert.h"
#include "core/base/compiler.h"

void vg_readiness_init(struct vg_readiness *readiness, enum vg_readiness_state state)
{
    atomic_init(&readiness->state, (int)state);
    (void)pthread_mutex_init(&readiness->lock, NULL);
    readiness->watches = NULL;
}

void vg_readiness_dispose(struct vg_readiness *readiness)
{
    VG_ASSERT(readiness->watches == NULL);
    (void)pthread_mutex_destroy(&readiness->lock);
}

enum vg_readiness_state vg_readiness_state(const struct vg_readiness *readiness)
{
    return (enum vg_readiness_state)atomic_load_explicit(&readiness->state, memory_order_acquire);
}

static void unlink_watch(struct vg_readiness *readiness, struct vg_readiness_watch *watch)
{
    if (watch->previous != NULL) {
        watch->previous->next = watch->next;
    } else {
        readiness->watches = watch->next;
    }
    if (watch->next != NULL) {
        watch->next->previous = watch->previous;
    }
}

/* On the watch's thread. */
static void tell(struct vg_task *task)
{
    struct vg_readiness_watch *watch = VG_CONTAINER_OF(task, struct vg_readiness_watch, task);
    struct vg_readiness *readiness = watch->readiness;
    (void)pthread_mutex_lock(&readiness->lock);
    watch->posted = false;
    bool over = watch->over;
    if (over) {
        unlink_watch(readiness, watch);
    }
    (void)pthread_mutex_unlock(&readiness->lock);
    if (over) {
        watch->destroy(watch);
    } else {
        watch->changed(watch);
    }
}

void vg_readiness_become(struct vg_readiness *readiness, enum vg_readiness_state state)
{
    struct vg_task *first = NULL;
    (void)pthread_mutex_lock(&readiness->lock);
    atomic_store_explicit(&readiness->state, (int)state, memory_order_release);
    for (struct vg_readiness_watch *watch = readiness->watches; watch != NULL;
         watch = watch->next) {
        if (!watch->posted && !watch->over) {
            watch->posted = true; /* so it stays until its task has run */
            watch->task = (struct vg_task){ .next = first, .run = tell };
            first = &watch->task;
        }
    }
    (void)pthread_mutex_unlock(&readiness->lock);
    while (first != NULL) {
        struct vg_task *task = first;
        first = task->next;
        vg_mailbox_post(
            VG_CONTAINER_OF(task, struct vg_readiness_watch, task)->home,
            task); /* may be run, and gone, at once */
    }
}

void vg_readiness_watch(struct vg_readiness *readiness, struct vg_readiness_watch *watch)
{
    (void)pthread_mutex_lock(&readiness->lock);
    watch->readiness = readiness;
    watch->posted = false;
    watch->over = false;
    watch->previous = NULL;
    watch->next = readiness->watches;
    if (watch->next != NULL) {
        watch->next->previous = watch;
    }
    readiness->watches = watch;
    (void)pthread_mutex_unlock(&readiness->lock);
}

void vg_readiness_unwatch(struct vg_readiness_watch *watch)
{
    struct vg_readiness *readiness = watch->readiness;
    (void)pthread_mutex_lock(&readiness->lock);
    bool posted = watch->posted;
    watch->over = true;
    if (!posted) {
        unlink_watch(readiness, watch);
    }
    (void)pthread_mutex_unlock(&readiness->lock);
    if (!posted) {
        watch->destroy(watch);
    }
}
