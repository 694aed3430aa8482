/* Spans of time on the calendar: where they begin, and that they lie side by side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/query/time_span.h"

static void test_time_span__begins_where_the_calendar_says(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum vg_time_unit unit;
        vg_time time, start, next;
    } rows[] = {
        // clang-format off
        { "minute", VG_TIME_UNIT_MINUTE, 1570715141521, 1570715100000, 1570715160000 },
        { "hour", VG_TIME_UNIT_HOUR, 1570715141521, 1570712400000, 1570716000000 },
        { "day", VG_TIME_UNIT_DAY, 1570715141521, 1570665600000, 1570752000000 },
        { "a Thursday's week", VG_TIME_UNIT_WEEK, 1570715141521, 1570406400000, 1571011200000 },
        { "a Monday's week", VG_TIME_UNIT_WEEK, 1570406400000, 1570406400000, 1571011200000 },
        { "a Sunday's week", VG_TIME_UNIT_WEEK, 1570406399999, 1569801600000, 1570406400000 },
        { "week of 1970", VG_TIME_UNIT_WEEK, 0, -259200000, 345600000 },
        { "month", VG_TIME_UNIT_MONTH, 1570715141521, 1569888000000, 1572566400000 },
        { "February of a leap year", VG_TIME_UNIT_MONTH, 1582934400000, 1580515200000, 1583020800000 },
        { "quarter", VG_TIME_UNIT_QUARTER, 1570715141521, 1569888000000, 1577836800000 },
        { "first quarter", VG_TIME_UNIT_QUARTER, 1580515200000, 1577836800000, 1585699200000 },
        { "year", VG_TIME_UNIT_YEAR, 1570715141521, 1546300800000, 1577836800000 },
        { "last month", VG_TIME_UNIT_MONTH, VG_TIME_SPAN_LAST, 253399622400000, VG_TIME_SPAN_LAST + 1 },
        { "last year", VG_TIME_UNIT_YEAR, VG_TIME_SPAN_LAST, 253370764800000, VG_TIME_SPAN_LAST + 1 },
        { "last week", VG_TIME_UNIT_WEEK, VG_TIME_SPAN_LAST, 253401868800000, VG_TIME_SPAN_LAST + 1 },
        // clang-format on
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        int64_t number = vg_time_span_number(rows[i].unit, rows[i].time);
        if (vg_time_span_start(rows[i].unit, number) != rows[i].start ||
            vg_time_span_start(rows[i].unit, number + 1) != rows[i].next) {
            fail_msg(
                "%s: %lld to %lld",
                rows[i].name,
                (long long)vg_time_span_start(rows[i].unit, number),
                (long long)vg_time_span_start(rows[i].unit, number + 1));
        }
    }
}

static void test_time_span__every_instant_is_in_one(void **state)
{
    (void)state;
    for (int unit = VG_TIME_UNIT_MINUTE; unit <= VG_TIME_UNIT_YEAR; unit++) {
        for (vg_time time = -5000000000; time <= VG_TIME_SPAN_LAST; time += 77777777777) {
            int64_t number = vg_time_span_number((enum vg_time_unit)unit, time);
            vg_time start = vg_time_span_start((enum vg_time_unit)unit, number);
            vg_time next = vg_time_span_start((enum vg_time_unit)unit, number + 1);
            assert_true(start <= time && time < next);
            assert_true(vg_time_span_number((enum vg_time_unit)unit, start) == number);
            assert_true(vg_time_span_number((enum vg_time_unit)unit, next - 1) == number);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_span__begins_where_the_calendar_says),
        cmocka_unit_test(test_time_span__every_instant_is_in_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
