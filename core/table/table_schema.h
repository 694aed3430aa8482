/*
 * Table schema: which columns a kind of record (events, submissions, samples) has. A schema is a
 * constant array, made by the domain from its .def rows; the engine knows columns, not fields.
 *
 * Values are 64-bit integers, texts, networks, fixed bytes or lists (row.h). Every column but the
 * id columns may be absent in a row: VG_ABSENT for time and number, a text or fixed value without
 * data, a network of family 0, an empty list.
 *
 * Threads: constants.
 */
#ifndef VG_CORE_TABLE_TABLE_SCHEMA_H
#define VG_CORE_TABLE_TABLE_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/base/error.h"

/* Bytes per row in memory stand behind each kind; packed_column.h says what a sealed row takes. */
enum vg_column_kind {
    VG_COLUMN_TIME,     /* 8: vg_time, zone map */
    VG_COLUMN_NUMBER,   /* width 1, 2, 4 (0 .. 2^bits - 2) or 8 (signed) */
    VG_COLUMN_FLAGS,    /* 8: a set of 64 bits; absent = the empty set */
    VG_COLUMN_TEXT,     /* 4: entry of an append-only dictionary */
    VG_COLUMN_SUBJECTS, /* 4: a set of subject ids (customer, acl), interned in a dictionary */
    VG_COLUMN_NETWORK,  /* 5, and 16 more for a row with IPv6: address and mask bits */
    VG_COLUMN_FIXED,    /* width 16, 20, 32 or 64: UUID, digest */
    VG_COLUMN_NUMBERS,  /* 8 + 8 per element: list of signed numbers (cases, sub-resource ids) */
    VG_COLUMN_HASHES,   /* 16 + 8 per element: list of keyed hashes (property, uri, domain), with a
                           64-bit signature of the row's hashes; sealed: see hash_index.h */
    VG_COLUMN_TOKENS, /* 8 + 4 per element: list of words of the record's texts (row.h); it narrows,
                         the record confirms */
    VG_COLUMN_TEXTS,  /* 8 + 4 per element: list of entries of an append-only dictionary */
};
#define VG_COLUMN_KIND_COUNT 11

/* The column is part of the record's identity: never absent, and the last sort key. */
#define VG_COLUMN_ID 1u

/* TEXT, TEXTS: substrings are looked for without regard to case; the dictionary keeps its entries
 * folded as well. */
#define VG_COLUMN_FOLDED 2u

/* FIXED of 16 bytes: a digest, whose text has no hyphens; others of that width are UUIDs. */
#define VG_COLUMN_DIGEST 4u

struct vg_column {
    const char *name;
    enum vg_column_kind kind;
    uint8_t width; /* of NUMBER and FIXED; 0 for the others */
    uint8_t flags; /* VG_COLUMN_ID, VG_COLUMN_FOLDED, VG_COLUMN_DIGEST */
};

/* Columns whose values stand in a dictionary. */
static inline bool vg_column_kind_has_dictionary(enum vg_column_kind kind)
{
    return kind == VG_COLUMN_TEXT || kind == VG_COLUMN_SUBJECTS || kind == VG_COLUMN_TEXTS;
}

#define VG_TABLE_COLUMNS_MAX    64u
#define VG_TABLE_KINDS_MAX      4u
#define VG_TABLE_ID_COLUMNS_MAX 6u

struct vg_table_schema {
    const char *name; /* of the kind, part of file names: lower-case letters */
    const struct vg_column *columns;
    uint32_t column_count;
    uint32_t version; /* raised when the meaning of a column changes: forces a rebuild */
};

/*
 * Check what a schema must obey: 1 to VG_TABLE_COLUMNS_MAX columns, at least one and at most
 * VG_TABLE_ID_COLUMNS_MAX id columns (of kind TIME, NUMBER, SUBJECTS or FIXED), legal widths,
 * distinct names.
 *
 * Fails with: CONFIG naming the column.
 */
VG_MUST_USE enum vg_reason vg_table_schema_check(
    const struct vg_table_schema *schema,
    struct vg_error *error);

/* A number that changes whenever stored columns would be read differently. */
uint64_t vg_table_schema_fingerprint(const struct vg_table_schema *schema);

/* Index of the column called `name`; UINT32_MAX when there is none. */
uint32_t vg_table_schema_find(const struct vg_table_schema *schema, const char *name);

#endif
