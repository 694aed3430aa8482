#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "rpc/grpc/grpc_headers.h"

static struct vg_http_header header(const char *name, const char *value)
{
    return (struct vg_http_header){ .name = vg_bytes_text(name), .value = vg_bytes_text(value) };
}

static enum vg_reason read_two(
    const char *name,
    const char *value,
    const char *type,
    struct vg_grpc_headers *headers)
{
    static struct vg_http_header list[2];
    list[0] = header(name, value);
    list[1] = header("content-type", type);
    const struct vg_http_request request = { .headers = list, .header_count = 2 };
    struct vg_error error;
    vg_error_init(&error, NULL);
    return vg_grpc_headers_read(&request, headers, &error);
}

static void test_grpc_headers__judges_content_types(void **state)
{
    (void)state;
    const struct {
        const char *type;
        bool is_grpc;
        bool readable;
    } rows[] = {
        { "application/grpc", true, true },
        { "application/grpc+proto", true, true },
        { "Application/GRPC", true, true },
        { "application/grpc;charset=utf-8", true, true },
        { "application/grpc+proto; x=y", true, true },
        { "application/grpc+json", true, false },
        { "application/grpc+protobuf", true, false },
        { "application/grpc-web", false, false },
        { "application/grpcx", false, false },
        { "text/plain", false, false },
        { "application/json", false, false },
        { "", false, false },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_http_header list[] = { header("content-type", rows[i].type) };
        const struct vg_http_request request = { .headers = list, .header_count = 1 };
        struct vg_grpc_headers headers;
        struct vg_error error;
        vg_error_init(&error, NULL);
        enum vg_reason reason = vg_grpc_headers_read(&request, &headers, &error);
        if (vg_grpc_headers_is_grpc(&request) != rows[i].is_grpc ||
            reason != (rows[i].readable ? VG_OK : VG_CONTENT_TYPE)) {
            fail_msg("%s", rows[i].type);
        }
    }
    const struct vg_http_request bare = { .header_count = 0 };
    struct vg_grpc_headers headers;
    assert_false(vg_grpc_headers_is_grpc(&bare));
    assert_int_equal(vg_grpc_headers_read(&bare, &headers, NULL), VG_CONTENT_TYPE);
}

static void test_grpc_headers__finds_the_credential(void **state)
{
    (void)state;
    const struct {
        const char *name;
        const char *value;
        const char *credential; /* NULL = none */
    } rows[] = {
        { "argus-api-key", "a/b/c", "a/b/c" },
        { "authorization", "Bearer a/b/c", "a/b/c" },
        { "authorization", "bearer  a/b/c", "a/b/c" },
        { "authorization", "Basic a/b/c", NULL },
        { "authorization", "Bearer", NULL },
        { "x-other", "a/b/c", NULL },
        { "argus-api-key", "", "" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_grpc_headers headers;
        assert_int_equal(
            read_two(rows[i].name, rows[i].value, "application/grpc", &headers),
            VG_OK);
        if (rows[i].credential == NULL) {
            assert_null(headers.credential.data);
        } else {
            assert_non_null(headers.credential.data);
            assert_true(vg_bytes_equal(headers.credential, vg_bytes_text(rows[i].credential)));
        }
    }
}

static void test_grpc_headers__prefers_the_api_key(void **state)
{
    (void)state;
    struct vg_http_header list[] = {
        header("authorization", "Bearer token"),
        header("argus-api-key", "key"),
        header("authorization", "Bearer later"),
        header("content-type", "application/grpc"),
    };
    const struct vg_http_request request = { .headers = list, .header_count = 4 };
    struct vg_grpc_headers headers;
    assert_int_equal(vg_grpc_headers_read(&request, &headers, NULL), VG_OK);
    assert_true(vg_bytes_equal(headers.credential, vg_bytes_text("key")));
}

static void test_grpc_headers__refuses_a_timeout_that_is_none(void **state)
{
    (void)state;
    struct vg_grpc_headers headers;
    assert_int_equal(read_two("grpc-timeout", "1S", "application/grpc", &headers), VG_OK);
    assert_int_equal(headers.timeout_ns, 1000000000);
    assert_int_equal(read_two("grpc-timeout", "0n", "application/grpc", &headers), VG_OK);
    assert_int_equal(headers.timeout_ns, 1); /* passed already, and not "none" */
    assert_int_equal(read_two("grpc-timeout", "soon", "application/grpc", &headers), VG_BAD_HTTP);
    assert_int_equal(read_two("x", "y", "application/grpc", &headers), VG_OK);
    assert_int_equal(headers.timeout_ns, 0);
}

static void test_grpc_headers__keeps_what_is_metadata(void **state)
{
    (void)state;
    struct vg_http_header list[] = {
        header("te", "trailers"),
        header("content-type", "application/grpc"),
        header("user-agent", "me"),
        header("argus-api-key", "secret"),
        header("x", ""),
        header("grpc-anything", "1"),
        header("authorization", "other"),
        header("x", "2"),
        header("tea", "green"),
    };
    const struct vg_http_request request = { .headers = list,
                                             .header_count = VG_ARRAY_COUNT(list) };
    const char *const kept[][2] = { { "user-agent", "me" },
                                    { "x", "" },
                                    { "x", "2" },
                                    { "tea", "green" } };
    struct vg_grpc_headers headers;
    struct vg_metadata metadata = { .count = 0 };
    struct vg_arena arena;
    assert_int_equal(vg_grpc_headers_read(&request, &headers, NULL), VG_OK);
    vg_arena_init(&arena, 0);
    assert_false(vg_grpc_headers_keep_metadata(&request, &headers, &arena, &metadata));
    vg_arena_init(&arena, 10000);
    assert_true(vg_grpc_headers_keep_metadata(&request, &headers, &arena, &metadata));
    assert_int_equal(metadata.count, VG_ARRAY_COUNT(kept));
    for (size_t i = 0; i < VG_ARRAY_COUNT(kept); i++) {
        assert_true(vg_bytes_equal(metadata.items[i].name, vg_bytes_text(kept[i][0])));
        assert_true(vg_bytes_equal(metadata.items[i].value, vg_bytes_text(kept[i][1])));
    }
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grpc_headers__judges_content_types),
        cmocka_unit_test(test_grpc_headers__finds_the_credential),
        cmocka_unit_test(test_grpc_headers__prefers_the_api_key),
        cmocka_unit_test(test_grpc_headers__refuses_a_timeout_that_is_none),
        cmocka_unit_test(test_grpc_headers__keeps_what_is_metadata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
