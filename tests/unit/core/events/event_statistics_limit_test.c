/*
 * Limits of statistics, at each and one past it: groups of one parent, groups and cells of one
 * answer. And names of groups that the directory does not know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/events/event_frames.h"
#include "core/events/event_statistics.h"
#include "tests/support/event_fixture.h"

#define BATCH    500u
#define MINUTE   INT64_C(60000)
#define ANY_TIME INT64_C(1570288020000) /* a full minute */

/* Events of ANY_TIME, of one source address each, first seen seven minutes after one another. */
static void submit_sources(struct vg_event_fixture *f, uint32_t from, uint32_t count)
{
    struct vg_event_submission *submissions = calloc(count, sizeof(*submissions));
    assert_non_null(submissions);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = from + i;
        struct vg_event_input input;
        vg_event_fixture_input(&input);
        input.id_text = vg_arena_printf(
            &f->arena,
            "AGGR/%lld/1/00000000-0000-4000-8000-%012x",
            (long long)ANY_TIME,
            number);
        input.source.ip = vg_arena_printf(&f->arena, "10.0.%u.%u", number >> 8, number & 255);
        input.signature = "KNOWN";
        input.has_start = input.has_end = true;
        input.start = input.end = ANY_TIME + number * 7 * MINUTE;
        assert_int_equal(vg_event_fixture_prepare(f, &f->admin, &input, &submissions[i]), VG_OK);
    }
    assert_int_equal(vg_event_fixture_store(f, submissions, count, true), VG_OK);
    free(submissions);
}

static int open_fixture(void **state)
{
    struct vg_event_fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    vg_event_fixture_open(f);
    for (uint32_t from = 0; from < VG_LIMIT_GROUPS_PER_PARENT; from += BATCH) {
        submit_sources(f, from, BATCH);
    }
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    vg_event_fixture_close(*state);
    free(*state);
    return 0;
}

static struct vg_event_counting counting_of(struct vg_event_fixture *f, struct vg_arena *arena)
{
    return (struct vg_event_counting){
        .where = vg_predicate_all(arena),
        .directory = f->snapshot,
        .principal = &f->admin,
        .now = vg_clock_now(&f->clock.clock),
    };
}

static enum vg_reason count_sources(
    struct vg_event_fixture *f,
    const struct vg_event_group_by *by,
    const struct vg_event_timeline_request *timeline,
    size_t *out_count)
{
    struct vg_arena arena;
    struct vg_error error;
    vg_arena_init(&arena, 256u << 20);
    vg_error_init(&error, &arena);
    const struct vg_event_statistics statistics = {
        .counting = counting_of(f, &arena),
        .group_by = by,
        .level_count = 1,
        .timelines = timeline,
        .timeline_count = timeline == NULL ? 0 : 1,
    };
    const struct vg_event_statistics_record *records = NULL;
    enum vg_reason reason =
        vg_event_statistics_run(&f->source, &statistics, &arena, &records, out_count, &error);
    vg_arena_dispose(&arena);
    return reason;
}

static void test_event_statistics_limit__as_many_groups_as_may_be(void **state)
{
    const struct vg_event_group_by by = { .field = VG_EVENT_GROUP_SOURCE_IP };
    size_t count = 0;
    assert_int_equal(count_sources(*state, &by, NULL, &count), VG_OK);
    assert_int_equal(count, VG_LIMIT_GROUPS_PER_PARENT);
}

