/*
 * Events as a domain of ingest: how the writer merges a submission, or an assessment, into what is
 * stored.
 *
 * Threads: the domain is constant once made; merges run on the writer.
 */
#ifndef VG_CORE_EVENTS_EVENT_INGEST_H
#define VG_CORE_EVENTS_EVENT_INGEST_H

#include "core/events/event_assessment.h"
#include "core/events/event_submission.h"
#include "core/events/event_table.h"
#include "core/ingest/ingest.h"

/*
 * The domain of events: stateless, one for all. The rows it hands on (vg_ingest_change.new_row)
 * are struct vg_row of vg_event_table_schema.
 */
struct vg_ingest_domain *vg_event_ingest_domain(void);

/* Make a prepared submission an item of a submission to ingest. */
void vg_event_ingest_add(
    struct vg_ingest_submission *group,
    struct vg_event_submission *submission);

/* Bytes that a change by assessment counts in the queue beside its comment. */
#define VG_EVENT_ASSESSMENT_WEIGHT 1024u

/* One event to be assessed. */
struct vg_event_assessment_item {
    struct vg_ingest_item item;
    const struct vg_event_assessment *assessment;
    /* The event has to have one of these revisions, if there are any; else PRECONDITION_FAILED.
     * Borrowed. */
    const uint64_t *revisions;
    uint32_t revision_count;
    bool is_optional; /* no such event is no failure: the item is VG_INGEST_UNCHANGED then */
    struct vg_event_id_row identity;
    uint8_t key[80]; /* of an event: four parts, escaped */
};

/* Make `item` the assessment of the event `id`, and one of the submission `group`. The assessment
 * must stay until it is answered. An item may be used again then. The revisions asked for, none
 * here, may be set behind. */
void vg_event_ingest_assess(
    struct vg_ingest_submission *group,
    struct vg_event_assessment_item *item,
    const struct vg_event_assessment *assessment,
    const struct vg_event_id *id,
    bool is_optional);

#endif
