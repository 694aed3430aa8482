/* The wire decoder: what it refuses and where, the odd but legal forms, and protobuf-c as the
 * oracle of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/wire/wire_decode.h"
#include "core/wire/wire_encode.h"
#include "core/wire/wire_field.h"
#include "tests/support/sketch/sketch_tables.h"

#include "vigil/sketch.pb-c.h"

#define ARENA_MAX (64u << 20)

#define THING (&vg_table_vigil_sketch_thing)

struct decoding {
    struct vg_arena arena;
    struct vg_error error;
    ProtobufCMessage *message;
    Vigil__Sketch__Thing *thing; /* the same */
    enum vg_reason reason;
};

static void decode_with(
    struct decoding *decoding,
    struct vg_bytes bytes,
    const struct vg_wire_policy *policy)
{
    vg_arena_init(&decoding->arena, ARENA_MAX);
    vg_error_init(&decoding->error, &decoding->arena);
    decoding->message = NULL;
    /* A copy of the exact size, so that a sanitizer sees a read past the end. */
    uint8_t *copy = malloc(bytes.size > 0 ? bytes.size : 1);
    assert_non_null(copy);
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    decoding->reason = vg_wire_decode(
        THING,
        vg_bytes(copy, bytes.size),
        policy,
        &decoding->arena,
        &decoding->message,
        &decoding->error);
    memset(copy, 0xAA, bytes.size);
    free(copy);
    decoding->thing = (Vigil__Sketch__Thing *)decoding->message;
}

static void decode(struct decoding *decoding, struct vg_bytes bytes)
{
    decode_with(decoding, bytes, &vg_wire_policy_request);
}

#define WIRE(text) vg_bytes(text, sizeof(text) - 1)

struct refused {
    const char *name;
    struct vg_bytes bytes;
    enum vg_reason reason;
    const char *path;
};