/* Buckets that are not empty, minutes apart: more spans than a timeline may have lie between. */
static void test_event_statistics_limit__buckets_without_the_empty_ones(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_arena arena;
    struct vg_error error;
    const struct vg_event_timeline_request timeline = {
        .name = "t",
        .field = VG_EVENT_TIMELINE_FIRST_EVENT,
        .unit = VG_TIME_UNIT_MINUTE,
        .has_end = true,
        .end = ANY_TIME + INT64_C(1000000) * MINUTE,
    };
    for (uint32_t events = VG_LIMIT_TIMELINE_BUCKETS; events < VG_LIMIT_TIMELINE_BUCKETS + 2;
         events++) {
        const struct vg_event_statistics_record *record = NULL;
        size_t count = 0;
        vg_arena_init(&arena, 256u << 20);
        vg_error_init(&error, &arena);
        const struct vg_event_statistics statistics = { .counting = counting_of(f, &arena),
                                                        .timelines = &timeline,
                                                        .timeline_count = 1 };
        enum vg_reason reason =
            vg_event_statistics_run(&f->source, &statistics, &arena, &record, &count, &error);
        if (events == VG_LIMIT_TIMELINE_BUCKETS) {
            assert_int_equal(reason, VG_OK);
            assert_int_equal(record->metrics[0].bucket_count, VG_LIMIT_TIMELINE_BUCKETS);
            for (uint32_t i = 0; i < VG_LIMIT_TIMELINE_BUCKETS; i++) {
                const struct vg_event_timeline_bucket *bucket = &record->metrics[0].buckets[i];
                assert_true(bucket->timestamp == ANY_TIME + i * 7 * MINUTE && bucket->count == 1);
            }
            submit_sources(f, VG_LIMIT_GROUPS_PER_PARENT, 1);
        } else {
            assert_int_equal(reason, VG_RESULTSET_TOO_LARGE);
            assert_string_equal(error.parameter, "10000");
        }
        vg_arena_dispose(&arena);
    }
}

/* Past a limit that has no number, all groups are wanted; with one, the rest is cut off. */
static void test_event_statistics_limit__groups_of_one_parent(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_group_by by = { .field = VG_EVENT_GROUP_SOURCE_IP };
    size_t count = 0;
    /* The test above has added one. */
    assert_int_equal(count_sources(f, &by, NULL, &count), VG_RESULTSET_TOO_LARGE);
    by.limit = VG_LIMIT_GROUPS_PER_PARENT;
    by.includes_others = true;
    assert_int_equal(count_sources(f, &by, NULL, &count), VG_OK);
    assert_int_equal(count, VG_LIMIT_GROUPS_PER_PARENT + 1);
}

/* 10,000 groups by 100 buckets are as many cells as there may be. */
static void test_event_statistics_limit__cells_of_one_answer(void **state)
{
    struct vg_event_fixture *f = *state;
    const struct vg_event_group_by by = { .field = VG_EVENT_GROUP_SOURCE_IP, .limit = 9999 };
    struct vg_event_timeline_request timeline = {
        .name = "t",
        .field = VG_EVENT_TIMELINE_CREATED,
        .unit = VG_TIME_UNIT_MINUTE,
        .has_end = true,
        .start = ANY_TIME - 50 * MINUTE,
        .includes_empty = true,
    };
    size_t count = 0;
    /* The second pass counts all sources again: more than can be asked for one by one. */
    uint32_t groups = VG_LIMIT_GROUPS_PER_PARENT + 1;
    int64_t spans = VG_AGGREGATE_CELLS_MAX / groups;
    timeline.end = timeline.start + spans * MINUTE - 1;
    assert_int_equal(count_sources(f, &by, &timeline, &count), VG_OK);
    assert_int_equal(count, 10000 - 1);
    timeline.end += MINUTE;
    assert_int_equal(count_sources(f, &by, &timeline, &count), VG_RESULTSET_TOO_LARGE);
}

/* Few groups that are shown can have long timelines, however many others there are. */
static void test_event_statistics_limit__groups_cut_off_take_no_cells(void **state)
{
    struct vg_event_fixture *f = *state;
    const struct vg_event_group_by by = { .field = VG_EVENT_GROUP_SOURCE_IP, .limit = 25 };
    const struct vg_event_timeline_request timeline = {
        .name = "t",
        .field = VG_EVENT_TIMELINE_CREATED,
        .unit = VG_TIME_UNIT_MINUTE,
        .has_end = true,
        .start = ANY_TIME,
        .end = ANY_TIME + 9999 * MINUTE,
        .includes_empty = true,
    };
    size_t count = 0;
    assert_int_equal(count_sources(f, &by, &timeline, &count), VG_OK);
    assert_int_equal(count, 25);
}

