/*
 * Values of the change log and of `state`.
 *
 * A change-log entry names the records one batch changed: their kinds and store keys. After a start
 * the table replays the entries behind its checkpoint. `state` says how far the shard has come; it
 * is guarded and written by every batch.
 *
 * Threads: values.
 */
#ifndef VG_CORE_KEYSPACE_CHANGE_LOG_H
#define VG_CORE_KEYSPACE_CHANGE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"

/* Append one changed record to an entry. `kind` < 256; `key`: at most 65,535 bytes. */
void vg_change_log_append(struct vg_buffer *entry, uint32_t kind, struct vg_bytes key);

enum vg_change_log_step {
    VG_CHANGE_LOG_RECORD,
    VG_CHANGE_LOG_END,
    VG_CHANGE_LOG_CORRUPT,
};

/* Read the record at *position (start with 0) and move on. The key borrows from `entry`. */
VG_MUST_USE enum vg_change_log_step vg_change_log_next(
    struct vg_bytes entry,
    size_t *position,
    uint32_t *out_kind,
    struct vg_bytes *out_key);

/* How far a shard has come. */
struct vg_shard_state {
    uint64_t sequence;    /* of the last committed batch; 0 = none yet */
    vg_time last_updated; /* the last lastUpdatedTimestamp given out */
};

#define VG_SHARD_STATE_SIZE 16

void vg_shard_state_encode(const struct vg_shard_state *state, uint8_t out[VG_SHARD_STATE_SIZE]);

/* False, output untouched, if `value` is none. */
VG_MUST_USE bool vg_shard_state_decode(struct vg_bytes value, struct vg_shard_state *out_state);

#endif
