/* Base64 against RFC 4648. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/base64.h"
#include "core/base/compiler.h"
#include "core/base/random.h"

static const struct {
    const char *plain;
    const char *padded;
    const char *unpadded;
} rfc_cases[] = {
    /* RFC 4648 §10 */
    { "", "", "" },
    { "f", "Zg==", "Zg" },
    { "fo", "Zm8=", "Zm8" },
    { "foo", "Zm9v", "Zm9v" },
    { "foob", "Zm9vYg==", "Zm9vYg" },
    { "fooba", "Zm9vYmE=", "Zm9vYmE" },
    { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
    { "\xFB\xFF\xFE", "+//+", "+//+" },
};

static void test_base64__the_vectors_of_the_rfc_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(rfc_cases); i++) {
        struct vg_bytes plain = vg_bytes_text(rfc_cases[i].plain);
        char text[16];
        uint8_t back[16];
        size_t size = 99;
        vg_base64_encode(plain, VG_BASE64_STANDARD, text);
        assert_string_equal(text, rfc_cases[i].padded);
        assert_int_equal(vg_base64_encoded_size(plain.size, VG_BASE64_STANDARD), strlen(text));
        assert_true(vg_base64_decode(vg_bytes_text(text), VG_BASE64_STANDARD, back, &size));
        assert_true(vg_bytes_equal(vg_bytes(back, size), plain));
        assert_true(vg_base64_decode(vg_bytes_text(text), VG_BASE64_ANY_PADDING, back, &size));

        vg_base64_encode(plain, VG_BASE64_UNPADDED, text);
        assert_string_equal(text, rfc_cases[i].unpadded);
        assert_int_equal(vg_base64_encoded_size(plain.size, VG_BASE64_UNPADDED), strlen(text));
        assert_true(vg_base64_decode(vg_bytes_text(text), VG_BASE64_UNPADDED, back, &size));
        assert_true(vg_bytes_equal(vg_bytes(back, size), plain));
        assert_true(vg_base64_decode(vg_bytes_text(text), VG_BASE64_ANY_PADDING, back, &size));
    }
}

static void test_base64__alphabets_are_kept_apart_unless_asked(void **state)
{
    (void)state;
    uint8_t back[8];
    size_t size;
    char text[8];
    vg_base64_encode(vg_bytes("\xFB\xFF\xFE", 3), VG_BASE64_URL, text);
    assert_string_equal(text, "-__-");
    assert_true(vg_base64_decode(vg_bytes_text("-__-"), VG_BASE64_URL, back, &size));
    assert_false(vg_base64_decode(vg_bytes_text("-__-"), VG_BASE64_STANDARD, back, &size));
    assert_false(vg_base64_decode(vg_bytes_text("+//+"), VG_BASE64_URL, back, &size));
    assert_true(vg_base64_decode(vg_bytes_text("+_/-"), VG_BASE64_ANY_ALPHABET, back, &size));
}

static void test_base64__what_is_not_base64_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned flags;
    } cases[] = {
        { "Zg", VG_BASE64_STANDARD },       { "Zg=", VG_BASE64_STANDARD },
        { "Zg=", VG_BASE64_ANY_PADDING },   { "Zg==", VG_BASE64_UNPADDED },
        { "Zg===", VG_BASE64_ANY_PADDING }, { "Z", VG_BASE64_ANY_PADDING },
        { "Zm9v=", VG_BASE64_ANY_PADDING }, { "=", VG_BASE64_ANY_PADDING },
        { "====", VG_BASE64_STANDARD },     { "Zh==", VG_BASE64_STANDARD },
        { "Zm9=", VG_BASE64_STANDARD },     { "Zm 9v", VG_BASE64_ANY_PADDING },
        { "Zm9v\n", VG_BASE64_STANDARD },   { "Z=9v", VG_BASE64_STANDARD },
        { "Zm9*", VG_BASE64_STANDARD },
    };
    uint8_t back[16];
    for (size_t i = 0; i < VG_ARRAY_COUNT(cases); i++) {
        size_t size = 99;
        assert_false(vg_base64_decode(vg_bytes_text(cases[i].text), cases[i].flags, back, &size));
        assert_int_equal(size, 99);
    }
}

static void test_base64__random_bytes_come_back(void **state)
{
    (void)state;
    struct vg_random_seeded seeded;
    vg_random_seeded_init(&seeded, 5);
    uint8_t plain[100];
    uint8_t back[104];
    char text[140];
    for (size_t size = 0; size <= sizeof(plain); size++) {
        size_t got = 0;
        vg_random_bytes(&seeded.random, plain, size);
        for (unsigned flags = 0; flags < 4; flags++) {
            vg_base64_encode(vg_bytes(plain, size), flags, text);
            assert_true(vg_base64_decode(vg_bytes_text(text), flags, back, &got));
            assert_int_equal(got, size);
            assert_true(got <= vg_base64_decoded_max(strlen(text)));
            assert_memory_equal(plain, back, size);
        }
    }
    vg_random_seeded_dispose(&seeded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64__the_vectors_of_the_rfc_both_ways),
        cmocka_unit_test(test_base64__alphabets_are_kept_apart_unless_asked),
        cmocka_unit_test(test_base64__what_is_not_base64_is_refused),
        cmocka_unit_test(test_base64__random_bytes_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
