/* The encoder at the limits of its buffer, and the primitives for fields of stored records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/wire/wire_decode.h"
#include "core/wire/wire_encode.h"
#include "core/wire/wire_field.h"
#include "tests/support/sketch/sketch_tables.h"

#include "vigil/sketch.pb-c.h"

#define BYTES_MAX (1u << 20)
#define THING     (&vg_table_vigil_sketch_thing)

static void assert_bytes(const struct vg_buffer *buffer, const char *expected, size_t size)
{
    assert_int_equal(buffer->size, size);
    assert_memory_equal(buffer->data, expected, size);
}

#define ASSERT_BYTES(buffer, text) assert_bytes(buffer, text, sizeof(text) - 1)

static void test_wire_encode__writes_known_bytes(void **state)
{
    (void)state;
    char name[] = "abc";
    char tag[] = "";
    char *tags[] = { name, tag };
    int32_t ports[] = { 1, -1, 300 };
    uint8_t data[] = { 0, 0xFF };
    Vigil__Sketch__Thing inner = VIGIL__SKETCH__THING__INIT;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    thing.has_small = 1;
    thing.small = -2;
    thing.has_flag = 1;
    thing.flag = 1;
    thing.has_ratio = 1;
    thing.ratio = 1.0;
    thing.name = name;
    thing.has_data = 1;
    thing.data.data = data;
    thing.data.len = sizeof(data);
    thing.ports = ports;
    thing.n_ports = 3;
    thing.tags = tags;
    thing.n_tags = 2;
    thing.inner = &inner;
    thing.has_last_in_line = 1;
    thing.last_in_line = 5;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, BYTES_MAX);
    assert_true(vg_wire_encode(THING, &thing.base, &buffer));
    ASSERT_BYTES(
        &buffer,
        "\x08\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"
        "\x28\x01"
        "\x31\x00\x00\x00\x00\x00\x00\xF0\x3F"
        "\x42\x03"
        "abc"
        "\x4A\x02\x00\xFF"
        "\x5A\x0D\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\xAC\x02"
        "\x82\x01\x03"
        "abc"
        "\x82\x01\x00"
        "\xDA\x01\x00"
        "\xF8\x7F\x05");
    vg_buffer_dispose(&buffer);
}

static void test_wire_encode__an_empty_message_is_nothing(void **state)
{
    (void)state;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, BYTES_MAX);
    assert_true(vg_wire_encode(THING, &thing.base, &buffer));
    assert_int_equal(buffer.size, 0);
    vg_buffer_append_text(&buffer, "head");
    assert_true(vg_wire_encode(THING, &thing.base, &buffer));
    ASSERT_BYTES(&buffer, "head");
    vg_buffer_dispose(&buffer);
}

/* The tail moves as the buffer grows: every size of what stands before, over several enlargements.
 */
static void test_wire_encode__grows_the_buffer_under_the_tail(void **state)
{
    (void)state;
    enum { TAGS = 300 };
    char name[] = "a text that is neither short nor long";
    char *tags[TAGS];
    for (size_t i = 0; i < TAGS; i++) {
        tags[i] = name;
    }
    Vigil__Sketch__Thing inner = VIGIL__SKETCH__THING__INIT;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    inner.tags = tags;
    inner.n_tags = TAGS;
    thing.inner = &inner;
    thing.name = name;
    size_t size = protobuf_c_message_get_packed_size(&thing.base);
    uint8_t *expected = malloc(size);
    assert_non_null(expected);
    assert_int_equal(protobuf_c_message_pack(&thing.base, expected), size);
    for (size_t before = 0; before < 700; before += 23) {
        struct vg_buffer buffer;
        vg_buffer_init(&buffer, BYTES_MAX);
        for (size_t i = 0; i < before; i++) {
            vg_buffer_append_byte(&buffer, (uint8_t)i);
        }
        assert_true(vg_wire_encode(THING, &thing.base, &buffer));
        assert_int_equal(buffer.size, before + size);
        assert_memory_equal(buffer.data + before, expected, size);
        for (size_t i = 0; i < before; i++) {
            assert_int_equal(buffer.data[i], (uint8_t)i);
        }
        vg_buffer_dispose(&buffer);
    }
    free(expected);
}

static void test_wire_encode__fails_whole_at_the_buffers_maximum(void **state)
{
    (void)state;
    char name[] = "a text of some length";
    int64_t wides[] = { 1, -1 };
    Vigil__Sketch__Thing inner = VIGIL__SKETCH__THING__INIT;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    inner.name = name;
    thing.inner = &inner;
    thing.wides = wides;
    thing.n_wides = 2;
    size_t size = protobuf_c_message_get_packed_size(&thing.base);
    bool done = false;
    for (size_t most = 4; !done; most++) {
        struct vg_buffer buffer;
        vg_buffer_init(&buffer, most);
        vg_buffer_append_text(&buffer, "head");
        done = vg_wire_encode(THING, &thing.base, &buffer);
        assert_int_equal(buffer.size, done ? 4 + size : 4);
        assert_int_equal(buffer.failed, !done);
        assert_memory_equal(buffer.data, "head", 4);
        assert_true(done || most < 4 + size + 12);
        assert_false(done && most < 4 + size);
        vg_buffer_dispose(&buffer);
    }
}

