#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/keyspace/format_version.h"

static const struct vg_format sample = { .version = 1, .store_id = { 7 }, .secret = { 9, 9 } };

static enum vg_reason decode(struct vg_bytes value, struct vg_error *error)
{
    struct vg_format format;
    vg_error_init(error, NULL);
    return vg_format_version_decode(value, 1, &format, error);
}

static void test_format_version__comes_back(void **state)
{
    (void)state;
    uint8_t bytes[VG_FORMAT_SIZE];
    struct vg_format format = { .version = 0 };
    vg_format_version_encode(&sample, bytes);
    assert_memory_equal(bytes, "vigil\0\0\0\1\7", 10);
    assert_int_equal(
        vg_format_version_decode(vg_bytes(bytes, sizeof(bytes)), 1, &format, NULL),
        VG_OK);
    assert_int_equal(format.version, 1);
    assert_memory_equal(format.store_id, sample.store_id, sizeof(format.store_id));
    assert_memory_equal(format.secret, sample.secret, sizeof(format.secret));
}

static void test_format_version__newer_is_refused_and_says_so(void **state)
{
    (void)state;
    uint8_t bytes[VG_FORMAT_SIZE + 4] = { 0 };
    struct vg_format newer = sample;
    struct vg_error error;
    newer.version = 2;
    vg_format_version_encode(&newer, bytes);
    assert_int_equal(decode(vg_bytes(bytes, sizeof(bytes)), &error), VG_STORE_FORMAT);
    assert_non_null(strstr(error.message, "format 2"));
    assert_non_null(strstr(error.message, "up to 1"));
}

static void test_format_version__foreign_or_broken_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[VG_FORMAT_SIZE];
    struct vg_error error;
    vg_format_version_encode(&sample, bytes);
    for (size_t size = 0; size < sizeof(bytes); size++) {
        assert_int_equal(decode(vg_bytes(bytes, size), &error), VG_STORE_FORMAT);
    }
    bytes[0] = 'V';
    assert_int_equal(decode(vg_bytes(bytes, sizeof(bytes)), &error), VG_STORE_FORMAT);
    bytes[0] = 'v';
    bytes[8] = 0;
    assert_int_equal(decode(vg_bytes(bytes, sizeof(bytes)), &error), VG_STORE_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format_version__comes_back),
        cmocka_unit_test(test_format_version__newer_is_refused_and_says_so),
        cmocka_unit_test(test_format_version__foreign_or_broken_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
