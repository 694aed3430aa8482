/*
 * JSON writer: a protobuf-c message to bytes, by the contract tables.
 *
 * Members come in order of declaration; what is unset is null, [] or {} in the documented dialect
 * and left out in the standard one. The writer only appends, a message at a time, so that an answer
 * of many rows is written as its rows are pulled and may be stopped between two of them.
 *
 * Threads: the message is read only; the buffer has one owner.
 */
#ifndef VG_GATEWAY_JSON_JSON_WRITE_H
#define VG_GATEWAY_JSON_JSON_WRITE_H

#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/compiler.h"
#include "gateway/json/json_dialect.h"
#include "proto/contract.h"

/*
 * Append `message` to `buffer`. It fails only when the buffer's maximum or memory does not allow
 * it: then false, buffer->failed is set and its content is as before. Up to 64 bytes of the maximum
 * may stay unused.
 */
VG_MUST_USE bool vg_json_write(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const struct vg_json_dialect *dialect,
    struct vg_buffer *buffer);

/* Append the value of member `field` of `message`, which is of `table`, without its name: for parts
 * of an answer. */
VG_MUST_USE bool vg_json_write_member(
    const struct vg_table *table,
    const struct vg_field *field,
    const ProtobufCMessage *message,
    const struct vg_json_dialect *dialect,
    struct vg_buffer *buffer);

/* Append `text`, which is valid UTF-8, as a JSON string; NULL as null. */
VG_MUST_USE bool vg_json_write_text(struct vg_bytes text, struct vg_buffer *buffer);

#endif
