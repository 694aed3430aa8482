/*
 * Work handed from one thread to another: a task is a struct its owner embeds, with the function to
 * run.
 *
 * A mailbox collects tasks for one thread (a worker's loop, the writer); whoever posts wakes it. It
 * cannot fill up: a task is embedded in the call it belongs to, and calls are limited, so posting
 * never fails and never allocates. An executor is a fixed number of threads behind a bounded queue;
 * a full queue is an answer, not a wait. Its queue is fair (fair_queue.h): tasks are posted for
 * callers, who are served in turns, and of whom each may have only as many waiting as there is room
 * left for others.
 *
 * Threads: post from any thread; take on the owner's thread.
 */
#ifndef VG_CORE_BASE_TASK_H
#define VG_CORE_BASE_TASK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/base/error.h"

struct vg_task;

/* Of the first task of a line in a fair queue; the queue's own. */
struct vg_task_line {
    uint64_t caller;
    struct vg_task *last;           /* of the line */
    struct vg_task *next_line;      /* first task of the line whose turn is next */
    struct vg_task *next_in_bucket; /* of another line */
    size_t count;                   /* tasks of the line */
};

struct vg_task {
    struct vg_task *next;
    void (*run)(struct vg_task *task); /* may free the task */
    struct vg_task_line line;
};

struct vg_mailbox {
    pthread_mutex_t lock;
    struct vg_task *first;
    struct vg_task *last;
    void (*wake)(
        struct vg_mailbox *mailbox); /* called after a post into an empty mailbox; any thread */
};

/* `wake` makes the owner's thread call vg_mailbox_run soon; NULL = the owner looks by itself. */
void vg_mailbox_init(struct vg_mailbox *mailbox, void (*wake)(struct vg_mailbox *mailbox));

/* Nobody may be posting any more: whoever posted may still be on the way to `wake` when its task
 * has already run. So stop executors and writers first. */
void vg_mailbox_dispose(struct vg_mailbox *mailbox);

/* Hand over `task`; it is run by the owner's next vg_mailbox_run. */
void vg_mailbox_post(struct vg_mailbox *mailbox, struct vg_task *task);

/* Run what has been posted, in order, including what arrives while running. Returns how many ran.
 */
size_t vg_mailbox_run(struct vg_mailbox *mailbox);

struct vg_executor;

/*
 * Start `thread_count` threads named `name` with a queue of at most `queue_max` waiting tasks.
 *
 * Fails with: RESOURCE_LIMIT when a thread cannot be made.
 */
VG_MUST_USE enum vg_reason vg_executor_create(
    const char *name,
    unsigned thread_count,
    size_t queue_max,
    struct vg_executor **out_executor,
    struct vg_error *error);

/*
 * From their next task on its threads give way to others of the process: by `steps` (0 to 19) of
 * nice(2), and by not taking the core from whoever runs when they wake (SCHED_BATCH). Where nobody
 * else wants the core they lose nothing. Once.
 */
void vg_executor_yield(struct vg_executor *executor, int steps);

/* Run what waits, then stop the threads. Accepts NULL. */
void vg_executor_destroy(struct vg_executor *executor);

/* Whose tasks those are that nobody has asked for. */
#define VG_TASK_CALLER_NONE UINT64_C(0)

/* Queue `task` of the server itself; false when the queue is full. */
VG_MUST_USE bool vg_executor_post(struct vg_executor *executor, struct vg_task *task);

/*
 * Queue `task` for `caller`; false when the queue is full, or when the caller has as many tasks
 * waiting as there are places left (he is told OVERLOADED). So one caller alone fills half of the
 * queue, two fill a third each, and whoever comes next finds room.
 */
VG_MUST_USE bool vg_executor_post_for(
    struct vg_executor *executor,
    uint64_t caller,
    struct vg_task *task);

/*
 * The same for what goes on with work that has been taken before: it finds room in any case, as
 * many as such works there are at once. False while the executor stops.
 */
VG_MUST_USE bool vg_executor_resume_for(
    struct vg_executor *executor,
    uint64_t caller,
    struct vg_task *task);

/* Give `task` to a thread that has nothing to do; false when there is none. */
VG_MUST_USE bool vg_executor_offer(struct vg_executor *executor, struct vg_task *task);

/* How many tasks wait now: for metrics. */
size_t vg_executor_waiting(struct vg_executor *executor);

#endif
