#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/keyspace/change_log.h"

static void test_change_log__records_come_back_in_order(void **state)
{
    (void)state;
    struct vg_buffer entry;
    vg_buffer_init(&entry, 1024);
    vg_change_log_append(&entry, 0, vg_bytes_text("first"));
    vg_change_log_append(&entry, 2, vg_bytes_text("second"));

    size_t position = 0;
    uint32_t kind;
    struct vg_bytes key;
    struct vg_bytes value = vg_buffer_bytes(&entry);
    assert_int_equal(vg_change_log_next(value, &position, &kind, &key), VG_CHANGE_LOG_RECORD);
    assert_int_equal(kind, 0);
    assert_true(vg_bytes_equal(key, vg_bytes_text("first")));
    assert_int_equal(vg_change_log_next(value, &position, &kind, &key), VG_CHANGE_LOG_RECORD);
    assert_int_equal(kind, 2);
    assert_true(vg_bytes_equal(key, vg_bytes_text("second")));
    assert_int_equal(vg_change_log_next(value, &position, &kind, &key), VG_CHANGE_LOG_END);
    vg_buffer_dispose(&entry);
}

static void test_change_log__an_entry_cut_inside_a_record_is_corrupt(void **state)
{
    (void)state;
    struct vg_buffer entry;
    vg_buffer_init(&entry, 1024);
    vg_change_log_append(&entry, 1, vg_bytes_text("key"));
    for (size_t size = 1; size < entry.size; size++) {
        size_t position = 0;
        uint32_t kind;
        struct vg_bytes key;
        assert_int_equal(
            vg_change_log_next(vg_bytes(entry.data, size), &position, &kind, &key),
            VG_CHANGE_LOG_CORRUPT);
    }
    vg_buffer_dispose(&entry);
}

static void test_change_log__an_empty_entry_has_no_records(void **state)
{
    (void)state;
    size_t position = 0;
    uint32_t kind;
    struct vg_bytes key;
    assert_int_equal(
        vg_change_log_next(vg_bytes(NULL, 0), &position, &kind, &key),
        VG_CHANGE_LOG_END);
}

static void test_change_log__state_comes_back(void **state)
{
    (void)state;
    struct vg_shard_state written = { .sequence = 0x0102030405060708, .last_updated = -3 };
    uint8_t bytes[VG_SHARD_STATE_SIZE];
    vg_shard_state_encode(&written, bytes);
    assert_memory_equal(
        bytes,
        "\x01\x02\x03\x04\x05\x06\x07\x08\xff\xff\xff\xff\xff\xff\xff\xfd",
        16);
    struct vg_shard_state read = { 0 };
    assert_true(vg_shard_state_decode(vg_bytes(bytes, sizeof(bytes)), &read));
    assert_true(read.sequence == written.sequence && read.last_updated == written.last_updated);
    assert_false(vg_shard_state_decode(vg_bytes(bytes, sizeof(bytes) - 1), &read));
    assert_false(vg_shard_state_decode(vg_bytes(NULL, 0), &read));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_change_log__records_come_back_in_order),
        cmocka_unit_test(test_change_log__an_entry_cut_inside_a_record_is_corrupt),
        cmocka_unit_test(test_change_log__an_empty_entry_has_no_records),
        cmocka_unit_test(test_change_log__state_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
