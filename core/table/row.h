/*
 * Row: the values of one version of one record, an array by column index, as the writer hands it to
 * the table and as a hit is read back.
 *
 * A row borrows what its values point at: for as long as the call it is passed to; read back from a
 * hit, for as long as the snapshot is held.
 *
 * Threads: a value.
 */
#ifndef VG_CORE_TABLE_ROW_H
#define VG_CORE_TABLE_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/network.h"

/* Absent time or number. */
#define VG_ABSENT INT64_MIN

/* Elements of one list value at most. */
#define VG_ROW_LIST_MAX 16384u

struct vg_value {
    union {
        int64_t number;        /* TIME (ms), NUMBER; FLAGS as the bit pattern */
        struct vg_bytes bytes; /* TEXT and FIXED; data NULL = absent. Empty text is a value; a fixed
                                  value of only zero bytes is the absent one (not of an id) */
        struct vg_network network;
        struct {
            const int64_t *items; /* SUBJECTS: rising, no duplicates */
            uint32_t count;
        } numbers; /* SUBJECTS, NUMBERS */
        struct {
            const uint64_t *items;
            uint32_t count;
        } hashes;
        struct {
            const struct vg_bytes *items; /* TEXTS, as written */
            uint32_t count;
        } texts;
        struct {
            const uint32_t *items; /* TEXTS, as read back: entries of the column's dictionary, and
                                      hashes of those past its limit */
            uint32_t count;
        } text_ids;
        struct {
            const uint32_t *items; /* vg_token_element, or VG_TOKEN_ANY alone */
            uint32_t count;
        } tokens;
    };
    bool beyond; /* read back only: a text past the dictionary's limit; the record has it */
};

/*
 * A word of a text: 26 bits of a keyed hash, and in the 6 bits below which of the record's values
 * it stands in; 63 is the 64th and all behind it.
 */
#define VG_TOKEN_ORDINAL_BITS 6u
#define VG_TOKEN_ORDINAL_MAX  63u

/* Instead of more words than a list may have: the record must be asked for any. */
#define VG_TOKEN_ANY UINT32_MAX

static inline uint32_t vg_token_element(uint64_t hash, uint32_t ordinal)
{
    uint32_t place = ordinal < VG_TOKEN_ORDINAL_MAX ? ordinal : VG_TOKEN_ORDINAL_MAX;
    return (uint32_t)(hash >> 38) << VG_TOKEN_ORDINAL_BITS | place;
}

struct vg_chunk;

/* A stored row; valid while the snapshot is held on which it was found. */
struct vg_hit {
    const struct vg_chunk *chunk;
    uint32_t position;
};

struct vg_row {
    struct vg_value *values; /* column_count of the schema */
};

/* The signed form in which a set of 64 flags travels. */
static inline int64_t vg_flags_number(uint64_t flags)
{
    int64_t number;
    __builtin_memcpy(&number, &flags, sizeof(number));
    return number;
}

static inline uint64_t vg_flags_bits(int64_t number)
{
    uint64_t flags;
    __builtin_memcpy(&flags, &number, sizeof(flags));
    return flags;
}

#endif
