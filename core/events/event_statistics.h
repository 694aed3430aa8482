/*
 * Statistics of v2: events counted in nested groups and on timelines (events-api.md 5.2).
 *
 * Threads: a call's.
 */
#ifndef VG_CORE_EVENTS_EVENT_STATISTICS_H
#define VG_CORE_EVENTS_EVENT_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/access/principal.h"
#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/directory/directory.h"
#include "core/events/event_group.h"
#include "core/events/event_reader.h"
#include "core/query/time_span.h"
#include "core/table/predicate.h"

/* Levels of groups, and timelines, of one request. */
#define VG_EVENT_STATISTICS_LEVELS_MAX    16u
#define VG_EVENT_STATISTICS_TIMELINES_MAX 16u

#define VG_EVENT_STATISTICS_LIMIT_DEFAULT 25u

/* What statistics, in either version, are made of. */
struct vg_event_counting {
    const struct vg_predicate *where; /* of vg_event_criteria_compile */
    const struct vg_directory_snapshot *directory;
    const struct vg_principal *principal;
    vg_time now;
    /* Asked now and then; anything but VG_OK ends the work. NULL = never. */
    enum vg_reason (*check)(void *owner, struct vg_error *error);
    void *owner;
};

struct vg_event_group_by {
    enum vg_event_group_field field;
    uint32_t limit; /* 0 = all */
    bool includes_others;
};

/* A time of an event that a timeline is made of: numbers of vigil.events.v2.TimeField. */
enum vg_event_timeline_field {
    VG_EVENT_TIMELINE_CREATED = 1,
    VG_EVENT_TIMELINE_LAST_UPDATED = 2,
    VG_EVENT_TIMELINE_FIRST_ASSESSMENT = 3,
    VG_EVENT_TIMELINE_ENGINE_PERSISTED = 4,
    VG_EVENT_TIMELINE_FIRST_EVENT = 5,
    VG_EVENT_TIMELINE_LAST_EVENT = 6,
};

struct vg_event_timeline_request {
    const char *name;
    enum vg_event_timeline_field field;
    enum vg_time_unit unit;
    bool has_end;  /* else now */
    vg_time start; /* 0 = with the first event */
    vg_time end;
    bool includes_empty;
};

struct vg_event_statistics {
    struct vg_event_counting counting;
    const struct vg_event_group_by *group_by;
    size_t level_count;
    const struct vg_event_timeline_request *timelines;
    size_t timeline_count;
};

struct vg_event_timeline_bucket {
    vg_time timestamp;
    uint64_t count;
    int64_t raw_count;
};

struct vg_event_timeline_metric {
    const char *name;
    uint64_t count;
    int64_t raw_count;
    const struct vg_event_timeline_bucket *buckets;
    size_t bucket_count;
};

struct vg_event_statistics_record {
    enum vg_event_group_field field; /* UNSET = no group */
    bool is_other;
    struct vg_event_group_names names;
    uint64_t count;
    int64_t raw_count; /* none of the other bucket */
    const struct vg_event_statistics_record *children;
    size_t child_count;
    const struct vg_event_timeline_metric *metrics; /* of leaves */
    size_t metric_count;
};

/*
 * Count. The records are in `arena`: those of the first level, or one for all events when there are
 * no levels.
 *
 * Fails with: INVALID_FIELD_VALUE (the criteria ask too many questions); RESULTSET_TOO_LARGE past
 * one of the limits; REQUEST_MEMORY; what the snapshot, the table and `check` fail with.
 */
VG_MUST_USE enum vg_reason vg_event_statistics_run(
    const struct vg_event_store *source,
    const struct vg_event_statistics *statistics,
    struct vg_arena *arena,
    const struct vg_event_statistics_record **out_records,
    size_t *out_count,
    struct vg_error *error);

#endif
