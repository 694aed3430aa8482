/* Accept-Encoding: when an answer is compressed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/envelope/accept_coding.h"

static void test_accept_coding__weights_decide(void **state)
{
    (void)state;
    static const struct {
        const char *first;
        const char *second; /* another header, NULL = none */
        bool wants;
    } rows[] = {
        { "gzip", NULL, true },
        { " GZip ; Q=0.001 ", NULL, true },
        { "x-gzip", NULL, true },
        { "*", NULL, true },
        { "br, gzip", NULL, true },
        { "br", "gzip", true },
        { "gzip;q=0", "gzip;q=1", true },
        { "identity;q=0.5, gzip;q=0.5", NULL, true },
        { "identity;q=0", "*;q=0.1", true },
        { "", NULL, false },
        { ",,", NULL, false },
        { "gzip;q=0", NULL, false },
        { "gzip;q=0.000", NULL, false },
        { "*;q=0", NULL, false },
        { "*", "gzip;q=0", false },
        { "identity", "gzip;q=0.999", false },
        { "gzip;q=1.001", NULL, false },
        { "gzip;q=-1", NULL, false },
        { "gzip;q=", NULL, false },
        { "gzi", NULL, false },
        { "\"gzip\"", NULL, false },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_accept_coding accept;
        vg_accept_coding_init(&accept);
        vg_accept_coding_add(&accept, vg_bytes_text(rows[i].first));
        if (rows[i].second != NULL) {
            vg_accept_coding_add(&accept, vg_bytes_text(rows[i].second));
        }
        assert_int_equal(vg_accept_coding_wants_gzip(&accept), rows[i].wants);
    }
}

static void test_accept_coding__without_a_header_nothing_is_compressed(void **state)
{
    (void)state;
    struct vg_accept_coding accept;
    vg_accept_coding_init(&accept);
    assert_false(vg_accept_coding_wants_gzip(&accept));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept_coding__weights_decide),
        cmocka_unit_test(test_accept_coding__without_a_header_nothing_is_compressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
