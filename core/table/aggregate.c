/*
 * An aggregation walks the chunks of its snapshot as a search does, and counts the rows found strip
 * by strip: in a table of counters where all levels together have few cells, else by going down the
 * levels one by one; without levels there is only the root. With timelines the counters hold a
 * stretch of strips whose rows all touch the same spans, and are emptied when another one begins.
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
    struct vg_arena *arena;
    struct vg_chunk_walk walk;
    struct vg_levels levels;
    bool has_counters; /* instead of going down the levels */
    struct vg_counters counters;
    struct vg_span_pair stretch[VG_AGGREGATE_TIMELINES_MAX]; /* touched by what they hold */
    uint64_t stretch_rows;
    uint32_t short_stretches;
    struct vg_span_line lines[VG_AGGREGATE_TIMELINES_MAX];
    struct vg_span_strip *span_strips;
    struct vg_aggregate_cell total;
    struct vg_aggregate_cell *spans; /* of the root */
    struct vg_aggregate_extremes *extremes;
    int64_t amounts[VG_STRIP_ROWS];
    uint32_t cells[VG_STRIP_ROWS];
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
    if (!vg_group_store_init(
            &levels->store,
            levels->secret,
            aggregate->column_count,
            span_count,
            aggregate->extreme_count,
            run->arena) ||
        !vg_levels_init(levels, run->walk.parts, run->walk.part_count, kind->dictionaries)) {
        return false;
    }
    /* Counters know nothing of single rows. */
    run->has_counters = aggregate->extreme_count == 0 &&
                        levels->narrow_count == aggregate->column_count &&
                        levels->narrow_width <= VG_COUNTERS_WIDTH_MAX;
    return !run->has_counters || vg_counters_init(
                                     &run->counters,
                                     levels->narrow_width,
                                     aggregate->timeline_count > 0,
                                     run->arena);
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
    uint32_t missing = vg_counters_missing(&run->counters);
    struct vg_strip strip;
    for (uint32_t number = 0; missing > 0; number++) {
        VG_ASSERT(number * VG_STRIP_ROWS < run->walk.part->rows);
        if (take_strip(run, number, &strip)) {
            const uint32_t *cells = vg_levels_cells(&run->levels, &strip, run->cells);
            missing -= vg_counters_take_examples(&run->counters, &strip, cells, part);
        }
    }
}

/* Give what the counters hold to the groups, and to the spans of the stretch. */
static enum vg_reason empty_counters(struct vg_aggregate_run *run, struct vg_error *error)
{
    const struct vg_aggregate *aggregate = run->aggregate;
    struct vg_levels *levels = &run->levels;
    vg_counters_settle(&run->counters);
    for (uint32_t cell = 0; cell < run->counters.width; cell++) {
        struct vg_aggregate_cell total = run->counters.cells[cell];
        if (total.count == 0) {
            continue;
        }
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
        struct vg_open_group *group =
            vg_group_store_at(&levels->store, aggregate->column_count - 1, number);
        add_cell(&group->total, &total);
        for (uint32_t i = 0; i < aggregate->timeline_count; i++) {
            const struct vg_span_line *line = &run->lines[i];
            vg_span_line_add(line, run->stretch[i], total.count, total.sum, group->spans);
        }
        add_cell(&run->total, &total);
        run->counters.cells[cell] = (struct vg_aggregate_cell){ 0 };
    }
    bool is_short = run->stretch_rows < (uint64_t)run->counters.width * STRETCH_ROWS_PER_CELL;
    run->short_stretches += is_short;
    run->stretch_rows = 0;
    return VG_OK;
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

static enum vg_reason count_in_groups(
    struct vg_aggregate_run *run,
    const struct vg_strip *strip,
    uint32_t part,
    struct vg_error *error)
{
    bool enters;
    for (uint32_t i = 0; i < run->aggregate->timeline_count; i++) {
        vg_span_line_look(&run->lines[i], strip, &run->span_strips[i]);
    }
    enum vg_reason reason = enter_stretch(run, strip, part, &enters, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (enters) {
        const uint32_t *cells = vg_levels_cells(&run->levels, strip, run->cells);
        vg_counters_add(&run->counters, strip, cells, part);
        return VG_OK;
    }
    struct vg_aggregate_cell total = vg_strip_total(strip, strip->found);
    add_cell(&run->total, &total);
    return vg_levels_count(&run->levels, strip, error);
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
        vg_strip_numbers(strip, aggregate->sum_column, 0, run->amounts);
        strip->amounts = run->amounts;
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
