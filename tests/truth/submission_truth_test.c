/*
 * The truth about searches for submissions: random criteria, sorts and pages, and random
 * statistics, against answers worked out here by the rules of sampledb-api.md 4 and 5 from plain
 * structs; nothing is shared with the way through predicates and columns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/samples/submission_search.h"
#include "core/samples/submission_statistics.h"
#include "tests/truth/submission_truth.h"

#define WORLDS     12u
#define ROUNDS     6u
#define CASES      160u
#define STATISTICS 25u

struct run {
    struct submission_world world;
    struct truth_random random;
    struct vg_principal principal;
    bool is_beyond; /* dictionaries are too small */
    uint64_t cases;
    uint64_t partial; /* some match, some do not */
};

/* ---------------------------------------------------------------------------------- sort, page */

static const struct vg_submission_sort *order;
static size_t order_count;

static int compare_times(vg_time left, vg_time right, bool descending)
{
    int way = (left > right) - (left < right);
    return descending ? -way : way;
}

static int compare_by(
    const struct vg_submission_sort *sort,
    const struct plain_submission *a,
    const struct plain_submission *b)
{
    int texts;
    switch (sort->field) {
    case VG_SUBMISSION_SORT_FILE_NAME:
        texts = strcmp(a->name->text, b->name->text);
        return sort->descending ? -texts : texts;
    case VG_SUBMISSION_SORT_MIME_TYPE:
        texts = strcmp(a->type->text, b->type->text);
        return sort->descending ? -texts : texts;
    case VG_SUBMISSION_SORT_EXPIRY:
        if (a->expiry == 0 || b->expiry == 0) {
            return (a->expiry == 0) - (b->expiry == 0); /* none is last, in both directions */
        }
        return compare_times(a->expiry, b->expiry, sort->descending);
    case VG_SUBMISSION_SORT_OBSERVED:
        return compare_times(a->observed, b->observed, sort->descending);
    case VG_SUBMISSION_SORT_SUBMITTED:
    case VG_SUBMISSION_SORT_FIELD_COUNT:
        break;
    }
    return compare_times(a->submitted, b->submitted, sort->descending);
}

static int compare_plain(const void *left, const void *right)
{
    const struct plain_submission *a = *(const struct plain_submission *const *)left;
    const struct plain_submission *b = *(const struct plain_submission *const *)right;
    for (size_t i = 0; i < order_count; i++) {
        int way = compare_by(&order[i], a, b);
        if (way != 0) {
            return way;
        }
    }
    return strcmp(a->id_text, b->id_text);
}

/* ------------------------------------------------------------------------------------ one case */

struct asked {
    struct vg_submission_criteria *criteria;
    struct vg_submission_criteria_context context;
    const struct vg_predicate *where;
    const struct plain_submission *expected[SUBMISSIONS_MAX];
    size_t count;
};

static void ask(struct run *run, struct asked *asked)
{
    struct truth_random *random = &run->random;
    static const int64_t covered[] = { 10, 11 };
    run->principal = (struct vg_principal){
        .user_id = 1 + (int64_t)truth_random_below(random, 3),
        .functions = UINT64_MAX,
        .all_customers = truth_random_once(random, 3),
        .customers = covered,
        .customer_count = truth_random_once(random, 4) ? 0 : 2,
    };
    asked->criteria = submission_truth_make(&run->world, &run->random);
    asked->context = (struct vg_submission_criteria_context){
        .viewer = { .principal = &run->principal,
                    .directory = run->world.snapshot,
                    .now = SUBMISSION_NOW },
        .index_start = SUBMISSION_NOW - (vg_time)truth_random_below(random, 80) * SUBMISSION_DAY_MS,
        .index_end = SUBMISSION_NOW - (vg_time)truth_random_below(random, 5) * SUBMISSION_DAY_MS,
        .arena = &run->world.arena,
    };
    struct vg_error error;
    vg_error_init(&error, &run->world.arena);
    assert_int_equal(
        vg_submission_criteria_compile(asked->criteria, &asked->context, &asked->where, &error),
        VG_OK);
    size_t visible = 0;
    asked->count = 0;
    for (uint32_t i = 0; i < SUBMISSIONS_MAX; i++) {
        const struct plain_submission *plain = &run->world.plain[i];
        bool is_visible = submission_world_shows(plain, &run->principal) &&
                          plain->submitted >= asked->context.index_start &&
                          plain->submitted <= asked->context.index_end;
        visible += is_visible;
        if (is_visible && submission_truth_matches(&run->world.arena, asked->criteria, plain)) {
            asked->expected[asked->count++] = plain;
        }
    }
    run->cases++;
    run->partial += asked->count > 0 && asked->count < visible;
}

