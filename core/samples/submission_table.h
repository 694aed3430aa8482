/*
 * The table of submissions: its columns, and the row of a record.
 *
 * Threads: pure functions and constants.
 */
#ifndef VG_CORE_SAMPLES_SUBMISSION_TABLE_H
#define VG_CORE_SAMPLES_SUBMISSION_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/keyspace/keyspace.h"
#include "core/record/submission_record.h"
#include "core/table/row.h"
#include "core/table/table_schema.h"

enum vg_submission_column {
#define X(name, kind, width, flags) VG_SUBMISSION_COLUMN_##name,
#include "core/samples/submission_columns.def"
#undef X
    VG_SUBMISSION_COLUMNS,
};

extern const struct vg_table_schema vg_submission_table_schema;

/* What identifies a submission. */
struct vg_submission_id {
    uint8_t sample[VG_KEY_HASH_SIZE];
    uint8_t uuid[VG_KEY_UUID_SIZE];
};

/* Between key and value of an entry of the metadata: a byte that no UTF-8 has, so that no keyword
 * reaches across and no two pairs look alike. */
#define VG_SUBMISSION_META_SEPARATOR 0xFFu

/* The entry of a key and a value, in `arena`; data NULL when it is full. */
struct vg_bytes vg_submission_meta_text(
    struct vg_bytes key,
    struct vg_bytes value,
    struct vg_arena *arena);

/* The row of `record`, with all it points at in `arena`. False when the arena is full. */
VG_MUST_USE bool vg_submission_table_row(
    const struct vg_submission_record *record,
    struct vg_arena *arena,
    struct vg_row *out_row);

/* A row of which only the id columns are set; it points into itself. */
struct vg_submission_id_row {
    struct vg_row row;
    struct vg_value values[VG_SUBMISSION_COLUMNS];
    struct vg_submission_id id;
};
void vg_submission_table_id_row(
    const struct vg_submission_id *id,
    struct vg_submission_id_row *out_row);

/*
 * For replay and rebuild: the row of the packed record `bytes` under the store key `key`; what it
 * points at is in `arena`. With bytes.data NULL (the record does not exist) only the id columns are
 * set.
 *
 * Fails with: STORE_CORRUPT, REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_submission_table_load(
    struct vg_bytes key,
    struct vg_bytes bytes,
    const uint8_t secret[16],
    struct vg_arena *arena,
    struct vg_row *out_row,
    struct vg_error *error);

#endif
