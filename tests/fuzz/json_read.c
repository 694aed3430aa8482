/*
 * Reads bytes as JSON of several messages of the contract, in both dialects. What was read must
 * survive encoder, decoder and writer, and what the writer wrote must be read and written again as
 * it is.
 *
 * Threads: one.
 */
#include "gateway/json/json_read.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/validate.h"
#include "core/wire/wire_decode.h"
#include "core/wire/wire_encode.h"
#include "gateway/json/json_write.h"

#define BYTES_MAX (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
    "vigil.events.v1.SearchCriteria",
    "vigil.events.v2.SubmitRequest",
    "vigil.events.v2.BulkSubmitRequest",
    "vigil.events.v2.Event",
};

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static void check_written(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const struct vg_json_dialect *dialect,
    struct vg_arena *arena)
{
    struct vg_buffer wire;
    struct vg_buffer first;
    struct vg_buffer second;
    struct vg_error error;
    ProtobufCMessage *decoded;
    ProtobufCMessage *again;
    vg_buffer_init(&wire, BYTES_MAX);
    vg_buffer_init(&first, BYTES_MAX);
    vg_buffer_init(&second, BYTES_MAX);
    vg_error_init(&error, arena);
    must(vg_wire_encode(table, message, &wire));
    must(
        vg_wire_decode(
            table,
            vg_buffer_bytes(&wire),
            &vg_wire_policy_strict,
            arena,
            &decoded,
            &error) == VG_OK);
    must(vg_json_write(table, decoded, dialect, &first));
    must(vg_json_read(table, vg_buffer_bytes(&first), dialect, arena, &again, &error) == VG_OK);
    must(vg_json_write(table, again, dialect, &second));
    must(vg_bytes_equal(vg_buffer_bytes(&first), vg_buffer_bytes(&second)));
    vg_buffer_dispose(&wire);
    vg_buffer_dispose(&first);
    vg_buffer_dispose(&second);
}

static void read_as(
    const struct vg_table *table,
    struct vg_bytes text,
    const struct vg_json_dialect *dialect)
{
    struct vg_arena arena;
    struct vg_arena more;
    struct vg_error error;
    ProtobufCMessage *message;
    vg_arena_init(&arena, vg_limit_arena_bytes(text.size));
    vg_arena_init(&more, BYTES_MAX);
    vg_error_init(&error, &arena);
    if (vg_json_read(table, text, dialect, &arena, &message, &error) == VG_OK) {
        check_written(table, message, dialect, &more);
        struct vg_validation validation = { .now = INT64_C(1569185283911), .arena = &more };
        (void)!vg_validate(table, message, &validation, &error);
    }
    vg_arena_dispose(&arena);
    vg_arena_dispose(&more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < vg_table_count; i++) {
        for (size_t k = 0; k < VG_ARRAY_COUNT(names); k++) {
            if (strcmp(vg_tables[i]->descriptor->name, names[k]) == 0) {
                read_as(vg_tables[i], vg_bytes(data, size), &vg_json_documented);
                read_as(vg_tables[i], vg_bytes(data, size), &vg_json_standard);
            }
        }
    }
    return 0;
}
