/*
 * Messages as rows of a table: which columns a message of the contract has, and what stands in
 * each.
 *
 * Made from the contract's tables alone. Members of members are dotted columns
 * ("source.networkAddress.address"); a bare message adds no level; a list is one column, its
 * elements joined with ';'; an object list, and whatever is called `properties`, is one column of
 * compact JSON; so is each element of a list of objects, and a message that is nested too deeply or
 * within itself. Rows of several shapes have the columns of all of them; those of one name are one.
 *
 * Threads: columns are immutable once made; they live in their arena.
 */
#ifndef VG_GATEWAY_ENVELOPE_FLAT_COLUMN_H
#define VG_GATEWAY_ENVELOPE_FLAT_COLUMN_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/compiler.h"
#include "proto/contract.h"

#define VG_FLAT_DEPTH_MAX 8u

struct vg_flat_column {
    const char *name;
    const struct vg_field *steps[VG_FLAT_DEPTH_MAX]; /* from the row down to the member */
    const struct vg_table *table;                    /* of the last step */
    uint8_t step_count;
    bool as_json;
    const struct vg_flat_column *other; /* of the same name, in another shape; NULL = none */
};

struct vg_flat_columns {
    struct vg_flat_column *items;
    size_t count;
};

enum vg_flat_kind {
    VG_FLAT_EMPTY,   /* null, or nothing in the list */
    VG_FLAT_INTEGER, /* `integer` */
    VG_FLAT_REAL,    /* `real` */
    VG_FLAT_TEXT,    /* `text`, a NUL behind it */
};

struct vg_flat_cell {
    enum vg_flat_kind kind;
    int64_t integer;
    double real;
    struct vg_bytes text; /* of the message, or of the scratch buffer */
};

/* The columns of messages of `table`, in order of declaration. False without memory. */
VG_MUST_USE bool vg_flat_columns_make(
    const struct vg_table *table,
    struct vg_arena *arena,
    struct vg_flat_columns *out_columns);

/* What stands in `column` of `row`. `scratch` is cleared, and keeps texts that had to be made;
 * false when it has no room. */
VG_MUST_USE bool vg_flat_column_read(
    const struct vg_flat_column *column,
    const ProtobufCMessage *row,
    struct vg_buffer *scratch,
    struct vg_flat_cell *out_cell);

#endif
