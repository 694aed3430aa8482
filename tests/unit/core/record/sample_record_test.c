/* The packed sample: what goes in comes out, and what is damaged is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/record/sample_record.h"

static struct vg_sample_record make_record(void)
{
    struct vg_sample_record record = { .size = INT64_C(1) << 40,
                                       .created = 1755000000000,
                                       .deleted = 0,
                                       .revision = 7 };
    for (size_t i = 0; i < VG_SHA512_SIZE; i++) {
        record.sha512[i] = (uint8_t)(3 * i);
    }
    memset(record.sha256, 0xab, sizeof(record.sha256));
    memset(record.sha1, 0x01, sizeof(record.sha1));
    memset(record.md5, 0xff, sizeof(record.md5));
    return record;
}

static void test_sample_record__unpacks_what_was_packed(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 64 * 1024);
    for (int deleted = 0; deleted < 2; deleted++) {
        struct vg_sample_record record = make_record();
        record.deleted = deleted == 0 ? 0 : 1755000000001;
        struct vg_bytes bytes;
        struct vg_sample_record read;
        assert_int_equal(vg_sample_record_pack(&record, &arena, &bytes, NULL), VG_OK);
        assert_int_equal(vg_sample_record_unpack(record.sha256, bytes, &arena, &read, NULL), VG_OK);
        assert_memory_equal(read.sha256, record.sha256, sizeof(record.sha256));
        assert_memory_equal(read.sha512, record.sha512, sizeof(record.sha512));
        assert_memory_equal(read.sha1, record.sha1, sizeof(record.sha1));
        assert_memory_equal(read.md5, record.md5, sizeof(record.md5));
        assert_int_equal(read.size, record.size);
        assert_int_equal(read.created, record.created);
        assert_int_equal(read.deleted, record.deleted);
        assert_int_equal(read.revision, record.revision);
    }
    vg_arena_dispose(&arena);
}

static void test_sample_record__refuses_what_is_damaged(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 4 * 1024 * 1024);
    struct vg_sample_record record = make_record();
    struct vg_sample_record read;
    struct vg_bytes bytes;
    assert_int_equal(vg_sample_record_pack(&record, &arena, &bytes, NULL), VG_OK);
    for (size_t size = 0; size < 2 * VG_SHA256_SIZE; size++) {
        assert_int_equal(
            vg_sample_record_unpack(record.sha256, vg_bytes(bytes.data, size), &arena, &read, NULL),
            VG_STORE_CORRUPT);
    }
    uint8_t other[VG_SHA256_SIZE] = { 0 };
    assert_int_equal(vg_sample_record_unpack(other, bytes, &arena, &read, NULL), VG_STORE_CORRUPT);
    vg_arena_dispose(&arena);
    vg_arena_init(&arena, 16);
    assert_int_equal(vg_sample_record_pack(&record, &arena, &bytes, NULL), VG_REQUEST_MEMORY);
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_record__unpacks_what_was_packed),
        cmocka_unit_test(test_sample_record__refuses_what_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
