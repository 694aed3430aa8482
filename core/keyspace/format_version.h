/*
 * Format version: what the store's `format` key holds. It says how everything else in the store is
 * laid out, and identifies the store: its id (drawn when it was made, and anew by a restore) tells
 * foreign checkpoints from its own, its secret keys the hashes in the columns.
 *
 * A program refuses a store newer than itself and migrates an older one step by step; the steps are
 * core/ingest/store_format.h's.
 *
 * Threads: values.
 */
#ifndef VG_CORE_KEYSPACE_FORMAT_VERSION_H
#define VG_CORE_KEYSPACE_FORMAT_VERSION_H

#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

/* What this program writes. Raised with every change of a key's or a record's layout that an older
 * program would misread. */
#define VG_FORMAT_VERSION 1

#define VG_FORMAT_ID_SIZE     16
#define VG_FORMAT_SECRET_SIZE 16
#define VG_FORMAT_SIZE        (5 + 4 + VG_FORMAT_ID_SIZE + VG_FORMAT_SECRET_SIZE)

struct vg_format {
    uint32_t version;
    uint8_t store_id[VG_FORMAT_ID_SIZE];
    uint8_t secret[VG_FORMAT_SECRET_SIZE];
};

void vg_format_version_encode(const struct vg_format *format, uint8_t out[VG_FORMAT_SIZE]);

/*
 * Read the value of the `format` key.
 *
 * Fails with: STORE_FORMAT, saying which, when it is newer than `version_max` or not vigil's.
 */
VG_MUST_USE enum vg_reason vg_format_version_decode(
    struct vg_bytes value,
    uint32_t version_max,
    struct vg_format *out_format,
    struct vg_error *error);

#endif
