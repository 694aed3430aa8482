/* W3C trace context and request ids: what is taken, what is not, and what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/service/trace.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN  "00f067aa0ba902b7"

static void test_trace__parents(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *text;
        bool valid;
        bool sampled;
    } rows[] = {
        { "sampled", "00-" TRACE "-" SPAN "-01", true, true },
        { "not sampled", "00-" TRACE "-" SPAN "-00", true, false },
        { "other flags", "00-" TRACE "-" SPAN "-fe", true, false },
        { "all flags", "00-" TRACE "-" SPAN "-ff", true, true },
        { "a version to come", "cc-" TRACE "-" SPAN "-01", true, true },
        { "a version to come, with more", "cc-" TRACE "-" SPAN "-01-what", true, true },
        { "a version to come, without the dash", "cc-" TRACE "-" SPAN "-01.what", false, false },
        { "version ff", "ff-" TRACE "-" SPAN "-01", false, false },
        { "version 0 with more", "00-" TRACE "-" SPAN "-01-what", false, false },
        { "version 0 with a dash", "00-" TRACE "-" SPAN "-01-", false, false },
        { "upper case trace", "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", false, false },
        { "upper case version", "CC-" TRACE "-" SPAN "-01", false, false },
        { "no trace", "00-00000000000000000000000000000000-" SPAN "-01", false, false },
        { "no span", "00-" TRACE "-0000000000000000-01", false, false },
        { "no digit", "00-" TRACE "-" SPAN "-0x", false, false },
        { "no digit in the span", "00-" TRACE "-00f067aa0ba902g7-01", false, false },
        { "other separators", "00_" TRACE "_" SPAN "_01", false, false },
        { "one short", "00-" TRACE "-" SPAN "-0", false, false },
        { "a blank before", " 00-" TRACE "-" SPAN "-01", false, false },
        { "nothing", "", false, false },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_trace_parent parent = { .sampled = false };
        bool valid = vg_trace_parse(vg_bytes_text(rows[i].text), &parent);
        if (valid != rows[i].valid || parent.sampled != rows[i].sampled) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static void test_trace__response_names_the_trace_and_our_span(void **state)
{
    (void)state;
    struct vg_trace_parent parent;
    char text[VG_TRACE_TEXT_SIZE];
    assert_true(vg_trace_parse(vg_bytes_text("00-" TRACE "-" SPAN "-01"), &parent));
    vg_trace_print_response(&parent, 0x0123456789abcdefu, text);
    assert_string_equal(text, "00-" TRACE "-0123456789abcdef-01");
    parent.sampled = false;
    vg_trace_print_response(&parent, 1, text);
    assert_string_equal(text, "00-" TRACE "-0000000000000001-00");
}

static void test_trace__states(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        { "congo=t61rcWkgMzE", true },
        { "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true },
        { "a=1 , b=2,\t, c=3", true },
        { "fw529a3039@dt=FfAA", true },
        { "0tenant@sys=1", true },
        { "a_-*/9=!", true },
        { "a= 1", true },
        { "", false },
        { " , ", false },
        { "a", false },
        { "a=", false },
        { "=1", false },
        { "A=1", false },
        { "0a=1", false },
        { "a@0b=1", false },
        { "a@=1", false },
        { "@a=1", false },
        { "a@b@c=1", false },
        { "a@abcdefghijklmno=1", false }, /* 15 */
        { "a@abcdefghijklmn=1", true },   /* 14 */
        { "a=1=2", false },
        { "a=1,a=2", false },
        { "a=\x7f", false },
        { "a b=1", false },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        if (vg_trace_state_is_valid(vg_bytes_text(rows[i].text)) != rows[i].valid) {
            fail_msg("%s", rows[i].text);
        }
    }
}

static void test_trace__limits_of_a_state(void **state)
{
    (void)state;
    char text[1024];
    size_t size = 0;
    for (unsigned i = 0; i < VG_TRACE_STATE_MEMBERS_MAX; i++) {
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%sk%u=v", i == 0 ? "" : ",", i);
    }
    assert_true(vg_trace_state_is_valid(vg_bytes(text, size)));
    size += (size_t)snprintf(text + size, sizeof(text) - size, ",more=v");
    assert_false(vg_trace_state_is_valid(vg_bytes(text, size)));
    /* Two members that are as long as a key and a value may be. */
    memset(text, 'a', sizeof(text));
    text[255] = '=';
    assert_true(vg_trace_state_is_valid(vg_bytes(text, 256 + 256)));
    assert_false(vg_trace_state_is_valid(vg_bytes(text, 256 + 257)));
    memset(text, 'a', sizeof(text));
    text[257] = '=';
    assert_false(vg_trace_state_is_valid(vg_bytes(text, 300)));
    text[257] = 'a';
    text[256] = '=';
    assert_true(vg_trace_state_is_valid(vg_bytes(text, 300)));
}

static void test_trace__request_ids(void **state)
{
    (void)state;
    char text[VG_TRACE_REQUEST_ID_MAX + 1];
    memset(text, 'x', sizeof(text));
    assert_true(vg_trace_request_id_is_sane(vg_bytes(text, VG_TRACE_REQUEST_ID_MAX)));
    assert_false(vg_trace_request_id_is_sane(vg_bytes(text, VG_TRACE_REQUEST_ID_MAX + 1)));
    assert_true(
        vg_trace_request_id_is_sane(vg_bytes_text("6F9619FF-8b86.d011_b42d:00/c0+4f=c9~@")));
    static const char *const bad[] = { "",    "a b",      "a\"b", "a\\b", "a\nb",
                                       "a,b", "\xc3\xa9", "\xe1", "a;b" };
    for (size_t i = 0; i < VG_ARRAY_COUNT(bad); i++) {
        if (vg_trace_request_id_is_sane(vg_bytes_text(bad[i]))) {
            fail_msg("%s", bad[i]);
        }
    }
    assert_false(vg_trace_request_id_is_sane(vg_bytes("a\0b", 3)));
}

static void test_trace__ids_differ(void **state)
{
    (void)state;
    char text[VG_TRACE_NUMBER_SIZE];
    uint64_t last = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t id = vg_trace_new_id();
        assert_true(id != 0 && id != last);
        last = id;
    }
    vg_trace_print_number(0xfedcba9876543210u, text);
    assert_string_equal(text, "fedcba9876543210");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace__parents),
        cmocka_unit_test(test_trace__response_names_the_trace_and_our_span),
        cmocka_unit_test(test_trace__states),
        cmocka_unit_test(test_trace__limits_of_a_state),
        cmocka_unit_test(test_trace__request_ids),
        cmocka_unit_test(test_trace__ids_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
