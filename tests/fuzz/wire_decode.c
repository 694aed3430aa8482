/*
 * Decodes bytes as several messages of the contract. What was decoded must survive encoder and
 * decoder unchanged, and protobuf-c, where it accepts the bytes too, must have the same message.
 * Only what we decode is given to protobuf-c, which has no limit on depth.
 *
 * Threads: one.
 */
#include "core/wire/wire_decode.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/validate.h"
#include "core/wire/wire_encode.h"

#define BYTES_MAX (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
    "vigil.events.v1.SearchCriteria",
    "vigil.events.v2.BulkSubmitRequest",
    "vigil.events.v2.Event",
    "vigil.record.v1.Event",
    "grpc.reflection.v1.ServerReflectionResponse", /* oneofs, members without presence */
};

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static bool same(const ProtobufCMessage *one, const ProtobufCMessage *two)
{
    size_t size = protobuf_c_message_get_packed_size(one);
    if (size != protobuf_c_message_get_packed_size(two)) {
        return false;
    }
    uint8_t *bytes = malloc(2 * size + 1);
    must(bytes != NULL);
    (void)protobuf_c_message_pack(one, bytes);
    (void)protobuf_c_message_pack(two, bytes + size);
    bool equal = memcmp(bytes, bytes + size, size) == 0;
    free(bytes);
    return equal;
}

/*
 * protobuf-c's message of the same bytes, if it takes them, is `message`. Unknown fields are left
 * out of the comparison: of a message that comes twice protobuf-c keeps only some.
 */
static void check_unpacked(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    struct vg_bytes wire,
    struct vg_arena *arena)
{
    struct vg_error error;
    ProtobufCMessage *again;
    ProtobufCMessage *unpacked =
        protobuf_c_message_unpack(table->descriptor, NULL, wire.size, wire.data);
    if (unpacked == NULL) {
        return;
    }
    size_t size = protobuf_c_message_get_packed_size(unpacked);
    uint8_t *bytes = malloc(size + 1);
    must(bytes != NULL);
    (void)protobuf_c_message_pack(unpacked, bytes);
    protobuf_c_message_free_unpacked(unpacked, NULL);
    vg_error_init(&error, arena);
    must(
        vg_wire_decode(
            table,
            vg_bytes(bytes, size),
            &vg_wire_policy_request,
            arena,
            &again,
            &error) == VG_OK);
    must(same(message, again));
    free(bytes);
}

static void check_decoded(
    const struct vg_table *table,
    ProtobufCMessage *message,
    struct vg_arena *arena)
{
    struct vg_buffer buffer;
    struct vg_error error;
    ProtobufCMessage *again;
    vg_buffer_init(&buffer, BYTES_MAX);
    vg_error_init(&error, arena);
    must(vg_wire_encode(table, message, &buffer));
    must(
        vg_wire_decode(
            table,
            vg_buffer_bytes(&buffer),
            &vg_wire_policy_record,
            arena,
            &again,
            &error) == VG_OK);
    must(same(message, again));
    vg_buffer_dispose(&buffer);
    struct vg_validation validation = { .now = INT64_C(1569185283911), .arena = arena };
    (void)!vg_validate(table, message, &validation, &error);
}

/* Of a oneof's message that comes twice protobuf-c keeps the second, where protobuf wants both
 * merged: so it is given what we have made of the bytes. */
static void check_normal(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    struct vg_arena *arena)
{
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, BYTES_MAX);
    must(vg_wire_encode(table, message, &buffer));
    check_unpacked(table, message, vg_buffer_bytes(&buffer), arena);
    vg_buffer_dispose(&buffer);
}

static void decode_as(const struct vg_table *table, struct vg_bytes wire)
{
    struct vg_arena arena;
    struct vg_error error;
    ProtobufCMessage *message;
    vg_arena_init(&arena, BYTES_MAX);
    vg_error_init(&error, &arena);
    if (vg_wire_decode(table, wire, &vg_wire_policy_record, &arena, &message, &error) == VG_OK) {
        check_decoded(table, message, &arena);
    }
    if (vg_wire_decode(table, wire, &vg_wire_policy_request, &arena, &message, &error) == VG_OK) {
        if (strncmp(table->descriptor->name, "vigil.", 6) == 0) {
            check_unpacked(table, message, wire, &arena);
        } else {
            check_normal(table, message, &arena);
        }
    }
    vg_arena_dispose(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < vg_table_count; i++) {
        for (size_t k = 0; k < VG_ARRAY_COUNT(names); k++) {
            if (strcmp(vg_tables[i]->descriptor->name, names[k]) == 0) {
                decode_as(vg_tables[i], vg_bytes(data, size));
            }
        }
    }
    return 0;
}
