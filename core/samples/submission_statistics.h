/*
 * Statistics of submissions (sampledb-api.md 5): counts in nested groups, least and greatest times,
 * and timelines of the lowest groups.
 *
 * Threads: a call's.
 */
#ifndef VG_CORE_SAMPLES_SUBMISSION_STATISTICS_H
#define VG_CORE_SAMPLES_SUBMISSION_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/directory/directory.h"
#include "core/query/time_span.h"
#include "core/samples/submission_reader.h"
#include "core/table/predicate.h"

/* Levels of groups, values and timelines of one request. */
#define VG_SUBMISSION_STATISTICS_LEVELS_MAX    16u
#define VG_SUBMISSION_STATISTICS_VALUES_MAX    16u
#define VG_SUBMISSION_STATISTICS_TIMELINES_MAX 16u

#define VG_SUBMISSION_STATISTICS_LIMIT_DEFAULT 25u

/* Numbers of vigil.sampledb.v2.SubmissionGroupField. */
enum vg_submission_group_field {
    VG_SUBMISSION_GROUP_CUSTOMER = 1,
    VG_SUBMISSION_GROUP_FILE_NAME = 2,
    VG_SUBMISSION_GROUP_SAMPLE = 3,
    VG_SUBMISSION_GROUP_MIME_TYPE = 4,
    VG_SUBMISSION_GROUP_TLP = 5,
    VG_SUBMISSION_GROUP_META_DATA = 6,
    VG_SUBMISSION_GROUP_FIELD_COUNT,
};

/* Numbers of vigil.sampledb.v2.SubmissionMetricField. */
enum vg_submission_metric_field {
    VG_SUBMISSION_METRIC_SUBMITTED = 1,
    VG_SUBMISSION_METRIC_OBSERVED = 2,
    VG_SUBMISSION_METRIC_EXPIRY = 3,
    VG_SUBMISSION_METRIC_FIELD_COUNT,
};

struct vg_submission_group_by {
    enum vg_submission_group_field field;
    uint32_t limit;       /* 0 = all */
    const char *meta_key; /* of META_DATA */
};

struct vg_submission_timeline_request {
    enum vg_submission_metric_field field;
    enum vg_time_unit unit;
    bool includes_empty; /* between the first and the last bucket that is not */
};

struct vg_submission_statistics {
    const struct vg_predicate *where; /* of vg_submission_criteria_compile */
    const struct vg_directory_snapshot *directory;
    const struct vg_submission_group_by *group_by;
    size_t level_count;
    const enum vg_submission_metric_field *values; /* whose least and greatest are told */
    size_t value_count;
    const struct vg_submission_timeline_request *timelines;
    size_t timeline_count;
    /* Asked now and then; anything but VG_OK ends the work. NULL = never. */
    enum vg_reason (*check)(void *owner, struct vg_error *error);
    void *owner;
};

struct vg_submission_bucket {
    vg_time timestamp;
    uint64_t count;
};

struct vg_submission_timeline_metric {
    const struct vg_submission_bucket *buckets;
    size_t bucket_count;
};

/* VG_ABSENT = no submission has the time. */
struct vg_submission_value_metric {
    vg_time min;
    vg_time max;
};

/* Texts end with a NUL. */
struct vg_submission_statistics_record {
    char *identifier; /* NULL = no group */
    char *short_name;
    char *display_name;
    uint64_t count;
    const struct vg_submission_statistics_record *children;
    size_t child_count;
    const struct vg_submission_value_metric *values;       /* of leaves: value_count of them */
    const struct vg_submission_timeline_metric *timelines; /* of leaves: timeline_count */
};

/*
 * Count. The records are in `arena`: those of the first level, or one for all submissions when
 * there are no levels.
 *
 * Fails with: INVALID_FIELD_VALUE (the criteria ask too many questions; a timeline of more than
 * VG_LIMIT_TIMELINE_BUCKETS); RESULTSET_TOO_LARGE past one of the other limits; REQUEST_MEMORY;
 * what the snapshot, the table and `check` fail with.
 */
VG_MUST_USE enum vg_reason vg_submission_statistics_run(
    const struct vg_submission_store *source,
    const struct vg_submission_statistics *statistics,
    struct vg_arena *arena,
    const struct vg_submission_statistics_record **out_records,
    size_t *out_count,
    struct vg_error *error);

#endif
