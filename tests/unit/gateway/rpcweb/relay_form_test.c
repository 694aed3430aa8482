/* How heads and statuses look in the forms of the web. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/rpcweb/relay_form.h"

static struct vg_http_header header(const char *name, const char *value)
{
    return (struct vg_http_header){ .name = vg_bytes_text(name), .value = vg_bytes_text(value) };
}

static void test_relay_form__the_status_is_a_frame_of_trailers(void **state)
{
    (void)state;
    static const char expected[] = "\x80\0\0\0\x21"
                                   "grpc-status: 5\r\ngrpc-message: a\r\n";
    const struct vg_http_header trailers[] = { header("grpc-status", "5"),
                                               header("grpc-message", "a") };
    struct vg_buffer out;
    vg_buffer_init(&out, 1000);
    vg_buffer_append_text(&out, "before");
    vg_relay_form_find(VG_MEDIA_TYPE_GRPC_WEB)->put_status(trailers, 2, &out);
    assert_int_equal(out.size, 6 + sizeof(expected) - 1);
    assert_memory_equal(out.data + 6, expected, sizeof(expected) - 1);
    vg_buffer_dispose(&out);
}

static void test_relay_form__a_stream_of_connect_ends_with_json(void **state)
{
    (void)state;
    static const char expected[] = "\x02\0\0\0\x02{}";
    const struct vg_relay_form *form = vg_relay_form_find(VG_MEDIA_TYPE_CONNECT_PROTO);
    const struct vg_http_header trailers[] = { header("grpc-status", "0") };
    struct vg_buffer out;
    vg_buffer_init(&out, 1000);
    form->put_status(trailers, 1, &out);
    assert_int_equal(out.size, sizeof(expected) - 1);
    assert_memory_equal(out.data, expected, out.size);
    vg_buffer_dispose(&out);
    struct vg_bytes name = vg_relay_form_answer_name(form, vg_bytes_text("grpc-encoding"));
    assert_true(vg_bytes_equal(name, vg_bytes_text("connect-content-encoding")));
    name = vg_relay_form_answer_name(
        vg_relay_form_find(VG_MEDIA_TYPE_GRPC_WEB),
        vg_bytes_text("grpc-encoding"));
    assert_true(vg_bytes_equal(name, vg_bytes_text("grpc-encoding")));
}

static void test_relay_form__without_room_the_buffer_says_so(void **state)
{
    (void)state;
    const struct vg_http_header trailers[] = { header("grpc-status", "0") };
    struct vg_buffer out;
    vg_buffer_init(&out, 8);
    vg_relay_form_find(VG_MEDIA_TYPE_GRPC_WEB)->put_status(trailers, 1, &out);
    assert_true(out.failed);
    vg_buffer_dispose(&out);
}

static void test_relay_form__headers_of_the_way_are_not_the_calls(void **state)
{
    (void)state;
    struct vg_http_header list[] = {
        header("host", "h"),
        header("content-type", "application/grpc-web"),
        header("connection", "keep-alive"),
        header("transfer-encoding", "chunked"),
        header("grpc-timeout", "1S"),
        header("accept", "application/grpc-web"),
        header("x-grpc-web", "1"),
        header("authorization", "Bearer k"),
    };
    const struct vg_http_request request = { .headers = list,
                                             .header_count = VG_ARRAY_COUNT(list) };
    struct vg_http_header out[VG_ARRAY_COUNT(list) + 1];
    assert_int_equal(vg_relay_form_request_headers(&request, out), 3);
    assert_true(vg_bytes_equal(out[0].value, vg_bytes_text("application/grpc")));
    assert_true(vg_bytes_equal(out[1].name, vg_bytes_text("grpc-timeout")));
    assert_true(vg_bytes_equal(out[2].name, vg_bytes_text("authorization")));
}

static void test_relay_form__accept_may_ask_for_text_or_bytes(void **state)
{
    (void)state;
    const struct vg_relay_form *plain = vg_relay_form_find(VG_MEDIA_TYPE_GRPC_WEB);
    const struct vg_relay_form *text = vg_relay_form_find(VG_MEDIA_TYPE_GRPC_WEB_TEXT);
    struct vg_http_header accept = header("accept", "application/grpc-web-text");
    struct vg_http_request request = { .headers = &accept, .header_count = 1 };
    assert_ptr_equal(vg_relay_form_of_answer(plain, &request), text);
    assert_ptr_equal(vg_relay_form_of_answer(text, &request), text);
    accept.value = vg_bytes_text("application/grpc-web+proto");
    assert_ptr_equal(vg_relay_form_of_answer(text, &request), plain);
    accept.value = vg_bytes_text("*/*");
    assert_ptr_equal(vg_relay_form_of_answer(text, &request), text);
    request.header_count = 0;
    assert_ptr_equal(vg_relay_form_of_answer(plain, &request), plain);
    assert_null(vg_relay_form_find(VG_MEDIA_TYPE_UNREAD));
    assert_null(vg_relay_form_find(VG_MEDIA_TYPE_JSON));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relay_form__the_status_is_a_frame_of_trailers),
        cmocka_unit_test(test_relay_form__a_stream_of_connect_ends_with_json),
        cmocka_unit_test(test_relay_form__without_room_the_buffer_says_so),
        cmocka_unit_test(test_relay_form__headers_of_the_way_are_not_the_calls),
        cmocka_unit_test(test_relay_form__accept_may_ask_for_text_or_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
