/* Which content types are which protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/rpcweb/media_type.h"

static const struct {
    const char *text;
    enum vg_media_type type;
} rows[] = {
    { "application/json", VG_MEDIA_TYPE_JSON },
    { "application/json; charset=utf-8", VG_MEDIA_TYPE_JSON },
    { "Application/JSON ;a=b", VG_MEDIA_TYPE_JSON },
    { "application/proto", VG_MEDIA_TYPE_PROTO },
    { "application/grpc-web", VG_MEDIA_TYPE_GRPC_WEB },
    { "application/grpc-web+proto", VG_MEDIA_TYPE_GRPC_WEB },
    { "application/grpc-web-text", VG_MEDIA_TYPE_GRPC_WEB_TEXT },
    { "APPLICATION/grpc-web-text+PROTO;x", VG_MEDIA_TYPE_GRPC_WEB_TEXT },
    { "application/connect+proto", VG_MEDIA_TYPE_CONNECT_PROTO },
    { "application/connect+json", VG_MEDIA_TYPE_CONNECT_JSON },
    { "application/grpc-web+json", VG_MEDIA_TYPE_UNREAD },
    { "application/grpc-web-text+thrift", VG_MEDIA_TYPE_UNREAD },
    { "application/connect+xml", VG_MEDIA_TYPE_UNREAD },
    { "application/grpc", VG_MEDIA_TYPE_OTHER },
    { "application/grpc+proto", VG_MEDIA_TYPE_OTHER },
    { "application/connect", VG_MEDIA_TYPE_OTHER },
    { "application/jsonx", VG_MEDIA_TYPE_OTHER },
    { "text/plain", VG_MEDIA_TYPE_OTHER },
    { ";", VG_MEDIA_TYPE_OTHER },
    { "", VG_MEDIA_TYPE_OTHER },
};

static void test_media_type__names_are_found_whatever_their_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        enum vg_media_type type = vg_media_type_find(vg_bytes_text(rows[i].text));
        if (type != rows[i].type) {
            fail_msg("\"%s\" is %d, not %d", rows[i].text, (int)type, (int)rows[i].type);
        }
    }
    assert_int_equal(vg_media_type_find(vg_bytes(NULL, 0)), VG_MEDIA_TYPE_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_media_type__names_are_found_whatever_their_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
