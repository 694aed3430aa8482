/*
 * Truth: random aggregations over random rows against sums made straight from the definitions over
 * a plain array, on tails, closed and sealed chunks; and the limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/table/aggregate.h"
#include "tests/unit/core/table/table_fixture.h"

#define IDS_MAX       6000u
#define SPANS_MAX     60u
#define TIMELINES_MAX 3u

struct truth {
    char path[64];
    struct vg_table_config config;
    struct vg_table *table;
    struct fixture_row *rows; /* by id */
    bool is_live[IDS_MAX];
    uint32_t ids; /* how many may be used */
    uint64_t random;
    struct vg_arena arena;
    uint64_t groups; /* seen in all answers, to see that the run was worth it */
    uint64_t some;   /* answers about some but not all rows */
    uint64_t answers;
};

static void truth_setup(struct truth *truth, uint32_t chunk_rows, uint64_t seed)
{
    memset(truth, 0, sizeof(*truth));
    truth->random = seed;
    truth->rows = calloc(IDS_MAX, sizeof(*truth->rows));
    assert_non_null(truth->rows);
    fixture_make_folder(truth->path);
    truth->config = fixture_config(truth->path, &vg_clock_real, chunk_rows);
    truth->config.limits.closed_chunks = 2000;
    truth->config.limits.settle_batch = 1;
    /* Every third run has a dictionary too small for the signatures, if not for the customers. */
    truth->config.limits.dictionary_entries = seed % 3 == 0 ? 7 : 0;
    truth->table = fixture_open(&truth->config);
    vg_arena_init(&truth->arena, 64u << 20);
}

static void truth_teardown(struct truth *truth)
{
    fixture_close(truth->table);
    fixture_remove_folder(truth->path);
    vg_arena_dispose(&truth->arena);
    free(truth->rows);
}

static void put_row(struct truth *truth, uint32_t id, bool removes)
{
    struct fixture_row key;
    vg_time updated = 1800000000000 + (vg_time)vg_table_sequence(truth->table);
    fixture_fill(&key, id, fixture_random(&truth->random), updated);
    if (!removes) {
        fixture_fill(&truth->rows[id], id, fixture_random(&truth->random), updated);
    }
    const struct vg_table_change change = {
        .removes = removes,
        .row = removes ? &key.row : &truth->rows[id].row,
    };
    truth->is_live[id] = !removes;
    assert_int_equal(vg_table_prepare(truth->table, &change, 1, NULL), VG_OK);
    vg_table_publish(truth->table, vg_table_sequence(truth->table) + 1, NULL);
    vg_table_maintain(truth->table);
}

static void put_rows(struct truth *truth, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = fixture_below(&truth->random, truth->ids);
        put_row(truth, id, truth->is_live[id] && fixture_below(&truth->random, 5) == 0);
    }
}

/* --- which rows: a few questions, asked of the row's values here and of the table there --- */

struct question {
    int64_t severity_min;
    int64_t severity_max;
    int64_t customer; /* 0 = any */
    int64_t port;     /* 0 = any, VG_ABSENT = none */
    bool negated;     /* everything but that */
};

static bool question_wants(const struct question *question, const struct fixture_row *row)
{
    const struct vg_value *values = row->values;
    bool wanted = values[FIX_SEVERITY].number >= question->severity_min &&
                  values[FIX_SEVERITY].number <= question->severity_max;
    wanted = wanted && (question->customer == 0 || row->customer == question->customer);
    wanted = wanted && (question->port == 0 || values[FIX_PORT].number == question->port);
    return wanted != question->negated;
}

static struct question make_question(struct truth *truth)
{
    uint64_t *random = &truth->random;
    struct question question = { .severity_min = INT64_MIN, .severity_max = INT64_MAX };
    if (fixture_below(random, 3) == 0) {
        return question;
    }
    question.severity_min = fixture_below(random, 4);
    question.severity_max = question.severity_min + fixture_below(random, 3);
    question.customer = fixture_below(random, 3) == 0 ? 1 + fixture_below(random, 5) : 0;
    question.port = fixture_below(random, 4) == 0 ? VG_ABSENT : 0;
    question.negated = fixture_below(random, 4) == 0;
    return question;
}

static const struct vg_predicate *ask(struct truth *truth, const struct question *question)
{
    struct vg_arena *arena = &truth->arena;
    const struct vg_predicate *parts[3];
    uint32_t count = 0;
    if (question->severity_min != INT64_MIN) {
        parts[count++] =
            vg_predicate_range(arena, FIX_SEVERITY, question->severity_min, question->severity_max);
    }
    if (question->customer != 0) {
        parts[count++] = vg_predicate_number_in(arena, FIX_CUSTOMER, &question->customer, 1);
    }
    if (question->port != 0) {
        parts[count++] = vg_predicate_absent(arena, FIX_PORT);
    }
    const struct vg_predicate *all = vg_predicate_and(arena, parts, count);
    return question->negated ? vg_predicate_not(arena, all) : all;
}

