/*
 * Row loader: makes rows of stored records of one kind on several threads and hands them to a table
 * that is being rebuilt, in the order in which the records came.
 *
 * Decoding a record and hashing its properties costs several times what the table does with the
 * row, so a rebuild by one thread would be bound by it.
 *
 * Threads: one at a time; the loader's own threads stay inside.
 */
#ifndef VG_CORE_NODE_ROW_LOADER_H
#define VG_CORE_NODE_ROW_LOADER_H

#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

struct vg_row_loader;
struct vg_table_rebuild;

/*
 * A loader for records of `kind` (enum vg_ingest_kind) with `thread_count` threads (at least 1)
 * besides the caller's, which helps. `rebuild` and the 16 bytes of `secret` are borrowed.
 *
 * Fails with: RESOURCE_LIMIT.
 */
VG_MUST_USE enum vg_reason vg_row_loader_create(
    struct vg_table_rebuild *rebuild,
    uint32_t kind,
    const uint8_t *secret,
    unsigned thread_count,
    struct vg_row_loader **out_loader,
    struct vg_error *error);
void vg_row_loader_destroy(struct vg_row_loader *loader); /* accepts NULL */

/*
 * Take one record; it is copied. Its row reaches the table with this call or a later one.
 *
 * Fails with: STORE_CORRUPT for this record or an earlier one; RESOURCE_LIMIT; what the table fails
 * with. Then only destroy may follow.
 */
VG_MUST_USE enum vg_reason vg_row_loader_add(
    struct vg_row_loader *loader,
    struct vg_bytes key,
    struct vg_bytes record,
    struct vg_error *error);

/* All rows that are still on their way reach the table. Fails as add does. */
VG_MUST_USE enum vg_reason vg_row_loader_finish(
    struct vg_row_loader *loader,
    struct vg_error *error);

#endif