static const struct refused refused[] = {
    { "cut key", { (const uint8_t *)"\x80", 1 }, VG_INVALID_WIRE_MESSAGE, "" },
    { "cut varint", { (const uint8_t *)"\x08\x80", 2 }, VG_INVALID_WIRE_MESSAGE, "small" },
    { "no varint", { (const uint8_t *)"\x08", 1 }, VG_INVALID_WIRE_MESSAGE, "small" },
    { "varint of eleven bytes",
      { (const uint8_t *)"\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 12 },
      VG_INVALID_WIRE_MESSAGE,
      "small" },
    { "cut double", { (const uint8_t *)"\x31\x00\x00\x00", 4 }, VG_INVALID_WIRE_MESSAGE, "ratio" },
    { "cut text",
      { (const uint8_t *)"\x42\x05"
                         "abc",
        5 },
      VG_INVALID_WIRE_MESSAGE,
      "name" },
    { "huge length",
      { (const uint8_t *)"\x42\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11 },
      VG_INVALID_WIRE_MESSAGE,
      "name" },
    { "invalid UTF-8",
      { (const uint8_t *)"\x42\x02"
                         "a\xFF",
        4 },
      VG_INVALID_WIRE_MESSAGE,
      "name" },
    { "NUL in a text",
      { (const uint8_t *)"\x42\x03"
                         "a\0b",
        5 },
      VG_INVALID_WIRE_MESSAGE,
      "name" },
    { "NUL in a long text",
      { (const uint8_t *)"\x42\x0A"
                         "abcdefgh\0b",
        12 },
      VG_INVALID_WIRE_MESSAGE,
      "name" },
    { "other wire type",
      { (const uint8_t *)"\x42\x00\x0D\x00\x00\x00\x00", 7 },
      VG_INVALID_WIRE_MESSAGE,
      "small" },
    { "packed text", { (const uint8_t *)"\x80\x01\x01", 3 }, VG_INVALID_WIRE_MESSAGE, "tags" },
    { "cut element of a packed run",
      { (const uint8_t *)"\x5A\x02\x01\x80", 4 },
      VG_INVALID_WIRE_MESSAGE,
      "ports" },
    { "packed doubles of odd size",
      { (const uint8_t *)"\x6A\x09\0\0\0\0\0\0\0\0\0", 11 },
      VG_INVALID_WIRE_MESSAGE,
      "ratios" },
    { "field number 0", { (const uint8_t *)"\x00\x01", 2 }, VG_INVALID_WIRE_MESSAGE, "" },
    { "group end without a start",
      { (const uint8_t *)"\xA4\x06", 2 },
      VG_INVALID_WIRE_MESSAGE,
      "" },
    { "group without an end",
      { (const uint8_t *)"\xA3\x06\x08\x01", 4 },
      VG_INVALID_WIRE_MESSAGE,
      "" },
    { "group with another end",
      { (const uint8_t *)"\xA3\x06\xAC\x06", 4 },
      VG_INVALID_WIRE_MESSAGE,
      "" },
    { "wire type 6", { (const uint8_t *)"\xA6\x06", 2 }, VG_INVALID_WIRE_MESSAGE, "" },
    { "wire type 7", { (const uint8_t *)"\xA7\x06", 2 }, VG_INVALID_WIRE_MESSAGE, "" },
    { "below",
      { (const uint8_t *)"\xDA\x01\x05\x42\x03"
                         "a\0b",
        8 },
      VG_INVALID_WIRE_MESSAGE,
      "inner.name" },
    { "in a list of texts",
      { (const uint8_t *)"\x82\x01\x01"
                         "a\x82\x01\x01\xFF",
        8 },
      VG_INVALID_WIRE_MESSAGE,
      "tags[1]" },
    { "in a list of messages",
      { (const uint8_t *)"\xE2\x01\x00\xE2\x01\x03\x42\x01\xFF", 9 },
      VG_INVALID_WIRE_MESSAGE,
      "things[1].name" },
    { "below a cut field",
      { (const uint8_t *)"\xE2\x01\x00\xE2\x01\x02\x42\x01", 8 },
      VG_INVALID_WIRE_MESSAGE,
      "things[1].name" },
    { "one item too many, packed",
      { (const uint8_t *)"\x5A\x05\x01\x02\x03\x04\x05", 7 },
      VG_INVALID_FIELD_VALUE,
      "ports" },
    { "one item too many, one by one",
      { (const uint8_t *)"\x58\x01\x58\x02\x58\x03\x58\x04\x58\x05", 10 },
      VG_INVALID_FIELD_VALUE,
      "ports" },
    { "one item too many, in two runs",
      { (const uint8_t *)"\x58\x01\x58\x02\x58\x03\x08\x01\x58\x04\x58\x05", 12 },
      VG_INVALID_FIELD_VALUE,
      "ports" },
    { "one message too many",
      { (const uint8_t *)"\xE2\x01\x00\xE2\x01\x00\xE2\x01\x00\xE2\x01\x00", 12 },
      VG_INVALID_FIELD_VALUE,
      "things" },
};

static void test_wire_decode__names_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(refused); i++) {
        const struct refused *row = &refused[i];
        struct decoding decoding;
        decode(&decoding, row->bytes);
        if (decoding.reason != row->reason || strcmp(decoding.error.field, row->path) != 0) {
            fail_msg(
                "%s: %s at \"%s\"",
                row->name,
                vg_reason_row(decoding.reason)->name,
                decoding.error.field);
        }
        assert_null(decoding.message);
        vg_arena_dispose(&decoding.arena);
    }
}

static void test_wire_decode__takes_packed_and_unpacked_in_any_mixture(void **state)
{
    (void)state;
    struct decoding decoding;
    /* wides: 1 | packed 2 3 | small | 4 | empty run | 5 packed | 6 */
    decode(&decoding, WIRE("\x60\x01\x62\x02\x02\x03\x08\x07\x60\x04\x62\x00\x62\x01\x05\x60\x06"));
    assert_int_equal(decoding.reason, VG_OK);
    assert_int_equal(decoding.thing->n_wides, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(decoding.thing->wides[i], i + 1);
    }
    assert_int_equal(decoding.thing->small, 7);
    vg_arena_dispose(&decoding.arena);
}

static void test_wire_decode__collects_interleaved_lists(void **state)
{
    (void)state;
    struct vg_buffer wire;
    vg_buffer_init(&wire, ARENA_MAX);
    for (unsigned i = 0; i < 1000; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%u", i);
        vg_wire_put_text(&wire, 16, text);
        vg_wire_put_varint(&wire, 12, i);
    }
    struct decoding decoding;
    decode(&decoding, vg_buffer_bytes(&wire));
    assert_int_equal(decoding.reason, VG_OK);
    assert_int_equal(decoding.thing->n_tags, 1000);
    assert_int_equal(decoding.thing->n_wides, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(strtol(decoding.thing->tags[i], NULL, 10), i);
        assert_int_equal(decoding.thing->wides[i], i);
    }
    /* Each list is allocated at its first element and once more for the rest. */
    assert_true(decoding.arena.used < 64 * 1024);
    vg_arena_dispose(&decoding.arena);
    vg_buffer_dispose(&wire);
}

