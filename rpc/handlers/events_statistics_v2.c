/* vigil.events.v2.EventService/GetStatistics: events counted in groups and on timelines. */
#include <stdio.h>
#include <string.h>

#include "core/base/settings.h"
#include "core/events/event_statistics.h"
#include "core/node/node.h"
#include "core/wire/validate.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/answer_text.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_counting.h"
#include "rpc/handlers/event_criteria_v2.h"
#include "rpc/service/service.h"

/* The numbers of the enumerations are those of the domain. */
_Static_assert(
    (int)VIGIL__EVENTS__V2__STATISTICS_FIELD__STATISTICS_FIELD_SIGNATURE ==
            (int)VG_EVENT_GROUP_SIGNATURE &&
        (int)VIGIL__EVENTS__V2__STATISTICS_FIELD__STATISTICS_FIELD_PROTOCOL ==
            (int)VG_EVENT_GROUP_PROTOCOL &&
        (int)VIGIL__EVENTS__V2__STATISTICS_FIELD__STATISTICS_FIELD_ASSOCIATED_CASE ==
            (int)VG_EVENT_GROUP_ASSOCIATED_CASE &&
        (int)VIGIL__EVENTS__V2__TIMELINE_FIELD__TIMELINE_FIELD_CREATED ==
            (int)VG_EVENT_TIMELINE_CREATED &&
        (int)VIGIL__EVENTS__V2__TIMELINE_FIELD__TIMELINE_FIELD_LAST_EVENT ==
            (int)VG_EVENT_TIMELINE_LAST_EVENT,
    "fields are numbered alike");

_Static_assert(
    offsetof(Vigil__Events__V2__SearchRequest, sub_criteria) ==
        offsetof(Vigil__Events__V2__StatisticsRequest, sub_criteria),
    "StatisticsRequest declares the criteria of SearchRequest in the same order");

/* -------------------------------------------------------------------------------------- request */

static bool read_groups(
    const Vigil__Events__V2__StatisticsRequest *request,
    struct vg_arena *arena,
    struct vg_event_statistics *statistics)
{
    struct vg_event_group_by *levels = vg_arena_calloc(arena, request->n_group_by, sizeof(*levels));
    for (size_t i = 0; levels != NULL && i < request->n_group_by; i++) {
        const Vigil__Events__V2__GroupByCriteria *from = request->group_by[i];
        levels[i] = (struct vg_event_group_by){
            .field = (enum vg_event_group_field)from->field,
            .limit = from->has_limit ? (uint32_t)from->limit : VG_EVENT_STATISTICS_LIMIT_DEFAULT,
            .includes_others = from->has_include_others && from->include_others,
        };
    }
    statistics->group_by = levels;
    statistics->level_count = request->n_group_by;
    return levels != NULL;
}

static bool read_timelines(
    const Vigil__Events__V2__StatisticsRequest *request,
    struct vg_arena *arena,
    struct vg_event_statistics *statistics)
{
    static const enum vg_time_unit units[] = {
        [VIGIL__EVENTS__V2__TIMELINE_RESOLUTION__TIMELINE_RESOLUTION_MINUTES] = VG_TIME_UNIT_MINUTE,
        [VIGIL__EVENTS__V2__TIMELINE_RESOLUTION__TIMELINE_RESOLUTION_HOURS] = VG_TIME_UNIT_HOUR,
        [VIGIL__EVENTS__V2__TIMELINE_RESOLUTION__TIMELINE_RESOLUTION_DAYS] = VG_TIME_UNIT_DAY,
        [VIGIL__EVENTS__V2__TIMELINE_RESOLUTION__TIMELINE_RESOLUTION_WEEKS] = VG_TIME_UNIT_WEEK,
        [VIGIL__EVENTS__V2__TIMELINE_RESOLUTION__TIMELINE_RESOLUTION_MONTHS] = VG_TIME_UNIT_MONTH,
        [VIGIL__EVENTS__V2__TIMELINE_RESOLUTION__TIMELINE_RESOLUTION_YEARS] = VG_TIME_UNIT_YEAR,
    };
    struct vg_event_timeline_request *timelines =
        vg_arena_calloc(arena, request->n_timeline, sizeof(*timelines));
    for (size_t i = 0; timelines != NULL && i < request->n_timeline; i++) {
        const Vigil__Events__V2__TimelineCriteria *from = request->timeline[i];
        timelines[i] = (struct vg_event_timeline_request){
            .name = from->name,
            .field = (enum vg_event_timeline_field)from->field,
            .unit = units[from->resolution],
            .has_end = from->end_timestamp != NULL,
            .start = from->start_timestamp != NULL ? vg_wire_time(from->start_timestamp) : 0,
            .end = from->end_timestamp != NULL ? vg_wire_time(from->end_timestamp) : 0,
            .includes_empty = !from->has_include_empty || from->include_empty,
        };
    }
    statistics->timelines = timelines;
    statistics->timeline_count = request->n_timeline;
    return timelines != NULL;
}

