/* UUIDs: made, read, written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/uuid.h"

static void test_uuid__random_ones_carry_version_and_variant_and_differ(void **state)
{
    (void)state;
    struct vg_uuid before = { { 0 } };
    for (int i = 0; i < 1000; i++) {
        struct vg_uuid uuid = vg_uuid_make(vg_random_real());
        assert_int_equal(uuid.bytes[6] >> 4, 4);
        assert_int_equal(uuid.bytes[8] >> 6, 2);
        assert_memory_not_equal(uuid.bytes, before.bytes, sizeof(before.bytes));
        before = uuid;
    }
}

static void test_uuid__a_seed_repeats_them(void **state)
{
    (void)state;
    struct vg_random_seeded one;
    struct vg_random_seeded two;
    vg_random_seeded_init(&one, 7);
    vg_random_seeded_init(&two, 7);
    for (int i = 0; i < 100; i++) {
        struct vg_uuid a = vg_uuid_make(&one.random);
        struct vg_uuid b = vg_uuid_make(&two.random);
        assert_memory_equal(a.bytes, b.bytes, sizeof(a.bytes));
    }
    vg_random_seeded_dispose(&one);
    vg_random_seeded_dispose(&two);
}

static void test_uuid__names_give_the_known_uuids(void **state)
{
    (void)state;
    /* The DNS name space of RFC 4122 appendix C; the result as Python's uuid documentation has it.
     */
    struct vg_uuid dns;
    char text[VG_UUID_TEXT_SIZE];
    assert_true(vg_uuid_parse(vg_bytes_text("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), &dns));
    struct vg_uuid uuid = vg_uuid_from_name(&dns, vg_bytes_text("python.org"));
    vg_uuid_print(&uuid, text);
    assert_string_equal(text, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
}

static void test_uuid__either_case_is_read_and_lower_case_written(void **state)
{
    (void)state;
    struct vg_uuid uuid;
    char text[VG_UUID_TEXT_SIZE];
    assert_true(vg_uuid_parse(vg_bytes_text("00112233-4455-6677-8899-AaBbCcDdEeFf"), &uuid));
    vg_uuid_print(&uuid, text);
    assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff");
    assert_int_equal(uuid.bytes[15], 0xff);
}

static void test_uuid__anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "00112233445566778899aabbccddeeff",
        "{00112233-4455-6677-8899-aabbccddeeff}",
        "00112233-4455-6677-8899-aabbccddeef",
        "00112233-4455-6677-8899-aabbccddeeff0",
        "00112233-4455-6677-8899-aabbccddeefg",
        "00112233-4455-6677-8899aabbccddeeff-",
        "001122334-455-6677-8899-aabbccddeeff",
        "00112233 4455 6677 8899 aabbccddeeff",
    };
    struct vg_uuid uuid;
    memset(&uuid, 0x5A, sizeof(uuid));
    for (size_t i = 0; i < VG_ARRAY_COUNT(cases); i++) {
        assert_false(vg_uuid_parse(vg_bytes_text(cases[i]), &uuid));
        assert_int_equal(uuid.bytes[0], 0x5A);
    }
    static const char nul[] = "00112233-4455-6677-8899-aabbccddee\0f";
    assert_false(vg_uuid_parse(vg_bytes(nul, 36), &uuid));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uuid__random_ones_carry_version_and_variant_and_differ),
        cmocka_unit_test(test_uuid__a_seed_repeats_them),
        cmocka_unit_test(test_uuid__names_give_the_known_uuids),
        cmocka_unit_test(test_uuid__either_case_is_read_and_lower_case_written),
        cmocka_unit_test(test_uuid__anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
