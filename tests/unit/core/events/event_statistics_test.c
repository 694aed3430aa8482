/*
 * Statistics of v2 against a count by hand: random events in chunks of a few rows, some of them
 * updated, and random requests. What is expected is worked out here from plain structs by the rules
 * of events-api.md 5.2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/events/event_statistics.h"
#include "tests/unit/core/events/statistics_world.h"

#ifdef __SANITIZE_THREAD__
#define REQUESTS 100u /* one thread asks: more of them show nothing more */
#else
#define REQUESTS 700u /* in each of the two worlds */
#endif

/* ------------------------------------------------------------------------------------ expected */

struct request {
    struct vg_statistics_filter filter;
    struct vg_event_group_by levels[3];
    struct vg_event_timeline_request timelines[2];
    struct vg_event_statistics statistics;
    vg_time now;
    const char *what; /* for messages */
};

static bool on_timeline(
    const struct request *request,
    const struct vg_event_timeline_request *timeline,
    const struct vg_plain_event *plain)
{
    vg_time time = plain->times[timeline->field];
    return time != 0 && time >= timeline->start &&
           time <= (timeline->has_end ? timeline->end : request->now);
}

/* The first bucket of a timeline over `members`; -1 = it has none. */
static vg_time first_bucket(
    const struct vg_statistics_world *world,
    const struct request *request,
    const struct vg_event_timeline_request *timeline,
    const struct vg_statistics_members *members)
{
    vg_time first = -1;
    for (uint32_t i = 0; i < members->count; i++) {
        const struct vg_plain_event *plain = &world->events[members->list[i]];
        if (on_timeline(request, timeline, plain) &&
            (first == -1 || plain->times[timeline->field] < first)) {
            first = plain->times[timeline->field];
        }
    }
    vg_time end = timeline->has_end ? timeline->end : request->now;
    if (timeline->includes_empty && timeline->start != 0) {
        first = timeline->start <= end ? timeline->start : -1;
    }
    return first == -1 ? -1 : vg_statistics_world_span_begin(timeline->unit, first);
}

/* Does the timeline have more buckets than an answer may have? Asked of all events at once. */
static bool is_too_long(
    const struct vg_statistics_world *world,
    const struct request *request,
    const struct vg_statistics_members *members)
{
    for (size_t i = 0; i < request->statistics.timeline_count; i++) {
        const struct vg_event_timeline_request *timeline = &request->timelines[i];
        vg_time end = timeline->has_end ? timeline->end : request->now;
        vg_time at = first_bucket(world, request, timeline, members);
        uint32_t count = 0;
        for (; timeline->includes_empty && at != -1 && at <= end; count++) {
            if (count > VG_LIMIT_TIMELINE_BUCKETS) {
                break;
            }
            at = vg_statistics_world_span_next(timeline->unit, at);
        }
        if (count > VG_LIMIT_TIMELINE_BUCKETS) {
            return true;
        }
    }
    return false;
}

static void check_metric(
    const struct vg_statistics_world *world,
    const struct request *request,
    const struct vg_event_timeline_request *timeline,
    const struct vg_statistics_members *members,
    const struct vg_event_timeline_metric *metric)
{
    vg_time end = timeline->has_end ? timeline->end : request->now;
    uint64_t total = 0;
    int64_t raw = 0;
    uint64_t in_buckets = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        const struct vg_plain_event *plain = &world->events[members->list[i]];
        if (on_timeline(request, timeline, plain)) {
            total++;
            raw += plain->count;
        }
    }
    assert_string_equal(metric->name, timeline->name);
    assert_int_equal(metric->count, total);
    assert_int_equal(metric->raw_count, raw);
    vg_time expected = first_bucket(world, request, timeline, members);
    for (size_t i = 0; i < metric->bucket_count; i++) {
        const struct vg_event_timeline_bucket *bucket = &metric->buckets[i];
        if (timeline->includes_empty) {
            assert_true(bucket->timestamp == expected);
            expected = vg_statistics_world_span_next(timeline->unit, expected);
        } else {
            assert_true(bucket->count != 0);
            assert_true(
                vg_statistics_world_span_begin(timeline->unit, bucket->timestamp) ==
                bucket->timestamp);
            assert_true(i == 0 || metric->buckets[i - 1].timestamp < bucket->timestamp);
        }
        uint64_t count = 0;
        int64_t sum = 0;
        for (uint32_t k = 0; k < members->count; k++) {
            const struct vg_plain_event *plain = &world->events[members->list[k]];
            if (on_timeline(request, timeline, plain) &&
                vg_statistics_world_span_begin(timeline->unit, plain->times[timeline->field]) ==
                    bucket->timestamp) {
                count++;
                sum += plain->count;
            }
        }
        assert_int_equal(bucket->count, count);
        assert_int_equal(bucket->raw_count, sum);
        in_buckets += count;
    }
    assert_int_equal(in_buckets, total);
    if (timeline->includes_empty) {
        assert_true(expected == -1 || expected > end);
    }
}

