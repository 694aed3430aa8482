/* Times as text: every form, and what is close to one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/time_text.h"

/* 2019-10-05T15:07:10.123Z */
#define VG_NOW INT64_C(1570288030123)

static const struct {
    const char *text;
    int64_t time; /* -1 = refused */
} absolute_cases[] = {
    // clang-format off
    { "0", 0 },
    { "1567288800000", INT64_C(1567288800000) },
    { " 1567288800000\t", INT64_C(1567288800000) },
    { "0001603372183577", INT64_C(1603372183577) },
    { "253402300799999", VG_TIME_MAX },
    { "253402300800000", -1 },
    { "99999999999999999999999", -1 },
    { "-5", -1 },
    { "5.0", -1 },
    { "2019-10-05T15:07:10Z", INT64_C(1570288030000) },
    { "2019-10-05T15:07:10.123Z", VG_NOW },
    { "2019-10-05T15:07:10.1Z", INT64_C(1570288030100) },
    { "2019-10-05T15:07:10.12Z", INT64_C(1570288030120) },
    { "2019-10-05T15:07:10.123999999Z", VG_NOW },
    { "2019-10-05T15:07:10.1239999999Z", -1 },
    { "2019-10-05T15:07:10.Z", -1 },
    { "2019-10-05T15:07Z", INT64_C(1570288020000) },
    { "2019-10-05T15:07.5Z", -1 },
    { "2019-10-05", INT64_C(1570233600000) },
    { " 2019-10-05 ", INT64_C(1570233600000) },
    { "1970-01-01", 0 },
    { "1969-12-31", -1 },
    { "0000-01-01", -1 },
    { "0001-01-01", -1 },
    { "9999-12-31T23:59:59.999Z", VG_TIME_MAX },
    { "10000-01-01", -1 },
    { "2019-02-29", -1 },
    { "2020-02-29", INT64_C(1582934400000) },
    { "2019-00-01", -1 },
    { "2019-13-01", -1 },
    { "2019-10-00", -1 },
    { "2019-10-32", -1 },
    { "2019-10-05T24:00:00Z", -1 },
    { "2019-10-05T23:60:00Z", -1 },
    { "2019-10-05T23:59:60Z", -1 },
    { "2019-10-05T15:07:10", -1 },
    { "2019-10-05T15:07:10+00:00", -1 },
    { "2019-10-05T15:07:10+0200", -1 },
    { "2019-10-05T15:07:10z", -1 },
    { "2019-10-05t15:07:10Z", -1 },
    { "2019-10-05 15:07:10Z", -1 },
    { "2019-10-05T15:07:10ZZ", -1 },
    { "2019-10-05Z", -1 },
    { "2019-10-05T15Z", -1 },
    { "2019-10-5", -1 },
    { "2019-1005", -1 },
    { "20191005T150710Z", -1 },
    { "", -1 },
    { "   ", -1 },
    { "yesterday", -1 },
    // clang-format on
};

static void test_time_text__absolute_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(absolute_cases); i++) {
        vg_time time = -1;
        struct vg_error error;
        vg_error_init(&error, NULL);
        enum vg_reason reason =
            vg_time_text_parse(vg_bytes_text(absolute_cases[i].text), VG_NOW, NULL, &time, &error);
        bool right = reason == (absolute_cases[i].time < 0 ? VG_INVALID_FIELD_VALUE : VG_OK) &&
                     time == absolute_cases[i].time &&
                     (reason == VG_OK) == (error.message[0] == '\0');
        if (!right) {
            fail_msg("'%s' gave %lld", absolute_cases[i].text, (long long)time);
        }
    }
}

