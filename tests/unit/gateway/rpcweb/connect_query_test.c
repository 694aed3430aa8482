/* The query of a call by GET. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/rpcweb/connect_query.h"

static const struct {
    const char *query;
    const char *message; /* NULL = not said */
    const char *encoding;
    enum vg_reason reason;
} rows[] = {
    { "", NULL, NULL, VG_OK },
    { "connect=v1&encoding=json&message=%7B%7D", "{}", "json", VG_OK },
    { "message=a+b&encoding=json", "a b", "json", VG_OK },
    { "message=&encoding=proto", "", "proto", VG_OK },
    { "message&encoding=proto&base64=1", "", "proto", VG_OK },
    { "message=_-9&base64=1", NULL, NULL, VG_INVALID_URL_PARAMETER }, /* bits behind the end */
    { "base64=1&message=aGk", "hi", NULL, VG_OK },
    { "base64=1&message=aGk%3D&&", "hi", NULL, VG_OK },
    { "base64=1&message=aGk=", "hi", NULL, VG_OK },
    { "base64=0&message=aGk", "aGk", NULL, VG_OK },
    { "base64=1&message=a/k+",
      NULL,
      NULL,
      VG_INVALID_URL_PARAMETER }, /* not the alphabet of URLs */
    { "base64=1&message=aGk&message=aGk", NULL, NULL, VG_INVALID_URL_PARAMETER },
    { "message=%7", NULL, NULL, VG_INVALID_URL_PARAMETER },
    { "message=%ff", NULL, NULL, VG_INVALID_URL_PARAMETER },
    { "message=%00", NULL, NULL, VG_INVALID_URL_PARAMETER },
    { "other=%ff&message=x", "x", NULL, VG_OK },
    { "Message=x&messages=y", NULL, NULL, VG_OK },
};

static void check_text(struct vg_bytes found, const char *expected)
{
    assert_int_equal(found.data == NULL, expected == NULL);
    assert_true(vg_bytes_equal(found, vg_bytes_text(expected)));
}

static void test_connect_query__parameters_come_in_any_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_arena arena;
        struct vg_error error;
        struct vg_connect_query query = { .message = { NULL, 0 } };
        vg_arena_init(&arena, 4096);
        vg_error_init(&error, NULL);
        enum vg_reason reason =
            vg_connect_query_read(vg_bytes_text(rows[i].query), &arena, &query, &error);
        if (reason != rows[i].reason) {
            fail_msg("%s: %s", rows[i].query, vg_reason_row(reason)->name);
        }
        check_text(query.message, rows[i].message);
        check_text(query.encoding, rows[i].encoding);
        vg_arena_dispose(&arena);
    }
}

static void test_connect_query__without_memory_it_says_so(void **state)
{
    (void)state;
    struct vg_arena arena;
    struct vg_error error;
    struct vg_connect_query query;
    vg_arena_init(&arena, 1);
    vg_error_init(&error, NULL);
    assert_int_equal(
        vg_connect_query_read(vg_bytes_text("message=aGk&base64=1"), &arena, &query, &error),
        VG_REQUEST_MEMORY);
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect_query__parameters_come_in_any_order),
        cmocka_unit_test(test_connect_query__without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
