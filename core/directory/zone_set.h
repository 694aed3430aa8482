/*
 * The time zones that users and locations name, each loaded once and kept until the directory goes.
 *
 * Threads: any; behind a lock, taken seldom (when a record of a user is read).
 */
#ifndef VG_CORE_DIRECTORY_ZONE_SET_H
#define VG_CORE_DIRECTORY_ZONE_SET_H

#include <pthread.h>

#include "core/base/calendar.h"
#include "core/base/error.h"

/* More than the IANA database has, so that only a defect meets it. */
#define VG_ZONE_SET_MAX 1024

struct vg_zone_set {
    pthread_mutex_t lock;
    struct vg_zone *zones[VG_ZONE_SET_MAX];
    size_t count;
};

void vg_zone_set_init(struct vg_zone_set *set);
void vg_zone_set_dispose(struct vg_zone_set *set);

/*
 * The zone of that IANA name, valid as long as the set.
 *
 * Fails with: what vg_zone_create fails with, for an unknown name; RESOURCE_LIMIT.
 */
VG_MUST_USE enum vg_reason vg_zone_set_find(
    struct vg_zone_set *set,
    const char *name,
    const struct vg_zone **out_zone,
    struct vg_error *error);

#endif