/* Something has to be asked for, and each timeline by a name of its own. */
static enum vg_reason check_request(
    const Vigil__Events__V2__StatisticsRequest *request,
    struct vg_error *error)
{
    if (request->n_group_by == 0 && request->n_timeline == 0) {
        (void)vg_error_set(error, VG_REQUIRED_FIELD, "groupBy or timeline is required");
        return vg_error_field(error, "groupBy", "");
    }
    for (size_t i = 0; i < request->n_timeline; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(request->timeline[i]->name, request->timeline[k]->name) == 0) {
                char field[32];
                (void)snprintf(field, sizeof(field), "timeline[%zu].name", i);
                (void)
                    vg_error_set(error, VG_INVALID_FIELD_VALUE, "Two timelines have the same name");
                return vg_error_field(error, field, request->timeline[i]->name);
            }
        }
    }
    return VG_OK;
}

/* --------------------------------------------------------------------------------------- answer */

/* The records of one answer. Lives in the arena of its call. */
struct record_rows {
    struct vg_rows rows;
    const struct vg_event_statistics_record *records;
    size_t count;
    size_t next;
};

/* What it takes to make one row. A failure is noted and checked once, at the end. */
struct making {
    struct vg_arena *arena;
    bool failed; /* the arena is full */
};

static void *take(struct making *making, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(making->arena, count, size);
    making->failed = making->failed || memory == NULL;
    return memory;
}

static void make_buckets(
    struct making *making,
    const struct vg_event_timeline_metric *from,
    Vigil__Events__V2__TimelineMetric *metric)
{
    Vigil__Events__V2__TimelineBucket *buckets = take(making, from->bucket_count, sizeof(*buckets));
    metric->buckets = take(making, from->bucket_count, sizeof(*metric->buckets));
    for (size_t i = 0; !making->failed && i < from->bucket_count; i++) {
        Vigil__Events__V2__TimelineBucket *bucket = &buckets[i];
        vigil__events__v2__timeline_bucket__init(bucket);
        bucket->has_timestamp = bucket->has_count = bucket->has_raw_event_count = true;
        bucket->timestamp = from->buckets[i].timestamp;
        bucket->count = (int64_t)from->buckets[i].count;
        bucket->raw_event_count = from->buckets[i].raw_count;
        metric->buckets[metric->n_buckets++] = bucket;
    }
}

static void make_metrics(
    struct making *making,
    const struct vg_event_statistics_record *from,
    Vigil__Events__V2__MetricRecord *record)
{
    Vigil__Events__V2__TimelineMetric *metrics = take(making, from->metric_count, sizeof(*metrics));
    record->timeline = take(making, from->metric_count, sizeof(*record->timeline));
    for (size_t i = 0; !making->failed && i < from->metric_count; i++) {
        Vigil__Events__V2__TimelineMetric *metric = &metrics[i];
        vigil__events__v2__timeline_metric__init(metric);
        metric->name = vg_answer_text(from->metrics[i].name);
        metric->has_count = metric->has_raw_event_count = true;
        metric->count = (int64_t)from->metrics[i].count;
        metric->raw_event_count = from->metrics[i].raw_count;
        make_buckets(making, &from->metrics[i], metric);
        record->timeline[record->n_timeline++] = metric;
    }
}