/* --- what to count --- */

struct made_timeline {
    struct vg_aggregate_timeline timeline;
    vg_time bounds[SPANS_MAX + 1];
};

static void make_timeline(struct truth *truth, struct made_timeline *made)
{
    static const uint32_t columns[] = { FIX_TIME, FIX_UPDATED, FIX_ASSESSED };
    uint64_t *random = &truth->random;
    uint32_t column = columns[fixture_below(random, 3)];
    uint32_t end_column = columns[fixture_below(random, 3)];
    vg_time first = column == FIX_TIME      ? 1700000000000
                    : column == FIX_UPDATED ? 1800000000000
                                            : 1600000000000;
    /* Narrow spans hold a few rows, wide ones whole chunks and what is next to them. */
    vg_time width =
        1 + (vg_time)(fixture_random(random) % (UINT64_C(1) << fixture_below(random, 38)));
    bool is_even = fixture_below(random, 2) == 0;
    made->timeline = (struct vg_aggregate_timeline){
        .column = column,
        .end_column = fixture_below(random, 2) == 0 ? VG_AGGREGATE_NO_COLUMN : end_column,
        .bounds = made->bounds,
        .span_count = fixture_below(random, 12) == 0 ? 0 : 1 + fixture_below(random, SPANS_MAX),
    };
    made->bounds[0] = first + (vg_time)fixture_below(random, 40) - 20;
    for (uint32_t i = 1; i <= made->timeline.span_count; i++) {
        made->bounds[i] =
            made->bounds[i - 1] + (is_even ? width : 1 + (vg_time)fixture_random(random) % width);
        if (made->bounds[i] <= made->bounds[i - 1]) {
            made->bounds[i] = made->bounds[i - 1] + 1;
        }
    }
}

/* Of many rows only those with few values, or brute force takes for ever. */
static uint32_t make_columns(struct truth *truth, uint32_t columns[4])
{
    static const uint32_t choices[] = {
        FIX_SEVERITY, FIX_CUSTOMER, FIX_SIGNATURE, FIX_PORT, FIX_TYPE,  FIX_AMOUNT,
        FIX_SOURCE,   FIX_CASES,    FIX_ASSESSED,  FIX_TIME, FIX_COUNT, FIX_DESTINATION,
        FIX_TAGS,     FIX_TAGS,     FIX_DIGEST,    FIX_UUID,
    };
    bool is_many = truth->ids > 2000;
    uint32_t count = fixture_below(&truth->random, is_many ? 3 : 5);
    for (uint32_t i = 0; i < count; i++) {
        columns[i] = choices[fixture_below(&truth->random, is_many ? 5 : VG_ARRAY_COUNT(choices))];
    }
    return count;
}

/* --- the other way to count: straight from the definitions --- */

struct check {
    const struct vg_aggregate *aggregate;
    const struct vg_aggregate_result *result;
    struct truth *truth;
};

static bool is_touched(
    const struct vg_aggregate_timeline *timeline,
    uint32_t span,
    const struct fixture_row *row)
{
    vg_time begin = row->values[timeline->column].number;
    vg_time end = begin;
    if (timeline->end_column != VG_AGGREGATE_NO_COLUMN) {
        end = row->values[timeline->end_column].number;
    }
    return begin != VG_ABSENT && end != VG_ABSENT && end >= timeline->bounds[span] &&
           begin < timeline->bounds[span + 1];
}

static int64_t amount_of(const struct check *check, const struct fixture_row *row)
{
    uint32_t column = check->aggregate->sum_column;
    if (column == VG_AGGREGATE_NO_COLUMN || row->values[column].number == VG_ABSENT) {
        return 0;
    }
    return row->values[column].number;
}

static void check_total(
    const struct check *check,
    const struct vg_aggregate_cell *cell,
    const uint32_t *ids,
    uint32_t count)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += amount_of(check, &check->truth->rows[ids[i]]);
    }
    assert_int_equal(cell->count, count);
    assert_int_equal(cell->sum, sum);
}

static void check_spans(
    const struct check *check,
    const struct vg_aggregate_cell *cells,
    const uint32_t *ids,
    uint32_t count)
{
    for (uint32_t line = 0; line < check->aggregate->timeline_count; line++) {
        const struct vg_aggregate_timeline *timeline = &check->aggregate->timelines[line];
        for (uint32_t span = 0; span < timeline->span_count; span++) {
            uint32_t touched[IDS_MAX];
            uint32_t touched_count = 0;
            for (uint32_t i = 0; i < count; i++) {
                if (is_touched(timeline, span, &check->truth->rows[ids[i]])) {
                    touched[touched_count++] = ids[i];
                }
            }
            check_total(check, cells++, touched, touched_count);
        }
    }
}