static void test_wire_decode__merges_a_message_that_comes_twice(void **state)
{
    (void)state;
    struct decoding decoding;
    /* note {text "a", stamp 1} small 1, note {text "b"}; inner {tags "x"} inner {tags "y", small 2}
     */
    decode(
        &decoding,
        WIRE("\xD2\x01\x05\x0A\x01"
             "a\x10\x01\x08\x01\xD2\x01\x03\x0A\x01"
             "b\xDA\x01\x04\x82\x01\x01x\xDA\x01\x06\x82\x01\x01y\x08\x02"));
    assert_int_equal(decoding.reason, VG_OK);
    assert_string_equal(decoding.thing->note->text, "b");
    assert_int_equal(decoding.thing->note->stamp, 1);
    assert_int_equal(decoding.thing->inner->n_tags, 2);
    assert_string_equal(decoding.thing->inner->tags[0], "x");
    assert_string_equal(decoding.thing->inner->tags[1], "y");
    assert_int_equal(decoding.thing->inner->small, 2);
    vg_arena_dispose(&decoding.arena);
}

static void test_wire_decode__cuts_numbers_as_protobuf_does(void **state)
{
    (void)state;
    struct decoding decoding;
    /* small = 2^33 + 5, flag = 2^40, level = -1, positive = -1 in ten bytes; the last of two
     * counts. */
    decode(
        &decoding,
        WIRE("\x08\x01\x08\x85\x80\x80\x80\x20\x28\x80\x80\x80\x80\x80\x20"
             "\x38\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x18\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
             "\x01"));
    assert_int_equal(decoding.reason, VG_OK);
    assert_int_equal(decoding.thing->small, 5);
    assert_true(decoding.thing->flag == 1);
    assert_true((int32_t)decoding.thing->level == -1);
    assert_true(decoding.thing->positive == UINT32_MAX);
    vg_arena_dispose(&decoding.arena);
}

/* field 100: varint, fixed64, text, group holding a group, fixed32; then small = 1 */
#define UNKNOWN_FIELDS                                                                             \
    "\xA0\x06\x05\xA1\x06"                                                                         \
    "12345678\xA2\x06\x02hi\xA3\x06\x08\x01\xAB\x06\xAC\x06\xA4\x06\xA5\x06"                       \
    "1234"

static void test_wire_decode__drops_unknown_fields_of_requests(void **state)
{
    (void)state;
    struct decoding decoding;
    decode(&decoding, WIRE(UNKNOWN_FIELDS "\x08\x01"));
    assert_int_equal(decoding.reason, VG_OK);
    assert_int_equal(decoding.message->n_unknown_fields, 0);
    assert_int_equal(decoding.thing->small, 1);
    vg_arena_dispose(&decoding.arena);
}

static void test_wire_decode__refuses_unknown_fields_when_told(void **state)
{
    (void)state;
    struct decoding decoding;
    decode_with(&decoding, WIRE("\xDA\x01\x03\xA0\x06\x05"), &vg_wire_policy_strict);
    assert_int_equal(decoding.reason, VG_UNKNOWN_FIELD);
    assert_string_equal(decoding.error.field, "inner");
    vg_arena_dispose(&decoding.arena);
}

static void test_wire_decode__keeps_unknown_fields_of_records(void **state)
{
    (void)state;
    struct decoding decoding;
    decode_with(&decoding, WIRE("\x08\x01" UNKNOWN_FIELDS), &vg_wire_policy_record);
    assert_int_equal(decoding.reason, VG_OK);
    assert_int_equal(decoding.message->n_unknown_fields, 5);
    struct vg_buffer wire;
    vg_buffer_init(&wire, ARENA_MAX);
    assert_true(vg_wire_encode(THING, decoding.message, &wire));
    assert_int_equal(wire.size, sizeof("\x08\x01" UNKNOWN_FIELDS) - 1);
    assert_memory_equal(wire.data, "\x08\x01" UNKNOWN_FIELDS, wire.size);
    vg_buffer_dispose(&wire);
    vg_arena_dispose(&decoding.arena);
}

/* `depth` messages within each other, the outermost included. */
static enum vg_reason decode_nested(size_t depth)
{
    struct vg_buffer wire;
    struct vg_buffer outer;
    vg_buffer_init(&wire, ARENA_MAX);
    vg_buffer_init(&outer, ARENA_MAX);
    for (size_t i = 1; i < depth; i++) {
        vg_buffer_clear(&outer);
        vg_wire_put_bytes(&outer, 27, vg_buffer_bytes(&wire));
        struct vg_buffer swap = wire;
        wire = outer;
        outer = swap;
    }
    struct decoding decoding;
    decode(&decoding, vg_buffer_bytes(&wire));
    vg_arena_dispose(&decoding.arena);
    vg_buffer_dispose(&wire);
    vg_buffer_dispose(&outer);
    return decoding.reason;
}

