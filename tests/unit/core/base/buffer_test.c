/* Buffers and borrowed bytes: the maximum, failing once, order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/buffer.h"
#include "core/base/compiler.h"

static void test_buffer__takes_its_maximum_and_not_one_byte_more(void **state)
{
    (void)state;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, 1000);
    for (int i = 0; i < 1000; i++) {
        vg_buffer_append_byte(&buffer, (uint8_t)i);
    }
    assert_false(buffer.failed);
    assert_int_equal(buffer.size, 1000);
    vg_buffer_append_byte(&buffer, 0);
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(buffer.data[i], (uint8_t)i);
    }
    vg_buffer_dispose(&buffer);
}

static void test_buffer__after_a_failure_nothing_is_appended_until_cleared(void **state)
{
    (void)state;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, 10);
    vg_buffer_append_text(&buffer, "abc");
    vg_buffer_append_text(&buffer, "12345678");
    assert_true(buffer.failed);
    vg_buffer_append_text(&buffer, "d");
    vg_buffer_printf(&buffer, "%d", 1);
    assert_false(vg_buffer_reserve(&buffer, 1));
    assert_true(vg_bytes_equal(vg_buffer_bytes(&buffer), vg_bytes_text("abc")));
    vg_buffer_clear(&buffer);
    vg_buffer_append_text(&buffer, "0123456789");
    assert_false(buffer.failed);
    assert_int_equal(buffer.size, 10);
    vg_buffer_dispose(&buffer);
}

static void test_buffer__lent_memory_is_used_first_and_never_freed(void **state)
{
    (void)state;
    struct vg_buffer buffer;
    uint8_t lent[8];
    vg_buffer_init(&buffer, 100);
    vg_buffer_lend(&buffer, lent, sizeof(lent));
    vg_buffer_append_text(&buffer, "1234567");
    assert_ptr_equal(buffer.data, lent);
    vg_buffer_printf(&buffer, "%d", 89);
    assert_ptr_not_equal(buffer.data, lent);
    assert_true(vg_bytes_equal(vg_buffer_bytes(&buffer), vg_bytes_text("123456789")));
    vg_buffer_dispose(&buffer);
    /* What stands behind the content is kept, as realloc keeps it. */
    vg_buffer_init(&buffer, 100);
    vg_buffer_lend(&buffer, lent, sizeof(lent));
    memcpy(lent, "abcdefg", sizeof(lent));
    assert_true(vg_buffer_reserve(&buffer, 50));
    assert_memory_equal(buffer.data, "abcdefg", 7);
    vg_buffer_dispose(&buffer);
    /* The maximum holds there too; and what nobody has outgrown is not freed. */
    vg_buffer_init(&buffer, 3);
    vg_buffer_lend(&buffer, lent, sizeof(lent));
    vg_buffer_append_text(&buffer, "123");
    assert_false(buffer.failed);
    vg_buffer_append_byte(&buffer, '4');
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, 3);
    vg_buffer_dispose(&buffer);
    assert_null(buffer.data);
}

static void test_buffer__printf_fills_to_the_very_maximum(void **state)
{
    (void)state;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, 5);
    vg_buffer_printf(&buffer, "%s", "");
    assert_false(buffer.failed);
    vg_buffer_printf(&buffer, "%d", 12345);
    assert_false(buffer.failed);
    assert_true(vg_bytes_equal(vg_buffer_bytes(&buffer), vg_bytes_text("12345")));
    vg_buffer_printf(&buffer, "%d", 6);
    assert_true(buffer.failed);
    vg_buffer_dispose(&buffer);
}

static void test_buffer__drops_from_the_front(void **state)
{
    (void)state;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, 100);
    vg_buffer_append_text(&buffer, "hello world");
    vg_buffer_drop(&buffer, 6);
    assert_true(vg_bytes_equal(vg_buffer_bytes(&buffer), vg_bytes_text("world")));
    vg_buffer_drop(&buffer, 0);
    vg_buffer_drop(&buffer, 5);
    assert_int_equal(buffer.size, 0);
    vg_buffer_append(&buffer, NULL, 0);
    assert_false(buffer.failed);
    vg_buffer_dispose(&buffer);
}

static void test_buffer__reserve_refuses_sizes_that_overflow(void **state)
{
    (void)state;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, 100);
    vg_buffer_append_text(&buffer, "x");
    assert_false(vg_buffer_reserve(&buffer, SIZE_MAX));
    assert_true(buffer.failed);
    vg_buffer_clear(&buffer);
    assert_true(vg_buffer_reserve(&buffer, 100));
    vg_buffer_dispose(&buffer);
    vg_buffer_append_text(&buffer, "usable after dispose");
    assert_int_equal(buffer.size, 20);
    vg_buffer_dispose(&buffer);
}

static void test_bytes__order_is_that_of_memcmp_the_shorter_first(void **state)
{
    (void)state;
    static const char *const sorted[] = { "", "a", "aa", "ab", "b", "\xFF" };
    for (size_t i = 0; i < VG_ARRAY_COUNT(sorted); i++) {
        for (size_t k = 0; k < VG_ARRAY_COUNT(sorted); k++) {
            struct vg_bytes a = vg_bytes_text(sorted[i]);
            struct vg_bytes b = vg_bytes_text(sorted[k]);
            int order = vg_bytes_compare(a, b);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
            assert_true(vg_bytes_equal(a, b) == (i == k));
        }
    }
    assert_true(vg_bytes_begins_with(vg_bytes_text("abc"), vg_bytes_text("ab")));
    assert_true(vg_bytes_begins_with(vg_bytes_text("abc"), vg_bytes(NULL, 0)));
    assert_false(vg_bytes_begins_with(vg_bytes_text("ab"), vg_bytes_text("abc")));
    assert_int_equal(vg_bytes_text(NULL).size, 0);
    assert_true(vg_bytes_equal(vg_bytes(NULL, 0), vg_bytes_text("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer__takes_its_maximum_and_not_one_byte_more),
        cmocka_unit_test(test_buffer__after_a_failure_nothing_is_appended_until_cleared),
        cmocka_unit_test(test_buffer__lent_memory_is_used_first_and_never_freed),
        cmocka_unit_test(test_buffer__printf_fills_to_the_very_maximum),
        cmocka_unit_test(test_buffer__drops_from_the_front),
        cmocka_unit_test(test_buffer__reserve_refuses_sizes_that_overflow),
        cmocka_unit_test(test_bytes__order_is_that_of_memcmp_the_shorter_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
