/* Counting of duplicates, up to its bound and past it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tools/suricata/eve_tally.h"

static struct vg_uuid identity(uint32_t number)
{
    struct vg_uuid uuid = { { 0 } };
    memcpy(uuid.bytes, &number, sizeof(number));
    return uuid;
}

static uint32_t add(struct vg_eve_tally *tally, uint32_t number)
{
    struct vg_uuid uuid = identity(number);
    uint32_t before = UINT32_MAX;
    assert_true(vg_eve_tally_add(tally, &uuid, &before));
    return before;
}

static void test_eve_tally__counts_each_identity(void **state)
{
    (void)state;
    struct vg_eve_tally tally;
    vg_eve_tally_init(&tally);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            assert_int_equal(add(&tally, i * 1024), round); /* all want the same slots */
        }
    }
    vg_eve_tally_clear(&tally);
    assert_int_equal(add(&tally, 0), 0);
    vg_eve_tally_dispose(&tally);
}

static void test_eve_tally__begins_anew_past_its_bound(void **state)
{
    (void)state;
    struct vg_eve_tally tally;
    vg_eve_tally_init(&tally);
    for (uint32_t i = 0; i < VG_EVE_TALLY_MAX - 1; i++) {
        assert_int_equal(add(&tally, i), 0);
    }
    assert_int_equal(add(&tally, 0), 1);                    /* one below the bound */
    assert_int_equal(add(&tally, VG_EVE_TALLY_MAX - 1), 0); /* at the bound */
    assert_int_equal(add(&tally, 1), 0);                    /* the next one: all is forgotten */
    assert_int_equal(add(&tally, 0), 0);
    assert_int_equal(add(&tally, 0), 1);
    vg_eve_tally_dispose(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eve_tally__counts_each_identity),
        cmocka_unit_test(test_eve_tally__begins_anew_past_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
