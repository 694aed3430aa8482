/* The rules of the contract over a finished message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/wire/pattern_match.h"
#include "core/wire/validate.h"
#include "tests/support/sketch/sketch_tables.h"

#include "vigil/sketch.pb-c.h"

#define ARENA_MAX (64u << 20)
#define NOW       INT64_C(1569185283911)

struct checking {
    struct vg_arena arena;
    struct vg_error error;
    Vigil__Sketch__Thing thing;
    enum vg_reason reason;
};

static void begin(struct checking *checking)
{
    vg_arena_init(&checking->arena, ARENA_MAX);
    vg_error_init(&checking->error, &checking->arena);
    checking->thing = (Vigil__Sketch__Thing)VIGIL__SKETCH__THING__INIT;
}

static void check(struct checking *checking)
{
    struct vg_validation validation = { .now = NOW, .arena = &checking->arena };
    checking->reason = vg_validate(
        &vg_table_vigil_sketch_thing,
        &checking->thing.base,
        &validation,
        &checking->error);
}

/* Is there exactly one violation, with this reason and path? */
static void assert_refused(struct checking *checking, enum vg_reason reason, const char *path)
{
    check(checking);
    assert_int_equal(checking->reason, reason);
    assert_int_equal(checking->error.violations.count, 1);
    assert_int_equal(checking->error.violations.items[0].reason, reason);
    assert_string_equal(checking->error.violations.items[0].field, path);
    assert_string_equal(checking->error.field, path);
    vg_arena_dispose(&checking->arena);
}

static void assert_accepted(struct checking *checking)
{
    check(checking);
    if (checking->reason != VG_OK) {
        fail_msg("%s at %s", checking->error.message, checking->error.field);
    }
    assert_int_equal(checking->error.violations.found, 0);
}

static void test_validate__accepts_an_empty_message(void **state)
{
    (void)state;
    struct checking checking;
    begin(&checking);
    assert_accepted(&checking);
    vg_arena_dispose(&checking.arena);
}

static void test_validate__names_a_required_member_that_is_absent(void **state)
{
    (void)state;
    struct checking checking;
    Vigil__Sketch__IdParts parts = VIGIL__SKETCH__ID_PARTS__INIT;
    Vigil__Sketch__Id id = VIGIL__SKETCH__ID__INIT;
    id.parts = &parts;
    begin(&checking);
    checking.thing.id = &id;
    assert_refused(&checking, VG_REQUIRED_FIELD, "id.customer");

    char customer[] = "";
    parts.customer = customer;
    begin(&checking);
    checking.thing.id = &id;
    assert_accepted(&checking);
    vg_arena_dispose(&checking.arena);
}

static void test_validate__holds_numbers_to_their_range(void **state)
{
    (void)state;
    static const struct {
        int32_t value;
        bool allowed;
    } rows[] = { { -6, false }, { -5, true }, { 100, true }, { 101, false } };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct checking checking;
        begin(&checking);
        checking.thing.has_small = 1;
        checking.thing.small = rows[i].value;
        if (rows[i].allowed) {
            assert_accepted(&checking);
            vg_arena_dispose(&checking.arena);
        } else {
            assert_refused(&checking, VG_INVALID_FIELD_VALUE, "small");
        }
    }
}

static void test_validate__counts_characters_not_bytes(void **state)
{
    (void)state;
    struct checking checking;
    char five[] = "\xC3\xA6\xC3\xB8\xC3\xA5\xE2\x82\xAC\xF0\x9F\x98\x80";
    char six[] = "abcdef";
    begin(&checking);
    checking.thing.name = five;
    assert_accepted(&checking);
    vg_arena_dispose(&checking.arena);
    begin(&checking);
    checking.thing.name = six;
    assert_refused(&checking, VG_INVALID_FIELD_VALUE, "name");
}

