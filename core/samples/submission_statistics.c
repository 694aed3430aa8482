#include "core/samples/submission_statistics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hex.h"
#include "core/ingest/ingest_domain.h"
#include "core/query/group_count.h"
#include "core/query/row_cursor.h"
#include "core/samples/submission_table.h"

/* What it takes to make one answer. */
struct making {
    const struct vg_submission_statistics *statistics;
    const struct vg_snapshot *snapshot;
    struct vg_submission_rows rows;
    struct vg_aggregate records; /* the submissions that are counted, without levels or timelines */
    struct vg_group_level_request levels[VG_SUBMISSION_STATISTICS_LEVELS_MAX];
    uint32_t columns[VG_SUBMISSION_STATISTICS_LEVELS_MAX];
    struct vg_bytes prefixes[VG_SUBMISSION_STATISTICS_LEVELS_MAX];
    uint32_t extremes[VG_SUBMISSION_STATISTICS_VALUES_MAX];
    struct vg_timeline_plan plans[VG_SUBMISSION_STATISTICS_TIMELINES_MAX];
    uint32_t span_count; /* of all timelines together */
    struct vg_group_tree tree;
    struct vg_arena *arena;
    struct vg_error *error;
    enum vg_reason reason; /* of the first failure */
};

/* -------------------------------------------------------------------------------------- groups */

static uint32_t group_column(enum vg_submission_group_field field)
{
    static const uint32_t columns[VG_SUBMISSION_GROUP_FIELD_COUNT] = {
        [VG_SUBMISSION_GROUP_CUSTOMER] = VG_SUBMISSION_COLUMN_CUSTOMER,
        [VG_SUBMISSION_GROUP_FILE_NAME] = VG_SUBMISSION_COLUMN_FILE_NAME,
        [VG_SUBMISSION_GROUP_SAMPLE] = VG_SUBMISSION_COLUMN_SAMPLE,
        [VG_SUBMISSION_GROUP_MIME_TYPE] = VG_SUBMISSION_COLUMN_MIME_TYPE,
        [VG_SUBMISSION_GROUP_TLP] = VG_SUBMISSION_COLUMN_TLP,
        [VG_SUBMISSION_GROUP_META_DATA] = VG_SUBMISSION_COLUMN_META_DATA,
    };
    VG_ASSERT(field > 0 && field < VG_SUBMISSION_GROUP_FIELD_COUNT);
    return columns[field];
}

static uint32_t metric_column(enum vg_submission_metric_field field)
{
    static const uint32_t columns[VG_SUBMISSION_METRIC_FIELD_COUNT] = {
        [VG_SUBMISSION_METRIC_SUBMITTED] = VG_SUBMISSION_COLUMN_SUBMITTED,
        [VG_SUBMISSION_METRIC_OBSERVED] = VG_SUBMISSION_COLUMN_OBSERVED,
        [VG_SUBMISSION_METRIC_EXPIRY] = VG_SUBMISSION_COLUMN_EXPIRY,
    };
    VG_ASSERT(field > 0 && field < VG_SUBMISSION_METRIC_FIELD_COUNT);
    return columns[field];
}