static void check_search(struct run *run)
{
    struct truth_random *random = &run->random;
    struct vg_submission_sort sort[3];
    struct asked asked;
    uint32_t taken = 0;
    size_t sort_count = 0;
    ask(run, &asked);
    for (uint32_t i = truth_random_below(random, 4); i > 0; i--) {
        uint32_t field = 1 + truth_random_below(random, 5);
        bool is_lost = run->is_beyond && field == VG_SUBMISSION_SORT_FILE_NAME;
        if ((taken >> field & 1) == 0 && !is_lost) {
            taken |= 1u << field;
            sort[sort_count++] = (struct vg_submission_sort){
                (enum vg_submission_sort_field)field,
                truth_random_once(random, 2),
            };
        }
    }
    static const struct vg_submission_sort newest = { VG_SUBMISSION_SORT_SUBMITTED, true };
    order = sort_count == 0 ? &newest : sort;
    order_count = sort_count == 0 ? 1 : sort_count;
    qsort(asked.expected, asked.count, sizeof(asked.expected[0]), compare_plain);
    const struct vg_submission_search search = {
        .where = asked.where,
        .sort = sort,
        .sort_count = sort_count,
        .limit = truth_random_below(random, 3) == 0 ? 0 : 1 + truth_random_below(random, 60),
        .offset = truth_random_once(random, 2) ? 0 : truth_random_below(random, 40),
    };
    struct vg_submission_store source = submission_world_source(&run->world);
    struct vg_submission_cursor cursor;
    struct vg_error error;
    vg_error_init(&error, &run->world.arena);
    assert_int_equal(
        vg_submission_search_run(&source, &search, &run->world.arena, &cursor, &error),
        VG_OK);
    assert_int_equal(cursor.match_count, asked.count);
    size_t at = (size_t)search.offset;
    size_t end = search.limit == 0 ? SIZE_MAX : at + (size_t)search.limit;
    for (;; at++) {
        struct vg_submission_record record;
        bool is_end = false;
        assert_int_equal(
            vg_submission_cursor_next(&cursor, &run->world.arena, &record, &is_end, &error),
            VG_OK);
        assert_int_equal(is_end, at >= asked.count || at >= end);
        if (is_end) {
            break;
        }
        assert_memory_equal(record.id.bytes, asked.expected[at]->id.bytes, 16);
        assert_string_equal(record.file_name.data, asked.expected[at]->name->text);
    }
    vg_submission_cursor_close(&cursor);
    vg_arena_reset(&run->world.arena);
}

/* ---------------------------------------------------------------------------------- statistics */

struct members {
    const struct plain_submission *list[SUBMISSIONS_MAX];
    size_t count;
};

static vg_time time_of(const struct plain_submission *plain, enum vg_submission_metric_field field)
{
    return field == VG_SUBMISSION_METRIC_SUBMITTED  ? plain->submitted
           : field == VG_SUBMISSION_METRIC_OBSERVED ? plain->observed
                                                    : plain->expiry;
}

/* What tells its group; NULL = it is in none. */
static const char *identifier_of(
    const struct plain_submission *plain,
    const struct vg_submission_group_by *group_by)
{
    static const char *const colours[] = { "", "red", "amber", "green", "clear" };
    switch (group_by->field) {
    case VG_SUBMISSION_GROUP_CUSTOMER:
        return plain->customer == 10 ? "10" : plain->customer == 11 ? "11" : "20";
    case VG_SUBMISSION_GROUP_FILE_NAME:
        return plain->name->text;
    case VG_SUBMISSION_GROUP_SAMPLE:
        return plain->sample_text;
    case VG_SUBMISSION_GROUP_MIME_TYPE:
        return plain->type->text;
    case VG_SUBMISSION_GROUP_TLP:
        return colours[plain->tlp];
    case VG_SUBMISSION_GROUP_META_DATA:
    case VG_SUBMISSION_GROUP_FIELD_COUNT:
        break;
    }
    for (size_t i = 0; i < plain->meta_count; i++) {
        if (strcmp(plain->meta[i].key->text, group_by->meta_key) == 0) {
            return plain->meta[i].value->text;
        }
    }
    return NULL;
}

/* Monday, or the first of a month or quarter, by counting days. */
static vg_time bucket_of(vg_time time, enum vg_time_unit unit)
{
    const vg_time hour = 60 * 60 * INT64_C(1000);
    if (unit == VG_TIME_UNIT_HOUR) {
        return time / hour * hour;
    }
    vg_time day = time / SUBMISSION_DAY_MS;
    if (unit == VG_TIME_UNIT_WEEK) {
        day -= (day + 3) % 7; /* the first day of 1970 was a Thursday */
    } else if (unit == VG_TIME_UNIT_MONTH || unit == VG_TIME_UNIT_QUARTER) {
        time_t seconds = (time_t)(day * 24 * 60 * 60);
        struct tm date;
        assert_non_null(gmtime_r(&seconds, &date));
        int months = unit == VG_TIME_UNIT_QUARTER ? date.tm_mon % 3 : 0;
        day -= date.tm_mday - 1;
        for (; months > 0; months--) {
            seconds = (time_t)((day - 1) * 24 * 60 * 60);
            assert_non_null(gmtime_r(&seconds, &date));
            day -= date.tm_mday;
        }
    }
    return day * SUBMISSION_DAY_MS;
}

