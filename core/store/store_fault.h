/*
 * A store that fails on demand: it passes everything to another store, and at chosen points answers
 * with a fault instead. Tests only.
 *
 * A fault is {countdown, repeat}: `countdown` calls go well, the next `repeat` fail, then all go
 * well again.
 *
 * A crash can be simulated: all batches since the last synced one are undone, as a power cut would
 * (LevelDB keeps one log, so a synced batch carries what came before it), and everything fails
 * until vg_store_reopen.
 *
 * Threads: as core/store/store.h says; faults may be set from any thread.
 */
#ifndef VG_CORE_STORE_STORE_FAULT_H
#define VG_CORE_STORE_STORE_FAULT_H

#include "core/store/store.h"

enum vg_fault_point {
    VG_FAULT_APPLY_LOST, /* STORE_UNKNOWN, and the batch was not written */
    VG_FAULT_APPLY_DONE, /* STORE_UNKNOWN, though the batch was written */
    VG_FAULT_APPLY_FULL, /* STORE_FULL, not written */
    VG_FAULT_GET,        /* STORE_IO */
    VG_FAULT_SCAN,       /* STORE_IO after the first entry, if there is one */
    VG_FAULT_VIEW,       /* STORE_UNAVAILABLE */
    VG_FAULT_REOPEN,     /* STORE_IO */
    VG_FAULT_POINT_COUNT,
};

/* As `repeat`: for ever. */
#define VG_FAULT_ALWAYS UINT32_MAX

/* Wrap `taken_inner`, which is closed together with the fault store. Aborts without memory. */
struct vg_store *vg_store_fault_open(struct vg_store *taken_inner);

/* Arm `point`: `countdown` calls go well, then `repeat` fail. Replaces what was armed before. */
void vg_store_fault_set(
    struct vg_store *store,
    enum vg_fault_point point,
    uint32_t countdown,
    uint32_t repeat);

/* How often `point` has failed since it was armed. */
uint32_t vg_store_fault_fired(struct vg_store *store, enum vg_fault_point point);

/* Call `before_apply` (NULL = nobody) on the writing thread at the start of each apply: a test may
 * hold a commit there. */
void vg_store_fault_hook(struct vg_store *store, void (*before_apply)(void *owner), void *owner);

/* Treat every batch as not synced from now on, as a store that only says so: for tests of tests. */
void vg_store_fault_ignore_sync(struct vg_store *store);

/* Lose all that was not synced; from here on everything fails with STORE_UNAVAILABLE until
 * reopened.
 */
void vg_store_fault_crash(struct vg_store *store);

/* What level0_files reports. */
void vg_store_fault_level0_files(struct vg_store *store, unsigned files);

#endif
