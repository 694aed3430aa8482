/*
 * An aggregation walks the chunks of its snapshot as a search does, and counts the rows found strip
 * by strip: in a table of counters where all levels together have few cells, else by going down the
 * levels one by one; without levels there is only the root. A timeline of moments is one level more
 * of the counters where that leaves few cells, a plane for each span; else, with timelines, the
 * counters hold a stretch of strips whose rows all touch the same spans, and are emptied when
 * another one begins.
 */
#include "core/table/aggregate.h"

#include "core/base/assert.h"
#include "core/table/aggregate_counters.h"
#include "core/table/aggregate_levels.h"
#include "core/table/chunk_walk.h"
#include "core/table/table_parts.h"

/* Emptying the counters costs as much as counting about so many rows per cell; after so many
 * stretches that were not worth it, the counters are given up. */
#define STRETCH_ROWS_PER_CELL 1u
#define STRETCHES_SHORT_MAX   16u

struct vg_aggregate_run {
    const struct vg_aggregate *aggregate;
    struct vg_aggregate spanless; /* the same without timelines, when they are skipped */
    struct vg_arena *arena;
    struct vg_chunk_walk walk;
    struct vg_levels levels;
    bool has_counters; /* instead of going down the levels */
    struct vg_counters counters;
    uint32_t first_plane; /* of the chunk at hand, when there are several */
    uint32_t last_plane;
    struct vg_span_pair stretch[VG_AGGREGATE_TIMELINES_MAX]; /* touched by what they hold */
    uint64_t stretch_rows;
    uint32_t short_stretches;
    struct vg_span_line lines[VG_AGGREGATE_TIMELINES_MAX];
    struct vg_span_strip *span_strips;
    struct vg_aggregate_cell total;
    struct vg_aggregate_cell *spans; /* of the root */
    struct vg_aggregate_extremes *extremes;
    int64_t amounts[VG_STRIP_ROWS];
    uint16_t cells[VG_STRIP_ROWS];
    uint64_t found[VG_TABLE_CHUNK_ROWS_MAX / 64]; /* of the chunk at hand */
};

static bool can_group(enum vg_column_kind kind)
{
    return kind == VG_COLUMN_TIME || kind == VG_COLUMN_NUMBER || kind == VG_COLUMN_TEXT ||
           kind == VG_COLUMN_SUBJECTS || kind == VG_COLUMN_NETWORK || kind == VG_COLUMN_NUMBERS ||
           kind == VG_COLUMN_FIXED || kind == VG_COLUMN_TEXTS;
}

static bool is_time(const struct vg_table_schema *schema, uint32_t column)
{
    return column < schema->column_count && schema->columns[column].kind == VG_COLUMN_TIME;
}

static enum vg_reason check_timelines(
    const struct vg_aggregate *aggregate,
    const struct vg_table_schema *schema,
    struct vg_error *error)
{
    uint64_t spans = 0;
    for (uint32_t i = 0; i < aggregate->timeline_count; i++) {
        const struct vg_aggregate_timeline *timeline = &aggregate->timelines[i];
        if (!is_time(schema, timeline->column) || (timeline->end_column != VG_AGGREGATE_NO_COLUMN &&
                                                   !is_time(schema, timeline->end_column))) {
            return vg_error_set(error, VG_INTERNAL, "a timeline of a column that is no time");
        }
        spans += timeline->span_count;
    }
    if (spans > VG_AGGREGATE_CELLS_MAX) {
        return vg_error_set(
            error,
            VG_RESULTSET_TOO_LARGE,
            "more than %u spans of time",
            VG_AGGREGATE_CELLS_MAX);
    }
    return VG_OK;
}

static enum vg_reason check_extremes(
    const struct vg_aggregate *aggregate,
    const struct vg_table_schema *schema,
    struct vg_error *error)
{
    if (aggregate->extreme_count > VG_AGGREGATE_EXTREMES_MAX) {
        return vg_error_set(error, VG_INTERNAL, "too many columns of extremes");
    }
    for (uint32_t i = 0; i < aggregate->extreme_count; i++) {
        uint32_t column = aggregate->extreme_columns[i];
        if (column >= schema->column_count || (schema->columns[column].kind != VG_COLUMN_TIME &&
                                               schema->columns[column].kind != VG_COLUMN_NUMBER)) {
            return vg_error_set(error, VG_INTERNAL, "a column without least and greatest");
        }
    }
    return VG_OK;
}