static const struct {
    const char *text;
    const char *time; /* NULL = refused */
} relative_cases[] = {
    // clang-format off
    { "now", "2019-10-05T15:07:10.123Z" },
    { " NOW ", "2019-10-05T15:07:10.123Z" },
    { "-24hours", "2019-10-04T15:07:10.123Z" },
    { "-1 day", "2019-10-04T15:07:10.123Z" },
    { "-14d", "2019-09-21T15:07:10.123Z" },
    { "now - 1 month", "2019-09-05T15:07:10.123Z" },
    { "now - 1 months", "2019-09-05T15:07:10.123Z" },
    { "now + 1 month", "2019-11-05T15:07:10.123Z" },
    { "now-1day", "2019-10-04T15:07:10.123Z" },
    { "now+1y-1quarter", "2020-07-05T15:07:10.123Z" },
    { "now - 1 d + 2 h", "2019-10-04T17:07:10.123Z" },
    { "- 1 d - 1 h", "2019-10-04T14:07:10.123Z" },
    { "-1D-1H", "2019-10-04T14:07:10.123Z" },
    { "now\t-\t1\tWeek", "2019-09-28T15:07:10.123Z" },
    { "+0s", "2019-10-05T15:07:10.123Z" },
    { "-000000001s", "2019-10-05T15:07:09.123Z" },
    { "-1ms", "2019-10-05T15:07:10.122Z" },
    { "-1milli", "2019-10-05T15:07:10.122Z" },
    { "-1millis", "2019-10-05T15:07:10.122Z" },
    { "-1millisecond", "2019-10-05T15:07:10.122Z" },
    { "-1milliseconds", "2019-10-05T15:07:10.122Z" },
    { "-1s", "2019-10-05T15:07:09.123Z" },
    { "-1sec", "2019-10-05T15:07:09.123Z" },
    { "-1secs", "2019-10-05T15:07:09.123Z" },
    { "-1second", "2019-10-05T15:07:09.123Z" },
    { "-1seconds", "2019-10-05T15:07:09.123Z" },
    { "-1m", "2019-10-05T15:06:10.123Z" },
    { "-1min", "2019-10-05T15:06:10.123Z" },
    { "-1mins", "2019-10-05T15:06:10.123Z" },
    { "-1minute", "2019-10-05T15:06:10.123Z" },
    { "-1minutes", "2019-10-05T15:06:10.123Z" },
    { "-1h", "2019-10-05T14:07:10.123Z" },
    { "-1hour", "2019-10-05T14:07:10.123Z" },
    { "-1days", "2019-10-04T15:07:10.123Z" },
    { "-1w", "2019-09-28T15:07:10.123Z" },
    { "-1weeks", "2019-09-28T15:07:10.123Z" },
    { "-1quarters", "2019-07-05T15:07:10.123Z" },
    { "-1y", "2018-10-05T15:07:10.123Z" },
    { "-1year", "2018-10-05T15:07:10.123Z" },
    { "-1years", "2018-10-05T15:07:10.123Z" },
    { "now - 60 years + 60 years", "2019-10-05T15:07:10.123Z" },
    { "now - 49 years", "1970-10-05T15:07:10.123Z" },
    { "now - 50 years", NULL },
    { "now + 7980 years", "9999-10-05T15:07:10.123Z" },
    { "now + 7981 years", NULL },
    { "now + 999999999 years", NULL },
    { "now + 999999999 weeks", NULL },
    { "now - 999999999 hours", NULL },
    { "now + 999999999 hours + 999999999 hours + 999999999 hours", NULL },
    { "now - 1234567890 s", NULL },
    { "1 day", NULL },
    { "now 1 day", NULL },
    { "now1day", NULL },
    { "now -", NULL },
    { "now - day", NULL },
    { "now - 1", NULL },
    { "-", NULL },
    { "- -1 day", NULL },
    { "-1 fortnight", NULL },
    { "-1 mo", NULL },
    { "-1.5 days", NULL },
    { "-1 day ago", NULL },
    { "-1 day now", NULL },
    { "now now", NULL },
    { "nowish", NULL },
    { "startOfDay", NULL },
    { "-1 millisecondsandmore", NULL },
    { "now - 1 month\n", NULL },
    { "\xC3\xB8", NULL },
    // clang-format on
};

static void test_time_text__relative_forms_in_utc(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(relative_cases); i++) {
        vg_time time = -1;
        struct vg_error error;
        vg_error_init(&error, NULL);
        char text[VG_TIME_TEXT_SIZE] = "refused";
        enum vg_reason reason =
            vg_time_text_parse(vg_bytes_text(relative_cases[i].text), VG_NOW, NULL, &time, &error);
        if (reason == VG_OK) {
            vg_time_text_print(time, text);
        } else {
            assert_int_equal(reason, VG_INVALID_FIELD_VALUE);
            assert_true(time == -1);
        }
        const char *expected = relative_cases[i].time == NULL ? "refused" : relative_cases[i].time;
        if (strcmp(text, expected) != 0) {
            fail_msg("'%s' gave %s", relative_cases[i].text, text);
        }
    }
}

