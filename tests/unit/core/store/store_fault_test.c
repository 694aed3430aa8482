#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/store/store_fault.h"
#include "core/store/store_memory.h"

static int setup(void **state)
{
    *state = vg_store_fault_open(vg_store_memory_open(1));
    return 0;
}

static int teardown(void **state)
{
    vg_store_close(*state);
    return 0;
}

static enum vg_reason write_one(struct vg_store *store, const char *key, bool synced)
{
    struct vg_batch batch;
    vg_batch_init(&batch, 1024);
    batch.synced = synced;
    vg_batch_set(&batch, vg_bytes_text(key), vg_bytes_text("v"));
    enum vg_reason reason = vg_store_apply(store, 0, &batch, NULL);
    vg_batch_dispose(&batch);
    return reason;
}

static bool has(struct vg_store *store, const char *key)
{
    struct vg_store_value value;
    assert_int_equal(vg_store_get_one(store, NULL, 0, vg_bytes_text(key), &value, NULL), VG_OK);
    bool found = value.found;
    vg_store_value_release(&value);
    return found;
}

static void test_store_fault__after_a_failed_write_all_are_refused_until_reopened(void **state)
{
    static const struct {
        const char *name;
        enum vg_fault_point point;
        enum vg_reason reason;
        bool written;
    } rows[] = {
        { "lost", VG_FAULT_APPLY_LOST, VG_STORE_UNKNOWN, false },
        { "done", VG_FAULT_APPLY_DONE, VG_STORE_UNKNOWN, true },
        { "full", VG_FAULT_APPLY_FULL, VG_STORE_FULL, false },
    };
    struct vg_store *store = *state;
    for (size_t index = 0; index < VG_ARRAY_COUNT(rows); index++) {
        vg_store_fault_set(store, rows[index].point, 1, 1);
        assert_int_equal(write_one(store, "before", true), VG_OK);
        assert_int_equal(write_one(store, rows[index].name, true), rows[index].reason);
        assert_int_equal(vg_store_fault_fired(store, rows[index].point), 1);
        assert_true(vg_store_refuses_writes(store));
        assert_int_equal(write_one(store, "after", true), VG_STORE_UNAVAILABLE);
        assert_true(has(store, "before")); /* reading goes on */
        assert_int_equal(vg_store_reopen(store, NULL), VG_OK);
        assert_false(vg_store_refuses_writes(store));
        assert_int_equal(has(store, rows[index].name), rows[index].written);
        assert_false(has(store, "after"));
    }
}

static void test_store_fault__a_failed_reopen_lets_no_write_through(void **state)
{
    struct vg_store *store = *state;
    vg_store_fault_set(store, VG_FAULT_REOPEN, 0, 2);
    assert_int_equal(vg_store_reopen(store, NULL), VG_STORE_IO);
    assert_int_equal(write_one(store, "a", true), VG_STORE_UNAVAILABLE);
    assert_int_equal(vg_store_reopen(store, NULL), VG_STORE_IO);
    assert_int_equal(vg_store_reopen(store, NULL), VG_OK);
    assert_int_equal(write_one(store, "a", true), VG_OK);
}

static bool count_visit(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    (void)key;
    (void)value;
    ++*(int *)owner;
    return true;
}

static void test_store_fault__reads_fail_as_told(void **state)
{
    struct vg_store *store = *state;
    assert_int_equal(write_one(store, "a", true), VG_OK);
    assert_int_equal(write_one(store, "b", true), VG_OK);
    vg_store_fault_set(store, VG_FAULT_GET, 1, 1);
    struct vg_bytes keys[] = { vg_bytes_text("a"), vg_bytes_text("b") };
    struct vg_store_value values[2];
    /* The second fails: the first, found before it, must not stay pinned (the sanitizer tells). */
    struct vg_store_keys wanted = { .keys = keys, .count = 2 };
    assert_int_equal(vg_store_get(store, &wanted, values, NULL), VG_STORE_IO);
    assert_true(has(store, "a"));

    int visited = 0;
    struct vg_store_range range = { .shard = 0 };
    vg_store_fault_set(store, VG_FAULT_SCAN, 0, 1);
    assert_int_equal(vg_store_scan(store, &range, count_visit, &visited, NULL, NULL), VG_STORE_IO);
    assert_int_equal(visited, 1);
    struct vg_store_view *view = NULL;
    vg_store_fault_set(store, VG_FAULT_VIEW, 0, 1);
    assert_int_equal(vg_store_view_take(store, 0, &view, NULL), VG_STORE_UNAVAILABLE);
    assert_int_equal(vg_store_views(store), 0);
    assert_false(vg_store_refuses_writes(store));
}

static void test_store_fault__a_crash_loses_exactly_what_was_not_synced(void **state)
{
    struct vg_store *store = *state;
    assert_int_equal(write_one(store, "synced", true), VG_OK);
    assert_int_equal(write_one(store, "carried", false), VG_OK); /* by the next synced one */
    assert_int_equal(write_one(store, "carrier", true), VG_OK);
    assert_int_equal(write_one(store, "lost", false), VG_OK);
    struct vg_batch batch;
    vg_batch_init(&batch, 1024);
    batch.synced = false;
    vg_batch_delete(&batch, vg_bytes_text("synced"));
    vg_batch_set(&batch, vg_bytes_text("lost"), vg_bytes_text("again"));
    assert_int_equal(vg_store_apply(store, 0, &batch, NULL), VG_OK);
    vg_batch_dispose(&batch);
    assert_false(has(store, "synced"));

    vg_store_fault_crash(store);
    struct vg_store_value value;
    assert_int_equal(
        vg_store_get_one(store, NULL, 0, vg_bytes_text("synced"), &value, NULL),
        VG_STORE_UNAVAILABLE);
    assert_int_equal(write_one(store, "dead", true), VG_STORE_UNAVAILABLE);
    assert_int_equal(vg_store_reopen(store, NULL), VG_OK);
    assert_true(has(store, "synced"));
    assert_true(has(store, "carried"));
    assert_true(has(store, "carrier"));
    assert_false(has(store, "lost"));
    assert_false(has(store, "dead"));
    assert_int_equal(write_one(store, "new", true), VG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_store_fault__after_a_failed_write_all_are_refused_until_reopened,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_store_fault__a_failed_reopen_lets_no_write_through,
            setup,
            teardown),
        cmocka_unit_test_setup_teardown(test_store_fault__reads_fail_as_told, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_store_fault__a_crash_loses_exactly_what_was_not_synced,
            setup,
            teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