static enum vg_reason check_aggregate(
    const struct vg_aggregate *aggregate,
    const struct vg_table_schema *schema,
    struct vg_error *error)
{
    if (aggregate->column_count > VG_AGGREGATE_LEVELS_MAX ||
        aggregate->timeline_count > VG_AGGREGATE_TIMELINES_MAX) {
        return vg_error_set(error, VG_INTERNAL, "too many levels or timelines");
    }
    for (uint32_t i = 0; i < aggregate->column_count; i++) {
        if (aggregate->columns[i] >= schema->column_count ||
            !can_group(schema->columns[aggregate->columns[i]].kind)) {
            return vg_error_set(error, VG_INTERNAL, "a column that cannot be grouped by");
        }
    }
    uint32_t sum = aggregate->sum_column;
    if (sum != VG_AGGREGATE_NO_COLUMN &&
        (sum >= schema->column_count || schema->columns[sum].kind != VG_COLUMN_NUMBER)) {
        return vg_error_set(error, VG_INTERNAL, "a column that cannot be added up");
    }
    enum vg_reason reason = check_extremes(aggregate, schema, error);
    return reason == VG_OK ? check_timelines(aggregate, schema, error) : reason;
}

/* --- preparation --- */

static bool prepare_timelines(struct vg_aggregate_run *run, uint32_t *out_span_count)
{
    const struct vg_aggregate *aggregate = run->aggregate;
    uint32_t count = 0;
    for (uint32_t i = 0; i < aggregate->timeline_count; i++) {
        const struct vg_aggregate_timeline *timeline = &aggregate->timelines[i];
        if (!vg_span_line_init(&run->lines[i], timeline, count, run->arena)) {
            return false;
        }
        count += timeline->span_count;
    }
    *out_span_count = count;
    if (aggregate->timeline_count == 0) {
        return true;
    }
    run->span_strips =
        vg_arena_calloc(run->arena, aggregate->timeline_count, sizeof(*run->span_strips));
    if (aggregate->column_count == 0) {
        run->spans = vg_arena_calloc(run->arena, (size_t)count + 1, sizeof(*run->spans));
    }
    return run->span_strips != NULL && (aggregate->column_count > 0 || run->spans != NULL);
}

/* Planes of the counters. */
static uint32_t count_planes(const struct vg_aggregate *aggregate, uint32_t width)
{
    if (aggregate->timeline_count != 1 ||
        aggregate->timelines[0].end_column != VG_AGGREGATE_NO_COLUMN) {
        return 1;
    }
    uint64_t planes = (uint64_t)aggregate->timelines[0].span_count + 1;
    return planes * width <= VG_COUNTERS_WIDTH_MAX ? (uint32_t)planes : 1;
}

static bool prepare_counters(struct vg_aggregate_run *run)
{
    const struct vg_aggregate *aggregate = run->aggregate;
    struct vg_levels *levels = &run->levels;
    uint32_t planes = 1;
    /* Counters know nothing of single rows. */
    run->has_counters = aggregate->extreme_count == 0 &&
                        levels->narrow_count == aggregate->column_count &&
                        levels->narrow_width <= VG_COUNTERS_WIDTH_MAX;
    if (run->has_counters) {
        planes = count_planes(aggregate, levels->narrow_width);
    }
    if (aggregate->may_skip_spans && planes == 1) {
        run->spanless = *aggregate;
        run->spanless.timeline_count = 0;
        run->aggregate = &run->spanless;
        levels->aggregate = &run->spanless;
        levels->store.span_count = 0;
    }
    bool settles_often = run->aggregate->timeline_count > 0 && planes == 1;
    return !run->has_counters || vg_counters_init(
                                     &run->counters,
                                     levels->narrow_width,
                                     planes,
                                     settles_often,
                                     run->arena);
}

