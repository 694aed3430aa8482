#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/web/rest_metadata.h"
#include "rpc/service/call_metadata.h"

static struct vg_http_header header(const char *name, const char *value)
{
    return (struct vg_http_header){ .name = vg_bytes_text(name), .value = vg_bytes_text(value) };
}

static void test_rest_metadata__lets_the_listed_headers_in(void **state)
{
    (void)state;
    struct vg_http_header list[] = {
        header("host", "h"),
        header("grpc-metadata-color", "red"),
        header("cookie", "c"),
        header("traceparent", "00-1-2-01"),
        header("grpc-metadata-grpc-status", "0"),
        header("grpc-metadata-", "none"),
        header("authorization", "Bearer secret"),
        header("grpc-metadata-raw-bin", "AQI"),
        header("x-request-id", "7"),
    };
    const struct vg_http_request request = { .headers = list,
                                             .header_count = VG_ARRAY_COUNT(list) };
    static struct vg_call call;
    struct vg_bytes value;
    vg_arena_init(&call.arena, 4096);
    assert_true(vg_rest_metadata_read(&request, &call));
    assert_int_equal(call.metadata.count, 4);
    assert_true(vg_call_metadata(&call, "color", 0, &value));
    assert_true(vg_bytes_equal(value, vg_bytes_text("red")));
    assert_true(vg_call_metadata(&call, "raw-bin", 0, &value));
    assert_true(vg_bytes_equal(value, vg_bytes_text("\1\2")));
    assert_true(vg_call_metadata(&call, "traceparent", 0, &value));
    assert_true(vg_call_metadata(&call, "x-request-id", 0, &value));
    assert_false(vg_call_metadata(&call, "authorization", 0, &value));
    assert_false(vg_call_metadata(&call, "grpc-status", 0, &value));
    vg_arena_dispose(&call.arena);
}

static void test_rest_metadata__lets_the_listed_headers_out(void **state)
{
    (void)state;
    struct vg_call call = { .away = false };
    struct vg_http_header headers[VG_LIMIT_ANSWER_METADATA];
    vg_arena_init(&call.arena, 4096);
    assert_true(vg_call_add_header(&call, "x-other", vg_bytes_text("1")));
    assert_true(vg_call_add_header(&call, "x-request-id", vg_bytes_text("7")));
    assert_true(vg_call_add_trailer(&call, "traceresponse", vg_bytes_text("late")));
    assert_int_equal(vg_rest_metadata_write(&call, headers), 1);
    assert_true(vg_bytes_equal(headers[0].name, vg_bytes_text("x-request-id")));
    assert_true(vg_bytes_equal(headers[0].value, vg_bytes_text("7")));
    call.head_sent = true;
    assert_false(vg_call_add_header(&call, "x-request-id", vg_bytes_text("8")));
    call.stage = VG_CALL_STAGE_RUNNING; /* and another thread has it */
    call.away = true;
    call.method = &(const struct vg_method){ .flags = 0 };
    assert_int_equal(vg_rest_metadata_write(&call, headers), 0);
    assert_int_equal(vg_call_trailers(&call)->count, 0);
    vg_arena_dispose(&call.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rest_metadata__lets_the_listed_headers_in),
        cmocka_unit_test(test_rest_metadata__lets_the_listed_headers_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
