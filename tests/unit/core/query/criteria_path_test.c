/* How members of criteria are named in violations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/query/criteria_path.h"

/* The field of the violation about `field`, in `arena`. */
static const char *blamed(
    struct vg_arena *arena,
    const struct vg_criteria_path *path,
    const char *field,
    size_t index)
{
    struct vg_violations violations;
    vg_violations_init(&violations, arena);
    vg_criteria_path_blame(
        path,
        &(struct vg_criteria_blame){ .reason = VG_INVALID_FIELD_VALUE,
                                     .field = field,
                                     .index = index,
                                     .parameter = "value",
                                     .message = "It is wrong" },
        &violations);
    assert_int_equal(violations.count, 1);
    assert_int_equal(violations.items[0].reason, VG_INVALID_FIELD_VALUE);
    assert_string_equal(violations.items[0].parameter, "value");
    assert_string_equal(violations.items[0].message, "It is wrong");
    return violations.items[0].field;
}

static void test_criteria_path__names_from_the_top(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1 << 20);
    const struct vg_criteria_path top = { .parent = NULL };
    const struct vg_criteria_path inner = { .parent = &top, .name = "subCriteria", .index = 2 };
    const struct vg_criteria_path part = { .parent = &inner, .name = "search", .index = SIZE_MAX };
    assert_string_equal(blamed(&arena, &top, "keywords", SIZE_MAX), "keywords");
    assert_string_equal(blamed(&arena, &top, "keywords", 3), "keywords[3]");
    assert_string_equal(blamed(&arena, &inner, "keywords", 0), "subCriteria[2].keywords[0]");
    assert_string_equal(blamed(&arena, &part, "tlp", SIZE_MAX), "subCriteria[2].search.tlp");
    vg_arena_dispose(&arena);
}

static void test_criteria_path__what_is_too_long_is_cut(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1 << 20);
    struct vg_criteria_path paths[40] = { { .parent = NULL } };
    for (size_t i = 1; i < sizeof(paths) / sizeof(paths[0]); i++) {
        paths[i] =
            (struct vg_criteria_path){ .parent = &paths[i - 1], .name = "subCriteria", .index = i };
        const char *field = blamed(&arena, &paths[i], "keywords", 5);
        assert_true(strlen(field) < 256);
        assert_memory_equal(field, "subCriteria[1].", 15);
    }
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_criteria_path__names_from_the_top),
        cmocka_unit_test(test_criteria_path__what_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
