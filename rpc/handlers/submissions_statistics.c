/* vigil.sampledb.v2.SubmissionService/GetSubmissionStatistics: submissions, counted. */
#include <stdio.h>
#include <string.h>

#include "core/samples/submission_statistics.h"
#include "core/table/row.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/submission_criteria_read.h"
#include "rpc/handlers/submission_pages.h"

_Static_assert(
    (int)VIGIL__SAMPLEDB__V2__SUBMISSION_GROUP_FIELD__SUBMISSION_GROUP_FIELD_CUSTOMER ==
            (int)VG_SUBMISSION_GROUP_CUSTOMER &&
        (int)VIGIL__SAMPLEDB__V2__SUBMISSION_GROUP_FIELD__SUBMISSION_GROUP_FIELD_META_DATA ==
            (int)VG_SUBMISSION_GROUP_META_DATA &&
        (int)VIGIL__SAMPLEDB__V2__SUBMISSION_METRIC_FIELD__SUBMISSION_METRIC_FIELD_EXPIRY_TIMESTAMP ==
            (int)VG_SUBMISSION_METRIC_EXPIRY,
    "fields are numbered alike");

/* One answer; in the arena of its call. */
struct record_rows {
    struct vg_rows rows;
    const Vigil__Sampledb__V2__SubmissionStatisticsRequest *request;
    struct vg_submission_statistics statistics;
    char **names; /* cleaned: of the values, then of the timelines */
    const struct vg_submission_statistics_record *records;
    size_t count;
    size_t next;
};

/* -------------------------------------------------------------------------------------- request */

static enum vg_reason blame(
    struct vg_call *call,
    enum vg_reason reason,
    const char *field,
    const char *message)
{
    (void)vg_error_set(&call->error, reason, "%s", message);
    return vg_error_field(&call->error, field, "");
}

static bool is_kept(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
}

