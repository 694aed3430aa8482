#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc/net/turn_line.h"

static void test_turn_line__serves_who_came_first(void **state)
{
    (void)state;
    struct vg_turn_line line = { 0 };
    struct vg_turn_link links[3] = { 0 };
    assert_null(vg_turn_line_take(&line));
    for (size_t i = 0; i < 3; i++) {
        vg_turn_line_add(&line, &links[i]);
    }
    assert_int_equal(line.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(vg_turn_line_take(&line), &links[i]);
        assert_null(links[i].line);
    }
    assert_null(vg_turn_line_take(&line));
    assert_int_equal(line.count, 0);
}

static void test_turn_line__is_left_from_any_place(void **state)
{
    (void)state;
    for (size_t gone = 0; gone < 3; gone++) {
        struct vg_turn_line line = { 0 };
        struct vg_turn_link links[3] = { 0 };
        for (size_t i = 0; i < 3; i++) {
            vg_turn_line_add(&line, &links[i]);
        }
        vg_turn_line_remove(&links[gone]);
        vg_turn_line_remove(&links[gone]); /* is not in it any more */
        assert_int_equal(line.count, 2);
        vg_turn_line_add(&line, &links[gone]); /* at the end again */
        assert_ptr_equal(vg_turn_line_take(&line), &links[gone == 0 ? 1 : 0]);
        assert_ptr_equal(vg_turn_line_take(&line), &links[gone == 2 ? 1 : 2]);
        assert_ptr_equal(vg_turn_line_take(&line), &links[gone]);
        assert_null(line.first);
        assert_null(line.last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turn_line__serves_who_came_first),
        cmocka_unit_test(test_turn_line__is_left_from_any_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
