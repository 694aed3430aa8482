#include "core/ingest/ingest_queue.h"

#include <errno.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/metrics.h"

#define IDLE_WAIT_NS  UINT64_C(1000000000)
#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS     UINT64_C(1000000)

void vg_ingest_queue_init(struct vg_ingest_queue *queue, const struct vg_ingest_settings *settings)
{
    *queue = (struct vg_ingest_queue){ .settings = settings };
    pthread_condattr_t attributes;
    VG_ASSERT(pthread_condattr_init(&attributes) == 0);
    VG_ASSERT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    VG_ASSERT(pthread_cond_init(&queue->wake, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    VG_ASSERT(pthread_mutex_init(&queue->lock, NULL) == 0);
}

void vg_ingest_queue_dispose(struct vg_ingest_queue *queue)
{
    VG_ASSERT(queue->first == NULL);
    (void)pthread_cond_destroy(&queue->wake);
    (void)pthread_mutex_destroy(&queue->lock);
}

/* ---- under the lock */

static void note_waiting(struct vg_ingest_queue *queue, int64_t items, int64_t bytes)
{
    queue->waiting_items = (size_t)((int64_t)queue->waiting_items + items);
    queue->waiting_bytes = (size_t)((int64_t)queue->waiting_bytes + bytes);
    vg_metrics_move(VG_METRIC_ingest_queue_events, items);
    vg_metrics_move(VG_METRIC_ingest_queue_bytes, bytes);
}

static struct vg_ingest_place *take_first(struct vg_ingest_queue *queue)
{
    struct vg_ingest_place *place = queue->first;
    queue->first = place->next;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    place->next = NULL;
    note_waiting(queue, -(int64_t)place->items, -(int64_t)place->bytes);
    return place;
}

/* Take what makes the next batch: one write, or submissions up to the limits, and always one. */
static struct vg_ingest_place *take_group(struct vg_ingest_queue *queue)
{
    if (queue->first == NULL) {
        return NULL;
    }
    struct vg_ingest_place *taken = take_first(queue);
    struct vg_ingest_place *last = taken;
    size_t items = taken->items;
    size_t bytes = taken->bytes;
    while (!taken->is_write && queue->first != NULL && !queue->first->is_write &&
           items + queue->first->items <= queue->settings->group_items_max &&
           bytes + queue->first->bytes <= queue->settings->group_bytes_max) {
        last->next = take_first(queue);
        last = last->next;
        items += last->items;
        bytes += last->bytes;
    }
    return taken;
}

static bool is_full_for(const struct vg_ingest_queue *queue, const struct vg_ingest_place *place)
{
    /* Into an empty queue everything fits: what is larger than the queue must get through. */
    return queue->first != NULL &&
           (queue->waiting_items + place->items > queue->settings->queue_items_max ||
            queue->waiting_bytes + place->bytes > queue->settings->queue_bytes_max);
}

static void append(struct vg_ingest_queue *queue, struct vg_ingest_place *place)
{
    place->next = NULL;
    if (queue->last == NULL) {
        queue->first = place;
        /* Else the writer is awake, or keeps its pace. */
        (void)pthread_cond_signal(&queue->wake);
    } else {
        queue->last->next = place;
    }
    queue->last = place;
    note_waiting(queue, place->items, (int64_t)place->bytes);
}

/* Sleep up to `wait_ns`, less when woken. False when the time is over. */
static bool sleep_up_to(struct vg_ingest_queue *queue, uint64_t wait_ns)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + wait_ns;
    until.tv_sec += (time_t)(ns / NS_PER_SECOND);
    until.tv_nsec = (long)(ns % NS_PER_SECOND);
    return pthread_cond_timedwait(&queue->wake, &queue->lock, &until) != ETIMEDOUT;
}

static void wait_for_work(struct vg_ingest_queue *queue)
{
    uint64_t wait_ns = queue->refuses ? queue->settings->recover_wait_ms * NS_PER_MS : IDLE_WAIT_NS;
    while (!queue->has_errands && !queue->draining && queue->first == NULL) {
        if (!sleep_up_to(queue, wait_ns)) {
            return;
        }
    }
}

static void wait_for_pace(
    struct vg_ingest_queue *queue,
    const struct vg_commit_pace *pace,
    const struct vg_clock *clock)
{
    uint64_t wait_ns = vg_commit_pace_wait_ns(pace, vg_clock_monotonic_ns(clock));
    if (queue->first == NULL || wait_ns == 0) {
        return;
    }
    queue->paced_ns += wait_ns;
    while (wait_ns > 0 && !queue->has_errands && !queue->draining && sleep_up_to(queue, wait_ns)) {
        wait_ns = vg_commit_pace_wait_ns(pace, vg_clock_monotonic_ns(clock));
    }
}

/* ---- taking the lock */

enum vg_reason vg_ingest_queue_push(
    struct vg_ingest_queue *queue,
    struct vg_ingest_place *place,
    struct vg_error *error)
{
    enum vg_reason reason = VG_OK;
    (void)pthread_mutex_lock(&queue->lock);
    if (queue->draining) {
        reason = vg_error_set(error, VG_DRAINING, NULL);
    } else if (queue->refuses) {
        reason = vg_error_set(error, VG_STORE_UNAVAILABLE, NULL);
    } else if (is_full_for(queue, place)) {
        reason = vg_error_set(error, VG_OVERLOADED, NULL);
        vg_metrics_add(VG_METRIC_ingest_refused_total, place->items);
    } else {
        append(queue, place);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return reason;
}

void vg_ingest_queue_errand(struct vg_ingest_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->has_errands = true;
    (void)pthread_cond_signal(&queue->wake);
    (void)pthread_mutex_unlock(&queue->lock);
}

void vg_ingest_queue_drain(struct vg_ingest_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->draining = true;
    (void)pthread_cond_signal(&queue->wake);
    (void)pthread_mutex_unlock(&queue->lock);
}

struct vg_ingest_turn vg_ingest_queue_wait(
    struct vg_ingest_queue *queue,
    const struct vg_commit_pace *pace,
    const struct vg_clock *clock,
    bool holds)
{
    struct vg_ingest_turn turn = { .group = NULL };
    (void)pthread_mutex_lock(&queue->lock);
    wait_for_work(queue);
    wait_for_pace(queue, pace, clock);
    bool errands = queue->has_errands;
    queue->has_errands = false;
    turn.refuses = queue->refuses;
    if (!errands) { /* they come first, and what waits in the next turn */
        turn.group = holds && !queue->draining ? NULL : take_group(queue);
        turn.drained = queue->draining && turn.group == NULL;
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return turn;
}

struct vg_ingest_place *vg_ingest_queue_refuse(struct vg_ingest_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->refuses = true;
    struct vg_ingest_place *waiting = queue->first;
    queue->first = NULL;
    queue->last = NULL;
    note_waiting(queue, -(int64_t)queue->waiting_items, -(int64_t)queue->waiting_bytes);
    (void)pthread_mutex_unlock(&queue->lock);
    return waiting;
}

void vg_ingest_queue_accept(struct vg_ingest_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->refuses = false;
    (void)pthread_mutex_unlock(&queue->lock);
}

void vg_ingest_queue_read_figures(struct vg_ingest_queue *queue, struct vg_ingest_figures *figures)
{
    (void)pthread_mutex_lock(&queue->lock);
    figures->waiting_items = queue->waiting_items;
    figures->waiting_bytes = queue->waiting_bytes;
    figures->paced_ns = queue->paced_ns;
    figures->failed = queue->refuses;
    (void)pthread_mutex_unlock(&queue->lock);
}
