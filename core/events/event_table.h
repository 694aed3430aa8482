/*
 * The table of events: its columns, and the row of a record.
 *
 * Threads: pure functions and constants.
 */
#ifndef VG_CORE_EVENTS_EVENT_TABLE_H
#define VG_CORE_EVENTS_EVENT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/record/event_record.h"
#include "core/table/row.h"
#include "core/table/table_schema.h"

enum vg_event_column {
#define X(name, kind, width, flags) VG_EVENT_COLUMN_##name,
#include "core/events/event_columns.def"
#undef X
    VG_EVENT_COLUMNS,
};

extern const struct vg_table_schema vg_event_table_schema;

/*
 * The row of `record`: values in `arena`, texts borrowed from the record. `secret` is that of the
 * table's hash lists. False when the arena is full.
 */
VG_MUST_USE bool vg_event_table_row(
    const struct vg_event_record *record,
    const uint8_t secret[16],
    struct vg_arena *arena,
    struct vg_row *out_row);

/* What rows depend on beside the schema, for vg_table_config.fingerprint: what is a word. */
uint64_t vg_event_table_fingerprint(void);

/* Set what the commit decides. */
void vg_event_table_set_times(struct vg_row *row, const struct vg_event_times *times);

/* A row of which only the id columns are set; it points into itself. */
struct vg_event_id_row {
    struct vg_row row;
    struct vg_value values[VG_EVENT_COLUMNS];
    struct vg_event_id id;
};
void vg_event_table_id_row(const struct vg_event_id *id, struct vg_event_id_row *out_row);

/*
 * For replay and rebuild: the row of the packed record `bytes` under the store key `key`; what it
 * points at is in `arena`, `key` or `bytes`. With bytes.data NULL (the record does not exist) only
 * the id columns are set.
 *
 * Fails with: STORE_CORRUPT, REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_event_table_load(
    struct vg_bytes key,
    struct vg_bytes bytes,
    const uint8_t secret[16],
    struct vg_arena *arena,
    struct vg_row *out_row,
    struct vg_error *error);

/* Keyed hashes in the lists of the table: of a property key alone, of a value under the key with
 * `key_hash`, and of a domain name. Equality of them is the match. */
uint64_t vg_event_table_key_hash(const uint8_t secret[16], struct vg_bytes key);
uint64_t vg_event_table_value_hash(
    const uint8_t secret[16],
    uint64_t key_hash,
    struct vg_bytes value);
uint64_t vg_event_table_domain_hash(const uint8_t secret[16], struct vg_bytes domain);

#endif
