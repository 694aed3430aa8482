/*
 * Readiness: does the server take work? The one truth behind grpc.health.v1 and /readyz.
 *
 *     starting → ready → leaving
 *
 * Starting: the port is open, the data are not there yet. Leaving: the server has been told to end;
 * who routes work to it should stop before its listeners close. Nothing goes back.
 *
 * Who wants to hear of changes embeds a watch. Its memory belongs to the readiness while it
 * watches, because a change may be on its way to the worker when it ends. The last change is made
 * before the workers are told to end, so that all of it arrives.
 *
 * Threads: state and changes any thread; a watch begins, hears and ends on the thread of its
 * mailbox. No lock is held while anybody is told.
 */
#ifndef VG_RPC_SERVICE_READINESS_H
#define VG_RPC_SERVICE_READINESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/base/task.h"

enum vg_readiness_state { VG_READINESS_READY, VG_READINESS_STARTING, VG_READINESS_LEAVING };

struct vg_readiness_watch {
    struct vg_mailbox *home;
    /* The state may have changed; not after vg_readiness_unwatch. */
    void (*changed)(struct vg_readiness_watch *watch);
    /* Free the watch. */
    void (*destroy)(struct vg_readiness_watch *watch);

    /* Private. */
    struct vg_readiness *readiness;
    struct vg_task task;
    struct vg_readiness_watch *next;
    struct vg_readiness_watch *previous;
    bool posted; /* the task is on its way */
    bool over;
};

/* All zero is a valid one: ready, nobody watches. */
struct vg_readiness {
    _Atomic int state; /* enum vg_readiness_state */
    pthread_mutex_t lock;
    struct vg_readiness_watch *watches;
};

void vg_readiness_init(struct vg_readiness *readiness, enum vg_readiness_state state);

/* After the workers have ended: nobody watches any more. */
void vg_readiness_dispose(struct vg_readiness *readiness);

enum vg_readiness_state vg_readiness_state(const struct vg_readiness *readiness);

/* Change the state and tell those who watch. What was written before is seen by who sees it. */
void vg_readiness_become(struct vg_readiness *readiness, enum vg_readiness_state state);

/* From now on `watch` hears of changes. */
void vg_readiness_watch(struct vg_readiness *readiness, struct vg_readiness_watch *watch);

/* It hears nothing more, and is destroyed now or soon. */
void vg_readiness_unwatch(struct vg_readiness_watch *watch);

#endif