struct expected {
    char identifier[VG_STATISTICS_TEXT];
    struct vg_statistics_members members;
    int64_t raw;
};

static int compare_expected(const void *a, const void *b)
{
    const struct expected *one = a;
    const struct expected *other = b;
    if (one->members.count != other->members.count) {
        return one->members.count > other->members.count ? -1 : 1;
    }
    return strcmp(one->identifier, other->identifier);
}

static struct expected *group_members(
    const struct vg_statistics_world *world,
    const struct request *request,
    const struct vg_statistics_members *members,
    size_t level,
    size_t *out_count)
{
    struct expected *groups = NULL;
    size_t count = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        const struct vg_plain_event *plain = &world->events[members->list[i]];
        char texts[3][VG_STATISTICS_TEXT];
        size_t text_count = vg_statistics_world_identifiers(
            &request->filter,
            plain,
            request->levels[level].field,
            texts);
        for (size_t t = 0; t < text_count; t++) {
            size_t at = 0;
            while (at < count && strcmp(groups[at].identifier, texts[t]) != 0) {
                at++;
            }
            if (at == count) {
                groups = realloc(groups, ++count * sizeof(*groups));
                assert_non_null(groups);
                memset(&groups[at], 0, sizeof(*groups));
                memcpy(groups[at].identifier, texts[t], VG_STATISTICS_TEXT);
            }
            groups[at].members.list[groups[at].members.count++] = members->list[i];
            groups[at].raw += plain->count;
        }
    }
    if (count > 1) {
        qsort(groups, count, sizeof(*groups), compare_expected);
    }
    *out_count = count;
    return groups;
}

static void check_leaf(
    const struct vg_statistics_world *world,
    const struct request *request,
    const struct vg_statistics_members *members,
    const struct vg_event_statistics_record *record)
{
    assert_int_equal(record->child_count, 0);
    assert_int_equal(record->metric_count, request->statistics.timeline_count);
    for (size_t i = 0; i < record->metric_count; i++) {
        check_metric(world, request, &request->timelines[i], members, &record->metrics[i]);
    }
}

static void check_records(
    const struct vg_statistics_world *world,
    const struct request *request,
    const struct vg_statistics_members *members,
    size_t level,
    const struct vg_event_statistics_record *records,
    size_t record_count)
{
    size_t count = 0;
    struct expected *groups = group_members(world, request, members, level, &count);
    const struct vg_event_group_by *group_by = &request->levels[level];
    size_t shown = group_by->limit != 0 && group_by->limit < count ? group_by->limit : count;
    bool others = shown < count && group_by->includes_others;
    assert_int_equal(record_count, shown + others);
    for (size_t i = 0; i < shown; i++) {
        const struct vg_event_statistics_record *record = &records[i];
        assert_string_equal(record->names.identifier, groups[i].identifier);
        assert_int_equal(record->field, group_by->field);
        assert_false(record->is_other);
        assert_int_equal(record->count, groups[i].members.count);
        assert_int_equal(record->raw_count, groups[i].raw);
        if (level + 1 == request->statistics.level_count) {
            check_leaf(world, request, &groups[i].members, record);
        } else {
            assert_int_equal(record->metric_count, 0);
            check_records(
                world,
                request,
                &groups[i].members,
                level + 1,
                record->children,
                record->child_count);
        }
    }
    uint64_t rest = 0;
    for (size_t i = shown; i < count; i++) {
        rest += groups[i].members.count;
    }
    if (others) {
        assert_true(records[shown].is_other);
        assert_string_equal(records[shown].names.identifier, "other");
        assert_int_equal(records[shown].count, rest);
        assert_int_equal(records[shown].child_count + records[shown].metric_count, 0);
    }
    free(groups);
}

/* -------------------------------------------------------------------------------------- random */

