#include "core/table/aggregate_spans.h"

#include "core/table/plan.h"

/* Places of a grid: about so many per span, and at most so many. */
#define GRID_PER_SPAN 4u
#define GRID_MIN      256u
#define GRID_MAX      65536u

/* Up to so many spans are compared with their bounds: a span costs about as much as looking up
 * sixty rows. */
#define SPANS_COMPARED_MAX 24

bool vg_span_line_init(
    struct vg_span_line *line,
    const struct vg_aggregate_timeline *timeline,
    uint32_t offset,
    struct vg_arena *arena)
{
    *line = (struct vg_span_line){ .timeline = timeline, .offset = offset };
    if (timeline->span_count == 0) {
        return true;
    }
    const vg_time *bounds = timeline->bounds;
    uint64_t range = (uint64_t)bounds[timeline->span_count] - (uint64_t)bounds[0];
    uint64_t places = (uint64_t)timeline->span_count * GRID_PER_SPAN;
    places = places < GRID_MIN ? GRID_MIN : places > GRID_MAX ? GRID_MAX : places;
    while (range >> line->shift >= places) {
        line->shift++;
    }
    line->grid_size = (uint32_t)(range >> line->shift);
    line->grid = vg_arena_calloc(arena, (size_t)line->grid_size + 2, sizeof(*line->grid));
    if (line->grid == NULL) {
        return false;
    }
    uint32_t span = 0;
    for (uint32_t place = 0; place <= line->grid_size + 1; place++) {
        uint64_t begin = (uint64_t)place << line->shift;
        while (span + 1 < timeline->span_count &&
               (uint64_t)bounds[span + 1] - (uint64_t)bounds[0] <= begin) {
            span++;
        }
        line->grid[place] = span;
    }
    return true;
}

/* The span that holds `time`; -1 before all, span_count behind all. */
static int32_t locate(const struct vg_span_line *line, vg_time time)
{
    const vg_time *bounds = line->timeline->bounds;
    if (time < bounds[0]) {
        return -1;
    }
    if (time >= bounds[line->timeline->span_count]) {
        return (int32_t)line->timeline->span_count;
    }
    uint64_t place = ((uint64_t)time - (uint64_t)bounds[0]) >> line->shift;
    uint32_t low = line->grid[place];
    uint32_t high = line->grid[place + 1];
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        if (time >= bounds[middle]) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return (int32_t)low;
}

static const struct vg_span_pair no_span = { .first = 1, .last = 0 };

/* The spans touched by what begins in span `begin` and ends in span `end`. */
static struct vg_span_pair touched(const struct vg_span_line *line, int32_t begin, int32_t end)
{
    int32_t count = (int32_t)line->timeline->span_count;
    return (struct vg_span_pair){
        .first = begin < 0 ? 0 : begin,
        .last = end >= count ? count - 1 : end,
    };
}

static struct vg_span_pair touched_by_moment(const struct vg_span_line *line, int32_t span)
{
    bool is_inside = span >= 0 && span < (int32_t)line->timeline->span_count;
    return is_inside ? (struct vg_span_pair){ .first = span, .last = span } : no_span;
}

/* The spans of the least and the greatest time of a column. False when a time is absent. */
static bool locate_all(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    uint32_t column,
    struct vg_span_pair *out_pair,
    bool *out_is_rising)
{
    struct vg_strip_range range;
    if (!vg_strip_measure(strip, column, &range)) {
        return false;
    }
    *out_is_rising = range.is_rising;
    out_pair->first = locate(line, range.min);
    out_pair->last = locate(line, range.max);
    return true;
}

static void look_at_rows(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    struct vg_span_pair *out_rows)
{
    const struct vg_aggregate_timeline *timeline = line->timeline;
    bool is_moment = timeline->end_column == VG_AGGREGATE_NO_COLUMN;
    vg_time begins[VG_STRIP_ROWS];
    vg_time ends[VG_STRIP_ROWS];
    vg_strip_numbers(strip, timeline->column, VG_ABSENT, begins);
    if (is_moment) {
        for (uint32_t row = 0; row < strip->count; row++) {
            bool is_absent = begins[row] == VG_ABSENT;
            out_rows[row] =
                is_absent ? no_span : touched_by_moment(line, locate(line, begins[row]));
        }
        return;
    }
    vg_strip_numbers(strip, timeline->end_column, VG_ABSENT, ends);
    for (uint32_t row = 0; row < strip->count; row++) {
        bool is_absent = begins[row] == VG_ABSENT || ends[row] == VG_ABSENT;
        out_rows[row] =
            is_absent ? no_span : touched(line, locate(line, begins[row]), locate(line, ends[row]));
    }
}

/* What can be said of all rows, wanted or not: whether they touch the same spans, and between which
 * those of moments lie. */
