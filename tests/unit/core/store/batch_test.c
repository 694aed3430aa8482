#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/store/batch.h"

static void test_batch__entries_come_back_in_order(void **state)
{
    (void)state;
    struct vg_batch batch;
    vg_batch_init(&batch, 1024);
    assert_true(batch.synced);
    vg_batch_guard_value(&batch, vg_bytes_text("g"), vg_bytes_text("1"));
    vg_batch_set(&batch, vg_bytes_text("key"), vg_bytes_text("value"));
    vg_batch_set(&batch, vg_bytes_text("empty"), vg_bytes(NULL, 0));
    vg_batch_delete(&batch, vg_bytes_text("gone"));
    vg_batch_guard_absent(&batch, vg_bytes_text("h"));
    assert_int_equal(batch.guard_count, 2);
    assert_int_equal(batch.change_count, 3);

    static const struct {
        enum vg_batch_operation operation;
        const char *key;
        const char *value;
    } rows[] = {
        { VG_BATCH_GUARD_VALUE, "g", "1" }, { VG_BATCH_SET, "key", "value" },
        { VG_BATCH_SET, "empty", "" },      { VG_BATCH_DELETE, "gone", "" },
        { VG_BATCH_GUARD_ABSENT, "h", "" },
    };
    size_t position = 0;
    struct vg_batch_entry entry;
    for (size_t index = 0; index < VG_ARRAY_COUNT(rows); index++) {
        assert_true(vg_batch_next(&batch, &position, &entry));
        assert_int_equal(entry.operation, rows[index].operation);
        assert_true(vg_bytes_equal(entry.key, vg_bytes_text(rows[index].key)));
        assert_true(vg_bytes_equal(entry.value, vg_bytes_text(rows[index].value)));
    }
    assert_false(vg_batch_next(&batch, &position, &entry));
    vg_batch_clear(&batch);
    position = 0;
    assert_false(vg_batch_next(&batch, &position, &entry));
    assert_int_equal(batch.guard_count + batch.change_count, 0);
    vg_batch_dispose(&batch);
}

static void test_batch__is_cut_back_to_a_mark(void **state)
{
    (void)state;
    struct vg_batch batch;
    vg_batch_init(&batch, 64);
    vg_batch_set(&batch, vg_bytes_text("a"), vg_bytes_text("1"));
    struct vg_batch_mark mark = vg_batch_mark(&batch);
    static const uint8_t big[100];
    vg_batch_set(&batch, vg_bytes_text("b"), vg_bytes(big, sizeof(big)));
    assert_true(vg_batch_failed(&batch));
    vg_batch_cut(&batch, mark);
    assert_false(vg_batch_failed(&batch));
    vg_batch_set(&batch, vg_bytes_text("c"), vg_bytes_text("3"));
    assert_int_equal(batch.change_count, 2);
    size_t position = 0;
    struct vg_batch_entry entry;
    assert_true(vg_batch_next(&batch, &position, &entry));
    assert_true(vg_batch_next(&batch, &position, &entry));
    assert_true(vg_bytes_equal(entry.key, vg_bytes_text("c")));
    assert_false(vg_batch_next(&batch, &position, &entry));
    vg_batch_dispose(&batch);
}

static void test_batch__holds_its_maximum_and_not_one_byte_more(void **state)
{
    (void)state;
    struct vg_batch batch;
    static const uint8_t value[11];
    size_t entry_size = 9 + 1 + sizeof(value);
    vg_batch_init(&batch, entry_size);
    vg_batch_set(&batch, vg_bytes_text("a"), vg_bytes(value, sizeof(value)));
    assert_false(vg_batch_failed(&batch));
    assert_int_equal(vg_batch_size(&batch), entry_size);
    vg_batch_dispose(&batch);
    vg_batch_init(&batch, entry_size - 1);
    vg_batch_set(&batch, vg_bytes_text("a"), vg_bytes(value, sizeof(value)));
    assert_true(vg_batch_failed(&batch));
    vg_batch_dispose(&batch);
}

static void test_batch__a_kept_value_comes_back_from_where_it_is(void **state)
{
    (void)state;
    struct vg_batch batch;
    uint8_t kept[] = "before";
    vg_batch_init(&batch, 1024);
    struct vg_batch_mark mark = vg_batch_mark(&batch);
    vg_batch_set_kept(&batch, vg_bytes_text("kept"), vg_bytes(kept, 6));
    vg_batch_set(&batch, vg_bytes_text("copied"), vg_bytes(kept, 6));
    vg_batch_set_kept(&batch, vg_bytes_text("empty"), vg_bytes(NULL, 0));
    assert_int_equal(batch.change_count, 3);
    memcpy(kept, "after!", 6);

    static const char *const rows[][2] = { { "kept", "after!" },
                                           { "copied", "before" },
                                           { "empty", "" } };
    size_t position = 0;
    struct vg_batch_entry entry;
    for (size_t index = 0; index < VG_ARRAY_COUNT(rows); index++) {
        assert_true(vg_batch_next(&batch, &position, &entry));
        assert_int_equal(entry.operation, VG_BATCH_SET);
        assert_true(vg_bytes_equal(entry.key, vg_bytes_text(rows[index][0])));
        assert_true(vg_bytes_equal(entry.value, vg_bytes_text(rows[index][1])));
    }
    assert_false(vg_batch_next(&batch, &position, &entry));
    vg_batch_cut(&batch, mark);
    assert_int_equal(vg_batch_size(&batch), 0);
    vg_batch_set_kept(&batch, vg_bytes_text("kept"), vg_bytes(kept, 6));
    vg_batch_clear(&batch);
    assert_int_equal(vg_batch_size(&batch), 0);
    vg_batch_dispose(&batch);
}

static void test_batch__kept_values_count_towards_its_maximum(void **state)
{
    (void)state;
    struct vg_batch batch;
    static const uint8_t value[100];
    size_t both = 2 * (9 + 1 + sizeof(void *) + sizeof(value));
    for (size_t missing = 0; missing <= 1; missing++) {
        vg_batch_init(&batch, both - missing);
        vg_batch_set_kept(&batch, vg_bytes_text("a"), vg_bytes(value, sizeof(value)));
        assert_false(vg_batch_failed(&batch));
        vg_batch_set_kept(&batch, vg_bytes_text("b"), vg_bytes(value, sizeof(value)));
        assert_int_equal(vg_batch_failed(&batch), missing == 1);
        assert_int_equal(vg_batch_size(&batch), missing == 1 ? both / 2 : both);
        vg_batch_dispose(&batch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch__a_kept_value_comes_back_from_where_it_is),
        cmocka_unit_test(test_batch__kept_values_count_towards_its_maximum),
        cmocka_unit_test(test_batch__entries_come_back_in_order),
        cmocka_unit_test(test_batch__is_cut_back_to_a_mark),
        cmocka_unit_test(test_batch__holds_its_maximum_and_not_one_byte_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
