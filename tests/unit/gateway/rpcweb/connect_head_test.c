/* Heads of the Connect protocol by gRPC's names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/rpcweb/connect_head.h"

static struct vg_http_header header(const char *name, const char *value)
{
    return (struct vg_http_header){ .name = vg_bytes_text(name), .value = vg_bytes_text(value) };
}

static const struct {
    const char *text;
    const char *timeout; /* NULL = refused */
} timeouts[] = {
    { "0", "0m" },
    { "1", "1m" },
    { "99999999", "99999999m" },
    { "100000000", "100000S" },
    { "9999999999", "9999999S" }, /* at the limit of ten digits */
    { "10000000000", NULL },      /* one past it */
    { "", NULL },
    { "-1", NULL },
    { "1.5", NULL },
    { " 1", NULL },
    { "1m", NULL },
};

static void test_connect_head__timeouts_are_grpcs(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(timeouts); i++) {
        struct vg_http_header list[] = { header("connect-timeout-ms", timeouts[i].text) };
        const struct vg_http_request request = { .headers = list, .header_count = 1 };
        struct vg_http_header out[3];
        struct vg_connect_head head;
        size_t count = 0;
        enum vg_reason reason = vg_connect_head_read(&request, false, &head, out, &count, NULL);
        assert_int_equal(reason, timeouts[i].timeout == NULL ? VG_INVALID_FIELD_VALUE : VG_OK);
        if (timeouts[i].timeout != NULL) {
            assert_string_equal(head.timeout, timeouts[i].timeout);
            assert_int_equal(count, 2);
            assert_true(vg_bytes_equal(out[1].name, vg_bytes_text("grpc-timeout")));
        }
    }
}

static void test_connect_head__only_the_calls_headers_pass(void **state)
{
    (void)state;
    struct vg_http_header list[] = {
        header("host", "h"),
        header("content-type", "application/json"),
        header("connect-protocol-version", "1"),
        header("connect-later", "x"),
        header("grpc-status", "0"),
        header("grpc-timeout", "1n"),
        header("content-encoding", "gzip"),
        header("accept-encoding", "br"),
        header("accept-encoding", "gzip"),
        header("connect-content-encoding", "gzip"),
        header("authorization", "Bearer k"),
        header("acme-id", "7"),
    };
    const struct vg_http_request request = { .headers = list,
                                             .header_count = VG_ARRAY_COUNT(list) };
    struct vg_http_header out[VG_ARRAY_COUNT(list) + 2];
    struct vg_connect_head head;
    size_t count = 0;
    assert_int_equal(vg_connect_head_read(&request, false, &head, out, &count, NULL), VG_OK);
    assert_int_equal(count, 3);
    assert_true(vg_bytes_equal(out[0].value, vg_bytes_text("application/grpc")));
    assert_true(vg_bytes_equal(out[1].name, vg_bytes_text("authorization")));
    assert_true(vg_bytes_equal(out[2].name, vg_bytes_text("acme-id")));
    assert_true(head.has_accept && head.wants_gzip);
    assert_true(vg_bytes_equal(head.encoding, vg_bytes_text("gzip")));
    /* Of a stream the encodings are those of messages. */
    assert_int_equal(vg_connect_head_read(&request, true, &head, out, &count, NULL), VG_OK);
    assert_int_equal(count, 4);
    assert_true(vg_bytes_equal(out[1].name, vg_bytes_text("grpc-encoding")));
}

static void test_connect_head__other_versions_are_refused(void **state)
{
    (void)state;
    struct vg_http_header list[] = { header("connect-protocol-version", "2") };
    const struct vg_http_request request = { .headers = list, .header_count = 1 };
    struct vg_http_header out[3];
    struct vg_connect_head head;
    size_t count = 0;
    assert_int_equal(
        vg_connect_head_read(&request, false, &head, out, &count, NULL),
        VG_INVALID_FIELD_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect_head__timeouts_are_grpcs),
        cmocka_unit_test(test_connect_head__only_the_calls_headers_pass),
        cmocka_unit_test(test_connect_head__other_versions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
