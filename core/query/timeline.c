/*
 * A range of more spans than an answer may have can still hold few that are not empty: one event of
 * 1999 and one of today are two buckets, but millions of minutes. Such a range is divided into
 * pieces, those that hold anything into smaller ones, until the pieces are single spans.
 */
#include "core/query/timeline.h"

#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/query/term_list.h"
#include "core/table/search.h"

/* Pieces looked at in one pass. */
#define VG_PIECES_MAX 100000

_Static_assert(
    VG_PIECES_MAX + 2 * VG_LIMIT_TIMELINE_BUCKETS + 1 <= VG_AGGREGATE_CELLS_MAX,
    "a pass over pieces, and over buckets with what lies between them, can be counted");

/* Spans by number, both included. */
struct stretch {
    int64_t first;
    int64_t last;
};

struct planning {
    const struct vg_snapshot *snapshot;
    struct vg_aggregate records; /* whose time is in the range */
    const struct vg_timeline *timeline;
    struct vg_arena *arena;
    struct vg_error *error;
};

static enum vg_reason too_many(struct vg_error *error)
{
    char most[16];
    (void)snprintf(most, sizeof(most), "%d", VG_LIMIT_TIMELINE_BUCKETS);
    (void)vg_error_set(
        error,
        VG_RESULTSET_TOO_LARGE,
        "A timeline may have %d buckets",
        VG_LIMIT_TIMELINE_BUCKETS);
    return vg_error_field(error, "", most);
}

/* The earliest or latest time of the records; VG_ABSENT when there is none. */
static enum vg_reason find_time(struct planning *planning, bool latest, vg_time *out_time)
{
    const struct vg_sort_key sort = { .column = planning->timeline->column, .descending = latest };
    const struct vg_search search = {
        .kind = planning->records.kind,
        .where = planning->records.where,
        .sort = &sort,
        .sort_count = 1,
        .limit = 1,
        .uncounted = true,
        .reader = planning->records.reader,
        .check = planning->records.check,
        .owner = planning->records.owner,
    };
    struct vg_search_result result;
    enum vg_reason reason =
        vg_search_run(planning->snapshot, &search, planning->arena, &result, planning->error);
    if (reason != VG_OK) {
        return reason;
    }
    *out_time = VG_ABSENT;
    if (result.hit_count != 0) {
        struct vg_value value;
        vg_hit_read(&result.hits[0], sort.column, &value);
        *out_time = value.number;
    }
    return VG_OK;
}

/* Narrow the stretch to what the records fill; false in *out_any when there are none. */
static enum vg_reason narrow(struct planning *planning, struct stretch *stretch, bool *out_any)
{
    const struct vg_timeline *timeline = planning->timeline;
    vg_time time = VG_ABSENT;
    enum vg_reason reason = find_time(planning, false, &time);
    *out_any = reason == VG_OK && time != VG_ABSENT;
    if (!*out_any) {
        return reason;
    }
    if (timeline->starts_at_first || !timeline->includes_empty) {
        stretch->first = vg_time_span_number(timeline->unit, time);
    }
    if (timeline->ends_at_last || !timeline->includes_empty) {
        reason = find_time(planning, true, &time);
        stretch->last = vg_time_span_number(timeline->unit, time);
    }
    return reason;
}

/* Bounds of pieces of `step` spans, with a piece for what lies between two stretches. */
struct pieces {
    vg_time *bounds;
    struct stretch *stretches; /* of each piece; last < first: it lies between */
    uint32_t count;
};

static void add_piece(
    const struct planning *planning,
    struct pieces *pieces,
    const struct stretch *stretch)
{
    vg_time start = vg_time_span_start(planning->timeline->unit, stretch->first);
    if (pieces->count != 0 && pieces->bounds[pieces->count] < start) {
        pieces->stretches[pieces->count++] = (struct stretch){ 1, 0 };
    }
    pieces->bounds[pieces->count] = start;
    pieces->stretches[pieces->count++] = *stretch;
    pieces->bounds[pieces->count] = vg_time_span_start(planning->timeline->unit, stretch->last + 1);
}