static bool prepare_levels(
    struct vg_aggregate_run *run,
    const struct vg_table *table,
    uint32_t span_count)
{
    const struct vg_aggregate *aggregate = run->aggregate;
    const struct vg_table_kind *kind = &table->kinds[aggregate->kind];
    struct vg_levels *levels = &run->levels;
    levels->aggregate = aggregate;
    levels->schema = kind->schema;
    levels->arena = run->arena;
    levels->lines = run->lines;
    levels->span_strips = run->span_strips;
    __builtin_memcpy(levels->secret, table->config.secret, sizeof(levels->secret));
    return vg_group_store_init(
               &levels->store,
               levels->secret,
               aggregate->column_count,
               span_count,
               aggregate->extreme_count,
               run->arena) &&
           vg_levels_init(levels, run->walk.parts, run->walk.part_count, kind->dictionaries) &&
           prepare_counters(run);
}

static enum vg_reason prepare_run(struct vg_aggregate_run *run, struct vg_error *error)
{
    const struct vg_aggregate *aggregate = run->aggregate;
    uint32_t span_count;
    enum vg_reason reason =
        vg_chunk_walk_begin(&run->walk, aggregate->kind, aggregate->where, run->arena, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (aggregate->column_count == 0 && aggregate->extreme_count > 0) {
        run->extremes = vg_extremes_create(run->arena, aggregate->extreme_count);
        if (run->extremes == NULL) {
            return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
        }
    }
    if (!prepare_timelines(run, &span_count) ||
        (aggregate->column_count > 0 &&
         !prepare_levels(run, run->walk.snapshot->table, span_count))) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    return VG_OK;
}

/* --- counting --- */

static void add_cell(struct vg_aggregate_cell *cell, const struct vg_aggregate_cell *more)
{
    cell->count += more->count;
    cell->sum = (int64_t)((uint64_t)cell->sum + (uint64_t)more->sum);
}

/* Strip number `number` of the chunk at hand; false when no row of it is wanted. */
static bool take_strip(
    const struct vg_aggregate_run *run,
    uint32_t number,
    struct vg_strip *out_strip)
{
    const struct vg_walk_part *part = run->walk.part;
    uint32_t first = number * VG_STRIP_ROWS;
    uint32_t rest = part->rows - first;
    *out_strip = (struct vg_strip){
        .chunk = part->chunk,
        .is_tail = part->is_tail,
        .first = first,
        .count = rest < VG_STRIP_ROWS ? rest : VG_STRIP_ROWS,
        .found = run->found + first / 64,
    };
    out_strip->found_count = vg_loop_count_bits(out_strip->found, (out_strip->count + 63) / 64);
    return out_strip->found_count > 0;
}

/* Rows for the cells that were counted for the first time in the chunk at hand. */
static void take_examples(struct vg_aggregate_run *run, uint32_t part)
{
    uint32_t missing = vg_counters_missing(&run->counters, run->first_plane, run->last_plane);
    uint64_t several[VG_STRIP_WORDS];
    struct vg_strip strip;
    for (uint32_t number = 0; missing > 0; number++) {
        VG_ASSERT(number * VG_STRIP_ROWS < run->walk.part->rows);
        if (take_strip(run, number, &strip)) {
            (void)vg_levels_cells(&run->levels, &strip, run->cells, several);
            missing -= vg_counters_take_examples(&run->counters, &strip, run->cells, part);
        }
    }
}

/* Give what a cell of the counters holds to its group, those above it that are counted, and the
 * spans of its plane or of the stretch. */
static enum vg_reason give_cell(
    struct vg_aggregate_run *run,
    uint32_t plane,
    uint32_t cell,
    const struct vg_aggregate_cell *total,
    struct vg_error *error)
{
    struct vg_levels *levels = &run->levels;
    const struct vg_counter_example *example = &run->counters.examples[cell];
    VG_ASSERT(example->part > 0);
    const struct vg_hit hit = {
        .chunk = run->walk.parts[example->part - 1].chunk,
        .position = example->position,
    };
    uint32_t number = vg_levels_group(levels, cell, &hit);
    if (number == VG_GROUP_NONE) {
        return vg_levels_error(levels, error);
    }
    uint32_t level = run->aggregate->column_count - 1;
    struct vg_open_group *group = vg_group_store_at(&levels->store, level, number);
    add_cell(&group->total, total);
    for (uint32_t i = 0; i < run->aggregate->timeline_count; i++) {
        const struct vg_span_line *line = &run->lines[i];
        int32_t span = (int32_t)plane - 1;
        struct vg_span_pair one = { .first = span < 0 ? 0 : span, .last = span };
        bool has_planes = run->counters.planes > 1;
        struct vg_span_pair pair = has_planes ? one : run->stretch[i];
        vg_span_line_add(line, pair, total->count, total->sum, group->spans);
    }
    for (; level > 0; level--) {
        number = group->parent;
        group = vg_group_store_at(&levels->store, level - 1, number);
        if (vg_levels_are_counted(levels, level - 1)) {
            add_cell(&group->total, total);
        }
    }
    add_cell(&run->total, total);
    return VG_OK;
}

static enum vg_reason empty_counters(struct vg_aggregate_run *run, struct vg_error *error)
{
    struct vg_counters *counters = &run->counters;
    enum vg_reason reason = VG_OK;
    vg_counters_settle(counters);
    for (uint32_t plane = 0; plane < counters->planes; plane++) {
        struct vg_aggregate_cell *cells = counters->cells + (size_t)plane * counters->width;
        for (uint32_t cell = 0; cell < counters->width && reason == VG_OK; cell++) {
            if (cells[cell].count != 0) {
                reason = give_cell(run, plane, cell, &cells[cell], error);
                cells[cell] = (struct vg_aggregate_cell){ 0 };
            }
        }
    }
    bool is_short = run->stretch_rows < (uint64_t)counters->width * STRETCH_ROWS_PER_CELL;
    run->short_stretches += is_short;
    run->stretch_rows = 0;
    return reason;
}

/* Can the strip be counted in the counters? They then hold nothing but rows that touch the spans
 * its rows do. */
static enum vg_reason enter_stretch(
    struct vg_aggregate_run *run,
    const struct vg_strip *strip,
    uint32_t part,
    bool *out_enters,
    struct vg_error *error)
{
    bool is_same = true;
    *out_enters = run->has_counters;
    for (uint32_t i = 0; i < run->aggregate->timeline_count && *out_enters; i++) {
        const struct vg_span_strip *spans = &run->span_strips[i];
        *out_enters = spans->is_uniform;
        is_same = is_same && spans->all.first == run->stretch[i].first &&
                  spans->all.last == run->stretch[i].last;
    }
    if (!*out_enters) {
        return VG_OK;
    }
    if (is_same) {
        run->stretch_rows += strip->found_count;
        return VG_OK;
    }
    take_examples(run, part);
    enum vg_reason reason = empty_counters(run, error);
    for (uint32_t i = 0; i < run->aggregate->timeline_count; i++) {
        run->stretch[i] = run->span_strips[i].all;
    }
    run->has_counters = run->short_stretches <= STRETCHES_SHORT_MAX;
    *out_enters = run->has_counters;
    run->stretch_rows = strip->found_count;
    return reason;
}

/* Go down the levels with some rows. */
static enum vg_reason count_by_levels(
    struct vg_aggregate_run *run,
    const struct vg_strip *strip,
    struct vg_error *error)
{
    for (uint32_t i = 0; i < run->aggregate->timeline_count; i++) {
        if (!run->span_strips[i].is_uniform) {
            vg_span_line_look_at_rows(&run->lines[i], strip, &run->span_strips[i]);
        }
    }
    struct vg_aggregate_cell total = vg_strip_total(strip, strip->found);
    add_cell(&run->total, &total);
    return vg_levels_count(&run->levels, strip, error);
}

/* Count rows whose cells are known, each in its plane. */
static void count_in_planes(struct vg_aggregate_run *run, const struct vg_strip *strip)
{
    if (run->counters.planes == 1) {
        vg_counters_add(&run->counters, strip, run->cells, 0);
        return;
    }
    const struct vg_span_strip *spans = &run->span_strips[0];
    uint32_t plane = spans->all.first > spans->all.last ? 0 : (uint32_t)spans->all.last + 1;
    uint32_t first = spans->is_uniform ? plane : 0;
    uint32_t last = spans->is_uniform ? plane : run->counters.planes - 1;
    run->first_plane = first < run->first_plane ? first : run->first_plane;
    run->last_plane = last > run->last_plane ? last : run->last_plane;
    if (spans->is_uniform) {
        vg_counters_add(&run->counters, strip, run->cells, plane);
        return;
    }
    uint16_t cells[VG_STRIP_ROWS];
    vg_span_line_planes(&run->lines[0], strip, cells);
    vg_strip_join_16(run->cells, strip->count, run->counters.width, cells);
    vg_counters_add(&run->counters, strip, cells, 0);
}

/* Rows with several values of one level go down the levels, the others are counted by cell. */
static enum vg_reason count_by_cells(
    struct vg_aggregate_run *run,
    const struct vg_strip *strip,
    struct vg_error *error)
{
    uint64_t several[VG_STRIP_WORDS];
    uint64_t single[VG_STRIP_WORDS];
    struct vg_strip part = *strip;
    uint32_t count = vg_levels_cells(&run->levels, strip, run->cells, several);
    if (count == 0) {
        count_in_planes(run, strip);
        return VG_OK;
    }
    for (uint32_t word = 0; word < VG_STRIP_WORDS; word++) {
        single[word] = word * 64 < strip->count ? strip->found[word] & ~several[word] : 0;
    }
    part.found = single;
    part.found_count = strip->found_count - count;
    count_in_planes(run, &part);
    part.found = several;
    part.found_count = count;
    return count_by_levels(run, &part, error);
}

static enum vg_reason count_in_groups(
    struct vg_aggregate_run *run,
    const struct vg_strip *strip,
    uint32_t part,
    struct vg_error *error)
{
    bool enters = true;
    enum vg_reason reason = VG_OK;
    for (uint32_t i = 0; i < run->aggregate->timeline_count; i++) {
        vg_span_line_look(&run->lines[i], strip, &run->span_strips[i]);
    }
    if (!run->has_counters || run->counters.planes == 1) {
        reason = enter_stretch(run, strip, part, &enters, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    return enters ? count_by_cells(run, strip, error) : count_by_levels(run, strip, error);
}

/* Least and greatest of all rows found. */
static void count_extremes(struct vg_aggregate_run *run, const struct vg_strip *strip)
{
    int64_t numbers[VG_STRIP_ROWS];
    for (uint32_t i = 0; i < run->aggregate->extreme_count; i++) {
        vg_strip_numbers(strip, run->aggregate->extreme_columns[i], VG_ABSENT, numbers);
        for (uint32_t word = 0; word * 64 < strip->count; word++) {
            for (uint64_t rest = strip->found[word]; rest != 0; rest &= rest - 1) {
                uint32_t row = word * 64 + (uint32_t)__builtin_ctzll(rest);
                vg_extremes_add(&run->extremes[i], numbers[row]);
            }
        }
    }
}

static enum vg_reason count_strip(
    struct vg_aggregate_run *run,
    struct vg_strip *strip,
    uint32_t part,
    struct vg_error *error)
{
    const struct vg_aggregate *aggregate = run->aggregate;
    if (aggregate->sum_column != VG_AGGREGATE_NO_COLUMN) {
        strip->amounts = vg_strip_amounts(strip, aggregate->sum_column, run->amounts);
    }
    if (aggregate->column_count > 0) {
        return count_in_groups(run, strip, part, error);
    }
    struct vg_aggregate_cell total = vg_strip_total(strip, strip->found);
    add_cell(&run->total, &total);
    count_extremes(run, strip);
    for (uint32_t i = 0; i < aggregate->timeline_count; i++) {
        vg_span_line_count(&run->lines[i], strip, &total, run->span_strips, run->spans);
    }
    return VG_OK;
}

static enum vg_reason count_part(
    struct vg_aggregate_run *run,
    uint32_t part,
    struct vg_error *error)
{
    const uint32_t strips_per_block = VG_PLAN_BLOCK_ROWS / VG_STRIP_ROWS;
    uint32_t blocks = vg_chunk_walk_blocks(&run->walk);
    run->first_plane = run->counters.planes == 0 ? 0 : run->counters.planes - 1;
    run->last_plane = 0;
    for (uint32_t number = 0; number < blocks; number++) {
        struct vg_plan_block block;
        uint64_t *found = run->found + (size_t)number * VG_PLAN_BLOCK_WORDS;
        enum vg_reason reason = vg_chunk_walk_read(&run->walk, number, &block, found);
        uint32_t strips = (block.count + VG_STRIP_ROWS - 1) / VG_STRIP_ROWS;
        for (uint32_t i = 0; reason == VG_OK && i < strips; i++) {
            struct vg_strip strip;
            if (take_strip(run, number * strips_per_block + i, &strip)) {
                reason = count_strip(run, &strip, part, error);
            }
        }
        if (reason != VG_OK) {
            return reason;
        }
    }
    if (run->has_counters) {
        take_examples(run, part);
    }
    return VG_OK;
}

static enum vg_reason count_parts(struct vg_aggregate_run *run, struct vg_error *error)
{
    for (uint32_t i = 0; i < run->walk.part_count; i++) {
        bool look;
        enum vg_reason reason = vg_chunk_walk_enter(&run->walk, &run->walk.parts[i], &look, error);
        if (reason == VG_OK && look) {
            reason = count_part(run, i, error);
        }
        if (reason != VG_OK) {
            return reason;
        }
    }
    return VG_OK;
}

/* --- the result --- */

static void finish_spans(struct vg_aggregate_run *run)
{
    const struct vg_aggregate *aggregate = run->aggregate;
    const struct vg_group_store *store = &run->levels.store;
    uint32_t leaf = aggregate->column_count - 1; /* looked at only when there are levels */
    uint32_t leaves = aggregate->column_count == 0 ? 1 : store->levels[leaf].count;
    for (uint32_t line = 0; line < aggregate->timeline_count; line++) {
        for (uint32_t i = 0; i < leaves; i++) {
            struct vg_aggregate_cell *cells = aggregate->column_count == 0
                                                  ? run->spans
                                                  : vg_group_store_at(store, leaf, i)->spans;
            vg_span_line_finish(&run->lines[line], cells);
        }
    }
}

static enum vg_reason finish_run(
    struct vg_aggregate_run *run,
    struct vg_aggregate_result *out_result,
    struct vg_error *error)
{
    struct vg_aggregate_result result = { 0 };
    if (run->has_counters) {
        enum vg_reason reason = empty_counters(run, error);
        if (reason != VG_OK) {
            return reason;
        }
    }
    finish_spans(run);
    vg_levels_add_up(&run->levels);
    if (!vg_group_store_finish(&run->levels.store, run->aggregate->columns, &result)) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    result.total = run->total;
    result.has_spans = run->aggregate->timeline_count > 0;
    result.spans = run->spans;
    result.extremes = run->extremes;
    *out_result = result;
    return VG_OK;
}

enum vg_reason vg_aggregate_run(
    const struct vg_snapshot *snapshot,
    const struct vg_aggregate *aggregate,
    struct vg_arena *arena,
    struct vg_aggregate_result *out_result,
    struct vg_error *error)
{
    VG_ASSERT(aggregate->kind < snapshot->published->kind_count);
    enum vg_reason reason =
        check_aggregate(aggregate, snapshot->table->kinds[aggregate->kind].schema, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_aggregate_run *run = vg_arena_calloc(arena, 1, sizeof(*run));
    if (run == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    run->aggregate = aggregate;
    run->arena = arena;
    run->walk.snapshot = snapshot;
    run->walk.records = (struct vg_plan_run){
        .reader = aggregate->reader,
        .check = aggregate->check,
        .owner = aggregate->owner,
        .error = error,
    };
    run->levels.aggregate = aggregate;
    reason = prepare_run(run, error);
    if (reason == VG_OK) {
        reason = count_parts(run, error);
    }
    return reason == VG_OK ? finish_run(run, out_result, error) : reason;
}