static bool is_of_level(const struct check *check, uint32_t level, struct vg_bytes text)
{
    struct vg_bytes prefix = check->aggregate->prefixes[level];
    return text.size >= prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0;
}

/* Is `text` one of the tags the level is about? Without a text: has the row none of them? */
static bool has_tag(
    const struct check *check,
    uint32_t level,
    const struct vg_value *own,
    struct vg_bytes text)
{
    bool has = false;
    for (uint32_t i = 0; i < own->texts.count; i++) {
        bool is_wanted = is_of_level(check, level, own->texts.items[i]);
        has =
            has || (is_wanted && (text.data == NULL || vg_bytes_equal(own->texts.items[i], text)));
    }
    return text.data == NULL ? !has : has;
}

/* Has the row the value of this group in the column of its level? */
static bool has_value(
    const struct check *check,
    uint32_t level,
    const struct vg_aggregate_group *group,
    const struct fixture_row *row)
{
    uint32_t column = check->aggregate->columns[level];
    const struct vg_value *own = &row->values[column];
    if (column == FIX_CASES) {
        bool has = own->numbers.count == 0 && group->value.number == VG_ABSENT;
        for (uint32_t i = 0; i < own->numbers.count; i++) {
            has = has || own->numbers.items[i] == group->value.number;
        }
        return has;
    }
    if (column == FIX_TAGS) {
        return has_tag(check, level, own, group->value.bytes);
    }
    if (!group->value.beyond) {
        return fixture_equal(column, own, &group->value);
    }
    /* Only the record tells: here, the row that the example stands for. */
    struct vg_value uuid;
    uint32_t id;
    vg_hit_read(&group->example, FIX_UUID, &uuid);
    memcpy(&id, uuid.bytes.data, sizeof(id));
    return fixture_equal(column, own, &check->truth->rows[id].values[column]);
}

static void check_example(
    const struct vg_aggregate_group *group,
    const uint32_t *ids,
    uint32_t count)
{
    struct vg_value uuid;
    uint32_t id;
    bool is_among = false;
    vg_hit_read(&group->example, FIX_UUID, &uuid);
    memcpy(&id, uuid.bytes.data, sizeof(id));
    for (uint32_t i = 0; i < count; i++) {
        is_among = is_among || ids[i] == id;
    }
    assert_true(is_among);
}

/* In how many groups of one level and parent a row is. */
static uint32_t groups_of(const struct check *check, uint32_t level, const struct fixture_row *row)
{
    uint32_t column = check->aggregate->columns[level];
    if (column == FIX_TAGS) {
        uint32_t found = 0;
        for (uint32_t tag = 0; tag < FIXTURE_TAGS; tag++) {
            struct vg_bytes text = vg_bytes_text(fixture_tags[tag].text);
            found += is_of_level(check, level, text) &&
                     has_tag(check, level, &row->values[column], text);
        }
        return found == 0 ? 1 : found;
    }
    const struct vg_value *value = &row->values[column];
    uint32_t distinct = 0;
    if (column != FIX_CASES || value->numbers.count == 0) {
        return 1;
    }
    for (uint32_t i = 0; i < value->numbers.count; i++) {
        uint32_t before = 0;
        while (before < i && value->numbers.items[before] != value->numbers.items[i]) {
            before++;
        }
        distinct += before == i;
    }
    return distinct;
}

static void check_extremes(
    const struct check *check,
    const struct vg_aggregate_extremes *extremes,
    const uint32_t *ids,
    uint32_t count)
{
    for (uint32_t i = 0; i < check->aggregate->extreme_count; i++) {
        int64_t min = INT64_MAX;
        int64_t max = INT64_MIN;
        for (uint32_t row = 0; row < count; row++) {
            const struct vg_value *values = check->truth->rows[ids[row]].values;
            int64_t value = values[check->aggregate->extreme_columns[i]].number;
            min = value != VG_ABSENT && value < min ? value : min;
            max = value != VG_ABSENT && value > max ? value : max;
        }
        assert_int_equal(extremes[i].min, min > max ? VG_ABSENT : min);
        assert_int_equal(extremes[i].max, min > max ? VG_ABSENT : max);
    }
}

