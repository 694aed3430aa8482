/* The JSON writer: what is unset, escapes, numbers, shapes that are only written, and the buffer's
 * limit. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/json/json_write.h"
#include "tests/support/sketch/sketch_tables.h"

#include "vigil/sketch.pb-c.h"

#define BYTES_MAX 1000000u

static void assert_written(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const struct vg_json_dialect *dialect,
    const char *expected)
{
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, BYTES_MAX);
    assert_true(vg_json_write(table, message, dialect, &buffer));
    vg_buffer_append_byte(&buffer, 0);
    assert_string_equal((const char *)buffer.data, expected);
    vg_buffer_dispose(&buffer);
}

static void test_json_write__shows_what_is_unset(void **state)
{
    (void)state;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    assert_written(
        &vg_table_vigil_sketch_thing,
        &thing.base,
        &vg_json_documented,
        "{\"small\":null,\"big\":null,\"positive\":null,\"huge\":null,\"flag\":null,\"ratio\":null,"
        "\"level\":null,\"name\":null,\"data\":null,\"code\":null,\"ports\":[],\"wides\":[],"
        "\"ratios\":[],\"flags\":[],\"levels\":[],\"tags\":[],\"blobs\":[],\"notes\":[],"
        "\"comments\":null,\"id\":null,\"ids\":[],\"includeFlag\":null,\"properties\":{},"
        "\"labels\":{},\"at\":null,\"note\":null,\"inner\":null,\"things\":[],\"count\":null,"
        "\"either\":null,\"criteria\":null,\"times\":[],\"facts\":{},\"lastID\":null}");
    assert_written(&vg_table_vigil_sketch_thing, &thing.base, &vg_json_standard, "{}");
}

static void test_json_write__keeps_the_order_of_declaration(void **state)
{
    (void)state;
    char first[] = "1";
    char third[] = "3";
    uint64_t second[] = { 2, UINT64_MAX };
    Vigil__Sketch__Shuffled shuffled = VIGIL__SKETCH__SHUFFLED__INIT;
    shuffled.first = first;
    shuffled.third = third;
    shuffled.second = second;
    shuffled.n_second = 2;
    assert_written(
        &vg_table_vigil_sketch_shuffled,
        &shuffled.base,
        &vg_json_documented,
        "{\"third\":\"3\",\"first\":\"1\",\"second\":[2,18446744073709551615]}");
    assert_written(
        &vg_table_vigil_sketch_shuffled,
        &shuffled.base,
        &vg_json_standard,
        "{\"third\":\"3\",\"first\":\"1\",\"second\":[\"2\",\"18446744073709551615\"]}");
}

/* Each number of digits: the least, the greatest, and what stands beside powers of two. */
static void test_json_write__numbers_of_all_lengths(void **state)
{
    (void)state;
    uint64_t numbers[2 * 20 + 3 * 64];
    size_t count = 0;
    for (uint64_t power = 1, digits = 1; digits <= 20; power *= 10, digits++) {
        numbers[count++] = power;
        numbers[count++] = power - 1;
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        for (uint64_t beside = 0; beside < 3; beside++) {
            numbers[count++] = (UINT64_C(1) << bit) - 1 + beside;
        }
    }
    for (size_t i = 0; i < count; i++) {
        char expected[80];
        Vigil__Sketch__Shuffled shuffled = VIGIL__SKETCH__SHUFFLED__INIT;
        shuffled.second = &numbers[i];
        shuffled.n_second = 1;
        (void)snprintf(
            expected,
            sizeof(expected),
            "{\"third\":null,\"first\":null,\"second\":[%llu]}",
            (unsigned long long)numbers[i]);
        assert_written(
            &vg_table_vigil_sketch_shuffled,
            &shuffled.base,
            &vg_json_documented,
            expected);
    }
}

static void test_json_write__escapes_what_must_be(void **state)
{
    (void)state;
    /* Each place of a block of sixteen bytes, and the tail. */
    for (size_t before = 0; before < 40; before++) {
        char text[64];
        char expected[128];
        struct vg_buffer buffer;
        memset(text, 'x', before);
        memcpy(text + before, "\"\\/\b\f\n\r\t\x01\x1F\x7F\xC3\xA6", 14);
        (void)snprintf(
            expected,
            sizeof(expected),
            "\"%.*s\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\xC3\xA6\"",
            (int)before,
            text);
        vg_buffer_init(&buffer, BYTES_MAX);
        assert_true(vg_json_write_text(vg_bytes_text(text), &buffer));
        vg_buffer_append_byte(&buffer, 0);
        assert_string_equal((const char *)buffer.data, expected);
        vg_buffer_dispose(&buffer);
    }
}

