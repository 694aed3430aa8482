#include "core/events/event_statistics.h"

#include "core/base/assert.h"
#include "core/events/event_search.h"
#include "core/events/event_table.h"
#include "core/query/group_count.h"
#include "core/query/group_tree.h"
#include "core/query/timeline.h"
#include "core/table/aggregate.h"

_Static_assert(
    VG_EVENT_STATISTICS_LEVELS_MAX <= VG_AGGREGATE_LEVELS_MAX &&
        VG_EVENT_STATISTICS_TIMELINES_MAX <= VG_AGGREGATE_TIMELINES_MAX,
    "the table counts as many levels and timelines as a request may ask for");

/* What it takes to make one answer. */
struct making {
    const struct vg_event_statistics *statistics;
    const struct vg_snapshot *snapshot;
    struct vg_event_groups groups;
    struct vg_aggregate records; /* the events that are counted, without levels or timelines */
    struct vg_group_level_request levels[VG_EVENT_STATISTICS_LEVELS_MAX];
    uint32_t columns[VG_EVENT_STATISTICS_LEVELS_MAX];
    struct vg_timeline_plan plans[VG_EVENT_STATISTICS_TIMELINES_MAX];
    struct vg_aggregate_timeline timelines[VG_EVENT_STATISTICS_TIMELINES_MAX]; /* of the plans */
    uint32_t span_count; /* of all timelines together */
    struct vg_group_tree tree;
    struct vg_arena *arena;
    struct vg_error *error;
    enum vg_reason reason; /* of the first failure */
};

static bool shows(void *owner, uint32_t level, const struct vg_aggregate_group *group)
{
    const struct making *making = owner;
    return vg_event_group_shows(&making->groups, making->statistics->group_by[level].field, group);
}

static enum vg_reason identify(
    void *owner,
    uint32_t level,
    const struct vg_aggregate_group *group,
    struct vg_bytes *out_identifier,
    struct vg_error *error)
{
    struct making *making = owner;
    return vg_event_group_identify(
        &making->groups,
        making->statistics->group_by[level].field,
        group,
        out_identifier,
        error);
}

/* -------------------------------------------------------------------------------------- counting
 */

static void prepare_levels(struct making *making)
{
    const struct vg_event_statistics *statistics = making->statistics;
    VG_ASSERT(statistics->level_count <= VG_EVENT_STATISTICS_LEVELS_MAX);
    for (size_t i = 0; i < statistics->level_count; i++) {
        const struct vg_event_group_by *group_by = &statistics->group_by[i];
        making->columns[i] = vg_event_group_column(group_by->field);
        making->levels[i] = (struct vg_group_level_request){
            .column = making->columns[i],
            .limit = group_by->limit,
            .has_others = group_by->includes_others,
            /* v2 has one word for all protocols without a name. */
            .merges = group_by->field == VG_EVENT_GROUP_PROTOCOL,
        };
    }
    making->tree = (struct vg_group_tree){
        .levels = making->levels,
        .level_count = (uint32_t)statistics->level_count,
        .schema = &vg_event_table_schema,
        .names = { .shows = shows, .identify = identify, .owner = making },
        .arena = making->arena,
    };
}

static struct vg_timeline timeline_of(const struct vg_event_timeline_request *request, vg_time now)
{
    static const uint32_t columns[] = {
        [VG_EVENT_TIMELINE_CREATED] = VG_EVENT_COLUMN_TIMESTAMP,
        [VG_EVENT_TIMELINE_LAST_UPDATED] = VG_EVENT_COLUMN_LAST_UPDATED,
        [VG_EVENT_TIMELINE_FIRST_ASSESSMENT] = VG_EVENT_COLUMN_FIRST_ASSESSED,
        [VG_EVENT_TIMELINE_ENGINE_PERSISTED] = VG_EVENT_COLUMN_ENGINE_PERSISTED,
        [VG_EVENT_TIMELINE_FIRST_EVENT] = VG_EVENT_COLUMN_FIRST_EVENT,
        [VG_EVENT_TIMELINE_LAST_EVENT] = VG_EVENT_COLUMN_LAST_EVENT,
    };
    VG_ASSERT(request->field > 0 && request->field < VG_ARRAY_COUNT(columns));
    return (struct vg_timeline){
        .column = columns[request->field],
        .unit = request->unit,
        .start = request->start,
        .end = request->has_end ? request->end : now,
        .includes_empty = request->includes_empty,
        .starts_at_first = request->start == 0,
    };
}

static enum vg_reason plan_timelines(struct making *making)
{
    const struct vg_event_statistics *statistics = making->statistics;
    VG_ASSERT(statistics->timeline_count <= VG_EVENT_STATISTICS_TIMELINES_MAX);
    for (size_t i = 0; i < statistics->timeline_count; i++) {
        struct vg_timeline timeline =
            timeline_of(&statistics->timelines[i], statistics->counting.now);
        enum vg_reason reason = vg_timeline_plan(
            making->snapshot,
            &making->records,
            &timeline,
            making->arena,
            &making->plans[i],
            making->error);
        if (reason != VG_OK) {
            return reason;
        }
        making->span_count += making->plans[i].spans.span_count;
    }
    return VG_OK;
}

static enum vg_reason count_all(struct making *making)
{
    const struct vg_group_count count = {
        .snapshot = making->snapshot,
        .records = making->records,
        .columns = making->columns,
        .plans = making->plans,
        .plan_count = (uint32_t)making->statistics->timeline_count,
        .span_count = making->span_count,
    };
    return vg_group_count_run(&count, &making->tree, making->error);
}

/* --------------------------------------------------------------------------------------- records
 */