static enum vg_reason count_frames(
    struct vg_event_fixture *f,
    enum vg_event_group_field field,
    vg_time end,
    struct vg_event_frames_result *out_result)
{
    struct vg_arena arena;
    struct vg_error error;
    vg_arena_init(&arena, 256u << 20);
    vg_error_init(&error, &arena);
    const struct vg_event_frames request = {
        .counting = counting_of(f, &arena),
        .fields = &field,
        .field_count = 1,
        .resolution = 1,
        .unit = VG_EVENT_FRAME_MILLISECONDS,
        .start = ANY_TIME,
        .end = end,
        .by_timestamp = true,
    };
    enum vg_reason reason = vg_event_frames_run(&f->source, &request, &arena, out_result, &error);
    vg_arena_dispose(&arena);
    return reason;
}

static void test_event_statistics_limit__frames(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_frames_result result;
    vg_time end = ANY_TIME + VG_LIMIT_STATISTICS_FRAMES - 1;
    assert_int_equal(count_frames(f, VG_EVENT_GROUP_CUSTOMER, end, &result), VG_OK);
    assert_int_equal(result.frame_count, 1);
    assert_int_equal(
        count_frames(f, VG_EVENT_GROUP_CUSTOMER, end + 1, &result),
        VG_RESULTSET_TOO_LARGE);
    /* Keys by frames are cells. */
    assert_int_equal(count_frames(f, VG_EVENT_GROUP_SOURCE_IP, ANY_TIME + 98, &result), VG_OK);
    assert_int_equal(
        count_frames(f, VG_EVENT_GROUP_SOURCE_IP, ANY_TIME + 99, &result),
        VG_RESULTSET_TOO_LARGE);
}

/* A directory without the signature: the names are those that the events were stored with. */
static void test_event_statistics_limit__names_from_a_record(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_directory_fixture empty;
    struct vg_arena arena;
    struct vg_error error;
    static const struct {
        enum vg_event_group_field field;
        const char *identifier, *short_name, *name;
    } rows[] = {
        { VG_EVENT_GROUP_ALARM, "41", "alarm", "An alarm" },
        { VG_EVENT_GROUP_ATTACK_CATEGORY, "42", "category", "A category" },
        { VG_EVENT_GROUP_CUSTOMER, "1", "1", "1" },
    };
    vg_directory_fixture_open(&empty);
    const struct vg_directory_snapshot *directory = vg_directory_snapshot(empty.directory);
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        const struct vg_event_group_by by = { .field = rows[i].field };
        const struct vg_event_statistics_record *records = NULL;
        size_t count = 0;
        vg_arena_init(&arena, 64u << 20);
        vg_error_init(&error, &arena);
        struct vg_event_statistics statistics = { .counting = counting_of(f, &arena),
                                                  .group_by = &by,
                                                  .level_count = 1 };
        statistics.counting.directory = directory;
        assert_int_equal(
            vg_event_statistics_run(&f->source, &statistics, &arena, &records, &count, &error),
            VG_OK);
        assert_int_equal(count, 1);
        assert_string_equal(records->names.identifier, rows[i].identifier);
        assert_string_equal(records->names.short_name, rows[i].short_name);
        assert_string_equal(records->names.display_name, rows[i].name);
        vg_arena_dispose(&arena);
    }
    vg_directory_snapshot_unref(directory);
    vg_directory_fixture_close(&empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_statistics_limit__as_many_groups_as_may_be),
        cmocka_unit_test(test_event_statistics_limit__buckets_without_the_empty_ones),
        cmocka_unit_test(test_event_statistics_limit__groups_of_one_parent),
        cmocka_unit_test(test_event_statistics_limit__cells_of_one_answer),
        cmocka_unit_test(test_event_statistics_limit__groups_cut_off_take_no_cells),
        cmocka_unit_test(test_event_statistics_limit__frames),
        cmocka_unit_test(test_event_statistics_limit__names_from_a_record),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
