/* UTF-8 at the borders of RFC 3629. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/utf8.h"

static const struct {
    const char *name;
    const char *text;
    size_t size;
    bool valid;
} validity_cases[] = {
    // clang-format off
    { "empty", "", 0, true },
    { "ascii", "plain text of some length", 25, true },
    { "nul", "a\0b", 3, true },
    { "smallest of two bytes", "\xC2\x80", 2, true },
    { "largest of two bytes", "\xDF\xBF", 2, true },
    { "smallest of three bytes", "\xE0\xA0\x80", 3, true },
    { "below the surrogates", "\xED\x9F\xBF", 3, true },
    { "above the surrogates", "\xEE\x80\x80", 3, true },
    { "largest of three bytes", "\xEF\xBF\xBF", 3, true },
    { "smallest of four bytes", "\xF0\x90\x80\x80", 4, true },
    { "U+10FFFF", "\xF4\x8F\xBF\xBF", 4, true },
    { "lone continuation", "\x80", 1, false },
    { "overlong NUL", "\xC0\x80", 2, false },
    { "overlong slash", "\xC1\xAF", 2, false },
    { "overlong of three bytes", "\xE0\x9F\xBF", 3, false },
    { "overlong of four bytes", "\xF0\x8F\xBF\xBF", 4, false },
    { "first surrogate", "\xED\xA0\x80", 3, false },
    { "last surrogate", "\xED\xBF\xBF", 3, false },
    { "U+110000", "\xF4\x90\x80\x80", 4, false },
    { "lead F5", "\xF5\x80\x80\x80", 4, false },
    { "lead FF", "\xFF", 1, false },
    { "cut two", "\xC2", 1, false },
    { "cut three", "\xE2\x82", 2, false },
    { "cut four", "\xF0\x9F\x98", 3, false },
    { "lead then ascii", "\xC3(", 2, false },
    { "third byte wrong", "\xE2\x82(", 3, false },
    { "fourth byte wrong", "\xF0\x9F\x98(", 4, false },
    // clang-format on
};

static void test_utf8__validity_at_every_place_in_a_text(void **state)
{
    (void)state;
    char text[64];
    for (size_t i = 0; i < VG_ARRAY_COUNT(validity_cases); i++) {
        size_t size = validity_cases[i].size;
        for (size_t before = 0; before < 20; before++) {
            memset(text, 'x', sizeof(text));
            memcpy(text + before, validity_cases[i].text, size);
            bool whole = vg_utf8_is_valid(vg_bytes(text, before + size));
            if (whole != validity_cases[i].valid) {
                print_error("case %s after %zu\n", validity_cases[i].name, before);
            }
            assert_true(whole == validity_cases[i].valid);
            if (!whole) {
                assert_int_equal(vg_utf8_valid_size(vg_bytes(text, before + size)), before);
                assert_false(vg_utf8_is_valid(vg_bytes(text, before + size + 9)));
            }
        }
    }
}

/* "aé€😀" has one character of each size, 10 bytes. */
#define VG_MIXED "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"

static void test_utf8__counts_code_points(void **state)
{
    (void)state;
    assert_int_equal(vg_utf8_count(vg_bytes_text("")), 0);
    assert_int_equal(vg_utf8_count(vg_bytes_text(VG_MIXED)), 4);
    assert_int_equal(vg_utf8_count(vg_bytes_text("0123456789abcdef" VG_MIXED "01234567")), 28);
}

static void test_utf8__cuts_to_code_points(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 3, 6, 10, 10, 10 };
    for (size_t i = 0; i < VG_ARRAY_COUNT(sizes); i++) {
        assert_int_equal(vg_utf8_cut(vg_bytes_text(VG_MIXED), i).size, sizes[i]);
    }
}

static void test_utf8__cuts_to_bytes_at_whole_characters(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };
    for (size_t i = 0; i < VG_ARRAY_COUNT(sizes); i++) {
        assert_int_equal(vg_utf8_cut_bytes(vg_bytes_text(VG_MIXED), i).size, sizes[i]);
    }
}

static void test_utf8__sees_a_nul(void **state)
{
    (void)state;
    assert_true(vg_utf8_has_nul(vg_bytes("a\0b", 3)));
    assert_false(vg_utf8_has_nul(vg_bytes_text("ab")));
    assert_false(vg_utf8_has_nul(vg_bytes(NULL, 0)));
}

static void test_utf8__what_is_encoded_is_valid_and_one_code_point(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x10FFFF; point += point < 0x20000 ? 1 : 251) {
        if (point >= 0xD800 && point <= 0xDFFF) {
            continue;
        }
        uint8_t bytes[4];
        size_t size = vg_utf8_encode(point, bytes);
        assert_true(vg_utf8_is_valid(vg_bytes(bytes, size)));
        assert_int_equal(vg_utf8_count(vg_bytes(bytes, size)), 1);
    }
    uint8_t euro[4];
    assert_int_equal(vg_utf8_encode(0x20AC, euro), 3);
    assert_memory_equal(euro, "\xE2\x82\xAC", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8__validity_at_every_place_in_a_text),
        cmocka_unit_test(test_utf8__counts_code_points),
        cmocka_unit_test(test_utf8__cuts_to_code_points),
        cmocka_unit_test(test_utf8__cuts_to_bytes_at_whole_characters),
        cmocka_unit_test(test_utf8__sees_a_nul),
        cmocka_unit_test(test_utf8__what_is_encoded_is_valid_and_one_code_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