static void test_wire_decode__takes_64_levels_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(decode_nested(VG_LIMIT_WIRE_DEPTH), VG_OK);
    assert_int_equal(decode_nested(VG_LIMIT_WIRE_DEPTH + 1), VG_INVALID_WIRE_MESSAGE);
    assert_int_equal(decode_nested(10000), VG_INVALID_WIRE_MESSAGE);
}

static void test_wire_decode__bounds_groups_within_each_other(void **state)
{
    (void)state;
    uint8_t groups[20000];
    for (size_t i = 0; i < sizeof(groups); i += 2) {
        memcpy(groups + i, "\xA3\x06", 2);
    }
    struct decoding decoding;
    decode(&decoding, vg_bytes(groups, sizeof(groups)));
    assert_int_equal(decoding.reason, VG_INVALID_WIRE_MESSAGE);
    vg_arena_dispose(&decoding.arena);
}

static enum vg_reason decode_elements(size_t count)
{
    uint8_t *zeros = calloc(count, 1);
    assert_non_null(zeros);
    struct vg_buffer wire;
    vg_buffer_init(&wire, ARENA_MAX);
    vg_wire_put_bytes(&wire, 12, vg_bytes(zeros, count));
    free(zeros);
    struct decoding decoding;
    decode(&decoding, vg_buffer_bytes(&wire));
    vg_arena_dispose(&decoding.arena);
    vg_buffer_dispose(&wire);
    return decoding.reason;
}

static void test_wire_decode__takes_a_million_elements_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(decode_elements(VG_LIMIT_WIRE_VALUES), VG_OK);
    assert_int_equal(decode_elements(VG_LIMIT_WIRE_VALUES + 1), VG_REQUEST_MEMORY);
}

static void test_wire_decode__stops_at_the_arenas_cap(void **state)
{
    (void)state;
    struct vg_buffer wire;
    vg_buffer_init(&wire, ARENA_MAX);
    for (int i = 0; i < 100000; i++) {
        vg_wire_put_bytes(&wire, 18, vg_bytes(NULL, 0));
    }
    struct vg_arena arena;
    struct vg_error error;
    ProtobufCMessage *message = NULL;
    vg_arena_init(&arena, 8 * wire.size);
    vg_error_init(&error, &arena);
    assert_int_equal(
        vg_wire_decode(
            THING,
            vg_buffer_bytes(&wire),
            &vg_wire_policy_request,
            &arena,
            &message,
            &error),
        VG_REQUEST_MEMORY);
    assert_null(message);
    vg_arena_dispose(&arena);
    vg_buffer_dispose(&wire);
}

static void test_wire_decode__reads_nothing_as_an_empty_message(void **state)
{
    (void)state;
    struct decoding decoding;
    decode(&decoding, vg_bytes(NULL, 0));
    assert_int_equal(decoding.reason, VG_OK);
    assert_ptr_equal(decoding.message->descriptor, &vigil__sketch__thing__descriptor);
    assert_false(decoding.thing->has_small);
    vg_arena_dispose(&decoding.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_decode__names_what_is_wrong),
        cmocka_unit_test(test_wire_decode__takes_packed_and_unpacked_in_any_mixture),
        cmocka_unit_test(test_wire_decode__collects_interleaved_lists),
        cmocka_unit_test(test_wire_decode__merges_a_message_that_comes_twice),
        cmocka_unit_test(test_wire_decode__cuts_numbers_as_protobuf_does),
        cmocka_unit_test(test_wire_decode__drops_unknown_fields_of_requests),
        cmocka_unit_test(test_wire_decode__refuses_unknown_fields_when_told),
        cmocka_unit_test(test_wire_decode__keeps_unknown_fields_of_records),
        cmocka_unit_test(test_wire_decode__takes_64_levels_and_no_more),
        cmocka_unit_test(test_wire_decode__bounds_groups_within_each_other),
        cmocka_unit_test(test_wire_decode__takes_a_million_elements_and_no_more),
        cmocka_unit_test(test_wire_decode__stops_at_the_arenas_cap),
        cmocka_unit_test(test_wire_decode__reads_nothing_as_an_empty_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