/* Letters, digits, - and _ of a name; what is left must be a name, and no other's. */
static enum vg_reason clean_name(
    struct vg_call *call,
    struct record_rows *own,
    const char *name,
    size_t at)
{
    size_t values = own->request->n_statistics;
    char field[32];
    char *cleaned = vg_arena_calloc(&call->arena, strlen(name) + 1, 1);
    if (cleaned == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    size_t used = 0;
    for (size_t i = 0; name[i] != '\0'; i++) {
        if (is_kept(name[i])) {
            cleaned[used++] = name[i];
        }
    }
    own->names[at] = cleaned;
    (void)snprintf(
        field,
        sizeof(field),
        at < values ? "statistics[%zu].name" : "timeline[%zu].name",
        at < values ? at : at - values);
    if (used == 0) {
        return blame(call, VG_INVALID_FIELD_VALUE, field, "The name has no letter or digit");
    }
    for (size_t i = 0; i < at; i++) {
        if (strcmp(own->names[i], cleaned) == 0) {
            return blame(call, VG_INVALID_FIELD_VALUE, field, "Another one has the same name");
        }
    }
    return VG_OK;
}

static enum vg_reason read_groups(struct vg_call *call, struct record_rows *own)
{
    const Vigil__Sampledb__V2__SubmissionStatisticsRequest *request = own->request;
    struct vg_submission_group_by *levels =
        vg_arena_calloc(&call->arena, request->n_group_by, sizeof(*levels));
    if (levels == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    for (size_t i = 0; i < request->n_group_by; i++) {
        const Vigil__Sampledb__V2__SubmissionGroupBy *from = request->group_by[i];
        levels[i] = (struct vg_submission_group_by){
            .field = (enum vg_submission_group_field)from->field,
            .limit =
                from->has_limit ? (uint32_t)from->limit : VG_SUBMISSION_STATISTICS_LIMIT_DEFAULT,
            .meta_key = from->meta_data_field,
        };
        if (levels[i].field == VG_SUBMISSION_GROUP_META_DATA &&
            (from->meta_data_field == NULL || from->meta_data_field[0] == '\0')) {
            char field[40];
            (void)snprintf(field, sizeof(field), "groupBy[%zu].metaDataField", i);
            return blame(call, VG_REQUIRED_FIELD, field, "The key to group by is required");
        }
    }
    own->statistics.group_by = levels;
    own->statistics.level_count = request->n_group_by;
    return VG_OK;
}

static bool read_metrics(struct vg_call *call, struct record_rows *own)
{
    static const enum vg_time_unit units[] = {
        [VIGIL__SAMPLEDB__V2__SUBMISSION_RESOLUTION__SUBMISSION_RESOLUTION_HOUR] =
            VG_TIME_UNIT_HOUR,
        [VIGIL__SAMPLEDB__V2__SUBMISSION_RESOLUTION__SUBMISSION_RESOLUTION_DAY] = VG_TIME_UNIT_DAY,
        [VIGIL__SAMPLEDB__V2__SUBMISSION_RESOLUTION__SUBMISSION_RESOLUTION_WEEK] =
            VG_TIME_UNIT_WEEK,
        [VIGIL__SAMPLEDB__V2__SUBMISSION_RESOLUTION__SUBMISSION_RESOLUTION_MONTH] =
            VG_TIME_UNIT_MONTH,
        [VIGIL__SAMPLEDB__V2__SUBMISSION_RESOLUTION__SUBMISSION_RESOLUTION_QUARTER] =
            VG_TIME_UNIT_QUARTER,
    };
    const Vigil__Sampledb__V2__SubmissionStatisticsRequest *request = own->request;
    enum vg_submission_metric_field *values =
        vg_arena_calloc(&call->arena, request->n_statistics, sizeof(*values));
    struct vg_submission_timeline_request *timelines =
        vg_arena_calloc(&call->arena, request->n_timeline, sizeof(*timelines));
    if (values == NULL || timelines == NULL) {
        return false;
    }
    for (size_t i = 0; i < request->n_statistics; i++) {
        values[i] = (enum vg_submission_metric_field)request->statistics[i]->field;
    }
    for (size_t i = 0; i < request->n_timeline; i++) {
        const Vigil__Sampledb__V2__SubmissionTimelineCriteria *from = request->timeline[i];
        timelines[i] = (struct vg_submission_timeline_request){
            .field = (enum vg_submission_metric_field)from->field,
            .unit = units[from->resolution],
            .includes_empty = from->has_include_empty && from->include_empty,
        };
    }
    own->statistics.values = values;
    own->statistics.value_count = request->n_statistics;
    own->statistics.timelines = timelines;
    own->statistics.timeline_count = request->n_timeline;
    return true;
}

static enum vg_reason read_request(struct vg_call *call, struct record_rows *own)
{
    const Vigil__Sampledb__V2__SubmissionStatisticsRequest *request = own->request;
    size_t names = request->n_statistics + request->n_timeline;
    if (request->n_group_by == 0 && names == 0) {
        return blame(
            call,
            VG_REQUIRED_FIELD,
            "groupBy",
            "groupBy, statistics or timeline is required");
    }
    own->names = vg_arena_calloc(&call->arena, names, sizeof(*own->names));
    if (own->names == NULL || !read_metrics(call, own)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason = read_groups(call, own);
    for (size_t i = 0; reason == VG_OK && i < names; i++) {
        reason = clean_name(
            call,
            own,
            i < request->n_statistics ? request->statistics[i]->name
                                      : request->timeline[i - request->n_statistics]->name,
            i);
    }
    return reason;
}

/* --------------------------------------------------------------------------------------- answer */

/* What it takes to make one row. A failure is noted and checked once, at the end. */
struct making {
    const struct record_rows *own;
    struct vg_arena *arena;
    bool failed; /* the arena is full */
};

static void *take(struct making *making, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(making->arena, count, size);
    making->failed = making->failed || memory == NULL;
    return memory;
}

static void make_values(
    struct making *making,
    const struct vg_submission_statistics_record *from,
    Vigil__Sampledb__V2__SubmissionMetricRecord *record)
{
    size_t count = making->own->statistics.value_count;
    Vigil__Sampledb__V2__SubmissionStatisticsMetric *metrics =
        take(making, count, sizeof(*metrics));
    record->statistics = take(making, count, sizeof(*record->statistics));
    for (size_t i = 0; !making->failed && i < count; i++) {
        Vigil__Sampledb__V2__SubmissionStatisticsMetric *metric = &metrics[i];
        vigil__sampledb__v2__submission_statistics_metric__init(metric);
        metric->name = making->own->names[i];
        metric->has_field = true;
        metric->field = making->own->request->statistics[i]->field;
        metric->has_min = from->values[i].min != VG_ABSENT;
        metric->min = metric->has_min ? from->values[i].min : 0;
        metric->has_max = from->values[i].max != VG_ABSENT;
        metric->max = metric->has_max ? from->values[i].max : 0;
        record->statistics[record->n_statistics++] = metric;
    }
}

static void make_buckets(
    struct making *making,
    const struct vg_submission_timeline_metric *from,
    Vigil__Sampledb__V2__SubmissionTimelineMetric *metric)
{
    Vigil__Sampledb__V2__SubmissionTimelineBucket *buckets =
        take(making, from->bucket_count, sizeof(*buckets));
    metric->buckets = take(making, from->bucket_count, sizeof(*metric->buckets));
    for (size_t i = 0; !making->failed && i < from->bucket_count; i++) {
        vigil__sampledb__v2__submission_timeline_bucket__init(&buckets[i]);
        buckets[i].has_timestamp = buckets[i].has_count = true;
        buckets[i].timestamp = from->buckets[i].timestamp;
        buckets[i].count = (int64_t)from->buckets[i].count;
        metric->buckets[metric->n_buckets++] = &buckets[i];
    }
}

static void make_timelines(
    struct making *making,
    const struct vg_submission_statistics_record *from,
    Vigil__Sampledb__V2__SubmissionMetricRecord *record)
{
    const struct vg_submission_statistics *statistics = &making->own->statistics;
    Vigil__Sampledb__V2__SubmissionTimelineMetric *metrics =
        take(making, statistics->timeline_count, sizeof(*metrics));
    record->timeline = take(making, statistics->timeline_count, sizeof(*record->timeline));
    for (size_t i = 0; !making->failed && i < statistics->timeline_count; i++) {
        Vigil__Sampledb__V2__SubmissionTimelineMetric *metric = &metrics[i];
        vigil__sampledb__v2__submission_timeline_metric__init(metric);
        metric->name = making->own->names[statistics->value_count + i];
        metric->has_field = true;
        metric->field = making->own->request->timeline[i]->field;
        make_buckets(making, &from->timelines[i], metric);
        record->timeline[record->n_timeline++] = metric;
    }
}

static void make_group(
    struct making *making,
    size_t level,
    const struct vg_submission_statistics_record *from,
    Vigil__Sampledb__V2__SubmissionMetricRecord *record)
{
    Vigil__Sampledb__V2__SubmissionGroup *group = take(making, 1, sizeof(*group));
    if (group == NULL) {
        return;
    }
    const Vigil__Sampledb__V2__SubmissionGroupBy *asked = making->own->request->group_by[level];
    vigil__sampledb__v2__submission_group__init(group);
    group->has_type = true;
    group->type = asked->field;
    group->identifier = from->identifier;
    group->short_name = from->short_name;
    group->display_name = from->display_name;
    if ((int)asked->field == (int)VG_SUBMISSION_GROUP_META_DATA) {
        group->meta_data_field = asked->meta_data_field;
    }
    record->group = group;
}

/* A record of `level`; recursion is bounded by the number of levels. Only leaves tell values. */
static void make_record(
    struct making *making,
    size_t level,
    const struct vg_submission_statistics_record *from,
    Vigil__Sampledb__V2__SubmissionMetricRecord *record)
{
    vigil__sampledb__v2__submission_metric_record__init(record);
    if (from->identifier != NULL) {
        make_group(making, level, from, record);
    }
    record->has_count = true;
    record->count = (int64_t)from->count;
    if (level + 1 >= making->own->statistics.level_count) {
        make_values(making, from, record);
        make_timelines(making, from, record);
        return;
    }
    Vigil__Sampledb__V2__SubmissionMetricRecord *children =
        take(making, from->child_count, sizeof(*children));
    record->buckets = take(making, from->child_count, sizeof(*record->buckets));
    for (size_t i = 0; !making->failed && i < from->child_count; i++) {
        make_record(making, level + 1, &from->children[i], &children[i]);
        record->buckets[record->n_buckets++] = &children[i];
    }
}

static enum vg_reason next_record(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    struct record_rows *own = VG_CONTAINER_OF(rows, struct record_rows, rows);
    *out_end = own->next == own->count;
    if (*out_end) {
        return VG_OK;
    }
    struct making making = { .own = own, .arena = arena };
    Vigil__Sampledb__V2__SubmissionMetricRecord *record = take(&making, 1, sizeof(*record));
    if (record != NULL) {
        make_record(&making, 0, &own->records[own->next++], record);
    }
    if (making.failed) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_row = (struct vg_reply_row){ .message = &record->base };
    return VG_OK;
}

/* All memory is the call's. */
static void close_records(struct vg_rows *rows)
{
    (void)rows;
}

static const struct vg_rows_class record_rows_class = { .next = next_record,
                                                        .close = close_records };

/* -------------------------------------------------------------------------------------- the call
 */

static enum vg_reason run(
    struct vg_call *call,
    const struct vg_submission_pages *pages,
    const struct vg_submission_criteria *criteria,
    struct record_rows *own)
{
    struct vg_submission_criteria_context context = {
        .viewer = vg_submission_pages_viewer(call, pages),
        .arena = &call->arena,
    };
    vg_submission_criteria_read_window(
        call,
        own->request->index_start_timestamp,
        own->request->index_end_timestamp,
        &context);
    own->statistics.directory = pages->directory;
    own->statistics.check = vg_submission_pages_check;
    own->statistics.owner = call;
    enum vg_reason reason =
        vg_submission_criteria_compile(criteria, &context, &own->statistics.where, &call->error);
    if (reason != VG_OK) {
        return reason;
    }
    const struct vg_submission_store source = vg_submission_pages_store(call);
    return vg_submission_statistics_run(
        &source,
        &own->statistics,
        &call->arena,
        &own->records,
        &own->count,
        &call->error);
}

static int count_submissions(struct vg_call *call)
{
    struct vg_submission_criteria criteria;
    struct record_rows *own = vg_arena_calloc(&call->arena, 1, sizeof(*own));
    if (own == NULL || !vg_submission_criteria_read(call->request, &call->arena, &criteria)) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    own->rows.class = &record_rows_class;
    own->request = (const Vigil__Sampledb__V2__SubmissionStatisticsRequest *)call->request;
    enum vg_reason reason = read_request(call, own);
    if (reason != VG_OK) {
        return (int)reason;
    }
    struct vg_submission_pages *pages = vg_submission_pages_begin(call);
    if (pages == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    reason = run(call, pages, &criteria, own);
    vg_submission_pages_close(pages);
    if (reason == VG_OK) {
        call->reply.rows = &own->rows;
        call->reply.count = (int64_t)own->count;
    }
    return (int)reason;
}

int vg_sampledb_v2_get_submission_statistics(
    struct vg_call *call,
    const Vigil__Sampledb__V2__SubmissionStatisticsRequest *request,
    Vigil__Sampledb__V2__SubmissionMetricRecordList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, count_submissions);
}
