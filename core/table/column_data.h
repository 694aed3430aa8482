/*
 * Column data: what one chunk holds in one column, and the one way to read a value of it. In memory
 * (tail, closed) values are as wide as the schema says; a sealed column is as narrow as the chunk
 * allows (packed_column.h), so nobody indexes `values`, `codes`, `starts` or `ends` but through
 * this header, and loops that ask for value_size and row_mask first.
 *
 * Threads: pure functions over published rows.
 */
#ifndef VG_CORE_TABLE_COLUMN_DATA_H
#define VG_CORE_TABLE_COLUMN_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/table/row.h"

/* How NETWORK keeps family and bits in one byte. */
#define VG_NETWORK_CODE_V6   64u  /* 64 + bits: IPv6; its address stands in the elements */
#define VG_NETWORK_CODE_NONE 255u /* no address */

/* Dictionary presence: bit id % this is set when some row has that id. */
#define VG_CHUNK_PRESENCE_BITS 4096u

/* What a whole chunk holds in one column. */
struct vg_zone {
    int64_t min; /* TIME, NUMBER: over values that are not absent; NETWORK: over the codes */
    int64_t max;
    uint64_t has_absent;
    uint64_t presence[VG_CHUNK_PRESENCE_BITS / 64]; /* TEXT, SUBJECTS, TEXTS */
};

/* The bounds of a zone, as they are now: of a tail the writer may be about to widen them. */
struct vg_zone_bounds {
    int64_t min;
    int64_t max;
    bool has_absent;
};

static inline struct vg_zone_bounds vg_zone_read_bounds(const struct vg_zone *zone)
{
    return (struct vg_zone_bounds){
        .min = __atomic_load_n(&zone->min, __ATOMIC_RELAXED),
        .max = __atomic_load_n(&zone->max, __ATOMIC_RELAXED),
        .has_absent = __atomic_load_n(&zone->has_absent, __ATOMIC_RELAXED) != 0,
    };
}

struct vg_column_data {
    /* TIME, NUMBER, FLAGS, FIXED: values. TEXT, SUBJECTS: ids. NETWORK: IPv4 addresses in the
     * machine's order, or the element that is the IPv6 address. HASHES: signatures. */
    void *values;
    uint8_t value_size;
    uint32_t row_mask; /* a row's value stands at position & row_mask: 0 when a sealed column keeps
                          one value for all its rows, else all ones */
    int64_t base;      /* sealed and narrow; 0 otherwise. TIME, NUMBER: added to each value, but the
                          largest is absent. TEXT, SUBJECTS: added to each id, but 0 stays 0. FLAGS: the
                          bits that some row has; a value keeps these alone, side by side */
    uint8_t *codes;    /* NETWORK; at position & code_mask */
    uint32_t code_mask;
    uint32_t *starts; /* NUMBERS, HASHES, TOKENS, TEXTS: first element of a row, one per row; NULL
                         when no row of a sealed column has one */
    uint32_t *ends;   /* behind its last */
    uint16_t *steps;  /* sealed: the first element of row r is starts[r / 64] + steps[r], and one
                         row more is there instead of ends; NULL otherwise */
    struct vg_hash_index *index; /* sealed HASHES: instead of values, starts and elements */
    void *elements;              /* sealed, or copied by compaction: all; NULL otherwise */
    void *
        *blocks; /* tail and closed: blocks of VG_ROW_LIST_MAX elements; no row crosses a border */
    uint32_t element_count;
    uint8_t element_size;
    struct vg_zone *zone;
};

/* Rows that share one entry of `starts` beside steps. */
#define VG_COLUMN_STEP_ROWS 64u

/* All rows have the same value: a question about one is a question about all. */
static inline bool vg_column_has_one_value(const struct vg_column_data *data)
{
    return data->row_mask == 0;
}

/* TIME and NUMBER, VG_ABSENT included; FLAGS are read by vg_column_flags. */
static inline int64_t vg_column_number(const struct vg_column_data *data, uint32_t position)
{
    uint32_t at = position & data->row_mask;
    switch (data->value_size) {
    case 1: {
        uint8_t value = ((const uint8_t *)data->values)[at];
        return value == UINT8_MAX ? VG_ABSENT : data->base + value;
    }
    case 2: {
        uint16_t value = ((const uint16_t *)data->values)[at];
        return value == UINT16_MAX ? VG_ABSENT : data->base + value;
    }
    case 4: {
        uint32_t value = ((const uint32_t *)data->values)[at];
        return value == UINT32_MAX ? VG_ABSENT : data->base + value;
    }
    default:
        return ((const int64_t *)data->values)[at];
    }
}

