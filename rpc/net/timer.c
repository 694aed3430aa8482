#include "rpc/net/timer.h"

#include "core/base/assert.h"

/* Both are roots; the one due later becomes a child of the other. */
static struct vg_timer *timer_meld(struct vg_timer *a, struct vg_timer *b)
{
    if (a == NULL) {
        return b;
    }
    if (b == NULL) {
        return a;
    }
    if (b->due_ns < a->due_ns) {
        struct vg_timer *other = a;
        a = b;
        b = other;
    }
    b->next = a->child;
    if (b->next != NULL) {
        b->next->back = b;
    }
    b->back = a;
    a->child = b;
    return a;
}

/* One heap of a list of siblings: meld pairs from left to right, then the pairs from right to left.
 */
static struct vg_timer *timer_meld_siblings(struct vg_timer *first)
{
    struct vg_timer *pairs = NULL;
    while (first != NULL) {
        struct vg_timer *a = first;
        struct vg_timer *b = a->next;
        first = b == NULL ? NULL : b->next;
        a->next = NULL;
        a->back = NULL;
        if (b != NULL) {
            b->next = NULL;
            b->back = NULL;
        }
        a = timer_meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    struct vg_timer *root = NULL;
    while (pairs != NULL) {
        struct vg_timer *pair = pairs;
        pairs = pair->next;
        pair->next = NULL;
        root = timer_meld(root, pair);
    }
    return root;
}

void vg_timers_clear(struct vg_timers *timers, struct vg_timer *timer)
{
    if (!timer->is_set) {
        return;
    }
    struct vg_timer *below = timer_meld_siblings(timer->child);
    if (timer == timers->root) {
        timers->root = below;
    } else {
        if (timer->back->child == timer) {
            timer->back->child = timer->next;
        } else {
            timer->back->next = timer->next;
        }
        if (timer->next != NULL) {
            timer->next->back = timer->back;
        }
        timers->root = timer_meld(timers->root, below);
    }
    timer->child = NULL;
    timer->next = NULL;
    timer->back = NULL;
    timer->is_set = false;
}

void vg_timers_set(struct vg_timers *timers, struct vg_timer *timer, uint64_t due_ns)
{
    VG_ASSERT(timer->fire != NULL);
    vg_timers_clear(timers, timer);
    timer->child = NULL;
    timer->next = NULL;
    timer->back = NULL;
    timer->due_ns = due_ns;
    timer->is_set = true;
    timers->root = timer_meld(timers->root, timer);
}

size_t vg_timers_run(struct vg_timers *timers, uint64_t now_ns)
{
    size_t count = 0;
    while (timers->root != NULL && timers->root->due_ns <= now_ns) {
        struct vg_timer *timer = timers->root;
        vg_timers_clear(timers, timer);
        timer->fire(timer);
        count++;
    }
    return count;
}

uint64_t vg_timers_next_ns(const struct vg_timers *timers)
{
    return timers->root == NULL ? UINT64_MAX : timers->root->due_ns;
}