/* The rows `ids` are those of the group `parent` of the level above. */
static void check_level(
    const struct check *check,
    uint32_t level,
    uint32_t parent,
    const uint32_t *ids,
    uint32_t count)
{
    const struct vg_aggregate_level *groups = &check->result->levels[level];
    uint32_t *own = calloc(count + 1, sizeof(*own));
    uint32_t *held = calloc(count + 1, sizeof(*held)); /* by how many groups */
    assert_non_null(own);
    assert_non_null(held);
    uint32_t last = UINT32_MAX;
    for (uint32_t g = 0; g < groups->group_count; g++) {
        const struct vg_aggregate_group *group = &groups->groups[g];
        if (group->parent != parent) {
            continue;
        }
        assert_true(last == UINT32_MAX || last == g - 1); /* side by side */
        last = g;
        uint32_t own_count = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (has_value(check, level, group, &check->truth->rows[ids[i]])) {
                own[own_count++] = ids[i];
                held[i]++;
            }
        }
        assert_true(own_count > 0);
        check_total(check, &group->total, own, own_count);
        check_example(group, own, own_count);
        check->truth->groups++;
        if (level + 1 < check->aggregate->column_count) {
            assert_null(group->spans);
            check_level(check, level + 1, g, own, own_count);
            continue;
        }
        check_extremes(check, group->extremes, own, own_count);
        if (check->aggregate->timeline_count > 0) {
            check_spans(check, group->spans, own, own_count);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(held[i], groups_of(check, level, &check->truth->rows[ids[i]]));
    }
    free(own);
    free(held);
}

static void check_one(struct truth *truth, const struct vg_snapshot *snapshot)
{
    struct made_timeline made[TIMELINES_MAX];
    struct vg_aggregate_timeline timelines[TIMELINES_MAX];
    uint32_t columns[4];
    uint32_t ids[IDS_MAX];
    uint32_t count = 0;
    uint32_t live = 0;
    static const uint32_t sums[] = {
        VG_AGGREGATE_NO_COLUMN, VG_AGGREGATE_NO_COLUMN, FIX_COUNT, FIX_PORT, FIX_AMOUNT,
    };
    static const uint32_t extremes[] = { FIX_TIME, FIX_ASSESSED, FIX_PORT, FIX_UPDATED };
    static const char *const starts[] = { "", "host\xFF", "Sender\xFF", "x\xFF" };
    struct vg_bytes prefixes[4];
    for (uint32_t i = 0; i < 4; i++) {
        prefixes[i] = vg_bytes_text(starts[fixture_below(&truth->random, 4)]);
    }
    struct question question = make_question(truth);
    struct vg_aggregate aggregate = {
        .prefixes = prefixes,
        .extreme_columns = extremes,
        .extreme_count =
            fixture_below(&truth->random, 3) == 0 ? 1 + fixture_below(&truth->random, 4) : 0,
        .where = ask(truth, &question),
        .columns = columns,
        .column_count = make_columns(truth, columns),
        .sum_column = sums[fixture_below(&truth->random, 5)],
        .timelines = timelines,
        .timeline_count = fixture_below(&truth->random, 2) == 0
                              ? 0
                              : fixture_below(&truth->random, TIMELINES_MAX + 1),
    };
    for (uint32_t i = 0; i < aggregate.timeline_count; i++) {
        make_timeline(truth, &made[i]);
        timelines[i] = made[i].timeline;
    }
    struct vg_aggregate_result result;
    assert_int_equal(vg_aggregate_run(snapshot, &aggregate, &truth->arena, &result, NULL), VG_OK);
    for (uint32_t id = 0; id < IDS_MAX; id++) {
        live += truth->is_live[id];
        if (truth->is_live[id] && question_wants(&question, &truth->rows[id])) {
            ids[count++] = id;
        }
    }
    const struct check check = { &aggregate, &result, truth };
    truth->answers++;
    truth->some += count > 0 && count < live;
    check_total(&check, &result.total, ids, count);
    if (aggregate.column_count > 0) {
        assert_null(result.spans);
        check_level(&check, 0, 0, ids, count);
        return;
    }
    check_extremes(&check, result.extremes, ids, count);
    if (aggregate.timeline_count > 0) {
        check_spans(&check, result.spans, ids, count);
    }
}

static void truth_check(struct truth *truth, uint32_t answers)
{
    struct vg_snapshot snapshot;
    assert_int_equal(
        vg_snapshot_acquire(truth->table, VG_SNAPSHOT_AGE_STREAM_MS, &snapshot, NULL),
        VG_OK);
    for (uint32_t i = 0; i < answers; i++) {
        check_one(truth, &snapshot);
        vg_arena_reset(&truth->arena);
    }
    vg_snapshot_release(&snapshot);
}

