#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/directory/zone_set.h"

static void test_zone_set__a_zone_is_loaded_once(void **state)
{
    (void)state;
    struct vg_zone_set set;
    vg_zone_set_init(&set);
    const struct vg_zone *first = NULL;
    const struct vg_zone *again = NULL;
    const struct vg_zone *other = NULL;
    assert_int_equal(vg_zone_set_find(&set, "Europe/Oslo", &first, NULL), VG_OK);
    assert_int_equal(vg_zone_set_find(&set, "Asia/Tokyo", &other, NULL), VG_OK);
    assert_int_equal(vg_zone_set_find(&set, "Europe/Oslo", &again, NULL), VG_OK);
    assert_ptr_equal(first, again);
    assert_ptr_not_equal(first, other);
    assert_int_equal(set.count, 2);
    vg_zone_set_dispose(&set);
}

static void test_zone_set__an_unknown_zone_takes_no_place(void **state)
{
    (void)state;
    struct vg_zone_set set;
    vg_zone_set_init(&set);
    const struct vg_zone *zone = NULL;
    assert_int_equal(vg_zone_set_find(&set, "Mars/Base", &zone, NULL), VG_INVALID_REFERENCE);
    assert_null(zone);
    assert_int_equal(set.count, 0);
    vg_zone_set_dispose(&set);
}

static void test_zone_set__is_full_at_its_maximum(void **state)
{
    (void)state;
    static struct vg_zone_set set; /* large */
    vg_zone_set_init(&set);
    const struct vg_zone *zone = NULL;
    set.count = VG_ZONE_SET_MAX - 1;
    for (size_t i = 0; i < set.count; i++) {
        assert_int_equal(vg_zone_create(vg_bytes_text("UTC"), &set.zones[i], NULL), VG_OK);
    }
    assert_int_equal(vg_zone_set_find(&set, "Europe/Oslo", &zone, NULL), VG_OK);
    assert_int_equal(vg_zone_set_find(&set, "Asia/Tokyo", &zone, NULL), VG_RESOURCE_LIMIT);
    assert_int_equal(vg_zone_set_find(&set, "Europe/Oslo", &zone, NULL), VG_OK);
    vg_zone_set_dispose(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zone_set__a_zone_is_loaded_once),
        cmocka_unit_test(test_zone_set__an_unknown_zone_takes_no_place),
        cmocka_unit_test(test_zone_set__is_full_at_its_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
