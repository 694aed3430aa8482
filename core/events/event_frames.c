#include "core/events/event_frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/calendar.h"
#include "core/base/limits.h"
#include "core/events/event_search.h"
#include "core/events/event_table.h"
#include "core/query/group_tree.h"
#include "core/query/time_span.h"
#include "core/table/aggregate.h"

/* The frames of the range: bounds[i] <= time < bounds[i + 1], and what is shown of each. */
struct frames {
    vg_time *bounds;
    vg_time *starts; /* count + 1 of them */
    uint32_t count;
};

/* A key while it is sorted. */
struct leaf {
    const struct vg_aggregate_group
        *groups[VG_EVENT_STATISTICS_LEVELS_MAX]; /* by level of the table */
    uint32_t index;                              /* of the leaf in its level */
    int64_t value;                               /* what it is ordered by */
};

struct making {
    const struct vg_event_frames *request;
    const struct vg_snapshot *snapshot;
    struct vg_event_groups groups;
    struct vg_aggregate records;
    uint32_t columns[VG_EVENT_STATISTICS_LEVELS_MAX];
    enum vg_event_group_field fields[VG_EVENT_STATISTICS_LEVELS_MAX]; /* of the columns */
    uint32_t level_count;
    struct frames frames;
    const struct vg_aggregate_result *result;
    struct vg_bytes *texts[VG_EVENT_STATISTICS_LEVELS_MAX]; /* of each group, when asked for */
    bool *has_text[VG_EVENT_STATISTICS_LEVELS_MAX];
    struct vg_arena *arena;
    struct vg_error *error;
    enum vg_reason reason; /* of the first failure */
};

static void *take(struct making *making, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(making->arena, count, size);
    if (memory == NULL && making->reason == VG_OK) {
        making->reason = vg_error_set(making->error, VG_REQUEST_MEMORY, NULL);
    }
    return memory;
}

/* --------------------------------------------------------------------------------------- frames */

static enum vg_reason too_many_frames(struct vg_error *error)
{
    char most[16];
    (void)snprintf(most, sizeof(most), "%d", VG_LIMIT_STATISTICS_FRAMES);
    (void)vg_error_set(
        error,
        VG_RESULTSET_TOO_LARGE,
        "The range has more than %d time frames",
        VG_LIMIT_STATISTICS_FRAMES);
    return vg_error_field(error, "", most);
}

/* The length of a frame; 0 = the calendar's. */
static int64_t frame_length(const struct vg_event_frames *request)
{
    static const int64_t lengths[] = {
        [VG_EVENT_FRAME_MILLISECONDS] = 1,
        [VG_EVENT_FRAME_SECONDS] = VG_MS_PER_SECOND,
        [VG_EVENT_FRAME_MINUTES] = VG_MS_PER_MINUTE,
        [VG_EVENT_FRAME_HOURS] = VG_MS_PER_HOUR,
        [VG_EVENT_FRAME_DAYS] = VG_MS_PER_DAY,
        [VG_EVENT_FRAME_WEEKS] = 0,
        [VG_EVENT_FRAME_MONTHS] = 0,
        [VG_EVENT_FRAME_YEARS] = 0,
    };
    VG_ASSERT(request->unit > 0 && request->unit < VG_ARRAY_COUNT(lengths));
    int64_t length = lengths[request->unit];
    /* One frame that ends behind all time is as good as a longer one. */
    return length == 0 || request->resolution <= VG_TIME_SPAN_LAST / length
               ? length * request->resolution
               : VG_TIME_SPAN_LAST + 1;
}

static enum vg_time_unit calendar_unit(enum vg_event_frame_unit unit)
{
    return unit == VG_EVENT_FRAME_WEEKS    ? VG_TIME_UNIT_WEEK
           : unit == VG_EVENT_FRAME_MONTHS ? VG_TIME_UNIT_MONTH
                                           : VG_TIME_UNIT_YEAR;
}