static void run_truth(uint32_t chunk_rows, uint32_t ids, uint32_t answers, uint64_t seed)
{
    struct truth truth;
    print_message("seed %llu, chunks of %u", (unsigned long long)seed, (unsigned)chunk_rows);
    truth_setup(&truth, chunk_rows, seed);
    truth.ids = ids;
    for (uint32_t id = 0; id < ids; id++) {
        put_row(&truth, id, false);
    }
    truth_check(&truth, answers); /* no row is dead yet */
    for (uint32_t round = 0; round < 4; round++) {
        put_rows(&truth, 1 + fixture_below(&truth.random, ids / 3));
        truth_check(&truth, answers);
        if (round % 2 == 1) {
            (void)fixture_checkpoint(truth.table, round == 3);
            truth_check(&truth, answers);
        }
    }
    print_message(
        ": %llu groups in %llu answers, %llu about some rows\n",
        (unsigned long long)truth.groups,
        (unsigned long long)truth.answers,
        (unsigned long long)truth.some);
    assert_true(truth.some * 3 > truth.answers);
    assert_true(truth.groups > truth.answers);
    truth_teardown(&truth);
}

static uint64_t first_seed(void)
{
    const char *text = getenv("VIGIL_TEST_SEED");
    return text == NULL ? 1 : strtoull(text, NULL, 10);
}

static void test_aggregate__agrees_with_brute_force_on_small_chunks(void **state)
{
    (void)state;
    uint64_t first = first_seed();
    for (uint64_t seed = first; seed < first + 3; seed++) {
        run_truth(5, 120, 40, seed);
        run_truth(64, 250, 40, seed + 100);
    }
}

static void test_aggregate__agrees_with_brute_force_on_large_chunks(void **state)
{
    (void)state;
    uint64_t first = first_seed();
    for (uint64_t seed = first + 200; seed < first + 203; seed++) {
        run_truth(VG_TABLE_CHUNK_ROWS_MAX, 1500, 40, seed);
    }
    run_truth(1100, 1500, 40, first + 300);
}

/* So many rows that several strips in a row touch the same spans. */
static void test_aggregate__agrees_with_brute_force_on_many_rows(void **state)
{
    (void)state;
    uint64_t first = first_seed();
    run_truth(VG_TABLE_CHUNK_ROWS_MAX, IDS_MAX, 25, first + 400);
    run_truth(3000, IDS_MAX, 25, first + 401);
}

/* --- lists and limits --- */

struct listed {
    char path[64];
    struct vg_table_config config;
    struct vg_table *table;
    struct vg_snapshot snapshot;
    struct vg_arena arena;
};

/* Rows of severity 0 in the given order, with lists of so many elements; no element twice. */
static void listed_setup(struct listed *listed, const uint32_t *counts, uint32_t row_count)
{
    int64_t *elements = calloc(VG_ROW_LIST_MAX, sizeof(*elements));
    int64_t next = 1000;
    assert_non_null(elements);
    memset(listed, 0, sizeof(*listed));
    fixture_make_folder(listed->path);
    listed->config = fixture_config(listed->path, &vg_clock_real, 64);
    listed->table = fixture_open(&listed->config);
    for (uint32_t id = 0; id < row_count; id++) {
        struct fixture_row row;
        fixture_fill(&row, id, id, 1800000000000 + id);
        row.values[FIX_SEVERITY].number = 0;
        row.values[FIX_AMOUNT].number = id;
        row.values[FIX_CASES].numbers.items = elements;
        row.values[FIX_CASES].numbers.count = counts[id];
        for (uint32_t i = 0; i < counts[id]; i++) {
            elements[i] = next++ * 7919;
        }
        fixture_put(listed->table, &row, 1);
    }
    free(elements);
    vg_arena_init(&listed->arena, 256u << 20);
    assert_int_equal(
        vg_snapshot_acquire(listed->table, VG_SNAPSHOT_AGE_STREAM_MS, &listed->snapshot, NULL),
        VG_OK);
}

static void listed_teardown(struct listed *listed)
{
    vg_snapshot_release(&listed->snapshot);
    vg_arena_dispose(&listed->arena);
    fixture_close(listed->table);
    fixture_remove_folder(listed->path);
}

/* Group rows 0 to `last` and return what came of it. */
static enum vg_reason listed_run(
    struct listed *listed,
    const uint32_t *columns,
    uint32_t column_count,
    int64_t last,
    struct vg_aggregate_result *out_result)
{
    const struct vg_aggregate aggregate = {
        .where = vg_predicate_range(&listed->arena, FIX_AMOUNT, 0, last),
        .columns = columns,
        .column_count = column_count,
        .sum_column = VG_AGGREGATE_NO_COLUMN,
    };
    return vg_aggregate_run(&listed->snapshot, &aggregate, &listed->arena, out_result, NULL);
}

