#include "core/table/aggregate_spans.h"

#include "core/table/column_loops.h"

/* Places of a grid: about so many per span, and at most so many. */
#define GRID_PER_SPAN 4u
#define GRID_MIN      256u
#define GRID_MAX      65536u

/* Of rising moments so many spans are told apart by their bounds. */
#define SPANS_SEARCHED_MAX 32

/* So few wanted rows of a strip are looked at one by one. */
#define ROWS_LOCATED_MAX (VG_STRIP_ROWS / 16)

/* What a rule takes: distances shifted right are below 2^31. */
#define RULE_BITS 31u

/* Divide by multiplying: the factor is 2^(31 + n) / length rounded up, n bits hold the length, so
 * the error stays below one for distances of 31 bits (Granlund and Montgomery 1994). */
static struct vg_span_rule make_rule(const struct vg_aggregate_timeline *timeline)
{
    const vg_time *bounds = timeline->bounds;
    uint32_t count = timeline->span_count;
    uint64_t first = (uint64_t)bounds[1] - (uint64_t)bounds[0];
    uint64_t last = (uint64_t)bounds[count] - (uint64_t)bounds[count - 1];
    uint64_t length = count > 2      ? (uint64_t)bounds[2] - (uint64_t)bounds[1]
                      : first > last ? first
                                     : last;
    bool is_even = first <= length && last <= length;
    for (uint32_t i = 1; is_even && i + 1 < count; i++) {
        is_even = (uint64_t)bounds[i + 1] - (uint64_t)bounds[i] == length;
    }
    unsigned shift = (unsigned)__builtin_ctzll(length);
    uint64_t odd = length >> shift;
    uint64_t origin = (uint64_t)bounds[1] - length;
    if (!is_even || odd >> RULE_BITS != 0 ||
        ((uint64_t)bounds[count] - origin) >> shift >> RULE_BITS != 0) {
        return (struct vg_span_rule){ 0 };
    }
    unsigned bits = odd == 1 ? 0 : 64 - (unsigned)__builtin_clzll(odd - 1);
    unsigned __int128 power = (unsigned __int128)1 << (RULE_BITS + bits);
    return (struct vg_span_rule){
        .factor = (uint32_t)((power + odd - 1) / odd),
        .shift = shift,
        .factor_shift = RULE_BITS + bits,
        .length = (int64_t)length,
        .origin = (int64_t)origin,
    };
}

bool vg_span_line_init(
    struct vg_span_line *line,
    const struct vg_aggregate_timeline *timeline,
    uint32_t offset,
    struct vg_arena *arena)
{
    *line = (struct vg_span_line){ .timeline = timeline, .offset = offset, .arena = arena };
    if (timeline->span_count == 0) {
        return true;
    }
    line->rule = make_rule(timeline);
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
    struct vg_span_pair *out_pair)
{
    struct vg_strip_zone zone = vg_strip_zone(strip, column);
    if (zone.has_absent) {
        return false;
    }
    out_pair->first = locate(line, zone.min);
    out_pair->last = locate(line, zone.max);
    return true;
}

static bool is_moment(const struct vg_span_line *line)
{
    return line->timeline->end_column == VG_AGGREGATE_NO_COLUMN;
}

static struct vg_span_pair locate_row(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    uint32_t row)
{
    const struct vg_aggregate_timeline *timeline = line->timeline;
    const struct vg_column_data *columns = strip->chunk->columns;
    vg_time begin = vg_column_number(&columns[timeline->column], strip->first + row);
    if (begin == VG_ABSENT) {
        return no_span;
    }
    if (is_moment(line)) {
        return touched_by_moment(line, locate(line, begin));
    }
    vg_time end = vg_column_number(&columns[timeline->end_column], strip->first + row);
    return end == VG_ABSENT ? no_span : touched(line, locate(line, begin), locate(line, end));
}

void vg_span_line_look_at_rows(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    struct vg_span_strip *out_spans)
{
    for (uint32_t word = 0; word * 64 < strip->count; word++) {
        for (uint64_t rest = strip->found[word]; rest != 0; rest &= rest - 1) {
            uint32_t row = word * 64 + (uint32_t)__builtin_ctzll(rest);
            out_spans->rows[row] = locate_row(line, strip, row);
        }
    }
}

