/* Percent-decoding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gateway/route/percent.h"

static const struct row {
    const char *text;
    bool query;
    const char *decoded; /* NULL = refused */
} rows[] = {
    { "", false, "" },
    { "abc", true, "abc" },
    { "a+b", false, "a+b" },
    { "a+b", true, "a b" },
    { "%41%62", false, "Ab" },
    { "%2b", true, "+" },
    { "%c3%a6", true, "\xc3\xa6" },
    { "%", true, NULL },
    { "%4", true, NULL },
    { "%4g", true, NULL },
    { "%c3", true, NULL },
    { "%00", true, NULL },
    { "%ed%a0%80", true, NULL },
    { "x%25y", true, "x%y" },
};

static void test_percent__decodes_once_and_refuses_what_is_no_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_arena arena;
        vg_arena_init(&arena, 65536);
        struct vg_error error;
        vg_error_init(&error, &arena);
        struct vg_bytes decoded;
        enum vg_reason reason =
            vg_percent_decode(vg_bytes_text(rows[i].text), rows[i].query, &arena, &decoded, &error);
        if (rows[i].decoded == NULL) {
            assert_int_equal(reason, VG_INVALID_URL_PARAMETER);
        } else {
            assert_int_equal(reason, VG_OK);
            assert_true(vg_bytes_equal(decoded, vg_bytes_text(rows[i].decoded)));
        }
        vg_arena_dispose(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        test_percent__decodes_once_and_refuses_what_is_no_text) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
