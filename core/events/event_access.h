/*
 * Who may do what with events and with the cases they belong to.
 *
 * Threads: pure functions.
 */
#ifndef VG_CORE_EVENTS_EVENT_ACCESS_H
#define VG_CORE_EVENTS_EVENT_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/access/principal.h"
#include "core/base/arena.h"
#include "core/directory/directory.h"

/* Functions of the access model as bits of a principal: numbers of vigil.Permission. */
#define VG_FUNCTION_EVENT_LOOKUP        (UINT64_C(1) << 1)
#define VG_FUNCTION_VIEW_EVENTS_BY_CASE (UINT64_C(1) << 2)
#define VG_FUNCTION_SUBMIT_EVENT        (UINT64_C(1) << 3)
#define VG_FUNCTION_ASSESS_EVENTS       (UINT64_C(1) << 4)

/* Read access to a case: the caller is named as a reader, or may view events by case for the
 * customer of the case (conventions.md 11). */
bool vg_event_access_reads_case(
    const struct vg_principal *principal,
    const struct vg_case *subject);

/*
 * The case `id` and those merged into it, directly or through others, in ascending order; none when
 * there is no such case. The list is in `arena`.
 *
 * False when the arena is full.
 */
VG_MUST_USE bool vg_event_access_merged_cases(
    const struct vg_directory_snapshot *directory,
    int64_t id,
    struct vg_arena *arena,
    const int64_t **out_ids,
    size_t *out_count);

#endif
