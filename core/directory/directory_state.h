/*
 * What directory.c and directory_change.c share. Private to core/directory.
 *
 * Threads: as directory.h says.
 */
#ifndef VG_CORE_DIRECTORY_DIRECTORY_STATE_H
#define VG_CORE_DIRECTORY_DIRECTORY_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/base/arena.h"
#include "core/directory/directory.h"
#include "core/directory/directory_entry.h"
#include "core/directory/zone_set.h"

struct vg_directory {
    struct vg_store *store;
    struct vg_arena arena; /* of entries; used by the writer thread */
    struct vg_zone_set zones;
    /* Of `current`: taken to read the pointer and count the reference, nothing else. */
    pthread_mutex_t lock;
    struct vg_directory_snapshot *current;
    _Atomic int64_t subject_id; /* the largest of a user or group, in use or given out */
};

enum vg_directory_taken {
    VG_DIRECTORY_TAKEN_NOTHING,
    VG_DIRECTORY_TAKEN_NAME,
    VG_DIRECTORY_TAKEN_ID,
};

/* What the snapshot has already of `entry`. */
enum vg_directory_taken vg_directory_find_taken(
    const struct vg_directory_snapshot *snapshot,
    enum vg_directory_kind kind,
    const struct vg_directory_entry *entry);

/* Publish the snapshot that follows the current one, with `entry` added, or in place of the one of
 * its id or name. On the writer thread; `entry` lives as long as the directory. */
void vg_directory_put(
    struct vg_directory *directory,
    enum vg_directory_kind kind,
    const struct vg_directory_entry *entry);

#endif
