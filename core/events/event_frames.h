/*
 * Statistics of v1: events counted by flat keys in frames of time (events-api.md 5.1).
 *
 * A key is one text for each field that is grouped by. Keys come by count, descending, then by
 * their texts, ascending, none last; frames by time.
 *
 * Threads: a call's.
 */
#ifndef VG_CORE_EVENTS_EVENT_FRAMES_H
#define VG_CORE_EVENTS_EVENT_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/events/event_group.h"
#include "core/events/event_statistics.h"

/* What a frame is a multiple of: numbers of vigil.events.v1.ResolutionUnit. */
enum vg_event_frame_unit {
    VG_EVENT_FRAME_MILLISECONDS = 1,
    VG_EVENT_FRAME_SECONDS = 2,
    VG_EVENT_FRAME_MINUTES = 3,
    VG_EVENT_FRAME_HOURS = 4,
    VG_EVENT_FRAME_DAYS = 5,
    VG_EVENT_FRAME_WEEKS = 6, /* from here on of the UTC calendar, one at a time */
    VG_EVENT_FRAME_MONTHS = 7,
    VG_EVENT_FRAME_YEARS = 8,
};

struct vg_event_frames {
    struct vg_event_counting counting;
    const enum vg_event_group_field *fields;
    size_t field_count; /* at most VG_EVENT_STATISTICS_LEVELS_MAX */
    int64_t resolution; /* 0 = one frame */
    enum vg_event_frame_unit unit;
    vg_time start; /* of the range, inclusive */
    vg_time end;   /* inclusive */
    bool counts_raw;
    uint32_t cutoff; /* keys; 0 = all */
    bool includes_others;
    bool by_timestamp; /* an event is in the frame of its timestamp; else in all that it touches */
};

struct vg_event_frame_key {
    const char **texts; /* of each field; NULL = the events have none */
    bool is_other;
};

struct vg_event_frame_record {
    uint32_t key; /* place in the list of keys */
    int64_t value;
};

struct vg_event_frame {
    vg_time start;
    vg_time end; /* exclusive; of a single frame the end of the range */
    const struct vg_event_frame_record *records;
    size_t record_count;
};

struct vg_event_frames_result {
    const struct vg_event_frame_key *keys; /* never none */
    size_t key_count;
    const struct vg_event_frame *frames; /* that have records */
    size_t frame_count;
};

/*
 * Count; the result is in `arena`.
 *
 * Fails with: INVALID_FIELD_VALUE (a resolution that the unit does not take, too many questions);
 * RESULTSET_TOO_LARGE past VG_LIMIT_STATISTICS_FRAMES or what the table counts; REQUEST_MEMORY;
 * what the snapshot, the table and `check` fail with.
 */
VG_MUST_USE enum vg_reason vg_event_frames_run(
    const struct vg_event_store *source,
    const struct vg_event_frames *request,
    struct vg_arena *arena,
    struct vg_event_frames_result *out_result,
    struct vg_error *error);

#endif
