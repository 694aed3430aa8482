/*
 * The rules by which a submission becomes an event, or changes one (events-api.md 3.2, 3.5). Pure.
 *
 * Threads: any.
 */
#ifndef VG_CORE_EVENTS_EVENT_MERGE_H
#define VG_CORE_EVENTS_EVENT_MERGE_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/events/event_submission.h"
#include "core/record/event_record.h"

/*
 * The event that a resolved submission makes where there is none: defaults filled in, flags
 * settled. Times and revision that the commit decides are 0, and so is first_notified. Default
 * properties are the caller's.
 */
void vg_event_merge_create(
    const struct vg_event_submission *submission,
    struct vg_event_record *out_record);

/* Is the event closed for submissions? */
static inline bool vg_event_merge_is_final(const struct vg_event_record *record)
{
    return vg_event_flags_has(&record->flags, VG_EVENT_FLAG_FINALIZED);
}

/*
 * Apply a submission to an event that is not final, at `now`. Lists of the result live in `arena`
 * or where they were. last_updated and revision are the caller's.
 *
 * Fails with: REQUEST_MEMORY. The limits of an event are those of vg_event_record_pack.
 */
VG_MUST_USE enum vg_reason vg_event_merge_update(
    struct vg_event_record *record,
    const struct vg_event_submission *submission,
    vg_time now,
    struct vg_arena *arena);

/*
 * Add properties, sorted by key as the record's are. Keys accumulate; the values of a key are
 * replaced as a whole.
 *
 * Fails with: REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_event_merge_properties(
    struct vg_event_record *record,
    const struct vg_event_property *properties,
    uint32_t property_count,
    struct vg_arena *arena);

/*
 * Associate with those of `cases` that the event is not associated with, before the others. The
 * first association ever sets NOTIFIED and the time of it.
 *
 * Fails with: REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_event_merge_cases(
    struct vg_event_record *record,
    const int64_t *cases,
    uint32_t case_count,
    vg_time now,
    struct vg_arena *arena);

/*
 * The next state of one pair of flags in `state`, after a submission with `submitted`. `created`:
 * there was no event.
 */
void vg_event_merge_pair(
    struct vg_event_flags *state,
    const struct vg_event_flags *submitted,
    const struct vg_event_flag_pair *pair,
    bool created);

#endif
