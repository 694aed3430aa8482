#include "core/directory/zone_set.h"

#include <string.h>

#include "core/base/assert.h"

void vg_zone_set_init(struct vg_zone_set *set)
{
    *set = (struct vg_zone_set){ .count = 0 };
    VG_ASSERT(pthread_mutex_init(&set->lock, NULL) == 0);
}

void vg_zone_set_dispose(struct vg_zone_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        vg_zone_destroy(set->zones[i]);
    }
    (void)pthread_mutex_destroy(&set->lock);
}

static enum vg_reason find_locked(
    struct vg_zone_set *set,
    const char *name,
    const struct vg_zone **out_zone,
    struct vg_error *error)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(vg_zone_name(set->zones[i]), name) == 0) {
            *out_zone = set->zones[i];
            return VG_OK;
        }
    }
    if (set->count == VG_ZONE_SET_MAX) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "too many time zones");
    }
    enum vg_reason reason = vg_zone_create(vg_bytes_text(name), &set->zones[set->count], error);
    if (reason == VG_OK) {
        *out_zone = set->zones[set->count++];
    }
    return reason;
}

enum vg_reason vg_zone_set_find(
    struct vg_zone_set *set,
    const char *name,
    const struct vg_zone **out_zone,
    struct vg_error *error)
{
    (void)pthread_mutex_lock(&set->lock);
    enum vg_reason reason = find_locked(set, name, out_zone, error);
    (void)pthread_mutex_unlock(&set->lock);
    return reason;
}
