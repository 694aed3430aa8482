/* Decoder and encoder against protobuf-c, over random messages of every table and over spoiled
 * bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/wire/plain_text.h"
#include "core/wire/wire_decode.h"
#include "core/wire/wire_encode.h"
#include "core/wire/wire_field.h"
#include "tests/support/random_message.h"

#define ARENA_MAX (256u << 20)
#define PER_TABLE 12
#define SPOILED   60
#define SEED      UINT64_C(20191005)
#define DEPTH_MAX 3u

struct packed {
    uint8_t *data;
    size_t size;
};

static struct packed oracle_pack(const ProtobufCMessage *message)
{
    struct packed packed = { .size = protobuf_c_message_get_packed_size(message) };
    packed.data = malloc(packed.size + 1);
    assert_non_null(packed.data);
    assert_int_equal(protobuf_c_message_pack(message, packed.data), packed.size);
    return packed;
}

static void assert_same(const ProtobufCMessage *one, const ProtobufCMessage *two, const char *what)
{
    struct packed a = oracle_pack(one);
    struct packed b = oracle_pack(two);
    if (a.size != b.size || memcmp(a.data, b.data, a.size) != 0) {
        fail_msg("%s: %s differs", one->descriptor->name, what);
    }
    free(a.data);
    free(b.data);
}

static void compare_round(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    struct vg_arena *arena)
{
    struct vg_error error;
    ProtobufCMessage *decoded = NULL;
    vg_error_init(&error, arena);
    struct packed packed = oracle_pack(message);
    enum vg_reason reason = vg_wire_decode(
        table,
        vg_bytes(packed.data, packed.size),
        &vg_wire_policy_record,
        arena,
        &decoded,
        &error);
    /* Random lists may be longer than the contract allows; then the reason must be just that. */
    if (reason == VG_OK) {
        assert_same(message, decoded, "decoding");
    } else if (reason != VG_INVALID_FIELD_VALUE) {
        fail_msg("%s: %s at %s", table->descriptor->name, error.message, error.field);
    }
    free(packed.data);

    /* The encoder appends, whatever stands before. */
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, ARENA_MAX);
    vg_buffer_append_text(&buffer, "head");
    assert_true(vg_wire_encode(table, message, &buffer));
    assert_memory_equal(buffer.data, "head", 4);
    ProtobufCMessage *unpacked =
        protobuf_c_message_unpack(table->descriptor, NULL, buffer.size - 4, buffer.data + 4);
    assert_non_null(unpacked);
    assert_same(message, unpacked, "encoding");
    protobuf_c_message_free_unpacked(unpacked, NULL);
    vg_buffer_dispose(&buffer);
}

static void test_wire_oracle__random_messages_agree_with_protobuf_c(void **state)
{
    (void)state;
    assert_true(vg_table_count > 0);
    for (size_t i = 0; i < vg_table_count; i++) {
        for (unsigned k = 0; k < PER_TABLE; k++) {
            struct vg_arena arena;
            vg_arena_init(&arena, ARENA_MAX);
            struct vg_random_message random = { .state = SEED + i * PER_TABLE + k,
                                                .arena = &arena,
                                                .depth_max = DEPTH_MAX };
            compare_round(vg_tables[i], vg_random_message_make(&random, vg_tables[i]), &arena);
            vg_arena_dispose(&arena);
        }
    }
}

/*
 * What only one of the two accepts. Known: protobuf-c takes texts that are not UTF-8 or hold a NUL,
 * field number 0, keys above 32 bits, and a bool of any wire type; it refuses groups and knows no
 * longest list. All
 * else must agree.
 */
enum difference { AGREED, TEXT, KEY, BOOL_TYPE, GROUP, LIST_LENGTH, OTHER };

static bool has_group(struct vg_bytes bytes, unsigned depth)
{
    struct vg_wire_field field;
    while (vg_wire_next(&bytes, &field) == VG_WIRE_STEP_FIELD) {
        if (field.wire_type == VG_WIRE_GROUP_START ||
            (field.wire_type == VG_WIRE_BYTES && depth > 0 && has_group(field.bytes, depth - 1))) {
            return true;
        }
    }
    return false;
}