static void make_group(
    struct making *making,
    const struct vg_event_statistics_record *from,
    Vigil__Events__V2__MetricRecord *record)
{
    Vigil__Events__V2__StatisticsGroup *group = take(making, 1, sizeof(*group));
    if (group == NULL) {
        return;
    }
    vigil__events__v2__statistics_group__init(group);
    group->has_type = true;
    group->type = (Vigil__Events__V2__StatisticsField)from->field;
    group->identifier = from->names.identifier;
    group->short_name = from->names.short_name;
    group->display_name = from->names.display_name;
    record->group = group;
}

/* Recursion is bounded by VG_EVENT_STATISTICS_LEVELS_MAX. */
static void make_record(
    struct making *making,
    const struct vg_event_statistics_record *from,
    Vigil__Events__V2__MetricRecord *record)
{
    vigil__events__v2__metric_record__init(record);
    if (from->field != VG_EVENT_GROUP_UNSET) {
        make_group(making, from, record);
    }
    record->has_count = true;
    record->count = (int64_t)from->count;
    record->has_raw_event_count = !from->is_other;
    record->raw_event_count = from->is_other ? 0 : from->raw_count;
    Vigil__Events__V2__MetricRecord *children = take(making, from->child_count, sizeof(*children));
    record->buckets = take(making, from->child_count, sizeof(*record->buckets));
    for (size_t i = 0; !making->failed && i < from->child_count; i++) {
        make_record(making, &from->children[i], &children[i]);
        record->buckets[record->n_buckets++] = &children[i];
    }
    make_metrics(making, from, record);
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
    struct record_rows *records = VG_CONTAINER_OF(rows, struct record_rows, rows);
    *out_end = records->next == records->count;
    if (*out_end) {
        return VG_OK;
    }
    struct making making = { .arena = arena };
    Vigil__Events__V2__MetricRecord *record = take(&making, 1, sizeof(*record));
    if (record != NULL) {
        make_record(&making, &records->records[records->next++], record);
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
    struct vg_event_statistics *statistics,
    const struct vg_event_criteria *criteria,
    struct record_rows *rows)
{
    struct vg_event_view view;
    enum vg_reason reason =
        vg_event_counting_begin(call, criteria, VG_EVENT_TYPE_UNSET, &view, &statistics->counting);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_event_store source =
        vg_event_calls_store(call, call->service->node->settings->snapshot_age_ms);
    reason = vg_event_statistics_run(
        &source,
        statistics,
        &call->arena,
        &rows->records,
        &rows->count,
        &call->error);
    vg_event_calls_release_view(&view);
    return reason;
}

static int count_events(struct vg_call *call)
{
    const Vigil__Events__V2__StatisticsRequest *request =
        (const Vigil__Events__V2__StatisticsRequest *)call->request;
    struct vg_event_criteria criteria;
    struct vg_event_statistics statistics = { 0 };
    struct record_rows *rows = vg_arena_calloc(&call->arena, 1, sizeof(*rows));
    enum vg_reason reason = check_request(request, &call->error);
    if (reason != VG_OK) {
        return (int)reason;
    }
    if (rows == NULL || !vg_event_criteria_v2_read(&request->base, &call->arena, &criteria) ||
        !read_groups(request, &call->arena, &statistics) ||
        !read_timelines(request, &call->arena, &statistics)) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    reason = run(call, &statistics, &criteria, rows);
    if (reason == VG_OK) {
        rows->rows.class = &record_rows_class;
        call->reply.rows = &rows->rows;
        call->reply.count = (int64_t)rows->count;
    }
    return (int)reason;
}

int vg_events_v2_get_statistics(
    struct vg_call *call,
    const Vigil__Events__V2__StatisticsRequest *request,
    Vigil__Events__V2__MetricRecordList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, count_events);
}
