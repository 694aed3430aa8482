/* The rule of sub-criteria, row by row (conventions.md 7.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/query/sub_criteria.h"

/* Does a tree of constants match? */
static bool matches(const struct vg_predicate *tree)
{
    if (tree->kind == VG_PREDICATE_ALL || tree->kind == VG_PREDICATE_NONE) {
        return tree->kind == VG_PREDICATE_ALL;
    }
    if (tree->kind == VG_PREDICATE_NOT) {
        return !matches(tree->children[0]);
    }
    assert_true(tree->kind == VG_PREDICATE_AND || tree->kind == VG_PREDICATE_OR);
    bool all = true;
    bool any = false;
    for (uint32_t i = 0; i < tree->count; i++) {
        bool one = matches(tree->children[i]);
        all = all && one;
        any = any || one;
    }
    return tree->kind == VG_PREDICATE_AND ? all : any;
}

struct kind {
    uint32_t matching;
    uint32_t total;
};

static uint32_t fill(
    struct vg_arena *arena,
    struct vg_sub_criteria *elements,
    struct kind kind,
    struct vg_sub_criteria flags)
{
    for (uint32_t i = 0; i < kind.total; i++) {
        elements[i] = flags;
        elements[i].predicate =
            i < kind.matching ? vg_predicate_all(arena) : vg_predicate_none(arena);
    }
    return kind.total;
}

static void test_the_table(void **state)
{
    (void)state;
    static const struct {
        struct kind plain, required, exclude;
        bool result;
    } rows[] = {
        { { 0, 0 }, { 0, 0 }, { 0, 0 }, true },  { { 0, 2 }, { 0, 0 }, { 0, 0 }, false },
        { { 1, 2 }, { 0, 0 }, { 0, 0 }, true },  { { 1, 2 }, { 1, 2 }, { 0, 0 }, false },
        { { 0, 0 }, { 2, 2 }, { 0, 0 }, true },  { { 1, 1 }, { 1, 1 }, { 1, 1 }, false },
        { { 0, 0 }, { 0, 0 }, { 0, 1 }, true },  { { 0, 1 }, { 1, 1 }, { 0, 0 }, false },
        { { 0, 0 }, { 0, 0 }, { 1, 2 }, false }, { { 2, 2 }, { 2, 2 }, { 0, 2 }, true },
    };
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_sub_criteria elements[8];
        uint32_t count =
            fill(&arena, elements, rows[i].plain, (struct vg_sub_criteria){ .exclude = false });
        count += fill(
            &arena,
            elements + count,
            rows[i].required,
            (struct vg_sub_criteria){ .required = true });
        /* Both flags: exclude wins. */
        count += fill(
            &arena,
            elements + count,
            rows[i].exclude,
            (struct vg_sub_criteria){ .exclude = true, .required = i % 2 == 0 });
        /* An element without restriction is dropped, whatever it is. */
        elements[count++] = (struct vg_sub_criteria){ .exclude = true };
        struct vg_term_list terms;
        vg_term_list_init(&terms, &arena);
        vg_sub_criteria_add(&terms, elements, count);
        assert_false(terms.failed);
        const struct vg_predicate *whole = vg_term_list_and(&terms);
        bool result = whole == NULL || matches(whole);
        if (result != rows[i].result) {
            fail_msg("row %zu", i);
        }
    }
    vg_arena_dispose(&arena);
}

static void test_a_full_arena_shows(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 20);
    struct vg_sub_criteria element = { .predicate = vg_predicate_all(&arena) };
    struct vg_arena small;
    vg_arena_init(&small, 1);
    struct vg_term_list terms;
    vg_term_list_init(&terms, &small);
    vg_sub_criteria_add(&terms, &element, 1);
    assert_true(terms.failed);
    assert_null(vg_term_list_and(&terms));
    vg_arena_dispose(&small);
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table),
        cmocka_unit_test(test_a_full_arena_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