static void test_aggregate__groups_are_limited(void **state)
{
    (void)state;
    static const uint32_t counts[] = { 16384, 16384, 16384, 16384, 16384, 16384, 1696, 1 };
    static const uint32_t cases[] = { FIX_CASES };
    static const uint32_t nested[] = { FIX_SEVERITY, FIX_CASES };
    struct listed listed;
    struct vg_aggregate_result result;
    _Static_assert(6 * 16384 + 1696 == VG_AGGREGATE_GROUPS_MAX, "row 6 makes the limit full");
    listed_setup(&listed, counts, 8);
    assert_int_equal(listed_run(&listed, cases, 1, 6, &result), VG_OK);
    assert_int_equal(result.levels[0].group_count, VG_AGGREGATE_GROUPS_MAX);
    for (uint32_t i = 0; i < VG_AGGREGATE_GROUPS_MAX; i++) {
        assert_int_equal(result.levels[0].groups[i].total.count, 1);
    }
    assert_int_equal(result.total.count, 7);
    assert_int_equal(listed_run(&listed, cases, 1, 7, &result), VG_RESULTSET_TOO_LARGE);
    /* The groups of all levels count together. */
    assert_int_equal(listed_run(&listed, nested, 2, 6, &result), VG_RESULTSET_TOO_LARGE);
    assert_int_equal(listed_run(&listed, nested, 2, 5, &result), VG_OK);
    assert_int_equal(result.levels[0].group_count, 1);
    assert_int_equal(result.levels[0].groups[0].total.count, 6);
    assert_int_equal(result.levels[1].group_count, 6 * 16384);
    listed_teardown(&listed);
}

static void test_aggregate__cells_are_limited(void **state)
{
    (void)state;
    static const uint32_t counts[] = { 2, 0 };
    static const uint32_t cases[] = { FIX_CASES };
    const uint32_t half = VG_AGGREGATE_CELLS_MAX / 2;
    struct listed listed;
    struct vg_aggregate_result result;
    vg_time *bounds = calloc((size_t)VG_AGGREGATE_CELLS_MAX + 2, sizeof(*bounds));
    assert_non_null(bounds);
    for (uint32_t i = 0; i < VG_AGGREGATE_CELLS_MAX + 2; i++) {
        bounds[i] = 1700000000000 - 1000 + i;
    }
    listed_setup(&listed, counts, 2);
    struct vg_aggregate_timeline timelines[] = {
        { FIX_TIME, VG_AGGREGATE_NO_COLUMN, bounds, half },
        { FIX_TIME, FIX_UPDATED, bounds, half },
    };
    struct vg_aggregate aggregate = {
        .where = vg_predicate_range(&listed.arena, FIX_AMOUNT, 0, 1),
        .columns = cases,
        .sum_column = VG_AGGREGATE_NO_COLUMN,
        .timelines = timelines,
        .timeline_count = 2,
    };
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_OK);
    assert_int_equal(result.spans[1000].count, 2); /* ids 0 and 1 have the first time */
    assert_int_equal(result.spans[half + 999].count, 0);
    assert_int_equal(result.spans[half + 1000].count, 2);
    assert_int_equal(result.spans[half + half - 1].count, 2);
    timelines[0].span_count++;
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_RESULTSET_TOO_LARGE);
    /* Two leaves, then three: the row without a case is one of its own. */
    timelines[0].span_count = half;
    aggregate.timeline_count = 1;
    aggregate.column_count = 1;
    aggregate.where = vg_predicate_range(&listed.arena, FIX_AMOUNT, 0, 0);
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_OK);
    assert_int_equal(result.levels[0].group_count, 2);
    assert_int_equal(result.levels[0].groups[1].spans[1000].count, 1);
    timelines[0].span_count++;
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_RESULTSET_TOO_LARGE);
    timelines[0].span_count--;
    aggregate.where = vg_predicate_range(&listed.arena, FIX_AMOUNT, 0, 1);
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_RESULTSET_TOO_LARGE);
    listed_teardown(&listed);
    free(bounds);
}

