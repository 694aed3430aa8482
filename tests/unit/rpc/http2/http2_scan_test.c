#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/http2/http2_scan.h"

/* DATA of 3 octets on stream 1, PING without any, HEADERS of 260 on the last stream there is. */
static uint8_t frames[9 + 3 + 9 + 9 + 260];

static const struct {
    size_t begins;
    uint8_t type;
    uint8_t flags;
    int32_t stream;
} wanted[] = { { 0, 0, 1, 1 }, { 12, 6, 0, 0 }, { 21, 1, 4, INT32_MAX } };

static int make_frames(void **state)
{
    (void)state;
    memset(frames, 0xff, sizeof(frames));
    memcpy(frames, "\0\0\3\0\1\0\0\0\1", 9);
    memcpy(frames + 12, "\0\0\0\6\0\0\0\0\0", 9);
    memcpy(frames + 21, "\0\1\4\1\4\xff\xff\xff\xff", 9);
    return 0;
}

static void test_http2_scan__finds_every_header_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t slice = 1; slice <= sizeof(frames); slice++) {
        struct vg_http2_scan scan = { 0 };
        size_t found = 0;
        for (size_t from = 0; from < sizeof(frames); from += slice) {
            const size_t size = sizeof(frames) - from < slice ? sizeof(frames) - from : slice;
            struct vg_http2_scan_frame frame;
            size_t at = 0;
            while (vg_http2_scan_next(&scan, vg_bytes(frames + from, size), &at, &frame)) {
                assert_true(found < 3);
                assert_int_equal(frame.type, wanted[found].type);
                assert_int_equal(frame.flags, wanted[found].flags);
                assert_int_equal(frame.stream, wanted[found].stream);
                const size_t begins = wanted[found].begins;
                assert_int_equal(frame.begins, begins >= from ? begins - from : 0);
                found++;
            }
            assert_int_equal(at, size);
        }
        assert_int_equal(found, 3);
        assert_int_equal(scan.left + scan.have, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http2_scan__finds_every_header_however_it_is_cut),
    };
    return cmocka_run_group_tests(tests, make_frames, NULL);
}
