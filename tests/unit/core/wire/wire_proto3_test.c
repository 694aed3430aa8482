/* Messages of proto3 with every kind of member, also within a oneof: random ones must go through
 * our decoder and encoder and through protobuf-c with the same result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/wire/wire_decode.h"
#include "core/wire/wire_encode.h"
#include "tests/support/random_message.h"
#include "tests/support/sketch/sketch_tables.h"

#include "other/other.pb-c.h"

#define ARENA_MAX (16u << 20)
#define MESSAGES  500
#define SEED      UINT64_C(20261122)
#define TABLE     (&vg_table_other_v1_request)

struct packed {
    uint8_t *data;
    size_t size;
};

static struct packed pack(const ProtobufCMessage *message)
{
    struct packed packed = { .size = protobuf_c_message_get_packed_size(message) };
    packed.data = malloc(packed.size + 1);
    assert_non_null(packed.data);
    assert_int_equal(protobuf_c_message_pack(message, packed.data), packed.size);
    return packed;
}

static void assert_same(const ProtobufCMessage *one, const ProtobufCMessage *two, unsigned number)
{
    struct packed a = pack(one);
    struct packed b = pack(two);
    if (a.size != b.size || memcmp(a.data, b.data, a.size) != 0) {
        fail_msg("message %u differs", number);
    }
    free(a.data);
    free(b.data);
}

static void test_wire_proto3__random_messages_agree_with_protobuf_c(void **state)
{
    unsigned cases[16] = { 0 };
    (void)state;
    for (unsigned i = 0; i < MESSAGES; i++) {
        struct vg_arena arena;
        struct vg_error error;
        struct vg_buffer buffer;
        ProtobufCMessage *decoded = NULL;
        vg_arena_init(&arena, ARENA_MAX);
        vg_error_init(&error, &arena);
        vg_buffer_init(&buffer, ARENA_MAX);
        struct vg_random_message random = { .state = SEED + i, .arena = &arena, .depth_max = 3 };
        ProtobufCMessage *message = vg_random_message_make(&random, TABLE);
        struct packed packed = pack(message);
        assert_int_equal(
            vg_wire_decode(
                TABLE,
                vg_bytes(packed.data, packed.size),
                &vg_wire_policy_strict,
                &arena,
                &decoded,
                &error),
            VG_OK);
        assert_same(message, decoded, i);
        assert_true(vg_wire_encode(TABLE, decoded, &buffer));
        ProtobufCMessage *unpacked =
            protobuf_c_message_unpack(TABLE->descriptor, NULL, buffer.size, buffer.data);
        assert_non_null(unpacked);
        assert_same(message, unpacked, i);
        cases[((const Other__V1__Request *)decoded)->one_choice_case]++;
        protobuf_c_message_free_unpacked(unpacked, NULL);
        free(packed.data);
        vg_buffer_dispose(&buffer);
        vg_arena_dispose(&arena);
    }
    /* Each member of the oneof has been met, and none of them. */
    assert_true(cases[OTHER__V1__REQUEST__ONE_CHOICE__NOT_SET] > 0);
    for (unsigned i = OTHER__V1__REQUEST__ONE_CHOICE_TEXT; i <= OTHER__V1__REQUEST__ONE_CHOICE_TINT;
         i++) {
        assert_true(cases[i] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_proto3__random_messages_agree_with_protobuf_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