static void *take(struct making *making, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(making->arena, count, size);
    if (memory == NULL && making->reason == VG_OK) {
        making->reason = vg_error_set(making->error, VG_REQUEST_MEMORY, NULL);
    }
    return memory;
}

static void fill_metric(
    struct making *making,
    const struct vg_timeline_plan *plan,
    const struct vg_aggregate_cell *cells,
    struct vg_event_timeline_metric *metric)
{
    struct vg_timeline_reading reading;
    if (!vg_timeline_read(plan, cells, making->arena, &reading)) {
        making->reason = vg_error_set(making->error, VG_REQUEST_MEMORY, NULL);
        return;
    }
    struct vg_event_timeline_bucket *buckets = take(making, reading.span_count, sizeof(*buckets));
    for (uint32_t i = 0; buckets != NULL && i < reading.span_count; i++) {
        uint32_t span = reading.spans[i];
        buckets[i] = (struct vg_event_timeline_bucket){ plan->stamps[span],
                                                        cells[span].count,
                                                        cells[span].sum };
    }
    metric->count = reading.total.count;
    metric->raw_count = reading.total.sum;
    metric->buckets = buckets;
    metric->bucket_count = reading.span_count;
}

static void fill_metrics(
    struct making *making,
    const struct vg_group_node *node,
    struct vg_event_statistics_record *record)
{
    size_t count = making->statistics->timeline_count;
    struct vg_event_timeline_metric *metrics = take(making, count, sizeof(*metrics));
    const struct vg_aggregate_cell *cells = node->spans;
    if (cells == NULL) { /* nothing matched at all */
        cells = take(making, making->span_count, sizeof(*cells));
    }
    for (size_t i = 0; making->reason == VG_OK && i < count; i++) {
        metrics[i].name = making->statistics->timelines[i].name;
        fill_metric(making, &making->plans[i], cells, &metrics[i]);
        cells += making->plans[i].spans.span_count;
    }
    record->metrics = metrics;
    record->metric_count = count;
}

static void fill_records(
    struct making *making,
    const struct vg_group_node *parent,
    uint32_t level,
    struct vg_event_statistics_record *records);

static void fill_record(
    struct making *making,
    const struct vg_group_node *node,
    uint32_t levels, /* above this record */
    struct vg_event_statistics_record *record)
{
    record->count = node->total.count;
    record->raw_count = node->total.sum;
    if (record->is_other) {
        return;
    }
    if (levels == making->tree.level_count) {
        fill_metrics(making, node, record);
        return;
    }
    struct vg_event_statistics_record *children =
        take(making, node->child_count, sizeof(*children));
    if (children != NULL) {
        fill_records(making, node, levels, children);
        record->children = children;
        record->child_count = node->child_count;
    }
}

static void fill_records(
    struct making *making,
    const struct vg_group_node *parent,
    uint32_t level,
    struct vg_event_statistics_record *records)
{
    static char other[] = "other";
    enum vg_event_group_field field = making->statistics->group_by[level].field;
    for (uint32_t i = 0; i < parent->child_count && making->reason == VG_OK; i++) {
        const struct vg_group_node *node = &parent->children[i];
        struct vg_event_statistics_record *record = &records[i];
        record->field = field;
        record->is_other = node->group == NULL;
        if (record->is_other) {
            record->names = (struct vg_event_group_names){ other, other, other };
        } else {
            making->reason = vg_event_group_describe(
                &making->groups,
                field,
                node->group,
                &record->names,
                making->error);
        }
        if (making->reason == VG_OK) {
            fill_record(making, node, level + 1, record);
        }
    }
}

static enum vg_reason make(
    struct making *making,
    const struct vg_event_statistics_record **out_records,
    size_t *out_count)
{
    prepare_levels(making);
    enum vg_reason reason = plan_timelines(making);
    if (reason == VG_OK) {
        reason = count_all(making);
    }
    if (reason != VG_OK) {
        return reason;
    }
    const struct vg_group_node *root = &making->tree.root;
    bool grouped = making->tree.level_count != 0;
    size_t count = grouped ? root->child_count : 1;
    struct vg_event_statistics_record *records = take(making, count, sizeof(*records));
    if (records != NULL && grouped) {
        fill_records(making, root, 0, records);
    } else if (records != NULL) {
        fill_record(making, root, 0, records);
    }
    if (making->reason == VG_OK) {
        *out_records = records;
        *out_count = count;
    }
    return making->reason;
}

enum vg_reason vg_event_statistics_run(
    const struct vg_event_store *source,
    const struct vg_event_statistics *statistics,
    struct vg_arena *arena,
    const struct vg_event_statistics_record **out_records,
    size_t *out_count,
    struct vg_error *error)
{
    const struct vg_event_counting *counting = &statistics->counting;
    struct vg_snapshot snapshot;
    struct making *making = vg_arena_calloc(arena, 1, sizeof(*making));
    if (making == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason = vg_event_search_check(counting->where, error);
    if (reason == VG_OK) {
        reason = vg_snapshot_acquire(source->table, source->snapshot_age_ms, &snapshot, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_event_reader reader;
    vg_event_reader_init(&reader, source, &snapshot);
    *making = (struct making){
        .statistics = statistics,
        .snapshot = &snapshot,
        .groups = { .directory = counting->directory,
                    .principal = counting->principal,
                    .reader = &reader,
                    .arena = arena },
        .records = { .kind = source->kind,
                     .where = counting->where,
                     .sum_column = VG_EVENT_COLUMN_COUNT,
                     .reader = &reader.reader,
                     .check = counting->check,
                     .owner = counting->owner },
        .arena = arena,
        .error = error,
    };
    reason = make(making, out_records, out_count);
    vg_event_reader_dispose(&reader);
    vg_snapshot_release(&snapshot);
    return reason;
}