static enum vg_reason cut(
    const struct planning *planning,
    const struct stretch *stretches,
    uint32_t count,
    int64_t step,
    struct pieces *out_pieces)
{
    size_t room = 0;
    for (uint32_t i = 0; i < count; i++) {
        room += (size_t)((stretches[i].last - stretches[i].first) / step) + 2;
    }
    struct pieces pieces = {
        .bounds = vg_arena_alloc(planning->arena, (room + 1) * sizeof(*pieces.bounds)),
        .stretches = vg_arena_alloc(planning->arena, room * sizeof(*pieces.stretches)),
    };
    if (pieces.bounds == NULL || pieces.stretches == NULL) {
        return vg_error_set(planning->error, VG_REQUEST_MEMORY, NULL);
    }
    for (uint32_t i = 0; i < count; i++) {
        for (int64_t first = stretches[i].first; first <= stretches[i].last; first += step) {
            int64_t last = first + step - 1;
            struct stretch piece = { first, last < stretches[i].last ? last : stretches[i].last };
            add_piece(planning, &pieces, &piece);
        }
    }
    VG_ASSERT(pieces.count <= room);
    *out_pieces = pieces;
    return VG_OK;
}

/* Count the records of each piece and keep the pieces that have any, in their own array. */
static enum vg_reason keep_filled(
    struct planning *planning,
    const struct pieces *pieces,
    uint32_t *out_count)
{
    const struct vg_aggregate_timeline spans = {
        .column = planning->timeline->column,
        .end_column = VG_AGGREGATE_NO_COLUMN,
        .bounds = pieces->bounds,
        .span_count = pieces->count,
    };
    struct vg_aggregate counting = planning->records;
    counting.timelines = &spans;
    counting.timeline_count = 1;
    struct vg_aggregate_result result = { 0 };
    enum vg_reason reason =
        vg_aggregate_run(planning->snapshot, &counting, planning->arena, &result, planning->error);
    if (reason != VG_OK) {
        return reason;
    }
    VG_ASSERT(result.spans != NULL);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pieces->count; i++) {
        if (result.spans[i].count != 0) {
            pieces->stretches[kept++] = pieces->stretches[i];
        }
    }
    *out_count = kept;
    return VG_OK;
}

/* The single spans that hold anything. */
static enum vg_reason find_filled(
    struct planning *planning,
    struct stretch whole,
    struct stretch **out_stretches,
    uint32_t *out_count)
{
    struct stretch *stretches = &whole;
    uint32_t count = 1;
    int64_t total = whole.last - whole.first + 1;
    for (int64_t step = 0; step != 1;) {
        struct pieces pieces = { 0 };
        step = (total + VG_PIECES_MAX - 1) / VG_PIECES_MAX;
        enum vg_reason reason = cut(planning, stretches, count, step, &pieces);
        if (reason == VG_OK) {
            reason = keep_filled(planning, &pieces, &count);
        }
        if (reason != VG_OK) {
            return reason;
        }
        stretches = pieces.stretches;
        if (count > VG_LIMIT_TIMELINE_BUCKETS) {
            return too_many(planning->error);
        }
        total = 0;
        for (uint32_t i = 0; i < count; i++) {
            total += stretches[i].last - stretches[i].first + 1;
        }
    }
    *out_stretches = stretches;
    *out_count = count;
    return VG_OK;
}

/* Make the spans of a plan. The first and the last hold only what lies in the range. */
static enum vg_reason make_spans(
    const struct planning *planning,
    const struct stretch *stretches,
    uint32_t count,
    struct vg_timeline_plan *plan)
{
    const struct vg_timeline *timeline = planning->timeline;
    if (count == 0) {
        return VG_OK;
    }
    struct pieces pieces = { 0 };
    enum vg_reason reason = cut(planning, stretches, count, 1, &pieces);
    if (reason != VG_OK) {
        return reason;
    }
    VG_ASSERT(pieces.count != 0 && pieces.bounds != NULL && pieces.stretches != NULL);
    vg_time *stamps = vg_arena_alloc(planning->arena, pieces.count * sizeof(*stamps));
    if (stamps == NULL) {
        return vg_error_set(planning->error, VG_REQUEST_MEMORY, NULL);
    }
    for (uint32_t i = 0; i < pieces.count; i++) {
        bool between = pieces.stretches[i].last < pieces.stretches[i].first;
        stamps[i] = between ? VG_ABSENT : pieces.bounds[i];
    }
    if (pieces.bounds[0] < timeline->start) {
        pieces.bounds[0] = timeline->start;
    }
    if (pieces.bounds[pieces.count] > timeline->end) {
        pieces.bounds[pieces.count] = timeline->end + 1;
    }
    plan->spans.bounds = pieces.bounds;
    plan->spans.span_count = pieces.count;
    plan->stamps = stamps;
    return VG_OK;
}

