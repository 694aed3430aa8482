/*
 * Epoch: when may something that readers could still be looking at be freed?
 *
 * A reader enters before it loads a shared pointer and leaves when it no longer needs what the
 * pointer led to (or has taken a reference). The writer replaces the pointer, advances the epoch
 * and frees the old thing once every reader that entered before has left. Sections are short and
 * never wait: one acquire, or one chunk's evaluation.
 *
 * Threads: enter and leave on any; advance and passed on the writer's.
 */
#ifndef VG_CORE_TABLE_EPOCH_H
#define VG_CORE_TABLE_EPOCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Sections open at one time; one more waits for a slot, which is never long. */
#define VG_EPOCH_SLOTS 64u

struct vg_epoch_slot {
    _Alignas(64) _Atomic uint64_t entered; /* 0 = free */
};

struct vg_epoch {
    _Alignas(64) _Atomic uint64_t now;
    struct vg_epoch_slot slots[VG_EPOCH_SLOTS];
};

void vg_epoch_init(struct vg_epoch *epoch);

/* Returns the slot to leave with. */
unsigned vg_epoch_enter(struct vg_epoch *epoch);
void vg_epoch_leave(struct vg_epoch *epoch, unsigned slot);

/* Returns the epoch that ends with this call: what was unlinked before it is free once that epoch
 * has passed. */
uint64_t vg_epoch_advance(struct vg_epoch *epoch);

/* Has every reader left that entered in `ended` or before? */
bool vg_epoch_passed(struct vg_epoch *epoch, uint64_t ended);

/*
 * Something waiting to be freed: embedded, so that retiring cannot fail.
 */
struct vg_retired {
    struct vg_retired *next;
    uint64_t ended;
    void (*destroy)(struct vg_retired *retired);
};

struct vg_retired_list {
    struct vg_retired *first; /* newest first */
};

/* `retired` is unlinked from all that readers can reach; have it destroyed when its epoch passed.
 */
void vg_retired_add(
    struct vg_retired_list *list,
    struct vg_epoch *epoch,
    struct vg_retired *retired,
    void (*destroy)(struct vg_retired *retired));

/* Destroy what may be. Returns whether nothing waits any more. */
bool vg_retired_collect(struct vg_retired_list *list, struct vg_epoch *epoch);

#endif
