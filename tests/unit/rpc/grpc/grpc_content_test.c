/* What is data in the messages of an upload, whatever the parts they come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/grpc/grpc_content.h"

/* Feed one message in parts of `slice` bytes. */
static enum vg_reason feed(
    struct vg_grpc_content *content,
    struct vg_bytes message,
    size_t slice,
    char *out_data)
{
    enum vg_reason reason = VG_OK;
    size_t used = 0;
    for (size_t at = 0; at < message.size && reason == VG_OK; at += slice) {
        size_t left = message.size - at;
        struct vg_bytes input = vg_bytes(message.data + at, left < slice ? left : slice);
        while (input.size > 0 && reason == VG_OK) {
            struct vg_bytes part;
            reason = vg_grpc_content_next(content, &input, &part, NULL);
            if (part.size > 0) {
                memcpy(out_data + used, part.data, part.size);
                used += part.size;
            }
        }
    }
    out_data[used] = '\0';
    return reason == VG_OK ? vg_grpc_content_end(content, NULL) : reason;
}

#define MESSAGE(text)                                                                              \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static const struct {
    struct vg_bytes message;
    const char *data; /* NULL = refused */
} rows[] = {
    { MESSAGE(""), "" },
    { MESSAGE("\x0a\x05hello"), "hello" },
    { MESSAGE("\x0a\x00"), "" },
    { MESSAGE("\x0a\x83\x00"
              "abc"),
      "abc" }, /* a length longer than need be */
    { MESSAGE("\x10\x01\x0a\x03"
              "abc\x1a\x02zz"),
      "abc" }, /* unknown: varint, bytes */
    { MESSAGE("\x1d"
              "aaaa"
              "\x19"
              "bbbbbbbb"
              "\x0a\x01x"),
      "x" }, /* unknown: 32 and 64 bits */
    { MESSAGE("\x1a\x00\x0a\x01x"), "x" },
    { MESSAGE("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x0a\x01x"), "x" },
    { MESSAGE("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), NULL }, /* 65 bits */
    { MESSAGE("\x0a\x05"
              "abc"),
      NULL }, /* cut */
    { MESSAGE("\x0a"), NULL },
    { MESSAGE("\x0a\x81"), NULL },
    { MESSAGE("\x80"), NULL },
    { MESSAGE("\x0a\x01"
              "a\x0a\x01"
              "b"),
      NULL },                      /* data twice */
    { MESSAGE("\x08\x01"), NULL }, /* data as a number */
    { MESSAGE("\x0b\x0c"), NULL }, /* groups */
    { MESSAGE("\x1b\x1c"), NULL },
    { MESSAGE("\x02\x01"
              "a"),
      NULL },                                      /* field 0 */
    { MESSAGE("\x82\x80\x80\x80\x10\x00"), NULL }, /* field past 2^29 */
};

static void test_grpc_content__tells_data_from_the_rest(void **state)
{
    (void)state;
    char data[64];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t slice = 1; slice <= rows[i].message.size + 1; slice++) {
            struct vg_grpc_content content = { .left = 0 };
            enum vg_reason reason = feed(&content, rows[i].message, slice, data);
            assert_int_equal(reason, rows[i].data == NULL ? VG_INVALID_WIRE_MESSAGE : VG_OK);
            if (rows[i].data != NULL) {
                assert_string_equal(data, rows[i].data);
                /* The next message begins anew. */
                assert_int_equal(feed(&content, rows[1].message, slice, data), VG_OK);
                assert_string_equal(data, "hello");
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grpc_content__tells_data_from_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
