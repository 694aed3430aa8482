/*
 * Packed column: a column of a closed chunk in as few bytes per row as its values allow, as a file
 * keeps it and column_data.h reads it.
 *
 *   one value in all rows          the value, once
 *   TIME, NUMBER                   1, 2 or 4 bytes: what it is more than the smallest; all ones
 *                                  stand for absent
 *   TEXT, SUBJECTS                 1 or 2 bytes: what the id is more than the smallest, plus 1; 0
 *                                  stays 0. Not when a row has a hash instead of an id
 *   FLAGS                          1, 2 or 4 bytes: of the bits that some row has, this row's
 *   lists                          no offsets when all are empty; else 2 bytes and one word for 64
 *                                  rows, or 4 bytes where 64 rows have too many elements for that
 *
 * What is in none of these forms is kept as it is in memory. Lists of hashes have a form of their
 * own (hash_index.h).
 *
 * Threads: pure functions; the chunk must be closed.
 */
#ifndef VG_CORE_TABLE_PACKED_COLUMN_H
#define VG_CORE_TABLE_PACKED_COLUMN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/chunk.h"

/* The form of one column; a part of the file. */
struct vg_packed_shape {
    int64_t base;         /* vg_column_data.base */
    uint32_t value_size;  /* 0 = no values */
    uint32_t value_count; /* the chunk's rows, or 1 */
    uint32_t code_count;  /* NETWORK: the chunk's rows, or 1; else 0 */
    uint32_t step_size;   /* lists: bytes of an offset, 0 = all are empty */
    uint32_t element_count;
    uint32_t reserved;
};

/* The shape a column of a closed chunk is packed into. Not for HASHES. */
void vg_packed_column_measure(
    const struct vg_chunk *chunk,
    uint32_t column,
    struct vg_packed_shape *out_shape);

/* Can a column look like this in a chunk of so many rows? */
bool vg_packed_shape_is_legal(
    const struct vg_packed_shape *shape,
    const struct vg_column *column,
    uint32_t rows);

/* Words of `starts` and entries of `steps`; 0 = there is no such array. */
uint32_t vg_packed_shape_starts(const struct vg_packed_shape *shape, uint32_t rows);
uint32_t vg_packed_shape_steps(const struct vg_packed_shape *shape, uint32_t rows);

/* Where the arrays go; NULL for those that the shape does not have. */
struct vg_packed_arrays {
    uint8_t *values;
    uint8_t *codes;
    uint32_t *starts;
    uint16_t *steps;
    uint8_t *elements;
};

void vg_packed_column_write(
    const struct vg_chunk *chunk,
    uint32_t column,
    const struct vg_packed_shape *shape,
    const struct vg_packed_arrays *arrays);

#endif
