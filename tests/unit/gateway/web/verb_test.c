/* Words of HTTP methods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/web/verb.h"

static void test_verb__words_are_found_as_they_are_written(void **state)
{
    (void)state;
    assert_int_equal(vg_verb_find(vg_bytes_text("GET")), VG_VERB_GET);
    assert_int_equal(vg_verb_find(vg_bytes_text("HEAD")), VG_VERB_GET);
    assert_int_equal(vg_verb_find(vg_bytes_text("PATCH")), VG_VERB_PATCH);
    assert_int_equal(vg_verb_find(vg_bytes_text("get")), -1);
    assert_int_equal(vg_verb_find(vg_bytes_text("OPTIONS")), -1);
    assert_int_equal(vg_verb_find(vg_bytes_text("")), -1);
}

static void test_verb__every_list_fits(void **state)
{
    (void)state;
    char text[VG_VERB_LIST_SIZE];
    vg_verb_print_list(VG_VERB_ALL, text);
    assert_string_equal(text, "GET, POST, PUT, DELETE, PATCH, HEAD, OPTIONS");
    vg_verb_print_list(1u << VG_VERB_GET, text);
    assert_string_equal(text, "GET, HEAD, OPTIONS");
    vg_verb_print_list(1u << VG_VERB_POST, text);
    assert_string_equal(text, "POST, OPTIONS");
    vg_verb_print_list(0, text);
    assert_string_equal(text, "OPTIONS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verb__words_are_found_as_they_are_written),
        cmocka_unit_test(test_verb__every_list_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
