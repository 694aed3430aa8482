#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "rpc/grpc/grpc_encoding.h"

#define TEXT "hello hello hello hello"

/* TEXT as other programs compress it. */
static const uint8_t as_gzip[] = { 31,  139, 8,   0,  0,  0, 0,   0,  2,  3,   203, 72, 205, 201,
                                   201, 87,  200, 64, 39, 1, 227, 81, 61, 141, 23,  0,  0,   0 };
static const uint8_t as_deflate[] = { 120, 156, 203, 72, 205, 201, 201, 87,
                                      200, 64,  39,  1,  104, 3,   8,   177 };

static enum vg_reason inflate(
    enum vg_grpc_encoding encoding,
    struct vg_bytes bytes,
    size_t bytes_max,
    struct vg_buffer *out)
{
    struct vg_grpc_encoding_pool pool = { 0 };
    struct vg_error error;
    vg_error_init(&error, NULL);
    vg_buffer_init(out, bytes_max);
    enum vg_reason reason =
        vg_grpc_encoding_inflate(&pool, encoding, bytes, bytes_max, out, &error);
    assert_int_equal(reason, error.reason);
    vg_grpc_encoding_pool_dispose(&pool);
    return reason;
}

static struct vg_bytes sample(enum vg_grpc_encoding encoding)
{
    return encoding == VG_GRPC_ENCODING_GZIP ? vg_bytes(as_gzip, sizeof(as_gzip))
                                             : vg_bytes(as_deflate, sizeof(as_deflate));
}

static void test_grpc_encoding__knows_names_and_lists(void **state)
{
    (void)state;
    const unsigned gzip = 1u << VG_GRPC_ENCODING_GZIP;
    const unsigned deflate = 1u << VG_GRPC_ENCODING_DEFLATE;
    const unsigned identity = 1u << VG_GRPC_ENCODING_IDENTITY;
    const struct {
        const char *list;
        unsigned found;
        enum vg_grpc_encoding choice;
    } rows[] = {
        { "identity,deflate,gzip", identity | deflate | gzip, VG_GRPC_ENCODING_GZIP },
        { "identity, deflate", identity | deflate, VG_GRPC_ENCODING_DEFLATE },
        { "GZIP", gzip, VG_GRPC_ENCODING_GZIP },
        { " br ,\tgzip ", gzip, VG_GRPC_ENCODING_GZIP },
        { "snappy,zstd", 0, VG_GRPC_ENCODING_IDENTITY },
        { "gzipx,xgzip,gzi", 0, VG_GRPC_ENCODING_IDENTITY },
        { ",,", 0, VG_GRPC_ENCODING_IDENTITY },
        { "", 0, VG_GRPC_ENCODING_IDENTITY },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        unsigned found = vg_grpc_encoding_list(vg_bytes_text(rows[i].list));
        if (found != rows[i].found || vg_grpc_encoding_choose(found) != rows[i].choice) {
            fail_msg("%s", rows[i].list);
        }
    }
    assert_int_equal(vg_grpc_encoding_find(vg_bytes(NULL, 0)), VG_GRPC_ENCODING_IDENTITY);
    assert_int_equal(vg_grpc_encoding_find(vg_bytes_text("")), VG_GRPC_ENCODING_UNKNOWN);
    assert_int_equal(vg_grpc_encoding_find(vg_bytes_text("br")), VG_GRPC_ENCODING_UNKNOWN);
}

static void test_grpc_encoding__inflates_what_others_deflate(void **state)
{
    (void)state;
    for (unsigned one = VG_GRPC_ENCODING_DEFLATE; one <= VG_GRPC_ENCODING_GZIP; one++) {
        struct vg_buffer out;
        assert_int_equal(inflate(one, sample(one), 1000, &out), VG_OK);
        assert_true(vg_bytes_equal(vg_buffer_bytes(&out), vg_bytes_text(TEXT)));
        vg_buffer_dispose(&out);
    }
}

static void test_grpc_encoding__refuses_what_is_cut_wrong_or_too_long(void **state)
{
    (void)state;
    for (unsigned one = VG_GRPC_ENCODING_DEFLATE; one <= VG_GRPC_ENCODING_GZIP; one++) {
        struct vg_bytes whole = sample(one);
        struct vg_buffer out;
        uint8_t bytes[64];
        for (size_t size = 0; size < whole.size; size++) {
            assert_int_equal(inflate(one, vg_bytes(whole.data, size), 1000, &out), VG_BAD_FRAME);
            vg_buffer_dispose(&out);
        }
        memcpy(bytes, whole.data, whole.size);
        bytes[whole.size] = 0;
        assert_int_equal(inflate(one, vg_bytes(bytes, whole.size + 1), 1000, &out), VG_BAD_FRAME);
        vg_buffer_dispose(&out);
        bytes[whole.size - 1] ^= 1; /* of the checksum, or of the length */
        assert_int_equal(inflate(one, vg_bytes(bytes, whole.size), 1000, &out), VG_BAD_FRAME);
        vg_buffer_dispose(&out);
        const unsigned other = VG_GRPC_ENCODING_DEFLATE + VG_GRPC_ENCODING_GZIP - one;
        assert_int_equal(inflate(other, whole, 1000, &out), VG_BAD_FRAME);
        vg_buffer_dispose(&out);
    }
}