static enum vg_reason plan_range(struct planning *planning, struct vg_timeline_plan *plan)
{
    const struct vg_timeline *timeline = planning->timeline;
    struct stretch whole = {
        vg_time_span_number(timeline->unit, timeline->start),
        vg_time_span_number(timeline->unit, timeline->end),
    };
    bool any = true;
    bool is_long = whole.last - whole.first >= VG_LIMIT_TIMELINE_BUCKETS;
    if (timeline->starts_at_first || timeline->ends_at_last ||
        (is_long && !timeline->includes_empty)) {
        enum vg_reason reason = narrow(planning, &whole, &any);
        if (reason != VG_OK) {
            return reason;
        }
        is_long = whole.last - whole.first >= VG_LIMIT_TIMELINE_BUCKETS;
    }
    if (!any) {
        return VG_OK;
    }
    if (!is_long) {
        return make_spans(planning, &whole, 1, plan);
    }
    if (timeline->includes_empty) {
        return too_many(planning->error);
    }
    struct stretch *filled = NULL; /* gcc does not see that a failure leaves it unread */
    uint32_t count = 0;
    enum vg_reason reason = find_filled(planning, whole, &filled, &count);
    return reason == VG_OK ? make_spans(planning, filled, count, plan) : reason;
}

enum vg_reason vg_timeline_plan(
    const struct vg_snapshot *snapshot,
    const struct vg_aggregate *records,
    const struct vg_timeline *timeline,
    struct vg_arena *arena,
    struct vg_timeline_plan *out_plan,
    struct vg_error *error)
{
    VG_ASSERT(timeline->start >= 0 && timeline->end <= VG_TIME_SPAN_LAST);
    struct vg_timeline_plan plan = {
        .timeline = *timeline,
        .spans = { .column = timeline->column, .end_column = VG_AGGREGATE_NO_COLUMN },
    };
    if (timeline->start > timeline->end) {
        *out_plan = plan;
        return VG_OK;
    }
    struct vg_term_list terms;
    vg_term_list_init(&terms, arena);
    vg_term_list_add(&terms, records->where);
    vg_term_list_add(
        &terms,
        vg_predicate_range(arena, timeline->column, timeline->start, timeline->end));
    struct planning planning = {
        .snapshot = snapshot,
        .records = {
            .kind = records->kind,
            .where = vg_term_list_and(&terms),
            .sum_column = VG_AGGREGATE_NO_COLUMN,
            .reader = records->reader,
            .check = records->check,
            .owner = records->owner,
        },
        .timeline = timeline,
        .arena = arena,
        .error = error,
    };
    if (planning.records.where == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason = plan_range(&planning, &plan);
    if (reason == VG_OK) {
        *out_plan = plan;
    }
    return reason;
}

/* ------------------------------------------------------------------------------------- reading */

bool vg_timeline_read(
    const struct vg_timeline_plan *plan,
    const struct vg_aggregate_cell *cells,
    struct vg_arena *arena,
    struct vg_timeline_reading *out_reading)
{
    const struct vg_timeline *timeline = &plan->timeline;
    uint32_t first = UINT32_MAX;
    uint32_t last = 0;
    struct vg_timeline_reading reading = { 0 };
    for (uint32_t i = 0; i < plan->spans.span_count; i++) {
        reading.total.count += cells[i].count;
        reading.total.sum += cells[i].sum;
        if (cells[i].count != 0) {
            first = first == UINT32_MAX ? i : first;
            last = i;
        }
    }
    if (!timeline->starts_at_first && timeline->includes_empty) {
        first = 0;
    }
    if (!timeline->ends_at_last && timeline->includes_empty) {
        last = plan->spans.span_count == 0 ? 0 : plan->spans.span_count - 1;
    }
    if (plan->spans.span_count == 0 || first == UINT32_MAX) {
        *out_reading = reading;
        return true;
    }
    uint32_t *spans = vg_arena_alloc(arena, (size_t)(last - first + 1) * sizeof(*spans));
    if (spans == NULL) {
        return false;
    }
    for (uint32_t i = first; i <= last; i++) {
        if (plan->stamps[i] != VG_ABSENT && (timeline->includes_empty || cells[i].count != 0)) {
            spans[reading.span_count++] = i;
        }
    }
    reading.spans = spans;
    *out_reading = reading;
    return true;
}