/* TEXT and SUBJECTS: the id of the row's entry, or what stands there instead (dictionary.h). */
static inline uint32_t vg_column_id(const struct vg_column_data *data, uint32_t position)
{
    uint32_t at = position & data->row_mask;
    uint32_t stored = data->value_size == 1   ? ((const uint8_t *)data->values)[at]
                      : data->value_size == 2 ? ((const uint16_t *)data->values)[at]
                                              : ((const uint32_t *)data->values)[at];
    return stored == 0 ? 0 : stored + (uint32_t)data->base;
}

/* The bits of `set` that stand in `kept`, side by side from the lowest on; and back. */
static inline uint64_t vg_bits_gather(uint64_t set, uint64_t kept)
{
    uint64_t gathered = 0;
    if ((kept & (kept + 1)) == 0) {
        return set & kept; /* they are the lowest bits */
    }
    for (unsigned at = 0; kept != 0; kept &= kept - 1, at++) {
        gathered |= (set >> __builtin_ctzll(kept) & 1) << at;
    }
    return gathered;
}

static inline uint64_t vg_bits_spread(uint64_t gathered, uint64_t kept)
{
    uint64_t set = 0;
    if ((kept & (kept + 1)) == 0) {
        return gathered;
    }
    for (; gathered != 0; gathered >>= 1, kept &= kept - 1) {
        set |= (gathered & 1) << __builtin_ctzll(kept);
    }
    return set;
}

static inline uint64_t vg_column_flags(const struct vg_column_data *data, uint32_t position)
{
    uint32_t at = position & data->row_mask;
    switch (data->value_size) {
    case 1:
        return vg_bits_spread(((const uint8_t *)data->values)[at], (uint64_t)data->base);
    case 2:
        return vg_bits_spread(((const uint16_t *)data->values)[at], (uint64_t)data->base);
    case 4:
        return vg_bits_spread(((const uint32_t *)data->values)[at], (uint64_t)data->base);
    default:
        return ((const uint64_t *)data->values)[at];
    }
}

/* FIXED: value_size bytes. */
static inline const uint8_t *vg_column_fixed(const struct vg_column_data *data, uint32_t position)
{
    return (const uint8_t *)data->values + (size_t)(position & data->row_mask) * data->value_size;
}

/* NETWORK: the code, and what stands beside it. */
static inline uint8_t vg_column_code(const struct vg_column_data *data, uint32_t position)
{
    return data->codes[position & data->code_mask];
}

static inline uint32_t vg_column_address(const struct vg_column_data *data, uint32_t position)
{
    return ((const uint32_t *)data->values)[position & data->row_mask];
}

/* Elements from number `start` on; a row's stand together. */
static inline const void *vg_column_elements(const struct vg_column_data *data, uint32_t start)
{
    if (data->blocks == NULL) {
        return (const uint8_t *)data->elements + (size_t)start * data->element_size;
    }
    const uint8_t *block = data->blocks[start / VG_ROW_LIST_MAX];
    return block + (size_t)(start % VG_ROW_LIST_MAX) * data->element_size;
}

/* NUMBERS, TOKENS, TEXTS, and HASHES without an index: the row's elements and how many they are;
 * NULL of an empty list. */
static inline const void *vg_column_list(
    const struct vg_column_data *data,
    uint32_t position,
    uint32_t *out_count)
{
    uint32_t start = 0;
    uint32_t end = 0;
    if (data->steps != NULL) {
        uint32_t next = position + 1;
        start = data->starts[position / VG_COLUMN_STEP_ROWS] + data->steps[position];
        end = data->starts[next / VG_COLUMN_STEP_ROWS] + data->steps[next];
    } else if (data->starts != NULL) {
        start = data->starts[position];
        end = data->ends[position];
    }
    *out_count = end - start;
    return start == end ? NULL : vg_column_elements(data, start);
}

/* Fetch ahead what says where the row's elements are. */
static inline void vg_column_list_expect(const struct vg_column_data *data, uint32_t position)
{
    if (data->steps != NULL) {
        __builtin_prefetch(&data->steps[position]);
    } else if (data->starts != NULL) {
        __builtin_prefetch(&data->starts[position]);
        __builtin_prefetch(&data->ends[position]);
    }
}

#endif