static void test_validate__matches_patterns_over_the_whole_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool allowed;
    } rows[] = {
        { "AB-1", true },          { "ABC-123456789", true },
        { "A-1", false },          { "ABCD-1", false },
        { "AB-", false },          { "AB-1x", false },
        { "xAB-1", false },        { "", false },
        { "AB-1\xC3\xA6", false },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct checking checking;
        char text[32];
        (void)snprintf(text, sizeof(text), "%s", rows[i].text);
        begin(&checking);
        checking.thing.code = text;
        if (rows[i].allowed) {
            assert_accepted(&checking);
            vg_arena_dispose(&checking.arena);
        } else {
            assert_refused(&checking, VG_INVALID_FIELD_VALUE, "code");
        }
    }
}

#define CLASS(first, last)                                                                         \
    {                                                                                              \
        (first) < 64 ? ((UINT64_C(2) << ((last)&63)) - (UINT64_C(1) << ((first)&63))) : 0,         \
            (first) >= 64 ? ((UINT64_C(2) << ((last)&63)) - (UINT64_C(1) << ((first)&63))) : 0     \
    }

static void test_validate__patterns_repeat_groups_and_give_back(void **state)
{
    (void)state;
    /* a(b+c)*b? */
    static const struct vg_pattern_piece pieces[] = {
        { CLASS('a', 'a'), 1, 1, 0, false },          { { 0, 0 }, 0, UINT16_MAX, 2, false },
        { CLASS('b', 'b'), 1, UINT16_MAX, 0, false }, { CLASS('c', 'c'), 1, 1, 0, false },
        { CLASS('b', 'b'), 0, 1, 0, false },
    };
    static const struct vg_pattern pattern = { "a(b+c)*b?", pieces, 5 };
    assert_true(vg_pattern_matches(&pattern, "a"));
    assert_true(vg_pattern_matches(&pattern, "ab"));
    assert_true(vg_pattern_matches(&pattern, "abcbbcb"));
    assert_true(vg_pattern_matches(&pattern, "abbc"));
    assert_false(vg_pattern_matches(&pattern, "abb"));
    assert_false(vg_pattern_matches(&pattern, "ac"));
    /* (.{2}){2}.*x over characters of several bytes */
    static const struct vg_pattern_piece others[] = {
        { { 0, 0 }, 2, 2, 1, false },
        { { UINT64_MAX, UINT64_MAX }, 2, 2, 0, true },
        { { UINT64_MAX, UINT64_MAX }, 0, UINT16_MAX, 0, true },
        { CLASS('x', 'x'), 1, 1, 0, false },
    };
    static const struct vg_pattern other = { "(.{2}){2}.*x", others, 4 };
    assert_true(vg_pattern_matches(&other, "\xC3\xA6\xC3\xA6\xC3\xA6\xC3\xA6x"));
    assert_true(vg_pattern_matches(&other, "\xC3\xA6\xC3\xA6\xC3\xA6\xC3\xA6\xE2\x82\xACx"));
    assert_false(vg_pattern_matches(&other, "\xC3\xA6\xC3\xA6\xC3\xA6x"));
}

static void test_validate__a_costly_text_ends_the_match(void **state)
{
    (void)state;
    /* (a+)+b over many a: the classic. It ends, and does not match. */
    static const struct vg_pattern_piece pieces[] = {
        { { 0, 0 }, 1, UINT16_MAX, 1, false },
        { CLASS('a', 'a'), 1, UINT16_MAX, 0, false },
        { CLASS('b', 'b'), 1, 1, 0, false },
    };
    static const struct vg_pattern pattern = { "(a+)+b", pieces, 3 };
    static char text[100001];
    memset(text, 'a', sizeof(text) - 1);
    assert_false(vg_pattern_matches(&pattern, text));
}

static void test_validate__refuses_numbers_without_a_word(void **state)
{
    (void)state;
    static const int32_t numbers[] = { 0, 3, -1, 6 };
    for (size_t i = 0; i < VG_ARRAY_COUNT(numbers); i++) {
        struct checking checking;
        begin(&checking);
        checking.thing.has_level = 1;
        checking.thing.level = (Vigil__Sketch__Level)numbers[i];
        assert_refused(&checking, VG_INVALID_FIELD_VALUE, "level");
    }
    struct checking checking;
    Vigil__Sketch__Level levels[] = { VIGIL__SKETCH__LEVEL__LEVEL_LOW, (Vigil__Sketch__Level)9 };
    Vigil__Sketch__Criteria below = VIGIL__SKETCH__CRITERIA__INIT;
    Vigil__Sketch__Levels flag = VIGIL__SKETCH__LEVELS__INIT;
    begin(&checking);
    below.severity = levels;
    below.n_severity = 2;
    flag.criteria = &below;
    checking.thing.include_flag = &flag;
    assert_refused(&checking, VG_INVALID_FIELD_VALUE, "includeFlag.severity[1]");
}

