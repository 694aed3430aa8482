/* Letters and digits of several scripts, and what is neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/letter.h"

static void test_letter__folds_letters_and_digits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size; /* of the character */
        uint32_t folded;
    } rows[] = {
        { "A", 1, 'a' },
        { "z", 1, 'z' },
        { "7", 1, '7' },
        { "_", 1, 0 },
        { " x", 1, 0 },
        { "\xC3\x85", 2, 0xE5 },            /* A with ring */
        { "\xCE\xA3", 2, 0x3C3 },           /* Sigma */
        { "\xD9\xA3", 2, 0x663 },           /* Arabic digit three */
        { "\xE6\x9D\xB1", 3, 0x6771 },      /* a letter without case */
        { "\xE2\x80\x93", 3, 0 },           /* en dash */
        { "\xF0\x90\x90\x80", 4, 0x10428 }, /* Deseret */
        { "\xF0\x9F\x98\x80", 4, 0 },       /* a face */
        { "\xFF", 1, 0 },                   /* no UTF-8 */
        { "\xC3", 1, 0 },
        { "\xC3x", 1, 0 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t position = 0;
        assert_int_equal(vg_letter_next(vg_bytes_text(rows[i].text), &position), rows[i].folded);
        assert_int_equal(position, rows[i].size);
    }
}

static void test_letter__version_is_that_of_the_library(void **state)
{
    (void)state;
    assert_true(vg_letter_version() >> 32 >= 50);
    assert_int_equal(vg_letter_version(), vg_letter_version());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letter__folds_letters_and_digits),
        cmocka_unit_test(test_letter__version_is_that_of_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