static void test_json_write__doubles_read_back_as_they_were(void **state)
{
    (void)state;
    static const double values[] = {
        0.0,
        -0.0,
        1.0,
        -1.5,
        0.1,
        52.3824,
        4.8995,
        1.0 / 3,
        2e-7,
        1e15,
        1e16,
        123456.789,
        9007199254740993.0,
        1e300,
        DBL_MAX,
        DBL_MIN,
        5e-324,
        -179.999999,
        0.30000000000000004,
        999999999999999.9,
        1e-6,
        123456789012345.6,
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(values); i++) {
        Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
        thing.has_ratio = 1;
        thing.ratio = values[i];
        struct vg_buffer buffer;
        vg_buffer_init(&buffer, BYTES_MAX);
        assert_true(
            vg_json_write(&vg_table_vigil_sketch_thing, &thing.base, &vg_json_standard, &buffer));
        vg_buffer_append_byte(&buffer, 0);
        double back = strtod((const char *)buffer.data + strlen("{\"ratio\":"), NULL);
        assert_memory_equal(&back, &values[i], sizeof(back));
        vg_buffer_dispose(&buffer);
    }
}

static void test_json_write__short_doubles_are_those_of_printf(void **state)
{
    (void)state;
    for (int i = -20000; i < 20000; i += 7) {
        Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
        char expected[64];
        thing.has_ratio = 1;
        thing.ratio = i / 10000.0;
        (void)snprintf(expected, sizeof(expected), "{\"ratio\":%.15g}", thing.ratio);
        /* printf goes over to exponents below a ten-thousandth. */
        if (strchr(expected, 'e') == NULL || i == 0) {
            assert_written(&vg_table_vigil_sketch_thing, &thing.base, &vg_json_standard, expected);
        }
    }
}

static void test_json_write__what_is_no_number_is_null(void **state)
{
    (void)state;
    double ratios[] = { NAN, INFINITY, -INFINITY };
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    struct vg_json_dialect brief = vg_json_documented;
    thing.ratios = ratios;
    thing.n_ratios = 3;
    assert_written(
        &vg_table_vigil_sketch_thing,
        &thing.base,
        &vg_json_standard,
        "{\"ratios\":[\"NaN\",\"Infinity\",\"-Infinity\"]}");
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, BYTES_MAX);
    assert_true(vg_json_write(&vg_table_vigil_sketch_thing, &thing.base, &brief, &buffer));
    vg_buffer_append_byte(&buffer, 0);
    assert_non_null(strstr((const char *)buffer.data, "\"ratios\":[null,null,null]"));
    vg_buffer_dispose(&buffer);
}

static void test_json_write__numbers_without_a_word_are_null(void **state)
{
    (void)state;
    Vigil__Sketch__Level levels[] = { 0,
                                      VIGIL__SKETCH__LEVEL__LEVEL_TOP_MOST,
                                      (Vigil__Sketch__Level)99 };
    Vigil__Sketch__Levels flag = VIGIL__SKETCH__LEVELS__INIT;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    flag.level = levels;
    flag.n_level = 3;
    thing.include_flag = &flag;
    thing.has_level = 1;
    assert_written(
        &vg_table_vigil_sketch_thing,
        &thing.base,
        &vg_json_standard,
        "{\"level\":\"LEVEL_UNSPECIFIED\",\"includeFlag\":{\"level\":[\"LEVEL_UNSPECIFIED\","
        "\"LEVEL_TOP_MOST\",99]}}");
    struct vg_json_dialect brief = vg_json_documented;
    brief.unset_shown = false;
    assert_written(
        &vg_table_vigil_sketch_thing,
        &thing.base,
        &brief,
        "{\"level\":null,\"includeFlag\":[null,\"topMost\",null]}");
}

static void test_json_write__writes_the_shape_that_is_set(void **state)
{
    (void)state;
    struct vg_json_dialect brief = vg_json_documented;
    brief.unset_shown = false;
    char text[] = "x";
    Vigil__Sketch__Note note = VIGIL__SKETCH__NOTE__INIT;
    Vigil__Sketch__Either either = VIGIL__SKETCH__EITHER__INIT;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    Vigil__Sketch__NoteList list = VIGIL__SKETCH__NOTE_LIST__INIT;
    Vigil__Sketch__Id id = VIGIL__SKETCH__ID__INIT;
    thing.either = &either;
    thing.comments = &list;
    thing.id = &id;
    assert_written(
        &vg_table_vigil_sketch_thing,
        &thing.base,
        &brief,
        "{\"comments\":[],\"id\":null,\"either\":null}");
    note.text = text;
    either.note = &note;
    assert_written(
        &vg_table_vigil_sketch_thing,
        &thing.base,
        &brief,
        "{\"comments\":[],\"id\":null,\"either\":{\"text\":\"x\"}}");
}

