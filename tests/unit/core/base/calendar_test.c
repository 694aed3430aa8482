/* Dates and zones, at leap years, gaps and overlaps. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/calendar.h"
#include "core/base/compiler.h"
#include "core/base/time_text.h"

static vg_time at(const char *text)
{
    vg_time time = -1;
    if (vg_time_text_parse_rfc3339(vg_bytes_text(text), &time, NULL) != VG_OK) {
        fail_msg("not a time: %s", text);
    }
    return time;
}

static struct vg_zone *zone(const char *name)
{
    struct vg_zone *made = NULL;
    if (vg_zone_create(vg_bytes_text(name), &made, NULL) != VG_OK) {
        fail_msg("no such zone: %s", name);
    }
    return made;
}

static void test_calendar__every_day_of_ten_thousand_years_comes_back(void **state)
{
    (void)state;
    struct vg_civil civil = { .year = 1, .month = 1, .day = 1 };
    vg_time time = vg_calendar_time(&civil);
    while (civil.year < 10000) {
        assert_true(vg_calendar_is_valid(&civil));
        assert_true(vg_calendar_time(&civil) == time);
        struct vg_civil back = vg_calendar_civil(time + VG_MS_PER_DAY - 1);
        assert_int_equal(back.year, civil.year);
        assert_int_equal(back.month, civil.month);
        assert_int_equal(back.day, civil.day);
        assert_int_equal(back.hour, 23);
        assert_int_equal(back.millisecond, 999);
        assert_true(vg_calendar_day_start(time + VG_MS_PER_DAY - 1) == time);
        assert_true(vg_calendar_day_start(time) == time);
        time += VG_MS_PER_DAY;
        if (++civil.day > vg_calendar_month_days(civil.year, civil.month)) {
            civil.day = 1;
            if (++civil.month > 12) {
                civil.month = 1;
                civil.year++;
            }
        }
    }
    assert_true(time == VG_TIME_MAX + 1);
}

static void test_calendar__leap_years_follow_the_gregorian_rule(void **state)
{
    (void)state;
    assert_int_equal(vg_calendar_month_days(2000, 2), 29);
    assert_int_equal(vg_calendar_month_days(1900, 2), 28);
    assert_int_equal(vg_calendar_month_days(2024, 2), 29);
    assert_int_equal(vg_calendar_month_days(2023, 2), 28);
    assert_int_equal(vg_calendar_month_days(2023, 4), 30);
    struct vg_civil civil = { .year = 2023, .month = 2, .day = 29 };
    assert_false(vg_calendar_is_valid(&civil));
    civil.year = 2024;
    assert_true(vg_calendar_is_valid(&civil));
    civil.hour = 24;
    assert_false(vg_calendar_is_valid(&civil));
}

static void test_calendar__unknown_zones_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = { "",       "Europe/Olso", "europe oslo",
                                         "GMT+5",  "Etc/Unknown", "Europe/Oslo ",
                                         "../etc", "\xC3\xA6" };
    char longest[VG_ZONE_NAME_MAX + 2];
    struct vg_zone *made = NULL;
    for (size_t i = 0; i < VG_ARRAY_COUNT(names); i++) {
        if (vg_zone_create(vg_bytes_text(names[i]), &made, NULL) != VG_INVALID_REFERENCE) {
            fail_msg("taken: %s", names[i]);
        }
        assert_null(made);
    }
    memset(longest, 'a', sizeof(longest));
    for (size_t size = sizeof(longest) - 1; size <= sizeof(longest); size++) {
        assert_int_equal(
            vg_zone_create(vg_bytes(longest, size), &made, NULL),
            VG_INVALID_REFERENCE);
    }
    vg_zone_destroy(NULL);
}

static void test_calendar__a_zone_knows_its_name_and_offsets(void **state)
{
    (void)state;
    struct vg_zone *oslo = zone("Europe/Oslo");
    assert_string_equal(vg_zone_name(oslo), "Europe/Oslo");
    assert_true(vg_zone_offset(oslo, at("2019-01-01T00:00:00Z")) == VG_MS_PER_HOUR);
    assert_true(vg_zone_offset(oslo, at("2019-07-01T00:00:00Z")) == 2 * VG_MS_PER_HOUR);
    vg_zone_destroy(oslo);
    struct vg_zone *utc = zone("UTC");
    assert_true(vg_zone_offset(utc, at("2019-07-01T00:00:00Z")) == 0);
    vg_zone_destroy(utc);
}

static const struct {
    const char *name;
    const char *zone; /* NULL = UTC */
    const char *from;
    enum vg_calendar_unit unit;
    int64_t count;
    const char *to; /* NULL = out of range */
} add_cases[] = {
    // clang-format off
    { "a day", NULL, "2019-02-28T10:00:00Z", VG_CALENDAR_UNIT_DAY, 1, "2019-03-01T10:00:00Z" },
    { "a day back over the year", NULL, "2019-01-01T00:00:00Z", VG_CALENDAR_UNIT_DAY, -1, "2018-12-31T00:00:00Z" },
    { "two weeks", NULL, "2019-02-20T10:00:00Z", VG_CALENDAR_UNIT_WEEK, 2, "2019-03-06T10:00:00Z" },
    { "31 March - 1 month", NULL, "2019-03-31T10:00:00Z", VG_CALENDAR_UNIT_MONTH, -1, "2019-02-28T10:00:00Z" },
    { "31 March - 1 month in a leap year", NULL, "2020-03-31T10:00:00Z", VG_CALENDAR_UNIT_MONTH, -1, "2020-02-29T10:00:00Z" },
    { "month over the year", NULL, "2019-01-31T10:00:00Z", VG_CALENDAR_UNIT_MONTH, -2, "2018-11-30T10:00:00Z" },
    { "14 months", NULL, "2018-12-31T10:00:00Z", VG_CALENDAR_UNIT_MONTH, 14, "2020-02-29T10:00:00Z" },
    { "a quarter", NULL, "2019-11-30T10:00:00Z", VG_CALENDAR_UNIT_QUARTER, 1, "2020-02-29T10:00:00Z" },
    { "a year from the leap day", NULL, "2020-02-29T10:00:00Z", VG_CALENDAR_UNIT_YEAR, 1, "2021-02-28T10:00:00Z" },
    { "summer time begins: the day has 23 hours", "Europe/Oslo", "2019-03-30T12:00:00+01:00", VG_CALENDAR_UNIT_DAY, 1, "2019-03-31T12:00:00+02:00" },
    { "summer time ends: the day has 25 hours", "Europe/Oslo", "2019-10-26T12:00:00+02:00", VG_CALENDAR_UNIT_DAY, 1, "2019-10-27T12:00:00+01:00" },
    { "a gap moves forward by the gap", "Europe/Oslo", "2019-03-30T02:30:00+01:00", VG_CALENDAR_UNIT_DAY, 1, "2019-03-31T03:30:00+02:00" },
    { "a gap from above", "Europe/Oslo", "2019-04-01T02:30:00+02:00", VG_CALENDAR_UNIT_DAY, -1, "2019-03-31T03:30:00+02:00" },
    { "a gap by months", "Europe/Oslo", "2019-01-31T02:30:00+01:00", VG_CALENDAR_UNIT_MONTH, 2, "2019-03-31T03:30:00+02:00" },
    { "of two the earlier, from below", "Europe/Oslo", "2019-10-26T02:30:00+02:00", VG_CALENDAR_UNIT_DAY, 1, "2019-10-27T02:30:00+02:00" },
    { "of two the earlier, from above", "Europe/Oslo", "2019-10-28T02:30:00+01:00", VG_CALENDAR_UNIT_DAY, -1, "2019-10-27T02:30:00+02:00" },
    { "no units change nothing, in the later of two", "Europe/Oslo", "2019-10-27T02:30:00+01:00", VG_CALENDAR_UNIT_DAY, 0, "2019-10-27T02:30:00+01:00" },
    { "a half hour gap", "Australia/Lord_Howe", "2019-10-05T02:15:00+10:30", VG_CALENDAR_UNIT_DAY, 1, "2019-10-06T02:45:00+11:00" },
    { "the day Samoa left out", "Pacific/Apia", "2011-12-31T10:00:00+14:00", VG_CALENDAR_UNIT_DAY, -1, "2011-12-31T10:00:00+14:00" },
    { "the zone's date counts, not that of UTC", "Pacific/Auckland", "2019-03-30T12:00:00Z", VG_CALENDAR_UNIT_MONTH, -1, "2019-02-27T12:00:00Z" },
    { "milliseconds stay", "Europe/Oslo", "2019-03-30T12:00:00.123+01:00", VG_CALENDAR_UNIT_WEEK, 1, "2019-04-06T12:00:00.123+02:00" },
    { "to the last day", NULL, "9998-12-31T23:59:59.999Z", VG_CALENDAR_UNIT_YEAR, 1, "9999-12-31T23:59:59.999Z" },
    { "past the last year", NULL, "9999-12-31T00:00:00Z", VG_CALENDAR_UNIT_DAY, 1, NULL },
    { "past the last year by months", NULL, "9999-12-31T00:00:00Z", VG_CALENDAR_UNIT_MONTH, 1, NULL },
    { "before the first year", NULL, "2019-01-01T00:00:00Z", VG_CALENDAR_UNIT_YEAR, -2019, NULL },
    { "much too far", NULL, "2019-01-01T00:00:00Z", VG_CALENDAR_UNIT_YEAR, 999999999, NULL },
    { "much too far back", "Europe/Oslo", "2019-01-01T00:00:00Z", VG_CALENDAR_UNIT_WEEK, -999999999, NULL },
    { "more than any step", NULL, "2019-01-01T00:00:00Z", VG_CALENDAR_UNIT_DAY, INT64_MAX, NULL },
    { "less than any step", NULL, "2019-01-01T00:00:00Z", VG_CALENDAR_UNIT_DAY, INT64_MIN, NULL },
    // clang-format on
};

