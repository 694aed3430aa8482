#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc/http2/http2_seen.h"

static void test_http2_seen__knows_opened_cut_and_jumped_over(void **state)
{
    (void)state;
    struct vg_http2_seen seen = { 0 };
    vg_http2_seen_open(&seen, 1);
    vg_http2_seen_open(&seen, 7);
    vg_http2_seen_cut(&seen, 7);
    assert_int_equal(seen.last, 7);
    assert_int_equal(vg_http2_seen_ask(&seen, 1), VG_HTTP2_SEEN_OPENED);
    assert_int_equal(vg_http2_seen_ask(&seen, 3), VG_HTTP2_SEEN_NEVER);
    assert_int_equal(vg_http2_seen_ask(&seen, 5), VG_HTTP2_SEEN_NEVER);
    assert_int_equal(vg_http2_seen_ask(&seen, 7), VG_HTTP2_SEEN_CUT);
}

static void test_http2_seen__the_first_stream_may_have_any_number(void **state)
{
    (void)state;
    struct vg_http2_seen seen = { 0 };
    vg_http2_seen_open(&seen, 1001);
    assert_int_equal(vg_http2_seen_ask(&seen, 1001), VG_HTTP2_SEEN_OPENED);
    assert_int_equal(vg_http2_seen_ask(&seen, 1), VG_HTTP2_SEEN_NEVER);
    vg_http2_seen_open(&seen, INT32_MAX);
    assert_int_equal(vg_http2_seen_ask(&seen, INT32_MAX), VG_HTTP2_SEEN_OPENED);
    assert_int_equal(vg_http2_seen_ask(&seen, INT32_MAX - 2), VG_HTTP2_SEEN_NEVER);
    assert_int_equal(vg_http2_seen_ask(&seen, 1001), VG_HTTP2_SEEN_FORGOTTEN);
}

static void test_http2_seen__remembers_so_many_and_no_more(void **state)
{
    (void)state;
    struct vg_http2_seen seen = { 0 };
    for (int32_t id = 1; id < 5 * (int32_t)VG_HTTP2_SEEN_STREAMS; id += 2) {
        vg_http2_seen_open(&seen, id);
        if (id % 3 == 0) {
            vg_http2_seen_cut(&seen, id);
        }
        const int32_t oldest = id - 2 * ((int32_t)VG_HTTP2_SEEN_STREAMS - 1);
        if (oldest > 2) {
            assert_int_equal(
                vg_http2_seen_ask(&seen, oldest),
                oldest % 3 == 0 ? VG_HTTP2_SEEN_CUT : VG_HTTP2_SEEN_OPENED);
            assert_int_equal(vg_http2_seen_ask(&seen, oldest - 2), VG_HTTP2_SEEN_FORGOTTEN);
        }
    }
    vg_http2_seen_cut(&seen, 1); /* too late to matter */
    assert_int_equal(vg_http2_seen_ask(&seen, 1), VG_HTTP2_SEEN_FORGOTTEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http2_seen__knows_opened_cut_and_jumped_over),
        cmocka_unit_test(test_http2_seen__the_first_stream_may_have_any_number),
        cmocka_unit_test(test_http2_seen__remembers_so_many_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
