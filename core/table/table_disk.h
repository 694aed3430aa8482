/*
 * The table's files: one flat folder, files written once, synced, renamed, mapped read-only and
 * removed. Never written through a mapping: a full disk must be an error, not a signal.
 *
 * Tests give hooks that see every step first: to fail it, to stop the world there, or to keep track
 * of what a loss of power would leave.
 *
 * Threads: one at a time.
 */
#ifndef VG_CORE_TABLE_TABLE_DISK_H
#define VG_CORE_TABLE_TABLE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

#define VG_DISK_NAME_SIZE 80

enum vg_disk_step {
    VG_DISK_WRITE,
    VG_DISK_SYNC,
    VG_DISK_RENAME,
    VG_DISK_REMOVE,
    VG_DISK_SYNC_FOLDER,
};

struct vg_disk_hooks {
    /* Called before the step; anything but VG_OK becomes its result, and it is not done. */
    enum vg_reason (
        *before)(void *owner, enum vg_disk_step step, const char *name, struct vg_error *error);
    /* Called after a step that was done. */
    void (*after)(void *owner, enum vg_disk_step step, const char *name, const char *new_name);
    void *owner;
    bool skips_sync; /* syncs are told, not done: a model of a disk needs no real one */
};

struct vg_disk;

/* Open the folder, made if missing. `hooks` may be NULL. Fails with: STORE_IO. */
VG_MUST_USE enum vg_reason vg_disk_open(
    const char *path,
    const struct vg_disk_hooks *hooks,
    struct vg_disk **out_disk,
    struct vg_error *error);
void vg_disk_close(struct vg_disk *disk); /* accepts NULL */

/* Make the file `name` with this content. Not yet durable. Fails with: STORE_FULL, STORE_IO. */
VG_MUST_USE enum vg_reason vg_disk_write(
    struct vg_disk *disk,
    const char *name,
    struct vg_bytes content,
    struct vg_error *error);

/* Make the content of `name` durable. Fails with: STORE_FULL, STORE_IO. */
VG_MUST_USE enum vg_reason vg_disk_sync(
    struct vg_disk *disk,
    const char *name,
    struct vg_error *error);

/* Make the names in the folder durable. Fails with: STORE_IO. */
VG_MUST_USE enum vg_reason vg_disk_sync_folder(struct vg_disk *disk, struct vg_error *error);

VG_MUST_USE enum vg_reason vg_disk_rename(
    struct vg_disk *disk,
    const char *name,
    const char *new_name,
    struct vg_error *error);

/* A file that is not there is fine. */
VG_MUST_USE enum vg_reason vg_disk_remove(
    struct vg_disk *disk,
    const char *name,
    struct vg_error *error);

/* Remove every file whose name `keep` does not claim. */
VG_MUST_USE enum vg_reason vg_disk_sweep(
    struct vg_disk *disk,
    bool (*keep)(void *owner, const char *name),
    void *owner,
    struct vg_error *error);

/*
 * Map the file read-only; *out_size is its size. NULL when it is not there, empty, or cannot be
 * mapped. Unmap with vg_disk_unmap.
 */
VG_MUST_USE void *vg_disk_map(struct vg_disk *disk, const char *name, size_t *out_size);
void vg_disk_unmap(void *mapping, size_t size);

#endif
