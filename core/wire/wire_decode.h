/*
 * Wire decoder: bytes from outside to a protobuf-c message, by the contract tables.
 *
 * One pass fills the structs protoc-c declares and checks what protobuf_c_message_unpack leaves
 * unchecked: nesting, UTF-8, NUL in texts, the number of values, the length of lists, memory.
 * Everything the message holds is in the arena; nothing points into the bytes. Words of enums,
 * required members and the other rules are validate.h.
 *
 * Threads: an arena belongs to one thread at a time; tables are immutable.
 */
#ifndef VG_CORE_WIRE_WIRE_DECODE_H
#define VG_CORE_WIRE_WIRE_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "proto/contract.h"

enum vg_wire_unknown {
    VG_WIRE_UNKNOWN_IGNORE, /* requests: drop fields the contract does not have */
    VG_WIRE_UNKNOWN_REFUSE, /* requests of methods whose criteria decide what is changed */
    VG_WIRE_UNKNOWN_KEEP,   /* records: keep them in unknown_fields, to be written back */
};

struct vg_wire_policy {
    enum vg_wire_unknown unknown;
    uint32_t elements_max; /* 0 = VG_LIMIT_WIRE_VALUES */
};

extern const struct vg_wire_policy vg_wire_policy_request;
extern const struct vg_wire_policy vg_wire_policy_strict;
extern const struct vg_wire_policy vg_wire_policy_record;

/*
 * Decode `bytes` as a message of `table`.
 *
 * On success *out_message and all it points to live in `arena`. A singular field that occurs again
 * replaces the former value, a singular message is merged; lists may be packed or not.
 *
 * Fails with: VG_INVALID_WIRE_MESSAGE (cut off, malformed, wrong wire type, deeper than
 * VG_LIMIT_WIRE_DEPTH, a text that is not UTF-8 or has a NUL); VG_UNKNOWN_FIELD under REFUSE;
 * VG_INVALID_FIELD_VALUE for a list longer than its items_max; VG_REQUEST_MEMORY past the arena's
 * cap or the number of values. error->field names the member.
 */
VG_MUST_USE enum vg_reason vg_wire_decode(
    const struct vg_table *table,
    struct vg_bytes bytes,
    const struct vg_wire_policy *policy,
    struct vg_arena *arena,
    ProtobufCMessage **out_message,
    struct vg_error *error);

#endif
