/*
 * The table of samples: its columns, and the row of a record.
 *
 * Threads: pure functions and constants.
 */
#ifndef VG_CORE_SAMPLES_SAMPLE_TABLE_H
#define VG_CORE_SAMPLES_SAMPLE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/record/sample_record.h"
#include "core/table/row.h"
#include "core/table/table_schema.h"

enum vg_sample_column {
#define X(name, kind, width, flags) VG_SAMPLE_COLUMN_##name,
#include "core/samples/sample_columns.def"
#undef X
    VG_SAMPLE_COLUMNS,
};

/* Searches know so many characters of a verdict's comment: what fits into a dictionary. */
#define VG_SAMPLE_COMMENT_LENGTH_MAX 1000u

extern const struct vg_table_schema vg_sample_table_schema;

/* The row of `record`, with all it points at in `arena`. False when the arena is full. */
VG_MUST_USE bool vg_sample_table_row(
    const struct vg_sample_record *record,
    struct vg_arena *arena,
    struct vg_row *out_row);

/* A row of which only the id columns are set; it points into itself. */
struct vg_sample_id_row {
    struct vg_row row;
    struct vg_value values[VG_SAMPLE_COLUMNS];
    uint8_t sha256[VG_SHA256_SIZE];
};
void vg_sample_table_id_row(const uint8_t sha256[VG_SHA256_SIZE], struct vg_sample_id_row *out_row);

/*
 * For replay and rebuild: the row of the packed record `bytes` under the store key `key`; what it
 * points at is in `arena`. With bytes.data NULL (the record does not exist) only the id columns are
 * set. No column is hashed: `secret` is not looked at.
 *
 * Fails with: STORE_CORRUPT, REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_sample_table_load(
    struct vg_bytes key,
    struct vg_bytes bytes,
    const uint8_t secret[16],
    struct vg_arena *arena,
    struct vg_row *out_row,
    struct vg_error *error);

#endif