static enum vg_reason make_frames(struct making *making)
{
    const struct vg_event_frames *request = making->request;
    bool is_calendar = request->unit >= VG_EVENT_FRAME_WEEKS;
    if (is_calendar && request->resolution != 1) {
        (void)vg_error_set(
            making->error,
            VG_INVALID_FIELD_VALUE,
            "Weeks, months and years go with a resolution of 1");
        char text[24];
        (void)snprintf(text, sizeof(text), "%lld", (long long)request->resolution);
        return vg_error_field(making->error, "resolution", text);
    }
    if (request->start > request->end) {
        return VG_OK;
    }
    enum vg_time_unit unit = calendar_unit(request->unit);
    bool single = request->resolution == 0;
    int64_t length = single ? request->end - request->start + 1 : frame_length(request);
    VG_ASSERT(is_calendar || length > 0);
    int64_t first = is_calendar ? vg_time_span_number(unit, request->start) : 0;
    int64_t count = is_calendar ? vg_time_span_number(unit, request->end) - first + 1
                                : (request->end - request->start) / length + 1;
    if (count > VG_LIMIT_STATISTICS_FRAMES) {
        return too_many_frames(making->error);
    }
    struct frames *frames = &making->frames;
    frames->bounds = take(making, (size_t)count + 1, sizeof(*frames->bounds));
    frames->starts = take(making, (size_t)count + 1, sizeof(*frames->starts));
    if (making->reason != VG_OK) {
        return making->reason;
    }
    for (int64_t i = 0; i <= count; i++) {
        frames->starts[i] =
            is_calendar ? vg_time_span_start(unit, first + i) : request->start + i * length;
        frames->bounds[i] = frames->starts[i];
    }
    frames->count = (uint32_t)count;
    frames->bounds[0] = request->start;
    frames->bounds[count] = request->end + 1;
    if (single) {
        frames->starts[1] = request->end;
    }
    return VG_OK;
}

/* ----------------------------------------------------------------------------------------- keys */

static struct vg_bytes text_of(
    struct making *making,
    uint32_t level,
    const struct vg_aggregate_group *group)
{
    size_t index = (size_t)(group - making->result->levels[level].groups);
    if (!making->has_text[level][index] && making->reason == VG_OK) {
        making->reason = vg_event_group_text(
            &making->groups,
            making->fields[level],
            group,
            &making->texts[level][index],
            making->error);
        making->has_text[level][index] = true;
    }
    return making->texts[level][index];
}

