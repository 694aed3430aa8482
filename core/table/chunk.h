/*
 * Chunk: up to limits.chunk_rows rows of all columns. One struct for its three forms: the tail,
 * which the writer fills (tail.h); closed, the same memory once the writer has moved on; sealed,
 * arrays in a file mapped read-only (chunk_file.h). Number and positions never change, and closed
 * and sealed form share one death object.
 *
 * Readers see rows of the tail only below the count that was published with it; arrays are as long
 * as the chunk can get and never move. Zone maps are complete once a chunk is closed; of a tail
 * only the bounds may be read, which are those of all published rows, and maybe of more.
 *
 * Threads: the writer makes, fills, references and frees; any thread reads published rows.
 */
#ifndef VG_CORE_TABLE_CHUNK_H
#define VG_CORE_TABLE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/table/column_data.h"
#include "core/table/death_log.h"
#include "core/table/dictionary.h"
#include "core/table/hash_index.h"
#include "core/table/row.h"
#include "core/table/table_schema.h"

enum vg_chunk_form { VG_CHUNK_TAIL, VG_CHUNK_CLOSED, VG_CHUNK_SEALED };

struct vg_chunk {
    const struct vg_table_schema *schema;
    const struct vg_dictionary *dictionaries; /* by column */
    uint32_t number;
    uint64_t serial; /* of its rows: no others have it while the process lives; closed and sealed
                        form share it */
    uint32_t capacity;
    uint32_t rows; /* final once closed; of a tail the published count says */
    enum vg_chunk_form form;
    uint32_t refs;           /* the writer's */
    uint64_t first_sequence; /* a row's birth is not lower; 0 = no row yet; unsealed only */
    struct vg_deaths *deaths;
    void *mapping; /* sealed */
    size_t mapping_size;
    uint64_t generation; /* sealed: part of the file's name */
    uint64_t checksum;   /* sealed: of the file */
    uint64_t named_by;   /* sealed: newest checkpoint that may name the file; 0 = none. The writer's
                          */
    /* By column: NULL until a reader has looked (strip_zones.h). */
    struct vg_strip_zone *_Atomic *strip_zones;
    struct vg_column_data columns[];
};

/* Bytes of one entry of `values`; 0 where the kind has none (NUMBERS, TOKENS, TEXTS). */
uint8_t vg_chunk_value_size(const struct vg_column *column);

/* Bytes of one element; 0 where the kind has none. */
uint8_t vg_chunk_element_size(const struct vg_column *column);

/* A chunk without any arrays, with one reference; `deaths` is taken over. NULL without memory (then
 * it is not). */
struct vg_chunk *vg_chunk_create(
    const struct vg_table_schema *schema,
    const struct vg_dictionary *dictionaries,
    uint32_t number,
    uint32_t capacity,
    struct vg_deaths *taken_deaths);

struct vg_chunk *vg_chunk_ref(struct vg_chunk *chunk);
void vg_chunk_unref(struct vg_chunk *chunk); /* accepts NULL */

/* 64 bits that tell rows apart from those without a hash. One bit per hash: a row of real events
 * has some 50, and with two it would have nearly all bits set. */
static inline uint64_t vg_hash_signature(const uint64_t *hashes, uint32_t count)
{
    uint64_t signature = 0;
    for (uint32_t i = 0; i < count; i++) {
        signature |= UINT64_C(1) << (hashes[i] & 63);
    }
    return signature;
}

/* Bytes the first `rows` rows take in memory. */
uint64_t vg_chunk_memory(const struct vg_chunk *chunk, uint32_t rows);

/* Bytes the arrays of a column take in the chunk's file. Of a sealed chunk. */
uint64_t vg_chunk_column_bytes(const struct vg_chunk *chunk, uint32_t column);

/* TIME, NUMBER and FLAGS as a signed number, VG_ABSENT included. */
int64_t vg_chunk_number(const struct vg_chunk *chunk, uint32_t column, uint32_t position);

/* Does the row's list of hashes hold this one? */
bool vg_chunk_has_hash(
    const struct vg_chunk *chunk,
    uint32_t column,
    uint32_t position,
    uint64_t hash);

/* Read any column. Pointers live as long as the chunk (or the dictionary). Hashes of a sealed chunk
 * cannot be read back: the list is empty, ask vg_chunk_has_hash. */
void vg_chunk_read(
    const struct vg_chunk *chunk,
    uint32_t column,
    uint32_t position,
    struct vg_value *out_value);

/* The text of an element of a TEXTS column; data NULL for one past the limit of the dictionary. */
struct vg_bytes vg_chunk_text(const struct vg_chunk *chunk, uint32_t column, uint32_t id);

/* Order of two rows of one kind in a column that can be sorted by: absent first, then see search.h.
 */
int vg_chunk_compare(
    const struct vg_chunk *left,
    uint32_t left_position,
    const struct vg_chunk *right,
    uint32_t right_position,
    uint32_t column);

/* Is `value` what the id column `column` of this row holds? */
bool vg_chunk_id_equal(
    const struct vg_chunk *chunk,
    uint32_t column,
    uint32_t position,
    const struct vg_value *value);

#endif
