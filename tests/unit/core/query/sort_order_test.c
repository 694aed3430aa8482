/* The keys a sortBy comes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/query/sort_order.h"

enum { PLAIN, OPTIONAL, NOTHING, IDENTITY };
#define TIE 99u

static const struct vg_sort_column fields[] = {
    [PLAIN] = { 10, VG_SORT_NO_COLUMN, false },
    [OPTIONAL] = { 20, 21, false },
    [NOTHING] = { VG_SORT_NO_COLUMN, VG_SORT_NO_COLUMN, false },
    [IDENTITY] = { 30, VG_SORT_NO_COLUMN, true },
};

static void add(struct vg_sort_order *order, uint32_t field, bool descending)
{
    assert_int_equal(vg_sort_order_add(order, field, &fields[field], descending, NULL), VG_OK);
}

static void assert_key(
    const struct vg_sort_order *order,
    uint32_t at,
    uint32_t column,
    bool descending)
{
    assert_true(at < order->count);
    assert_int_equal(order->keys[at].column, column);
    assert_int_equal(order->keys[at].descending, descending);
}

static void test_sort_order__fields_in_their_order_and_a_tie(void **state)
{
    (void)state;
    struct vg_sort_order order;
    vg_sort_order_init(&order);
    add(&order, PLAIN, true);
    add(&order, NOTHING, false);
    add(&order, OPTIONAL, false);
    assert_int_equal(vg_sort_order_end(&order, TIE, NULL), VG_OK);
    assert_int_equal(order.count, 4);
    assert_key(&order, 0, 10, true);
    assert_key(&order, 1, 21, false); /* absent ones last */
    assert_key(&order, 2, 20, false);
    assert_key(&order, 3, TIE, false);

    vg_sort_order_init(&order);
    add(&order, OPTIONAL, true);
    assert_int_equal(vg_sort_order_end(&order, TIE, NULL), VG_OK);
    assert_int_equal(order.count, 2);
    assert_key(&order, 0, 20, true); /* they are last by themselves */
    assert_key(&order, 1, TIE, false);
}

static void test_sort_order__nothing_is_sorted_behind_an_identity(void **state)
{
    (void)state;
    struct vg_sort_order order;
    vg_sort_order_init(&order);
    add(&order, IDENTITY, true);
    add(&order, PLAIN, false);
    assert_int_equal(vg_sort_order_end(&order, TIE, NULL), VG_OK);
    assert_int_equal(order.count, 1);
    assert_key(&order, 0, 30, true);
}

static void test_sort_order__no_field_twice(void **state)
{
    (void)state;
    struct vg_sort_order order;
    struct vg_error error;
    vg_error_init(&error, NULL);
    vg_sort_order_init(&order);
    add(&order, IDENTITY, false);
    add(&order, PLAIN, false);
    assert_int_equal(
        vg_sort_order_add(&order, PLAIN, &fields[PLAIN], true, &error),
        VG_INVALID_FIELD_VALUE);
    assert_string_equal(error.field, "sortBy");
}

static void test_sort_order__as_many_keys_as_the_table_takes(void **state)
{
    (void)state;
    for (uint32_t over = 0; over < 2; over++) {
        struct vg_sort_order order;
        struct vg_error error;
        vg_error_init(&error, NULL);
        vg_sort_order_init(&order);
        for (uint32_t i = 0; i + 1 < VG_SEARCH_SORT_KEYS_MAX + over; i++) {
            const struct vg_sort_column field = { 100 + i, VG_SORT_NO_COLUMN, false };
            assert_int_equal(vg_sort_order_add(&order, i, &field, false, NULL), VG_OK);
        }
        assert_int_equal(
            vg_sort_order_end(&order, TIE, &error),
            over == 0 ? VG_OK : VG_INVALID_FIELD_VALUE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sort_order__fields_in_their_order_and_a_tie),
        cmocka_unit_test(test_sort_order__nothing_is_sorted_behind_an_identity),
        cmocka_unit_test(test_sort_order__no_field_twice),
        cmocka_unit_test(test_sort_order__as_many_keys_as_the_table_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