static void test_aggregate__an_element_counts_once_however_often_it_stands_there(void **state)
{
    (void)state;
    static const uint32_t columns[] = { FIX_CASES, FIX_CASES };
    char path[64];
    fixture_make_folder(path);
    struct vg_table_config config = fixture_config(path, &vg_clock_real, 8);
    struct vg_table *table = fixture_open(&config);
    for (uint32_t length = 2; length <= 80; length += 26) {
        int64_t elements[80];
        struct fixture_row row;
        fixture_fill(&row, length, length, 1800000000000);
        for (uint32_t i = 0; i < length; i++) {
            elements[i] = (int64_t)(i * 7 % 40) - 20;
        }
        row.values[FIX_CASES].numbers.items = elements;
        row.values[FIX_CASES].numbers.count = length;
        fixture_put(table, &row, 1);
    }
    struct vg_snapshot snapshot;
    struct vg_arena arena;
    struct vg_aggregate_result result;
    vg_arena_init(&arena, 16u << 20);
    assert_int_equal(vg_snapshot_acquire(table, VG_SNAPSHOT_AGE_MS, &snapshot, NULL), VG_OK);
    const struct vg_aggregate aggregate = {
        .where = vg_predicate_all(&arena),
        .columns = columns,
        .column_count = 2,
        .sum_column = VG_AGGREGATE_NO_COLUMN,
    };
    assert_int_equal(vg_aggregate_run(&snapshot, &aggregate, &arena, &result, NULL), VG_OK);
    /* Lists of 2, 28, 54 and 80: the last two hold all of 40 elements, some twice. */
    assert_int_equal(result.total.count, 4);
    assert_int_equal(result.levels[0].group_count, 40);
    assert_int_equal(result.levels[1].group_count, 1600);
    uint64_t pairs = 0;
    for (uint32_t i = 0; i < 1600; i++) {
        pairs += result.levels[1].groups[i].total.count;
    }
    assert_int_equal(pairs, 2 * 2 + 28 * 28 + 40 * 40 + 40 * 40);
    vg_snapshot_release(&snapshot);
    vg_arena_dispose(&arena);
    fixture_close(table);
    fixture_remove_folder(path);
}

/* Amounts of thirty bits fill a counter after two thousand rows; and a column without any value. */
static void test_aggregate__large_amounts_are_added_up_exactly(void **state)
{
    (void)state;
    enum { ROWS = 6000 };
    static const uint32_t columns[] = { FIX_ASSESSED, FIX_SEVERITY };
    const int64_t large = (INT64_C(1) << 30) - 1 - ROWS;
    char path[64];
    fixture_make_folder(path);
    struct vg_table_config config = fixture_config(path, &vg_clock_real, 0);
    struct vg_table *table = fixture_open(&config);
    int64_t sums[4] = { 0 };
    uint64_t counts[4] = { 0 };
    for (uint32_t id = 0; id < ROWS; id++) {
        struct fixture_row row;
        fixture_fill(&row, id, id, 1800000000000);
        row.values[FIX_ASSESSED].number = VG_ABSENT;
        row.values[FIX_PORT].number = large + id;
        counts[row.values[FIX_SEVERITY].number]++;
        sums[row.values[FIX_SEVERITY].number] += large + id;
        fixture_put(table, &row, 1);
    }
    struct vg_snapshot snapshot;
    struct vg_arena arena;
    struct vg_aggregate_result result;
    vg_arena_init(&arena, 16u << 20);
    assert_int_equal(vg_snapshot_acquire(table, VG_SNAPSHOT_AGE_MS, &snapshot, NULL), VG_OK);
    const struct vg_aggregate aggregate = {
        .where = vg_predicate_all(&arena),
        .columns = columns,
        .column_count = 2,
        .sum_column = FIX_PORT,
    };
    assert_int_equal(vg_aggregate_run(&snapshot, &aggregate, &arena, &result, NULL), VG_OK);
    assert_int_equal(result.levels[0].group_count, 1);
    assert_true(result.levels[0].groups[0].value.number == VG_ABSENT);
    assert_int_equal(result.levels[0].groups[0].total.count, ROWS);
    assert_int_equal(result.levels[0].groups[0].total.sum, sums[0] + sums[1] + sums[2] + sums[3]);
    assert_int_equal(result.levels[1].group_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        const struct vg_aggregate_group *group = &result.levels[1].groups[i];
        assert_int_equal(group->total.count, counts[group->value.number]);
        assert_int_equal(group->total.sum, sums[group->value.number]);
    }
    vg_snapshot_release(&snapshot);
    vg_arena_dispose(&arena);
    fixture_close(table);
    fixture_remove_folder(path);
}

static enum vg_reason count_checks(void *owner, struct vg_error *error)
{
    uint32_t *left = owner;
    if (*left == 0) {
        return vg_error_set(error, VG_CANCELLED, NULL);
    }
    (*left)--;
    return VG_OK;
}

