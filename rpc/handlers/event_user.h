/*
 * Users in answers: who wrote a comment, who changed an event; groups and customers beside them.
 *
 * Threads: pure; everything made is in the arena.
 */
#ifndef VG_RPC_HANDLERS_EVENT_USER_H
#define VG_RPC_HANDLERS_EVENT_USER_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "core/directory/directory.h"

#include "vigil/events/v1/event.pb-c.h"
#include "vigil/events/v2/event.pb-c.h"

/* User `id` as v2 shows him; one that the directory does not know has his id only. Texts are
 * copied. NULL when the arena is full. */
VG_MUST_USE Vigil__Events__V2__UserInfo *vg_event_user_make(
    const struct vg_directory_snapshot *directory,
    int64_t id,
    struct vg_arena *arena);

/* The user or group `id`, the same way. */
VG_MUST_USE Vigil__Events__V2__UserInfo *vg_event_user_subject(
    const struct vg_directory_snapshot *directory,
    int64_t id,
    struct vg_arena *arena);

/* Customer `id` as v2 shows him; one that the directory does not know has his id only. Texts are
 * copied. NULL when the arena is full. */
VG_MUST_USE Vigil__Events__V2__CustomerInfo *vg_event_user_customer(
    const struct vg_directory_snapshot *directory,
    int64_t id,
    struct vg_arena *arena);

/* The same user as v1 shows him. Texts are borrowed. NULL when the arena is full. */
VG_MUST_USE Vigil__Events__V1__UserInfo *vg_event_user_v1(
    const Vigil__Events__V2__UserInfo *user,
    struct vg_arena *arena);

#endif
