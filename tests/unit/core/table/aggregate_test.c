/*
 * Truth: random aggregations over random rows against sums made straight from the definitions over
 * a plain array, on tails, closed and sealed chunks.
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aggregate__agrees_with_brute_force_on_small_chunks),
        cmocka_unit_test(test_aggregate__agrees_with_brute_force_on_large_chunks),
        cmocka_unit_test(test_aggregate__agrees_with_brute_force_on_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
