/*
 * Wire primitives: walk the top-level fields of a serialised message, and append fields to one.
 *
 * For code that copies, skips or adds fields of stored records without decoding them: a record may
 * be extended by appending fields, since of a singular field the last one counts (protobuf encoding
 * guide).
 *
 * Threads: pure functions; a buffer has one owner.
 */
#ifndef VG_CORE_WIRE_WIRE_FIELD_H
#define VG_CORE_WIRE_WIRE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/limits.h"
#include "proto/contract.h"

#define VG_WIRE_VARINT_MAX 10u /* bytes of a varint */

/* The wire types our own messages never use. */
#define VG_WIRE_GROUP_START 3u
#define VG_WIRE_GROUP_END   4u

/* One field as it stands on the wire. The runs borrow from the walked bytes. */
struct vg_wire_field {
    uint32_t number;
    uint8_t wire_type;
    uint64_t value;        /* of a varint, fixed64 or fixed32 */
    struct vg_bytes bytes; /* content of a length-delimited field or group */
    struct vg_bytes whole; /* key and all: what to copy to keep the field */
};

enum vg_wire_step { VG_WIRE_STEP_FIELD, VG_WIRE_STEP_END, VG_WIRE_STEP_BROKEN };

/*
 * Take the next field off the front of `rest`. END when nothing is left; BROKEN when the bytes are
 * no message, and then `rest` and *out_field are untouched.
 */
VG_MUST_USE enum vg_wire_step vg_wire_next(struct vg_bytes *rest, struct vg_wire_field *out_field);

/*
 * Read a varint at `next`. NULL when it is cut off or longer than ten bytes; otherwise where it
 * ends. Bits above the 64th are dropped, as protobuf does.
 */
const uint8_t *vg_wire_read_varint_slow(const uint8_t *next, const uint8_t *end, uint64_t *value);

static inline const uint8_t *vg_wire_read_varint(
    const uint8_t *next,
    const uint8_t *end,
    uint64_t *value)
{
    if (next < end && *next < 0x80) {
        *value = *next;
        return next + 1;
    }
    return vg_wire_read_varint_slow(next, end, value);
}

/*
 * Where the value of a field of type `wire_type` ends: NULL when it is cut off or malformed.
 * `number` is that of the field, which a group needs; `depth` is how many groups may lie within
 * each other.
 */
const uint8_t *vg_wire_skip(
    const uint8_t *next,
    const uint8_t *end,
    uint32_t number,
    unsigned wire_type,
    unsigned depth);

/* Bytes of one value of this field in the protobuf-c struct, and of one element of a list. */
static inline size_t vg_wire_item_size(const struct vg_field *field)
{
    static const uint8_t sizes[] = {
        [VG_KIND_INT32] = 4,
        [VG_KIND_INT64] = 8,
        [VG_KIND_UINT32] = 4,
        [VG_KIND_UINT64] = 8,
        [VG_KIND_BOOL] = 4,
        [VG_KIND_DOUBLE] = 8,
        [VG_KIND_ENUM] = 4,
        [VG_KIND_STRING] = sizeof(char *),
        [VG_KIND_BYTES] = sizeof(ProtobufCBinaryData),
        [VG_KIND_MESSAGE] = sizeof(void *),
    };
    return sizes[field->kind];
}

/* Is a singular member there? Of one without presence: is it other than zero or empty? */
bool vg_wire_is_set(const struct vg_field *field, const uint8_t *message);

/*
 * A singular member is about to be given a value: say that it is there. Of a oneof this takes the
 * place from whichever had it; what lies there is cleared, for it was of another type.
 */
static inline void vg_wire_mark_set(const struct vg_field *field, uint8_t *message)
{
    if ((field->flags & VG_FIELD_ONEOF) != 0) {
        uint32_t which;
        memcpy(&which, message + field->quantifier, sizeof(which));
        if (which != field->number) {
            which = field->number;
            memcpy(message + field->quantifier, &which, sizeof(which));
            memset(message + field->offset, 0, vg_wire_item_size(field));
        }
    } else if (field->quantifier != 0) {
        protobuf_c_boolean has = 1;
        memcpy(message + field->quantifier, &has, sizeof(has));
    }
}

/* Bytes a varint takes. */
static inline size_t vg_wire_varint_size(uint64_t value)
{
    return (size_t)(70 - __builtin_clzll(value | 1)) / 7;
}

/* Append a field. What fails shows in buffer->failed. */
void vg_wire_put_varint(struct vg_buffer *buffer, uint32_t number, uint64_t value);
void vg_wire_put_fixed64(struct vg_buffer *buffer, uint32_t number, uint64_t value);
void vg_wire_put_bytes(struct vg_buffer *buffer, uint32_t number, struct vg_bytes bytes);
void vg_wire_put_text(struct vg_buffer *buffer, uint32_t number, const char *text);
/* Append `message` as the field `number`; NULL appends nothing. */
void vg_wire_put_message(
    struct vg_buffer *buffer,
    uint32_t number,
    const struct vg_table *table,
    const ProtobufCMessage *message);

#endif
