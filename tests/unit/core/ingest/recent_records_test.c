/* What the writer remembers of records: the newest of each place, and nothing that is too large. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/ingest/recent_records.h"

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct vg_recent_records));
    return *state == NULL;
}

static int teardown(void **state)
{
    vg_recent_records_clear(*state);
    free(*state);
    return 0;
}

static bool has(
    const struct vg_recent_records *recent,
    uint64_t hash,
    const char *key,
    const char *value)
{
    const struct vg_recent_record *found = vg_recent_records_find(recent, hash, vg_bytes_text(key));
    return found != NULL && found->exists == (value != NULL) &&
           vg_bytes_equal(
               vg_recent_record_bytes(found),
               value == NULL ? vg_bytes(NULL, 0) : vg_bytes_text(value));
}

static void test_recent_records__newest_is_found(void **state)
{
    struct vg_recent_records *recent = *state;
    struct vg_bytes one = vg_bytes_text("one");
    assert_null(vg_recent_records_find(recent, 7, one));
    vg_recent_records_put(recent, 7, one, true, vg_bytes_text("first"));
    assert_true(has(recent, 7, "one", "first"));
    vg_recent_records_put(recent, 7, one, true, vg_bytes_text(""));
    assert_true(has(recent, 7, "one", ""));
    vg_recent_records_put(recent, 7, one, false, vg_bytes(NULL, 0));
    assert_true(has(recent, 7, "one", NULL));
    assert_null(vg_recent_records_find(recent, 7, vg_bytes_text("two")));
    assert_null(vg_recent_records_find(recent, 7 + VG_RECENT_RECORDS, one));
    /* Another one of the same place. */
    vg_recent_records_put(
        recent,
        7 + VG_RECENT_RECORDS,
        vg_bytes_text("two"),
        true,
        vg_bytes_text("second"));
    assert_true(has(recent, 7 + VG_RECENT_RECORDS, "two", "second"));
    assert_null(vg_recent_records_find(recent, 7, one));
    vg_recent_records_clear(recent);
    assert_null(vg_recent_records_find(recent, 7 + VG_RECENT_RECORDS, vg_bytes_text("two")));
}

static void test_recent_records__what_is_too_large_is_forgotten(void **state)
{
    struct vg_recent_records *recent = *state;
    static const uint8_t large[VG_RECENT_BYTES_MAX];
    struct vg_bytes key = vg_bytes_text("key");
    vg_recent_records_put(recent, 1, key, true, vg_bytes(large, VG_RECENT_BYTES_MAX - 3));
    const struct vg_recent_record *found = vg_recent_records_find(recent, 1, key);
    assert_non_null(found);
    assert_int_equal(vg_recent_record_bytes(found).size, VG_RECENT_BYTES_MAX - 3);
    vg_recent_records_put(recent, 1, key, true, vg_bytes(large, VG_RECENT_BYTES_MAX - 2));
    assert_null(vg_recent_records_find(recent, 1, key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_recent_records__newest_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_recent_records__what_is_too_large_is_forgotten,
            setup,
            teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
