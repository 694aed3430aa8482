/* Digests and UUIDs as texts, and substrings of them, against the text itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/table/fixed_text.h"

static void test_fixed_text__has_hyphens_only_in_a_uuid(void **state)
{
    (void)state;
    uint8_t value[16];
    char text[VG_FIXED_TEXT_MAX];
    for (uint8_t i = 0; i < 16; i++) {
        value[i] = (uint8_t)(i * 17);
    }
    assert_int_equal(vg_fixed_text(VG_FIXED_UUID, 16, value, text), 36);
    assert_memory_equal(text, "00112233-4455-6677-8899-aabbccddeeff", 36);
    assert_int_equal(vg_fixed_text(VG_FIXED_DIGEST, 16, value, text), 32);
    assert_memory_equal(text, "00112233445566778899aabbccddeeff", 32);
}

/* Every substring of every length is found, in values of every width; and none of another value. */
static void test_fixed_text__finds_what_the_text_holds(void **state)
{
    (void)state;
    static const struct {
        enum vg_fixed_form form;
        uint32_t width;
    } cases[] = {
        { VG_FIXED_UUID, 16 },   { VG_FIXED_DIGEST, 16 }, { VG_FIXED_DIGEST, 20 },
        { VG_FIXED_DIGEST, 32 }, { VG_FIXED_DIGEST, 64 },
    };
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        uint8_t value[64];
        uint8_t other[64];
        char text[VG_FIXED_TEXT_MAX];
        char other_text[VG_FIXED_TEXT_MAX];
        for (uint32_t i = 0; i < cases[c].width; i++) {
            value[i] = (uint8_t)(i * 37 + 11);
            other[i] = (uint8_t)(i * 91 + 5);
        }
        uint32_t size = vg_fixed_text(cases[c].form, cases[c].width, value, text);
        (void)vg_fixed_text(cases[c].form, cases[c].width, other, other_text);
        for (uint32_t first = 0; first < size; first++) {
            for (uint32_t length = 1; first + length <= size; length++) {
                struct vg_bytes wanted = vg_bytes(text + first, length);
                struct vg_fixed_needle needle;
                assert_true(vg_fixed_needle_init(&needle, cases[c].form, cases[c].width, wanted));
                assert_true(vg_fixed_needle_matches(&needle, cases[c].width, value));
                assert_int_equal(
                    vg_fixed_needle_matches(&needle, cases[c].width, other),
                    memmem(other_text, size, wanted.data, wanted.size) != NULL);
            }
        }
    }
}

static void test_fixed_text__knows_what_no_value_holds(void **state)
{
    (void)state;
    struct vg_fixed_needle needle;
    static const char digits[] = "0123456789abcdef0123456789abcdef0123456789abcdef";
    assert_false(vg_fixed_needle_init(&needle, VG_FIXED_DIGEST, 16, vg_bytes_text("-")));
    assert_true(vg_fixed_needle_init(&needle, VG_FIXED_UUID, 16, vg_bytes_text("-")));
    assert_false(vg_fixed_needle_init(&needle, VG_FIXED_DIGEST, 32, vg_bytes_text("g")));
    assert_false(vg_fixed_needle_init(&needle, VG_FIXED_DIGEST, 32, vg_bytes_text("")));
    assert_true(vg_fixed_needle_init(&needle, VG_FIXED_DIGEST, 20, vg_bytes(digits, 40)));
    assert_false(vg_fixed_needle_init(&needle, VG_FIXED_DIGEST, 20, vg_bytes(digits, 41)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_text__has_hyphens_only_in_a_uuid),
        cmocka_unit_test(test_fixed_text__finds_what_the_text_holds),
        cmocka_unit_test(test_fixed_text__knows_what_no_value_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
