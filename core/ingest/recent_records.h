/*
 * Recent records: what the writer has read and written lately of records that are asked for again
 * soon (the challenges of a sample, the sample itself), so that a merge finds them without the
 * store. Only the writer changes the shard, so what it has committed is what the store has.
 *
 * Threads: the writer's.
 */
#ifndef VG_CORE_INGEST_RECENT_RECORDS_H
#define VG_CORE_INGEST_RECENT_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

/* Places, each for the records whose hash leads there; the newest stays. A power of two. */
#define VG_RECENT_RECORDS 16384u

/* Of one key and its record together; what is larger is read from the store. */
#define VG_RECENT_BYTES_MAX 1024u

struct vg_recent_record {
    uint64_t hash; /* of the key */
    uint16_t key_size;
    uint16_t record_size;
    bool exists;
    uint8_t bytes[]; /* key and record */
};

struct vg_recent_records {
    struct vg_recent_record *places[VG_RECENT_RECORDS]; /* NULL = none */
};

/* Forget all. A zeroed struct is empty. */
void vg_recent_records_clear(struct vg_recent_records *recent);

/* What is known of `key`, whose hash is `hash`; NULL = nothing. Stays until the next change. */
const struct vg_recent_record *vg_recent_records_find(
    const struct vg_recent_records *recent,
    uint64_t hash,
    struct vg_bytes key);

/* The record; of one that does not exist nothing. */
struct vg_bytes vg_recent_record_bytes(const struct vg_recent_record *record);

/* `key` has this record now, or none; what was known of it is not true any more. Without memory,
 * or when it is too large, nothing is known then. */
void vg_recent_records_put(
    struct vg_recent_records *recent,
    uint64_t hash,
    struct vg_bytes key,
    bool exists,
    struct vg_bytes value);

#endif
