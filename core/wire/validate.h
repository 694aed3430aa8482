/*
 * Validation: the rules of the contract over a finished request, the same on both faces.
 *
 * What the decoder and the JSON reader cannot know from one value: required members, limits,
 * patterns, words of enums, bare messages with two members set. It also finishes the message: equal
 * elements of sets are dropped, and times become milliseconds. What is wrong is collected with its
 * JSON path.
 *
 * Threads: the message and its arena belong to one thread.
 */
#ifndef VG_CORE_WIRE_VALIDATE_H
#define VG_CORE_WIRE_VALIDATE_H

#include "core/base/arena.h"
#include "core/base/calendar.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "proto/contract.h"

/* What relative times of one call count from, and the memory of the call. */
struct vg_validation {
    vg_time now;
    const struct vg_zone *zone; /* the caller's; NULL = UTC */
    struct vg_arena *arena;
};

/*
 * Check and finish `message`, which is of `table`.
 *
 * On success every time member is decimal milliseconds, read with vg_wire_time, and every enum
 * number has a word. On failure error->violations has what is wrong, at most VG_VIOLATIONS_MAX, and
 * the error itself says the first. `error` must be initialised.
 *
 * Fails with: VG_REQUIRED_FIELD, VG_INVALID_FIELD_VALUE, VG_CONFLICTING_FIELDS as the first
 * violation; VG_REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_validate(
    const struct vg_table *table,
    ProtobufCMessage *message,
    const struct vg_validation *validation,
    struct vg_error *error);

/* The time of a validated time member. `text` must not be NULL: an absent member has no time. */
vg_time vg_wire_time(const char *text);

#endif