/* None comes behind every text. */
static int compare_texts(struct vg_bytes a, struct vg_bytes b)
{
    if (a.data == NULL || b.data == NULL) {
        return (a.data == NULL) - (b.data == NULL);
    }
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* Two alarms may have one name: then the events that are groups' examples decide nothing, but the
 * order in which the table found them does, which is the same for one snapshot. */
static int compare_leaves(const void *a, const void *b, void *owner)
{
    struct making *making = owner;
    const struct leaf *one = a;
    const struct leaf *other = b;
    if (one->value != other->value) {
        return one->value > other->value ? -1 : 1;
    }
    for (uint32_t level = 0; level < making->level_count; level++) {
        int order = compare_texts(
            text_of(making, level, one->groups[level]),
            text_of(making, level, other->groups[level]));
        if (order != 0) {
            return order;
        }
    }
    return (one->index > other->index) - (one->index < other->index);
}

static int64_t value_of(const struct making *making, const struct vg_aggregate_cell *cell)
{
    return making->request->counts_raw ? cell->sum : (int64_t)cell->count;
}

/* The leaves of the result, in order. */
static struct leaf *sort_leaves(struct making *making, uint32_t *out_count)
{
    uint32_t last = making->level_count - 1;
    const struct vg_aggregate_level *level = &making->result->levels[last];
    struct leaf *leaves = take(making, level->group_count, sizeof(*leaves));
    for (uint32_t i = 0; i < making->level_count; i++) {
        uint32_t count = making->result->levels[i].group_count;
        making->texts[i] = take(making, count, sizeof(struct vg_bytes));
        making->has_text[i] = take(making, count, sizeof(bool));
    }
    if (making->reason != VG_OK) {
        return NULL;
    }
    for (uint32_t i = 0; i < level->group_count; i++) {
        const struct vg_aggregate_group *group = &level->groups[i];
        leaves[i].index = i;
        leaves[i].value = value_of(making, &group->total);
        for (uint32_t at = last;; at--) {
            leaves[i].groups[at] = group;
            if (at == 0) {
                break;
            }
            group = &making->result->levels[at - 1].groups[group->parent];
        }
    }
    if (level->group_count > 1) {
        qsort_r(leaves, level->group_count, sizeof(*leaves), compare_leaves, making);
    }
    *out_count = level->group_count;
    return leaves;
}

/* Texts of a key, one for each field of the request; `leaf` NULL = none of any, or "other". */
static void fill_key(
    struct making *making,
    const struct leaf *leaf,
    bool is_other,
    struct vg_event_frame_key *key)
{
    const struct vg_event_frames *request = making->request;
    const char **texts = take(making, request->field_count, sizeof(*texts));
    uint32_t level = 0;
    for (size_t i = 0; texts != NULL && i < request->field_count; i++) {
        bool has_level = request->fields[i] != VG_EVENT_GROUP_NOTHING;
        if (is_other) {
            texts[i] = "other";
        } else if (leaf != NULL && has_level) {
            struct vg_bytes text = text_of(making, level, leaf->groups[level]);
            texts[i] = text.data == NULL ? NULL : vg_arena_text(making->arena, text);
            if (text.data != NULL && texts[i] == NULL && making->reason == VG_OK) {
                making->reason = vg_error_set(making->error, VG_REQUEST_MEMORY, NULL);
            }
        }
        level += has_level ? 1u : 0u;
    }
    *key = (struct vg_event_frame_key){ .texts = texts, .is_other = is_other };
}

/* -------------------------------------------------------------------------------------- counting
 */

static enum vg_reason run(
    struct making *making,
    const struct vg_aggregate *asked,
    struct vg_aggregate_result *out_result)
{
    return vg_aggregate_run(making->snapshot, asked, making->arena, out_result, making->error);
}

static struct vg_aggregate_timeline timeline_of(const struct making *making)
{
    bool by_timestamp = making->request->by_timestamp;
    return (struct vg_aggregate_timeline){
        .column = by_timestamp ? VG_EVENT_COLUMN_TIMESTAMP : VG_EVENT_COLUMN_FIRST_EVENT,
        .end_column = by_timestamp ? VG_AGGREGATE_NO_COLUMN : VG_EVENT_COLUMN_LAST_EVENT,
        .bounds = making->frames.bounds,
        .span_count = making->frames.count,
    };
}

/* What is in the frames: of each key, one behind the other, `count` cells each. */
struct cells {
    const struct vg_aggregate_cell **of_key;
    size_t key_count;
};

static void fill_frames(
    struct making *making,
    const struct cells *cells,
    struct vg_event_frames_result *result)
{
    size_t total = 0;
    for (size_t key = 0; key < cells->key_count; key++) {
        for (uint32_t i = 0; i < making->frames.count; i++) {
            total += cells->of_key[key][i].count != 0;
        }
    }
    struct vg_event_frame *frames = take(making, making->frames.count, sizeof(*frames));
    struct vg_event_frame_record *records = take(making, total, sizeof(*records));
    size_t frame_count = 0;
    for (uint32_t i = 0; making->reason == VG_OK && i < making->frames.count; i++) {
        size_t used = 0;
        for (size_t key = 0; key < cells->key_count; key++) {
            const struct vg_aggregate_cell *cell = &cells->of_key[key][i];
            if (cell->count != 0) {
                records[used++] =
                    (struct vg_event_frame_record){ (uint32_t)key, value_of(making, cell) };
            }
        }
        if (used != 0) {
            frames[frame_count++] = (struct vg_event_frame){ making->frames.starts[i],
                                                             making->frames.starts[i + 1],
                                                             records,
                                                             used };
            records += used;
        }
    }
    result->frames = frames;
    result->frame_count = frame_count;
}

/* One key: nothing is grouped by, or nothing matched. */
static enum vg_reason make_single(struct making *making, struct vg_event_frames_result *result)
{
    struct vg_event_frame_key *key = take(making, 1, sizeof(*key));
    struct vg_aggregate_timeline timeline = timeline_of(making);
    struct vg_aggregate asked = making->records;
    struct vg_aggregate_result counted;
    if (making->reason != VG_OK) {
        return making->reason;
    }
    fill_key(making, NULL, false, key);
    result->keys = key;
    result->key_count = 1;
    if (making->reason == VG_OK && making->frames.count != 0) {
        asked.timelines = &timeline;
        asked.timeline_count = 1;
        making->reason = run(making, &asked, &counted);
    }
    if (making->reason == VG_OK && making->frames.count != 0) {
        const struct cells cells = { &counted.spans, 1 };
        fill_frames(making, &cells, result);
    }
    return making->reason;
}

/* What the keys behind the cutoff have together. */
static const struct vg_aggregate_cell *sum_others(
    struct making *making,
    const struct leaf *leaves,
    uint32_t count)
{
    const struct vg_aggregate_level *level = &making->result->levels[making->level_count - 1];
    struct vg_aggregate_cell *sum = take(making, making->frames.count, sizeof(*sum));
    for (uint32_t i = 0; sum != NULL && i < count; i++) {
        const struct vg_aggregate_cell *spans = level->groups[leaves[i].index].spans;
        for (uint32_t at = 0; at < making->frames.count; at++) {
            sum[at].count += spans[at].count;
            sum[at].sum += spans[at].sum;
        }
    }
    return sum;
}

static enum vg_reason fill_keys(
    struct making *making,
    const struct leaf *leaves,
    uint32_t leaf_count,
    struct vg_event_frames_result *result)
{
    const struct vg_event_frames *request = making->request;
    const struct vg_aggregate_level *level = &making->result->levels[making->level_count - 1];
    uint32_t kept =
        request->cutoff != 0 && request->cutoff < leaf_count ? request->cutoff : leaf_count;
    bool others = kept < leaf_count && request->includes_others;
    size_t count = (size_t)kept + (others ? 1u : 0u);
    struct vg_event_frame_key *keys = take(making, count, sizeof(*keys));
    struct cells cells = { take(making, count, sizeof(*cells.of_key)), count };
    for (uint32_t i = 0; cells.of_key != NULL && making->reason == VG_OK && i < kept; i++) {
        fill_key(making, &leaves[i], false, &keys[i]);
        cells.of_key[i] = level->groups[leaves[i].index].spans;
    }
    if (making->reason == VG_OK && cells.of_key != NULL && others) {
        fill_key(making, NULL, true, &keys[kept]);
        cells.of_key[kept] = sum_others(making, leaves + kept, leaf_count - kept);
    }
    result->keys = keys;
    result->key_count = count;
    if (making->reason == VG_OK) {
        fill_frames(making, &cells, result);
    }
    return making->reason;
}

static enum vg_reason make_grouped(struct making *making, struct vg_event_frames_result *result)
{
    struct vg_aggregate_timeline timeline = timeline_of(making);
    struct vg_aggregate asked = making->records;
    struct vg_aggregate_result counted;
    asked.columns = making->columns;
    asked.column_count = making->level_count;
    asked.timelines = &timeline;
    asked.timeline_count = making->frames.count == 0 ? 0 : 1;
    enum vg_reason reason = run(making, &asked, &counted);
    if (reason != VG_OK) {
        return reason;
    }
    if (counted.total.count == 0) {
        return make_single(making, result);
    }
    making->result = &counted;
    uint32_t leaf_count = 0;
    struct leaf *leaves = sort_leaves(making, &leaf_count);
    if (making->reason == VG_OK) {
        making->reason = fill_keys(making, leaves, leaf_count, result);
    }
    making->result = NULL;
    return making->reason;
}

static enum vg_reason make(struct making *making, struct vg_event_frames_result *out_result)
{
    const struct vg_event_frames *request = making->request;
    struct vg_event_frames_result result = { 0 };
    VG_ASSERT(request->field_count <= VG_EVENT_STATISTICS_LEVELS_MAX);
    for (size_t i = 0; i < request->field_count; i++) {
        if (request->fields[i] != VG_EVENT_GROUP_NOTHING) {
            making->fields[making->level_count] = request->fields[i];
            making->columns[making->level_count++] = vg_event_group_column(request->fields[i]);
        }
    }
    enum vg_reason reason = make_frames(making);
    if (reason == VG_OK) {
        reason =
            making->level_count == 0 ? make_single(making, &result) : make_grouped(making, &result);
    }
    if (reason == VG_OK) {
        *out_result = result;
    }
    return reason;
}

enum vg_reason vg_event_frames_run(
    const struct vg_event_store *source,
    const struct vg_event_frames *request,
    struct vg_arena *arena,
    struct vg_event_frames_result *out_result,
    struct vg_error *error)
{
    const struct vg_event_counting *counting = &request->counting;
    struct vg_snapshot snapshot;
    enum vg_reason reason = vg_event_search_check(counting->where, error);
    if (reason == VG_OK) {
        reason = vg_snapshot_acquire(source->table, source->snapshot_age_ms, &snapshot, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_event_reader reader;
    vg_event_reader_init(&reader, source, &snapshot);
    struct making making = {
        .request = request,
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
    reason = make(&making, out_result);
    vg_event_reader_dispose(&reader);
    vg_snapshot_release(&snapshot);
    return reason;
}