static void look_at_all(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    struct vg_span_strip *out_spans)
{
    const struct vg_aggregate_timeline *timeline = line->timeline;
    struct vg_span_pair begin;
    struct vg_span_pair end;
    out_spans->is_uniform = timeline->span_count == 0;
    out_spans->all = no_span;
    out_spans->is_between = false;
    if (timeline->span_count == 0 ||
        !locate_all(line, strip, timeline->column, &begin, &out_spans->is_rising)) {
        return;
    }
    if (timeline->end_column == VG_AGGREGATE_NO_COLUMN) {
        out_spans->is_uniform = begin.first == begin.last;
        out_spans->is_between = true;
        out_spans->is_inside = begin.first >= 0 && begin.last < (int32_t)timeline->span_count;
        out_spans->all = touched(line, begin.first, begin.last);
        return;
    }
    bool is_rising;
    if (locate_all(line, strip, timeline->end_column, &end, &is_rising)) {
        out_spans->is_uniform = begin.first == begin.last && end.first == end.last;
        out_spans->all = touched(line, begin.first, end.first);
    }
}

void vg_span_line_look(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    struct vg_span_strip *out_spans)
{
    look_at_all(line, strip, out_spans);
    if (!out_spans->is_uniform) {
        look_at_rows(line, strip, out_spans->rows);
    }
}

/* The wanted rows from number `begin` to before `end`. */
static void pick_rows(const struct vg_strip *strip, uint32_t begin, uint32_t end, uint64_t *out)
{
    for (uint32_t word = 0; word * 64 < strip->count; word++) {
        uint32_t first = word * 64;
        uint64_t from = begin <= first        ? UINT64_MAX
                        : begin >= first + 64 ? 0
                                              : UINT64_MAX << (begin - first);
        uint64_t to = end >= first + 64 ? UINT64_MAX
                      : end <= first    ? 0
                                        : (UINT64_C(1) << (end - first)) - 1;
        out[word] = strip->found[word] & from & to;
    }
}

/* The wanted rows whose moment lies in `span`. */
static void pick_span(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    bool is_rising,
    int32_t span,
    uint64_t *out)
{
    uint32_t column = line->timeline->column;
    const vg_time *bounds = line->timeline->bounds + span;
    if (is_rising) {
        uint32_t begin = vg_strip_rows_below(strip, column, bounds[0]);
        pick_rows(strip, begin, vg_strip_rows_below(strip, column, bounds[1]), out);
        return;
    }
    const struct vg_plan_block block = {
        .chunk = strip->chunk,
        .first = strip->first,
        .count = strip->count,
        .is_tail = strip->is_tail,
    };
    vg_plan_range(&strip->chunk->columns[column], &block, bounds[0], bounds[1] - 1, out);
    for (uint32_t word = 0; word * 64 < strip->count; word++) {
        out[word] &= strip->found[word];
    }
}

/* Count moments that lie in few spans, those of `all`. */
static void compare(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    const struct vg_aggregate_cell *total,
    const struct vg_span_strip *spans,
    struct vg_aggregate_cell *cells)
{
    struct vg_aggregate_cell rest = *total;
    for (int32_t span = spans->all.first; span <= spans->all.last; span++) {
        struct vg_span_pair one = { .first = span, .last = span };
        struct vg_aggregate_cell part = rest;
        if (!spans->is_inside || span < spans->all.last) {
            uint64_t bits[VG_STRIP_WORDS];
            pick_span(line, strip, spans->is_rising, span, bits);
            part = vg_strip_total(strip, bits);
        }
        rest.count -= part.count;
        rest.sum = (int64_t)((uint64_t)rest.sum - (uint64_t)part.sum);
        vg_span_line_add(line, one, part.count, part.sum, cells);
    }
}

void vg_span_line_count(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    const struct vg_aggregate_cell *total,
    struct vg_span_strip *scratch,
    struct vg_aggregate_cell *cells)
{
    look_at_all(line, strip, scratch);
    if (scratch->is_uniform) {
        vg_span_line_add(line, scratch->all, total->count, total->sum, cells);
        return;
    }
    if (scratch->is_between && scratch->all.last - scratch->all.first < SPANS_COMPARED_MAX) {
        compare(line, strip, total, scratch, cells);
        return;
    }
    look_at_rows(line, strip, scratch->rows);
    for (uint32_t word = 0; word * 64 < strip->count; word++) {
        for (uint64_t rest = strip->found[word]; rest != 0; rest &= rest - 1) {
            uint32_t row = word * 64 + (uint32_t)__builtin_ctzll(rest);
            int64_t amount = strip->amounts == NULL ? 0 : strip->amounts[row];
            vg_span_line_add(line, scratch->rows[row], 1, amount, cells);
        }
    }
}

void vg_span_line_finish(const struct vg_span_line *line, struct vg_aggregate_cell *cells)
{
    if (line->timeline->end_column == VG_AGGREGATE_NO_COLUMN) {
        return;
    }
    struct vg_aggregate_cell *own = cells + line->offset;
    for (uint32_t span = 1; span < line->timeline->span_count; span++) {
        own[span].count += own[span - 1].count;
        own[span].sum = (int64_t)((uint64_t)own[span].sum + (uint64_t)own[span - 1].sum);
    }
}
