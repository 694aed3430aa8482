/* Accept: what the client likes best, and that nothing of it is ever an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/envelope/accept.h"
#include "proto/contract.h"

#define XLSX "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#define ALL  ((unsigned)VG_PRODUCT_CSV | VG_PRODUCT_JSONL | VG_PRODUCT_XLSX)

static enum vg_format choose(const char *first, const char *second, unsigned produces)
{
    struct vg_accept accept;
    vg_accept_init(&accept);
    if (first != NULL) {
        vg_accept_add(&accept, vg_bytes_text(first));
    }
    if (second != NULL) {
        vg_accept_add(&accept, vg_bytes_text(second));
    }
    return vg_accept_choose(&accept, produces);
}

static void test_accept__the_best_form_is_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum vg_format format;
    } rows[] = {
        { NULL, VG_FORMAT_JSON },
        { "", VG_FORMAT_JSON },
        { "*/*", VG_FORMAT_JSON },
        { "image/png", VG_FORMAT_JSON },
        { "application/json", VG_FORMAT_JSON },
        { "text/csv", VG_FORMAT_CSV },
        { "Text/CSV", VG_FORMAT_CSV },
        { "text/csv; charset=utf-8", VG_FORMAT_CSV },
        { "text/*", VG_FORMAT_CSV },
        { "application/*", VG_FORMAT_JSON },
        { "application/jsonl", VG_FORMAT_JSONL },
        { XLSX, VG_FORMAT_XLSX },
        /* Qualities; ties go to the earlier row of the table, whatever the order they came in. */
        { "application/json;q=0.5, text/csv", VG_FORMAT_CSV },
        { "application/json;q=0.5, text/csv;q=0.4", VG_FORMAT_JSON },
        { XLSX ",application/jsonl,text/csv", VG_FORMAT_CSV },
        { XLSX ";q=0.9,application/jsonl;q=0.9", VG_FORMAT_JSONL },
        { "text/csv, application/json", VG_FORMAT_JSON },
        { "text/csv;q=0.001", VG_FORMAT_CSV },
        { "text/csv;q=1.000 , application/json ;q=0.999", VG_FORMAT_CSV },
        { "text/csv ; Q=0.5 , */* ; q=0.1", VG_FORMAT_CSV },
        /* The most specific range counts. */
        { "*/*, application/json;q=0.1", VG_FORMAT_CSV },
        { "application/*;q=0.2, application/jsonl;q=0.8, text/*;q=0.3", VG_FORMAT_JSONL },
        { "text/csv;q=0, */*;q=0.5", VG_FORMAT_JSON },
        { "application/json;q=0, text/csv;q=0, */*", VG_FORMAT_JSONL },
        /* Never a refusal. */
        { "application/json;q=0", VG_FORMAT_JSON },
        { "*/*;q=0", VG_FORMAT_JSON },
        { "text/csv;q=0", VG_FORMAT_JSON },
        /* What cannot be read is left out. */
        { "text/csv;q=2", VG_FORMAT_JSON },
        { "text/csv;q=1.001", VG_FORMAT_JSON },
        { "text/csv;q=0.1234", VG_FORMAT_JSON },
        { "text/csv;q=-1", VG_FORMAT_JSON },
        { "text/csv;q=", VG_FORMAT_JSON },
        { "text/csv;q=.5", VG_FORMAT_JSON },
        { "text", VG_FORMAT_JSON },
        { "*/csv", VG_FORMAT_JSON },
        { ";;;,,,/", VG_FORMAT_JSON },
        { ",text/csv,", VG_FORMAT_CSV },
        /* A comma or semicolon in quotes divides nothing. */
        { "text/plain;a=\"x,text/csv\"", VG_FORMAT_JSON },
        { "text/csv;a=\";q=0\";q=0.7", VG_FORMAT_CSV },
        { "text/csv;a=\"\\\",\"", VG_FORMAT_CSV },
        { "text/csv;a=\"never closed, application/jsonl", VG_FORMAT_CSV },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        if (choose(rows[i].value, NULL, ALL) != rows[i].format) {
            fail_msg("%s", rows[i].value);
        }
    }
}

static void test_accept__only_what_is_offered(void **state)
{
    (void)state;
    assert_int_equal(choose("text/csv", NULL, 0), VG_FORMAT_JSON);
    assert_int_equal(choose("text/csv", NULL, VG_PRODUCT_XLSX), VG_FORMAT_JSON);
    assert_int_equal(choose("text/csv, " XLSX ";q=0.1", NULL, VG_PRODUCT_XLSX), VG_FORMAT_XLSX);
    assert_int_equal(choose("text/csv", NULL, VG_PRODUCT_PCAP), VG_FORMAT_JSON);
}

static void test_accept__several_headers_are_one_list(void **state)
{
    (void)state;
    assert_int_equal(choose("text/csv;q=0.3", "application/jsonl;q=0.4", ALL), VG_FORMAT_JSONL);
    assert_int_equal(choose("*/*;q=0.9", "text/csv", ALL), VG_FORMAT_CSV);
}

static void test_accept__forms_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(vg_format_content_type(VG_FORMAT_JSON), "application/json; charset=UTF-8");
    assert_string_equal(vg_format_content_type(VG_FORMAT_CSV), "text/csv; charset=UTF-8");
    assert_string_equal(vg_format_content_type(VG_FORMAT_JSONL), "application/jsonl");
    assert_string_equal(vg_format_content_type(VG_FORMAT_XLSX), XLSX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept__the_best_form_is_chosen),
        cmocka_unit_test(test_accept__only_what_is_offered),
        cmocka_unit_test(test_accept__several_headers_are_one_list),
        cmocka_unit_test(test_accept__forms_have_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
