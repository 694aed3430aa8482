/* Origins of web pages: who is let in, and what is said to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/web/cors.h"

static void test_cors__origins_are_whole(void **state)
{
    (void)state;
    static const struct {
        const char *origin;
        const char *origins;
        enum vg_cors cors;
    } rows[] = {
        { "https://a.org", "", VG_CORS_NONE },
        { "https://a.org", "https://a.org", VG_CORS_LISTED },
        { "HTTPS://A.org", "https://b.org, https://a.org", VG_CORS_LISTED },
        { "https://a.org",
          "https://a.org:8443 http://a.org https://aa.org https://a.orgg",
          VG_CORS_NONE },
        { "https://a.org", "*", VG_CORS_ANY },
        { "https://a.org", "* https://a.org", VG_CORS_LISTED },
        { "null", "null", VG_CORS_NONE },
        { "null", "* null", VG_CORS_ANY },
        { "", "*", VG_CORS_NONE },
        { "*", "https://a.org", VG_CORS_NONE },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        assert_int_equal(
            vg_cors_judge(vg_bytes_text(rows[i].origin), rows[i].origins),
            rows[i].cors);
    }
}

static const char *find(const struct vg_http_header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (vg_bytes_equal(headers[i].name, vg_bytes_text(name))) {
            return (const char *)headers[i].value.data;
        }
    }
    return NULL;
}

static void test_cors__credentials_are_for_listed_origins_only(void **state)
{
    (void)state;
    struct vg_http_header headers[VG_CORS_HEADERS_MAX];
    struct vg_bytes origin = vg_bytes_text("https://a.org");
    assert_int_equal(vg_cors_headers(VG_CORS_NONE, origin, NULL, headers), 0);
    size_t count = vg_cors_headers(VG_CORS_ANY, origin, NULL, headers);
    assert_string_equal(find(headers, count, "access-control-allow-origin"), "*");
    assert_null(find(headers, count, "access-control-allow-credentials"));
    count = vg_cors_headers(VG_CORS_LISTED, origin, NULL, headers);
    assert_string_equal(find(headers, count, "access-control-allow-origin"), "https://a.org");
    assert_string_equal(find(headers, count, "access-control-allow-credentials"), "true");
    assert_non_null(strstr(find(headers, count, "access-control-expose-headers"), "ETag"));
    assert_null(find(headers, count, "access-control-allow-methods"));
    count = vg_cors_headers(VG_CORS_LISTED, origin, "GET, OPTIONS", headers);
    assert_true(count <= VG_CORS_HEADERS_MAX);
    assert_string_equal(find(headers, count, "access-control-allow-methods"), "GET, OPTIONS");
    assert_non_null(strstr(find(headers, count, "access-control-allow-headers"), "Argus-API-Key"));
}

static void test_cors__own_pages_have_our_name(void **state)
{
    (void)state;
    static const struct {
        const char *origin;
        const char *authority;
        bool is_secure;
        bool is_own;
    } rows[] = {
        { "https://vigil:8443", "vigil:8443", true, true },
        { "HTTPS://Vigil", "vigil", true, true },
        { "http://vigil:8080", "vigil:8080", false, true },
        { "http://vigil:8443", "vigil:8443", true, false }, /* anybody on the way can make it */
        { "https://vigil", "vigil", false, true },          /* TLS ends in front of us */
        { "ftp://vigil", "vigil", false, false },
        { "https://vigil:8443", "vigil", true, false },
        { "https://evil", "vigil", true, false },
        { "https://evil/vigil", "vigil", true, false },
        { "https:..vigil", "vigil", true, false },
        { "vigil", "vigil", false, false },
        { "null", "null", false, false },
        { "https://", "", true, false },
        { "", "", false, false },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        assert_int_equal(
            vg_cors_is_own(
                vg_bytes_text(rows[i].origin),
                vg_bytes_text(rows[i].authority),
                rows[i].is_secure),
            rows[i].is_own);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cors__origins_are_whole),
        cmocka_unit_test(test_cors__own_pages_have_our_name),
        cmocka_unit_test(test_cors__credentials_are_for_listed_origins_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
