#include "core/base/fair_queue.h"

#include "core/base/assert.h"

/* Callers are told apart by addresses as well as by small numbers: both are spread. */
static size_t bucket_of(uint64_t caller)
{
    return (size_t)((caller * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

_Static_assert(VG_FAIR_QUEUE_BUCKETS == 256, "bucket_of takes eight bits");

/* The first task of a caller's line, or NULL. */
static struct vg_task *find(const struct vg_fair_queue *queue, uint64_t caller)
{
    struct vg_task *task = queue->buckets[bucket_of(caller)];
    while (task != NULL && task->line.caller != caller) {
        task = task->line.next_in_bucket;
    }
    return task;
}

size_t vg_fair_queue_count_of(const struct vg_fair_queue *queue, uint64_t caller)
{
    const struct vg_task *first = find(queue, caller);
    return first == NULL ? 0 : first->line.count;
}

/* `task` becomes the first of its line, which gets the last turn. */
static void begin_line(struct vg_fair_queue *queue, struct vg_task *task)
{
    struct vg_task **bucket = &queue->buckets[bucket_of(task->line.caller)];
    task->line.next_in_bucket = *bucket;
    *bucket = task;
    task->line.next_line = NULL;
    if (queue->first == NULL) {
        queue->first = task;
    } else {
        queue->last->line.next_line = task;
    }
    queue->last = task;
}

/* The line whose turn it is has none any more. */
static void end_line(struct vg_fair_queue *queue, struct vg_task *task)
{
    struct vg_task **at = &queue->buckets[bucket_of(task->line.caller)];
    while (*at != task) {
        VG_ASSERT(*at != NULL);
        at = &(*at)->line.next_in_bucket;
    }
    *at = task->line.next_in_bucket;
    queue->first = task->line.next_line;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
}

void vg_fair_queue_put(struct vg_fair_queue *queue, uint64_t caller, struct vg_task *task)
{
    struct vg_task *first = find(queue, caller);
    task->next = NULL;
    queue->count++;
    if (first != NULL) {
        first->line.last->next = task;
        first->line.last = task;
        first->line.count++;
        return;
    }
    task->line = (struct vg_task_line){ .caller = caller, .last = task, .count = 1 };
    begin_line(queue, task);
}

struct vg_task *vg_fair_queue_take(struct vg_fair_queue *queue)
{
    struct vg_task *task = queue->first;
    if (task == NULL) {
        return NULL;
    }
    end_line(queue, task);
    queue->count--;
    struct vg_task *next = task->next;
    if (next != NULL) {
        next->line = (struct vg_task_line){ .caller = task->line.caller,
                                            .last = task->line.last,
                                            .count = task->line.count - 1 };
        begin_line(queue, next);
    }
    return task;
}
