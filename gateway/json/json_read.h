/*
 * JSON reader: a request body to a protobuf-c message, by the contract tables, in one pass and
 * without a tree.
 *
 * Syntax is strict and its first error ends reading. What is wrong with the shape (an unknown
 * member, a wrong kind, a value out of range, an unknown word) is collected, with its path, and
 * reading goes on. docs/contract.md has the rules; those about the finished message (required, min,
 * pattern, times) are core/wire/validate.h.
 *
 * Threads: an arena belongs to one thread at a time; tables and dialects are immutable.
 */
#ifndef VG_GATEWAY_JSON_JSON_READ_H
#define VG_GATEWAY_JSON_JSON_READ_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "gateway/json/json_dialect.h"
#include "proto/contract.h"

/*
 * Read `body` as a message of `table`.
 *
 * On success *out_message and all it points to live in `arena`; nothing points into `body`. `error`
 * must be initialised (vg_error_init); what is wrong with the shape is in error->violations, at
 * most VG_VIOLATIONS_MAX, and the error itself says the first.
 *
 * Fails with: VG_INVALID_JSON (line and column in the message); VG_UNKNOWN_FIELD,
 * VG_INVALID_FIELD_TYPE, VG_INVALID_FIELD_VALUE as the first violation; VG_REQUEST_MEMORY past the
 * arena's cap or VG_LIMIT_JSON_VALUES.
 */
VG_MUST_USE enum vg_reason vg_json_read(
    const struct vg_table *table,
    struct vg_bytes body,
    const struct vg_json_dialect *dialect,
    struct vg_arena *arena,
    ProtobufCMessage **out_message,
    struct vg_error *error);

/* The member for a name as the dialect reads it; NULL = none. */
const struct vg_field *vg_json_find_field(
    const struct vg_table *table,
    struct vg_bytes name,
    const struct vg_json_dialect *dialect);

/* May a path variable or query parameter be bound to this member? A scalar, a list of them, or a
 * bare message that takes one. */
bool vg_json_is_bindable(const struct vg_field *field);

/*
 * Bind `text`, decoded from a URL, to the member `field` of `message`: a scalar is replaced, a list
 * appended to. The text conversions are those of the documented dialect. All memory is from
 * `arena`.
 *
 * A list must be absent at first or made by this function alone, which knows how much room it left
 * in it; never append to one that vg_json_read made.
 *
 * Fails with VG_INVALID_URL_PARAMETER, which is also added to error->violations so that all wrong
 * parameters of a request can be told at once; VG_REQUEST_MEMORY. `field` must be bindable.
 */
VG_MUST_USE enum vg_reason vg_json_read_text(
    const struct vg_field *field,
    struct vg_bytes text,
    ProtobufCMessage *message,
    struct vg_arena *arena,
    struct vg_error *error);

#endif