static void test_aggregate__can_be_cancelled_in_the_middle_of_a_chunk(void **state)
{
    (void)state;
    /* Twelve rows of 300 elements, each in 90,000 groups: a million in one chunk. */
    static const uint32_t columns[] = { FIX_CASES, FIX_CASES };
    char path[64];
    int64_t elements[300];
    fixture_make_folder(path);
    struct vg_table_config config = fixture_config(path, &vg_clock_real, 64);
    struct vg_table *table = fixture_open(&config);
    for (uint32_t i = 0; i < 300; i++) {
        elements[i] = (int64_t)i * 1000003;
    }
    for (uint32_t id = 0; id < 12; id++) {
        struct fixture_row row;
        fixture_fill(&row, id, id, 1800000000000);
        row.values[FIX_CASES].numbers.items = elements;
        row.values[FIX_CASES].numbers.count = 300;
        fixture_put(table, &row, 1);
    }
    struct vg_snapshot snapshot;
    struct vg_arena arena;
    struct vg_aggregate_result result;
    uint32_t left = 2;
    vg_arena_init(&arena, 128u << 20);
    assert_int_equal(vg_snapshot_acquire(table, VG_SNAPSHOT_AGE_STREAM_MS, &snapshot, NULL), VG_OK);
    const struct vg_aggregate aggregate = {
        .where = vg_predicate_all(&arena),
        .columns = columns,
        .column_count = 2,
        .sum_column = VG_AGGREGATE_NO_COLUMN,
        .check = count_checks,
        .owner = &left,
    };
    assert_int_equal(vg_aggregate_run(&snapshot, &aggregate, &arena, &result, NULL), VG_OK);
    assert_int_equal(result.levels[1].group_count, 90000);
    assert_int_equal(result.levels[1].groups[0].total.count, 12);
    assert_int_equal(left, 0); /* once for the chunk, once within it */
    left = 1;
    assert_int_equal(vg_aggregate_run(&snapshot, &aggregate, &arena, &result, NULL), VG_CANCELLED);
    left = 0;
    assert_int_equal(vg_aggregate_run(&snapshot, &aggregate, &arena, &result, NULL), VG_CANCELLED);
    vg_snapshot_release(&snapshot);
    vg_arena_dispose(&arena);
    fixture_close(table);
    fixture_remove_folder(path);
}

static void test_aggregate__what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const uint32_t counts[] = { 3 };
    static const uint32_t not_levels[] = { FIX_FLAGS, FIX_WORDS, FIX_PROPERTIES, FIX_COLUMNS };
    static const uint32_t severity[] = { FIX_SEVERITY };
    struct listed listed;
    struct vg_aggregate_result result;
    listed_setup(&listed, counts, 1);
    for (size_t i = 0; i < sizeof(not_levels) / sizeof(not_levels[0]); i++) {
        assert_int_equal(listed_run(&listed, &not_levels[i], 1, 9, &result), VG_INTERNAL);
    }
    const vg_time bounds[] = { 0, 1 };
    struct vg_aggregate_timeline timeline = { FIX_SEVERITY, VG_AGGREGATE_NO_COLUMN, bounds, 1 };
    struct vg_aggregate aggregate = {
        .where = vg_predicate_all(&listed.arena),
        .columns = severity,
        .column_count = 1,
        .sum_column = FIX_FLAGS,
    };
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_INTERNAL);
    aggregate.sum_column = FIX_COUNT;
    aggregate.timelines = &timeline;
    aggregate.timeline_count = 1;
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_INTERNAL);
    timeline.column = FIX_TIME;
    assert_int_equal(
        vg_aggregate_run(&listed.snapshot, &aggregate, &listed.arena, &result, NULL),
        VG_OK);
    /* Memory runs out at every step of the work, until it is enough. */
    enum vg_reason reason = VG_REQUEST_MEMORY;
    uint32_t refusals = 0;
    for (size_t size = 4096; reason == VG_REQUEST_MEMORY && size <= (8u << 20); size += 16384) {
        struct vg_arena tiny;
        vg_arena_init(&tiny, size);
        reason = vg_aggregate_run(&listed.snapshot, &aggregate, &tiny, &result, NULL);
        refusals += reason == VG_REQUEST_MEMORY;
        vg_arena_dispose(&tiny);
    }
    assert_int_equal(reason, VG_OK);
    assert_true(refusals > 0);
    listed_teardown(&listed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aggregate__agrees_with_brute_force_on_small_chunks),
        cmocka_unit_test(test_aggregate__agrees_with_brute_force_on_large_chunks),
        cmocka_unit_test(test_aggregate__agrees_with_brute_force_on_many_rows),
        cmocka_unit_test(test_aggregate__groups_are_limited),
        cmocka_unit_test(test_aggregate__cells_are_limited),
        cmocka_unit_test(test_aggregate__an_element_counts_once_however_often_it_stands_there),
        cmocka_unit_test(test_aggregate__large_amounts_are_added_up_exactly),
        cmocka_unit_test(test_aggregate__can_be_cancelled_in_the_middle_of_a_chunk),
        cmocka_unit_test(test_aggregate__what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
