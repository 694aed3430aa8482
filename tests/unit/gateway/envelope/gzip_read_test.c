/* Bodies packed by the writer and read back, in parts; damaged ones; and the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/envelope/gzip_read.h"
#include "gateway/envelope/gzip_write.h"

#define MOST (1u << 20)

/* Text that shrinks, but not to nothing. */
static void fill(struct vg_buffer *out, size_t size)
{
    uint32_t random = 1;
    while (out->size < size) {
        random = random * 1664525u + 1013904223u;
        vg_buffer_append_byte(out, (uint8_t)('a' + (random >> 28)));
    }
}

static void pack(struct vg_bytes plain, size_t part, struct vg_buffer *out)
{
    struct vg_gzip_writer writer = { NULL };
    size_t at = 0;
    do {
        size_t size = plain.size - at < part ? plain.size - at : part;
        bool last = at + size == plain.size;
        assert_true(vg_gzip_writer_add(&writer, vg_bytes(plain.data + at, size), last, out));
        at += size;
    } while (at < plain.size);
    vg_gzip_writer_dispose(&writer);
}

static enum vg_reason unpack(struct vg_bytes packed, size_t most, struct vg_buffer *out)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    vg_buffer_init(out, most);
    return vg_gzip_read(packed, out, &error);
}

static void test_gzip_read__what_was_packed_is_read_back(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 1024, 4096, 4097, 16384, 70000, 600000 };
    for (size_t i = 0; i < VG_ARRAY_COUNT(sizes); i++) {
        for (size_t part = 1000; part < 2 * MOST; part *= 40) {
            struct vg_buffer plain;
            struct vg_buffer packed;
            struct vg_buffer read;
            vg_buffer_init(&plain, MOST);
            vg_buffer_init(&packed, MOST);
            fill(&plain, sizes[i]);
            pack(vg_buffer_bytes(&plain), part, &packed);
            assert_int_equal(unpack(vg_buffer_bytes(&packed), sizes[i], &read), VG_OK);
            assert_true(vg_bytes_equal(vg_buffer_bytes(&read), vg_buffer_bytes(&plain)));
            vg_buffer_dispose(&read);
            if (sizes[i] > 0) {
                assert_int_equal(
                    unpack(vg_buffer_bytes(&packed), sizes[i] - 1, &read),
                    VG_REQUEST_TOO_LARGE);
                assert_int_equal(read.size, sizes[i] - 1);
                vg_buffer_dispose(&read);
            }
            vg_buffer_dispose(&packed);
            vg_buffer_dispose(&plain);
        }
    }
}

static void test_gzip_read__members_follow_each_other(void **state)
{
    (void)state;
    struct vg_buffer packed;
    struct vg_buffer read;
    vg_buffer_init(&packed, MOST);
    pack(vg_bytes_text("one "), MOST, &packed);
    pack(vg_bytes_text(""), MOST, &packed);
    pack(vg_bytes_text("two"), MOST, &packed);
    assert_int_equal(unpack(vg_buffer_bytes(&packed), MOST, &read), VG_OK);
    assert_true(vg_bytes_equal(vg_buffer_bytes(&read), vg_bytes_text("one two")));
    vg_buffer_dispose(&read);
    vg_buffer_dispose(&packed);
}

static void test_gzip_read__every_cut_and_every_changed_end_is_noticed(void **state)
{
    (void)state;
    struct vg_buffer packed;
    struct vg_buffer read;
    vg_buffer_init(&packed, MOST);
    pack(vg_bytes_text("{\"signature\": \"damaged, damaged\"}"), MOST, &packed);
    for (size_t size = 0; size < packed.size; size++) {
        assert_int_equal(unpack(vg_bytes(packed.data, size), MOST, &read), VG_BAD_ENCODING);
        vg_buffer_dispose(&read);
    }
    for (size_t at = packed.size - 8; at < packed.size; at++) { /* check sum and length */
        packed.data[at] ^= 1;
        assert_int_equal(unpack(vg_buffer_bytes(&packed), MOST, &read), VG_BAD_ENCODING);
        vg_buffer_dispose(&read);
        packed.data[at] ^= 1;
    }
    vg_buffer_append_byte(&packed, 0);
    assert_int_equal(unpack(vg_buffer_bytes(&packed), MOST, &read), VG_BAD_ENCODING);
    vg_buffer_dispose(&read);
    assert_int_equal(unpack(vg_bytes_text("{}"), MOST, &read), VG_BAD_ENCODING);
    vg_buffer_dispose(&read);
    vg_buffer_dispose(&packed);
}

static void test_gzip_read__a_writer_that_is_full_says_so(void **state)
{
    (void)state;
    struct vg_buffer plain;
    struct vg_buffer packed;
    struct vg_gzip_writer writer = { NULL };
    vg_buffer_init(&plain, MOST);
    vg_buffer_init(&packed, 1000);
    fill(&plain, 100000);
    assert_false(vg_gzip_writer_add(&writer, vg_buffer_bytes(&plain), true, &packed));
    vg_gzip_writer_dispose(&writer);
    vg_gzip_writer_dispose(&writer);
    vg_buffer_dispose(&packed);
    vg_buffer_dispose(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gzip_read__what_was_packed_is_read_back),
        cmocka_unit_test(test_gzip_read__members_follow_each_other),
        cmocka_unit_test(test_gzip_read__every_cut_and_every_changed_end_is_noticed),
        cmocka_unit_test(test_gzip_read__a_writer_that_is_full_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
