/* gRPC's trailers as the JSON of the Connect protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/rpcweb/connect_error.h"
#include "rpc/grpc/grpc_status.h"

static struct vg_http_header header(const char *name, const char *value)
{
    return (struct vg_http_header){ .name = vg_bytes_text(name), .value = vg_bytes_text(value) };
}

static void check(const struct vg_http_header *trailers, size_t count, const char *expected)
{
    struct vg_buffer out;
    vg_buffer_init(&out, 1u << 20);
    vg_connect_error_write(trailers, count, &out);
    assert_false(out.failed);
    vg_buffer_append_byte(&out, 0);
    assert_string_equal((const char *)out.data, expected);
    vg_buffer_dispose(&out);
}

static const struct {
    const char *code;
    const char *json;
    unsigned status;
} codes[] = {
    { "1", "{\"code\":\"canceled\"}", 499 },
    { "2", "{\"code\":\"unknown\"}", 500 },
    { "3", "{\"code\":\"invalid_argument\"}", 400 },
    { "4", "{\"code\":\"deadline_exceeded\"}", 504 },
    { "5", "{\"code\":\"not_found\"}", 404 },
    { "6", "{\"code\":\"already_exists\"}", 409 },
    { "7", "{\"code\":\"permission_denied\"}", 403 },
    { "8", "{\"code\":\"resource_exhausted\"}", 429 },
    { "9", "{\"code\":\"failed_precondition\"}", 400 },
    { "10", "{\"code\":\"aborted\"}", 409 },
    { "11", "{\"code\":\"out_of_range\"}", 400 },
    { "12", "{\"code\":\"unimplemented\"}", 501 },
    { "13", "{\"code\":\"internal\"}", 500 },
    { "14", "{\"code\":\"unavailable\"}", 503 },
    { "15", "{\"code\":\"data_loss\"}", 500 },
    { "16", "{\"code\":\"unauthenticated\"}", 401 },
    { "17", "{\"code\":\"unknown\"}", 500 },
    { "none", "{\"code\":\"unknown\"}", 500 },
    { "", "{\"code\":\"unknown\"}", 500 },
};

static void test_connect_error__codes_are_words_with_a_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(codes); i++) {
        const struct vg_http_header trailers[] = { header("grpc-status", codes[i].code) };
        check(trailers, 1, codes[i].json);
        assert_int_equal(
            vg_connect_error_status(vg_connect_error_code(trailers, 1)),
            codes[i].status);
    }
    check(NULL, 0, "{\"code\":\"unknown\"}");
}

static void test_connect_error__words_are_decoded(void **state)
{
    (void)state;
    const struct vg_http_header trailers[] = {
        header("grpc-status", "5"),
        header("grpc-message", "no %22caf%C3%A9%22 100%25")
    };
    check(trailers, 2, "{\"code\":\"not_found\",\"message\":\"no \\\"caf\xC3\xA9\\\" 100%\"}");
}

static void test_connect_error__details_that_are_none_are_left_out(void **state)
{
    (void)state;
    static const char *const texts[] = { "*", "AAA", "____", "/w" };
    for (size_t i = 0; i < VG_ARRAY_COUNT(texts); i++) {
        const struct vg_http_header trailers[] = { header("grpc-status", "5"),
                                                   header("grpc-status-details-bin", texts[i]) };
        check(trailers, 2, "{\"code\":\"not_found\"}");
    }
}

static void test_connect_error__details_can_be_read_by_people(void **state)
{
    (void)state;
    struct vg_arena arena;
    struct vg_error error;
    struct vg_http_header trailers[VG_GRPC_STATUS_TRAILERS];
    struct vg_buffer out;
    vg_arena_init(&arena, 1u << 20);
    vg_error_init(&error, &arena);
    (void)vg_error_set(&error, VG_OVERLOADED, "later");
    error.retry_after_ms = 1500;
    (void)vg_error_field(&error, "a.b", "x");
    size_t count = vg_grpc_status_trailers(VG_OVERLOADED, &error, &arena, trailers);
    vg_buffer_init(&out, 1u << 20);
    vg_connect_error_write(trailers, count, &out);
    vg_buffer_append_byte(&out, 0);
    const char *json = (const char *)out.data;
    assert_non_null(strstr(json, "{\"code\":\"unavailable\",\"message\":\"later\",\"details\":[{"));
    assert_non_null(strstr(json, "\"debug\":{\"reason\":\"OVERLOADED\",\"domain\":\"vigil\"}"));
    assert_non_null(strstr(
        json,
        "\"debug\":{\"fieldViolations\":[{\"field\":\"a.b\",\"description\":\"later\"}]}"));
    assert_non_null(strstr(json, "\"debug\":{\"retryDelay\":\"1.500s\"}"));
    assert_null(strchr(json, '='));
    vg_buffer_dispose(&out);
    vg_arena_dispose(&arena);
}

static void check_end(const struct vg_http_header *trailers, size_t count, const char *expected)
{
    struct vg_buffer out;
    vg_buffer_init(&out, 1u << 20);
    vg_connect_error_write_end(trailers, count, &out);
    vg_buffer_append_byte(&out, 0);
    assert_string_equal((const char *)out.data, expected);
    vg_buffer_dispose(&out);
}

static void test_connect_error__a_stream_ends_with_error_and_metadata(void **state)
{
    (void)state;
    const struct vg_http_header trailers[] = { header("grpc-status", "0"),
                                               header("acme-cost", "1"),
                                               header("acme-id", "x"),
                                               header("acme-cost", "2") };
    const struct vg_http_header failed[] = { header("grpc-status", "14"),
                                             header("acme-cost", "1") };
    check_end(trailers, 1, "{}");
    check_end(trailers, 2, "{\"metadata\":{\"acme-cost\":[\"1\"]}}");
    check_end(trailers, 4, "{\"metadata\":{\"acme-cost\":[\"1\",\"2\"],\"acme-id\":[\"x\"]}}");
    check_end(failed, 1, "{\"error\":{\"code\":\"unavailable\"}}");
    check_end(
        failed,
        2,
        "{\"error\":{\"code\":\"unavailable\"},\"metadata\":{\"acme-cost\":[\"1\"]}}");
    check_end(NULL, 0, "{\"error\":{\"code\":\"unknown\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect_error__codes_are_words_with_a_status),
        cmocka_unit_test(test_connect_error__words_are_decoded),
        cmocka_unit_test(test_connect_error__details_that_are_none_are_left_out),
        cmocka_unit_test(test_connect_error__details_can_be_read_by_people),
        cmocka_unit_test(test_connect_error__a_stream_ends_with_error_and_metadata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