void vg_span_line_look(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    struct vg_span_strip *out_spans)
{
    const struct vg_aggregate_timeline *timeline = line->timeline;
    struct vg_span_pair begin;
    struct vg_span_pair end;
    out_spans->is_uniform = timeline->span_count == 0;
    out_spans->all = no_span;
    if (timeline->span_count == 0 || !locate_all(line, strip, timeline->column, &begin)) {
        return;
    }
    if (is_moment(line)) {
        out_spans->is_uniform = begin.first == begin.last;
        out_spans->all = out_spans->is_uniform ? touched_by_moment(line, begin.first) : no_span;
    } else if (locate_all(line, strip, timeline->end_column, &end)) {
        out_spans->is_uniform = begin.first == begin.last && end.first == end.last;
        out_spans->all = touched(line, begin.first, end.first);
    }
}

/* --- planes --- */

/* Stored times between two bounds have a span, by the rule; the others none. */
struct plane_step {
    uint64_t low; /* as stored */
    uint64_t high;
    uint64_t lead;  /* from the beginning of the span that holds `low` to there */
    uint32_t plane; /* of that span */
    struct vg_span_rule rule;
};

VG_LOOP_CLONES static void planes_32(
    const uint32_t *values,
    uint32_t count,
    const struct plane_step *step,
    uint16_t *restrict out)
{
    const uint32_t low = (uint32_t)step->low;
    const uint32_t range = (uint32_t)(step->high - step->low);
    const uint32_t lead = (uint32_t)step->lead;
    const uint32_t plane = step->plane;
    const struct vg_span_rule rule = step->rule;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t distance = values[i] - low;
        uint32_t units = (distance + lead) >> rule.shift;
        uint32_t span = (uint32_t)((uint64_t)units * rule.factor >> rule.factor_shift);
        out[i] = distance <= range ? (uint16_t)(span + plane) : 0;
    }
}

VG_LOOP_CLONES static void planes_64(
    const int64_t *values,
    uint32_t count,
    const struct vg_span_line *line,
    uint16_t *restrict out)
{
    const struct vg_span_rule rule = line->rule;
    const int64_t low = line->timeline->bounds[0];
    const int64_t high = line->timeline->bounds[line->timeline->span_count];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t units = (uint32_t)(((uint64_t)values[i] - (uint64_t)rule.origin) >> rule.shift);
        uint32_t span = (uint32_t)((uint64_t)units * rule.factor >> rule.factor_shift);
        bool is_inside = (values[i] >= low) & (values[i] < high);
        out[i] = is_inside ? (uint16_t)(span + 1) : 0;
    }
}

/* Can the rule be applied to times as they are stored, in 32 bits? */
static bool find_step(
    const struct vg_span_line *line,
    const struct vg_column_data *data,
    struct plane_step *out_step)
{
    const struct vg_span_rule *rule = &line->rule;
    const vg_time *bounds = line->timeline->bounds;
    vg_time high = bounds[line->timeline->span_count] - 1;
    vg_time low = bounds[0] > data->base ? bounds[0] : data->base;
    if (vg_column_has_one_value(data) || data->value_size != 4 || low > high ||
        (uint64_t)low - (uint64_t)data->base >= UINT32_MAX) {
        return false;
    }
    /* The largest value says that there is no time. */
    uint64_t most = (uint64_t)high - (uint64_t)data->base;
    uint64_t distance = (uint64_t)low - (uint64_t)rule->origin;
    uint64_t span = distance / (uint64_t)rule->length;
    *out_step = (struct plane_step){
        .low = (uint64_t)low - (uint64_t)data->base,
        .high = most < UINT32_MAX ? most : UINT32_MAX - 1,
        .lead = distance - span * (uint64_t)rule->length,
        .plane = (uint32_t)span + 1,
        .rule = *rule,
    };
    if (out_step->high - out_step->low + out_step->lead > UINT32_MAX) {
        /* No row of most chunks is so far away from the first. */
        uint64_t last =
            data->zone->max == INT64_MIN ? 0 : (uint64_t)data->zone->max - (uint64_t)data->base;
        out_step->high = last < out_step->high ? last : out_step->high;
    }
    return out_step->high >= out_step->low &&
           out_step->high - out_step->low + out_step->lead <= UINT32_MAX && rule->shift > 0;
}

void vg_span_line_planes(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    uint16_t out_planes[VG_STRIP_ROWS])
{
    uint32_t column = line->timeline->column;
    const struct vg_column_data *data = &strip->chunk->columns[column];
    struct plane_step step;
    if (line->rule.factor != 0 && !strip->is_tail && find_step(line, data, &step)) {
        planes_32((const uint32_t *)data->values + strip->first, strip->count, &step, out_planes);
        return;
    }
    int64_t times[VG_STRIP_ROWS];
    vg_strip_numbers(strip, column, VG_ABSENT, times);
    if (line->rule.factor != 0) {
        planes_64(times, strip->count, line, out_planes);
        return;
    }
    for (uint32_t row = 0; row < strip->count; row++) {
        int32_t span = times[row] == VG_ABSENT ? -1 : locate(line, times[row]);
        bool is_inside = span < (int32_t)line->timeline->span_count;
        out_planes[row] = is_inside ? (uint16_t)(span + 1) : 0;
    }
}

