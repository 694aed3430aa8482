#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/table/dictionary.h"

static const uint8_t secret[16] = { 1, 2, 3 };

struct held {
    struct vg_epoch epoch;
    struct vg_retired_list retired;
    struct vg_dictionary dictionary;
};

static struct held *make(uint32_t entries_max, uint64_t bytes_max)
{
    struct held *held = aligned_alloc(64, (sizeof(*held) + 63) / 64 * 64);
    assert_non_null(held);
    memset(held, 0, sizeof(*held));
    vg_epoch_init(&held->epoch);
    assert_true(vg_dictionary_init(
        &held->dictionary,
        secret,
        entries_max,
        bytes_max,
        &held->epoch,
        &held->retired));
    return held;
}

static void drop(struct held *held)
{
    assert_true(vg_retired_collect(&held->retired, &held->epoch));
    vg_dictionary_dispose(&held->dictionary);
    free(held);
}

static uint32_t add(struct held *held, struct vg_bytes bytes, bool *out_full)
{
    uint32_t id;
    assert_true(vg_dictionary_add(&held->dictionary, bytes, &id, out_full));
    return id;
}

static void test_dictionary__gives_each_text_one_id(void **state)
{
    (void)state;
    struct held *held = make(100000, 1u << 30);
    bool full;
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 20000; i++) {
            char text[32];
            int size = snprintf(text, sizeof(text), "%u", (unsigned)i);
            struct vg_bytes bytes = vg_bytes(text, (size_t)size);
            assert_int_equal(add(held, bytes, &full), i + 1);
            assert_false(full);
            assert_int_equal(vg_dictionary_find(&held->dictionary, bytes), i + 1);
            assert_true(vg_bytes_equal(vg_dictionary_get(&held->dictionary, i + 1), bytes));
        }
    }
    assert_int_equal(vg_dictionary_count(&held->dictionary), 20000);
    assert_true(
        (vg_dictionary_find(&held->dictionary, vg_bytes_text("other")) & VG_DICTIONARY_BEYOND) !=
        0);
    drop(held);
}

static void test_dictionary__holds_the_empty_text_and_zero_bytes(void **state)
{
    (void)state;
    struct held *held = make(10, 100);
    bool full;
    uint32_t empty = add(held, vg_bytes("", 0), &full);
    uint32_t zero = add(held, vg_bytes("\0", 1), &full);
    uint32_t two = add(held, vg_bytes("\0\0", 2), &full);
    assert_true(empty != 0 && empty != zero && zero != two);
    assert_int_equal(vg_dictionary_find(&held->dictionary, vg_bytes("\0", 1)), zero);
    drop(held);
}

static void test_dictionary__is_full_at_its_entries(void **state)
{
    (void)state;
    struct held *held = make(2, 100);
    bool full;
    assert_int_equal(add(held, vg_bytes_text("a"), &full), 1);
    assert_int_equal(add(held, vg_bytes_text("b"), &full), 2);
    assert_false(full || vg_dictionary_has_beyond(&held->dictionary));
    uint32_t beyond = add(held, vg_bytes_text("c"), &full);
    assert_true(full && (beyond & VG_DICTIONARY_BEYOND) != 0);
    assert_true(vg_dictionary_has_beyond(&held->dictionary));
    assert_int_equal(vg_dictionary_find(&held->dictionary, vg_bytes_text("c")), beyond);
    assert_int_equal(add(held, vg_bytes_text("b"), &full), 2);
    assert_false(full);
    drop(held);
}

static void test_dictionary__is_full_at_its_bytes(void **state)
{
    (void)state;
    struct held *held = make(10, 5);
    bool full;
    assert_int_equal(add(held, vg_bytes_text("abc"), &full), 1);
    assert_int_equal(add(held, vg_bytes_text("de"), &full), 2);
    assert_false(full);
    (void)add(held, vg_bytes_text("f"), &full);
    assert_true(full);
    drop(held);
}

static void test_dictionary__takes_no_text_past_its_longest(void **state)
{
    (void)state;
    struct held *held = make(10, 1u << 20);
    static char text[VG_DICTIONARY_TEXT_MAX + 1];
    bool full;
    memset(text, 'x', sizeof(text));
    assert_int_equal(add(held, vg_bytes(text, VG_DICTIONARY_TEXT_MAX), &full), 1);
    assert_false(full);
    (void)add(held, vg_bytes(text, VG_DICTIONARY_TEXT_MAX + 1), &full);
    assert_true(full);
    drop(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dictionary__gives_each_text_one_id),
        cmocka_unit_test(test_dictionary__holds_the_empty_text_and_zero_bytes),
        cmocka_unit_test(test_dictionary__is_full_at_its_entries),
        cmocka_unit_test(test_dictionary__is_full_at_its_bytes),
        cmocka_unit_test(test_dictionary__takes_no_text_past_its_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