static size_t count_in(
    const struct members *members,
    const struct vg_submission_timeline_request *timeline,
    vg_time bucket)
{
    size_t count = 0;
    for (size_t i = 0; i < members->count; i++) {
        vg_time time = time_of(members->list[i], timeline->field);
        count += time != 0 && bucket_of(time, timeline->unit) == bucket;
    }
    return count;
}

static void check_timeline(
    const struct members *members,
    const struct vg_submission_timeline_request *timeline,
    const struct vg_submission_timeline_metric *metric)
{
    vg_time first = INT64_MAX;
    vg_time last = -1;
    size_t total = 0;
    size_t counted = 0;
    for (size_t i = 0; i < members->count; i++) {
        vg_time time = time_of(members->list[i], timeline->field);
        if (time != 0) {
            vg_time bucket = bucket_of(time, timeline->unit);
            first = bucket < first ? bucket : first;
            last = bucket > last ? bucket : last;
            total++;
        }
    }
    for (size_t i = 0; i < metric->bucket_count; i++) {
        vg_time bucket = metric->buckets[i].timestamp;
        assert_int_equal(bucket_of(bucket, timeline->unit), bucket);
        assert_int_equal(metric->buckets[i].count, count_in(members, timeline, bucket));
        assert_true(timeline->includes_empty || metric->buckets[i].count > 0);
        counted += metric->buckets[i].count;
        if (i > 0) {
            vg_time before = metric->buckets[i - 1].timestamp;
            assert_true(bucket > before);
            /* No bucket is left out: the moment before this one is in the one before. */
            assert_true(
                !timeline->includes_empty || bucket_of(bucket - 1, timeline->unit) == before);
        }
    }
    assert_int_equal(counted, total);
    if (total > 0) {
        assert_int_equal(metric->buckets[0].timestamp, first);
        assert_int_equal(metric->buckets[metric->bucket_count - 1].timestamp, last);
    } else {
        assert_int_equal(metric->bucket_count, 0);
    }
}

static void check_leaf(
    const struct vg_submission_statistics *statistics,
    const struct members *members,
    const struct vg_submission_statistics_record *record)
{
    for (size_t i = 0; i < statistics->value_count; i++) {
        vg_time min = VG_ABSENT;
        vg_time max = VG_ABSENT;
        for (size_t k = 0; k < members->count; k++) {
            vg_time time = time_of(members->list[k], statistics->values[i]);
            min = time != 0 && (min == VG_ABSENT || time < min) ? time : min;
            max = time != 0 && (max == VG_ABSENT || time > max) ? time : max;
        }
        assert_int_equal(record->values[i].min, min);
        assert_int_equal(record->values[i].max, max);
    }
    for (size_t i = 0; i < statistics->timeline_count; i++) {
        check_timeline(members, &statistics->timelines[i], &record->timelines[i]);
    }
}

static void pick_members(
    const struct members *all,
    const struct vg_submission_group_by *group_by,
    const char *identifier,
    struct members *out_members)
{
    out_members->count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const char *own = identifier_of(all->list[i], group_by);
        if (own != NULL && strcmp(own, identifier) == 0) {
            out_members->list[out_members->count++] = all->list[i];
        }
    }
}

static void check_records(
    const struct vg_submission_statistics *statistics,
    size_t level,
    const struct members *members,
    const struct vg_submission_statistics_record *records,
    size_t count)
{
    const struct vg_submission_group_by *group_by = &statistics->group_by[level];
    struct members *own = calloc(1, sizeof(*own));
    assert_non_null(own);
    /* How many groups there are, and that those shown are the first of them. */
    size_t groups = 0;
    for (size_t i = 0; i < members->count; i++) {
        const char *identifier = identifier_of(members->list[i], group_by);
        bool is_first = identifier != NULL;
        for (size_t k = 0; k < i && is_first; k++) {
            const char *other = identifier_of(members->list[k], group_by);
            is_first = other == NULL || strcmp(other, identifier) != 0;
        }
        if (!is_first) {
            continue;
        }
        groups++;
        pick_members(members, group_by, identifier, own);
        bool is_shown = false;
        for (size_t k = 0; k < count; k++) {
            is_shown = is_shown || strcmp(records[k].identifier, identifier) == 0;
        }
        if (!is_shown) {
            assert_true(count > 0 && group_by->limit == count);
            const struct vg_submission_statistics_record *last = &records[count - 1];
            assert_true(
                last->count > own->count ||
                (last->count == own->count && strcmp(last->identifier, identifier) < 0));
        }
    }
    assert_int_equal(
        count,
        group_by->limit != 0 && groups > group_by->limit ? group_by->limit : groups);
    for (size_t i = 0; i < count; i++) {
        pick_members(members, group_by, records[i].identifier, own);
        assert_int_equal(records[i].count, own->count);
        if (i > 0) {
            assert_true(
                records[i - 1].count > records[i].count ||
                (records[i - 1].count == records[i].count &&
                 strcmp(records[i - 1].identifier, records[i].identifier) < 0));
        }
        if (level + 1 == statistics->level_count) {
            check_leaf(statistics, own, &records[i]);
        } else {
            check_records(statistics, level + 1, own, records[i].children, records[i].child_count);
        }
    }
    free(own);
}

