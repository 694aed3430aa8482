/*
 * Record fetch: the packed records of hits, one after the other. Where the hits stand close
 * together in the store, as those of an export or of a pull do, a run of them is read ahead in one
 * walk over the keys, which costs a fraction of as many single reads; where they turn out to be
 * scattered the walk is given up after a few entries and not tried again for a while. Scattered
 * ones are taken from the record cache; what is not there is read one by one in the order of the
 * keys, by a second thread as well if one is idle, and is in the cache from then on.
 *
 * Threads: belongs to one thread at a time.
 */
#ifndef VG_CORE_EVENTS_RECORD_FETCH_H
#define VG_CORE_EVENTS_RECORD_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/events/event_reader.h"

/* Hits read ahead at most, and the fewest for which a walk is tried. */
#define VG_RECORD_FETCH_AHEAD 512u
#define VG_RECORD_FETCH_LEAST 32u

struct vg_record_fetch {
    const struct vg_event_store *source;
    const struct vg_snapshot *snapshot;
    const struct vg_hit *hits; /* still to come */
    uint32_t count;
    struct vg_record_ahead *ahead; /* made for the first walk */
    uint32_t walks_skipped;        /* walks still not to be tried */
    uint32_t walks_failed;         /* in a row */
    bool is_dense;                 /* the last walk was worth it: the cache is not asked */
    struct vg_store_value value;   /* a record read by itself */
    struct vg_buffer kept;         /* one from the cache */
    uint64_t read_count;           /* records handed out */
};

/* Source and snapshot are borrowed until vg_record_fetch_dispose. */
void vg_record_fetch_init(
    struct vg_record_fetch *fetch,
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot);
void vg_record_fetch_dispose(struct vg_record_fetch *fetch);

/* Go on with these hits, which stay until they are read, instead of those still to come. */
void vg_record_fetch_set(struct vg_record_fetch *fetch, const struct vg_hit *hits, uint32_t count);

/* Go past the next hit without reading it. There must be one. */
void vg_record_fetch_skip(struct vg_record_fetch *fetch);

/*
 * The next hit's identity and record, which stays until the next call. There must be one.
 *
 * Fails with: STORE_IO, STORE_CORRUPT (also for a record that is not there), STORE_UNAVAILABLE.
 */
VG_MUST_USE enum vg_reason vg_record_fetch_next(
    struct vg_record_fetch *fetch,
    struct vg_event_id *out_id,
    struct vg_bytes *out_record,
    struct vg_error *error);

#endif
