/* Messages as rows of a table: the names of the columns, and what stands in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/envelope/flat_column.h"
#include "tests/support/sketch/sketch_tables.h"

#include "vigil/sketch.pb-c.h"

struct place {
    struct vg_arena arena;
    struct vg_buffer scratch;
    struct vg_flat_columns columns;
};

static void place_open(struct place *place, const struct vg_table *table)
{
    vg_arena_init(&place->arena, 1u << 20);
    vg_buffer_init(&place->scratch, 1u << 20);
    assert_true(vg_flat_columns_make(table, &place->arena, &place->columns));
}

static void place_close(struct place *place)
{
    vg_buffer_dispose(&place->scratch);
    vg_arena_dispose(&place->arena);
}

static const struct vg_flat_column *find(const struct place *place, const char *name)
{
    for (size_t i = 0; i < place->columns.count; i++) {
        if (strcmp(place->columns.items[i].name, name) == 0) {
            return &place->columns.items[i];
        }
    }
    fail_msg("no column %s", name);
    return NULL;
}

/* What stands in the column as text, numbers with a mark before them. */
static void check(
    struct place *place,
    const Vigil__Sketch__Thing *thing,
    const char *name,
    const char *wanted)
{
    struct vg_flat_cell cell;
    char text[1000] = "";
    assert_true(vg_flat_column_read(find(place, name), &thing->base, &place->scratch, &cell));
    switch (cell.kind) {
    case VG_FLAT_EMPTY:
        break;
    case VG_FLAT_INTEGER:
        (void)snprintf(text, sizeof(text), "#%lld", (long long)cell.integer);
        break;
    case VG_FLAT_REAL:
        (void)snprintf(text, sizeof(text), "#%g", cell.real);
        break;
    case VG_FLAT_TEXT:
        (void)
            snprintf(text, sizeof(text), "%.*s", (int)cell.text.size, (const char *)cell.text.data);
        assert_int_equal(cell.text.data[cell.text.size], 0);
        break;
    }
    if (strcmp(text, wanted) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", name, text, wanted);
    }
}

static void test_flat_column__names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "small",       "big",        "positive", "huge",  "flag",      "ratio",      "level",
        "name",        "data",       "code",     "ports", "wides",     "ratios",     "flags",
        "levels",      "tags",       "blobs",    "notes", "comments",  "id",         "ids",
        "includeFlag", "properties", "labels",   "at",    "note.text", "note.stamp",
    };
    struct place place;
    place_open(&place, &vg_table_vigil_sketch_thing);
    for (size_t i = 0; i < VG_ARRAY_COUNT(names); i++) {
        assert_string_equal(place.columns.items[i].name, names[i]);
    }
    /* A message within itself: its members, but not those of the one below again. */
    (void)find(&place, "inner.small");
    (void)find(&place, "inner.note.stamp");
    (void)find(&place, "inner.inner");
    (void)find(&place, "criteria.customer");
    assert_string_equal(place.columns.items[place.columns.count - 1].name, "lastID");
    place_close(&place);
}

static void test_flat_column__nothing_is_empty(void **state)
{
    (void)state;
    struct place place;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    place_open(&place, &vg_table_vigil_sketch_thing);
    for (size_t i = 0; i < place.columns.count; i++) {
        check(&place, &thing, place.columns.items[i].name, "");
    }
    place_close(&place);
}

static void test_flat_column__scalars(void **state)
{
    (void)state;
    struct place place;
    char name[] = "n";
    char empty[] = "";
    uint8_t bytes[] = { 1, 2, 3 };
    Vigil__Sketch__Thing inner = VIGIL__SKETCH__THING__INIT;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    thing.has_small = true;
    thing.small = -5;
    thing.has_big = true;
    thing.big = INT64_MIN;
    thing.has_positive = true;
    thing.positive = UINT32_MAX;
    thing.has_huge = true;
    thing.huge = UINT64_MAX;
    thing.has_flag = true;
    thing.has_ratio = true;
    thing.ratio = 0.5;
    thing.has_level = true;
    thing.level = VIGIL__SKETCH__LEVEL__LEVEL_TOP_MOST;
    thing.name = name;
    thing.code = empty;
    thing.has_data = true;
    thing.data = (ProtobufCBinaryData){ 3, bytes };
    thing.inner = &inner;
    inner.has_small = true;
    inner.small = 7;
    inner.has_flag = true;
    inner.flag = true;
    place_open(&place, &vg_table_vigil_sketch_thing);
    check(&place, &thing, "small", "#-5");
    check(&place, &thing, "big", "#-9223372036854775808");
    check(&place, &thing, "positive", "#4294967295");
    check(&place, &thing, "huge", "18446744073709551615"); /* no number of a spreadsheet */
    check(&place, &thing, "flag", "false");
    check(&place, &thing, "ratio", "#0.5");
    check(&place, &thing, "level", "topMost");
    check(&place, &thing, "name", "n");
    check(&place, &thing, "code", "");
    check(&place, &thing, "data", "AQID");
    check(&place, &thing, "inner.small", "#7");
    check(&place, &thing, "inner.flag", "true");
    thing.huge = INT64_MAX;
    check(&place, &thing, "huge", "#9223372036854775807");
    thing.level = (Vigil__Sketch__Level)99;
    check(&place, &thing, "level", "");
    thing.ratio = __builtin_inf();
    check(&place, &thing, "ratio", "");
    place_close(&place);
}

