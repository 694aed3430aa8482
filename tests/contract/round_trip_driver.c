/*
 * Reads and writes messages of the contract for round_trip_test.py.
 *
 * On stdin, again and again: a line `message from to size`, then size bytes. `from` and `to` are
 * documented, standard or wire. What was read goes through encoder and decoder before it is
 * written. On stdout: `ok size`, then size bytes; or `refused reason field`; or `unknown` for a
 * message the contract does not have.
 *
 * Threads: one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/wire_decode.h"
#include "core/wire/wire_encode.h"
#include "gateway/json/json_read.h"
#include "gateway/json/json_write.h"
#include "proto/contract.h"

#define BYTES_MAX (64u << 20)

static const struct vg_table *find_table(const char *name)
{
    for (size_t i = 0; i < vg_table_count; i++) {
        if (strcmp(vg_tables[i]->descriptor->name, name) == 0) {
            return vg_tables[i];
        }
    }
    return NULL;
}

static const struct vg_json_dialect *dialect_of(const char *name)
{
    return strcmp(name, "standard") == 0 ? &vg_json_standard : &vg_json_documented;
}

static bool write_as(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const char *form,
    struct vg_buffer *out)
{
    return strcmp(form, "wire") == 0 ? vg_wire_encode(table, message, out)
                                     : vg_json_write(table, message, dialect_of(form), out);
}

/* Read, send through the wire, write. */
static enum vg_reason convert(
    const struct vg_table *table,
    struct vg_bytes bytes,
    const char *forms[2],
    struct vg_buffer *out,
    struct vg_error *error)
{
    struct vg_arena *arena = error->violations.arena;
    ProtobufCMessage *message = NULL;
    struct vg_bytes wire = bytes;
    struct vg_buffer encoded;
    enum vg_reason reason;
    vg_buffer_init(&encoded, BYTES_MAX);
    if (strcmp(forms[0], "wire") != 0) {
        reason = vg_json_read(table, bytes, dialect_of(forms[0]), arena, &message, error);
        if (reason != VG_OK) {
            return reason;
        }
        if (!vg_wire_encode(table, message, &encoded)) {
            abort();
        }
        wire = vg_buffer_bytes(&encoded);
    }
    reason = vg_wire_decode(table, wire, &vg_wire_policy_strict, arena, &message, error);
    if (reason == VG_OK && !write_as(table, message, forms[1], out)) {
        abort();
    }
    vg_buffer_dispose(&encoded);
    return reason;
}

static void serve(const struct vg_table *table, struct vg_bytes bytes, const char *forms[2])
{
    struct vg_arena arena;
    struct vg_error error;
    struct vg_buffer out;
    if (table == NULL) {
        (void)printf("unknown\n");
        return;
    }
    vg_arena_init(&arena, BYTES_MAX);
    vg_error_init(&error, &arena);
    vg_buffer_init(&out, BYTES_MAX);
    enum vg_reason reason = convert(table, bytes, forms, &out, &error);
    if (reason == VG_OK) {
        (void)printf("ok %zu\n", out.size);
        if (out.size > 0) {
            (void)fwrite(out.data, 1, out.size, stdout);
        }
    } else {
        (void)printf("refused %s %s\n", vg_reason_row(reason)->name, error.field);
    }
    vg_buffer_dispose(&out);
    vg_arena_dispose(&arena);
}

int main(void)
{
    char name[200];
    char from[20];
    char to[20];
    size_t size;
    while (scanf("%199s %19s %19s %zu", name, from, to, &size) == 4 && getchar() == '\n') {
        uint8_t *bytes = malloc(size + 1);
        if (bytes == NULL || fread(bytes, 1, size, stdin) != size) {
            free(bytes);
            return 1;
        }
        const char *forms[2] = { from, to };
        serve(find_table(name), vg_bytes(bytes, size), forms);
        free(bytes);
        (void)fflush(stdout);
    }
    return 0;
}
