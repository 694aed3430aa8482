/*
 * Where in a request something is wrong, in the words of its JSON form: "events[2].location",
 * "properties.k[1]".
 *
 * Decoder, validation and JSON reader keep a stack of steps while they walk a message, which costs
 * two stores, and make text of it only when there is something to say. The level of a bare message
 * does not show: its step has an index at most.
 *
 * Threads: values.
 */
#ifndef VG_CORE_WIRE_FIELD_PATH_H
#define VG_CORE_WIRE_FIELD_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "proto/contract.h"

#define VG_PATH_KEY_MAX   60u   /* bytes shown of a key written by the client */
#define VG_PATH_TEXT_SIZE 1024u /* of a whole path, NUL included; a longer one is cut */
#define VG_PATH_NO_INDEX  (-1)

/* One step: a member, or a key of an object, or neither; and an index into it, or none. */
struct vg_path_step {
    const struct vg_field *field; /* NULL = key, if it has any */
    struct vg_bytes
        key; /* as written; data NULL = no key, size then says nothing, and size says nothing */
    int64_t index; /* VG_PATH_NO_INDEX = none */
};

/* Print `count` steps to `text`, which has VG_PATH_TEXT_SIZE bytes. Returns the size without NUL.
 */
size_t vg_path_print(const struct vg_path_step *steps, size_t count, char *text);

/* The JSON name of a field: piece is `,"name":`. */
static inline struct vg_bytes vg_field_name(const struct vg_field *field)
{
    return vg_bytes(field->piece + 2, (size_t)field->piece_size - 4);
}

#endif
