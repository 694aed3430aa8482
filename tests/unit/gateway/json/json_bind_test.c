/* URL parameters bound to members: the conversions, lists that grow, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/json/json_read.h"
#include "gateway/json/json_write.h"
#include "tests/support/sketch/sketch_tables.h"

#include "vigil/sketch.pb-c.h"

#define ARENA_MAX (1u << 20)

static const struct vg_field *field_of(const char *name)
{
    return vg_json_find_field(
        &vg_table_vigil_sketch_thing,
        vg_bytes_text(name),
        &vg_json_documented);
}

static enum vg_reason bind(
    Vigil__Sketch__Thing *thing,
    const char *name,
    struct vg_bytes text,
    struct vg_error *error)
{
    const struct vg_field *field = field_of(name);
    assert_non_null(field);
    assert_true(vg_json_is_bindable(field));
    return vg_json_read_text(field, text, &thing->base, error->violations.arena, error);
}

static void test_json_bind__converts_and_appends(void **state)
{
    (void)state;
    static const char *const parameters[][2] = {
        { "small", "-5" },   { "big", "5.0" },         { "flag", "TRUE" },
        { "level", "high" }, { "name", "a b" },        { "name", "c" },
        { "ports", "80" },   { "ports", "443" },       { "ports", "1" },
        { "tags", "x" },     { "tags", "" },           { "levels", "low" },
        { "id", "some/id" }, { "ids", "one" },         { "ids", "two" },
        { "ids", "three" },  { "includeFlag", "low" }, { "includeFlag", "topMost" },
        { "count", "7" },    { "at", "now" },          { "ratio", "1.5" },
    };
    struct vg_arena arena;
    struct vg_error error;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    vg_arena_init(&arena, ARENA_MAX);
    vg_error_init(&error, &arena);
    for (size_t i = 0; i < VG_ARRAY_COUNT(parameters); i++) {
        assert_int_equal(
            bind(&thing, parameters[i][0], vg_bytes_text(parameters[i][1]), &error),
            VG_OK);
    }
    struct vg_json_dialect brief = vg_json_documented;
    struct vg_buffer buffer;
    brief.unset_shown = false;
    vg_buffer_init(&buffer, ARENA_MAX);
    assert_true(vg_json_write(&vg_table_vigil_sketch_thing, &thing.base, &brief, &buffer));
    vg_buffer_append_byte(&buffer, 0);
    assert_string_equal(
        (const char *)buffer.data,
        "{\"small\":-5,\"big\":5,\"flag\":true,\"ratio\":1.5,\"level\":\"high\",\"name\":\"c\","
        "\"ports\":[80,443,1],\"levels\":[\"low\"],\"tags\":[\"x\",\"\"],\"id\":\"some/id\","
        "\"ids\":[\"one\",\"two\",\"three\"],\"includeFlag\":[\"low\",\"topMost\"],\"at\":\"now\","
        "\"count\":7}");
    vg_buffer_dispose(&buffer);
    vg_arena_dispose(&arena);
}

static void test_json_bind__appends_many(void **state)
{
    (void)state;
    struct vg_arena arena;
    struct vg_error error;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    vg_arena_init(&arena, ARENA_MAX);
    vg_error_init(&error, &arena);
    for (int i = 0; i < 1000; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%d", i);
        assert_int_equal(bind(&thing, "wides", vg_bytes_text(text), &error), VG_OK);
    }
    assert_int_equal(thing.n_wides, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(thing.wides[i], i);
    }
    vg_arena_dispose(&arena);
}

static void test_json_bind__tells_every_wrong_parameter(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct vg_bytes text;
        const char *parameter;
    } rows[] = {
        { "small", { (const uint8_t *)"abc", 3 }, "abc" },
        { "small", { (const uint8_t *)"", 0 }, "" },
        { "small", { (const uint8_t *)"99999999999", 11 }, "99999999999" },
        { "flag", { (const uint8_t *)"1", 1 }, "1" },
        { "level", { (const uint8_t *)"nosuch", 6 }, "nosuch" },
        { "ids", { (const uint8_t *)"a\0b", 3 }, "a" },
        { "name", { (const uint8_t *)"\xFF", 1 }, "" },
        { "count", { (const uint8_t *)"x", 1 }, "x" },
        { "includeFlag", { (const uint8_t *)"x", 1 }, "x" },
    };
    struct vg_arena arena;
    struct vg_error error;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    vg_arena_init(&arena, ARENA_MAX);
    vg_error_init(&error, &arena);
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        assert_int_equal(
            bind(&thing, rows[i].name, rows[i].text, &error),
            VG_INVALID_URL_PARAMETER);
        assert_int_equal(error.violations.count, i + 1);
        assert_string_equal(error.violations.items[i].field, rows[i].name);
        assert_string_equal(error.violations.items[i].parameter, rows[i].parameter);
    }
    vg_arena_dispose(&arena);
}

static void test_json_bind__holds_lists_to_their_length(void **state)
{
    (void)state;
    struct vg_arena arena;
    struct vg_error error;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    vg_arena_init(&arena, ARENA_MAX);
    vg_error_init(&error, &arena);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bind(&thing, "ports", vg_bytes_text("1"), &error), VG_OK);
    }
    assert_int_equal(bind(&thing, "ports", vg_bytes_text("1"), &error), VG_INVALID_URL_PARAMETER);
    assert_int_equal(thing.n_ports, 4);
    vg_arena_dispose(&arena);
}

static void test_json_bind__objects_are_not_bindable(void **state)
{
    (void)state;
    static const char *const names[] = { "note",   "notes",    "comments", "properties",
                                         "labels", "criteria", "inner" };
    for (size_t i = 0; i < VG_ARRAY_COUNT(names); i++) {
        assert_false(vg_json_is_bindable(field_of(names[i])));
    }
    assert_null(field_of("nosuch"));
    assert_null(field_of("include_flag"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_bind__converts_and_appends),
        cmocka_unit_test(test_json_bind__appends_many),
        cmocka_unit_test(test_json_bind__tells_every_wrong_parameter),
        cmocka_unit_test(test_json_bind__holds_lists_to_their_length),
        cmocka_unit_test(test_json_bind__objects_are_not_bindable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