static void test_wire_encode__fields_appended_to_a_record_count(void **state)
{
    (void)state;
    char name[] = "first";
    Vigil__Sketch__Note note = VIGIL__SKETCH__NOTE__INIT;
    Vigil__Sketch__Thing thing = VIGIL__SKETCH__THING__INIT;
    thing.name = name;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, BYTES_MAX);
    assert_true(vg_wire_encode(THING, &thing.base, &buffer));
    note.has_stamp = 1;
    note.stamp = 7;
    vg_wire_put_text(&buffer, 8, "last");
    vg_wire_put_varint(&buffer, 2047, UINT64_MAX);
    vg_wire_put_fixed64(&buffer, 6, UINT64_C(0x3FF0000000000000));
    vg_wire_put_bytes(&buffer, 17, vg_bytes("\0\1", 2));
    vg_wire_put_message(&buffer, 18, vg_contract_field(THING, 18)->sub, &note.base);
    vg_wire_put_message(&buffer, 18, vg_contract_field(THING, 18)->sub, NULL);
    assert_false(buffer.failed);
    Vigil__Sketch__Thing *read = vigil__sketch__thing__unpack(NULL, buffer.size, buffer.data);
    assert_non_null(read);
    assert_string_equal(read->name, "last");
    assert_true(read->last_in_line == -1);
    assert_true(read->ratio == 1.0);
    assert_int_equal(read->n_blobs, 1);
    assert_int_equal(read->blobs[0].len, 2);
    assert_int_equal(read->n_notes, 1);
    assert_int_equal(read->notes[0]->stamp, 7);
    vigil__sketch__thing__free_unpacked(read, NULL);
    vg_buffer_dispose(&buffer);
}

static void test_wire_encode__a_put_that_does_not_fit_changes_nothing(void **state)
{
    (void)state;
    char name[] = "0123456789";
    Vigil__Sketch__Note note = VIGIL__SKETCH__NOTE__INIT;
    note.text = name;
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, 13);
    vg_buffer_append_text(&buffer, "ab");
    vg_wire_put_text(&buffer, 1, name);
    assert_true(buffer.failed);
    ASSERT_BYTES(&buffer, "ab");
    vg_buffer_clear(&buffer);
    vg_wire_put_message(&buffer, 1, vg_contract_field(THING, 18)->sub, &note.base);
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, 0);
    vg_buffer_dispose(&buffer);
}

static void test_wire_encode__walks_the_fields_of_a_record(void **state)
{
    (void)state;
    static const char wire[] = "\x08\x96\x01\x11\x01\x00\x00\x00\x00\x00\x00\x00\x1A\x02hi"
                               "\x23\x08\x01\x24\x2D\x02\x00\x00\x00";
    struct vg_bytes rest = vg_bytes(wire, sizeof(wire) - 1);
    struct vg_wire_field field;
    assert_int_equal(vg_wire_next(&rest, &field), VG_WIRE_STEP_FIELD);
    assert_int_equal(field.number, 1);
    assert_int_equal(field.wire_type, VG_WIRE_VARINT);
    assert_int_equal(field.value, 150);
    assert_int_equal(field.whole.size, 3);
    assert_int_equal(vg_wire_next(&rest, &field), VG_WIRE_STEP_FIELD);
    assert_int_equal(field.number, 2);
    assert_int_equal(field.value, 1);
    assert_int_equal(vg_wire_next(&rest, &field), VG_WIRE_STEP_FIELD);
    assert_true(vg_bytes_equal(field.bytes, vg_bytes("hi", 2)));
    assert_int_equal(field.whole.size, 4);
    assert_int_equal(vg_wire_next(&rest, &field), VG_WIRE_STEP_FIELD);
    assert_int_equal(field.number, 4);
    assert_int_equal(field.wire_type, VG_WIRE_GROUP_START);
    assert_true(vg_bytes_equal(field.bytes, vg_bytes("\x08\x01", 2)));
    assert_int_equal(vg_wire_next(&rest, &field), VG_WIRE_STEP_FIELD);
    assert_int_equal(field.number, 5);
    assert_int_equal(field.value, 2);
    assert_int_equal(vg_wire_next(&rest, &field), VG_WIRE_STEP_END);

    static const char cut[] = "\x08\x01\x1A\x05hi";
    rest = vg_bytes(cut, sizeof(cut) - 1);
    assert_int_equal(vg_wire_next(&rest, &field), VG_WIRE_STEP_FIELD);
    assert_int_equal(vg_wire_next(&rest, &field), VG_WIRE_STEP_BROKEN);
    assert_int_equal(field.number, 1);
    assert_int_equal(rest.size, sizeof(cut) - 1 - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_encode__writes_known_bytes),
        cmocka_unit_test(test_wire_encode__an_empty_message_is_nothing),
        cmocka_unit_test(test_wire_encode__grows_the_buffer_under_the_tail),
        cmocka_unit_test(test_wire_encode__fails_whole_at_the_buffers_maximum),
        cmocka_unit_test(test_wire_encode__fields_appended_to_a_record_count),
        cmocka_unit_test(test_wire_encode__a_put_that_does_not_fit_changes_nothing),
        cmocka_unit_test(test_wire_encode__walks_the_fields_of_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