static void test_grpc_encoding__takes_the_members_of_gzip_together(void **state)
{
    (void)state;
    uint8_t twice[2 * sizeof(as_gzip)];
    struct vg_buffer out;
    memcpy(twice, as_gzip, sizeof(as_gzip));
    memcpy(twice + sizeof(as_gzip), as_gzip, sizeof(as_gzip));
    assert_int_equal(
        inflate(VG_GRPC_ENCODING_GZIP, vg_bytes(twice, sizeof(twice)), 1000, &out),
        VG_OK);
    assert_true(vg_bytes_equal(vg_buffer_bytes(&out), vg_bytes_text(TEXT TEXT)));
    vg_buffer_dispose(&out);
}

static void test_grpc_encoding__stops_at_the_limit(void **state)
{
    (void)state;
    const size_t size = sizeof(TEXT) - 1;
    for (unsigned one = VG_GRPC_ENCODING_DEFLATE; one <= VG_GRPC_ENCODING_GZIP; one++) {
        struct vg_buffer out;
        assert_int_equal(inflate(one, sample(one), size, &out), VG_OK);
        vg_buffer_dispose(&out);
        for (size_t most = 0; most < size; most++) {
            assert_int_equal(inflate(one, sample(one), most, &out), VG_REQUEST_TOO_LARGE);
            assert_true(out.capacity <= most);
            vg_buffer_dispose(&out);
        }
    }
    /* A hundred megabytes of nothing, of which no more than the limit is made. */
    struct vg_grpc_encoding_pool pool = { 0 };
    struct vg_buffer bomb;
    struct vg_buffer out;
    vg_buffer_init(&bomb, SIZE_MAX);
    assert_true(vg_buffer_reserve(&bomb, 100u << 20));
    memset(bomb.data, 0, 100u << 20);
    bomb.size = 100u << 20;
    assert_true(vg_grpc_encoding_deflate(&pool, VG_GRPC_ENCODING_GZIP, &bomb, 0));
    assert_true(bomb.size < 1u << 20);
    assert_int_equal(
        inflate(VG_GRPC_ENCODING_GZIP, vg_buffer_bytes(&bomb), 10000, &out),
        VG_REQUEST_TOO_LARGE);
    assert_true(out.capacity <= 10000);
    vg_buffer_dispose(&out);
    vg_buffer_dispose(&bomb);
    vg_grpc_encoding_pool_dispose(&pool);
}

static void test_grpc_encoding__deflates_what_gets_shorter(void **state)
{
    (void)state;
    struct vg_grpc_encoding_pool pool = { 0 };
    struct vg_buffer buffer;
    struct vg_buffer out;
    vg_buffer_init(&buffer, 1000000);
    for (unsigned one = VG_GRPC_ENCODING_DEFLATE; one <= VG_GRPC_ENCODING_GZIP; one++) {
        vg_buffer_clear(&buffer);
        vg_buffer_append_text(&buffer, "kept");
        for (int i = 0; i < 1000; i++) {
            vg_buffer_append_text(&buffer, TEXT);
        }
        const size_t size = buffer.size - 4;
        assert_true(vg_grpc_encoding_deflate(&pool, one, &buffer, 4));
        assert_memory_equal(buffer.data, "kept", 4);
        assert_true(buffer.size < size / 10);
        assert_int_equal(
            inflate(one, vg_bytes(buffer.data + 4, buffer.size - 4), size, &out),
            VG_OK);
        assert_int_equal(out.size, size);
        assert_memory_equal(out.data + size - strlen(TEXT), TEXT, strlen(TEXT));
        vg_buffer_dispose(&out);
        vg_buffer_clear(&buffer);
        vg_buffer_append_text(&buffer, "too short to get shorter");
        assert_false(vg_grpc_encoding_deflate(&pool, one, &buffer, 0));
        assert_true(
            vg_bytes_equal(vg_buffer_bytes(&buffer), vg_bytes_text("too short to get shorter")));
        assert_false(vg_grpc_encoding_deflate(&pool, one, &buffer, buffer.size));
    }
    vg_buffer_dispose(&buffer);
    vg_grpc_encoding_pool_dispose(&pool);
}

static void *use_pool(void *owner)
{
    struct vg_grpc_encoding_pool *pool = owner;
    for (int i = 0; i < 300; i++) {
        const enum vg_grpc_encoding one =
            i % 2 == 0 ? VG_GRPC_ENCODING_GZIP : VG_GRPC_ENCODING_DEFLATE;
        struct vg_buffer out;
        vg_buffer_init(&out, 1000);
        assert_int_equal(vg_grpc_encoding_inflate(pool, one, sample(one), 1000, &out, NULL), VG_OK);
        assert_true(vg_bytes_equal(vg_buffer_bytes(&out), vg_bytes_text(TEXT)));
        (void)!vg_grpc_encoding_deflate(pool, one, &out, 0);
        vg_buffer_dispose(&out);
    }
    return NULL;
}

static void test_grpc_encoding__threads_share_a_pool(void **state)
{
    (void)state;
    static struct vg_grpc_encoding_pool pool;
    pthread_t threads[2 * VG_GRPC_ENCODING_IDLE];
    for (size_t i = 0; i < VG_ARRAY_COUNT(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, use_pool, &pool), 0);
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    vg_grpc_encoding_pool_dispose(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grpc_encoding__knows_names_and_lists),
        cmocka_unit_test(test_grpc_encoding__inflates_what_others_deflate),
        cmocka_unit_test(test_grpc_encoding__refuses_what_is_cut_wrong_or_too_long),
        cmocka_unit_test(test_grpc_encoding__takes_the_members_of_gzip_together),
        cmocka_unit_test(test_grpc_encoding__stops_at_the_limit),
        cmocka_unit_test(test_grpc_encoding__deflates_what_gets_shorter),
        cmocka_unit_test(test_grpc_encoding__threads_share_a_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