static enum difference explain(
    const struct vg_error *error,
    enum vg_reason reason,
    const ProtobufCMessage *unpacked,
    struct vg_bytes bytes)
{
    if ((reason == VG_OK) == (unpacked != NULL)) {
        return AGREED;
    }
    if (reason == VG_OK) {
        return has_group(bytes, DEPTH_MAX + 2) ? GROUP : OTHER;
    }
    if (reason == VG_INVALID_FIELD_VALUE) {
        return LIST_LENGTH;
    }
    if (strstr(error->message, "UTF-8") != NULL) {
        return TEXT;
    }
    if (strstr(error->message, "wire type") != NULL) {
        return BOOL_TYPE;
    }
    return strstr(error->message, "malformed") != NULL ? KEY : OTHER;
}

static void spoil(struct vg_random_message *random, struct packed *packed)
{
    size_t times = 1 + (size_t)(vg_random_message_next(random) % 3);
    for (size_t i = 0; i < times && packed->size > 0; i++) {
        size_t at = (size_t)(vg_random_message_next(random) % packed->size);
        switch (vg_random_message_next(random) % 4) {
        case 0:
            packed->data[at] ^= (uint8_t)(1u << (vg_random_message_next(random) % 8));
            break;
        case 1:
            packed->data[at] = (uint8_t)vg_random_message_next(random);
            break;
        case 2:
            packed->size = at;
            break;
        default:
            memmove(packed->data + at, packed->data + at + 1, packed->size - at - 1);
            packed->size--;
            break;
        }
    }
}

static void test_wire_oracle__spoiled_bytes_agree_with_protobuf_c(void **state)
{
    (void)state;
    size_t both = 0;
    size_t neither = 0;
    size_t counts[OTHER + 1] = { 0 };
    for (size_t i = 0; i < vg_table_count; i++) {
        for (unsigned k = 0; k < SPOILED; k++) {
            const struct vg_table *table = vg_tables[i];
            struct vg_arena arena;
            struct vg_error error;
            vg_arena_init(&arena, ARENA_MAX);
            vg_error_init(&error, &arena);
            struct vg_random_message random = { .state = ~SEED + i * SPOILED + k,
                                                .arena = &arena,
                                                .depth_max = DEPTH_MAX };
            struct packed packed = oracle_pack(vg_random_message_make(&random, table));
            spoil(&random, &packed);
            struct vg_bytes bytes = vg_bytes(packed.data, packed.size);
            ProtobufCMessage *decoded = NULL;
            enum vg_reason reason =
                vg_wire_decode(table, bytes, &vg_wire_policy_record, &arena, &decoded, &error);
            ProtobufCMessage *unpacked =
                protobuf_c_message_unpack(table->descriptor, NULL, packed.size, packed.data);
            enum difference difference = explain(&error, reason, unpacked, bytes);
            if (difference == OTHER) {
                fail_msg(
                    "%s, table %zu, round %u: %s at %s",
                    table->descriptor->name,
                    i,
                    k,
                    reason == VG_OK ? "protobuf-c refused" : error.message,
                    error.field);
            }
            counts[difference]++;
            if (decoded != NULL && unpacked != NULL) {
                /* A message of a oneof that spoiling has made come twice is replaced by protobuf-c,
                 * where protobuf wants both merged; ours have no oneofs. */
                if (strncmp(table->descriptor->name, "vigil.", 6) == 0) {
                    assert_same(decoded, unpacked, "spoiled");
                }
                both++;
            }
            neither += decoded == NULL && unpacked == NULL;
            if (unpacked != NULL) {
                protobuf_c_message_free_unpacked(unpacked, NULL);
            }
            free(packed.data);
            vg_arena_dispose(&arena);
        }
    }
    print_message(
        "both read %zu, neither %zu; differences: text %zu, key %zu, bool %zu, group %zu, "
        "length %zu\n",
        both,
        neither,
        counts[TEXT],
        counts[KEY],
        counts[BOOL_TYPE],
        counts[GROUP],
        counts[LIST_LENGTH]);
    /* The comparison is worth something only if both outcomes are frequent. */
    assert_true(both > vg_table_count * SPOILED / 10);
    assert_true(neither > vg_table_count * SPOILED / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_oracle__random_messages_agree_with_protobuf_c),
        cmocka_unit_test(test_wire_oracle__spoiled_bytes_agree_with_protobuf_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