static void test_json_write__entries_without_key_or_value(void **state)
{
    (void)state;
    struct vg_json_dialect brief = vg_json_documented;
    brief.unset_shown = false;
    Vigil__Sketch__TextEntry entry = VIGIL__SKETCH__TEXT_ENTRY__INIT;
    Vigil__Sketch__Thing__LabelsEntry label = VIGIL__SKETCH__THING__LABELS_ENTRY__INIT;
    Vigil__Sketch__TextEntry *entries[] = { &entry };
    Vigil__Sketch__Thing__LabelsEntry *labels[] = { &label };
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    thing.properties = entries;
    thing.n_properties = 1;
    thing.labels = labels;
    thing.n_labels = 1;
    assert_written(
        &vg_table_vigil_sketch_thing,
        &thing.base,
        &brief,
        "{\"properties\":{\"\":[]},\"labels\":{\"\":\"\"}}");
}

/* Every maximum below what the text needs fails and leaves the buffer as it was. */
static void test_json_write__fails_whole_at_the_buffers_maximum(void **state)
{
    (void)state;
    char name[] = "some \"text\" of more than sixteen bytes\n";
    char *tags[] = { name, name };
    int64_t wides[] = { INT64_MIN, INT64_MAX, 0 };
    Vigil__Sketch__Note note = VIGIL__SKETCH__NOTE__INIT;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    note.text = name;
    thing.note = &note;
    thing.tags = tags;
    thing.n_tags = 2;
    thing.wides = wides;
    thing.n_wides = 3;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, BYTES_MAX);
    assert_true(
        vg_json_write(&vg_table_vigil_sketch_thing, &thing.base, &vg_json_documented, &buffer));
    size_t whole = buffer.size;
    vg_buffer_dispose(&buffer);
    bool done = false;
    for (size_t most = 4; !done; most++) {
        vg_buffer_init(&buffer, most);
        vg_buffer_append_text(&buffer, "head");
        done =
            vg_json_write(&vg_table_vigil_sketch_thing, &thing.base, &vg_json_documented, &buffer);
        assert_int_equal(buffer.size, done ? 4 + whole : 4);
        assert_int_equal(buffer.failed, !done);
        assert_memory_equal(buffer.data, "head", 4);
        /* It must fit a little above what it needs. */
        assert_true(done || most < 4 + whole + 64);
        assert_false(done && most < 4 + whole);
        vg_buffer_dispose(&buffer);
    }
}

static void test_json_write__a_member_alone(void **state)
{
    (void)state;
    int32_t ports[] = { 1, 2 };
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    thing.ports = ports;
    thing.n_ports = 2;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, BYTES_MAX);
    const struct vg_table *table = &vg_table_vigil_sketch_thing;
    assert_true(vg_json_write_member(
        table,
        vg_contract_field(table, 11),
        &thing.base,
        &vg_json_documented,
        &buffer));
    assert_true(vg_json_write_member(
        table,
        vg_contract_field(table, 1),
        &thing.base,
        &vg_json_documented,
        &buffer));
    assert_true(vg_json_write_text(vg_bytes(NULL, 0), &buffer));
    vg_buffer_append_byte(&buffer, 0);
    assert_string_equal((const char *)buffer.data, "[1,2]nullnull");
    vg_buffer_dispose(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_write__shows_what_is_unset),
        cmocka_unit_test(test_json_write__keeps_the_order_of_declaration),
        cmocka_unit_test(test_json_write__numbers_of_all_lengths),
        cmocka_unit_test(test_json_write__escapes_what_must_be),
        cmocka_unit_test(test_json_write__doubles_read_back_as_they_were),
        cmocka_unit_test(test_json_write__short_doubles_are_those_of_printf),
        cmocka_unit_test(test_json_write__what_is_no_number_is_null),
        cmocka_unit_test(test_json_write__numbers_without_a_word_are_null),
        cmocka_unit_test(test_json_write__writes_the_shape_that_is_set),
        cmocka_unit_test(test_json_write__entries_without_key_or_value),
        cmocka_unit_test(test_json_write__fails_whole_at_the_buffers_maximum),
        cmocka_unit_test(test_json_write__a_member_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
