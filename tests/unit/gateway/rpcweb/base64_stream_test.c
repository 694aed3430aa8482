/* Base64 in any pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/rpcweb/base64_stream.h"

/* Decode `text` in parts of `slice` characters. False = refused. */
static bool decode(
    struct vg_base64_stream *stream,
    const char *text,
    size_t slice,
    uint8_t *out,
    size_t *out_size)
{
    const size_t size = strlen(text);
    *out_size = 0;
    for (size_t at = 0; at < size; at += slice) {
        uint8_t piece[64];
        size_t count = 0;
        struct vg_bytes part = vg_bytes(text + at, size - at < slice ? size - at : slice);
        assert_true(vg_base64_stream_decoded_max(part.size) <= sizeof(piece));
        if (!vg_base64_stream_decode(stream, part, piece, &count)) {
            return false;
        }
        assert_true(count <= vg_base64_stream_decoded_max(part.size));
        memcpy(out + *out_size, piece, count);
        *out_size += count;
    }
    return true;
}

static const struct {
    const char *name;
    const char *text;
    const char *bytes; /* NULL = refused */
    bool is_idle;
} rows[] = {
    { "nothing", "", "", true },
    { "one group", "YWJj", "abc", true },
    { "padded by one", "YWI=", "ab", true },
    { "padded by two", "YQ==", "a", true },
    { "padding within", "YQ==YmM=ZGVm", "abcdef", true },
    { "padding and a rest", "YQ==Ym", "a", false },
    { "many groups", "YWJjZGVmZ2hpamts", "abcdefghijkl", true },
    { "cut group", "YWJjZ", "abc", false },
    { "line end", "YWJj\r\n", "abc", false },
    { "line end within a group", "YWJj\r\nAA", NULL, false },
    { "alphabet of URLs", "_-__", NULL, false },
    { "padding by three", "Y===", NULL, false },
    { "padding first", "=YWJ", NULL, false },
    { "padding only", "====", NULL, false },
    { "padding in the middle of a group", "YW=j", NULL, false },
    { "bits behind the end", "YR==", NULL, false },
};

static void test_base64_stream__any_cut_gives_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        for (size_t slice = 1; slice <= 20; slice++) {
            struct vg_base64_stream stream = { .count = 0 };
            uint8_t out[64];
            size_t size = 0;
            bool is_text = decode(&stream, rows[i].text, slice, out, &size);
            if (is_text != (rows[i].bytes != NULL)) {
                fail_msg("%s, by %zu: %s", rows[i].name, slice, is_text ? "taken" : "refused");
            }
            if (!is_text) {
                continue;
            }
            assert_int_equal(size, strlen(rows[i].bytes));
            assert_memory_equal(out, rows[i].bytes, size);
            assert_int_equal(vg_base64_stream_is_idle(&stream), rows[i].is_idle);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64_stream__any_cut_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