static void test_calendar__adding_keeps_the_wall_clock(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(add_cases); i++) {
        struct vg_zone *in = add_cases[i].zone == NULL ? NULL : zone(add_cases[i].zone);
        vg_time to = -7;
        bool ok =
            vg_calendar_add(in, at(add_cases[i].from), add_cases[i].unit, add_cases[i].count, &to);
        vg_time expected = add_cases[i].to == NULL ? -7 : at(add_cases[i].to);
        if (ok != (add_cases[i].to != NULL) || to != expected) {
            fail_msg("%s: %lld, not %lld", add_cases[i].name, (long long)to, (long long)expected);
        }
        vg_zone_destroy(in);
    }
}

static void test_calendar__before_1582_the_calendar_is_still_gregorian(void **state)
{
    (void)state;
    struct vg_zone *utc = zone("UTC");
    struct vg_civil from = { .year = 1970, .month = 3, .day = 1 };
    vg_time with_zone;
    vg_time without;
    assert_true(
        vg_calendar_add(utc, vg_calendar_time(&from), VG_CALENDAR_UNIT_YEAR, -900, &with_zone));
    assert_true(
        vg_calendar_add(NULL, vg_calendar_time(&from), VG_CALENDAR_UNIT_YEAR, -900, &without));
    assert_true(with_zone == without);
    vg_zone_destroy(utc);
}

