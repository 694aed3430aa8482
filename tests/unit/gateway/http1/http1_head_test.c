/* The head of an HTTP/1.1 request: its limits, and names and values that arrive in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/limits.h"
#include "gateway/http1/http1_head.h"

#define HEAD_BYTES_MAX 65536u

static enum vg_reason finish(struct vg_http1_head *head, struct vg_http_request *out_request)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    return vg_http1_head_finish(head, false, out_request, &error);
}

static void add_header(struct vg_http1_head *head, const char *name, const char *value)
{
    vg_http1_head_add_name(head, vg_bytes_text(name));
    vg_http1_head_add_value(head, vg_bytes_text(value));
}

static enum vg_reason read_target(size_t size)
{
    static uint8_t target[VG_LIMIT_URL_BYTES + 1];
    memset(target, 'x', sizeof(target));
    struct vg_http1_head head;
    vg_http1_head_init(&head, HEAD_BYTES_MAX);
    vg_http1_head_add_target(&head, vg_bytes(target, size / 2));
    vg_http1_head_add_target(&head, vg_bytes(target, size - size / 2));
    add_header(&head, "Host", "h");
    struct vg_http_request request = { 0 };
    enum vg_reason reason = finish(&head, &request);
    if (reason == VG_OK) {
        assert_int_equal(request.target.size, size);
    }
    vg_http1_head_dispose(&head);
    return reason;
}

static void test_http1_head__a_target_has_at_most_its_limit(void **state)
{
    (void)state;
    assert_int_equal(read_target(VG_LIMIT_URL_BYTES), VG_OK);
    assert_int_equal(read_target(VG_LIMIT_URL_BYTES + 1), VG_URL_TOO_LONG);
}

static enum vg_reason read_headers(size_t count)
{
    struct vg_http1_head head;
    vg_http1_head_init(&head, HEAD_BYTES_MAX);
    vg_http1_head_add_target(&head, vg_bytes_text("/"));
    add_header(&head, "Host", "h");
    for (size_t i = 1; i < count; i++) {
        add_header(&head, "x", "y");
    }
    struct vg_http_request request = { 0 };
    enum vg_reason reason = finish(&head, &request);
    if (reason == VG_OK) {
        assert_int_equal(request.header_count, count);
    }
    vg_http1_head_dispose(&head);
    return reason;
}

static void test_http1_head__headers_have_at_most_their_count(void **state)
{
    (void)state;
    assert_int_equal(read_headers(VG_LIMIT_HEADER_COUNT), VG_OK);
    assert_int_equal(read_headers(VG_LIMIT_HEADER_COUNT + 1), VG_HEADERS_TOO_LARGE);
}

static void test_http1_head__pieces_are_joined_lowered_and_trimmed(void **state)
{
    (void)state;
    struct vg_http1_head head;
    vg_http1_head_init(&head, HEAD_BYTES_MAX);
    vg_http1_head_add_target(&head, vg_bytes_text("/"));
    vg_http1_head_add_name(&head, vg_bytes_text("Ho"));
    vg_http1_head_add_name(&head, vg_bytes_text("ST"));
    vg_http1_head_add_value(&head, vg_bytes_text("exa"));
    vg_http1_head_add_value(&head, vg_bytes_text("mple \t"));
    struct vg_http_request request = { 0 };
    assert_int_equal(finish(&head, &request), VG_OK);
    assert_true(vg_bytes_equal(request.headers[0].name, vg_bytes_text("host")));
    assert_true(vg_bytes_equal(request.authority, vg_bytes_text("example")));
    vg_http1_head_dispose(&head);
}

static void test_http1_head__one_host_is_needed(void **state)
{
    (void)state;
    for (size_t hosts = 0; hosts <= 2; hosts++) {
        struct vg_http1_head head;
        vg_http1_head_init(&head, HEAD_BYTES_MAX);
        vg_http1_head_add_target(&head, vg_bytes_text("/"));
        for (size_t i = 0; i < hosts; i++) {
            add_header(&head, "Host", "h");
        }
        struct vg_http_request request = { 0 };
        assert_int_equal(finish(&head, &request), hosts == 1 ? VG_OK : VG_BAD_HTTP);
        vg_http1_head_dispose(&head);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http1_head__a_target_has_at_most_its_limit),
        cmocka_unit_test(test_http1_head__headers_have_at_most_their_count),
        cmocka_unit_test(test_http1_head__pieces_are_joined_lowered_and_trimmed),
        cmocka_unit_test(test_http1_head__one_host_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