/* --- rows without groups --- */

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

/* Count moments that rise and lie in few spans: each is a stretch of rows. */
static void count_rising(
    const struct vg_span_line *line,
    const struct vg_strip *strip,
    const struct vg_strip_zone *zone,
    struct vg_aggregate_cell *cells)
{
    uint32_t column = line->timeline->column;
    const vg_time *bounds = line->timeline->bounds;
    const struct vg_span_pair all = touched(line, locate(line, zone->min), locate(line, zone->max));
    uint32_t begin = vg_strip_rows_below(strip, column, bounds[all.first]);
    for (int32_t span = all.first; span <= all.last; span++) {
        struct vg_span_pair one = { .first = span, .last = span };
        uint64_t bits[VG_STRIP_WORDS];
        uint32_t end = zone->max < bounds[span + 1]
                           ? strip->count
                           : vg_strip_rows_below(strip, column, bounds[span + 1]);
        pick_rows(strip, begin, end, bits);
        struct vg_aggregate_cell part = vg_strip_total(strip, bits);
        vg_span_line_add(line, one, part.count, part.sum, cells);
        begin = end;
    }
}

/* Few spans between the first and the last row of a strip? */
static bool can_search(const struct vg_span_line *line, const struct vg_strip_zone *zone)
{
    return zone->is_rising && !zone->has_absent &&
           locate(line, zone->max) - locate(line, zone->min) < SPANS_SEARCHED_MAX;
}

static bool has_counters(struct vg_span_line *line)
{
    uint32_t spans = line->timeline->span_count;
    if (line->counters != NULL || spans > VG_SPANS_PLANES_MAX) {
        return line->counters != NULL;
    }
    struct vg_counters *counters = vg_arena_calloc(line->arena, 1, sizeof(*counters));
    if (counters != NULL && vg_counters_init(counters, 1, spans + 1, false, line->arena)) {
        line->counters = counters;
    }
    return line->counters != NULL;
}

void vg_span_line_count(
    struct vg_span_line *line,
    const struct vg_strip *strip,
    const struct vg_aggregate_cell *total,
    struct vg_span_strip *scratch,
    struct vg_aggregate_cell *cells)
{
    vg_span_line_look(line, strip, scratch);
    if (scratch->is_uniform) {
        vg_span_line_add(line, scratch->all, total->count, total->sum, cells);
        return;
    }
    if (is_moment(line) && strip->found_count > ROWS_LOCATED_MAX) {
        struct vg_strip_zone zone = vg_strip_zone(strip, line->timeline->column);
        if (can_search(line, &zone)) {
            count_rising(line, strip, &zone, cells);
            return;
        }
        if (has_counters(line)) {
            uint16_t planes[VG_STRIP_ROWS];
            vg_span_line_planes(line, strip, planes);
            vg_counters_add(line->counters, strip, planes, 0);
            return;
        }
    }
    for (uint32_t word = 0; word * 64 < strip->count; word++) {
        for (uint64_t rest = strip->found[word]; rest != 0; rest &= rest - 1) {
            uint32_t row = word * 64 + (uint32_t)__builtin_ctzll(rest);
            int64_t amount = vg_amount_at(&strip->amounts, row);
            vg_span_line_add(line, locate_row(line, strip, row), 1, amount, cells);
        }
    }
}

static void empty_counters(const struct vg_span_line *line, struct vg_aggregate_cell *own)
{
    vg_counters_settle(line->counters);
    for (uint32_t span = 0; span < line->timeline->span_count; span++) {
        struct vg_aggregate_cell *cell = &line->counters->cells[span + 1];
        own[span].count += cell->count;
        own[span].sum = (int64_t)((uint64_t)own[span].sum + (uint64_t)cell->sum);
        *cell = (struct vg_aggregate_cell){ 0 };
    }
}

void vg_span_line_finish(const struct vg_span_line *line, struct vg_aggregate_cell *cells)
{
    struct vg_aggregate_cell *own = cells + line->offset;
    if (line->counters != NULL) {
        empty_counters(line, own);
    }
    if (is_moment(line)) {
        return;
    }
    for (uint32_t span = 1; span < line->timeline->span_count; span++) {
        own[span].count += own[span - 1].count;
        own[span].sum = (int64_t)((uint64_t)own[span].sum + (uint64_t)own[span - 1].sum);
    }
}