static void check_statistics(struct run *run)
{
    static const enum vg_time_unit units[] = { VG_TIME_UNIT_HOUR,
                                               VG_TIME_UNIT_DAY,
                                               VG_TIME_UNIT_WEEK,
                                               VG_TIME_UNIT_MONTH,
                                               VG_TIME_UNIT_QUARTER };
    struct truth_random *random = &run->random;
    struct vg_submission_group_by levels[3];
    enum vg_submission_metric_field values[2];
    struct vg_submission_timeline_request timelines[2];
    struct asked asked;
    ask(run, &asked);
    struct vg_submission_statistics statistics = {
        .where = asked.where,
        .directory = run->world.snapshot,
        .group_by = levels,
        .level_count = truth_random_below(random, 4),
        .values = values,
        .value_count = truth_random_below(random, 3),
        .timelines = timelines,
        .timeline_count = truth_random_below(random, 3),
    };
    for (size_t i = 0; i < 3; i++) {
        levels[i] = (struct vg_submission_group_by){
            .field = (enum vg_submission_group_field)(
                1 + truth_random_below(random, run->is_beyond ? 5 : 6)),
            .limit = truth_random_below(random, 5),
            .meta_key = submission_keys[truth_random_below(random, SUBMISSION_KEYS)].text,
        };
    }
    for (size_t i = 0; i < 2; i++) {
        values[i] = (enum vg_submission_metric_field)(1 + truth_random_below(random, 3));
        timelines[i] = (struct vg_submission_timeline_request){
            .field = (enum vg_submission_metric_field)(1 + truth_random_below(random, 3)),
            .unit = units[truth_random_below(random, VG_ARRAY_COUNT(units))],
            .includes_empty = truth_random_once(random, 2),
        };
    }
    struct vg_submission_store source = submission_world_source(&run->world);
    const struct vg_submission_statistics_record *records;
    size_t count;
    assert_int_equal(
        vg_submission_statistics_run(
            &source,
            &statistics,
            &run->world.arena,
            &records,
            &count,
            NULL),
        VG_OK);
    struct members members = { .count = asked.count };
    memcpy(members.list, asked.expected, asked.count * sizeof(members.list[0]));
    if (statistics.level_count != 0) {
        check_records(&statistics, 0, &members, records, count);
    } else {
        assert_int_equal(count, 1);
        assert_null(records->identifier);
        assert_int_equal(records->count, asked.count);
        check_leaf(&statistics, &members, records);
    }
    vg_arena_reset(&run->world.arena);
}

/* --------------------------------------------------------------------------------------- tests */

static void test_searches_and_statistics__are_the_truth(void **state)
{
    (void)state;
    const char *text = getenv("VIGIL_TEST_SEED");
    uint64_t first = text == NULL ? 1 : strtoull(text, NULL, 10);
    struct run *run = calloc(1, sizeof(*run));
    assert_non_null(run);
    for (uint64_t seed = first; seed < first + WORLDS; seed++) {
        submission_world_open(&run->world, seed);
        run->random.state = seed * 1000;
        run->is_beyond = seed % 3 == 0;
        print_message("seed %llu\n", (unsigned long long)seed);
        for (uint32_t round = 0; round < ROUNDS; round++) {
            submission_world_change(&run->world, 20 + 60 * (round % 3));
            if (round % 2 == 1) {
                submission_world_checkpoint(&run->world);
            }
            for (uint32_t i = 0; i < CASES; i++) {
                check_search(run);
            }
            for (uint32_t i = 0; i < STATISTICS; i++) {
                check_statistics(run);
            }
        }
        submission_world_close(&run->world);
    }
    print_message(
        "%llu cases, of which %llu match some and not others\n",
        (unsigned long long)run->cases,
        (unsigned long long)run->partial);
    assert_true(run->cases >= 10000);
    assert_true(run->partial * 3 >= run->cases);
    free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_searches_and_statistics__are_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