/* A copy with a NUL behind it. */
static enum vg_reason copy_text(
    struct making *making,
    struct vg_bytes text,
    struct vg_bytes *out_text,
    struct vg_error *error)
{
    const char *copy = vg_arena_text(making->arena, text);
    if (copy == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_text = vg_bytes(copy, text.size);
    return VG_OK;
}

static enum vg_reason identify_digest(
    struct making *making,
    struct vg_bytes digest,
    struct vg_bytes *out_identifier,
    struct vg_error *error)
{
    char *text = vg_arena_alloc(making->arena, digest.size * 2 + 1);
    if (text == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    vg_hex_encode(digest, text);
    text[digest.size * 2] = '\0';
    *out_identifier = vg_bytes(text, digest.size * 2);
    return VG_OK;
}

/* A name past the limit of the dictionary: the record of the example has it. */
static enum vg_reason identify_beyond(
    struct making *making,
    enum vg_submission_group_field field,
    const struct vg_aggregate_group *group,
    struct vg_bytes *out_identifier,
    struct vg_error *error)
{
    const struct vg_submission_record *record;
    enum vg_reason reason = vg_submission_rows_read(&making->rows, &group->example, &record, error);
    if (reason != VG_OK) {
        return reason;
    }
    return copy_text(
        making,
        field == VG_SUBMISSION_GROUP_FILE_NAME ? record->file_name : record->mime_type,
        out_identifier,
        error);
}

static enum vg_reason identify(
    void *owner,
    uint32_t level,
    const struct vg_aggregate_group *group,
    struct vg_bytes *out_identifier,
    struct vg_error *error)
{
    static const char *const colours[] = { "", "red", "amber", "green", "clear" };
    struct making *making = owner;
    enum vg_submission_group_field field = making->statistics->group_by[level].field;
    char number[24];
    switch (field) {
    case VG_SUBMISSION_GROUP_CUSTOMER:
        (void)snprintf(number, sizeof(number), "%" PRId64, group->value.numbers.items[0]);
        return copy_text(making, vg_bytes_text(number), out_identifier, error);
    case VG_SUBMISSION_GROUP_SAMPLE:
        return identify_digest(making, group->value.bytes, out_identifier, error);
    case VG_SUBMISSION_GROUP_TLP:
        VG_ASSERT(group->value.number > 0 && group->value.number < 5);
        *out_identifier = vg_bytes_text(colours[group->value.number]);
        return VG_OK;
    case VG_SUBMISSION_GROUP_META_DATA: {
        size_t start = making->prefixes[level].size;
        return copy_text(
            making,
            vg_bytes(group->value.bytes.data + start, group->value.bytes.size - start),
            out_identifier,
            error);
    }
    case VG_SUBMISSION_GROUP_FILE_NAME:
    case VG_SUBMISSION_GROUP_MIME_TYPE:
    case VG_SUBMISSION_GROUP_FIELD_COUNT:
        break;
    }
    return group->value.beyond ? identify_beyond(making, field, group, out_identifier, error)
                               : copy_text(making, group->value.bytes, out_identifier, error);
}

/* ------------------------------------------------------------------------------------ counting */

static enum vg_reason prepare(struct making *making)
{
    const struct vg_submission_statistics *statistics = making->statistics;
    VG_ASSERT(
        statistics->level_count <= VG_SUBMISSION_STATISTICS_LEVELS_MAX &&
        statistics->value_count <= VG_SUBMISSION_STATISTICS_VALUES_MAX &&
        statistics->timeline_count <= VG_SUBMISSION_STATISTICS_TIMELINES_MAX);
    for (size_t i = 0; i < statistics->level_count; i++) {
        const struct vg_submission_group_by *group_by = &statistics->group_by[i];
        making->columns[i] = group_column(group_by->field);
        making->levels[i] = (struct vg_group_level_request){ .column = making->columns[i],
                                                             .limit = group_by->limit };
        if (group_by->field == VG_SUBMISSION_GROUP_META_DATA) {
            making->prefixes[i] = vg_submission_meta_text(
                vg_bytes_text(group_by->meta_key),
                vg_bytes(NULL, 0),
                making->arena);
            if (making->prefixes[i].data == NULL) {
                return vg_error_set(making->error, VG_REQUEST_MEMORY, NULL);
            }
        }
    }
    for (size_t i = 0; i < statistics->value_count; i++) {
        making->extremes[i] = metric_column(statistics->values[i]);
    }
    making->records.prefixes = making->prefixes;
    making->records.extreme_columns = making->extremes;
    making->records.extreme_count = (uint32_t)statistics->value_count;
    making->tree = (struct vg_group_tree){
        .levels = making->levels,
        .level_count = (uint32_t)statistics->level_count,
        .schema = &vg_submission_table_schema,
        .names = { .identify = identify, .owner = making },
        .arena = making->arena,
    };
    return VG_OK;
}

/* The range of a timeline is that of the submissions. Too long a one is a fault of the request. */
static enum vg_reason plan_timelines(struct making *making)
{
    const struct vg_submission_statistics *statistics = making->statistics;
    for (size_t i = 0; i < statistics->timeline_count; i++) {
        const struct vg_submission_timeline_request *request = &statistics->timelines[i];
        const struct vg_timeline timeline = {
            .column = metric_column(request->field),
            .unit = request->unit,
            .end = VG_TIME_SPAN_LAST,
            .includes_empty = request->includes_empty,
            .starts_at_first = true,
            .ends_at_last = true,
        };
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

/* ------------------------------------------------------------------------------------- records */

static void *take(struct making *making, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(making->arena, count, size);
    if (memory == NULL && making->reason == VG_OK) {
        making->reason = vg_error_set(making->error, VG_REQUEST_MEMORY, NULL);
    }
    return memory;
}

static void fill_values(
    struct making *making,
    const struct vg_group_node *node,
    struct vg_submission_statistics_record *record)
{
    size_t count = making->statistics->value_count;
    struct vg_submission_value_metric *values = take(making, count, sizeof(*values));
    for (size_t i = 0; values != NULL && i < count; i++) {
        bool is_known = node->extremes != NULL;
        values[i].min = is_known ? node->extremes[i].min : VG_ABSENT;
        values[i].max = is_known ? node->extremes[i].max : VG_ABSENT;
    }
    record->values = values;
}

static void fill_timeline(
    struct making *making,
    const struct vg_timeline_plan *plan,
    const struct vg_aggregate_cell *cells,
    struct vg_submission_timeline_metric *metric)
{
    struct vg_timeline_reading reading;
    if (!vg_timeline_read(plan, cells, making->arena, &reading)) {
        making->reason = vg_error_set(making->error, VG_REQUEST_MEMORY, NULL);
        return;
    }
    struct vg_submission_bucket *buckets = take(making, reading.span_count, sizeof(*buckets));
    for (uint32_t i = 0; buckets != NULL && i < reading.span_count; i++) {
        uint32_t span = reading.spans[i];
        /* The first span begins with the range: what is shown is where the bucket begins. */
        buckets[i] = (struct vg_submission_bucket){ plan->stamps[span], cells[span].count };
    }
    metric->buckets = buckets;
    metric->bucket_count = reading.span_count;
}

static void fill_leaf(
    struct making *making,
    const struct vg_group_node *node,
    struct vg_submission_statistics_record *record)
{
    size_t count = making->statistics->timeline_count;
    struct vg_submission_timeline_metric *timelines = take(making, count, sizeof(*timelines));
    const struct vg_aggregate_cell *cells = node->spans;
    fill_values(making, node, record);
    if (cells == NULL) { /* nothing matched at all */
        cells = take(making, making->span_count, sizeof(*cells));
    }
    for (size_t i = 0; making->reason == VG_OK && i < count; i++) {
        fill_timeline(making, &making->plans[i], cells, &timelines[i]);
        cells += making->plans[i].spans.span_count;
    }
    record->timelines = timelines;
}

static void fill_names(
    struct making *making,
    enum vg_submission_group_field field,
    const struct vg_group_node *node,
    struct vg_submission_statistics_record *record)
{
    char *identifier = vg_arena_text(making->arena, node->identifier);
    if (identifier == NULL) {
        making->reason = vg_error_set(making->error, VG_REQUEST_MEMORY, NULL);
        return;
    }
    record->identifier = identifier;
    record->short_name = identifier;
    record->display_name = identifier;
    if (field != VG_SUBMISSION_GROUP_CUSTOMER) {
        return;
    }
    const struct vg_customer *customer =
        vg_directory_customer(making->statistics->directory, node->group->value.numbers.items[0]);
    if (customer != NULL) {
        record->short_name = vg_arena_text(making->arena, vg_bytes_text(customer->short_name));
        record->display_name = vg_arena_text(making->arena, vg_bytes_text(customer->name));
    }
    if (record->short_name == NULL || record->display_name == NULL) {
        making->reason = vg_error_set(making->error, VG_REQUEST_MEMORY, NULL);
    }
}

/* The records of the children of `parent`, which are groups of `level`. Recursion is bounded by the
 * number of levels. */
static struct vg_submission_statistics_record *make_records(
    struct making *making,
    const struct vg_group_node *parent,
    uint32_t level)
{
    struct vg_submission_statistics_record *records =
        take(making, parent->child_count, sizeof(*records));
    for (uint32_t i = 0; making->reason == VG_OK && i < parent->child_count; i++) {
        const struct vg_group_node *node = &parent->children[i];
        fill_names(making, making->statistics->group_by[level].field, node, &records[i]);
        records[i].count = node->total.count;
        if (making->reason == VG_OK && level + 1 == making->tree.level_count) {
            fill_leaf(making, node, &records[i]);
        } else if (making->reason == VG_OK) {
            records[i].children = make_records(making, node, level + 1);
            records[i].child_count = node->child_count;
        }
    }
    return records;
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

static enum vg_reason make(
    struct making *making,
    const struct vg_submission_statistics_record **out_records,
    size_t *out_count)
{
    enum vg_reason reason = prepare(making);
    if (reason == VG_OK) {
        reason = plan_timelines(making);
    }
    if (reason == VG_OK) {
        reason = count_all(making);
    }
    if (reason != VG_OK) {
        return reason;
    }
    const struct vg_group_node *root = &making->tree.root;
    if (making->tree.level_count != 0) {
        *out_records = make_records(making, root, 0);
        *out_count = root->child_count;
        return making->reason;
    }
    struct vg_submission_statistics_record *record = take(making, 1, sizeof(*record));
    if (record != NULL) {
        record->count = root->total.count;
        fill_leaf(making, root, record);
        *out_records = record;
        *out_count = 1;
    }
    return making->reason;
}

enum vg_reason vg_submission_statistics_run(
    const struct vg_submission_store *source,
    const struct vg_submission_statistics *statistics,
    struct vg_arena *arena,
    const struct vg_submission_statistics_record **out_records,
    size_t *out_count,
    struct vg_error *error)
{
    struct vg_snapshot snapshot;
    struct making *making = vg_arena_calloc(arena, 1, sizeof(*making));
    if (making == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason =
        vg_row_cursor_check(statistics->where, &vg_submission_table_schema, error);
    if (reason == VG_OK) {
        reason = vg_snapshot_acquire(source->table, source->snapshot_age_ms, &snapshot, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    making->statistics = statistics;
    making->snapshot = &snapshot;
    making->arena = arena;
    making->error = error;
    vg_submission_rows_init(&making->rows, source, &snapshot);
    making->records = (struct vg_aggregate){
        .kind = VG_INGEST_KIND_SUBMISSION,
        .where = statistics->where,
        .sum_column = VG_AGGREGATE_NO_COLUMN,
        .reader = &making->rows.reader,
        .check = statistics->check,
        .owner = statistics->owner,
    };
    reason = make(making, out_records, out_count);
    vg_submission_rows_dispose(&making->rows);
    vg_snapshot_release(&snapshot);
    return reason;
}
