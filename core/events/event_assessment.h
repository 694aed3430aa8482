/*
 * The rule of assessment: what an analyst's verdict makes of an event (events-api.md 3.8, 3.9).
 * Both API versions translate theirs into these values. Events that are final are assessed as well.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_EVENTS_EVENT_ASSESSMENT_H
#define VG_CORE_EVENTS_EVENT_ASSESSMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/events/event_lineage.h"
#include "core/events/event_submission.h"
#include "core/record/event_record.h"

/* A comment that its user has given this event within so many milliseconds is not added again: a
 * client that repeats a request does not repeat its comment (conventions.md 10). */
#define VG_EVENT_COMMENT_REPEAT_MS 60000

/* What stands before the keys of assessment properties. */
#define VG_EVENT_ASSESSMENT_PREFIX "meta.argus.assessment."

/* Characters of the key of an assessment property, without the prefix. */
#define VG_EVENT_ASSESSMENT_KEY_MAX 1024u

struct vg_event_assessment {
    struct vg_bytes comment; /* size 0 = none */
    struct vg_event_flags enable;
    struct vg_event_flags disable;
    bool acknowledge; /* sets ACKNOWLEDGED, unless `disable` has it */
    int32_t severity; /* VG_EVENT_SEVERITY_UNSET = as it is */
    bool handled_by_analyst;
    bool publish;        /* a publication in the future is now */
    bool dissociate_all; /* before anything is associated */
    const int64_t *associate;
    uint32_t associate_count;
    const int64_t *dissociate;
    uint32_t dissociate_count;
    const struct vg_event_property *properties; /* with prefix, sorted by key, each once */
    uint32_t property_count;

    struct vg_event_author author; /* who assesses */
    struct vg_bytes author_wire;   /* the same as packed vigil.record.v1.EventUser, for comments */
    const struct vg_event_rules *rules;
};

/* Is this the key of an assessment property: names of lower-case beginning, separated by dots? */
VG_MUST_USE bool vg_event_assessment_is_key(struct vg_bytes key);

/*
 * Assess `record` at `now`. Raw events have no cases: those are passed over. Lists of the result
 * live in `arena` or where they were. last_updated and revision are the caller's.
 *
 * Fails with: REQUEST_MEMORY; STORE_CORRUPT (comments that are none). The limits of an event are
 * those of vg_event_record_pack.
 */
VG_MUST_USE enum vg_reason vg_event_assessment_apply(
    struct vg_event_record *record,
    const struct vg_event_assessment *assessment,
    vg_time now,
    struct vg_arena *arena);

#endif