static void make_timeline(struct vg_statistics_world *world, size_t index, struct request *request)
{
    static const char *const names[] = { "first", "second" };
    static const enum vg_time_unit units[] = { VG_TIME_UNIT_MINUTE, VG_TIME_UNIT_HOUR,
                                               VG_TIME_UNIT_DAY,    VG_TIME_UNIT_WEEK,
                                               VG_TIME_UNIT_MONTH,  VG_TIME_UNIT_YEAR };
    struct vg_event_timeline_request *timeline = &request->timelines[index];
    *timeline = (struct vg_event_timeline_request){
        .name = names[index],
        .field = (enum vg_event_timeline_field)(1 + vg_statistics_world_below(world, 6)),
        .unit = units[vg_statistics_world_below(world, VG_ARRAY_COUNT(units))],
        .includes_empty = vg_statistics_world_chance(world, 50),
    };
    timeline->start =
        vg_statistics_world_chance(world, 50) ? vg_statistics_world_some_time(world) : 0;
    timeline->has_end = vg_statistics_world_chance(world, 50);
    timeline->end =
        timeline->has_end
            ? timeline->start + (int64_t)vg_statistics_world_below(world, (uint64_t)(60 * DAY))
            : 0;
    if (timeline->has_end && timeline->start == 0) {
        timeline->end = vg_statistics_world_some_time(world);
    }
}

static void make_request(struct vg_statistics_world *world, struct request *request)
{
    static const uint32_t limits[] = { 0, 1, 2, 3, 25 };
    *request = (struct request){ .now = vg_clock_now(&world->fixture.clock.clock) };
    vg_statistics_world_make_filter(world, &request->filter);
    request->filter.type = (enum vg_event_type)vg_statistics_world_below(world, 3);
    size_t levels = vg_statistics_world_below(world, 4);
    size_t timelines =
        levels == 0 ? 1 + vg_statistics_world_below(world, 2) : vg_statistics_world_below(world, 3);
    for (size_t i = 0; i < levels; i++) {
        request->levels[i] = (struct vg_event_group_by){
            .field = (enum vg_event_group_field)(1 + vg_statistics_world_below(world, 12)),
            .limit = limits[vg_statistics_world_below(world, VG_ARRAY_COUNT(limits))],
            .includes_others = vg_statistics_world_chance(world, 50),
        };
    }
    for (size_t i = 0; i < timelines; i++) {
        make_timeline(world, i, request);
    }
    request->statistics.group_by = request->levels;
    request->statistics.level_count = levels;
    request->statistics.timelines = request->timelines;
    request->statistics.timeline_count = timelines;
}

static void check_request(struct vg_statistics_world *world, struct request *request)
{
    struct vg_arena arena;
    struct vg_error error;
    struct vg_statistics_members members;
    const struct vg_event_statistics_record *records = NULL;
    size_t count = 0;
    vg_arena_init(&arena, 256u << 20);
    vg_error_init(&error, &arena);
    vg_statistics_world_match(world, &request->filter, &members);
    enum vg_reason reason = vg_statistics_world_begin(
        world,
        &request->filter,
        &arena,
        &request->statistics.counting,
        &error);
    assert_int_equal(reason, VG_OK);
    reason = vg_event_statistics_run(
        &world->fixture.source,
        &request->statistics,
        &arena,
        &records,
        &count,
        &error);
    if (is_too_long(world, request, &members)) {
        assert_int_equal(reason, VG_RESULTSET_TOO_LARGE);
    } else {
        assert_int_equal(reason, VG_OK);
        if (request->statistics.level_count == 0) {
            assert_int_equal(count, 1);
            assert_int_equal(records->field, VG_EVENT_GROUP_UNSET);
            assert_int_equal(records->count, members.count);
            check_leaf(world, request, &members, records);
        } else {
            check_records(world, request, &members, 0, records, count);
        }
    }
    vg_arena_dispose(&arena);
}

/* ---------------------------------------------------------------------------------------- tests */

static void compare_with_counts_by_hand(uint32_t dictionary_entries, uint64_t seed)
{
    print_message("seed %llu (VIGIL_TEST_SEED)\n", (unsigned long long)seed);
    struct vg_statistics_world *world = vg_statistics_world_open(seed, dictionary_entries);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        struct request request;
        make_request(world, &request);
        check_request(world, &request);
    }
    print_message(
        "%u of %u requests matched some events and not others\n",
        world->partly,
        REQUESTS);
    assert_true(world->partly > REQUESTS / 3);
    vg_statistics_world_close(world);
}

static void test_event_statistics__counts_are_those_by_hand(void **state)
{
    (void)state;
    compare_with_counts_by_hand(0, vg_statistics_world_seed());
}

static void test_event_statistics__counts_are_those_by_hand_with_texts_in_no_dictionary(
    void **state)
{
    (void)state;
    compare_with_counts_by_hand(6, vg_statistics_world_seed() + 1);
}

/* MORE */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_statistics__counts_are_those_by_hand),
        cmocka_unit_test(
            test_event_statistics__counts_are_those_by_hand_with_texts_in_no_dictionary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
