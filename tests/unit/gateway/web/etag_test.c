/* Entity tags: how they are written, found in lists, and what a change reads of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/web/etag.h"

static const struct vg_etag tag = { .revision = 0x2f, .hash = 0xc0ffee };
#define TEXT "\"2f-0000000000c0ffee\""

static void test_etag__the_longest_fits(void **state)
{
    (void)state;
    const struct vg_etag longest = { .revision = UINT64_MAX, .hash = UINT64_MAX };
    const struct vg_etag shortest = { .revision = 0, .hash = 1 };
    char text[VG_ETAG_SIZE];
    vg_etag_print(&longest, true, text);
    assert_string_equal(text, "W/\"ffffffffffffffff-ffffffffffffffff\"");
    vg_etag_print(&shortest, false, text);
    assert_string_equal(text, "\"0000000000000001\"");
    vg_etag_print(&tag, false, text);
    assert_string_equal(text, TEXT);
}

static void test_etag__answers_that_differ_have_tags_that_do(void **state)
{
    (void)state;
    uint8_t body[64] = { 0 };
    struct vg_etag first = vg_etag_make(1, vg_bytes(body, sizeof(body)));
    assert_int_not_equal(first.hash, vg_etag_make(1, vg_bytes(body, sizeof(body) - 1)).hash);
    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = 1;
        assert_int_not_equal(first.hash, vg_etag_make(1, vg_bytes(body, sizeof(body))).hash);
        body[i] = 0;
    }
    assert_int_equal(first.hash, vg_etag_make(2, vg_bytes(body, sizeof(body))).hash);
    (void)vg_etag_make(0, vg_bytes(NULL, 0));
}

static void test_etag__lists(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        bool is_weakly;
        bool is_strongly;
    } rows[] = {
        { TEXT, true, true },
        { " " TEXT "\t", true, true },
        { "W/" TEXT, true, false },
        { "\"a\", " TEXT, true, true },
        { "\"a,b\"," TEXT, true, true },
        { "\"\\\"," TEXT, true, true }, /* a backslash escapes nothing in a tag */
        { ", ,\"a\" ,W/\"b\" , " TEXT, true, true },
        { "W/" TEXT ", " TEXT, true, true },
        { "*", true, true },
        { " * ", true, true },
        { "", false, false },
        { "\"a\"", false, false },
        { "w/" TEXT, false, false },
        { "2f-0000000000c0ffee", false, false },
        { "\"2f-0000000000c0ffee", false, false },
        { "\"2F-0000000000C0FFEE\"", false, false },
        { "\"a\"" TEXT, false, false },
        { "*" TEXT, false, false },
        { "\"*\"", false, false },
        { "W/", false, false },
        { "W", false, false },
        { "\"", false, false },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_bytes list = vg_bytes_text(rows[i].list);
        assert_int_equal(vg_etag_is_listed(list, &tag, false), rows[i].is_weakly);
        assert_int_equal(vg_etag_is_listed(list, &tag, true), rows[i].is_strongly);
    }
    assert_false(vg_etag_is_listed(vg_bytes_text(TEXT), NULL, true));
    assert_true(vg_etag_is_listed(vg_bytes_text("*"), NULL, true));
}

static void test_etag__revisions_of_strong_tags(void **state)
{
    (void)state;
    uint64_t revisions[VG_ETAG_REVISIONS_MAX];
    bool is_any = true;
    assert_int_equal(
        vg_etag_list_revisions(
            vg_bytes_text(
                "\"x\", W/\"1-0000000000000000\", " TEXT ", \"2f-00\", \"-0000000000000000\", "
                "\"ffffffffffffffff-0000000000000000\", \"10000000000000000-0000000000000000\""),
            revisions,
            &is_any),
        2);
    assert_false(is_any);
    assert_int_equal(revisions[0], 0x2f);
    assert_true(revisions[1] == UINT64_MAX);
    assert_int_equal(vg_etag_list_revisions(vg_bytes_text("*"), revisions, &is_any), 0);
    assert_true(is_any);
}

static void test_etag__as_many_revisions_as_there_is_room_for(void **state)
{
    (void)state;
    char list[(VG_ETAG_REVISIONS_MAX + 1) * VG_ETAG_SIZE] = "";
    uint64_t revisions[VG_ETAG_REVISIONS_MAX];
    bool is_any = false;
    size_t used = 0;
    for (size_t i = 0; i <= VG_ETAG_REVISIONS_MAX; i++) {
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s,", TEXT);
        size_t expected = i + 1 < VG_ETAG_REVISIONS_MAX ? i + 1 : VG_ETAG_REVISIONS_MAX;
        assert_int_equal(vg_etag_list_revisions(vg_bytes_text(list), revisions, &is_any), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_etag__the_longest_fits),
        cmocka_unit_test(test_etag__answers_that_differ_have_tags_that_do),
        cmocka_unit_test(test_etag__lists),
        cmocka_unit_test(test_etag__revisions_of_strong_tags),
        cmocka_unit_test(test_etag__as_many_revisions_as_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