static void test_time_text__relative_days_follow_the_zone_and_hours_do_not(void **state)
{
    (void)state;
    struct vg_zone *oslo = NULL;
    assert_int_equal(vg_zone_create(vg_bytes_text("Europe/Oslo"), &oslo, NULL), VG_OK);
    vg_time now;
    vg_time time;
    assert_int_equal(
        vg_time_text_parse(vg_bytes_text("2019-03-31T10:00Z"), 0, NULL, &now, NULL),
        VG_OK);
    char text[VG_TIME_TEXT_SIZE];
    assert_int_equal(vg_time_text_parse(vg_bytes_text("-1 day"), now, oslo, &time, NULL), VG_OK);
    vg_time_text_print(time, text);
    assert_string_equal(text, "2019-03-30T11:00:00.000Z");
    assert_int_equal(vg_time_text_parse(vg_bytes_text("-24 hours"), now, oslo, &time, NULL), VG_OK);
    vg_time_text_print(time, text);
    assert_string_equal(text, "2019-03-30T10:00:00.000Z");
    /* Steps apply left to right: 31 March - 1 month = 28 February, + 1 month = 28 March. */
    assert_int_equal(
        vg_time_text_parse(vg_bytes_text("now - 1 month + 1 month"), now, oslo, &time, NULL),
        VG_OK);
    vg_time_text_print(time, text);
    assert_string_equal(text, "2019-03-28T11:00:00.000Z");
    vg_zone_destroy(oslo);
}

static const struct {
    const char *text;
    const char *time; /* NULL = refused */
} rfc3339_cases[] = {
    // clang-format off
    { "2017-03-25T16:49:58.856335-0600", "2017-03-25T22:49:58.856Z" },
    { "2017-03-25T16:49:58.856335-06:00", "2017-03-25T22:49:58.856Z" },
    { "2017-03-25T16:49:58Z", "2017-03-25T16:49:58.000Z" },
    { "2017-03-25t16:49:58.5z", "2017-03-25T16:49:58.500Z" },
    { "2017-03-25 16:49:58+05:30", "2017-03-25T11:19:58.000Z" },
    { "2017-12-31T23:30:00-01:00", "2018-01-01T00:30:00.000Z" },
    { "1970-01-01T01:00:00+01:00", "1970-01-01T00:00:00.000Z" },
    { "1970-01-01T00:59:59+01:00", NULL },
    { "9999-12-31T23:59:59.999-00:01", NULL },
    { "2017-03-25T16:49:58", NULL },
    { "2017-03-25T16:49:58 Z", NULL },
    { "2017-03-25T16:49:58-6", NULL },
    { "2017-03-25T16:49:58-06", NULL },
    { "2017-03-25T16:49:58-24:00", NULL },
    { "2017-03-25T16:49:58-06:60", NULL },
    { "2017-03-25T16:49Z", NULL },
    { "2017-03-25", NULL },
    { "2017-02-30T16:49:58Z", NULL },
    { "2017-03-25T16:49:60Z", NULL },
    { "2017-03-25T16:49:58.Z", NULL },
    { "2017-03-25T16:49:58Zx", NULL },
    { "1490453398000", NULL },
    { "", NULL },
    // clang-format on
};

static void test_time_text__rfc_3339_with_offsets(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(rfc3339_cases); i++) {
        vg_time time = -1;
        char text[VG_TIME_TEXT_SIZE] = "refused";
        enum vg_reason reason =
            vg_time_text_parse_rfc3339(vg_bytes_text(rfc3339_cases[i].text), &time, NULL);
        if (reason == VG_OK) {
            vg_time_text_print(time, text);
        }
        const char *expected = rfc3339_cases[i].time == NULL ? "refused" : rfc3339_cases[i].time;
        if (strcmp(text, expected) != 0) {
            fail_msg("'%s' gave %s", rfc3339_cases[i].text, text);
        }
    }
}

static void test_time_text__what_is_printed_reads_back(void **state)
{
    (void)state;
    for (vg_time time = 0; time <= VG_TIME_MAX; time += INT64_C(7777777777777) / 13) {
        char text[VG_TIME_TEXT_SIZE];
        vg_time back = -1;
        vg_time_text_print(time, text);
        assert_int_equal(strlen(text), VG_TIME_TEXT_SIZE - 1);
        assert_int_equal(vg_time_text_parse(vg_bytes_text(text), 0, NULL, &back, NULL), VG_OK);
        assert_true(back == time);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_text__absolute_forms),
        cmocka_unit_test(test_time_text__relative_forms_in_utc),
        cmocka_unit_test(test_time_text__relative_days_follow_the_zone_and_hours_do_not),
        cmocka_unit_test(test_time_text__rfc_3339_with_offsets),
        cmocka_unit_test(test_time_text__what_is_printed_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
