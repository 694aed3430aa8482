/*
 * Dialects: the two habits of JSON that reader and writer know.
 *
 * The documented one is the interface vigil serves on REST: shapes (bare messages, object lists) in
 * their own form, lenient scalars, words of the interface, 64-bit integers as numbers, unset
 * members as null. The standard one is the JSON of protobuf tooling: every message as it is
 * declared.
 *
 * Threads: immutable.
 */
#ifndef VG_GATEWAY_JSON_JSON_DIALECT_H
#define VG_GATEWAY_JSON_JSON_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/contract.h"

struct vg_json_dialect {
    unsigned names;    /* enum vg_name_flag: which names are read */
    bool shaped;       /* bare messages add no level, object lists are objects */
    bool lenient;      /* lone values for lists, numbers and bools as text and the reverse; else
                        * text for a number is just the number, "NaN" or an infinity */
    bool once;         /* a member, or one of a oneof, may come once; else the last one counts */
    bool words;        /* enums by documented word; else by the value's .proto name, or number */
    bool wide_as_text; /* 64-bit integers are written as text */
    bool unset_shown;  /* null, [] and {} for what is not set */
};

extern const struct vg_json_dialect vg_json_documented;
extern const struct vg_json_dialect vg_json_standard;

#endif
