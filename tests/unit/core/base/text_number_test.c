/* Numbers as text at the borders of their types. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/random.h"
#include "core/base/text_number.h"

static const struct {
    const char *text;
    bool is_int64;
    int64_t int64;
    bool is_uint64;
    uint64_t uint64;
} integer_cases[] = {
    // clang-format off
    { "0", true, 0, true, 0 },
    { "-0", true, 0, false, 0 },
    { "00042", true, 42, true, 42 },
    { "-42", true, -42, false, 0 },
    { "9223372036854775807", true, INT64_MAX, true, INT64_MAX },
    { "9223372036854775808", false, 0, true, UINT64_C(9223372036854775808) },
    { "-9223372036854775808", true, INT64_MIN, false, 0 },
    { "-9223372036854775809", false, 0, false, 0 },
    { "18446744073709551615", false, 0, true, UINT64_MAX },
    { "18446744073709551616", false, 0, false, 0 },
    { "99999999999999999999999999", false, 0, false, 0 },
    { "", false, 0, false, 0 },
    { "-", false, 0, false, 0 },
    { "--1", false, 0, false, 0 },
    { "+1", false, 0, false, 0 },
    { " 1", false, 0, false, 0 },
    { "1 ", false, 0, false, 0 },
    { "1.0", false, 0, false, 0 },
    { "0x10", false, 0, false, 0 },
    { "1e3", false, 0, false, 0 },
    // clang-format on
};

static void test_text_number__integers_are_exact_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(integer_cases); i++) {
        int64_t int64 = 77;
        uint64_t uint64 = 77;
        struct vg_bytes text = vg_bytes_text(integer_cases[i].text);
        bool is_int64 = vg_text_number_parse_int64(text, &int64);
        bool is_uint64 = vg_text_number_parse_uint64(text, &uint64);
        assert_true(is_int64 == integer_cases[i].is_int64);
        assert_true(int64 == (is_int64 ? integer_cases[i].int64 : 77));
        assert_true(is_uint64 == integer_cases[i].is_uint64);
        assert_true(uint64 == (is_uint64 ? integer_cases[i].uint64 : 77));
    }
}

static void test_text_number__printed_integers_are_those_of_printf(void **state)
{
    (void)state;
    static const int64_t cases[] = { 0, 1, -1, 9, 10, -10, 99, 100, INT64_MAX, INT64_MIN };
    for (size_t i = 0; i < VG_ARRAY_COUNT(cases); i++) {
        char text[VG_TEXT_NUMBER_SIZE];
        char expected[VG_TEXT_NUMBER_SIZE];
        (void)snprintf(expected, sizeof(expected), "%lld", (long long)cases[i]);
        assert_int_equal(vg_text_number_print_int64(cases[i], text), strlen(expected));
        assert_string_equal(text, expected);
    }
    char text[VG_TEXT_NUMBER_SIZE];
    assert_int_equal(vg_text_number_print_uint64(UINT64_MAX, text), 20);
    assert_string_equal(text, "18446744073709551615");
}

static void test_text_number__doubles_print_short_and_read_back_the_same(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0.0, "0" },
        { 5.0, "5" },
        { 0.1, "0.1" },
        { -2.5, "-2.5" },
        { 1e21, "1e+21" },
        { 59.913868, "59.913868" },
        { 1e-7, "1e-07" },
        { -0.0, "-0" },
        { 1.0 / 3.0, "0.33333333333333331" },
        { 1e308, "1e+308" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 5e-324, "4.94065645841247e-324" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(cases); i++) {
        char text[VG_TEXT_NUMBER_SIZE];
        assert_int_equal(vg_text_number_print_double(cases[i].value, text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
    struct vg_random_seeded seeded;
    vg_random_seeded_init(&seeded, 11);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = vg_random_u64(&seeded.random);
        double value;
        double back;
        char text[VG_TEXT_NUMBER_SIZE];
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value)) {
            continue;
        }
        size_t size = vg_text_number_print_double(value, text);
        assert_true(vg_text_number_parse_double(vg_bytes(text, size), &back));
        assert_memory_equal(&back, &value, sizeof(value));
    }
    vg_random_seeded_dispose(&seeded);
}

static void test_text_number__doubles_follow_the_grammar_of_json(void **state)
{
    (void)state;
    static const char *const good[] = { "0", "-0", "1.5", "1e5", "1E+5", "-1.25e-3", "10" };
    static const char *const bad[] = { "",    "-",  "01",  ".5",  "5.",  "1e",
                                       "1e+", "+1", "inf", "nan", "0x1", "1e400",
                                       " 1",  "1 ", "1,5", "--1", "1.e1" };
    double value = 7;
    for (size_t i = 0; i < VG_ARRAY_COUNT(good); i++) {
        assert_true(vg_text_number_parse_double(vg_bytes_text(good[i]), &value));
        assert_true(value == strtod(good[i], NULL));
    }
    value = 7;
    for (size_t i = 0; i < VG_ARRAY_COUNT(bad); i++) {
        assert_false(vg_text_number_parse_double(vg_bytes_text(bad[i]), &value));
        assert_true(value == 7);
    }
    char longer[400];
    memset(longer, '0', sizeof(longer));
    longer[0] = '2';
    longer[1] = '.';
    assert_true(vg_text_number_parse_double(vg_bytes(longer, sizeof(longer)), &value));
    assert_true(value == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_number__integers_are_exact_or_refused),
        cmocka_unit_test(test_text_number__printed_integers_are_those_of_printf),
        cmocka_unit_test(test_text_number__doubles_print_short_and_read_back_the_same),
        cmocka_unit_test(test_text_number__doubles_follow_the_grammar_of_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