static void test_flat_column__lists(void **state)
{
    (void)state;
    struct place place;
    char a[] = "a;b";
    char b[] = "c";
    char *tags[] = { a, b };
    int32_t ports[] = { 1, -2 };
    Vigil__Sketch__Level levels[] = { VIGIL__SKETCH__LEVEL__LEVEL_LOW,
                                      VIGIL__SKETCH__LEVEL__LEVEL_HIGH };
    double ratios[] = { 0.25, 3 };
    Vigil__Sketch__Note notes[] = { VIGIL__SKETCH__NOTE__INIT, VIGIL__SKETCH__NOTE__INIT };
    Vigil__Sketch__Note *list[] = { &notes[0], &notes[1] };
    Vigil__Sketch__NoteList comments = VIGIL__SKETCH__NOTE_LIST__INIT;
    Vigil__Sketch__TextEntry entry = VIGIL__SKETCH__TEXT_ENTRY__INIT;
    Vigil__Sketch__TextEntry *entries[] = { &entry };
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    thing.n_tags = 2;
    thing.tags = tags;
    thing.n_ports = 2;
    thing.ports = ports;
    thing.n_levels = 2;
    thing.levels = levels;
    thing.n_ratios = 2;
    thing.ratios = ratios;
    notes[0].text = b;
    notes[1].has_stamp = true;
    notes[1].stamp = 9;
    thing.n_notes = 2;
    thing.notes = list;
    comments.n_items = 1;
    comments.items = list;
    thing.comments = &comments;
    entry.key = b;
    entry.n_values = 2;
    entry.values = tags;
    thing.n_properties = 1;
    thing.properties = entries;
    place_open(&place, &vg_table_vigil_sketch_thing);
    check(&place, &thing, "tags", "a;b;c");
    check(&place, &thing, "ports", "1;-2");
    check(&place, &thing, "levels", "low;high");
    check(&place, &thing, "ratios", "0.25;3");
    check(&place, &thing, "notes", "{\"text\":\"c\",\"stamp\":null};{\"text\":null,\"stamp\":9}");
    check(&place, &thing, "comments", "{\"text\":\"c\",\"stamp\":null}");
    check(&place, &thing, "properties", "{\"c\":[\"a;b\",\"c\"]}");
    place_close(&place);
}

static void test_flat_column__shapes_are_json(void **state)
{
    (void)state;
    struct place place;
    char text[] = "x";
    Vigil__Sketch__Id id = VIGIL__SKETCH__ID__INIT;
    Vigil__Sketch__Count count = VIGIL__SKETCH__COUNT__INIT;
    Vigil__Sketch__IdParts parts = VIGIL__SKETCH__ID_PARTS__INIT;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    parts.customer = text;
    id.parts = &parts;
    thing.id = &id;
    count.has_value = true;
    count.value = 12;
    thing.count = &count;
    place_open(&place, &vg_table_vigil_sketch_thing);
    check(&place, &thing, "id", "{\"customer\":\"x\",\"serial\":null}");
    check(&place, &thing, "count", "#12");
    place_close(&place);
}

static void test_flat_column__memory_has_an_end(void **state)
{
    (void)state;
    struct vg_arena arena;
    struct vg_flat_columns columns;
    vg_arena_init(&arena, 4096);
    assert_false(vg_flat_columns_make(&vg_table_vigil_sketch_thing, &arena, &columns));
    vg_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flat_column__names),
        cmocka_unit_test(test_flat_column__nothing_is_empty),
        cmocka_unit_test(test_flat_column__scalars),
        cmocka_unit_test(test_flat_column__lists),
        cmocka_unit_test(test_flat_column__shapes_are_json),
        cmocka_unit_test(test_flat_column__memory_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
