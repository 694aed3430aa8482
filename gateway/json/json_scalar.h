/*
 * One scalar of JSON, or one text of a URL, into one member of a message, as the contract and the
 * dialect want it: exact integers, numbers as text and text as numbers, words of enums.
 *
 * Threads: the message and the text belong to one thread.
 */
#ifndef VG_GATEWAY_JSON_JSON_SCALAR_H
#define VG_GATEWAY_JSON_JSON_SCALAR_H

#include "core/base/compiler.h"
#include "core/wire/packed_text.h"
#include "gateway/json/json_dialect.h"
#include "gateway/json/json_lex.h"
#include "proto/contract.h"

enum vg_json_fit {
    VG_JSON_FIT_OK,
    VG_JSON_FIT_TYPE,   /* a value of another kind than the member takes */
    VG_JSON_FIT_VALUE,  /* the right kind, but not this value */
    VG_JSON_FIT_MEMORY, /* past the arena's cap */
};

/* Where texts go: `left` is about how many bytes of text are still to come. `owner` is the message
 * the member is of; the standard dialect finds the names of its enum values there. */
struct vg_json_target {
    const struct vg_json_dialect *dialect;
    const ProtobufCMessageDescriptor *owner;
    struct vg_packed_text *texts;
    size_t left;
};

/*
 * Store `scalar` at `member`, which has room for one value of field->kind (any but MESSAGE).
 * Nothing is stored unless the result is OK.
 */
VG_MUST_USE enum vg_json_fit vg_json_scalar_store(
    const struct vg_json_target *target,
    const struct vg_field *field,
    const struct vg_json_scalar *scalar,
    uint8_t *member);

/* What a member takes, for people: "an integer", "a text". */
const char *vg_json_expected(const struct vg_field *field);

/* The number as an integer, exactly: 5.0, 50e-1 and 5 are 5. False when it is not whole or above 64
 * bits. */
VG_MUST_USE bool vg_json_number_whole(const struct vg_json_scalar *number, uint64_t *out_magnitude);

#endif
