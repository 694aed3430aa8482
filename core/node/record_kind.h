/*
 * The kinds of records that have rows in the shard's table: for each what its columns are, where
 * its records lie, and how a record becomes a row. A new kind is a row of the table in
 * record_kind.c.
 *
 * Threads: constants.
 */
#ifndef VG_CORE_NODE_RECORD_KIND_H
#define VG_CORE_NODE_RECORD_KIND_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/ingest/ingest_domain.h"
#include "core/keyspace/keyspace.h"
#include "core/table/row.h"
#include "core/table/table_schema.h"

struct vg_record_kind {
    enum vg_key_family family;
    const struct vg_table_schema *schema;
    /*
     * The row of the packed record `bytes` under `key`; what it points at is in `arena`, `key` or
     * `bytes`. With bytes.data NULL (there is no such record) only the id columns are set. `secret`
     * is that of the hash lists.
     *
     * Fails with: STORE_CORRUPT, REQUEST_MEMORY.
     */
    enum vg_reason (*load)(
        struct vg_bytes key,
        struct vg_bytes bytes,
        const uint8_t secret[16],
        struct vg_arena *arena,
        struct vg_row *out_row,
        struct vg_error *error);
};

/* All kinds, by enum vg_ingest_kind. */
extern const struct vg_record_kind vg_record_kinds[VG_INGEST_KIND_COUNT];

#endif
