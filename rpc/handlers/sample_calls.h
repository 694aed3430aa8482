/*
 * What the handlers of samples share: where samples are read from, and that one the caller does not
 * see is answered like one that is not there.
 *
 * Threads: an executor's, with the call.
 */
#ifndef VG_RPC_HANDLERS_SAMPLE_CALLS_H
#define VG_RPC_HANDLERS_SAMPLE_CALLS_H

#include "core/samples/sample_access.h"
#include "rpc/service/call.h"

/* Where samples are read from, for an answer that may take `age_ms`. */
struct vg_sample_store vg_sample_calls_store(const struct vg_call *call, uint32_t age_ms);

/*
 * Read the sample whose SHA-256 is `text`, 64 hexadecimal digits in any case. Release the reading
 * in any case.
 *
 * Fails with: SAMPLE_NOT_FOUND when there is none that the caller sees; what vg_sample_read fails
 * with.
 */
VG_MUST_USE enum vg_reason vg_sample_calls_read(
    struct vg_call *call,
    const char *text,
    struct vg_sample_reading *out_reading);

/* The same for one he need not see: reading->exists and reading->visible tell. */
VG_MUST_USE enum vg_reason vg_sample_calls_look(
    struct vg_call *call,
    const char *text,
    struct vg_sample_reading *out_reading);

/* The window of a search: as asked, or a month back to now, by the caller's calendar. */
vg_time vg_sample_calls_index_start(const struct vg_call *call, const char *asked);
vg_time vg_sample_calls_index_end(const struct vg_call *call, const char *asked);

/* Set the call's error: there is no sample `text`. */
enum vg_reason vg_sample_calls_not_found(struct vg_call *call, const char *text);

#endif
