#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/grpc/grpc_frame.h"

#define LIMIT 1000u

struct outcome {
    enum vg_reason reason;
    size_t begun;
    size_t complete;
    size_t bytes;
    bool idle;
};

/* All of `data` in slices of `slice` bytes. */
static struct outcome feed(struct vg_bytes data, size_t slice, struct vg_bytes encoding)
{
    struct vg_grpc_frame frame;
    struct outcome outcome = { .reason = VG_OK };
    struct vg_error error;
    vg_error_init(&error, NULL);
    vg_grpc_frame_init(&frame, LIMIT, encoding);
    for (size_t at = 0; at < data.size && outcome.reason == VG_OK; at += slice) {
        size_t size = data.size - at < slice ? data.size - at : slice;
        struct vg_bytes input = vg_bytes(data.data + at, size);
        while (input.size > 0) {
            struct vg_grpc_piece piece;
            outcome.reason = vg_grpc_frame_next(&frame, &input, &piece, &error);
            if (outcome.reason != VG_OK) {
                break;
            }
            outcome.begun += piece.begins ? 1 : 0;
            outcome.complete += piece.complete ? 1 : 0;
            outcome.bytes += piece.part.size;
        }
    }
    outcome.idle = vg_grpc_frame_is_idle(&frame);
    return outcome;
}

static const struct vg_bytes no_encoding = { NULL, 0 };

static void test_grpc_frame__reads_messages_over_any_split(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0, 0, 0, 0, 3, 'a', 'b', 'c', 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'z'
    };
    for (size_t slice = 1; slice <= sizeof(bytes); slice++) {
        struct outcome outcome = feed(vg_bytes(bytes, sizeof(bytes)), slice, no_encoding);
        assert_int_equal(outcome.reason, VG_OK);
        assert_int_equal(outcome.begun, 3);
        assert_int_equal(outcome.complete, 3);
        assert_int_equal(outcome.bytes, 4);
        assert_true(outcome.idle);
    }
}

static void test_grpc_frame__knows_when_it_is_within_a_message(void **state)
{
    (void)state;
    static const uint8_t bytes[] = { 0, 0, 0, 0, 2, 'a', 'b' };
    for (size_t size = 1; size < sizeof(bytes); size++) {
        assert_false(feed(vg_bytes(bytes, size), 1, no_encoding).idle);
    }
    assert_true(feed(vg_bytes(bytes, sizeof(bytes)), 1, no_encoding).idle);
}

static void test_grpc_frame__judges_the_length_before_the_message(void **state)
{
    (void)state;
    const uint8_t at_limit[] = { 0, 0, 0, LIMIT >> 8, LIMIT & 255 };
    const uint8_t over[] = { 0, 0, 0, (LIMIT + 1) >> 8, (LIMIT + 1) & 255 };
    const uint8_t huge[] = { 0, 255, 255, 255, 255 };
    assert_int_equal(feed(vg_bytes(at_limit, 5), 5, no_encoding).reason, VG_OK);
    assert_int_equal(feed(vg_bytes(over, 5), 5, no_encoding).reason, VG_REQUEST_TOO_LARGE);
    assert_int_equal(feed(vg_bytes(huge, 5), 2, no_encoding).reason, VG_REQUEST_TOO_LARGE);
}

static void test_grpc_frame__judges_flag_and_encoding(void **state)
{
    (void)state;
    const struct {
        const char *name;
        uint8_t flag;
        const char *encoding;
        enum vg_reason reason;
    } rows[] = {
        { "plain", 0, NULL, VG_OK },
        { "plain although gzip is announced", 0, "gzip", VG_OK },
        { "compressed without encoding", 1, NULL, VG_BAD_FRAME },
        { "compressed as identity", 1, "identity", VG_BAD_FRAME },
        { "compressed as gzip", 1, "gzip", VG_OK },
        { "compressed as deflate", 1, "Deflate", VG_OK },
        { "compressed as nonsense", 1, "x", VG_COMPRESSION },
        { "flag 2", 2, NULL, VG_BAD_FRAME },
        { "flag 255", 255, "gzip", VG_BAD_FRAME },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bytes[] = { rows[i].flag, 0, 0, 0, 0 };
        struct vg_bytes encoding =
            rows[i].encoding == NULL ? no_encoding : vg_bytes_text(rows[i].encoding);
        if (feed(vg_bytes(bytes, 5), 5, encoding).reason != rows[i].reason) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static void test_grpc_frame__tells_which_message_is_compressed(void **state)
{
    (void)state;
    static const uint8_t bytes[] = { 1, 0, 0, 0, 2, 'a', 'b', 0, 0, 0, 0, 1, 'c' };
    struct vg_bytes input = vg_bytes(bytes, sizeof(bytes));
    struct vg_grpc_frame frame;
    struct vg_grpc_piece piece;
    vg_grpc_frame_init(&frame, LIMIT, vg_bytes_text("gzip"));
    assert_int_equal(frame.coding, VG_GRPC_ENCODING_GZIP);
    assert_int_equal(vg_grpc_frame_next(&frame, &input, &piece, NULL), VG_OK);
    assert_true(piece.complete && piece.compressed);
    assert_int_equal(vg_grpc_frame_next(&frame, &input, &piece, NULL), VG_OK);
    assert_true(piece.complete && !piece.compressed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grpc_frame__reads_messages_over_any_split),
        cmocka_unit_test(test_grpc_frame__knows_when_it_is_within_a_message),
        cmocka_unit_test(test_grpc_frame__judges_the_length_before_the_message),
        cmocka_unit_test(test_grpc_frame__judges_flag_and_encoding),
        cmocka_unit_test(test_grpc_frame__tells_which_message_is_compressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