static void test_validate__names_the_index_behind_a_bare_list(void **state)
{
    (void)state;
    struct checking checking;
    Vigil__Sketch__Level levels[] = { VIGIL__SKETCH__LEVEL__LEVEL_LOW, (Vigil__Sketch__Level)9 };
    Vigil__Sketch__Levels flag = VIGIL__SKETCH__LEVELS__INIT;
    begin(&checking);
    flag.level = levels;
    flag.n_level = 2;
    checking.thing.include_flag = &flag;
    assert_refused(&checking, VG_INVALID_FIELD_VALUE, "includeFlag[1]");
}

static void test_validate__refuses_two_forms_of_a_bare_message(void **state)
{
    (void)state;
    struct checking checking;
    char text[] = "x";
    char customer[] = "c";
    Vigil__Sketch__IdParts parts = VIGIL__SKETCH__ID_PARTS__INIT;
    Vigil__Sketch__Id id = VIGIL__SKETCH__ID__INIT;
    Vigil__Sketch__Id *ids[] = { &id };
    parts.customer = customer;
    id.parts = &parts;
    id.text = text;
    begin(&checking);
    checking.thing.ids = ids;
    checking.thing.n_ids = 1;
    assert_refused(&checking, VG_CONFLICTING_FIELDS, "ids[0]");
}

static void test_validate__holds_lists_to_their_length(void **state)
{
    (void)state;
    struct checking checking;
    int32_t ports[] = { 1, 2, 3, 4, 5 };
    begin(&checking);
    checking.thing.ports = ports;
    checking.thing.n_ports = 4;
    assert_accepted(&checking);
    vg_arena_dispose(&checking.arena);
    begin(&checking);
    checking.thing.ports = ports;
    checking.thing.n_ports = 5;
    assert_refused(&checking, VG_INVALID_FIELD_VALUE, "ports");
}

static void test_validate__drops_equal_elements_of_a_set(void **state)
{
    (void)state;
    struct checking checking;
    char a[] = "a";
    char b[] = "b";
    char a_again[] = "a";
    char *tags[] = { b, a, a_again, b, a };
    Vigil__Sketch__Level levels[] = { VIGIL__SKETCH__LEVEL__LEVEL_HIGH,
                                      VIGIL__SKETCH__LEVEL__LEVEL_HIGH,
                                      VIGIL__SKETCH__LEVEL__LEVEL_LOW };
    begin(&checking);
    checking.thing.tags = tags;
    checking.thing.n_tags = 5;
    checking.thing.levels = levels;
    checking.thing.n_levels = 3;
    assert_accepted(&checking);
    assert_int_equal(checking.thing.n_tags, 2);
    assert_ptr_equal(checking.thing.tags[0], b);
    assert_ptr_equal(checking.thing.tags[1], a);
    assert_int_equal(checking.thing.n_levels, 2);
    assert_int_equal(checking.thing.levels[1], VIGIL__SKETCH__LEVEL__LEVEL_LOW);
    vg_arena_dispose(&checking.arena);
}

static void test_validate__drops_equal_elements_of_a_long_set(void **state)
{
    (void)state;
    enum { COUNT = 30000, DISTINCT = 7000 };
    struct checking checking;
    begin(&checking);
    char **tags = vg_arena_calloc(&checking.arena, COUNT, sizeof(*tags));
    assert_non_null(tags);
    for (int i = 0; i < COUNT; i++) {
        tags[i] = vg_arena_printf(&checking.arena, "%d", i * 37 % DISTINCT);
        assert_non_null(tags[i]);
    }
    char *first = tags[0];
    char *last = tags[DISTINCT - 1];
    checking.thing.tags = tags;
    checking.thing.n_tags = COUNT;
    assert_accepted(&checking);
    assert_int_equal(checking.thing.n_tags, DISTINCT);
    assert_ptr_equal(checking.thing.tags[0], first);
    assert_ptr_equal(checking.thing.tags[DISTINCT - 1], last);
    vg_arena_dispose(&checking.arena);
}

