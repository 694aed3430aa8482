/*
 * Why this is enough. All loads and stores below are sequentially consistent. A reader stores its
 * slot and then loads the shared pointer; the writer stores the pointer and then looks at the
 * slots. So either the writer sees the slot, or the reader sees the new pointer. A slot that
 * carries a later epoch than the one that ended belongs to a reader which read the epoch after the
 * pointer had been replaced.
 */
#include "core/table/epoch.h"

#include <sched.h>
#include <stddef.h>

void vg_epoch_init(struct vg_epoch *epoch)
{
    atomic_init(&epoch->now, 1);
    for (unsigned i = 0; i < VG_EPOCH_SLOTS; i++) {
        atomic_init(&epoch->slots[i].entered, 0);
    }
}

unsigned vg_epoch_enter(struct vg_epoch *epoch)
{
    /* Threads start at different slots, so that they seldom meet. */
    static _Thread_local unsigned home;
    static _Atomic unsigned homes;
    if (home == 0) {
        home = 1 + atomic_fetch_add(&homes, 1);
    }
    for (unsigned i = home;; i++) {
        struct vg_epoch_slot *slot = &epoch->slots[i % VG_EPOCH_SLOTS];
        uint64_t expected = 0;
        if (atomic_load(&slot->entered) == 0 &&
            atomic_compare_exchange_strong(&slot->entered, &expected, atomic_load(&epoch->now))) {
            return i % VG_EPOCH_SLOTS;
        }
        if ((i - home) % VG_EPOCH_SLOTS == VG_EPOCH_SLOTS - 1) {
            (void)sched_yield();
        }
    }
}

void vg_epoch_leave(struct vg_epoch *epoch, unsigned slot)
{
    atomic_store(&epoch->slots[slot].entered, 0);
}

uint64_t vg_epoch_advance(struct vg_epoch *epoch)
{
    return atomic_fetch_add(&epoch->now, 1);
}

bool vg_epoch_passed(struct vg_epoch *epoch, uint64_t ended)
{
    for (unsigned i = 0; i < VG_EPOCH_SLOTS; i++) {
        uint64_t entered = atomic_load(&epoch->slots[i].entered);
        if (entered != 0 && entered <= ended) {
            return false;
        }
    }
    return true;
}

void vg_retired_add(
    struct vg_retired_list *list,
    struct vg_epoch *epoch,
    struct vg_retired *retired,
    void (*destroy)(struct vg_retired *retired))
{
    retired->next = list->first;
    retired->ended = vg_epoch_advance(epoch);
    retired->destroy = destroy;
    list->first = retired;
}

bool vg_retired_collect(struct vg_retired_list *list, struct vg_epoch *epoch)
{
    struct vg_retired **link = &list->first;
    while (*link != NULL) {
        struct vg_retired *retired = *link;
        if (vg_epoch_passed(epoch, retired->ended)) {
            *link = retired->next;
            retired->destroy(retired);
        } else {
            link = &retired->next;
        }
    }
    return list->first == NULL;
}