static void *add_many(void *owner)
{
    const struct vg_zone *shared = owner;
    vg_time from = at("2019-03-30T12:00:00+01:00");
    vg_time expected = at("2019-03-31T12:00:00+02:00");
    for (int i = 0; i < 2000; i++) {
        vg_time to = 0;
        if (!vg_calendar_add(shared, from, VG_CALENDAR_UNIT_DAY, 1, &to) || to != expected) {
            return owner;
        }
    }
    return NULL;
}

static void test_calendar__threads_share_a_zone(void **state)
{
    (void)state;
    struct vg_zone *oslo = zone("Europe/Oslo");
    pthread_t threads[4];
    for (size_t i = 0; i < VG_ARRAY_COUNT(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, oslo), 0);
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(threads); i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    vg_zone_destroy(oslo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calendar__every_day_of_ten_thousand_years_comes_back),
        cmocka_unit_test(test_calendar__leap_years_follow_the_gregorian_rule),
        cmocka_unit_test(test_calendar__unknown_zones_are_refused),
        cmocka_unit_test(test_calendar__a_zone_knows_its_name_and_offsets),
        cmocka_unit_test(test_calendar__adding_keeps_the_wall_clock),
        cmocka_unit_test(test_calendar__before_1582_the_calendar_is_still_gregorian),
        cmocka_unit_test(test_calendar__threads_share_a_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