static void test_validate__turns_times_into_milliseconds(void **state)
{
    (void)state;
    struct checking checking;
    char iso[] = "2019-10-05T15:07:10.123Z";
    char relative[] = " now - 1 day ";
    char digits[] = "1569185283911";
    char *times[] = { relative, digits };
    begin(&checking);
    checking.thing.at = iso;
    checking.thing.times = times;
    checking.thing.n_times = 2;
    assert_accepted(&checking);
    assert_string_equal(checking.thing.at, "1570288030123");
    assert_true(vg_wire_time(checking.thing.at) == INT64_C(1570288030123));
    assert_true(vg_wire_time(checking.thing.times[0]) == NOW - 86400000);
    assert_ptr_equal(checking.thing.times[1], digits);
    vg_arena_dispose(&checking.arena);
}

static void test_validate__names_a_time_that_is_none(void **state)
{
    (void)state;
    struct checking checking;
    char good[] = "now";
    char bad[] = "1 day";
    char *times[] = { good, bad };
    begin(&checking);
    checking.thing.times = times;
    checking.thing.n_times = 2;
    assert_refused(&checking, VG_INVALID_FIELD_VALUE, "times[1]");
}

static void test_validate__collects_all_violations(void **state)
{
    (void)state;
    struct checking checking;
    Vigil__Sketch__Thing inner[2] = { VIGIL__SKETCH__THING__INIT, VIGIL__SKETCH__THING__INIT };
    Vigil__Sketch__Thing *things[] = { &inner[0], &inner[1] };
    char name[] = "too long";
    begin(&checking);
    inner[1].name = name;
    inner[1].has_small = 1;
    inner[1].small = 1000;
    checking.thing.has_small = 1;
    checking.thing.small = -1000;
    checking.thing.things = things;
    checking.thing.n_things = 2;
    check(&checking);
    assert_int_equal(checking.reason, VG_INVALID_FIELD_VALUE);
    assert_int_equal(checking.error.violations.count, 3);
    assert_string_equal(checking.error.violations.items[0].field, "small");
    assert_string_equal(checking.error.violations.items[0].parameter, "-1000");
    assert_string_equal(checking.error.violations.items[1].field, "things[1].small");
    assert_string_equal(checking.error.violations.items[2].field, "things[1].name");
    assert_string_equal(checking.error.violations.items[2].parameter, "too long");
    vg_arena_dispose(&checking.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_validate__accepts_an_empty_message),
        cmocka_unit_test(test_validate__names_a_required_member_that_is_absent),
        cmocka_unit_test(test_validate__holds_numbers_to_their_range),
        cmocka_unit_test(test_validate__counts_characters_not_bytes),
        cmocka_unit_test(test_validate__matches_patterns_over_the_whole_text),
        cmocka_unit_test(test_validate__patterns_repeat_groups_and_give_back),
        cmocka_unit_test(test_validate__a_costly_text_ends_the_match),
        cmocka_unit_test(test_validate__refuses_numbers_without_a_word),
        cmocka_unit_test(test_validate__names_the_index_behind_a_bare_list),
        cmocka_unit_test(test_validate__refuses_two_forms_of_a_bare_message),
        cmocka_unit_test(test_validate__holds_lists_to_their_length),
        cmocka_unit_test(test_validate__drops_equal_elements_of_a_set),
        cmocka_unit_test(test_validate__drops_equal_elements_of_a_long_set),
        cmocka_unit_test(test_validate__turns_times_into_milliseconds),
        cmocka_unit_test(test_validate__names_a_time_that_is_none),
        cmocka_unit_test(test_validate__collects_all_violations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
