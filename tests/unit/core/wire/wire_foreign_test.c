/* What messages of others may say and ours not: members without presence, and oneofs, whose members
 * of different types share one place. protobuf-c is the oracle of the random ones in
 * wire_oracle_test.c. */
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
#include "proto/contract_json.h"

#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"

#define ARENA_MAX  (1u << 20)
#define REQUEST    (&vg_table_grpc_reflection_v1_server_reflection_request)
#define RESPONSE   (&vg_table_grpc_health_v1_health_check_response)
#define CASE(name) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##name
#define WIRE(text) vg_bytes(text, sizeof(text) - 1)

typedef Grpc__Reflection__V1__ServerReflectionRequest reflection_request;

static struct vg_arena arena;

static int open_arena(void **state)
{
    (void)state;
    vg_arena_init(&arena, ARENA_MAX);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    vg_arena_dispose(&arena);
    return 0;
}

static enum vg_reason decode(
    const struct vg_table *table,
    struct vg_bytes bytes,
    ProtobufCMessage **out_message)
{
    struct vg_error error;
    vg_error_init(&error, &arena);
    return vg_wire_decode(table, bytes, &vg_wire_policy_request, &arena, out_message, &error);
}

static reflection_request *decoded(struct vg_bytes bytes)
{
    ProtobufCMessage *message = NULL;
    assert_int_equal(decode(REQUEST, bytes, &message), VG_OK);
    return (reflection_request *)message;
}

static void assert_encoded(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    struct vg_bytes expected)
{
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, ARENA_MAX);
    assert_true(vg_wire_encode(table, message, &buffer));
    assert_int_equal(buffer.size, expected.size);
    if (expected.size > 0) {
        assert_memory_equal(buffer.data, expected.data, expected.size);
    }
    vg_buffer_dispose(&buffer);
}

static void test_wire_foreign__of_a_oneof_the_last_counts(void **state)
{
    (void)state;
    /* file_by_filename, then list_services */
    reflection_request *request = decoded(WIRE("\x1A\x01"
                                               "a"
                                               "\x3A\x02"
                                               "bc"));
    assert_int_equal(request->message_request_case, CASE(LIST_SERVICES));
    assert_string_equal(request->list_services, "bc");
    assert_encoded(
        REQUEST,
        &request->base,
        WIRE("\x3A\x02"
             "bc"));
}

static void test_wire_foreign__a_text_is_never_taken_for_a_message(void **state)
{
    (void)state;
    /* A text of bytes that would be a pointer into nowhere, then the message in its place. */
    reflection_request *request = decoded(WIRE("\x22\x08"
                                               "AAAAAAAA"
                                               "\x2A\x05\x0A\x01T\x10\x07"));
    assert_int_equal(request->message_request_case, CASE(FILE_CONTAINING_EXTENSION));
    assert_string_equal(request->file_containing_extension->containing_type, "T");
    assert_int_equal(request->file_containing_extension->extension_number, 7);
    /* And back: the message is not read as a text. */
    request = decoded(WIRE("\x2A\x05\x0A\x01T\x10\x07"
                           "\x22\x01"
                           "x"));
    assert_int_equal(request->message_request_case, CASE(FILE_CONTAINING_SYMBOL));
    assert_string_equal(request->file_containing_symbol, "x");
    /* The message once more: begun anew, not merged into what had left its place. */
    request = decoded(WIRE("\x2A\x03\x0A\x01T"
                           "\x22\x01"
                           "x"
                           "\x2A\x02\x10\x07"));
    assert_null(request->file_containing_extension->containing_type);
    assert_int_equal(request->file_containing_extension->extension_number, 7);
}

static void test_wire_foreign__a_message_of_a_oneof_is_merged_with_itself(void **state)
{
    (void)state;
    reflection_request *request = decoded(WIRE("\x2A\x03\x0A\x01T\x2A\x02\x10\x07"));
    assert_string_equal(request->file_containing_extension->containing_type, "T");
    assert_int_equal(request->file_containing_extension->extension_number, 7);
}

static void test_wire_foreign__an_empty_member_of_a_oneof_is_set(void **state)
{
    (void)state;
    reflection_request *request = decoded(WIRE("\x3A\x00"));
    assert_int_equal(request->message_request_case, CASE(LIST_SERVICES));
    assert_encoded(REQUEST, &request->base, WIRE("\x3A\x00"));
    request = decoded(WIRE(""));
    assert_int_equal(request->message_request_case, CASE(_NOT_SET));
    assert_encoded(REQUEST, &request->base, WIRE(""));
}

static void test_wire_foreign__what_is_zero_without_presence_is_not_sent(void **state)
{
    Grpc__Health__V1__HealthCheckResponse answer = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    ProtobufCMessage *message = NULL;
    (void)state;
    assert_encoded(RESPONSE, &answer.base, WIRE(""));
    answer.status = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
    assert_encoded(RESPONSE, &answer.base, WIRE("\x08\x02"));
    /* Enums of proto3 are open, and the last one counts, zero or not. */
    assert_int_equal(decode(RESPONSE, WIRE("\x08\x63"), &message), VG_OK);
    assert_int_equal(((Grpc__Health__V1__HealthCheckResponse *)message)->status, 99);
    assert_int_equal(decode(RESPONSE, WIRE("\x08\x02\x08\x00"), &message), VG_OK);
    assert_int_equal(((Grpc__Health__V1__HealthCheckResponse *)message)->status, 0);
    reflection_request *request = decoded(WIRE("\x0A\x00"));
    assert_encoded(REQUEST, &request->base, WIRE(""));
}

static void test_wire_foreign__a_broken_member_of_a_oneof_is_refused(void **state)
{
    static const struct {
        const char *name;
        struct vg_bytes bytes;
    } rows[] = {
        { "cut text", { (const uint8_t *)"\x22\x05x", 3 } },
        { "no UTF-8", { (const uint8_t *)"\x22\x01\xFF", 3 } },
        { "NUL", { (const uint8_t *)"\x22\x01\x00", 3 } },
        { "wrong wire type", { (const uint8_t *)"\x20\x01", 2 } },
        { "cut message", { (const uint8_t *)"\x2A\x02\x10", 3 } },
        { "broken after another", { (const uint8_t *)"\x22\x01x\x2A\x01\x10", 6 } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ProtobufCMessage *message = NULL;
        if (decode(REQUEST, rows[i].bytes, &message) != VG_INVALID_WIRE_MESSAGE) {
            fail_msg("%s was taken", rows[i].name);
        }
        assert_null(message);
    }
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_wire_foreign__##name, open_arena, close_arena)
    const struct CMUnitTest tests[] = {
        TEST(of_a_oneof_the_last_counts),
        TEST(a_text_is_never_taken_for_a_message),
        TEST(a_message_of_a_oneof_is_merged_with_itself),
        TEST(an_empty_member_of_a_oneof_is_set),
        TEST(what_is_zero_without_presence_is_not_sent),
        TEST(a_broken_member_of_a_oneof_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
