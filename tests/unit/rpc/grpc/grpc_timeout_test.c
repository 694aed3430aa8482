#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/grpc/grpc_timeout.h"

static void test_grpc_timeout__reads_the_grammar_and_nothing_else(void **state)
{
    (void)state;
    const struct {
        const char *text;
        bool good;
        uint64_t ns;
    } rows[] = {
        { "1S", true, 1000000000 },
        { "0n", true, 0 },
        { "1n", true, 1 },
        { "250u", true, 250000 },
        { "99999999m", true, UINT64_C(99999999000000) },
        { "2M", true, UINT64_C(120000000000) },
        { "1H", true, UINT64_C(3600000000000) },
        { "99999999H", true, UINT64_MAX },
        { "00000001S", true, 1000000000 },
        { "100000000S", false, 0 },
        { "-1S", false, 0 },
        { "+1S", false, 0 },
        { "1", false, 0 },
        { "1x", false, 0 },
        { "1s", false, 0 },
        { "S", false, 0 },
        { "", false, 0 },
        { "1 S", false, 0 },
        { "1.5S", false, 0 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t ns = 77;
        bool good = vg_grpc_timeout_parse(vg_bytes_text(rows[i].text), &ns);
        if (good != rows[i].good || ns != (good ? rows[i].ns : 77)) {
            fail_msg("%s", rows[i].text);
        }
    }
}

static void test_grpc_timeout__prints_what_it_reads(void **state)
{
    (void)state;
    const struct {
        uint64_t ns;
        const char *text;
    } rows[] = {
        { 1, "1n" },
        { 99999999, "99999999n" },
        { 100000000, "100000u" },
        { 100000001, "100001u" }, /* never shorter than asked */
        { UINT64_C(30000000000), "30000000u" },
        { UINT64_C(3600000000000), "3600000m" },
        { UINT64_MAX, "5124096H" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[VG_GRPC_TIMEOUT_SIZE];
        size_t size = vg_grpc_timeout_print(rows[i].ns, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(size, strlen(text));
        uint64_t back;
        assert_true(vg_grpc_timeout_parse(vg_bytes(text, size), &back));
        assert_true(back >= rows[i].ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grpc_timeout__reads_the_grammar_and_nothing_else),
        cmocka_unit_test(test_grpc_timeout__prints_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
