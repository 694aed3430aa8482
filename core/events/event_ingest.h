/*
 * Events as a domain of ingest: how the writer merges a submission into what is stored.
 *
 * Threads: the domain is constant once made; merges run on the writer.
 */
#ifndef VG_CORE_EVENTS_EVENT_INGEST_H
#define VG_CORE_EVENTS_EVENT_INGEST_H

#include "core/events/event_submission.h"
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

#endif
