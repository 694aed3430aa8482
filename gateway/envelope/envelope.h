/*
 * The object around every JSON answer: responseCode, limit, offset, count, metaData, messages,
 * data, size, in this order. It is written here and nowhere else.
 *
 * Threads: pure; the buffer's owner.
 */
#ifndef VG_GATEWAY_ENVELOPE_ENVELOPE_H
#define VG_GATEWAY_ENVELOPE_ENVELOPE_H

#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/error.h"

struct vg_envelope_numbers {
    unsigned status;
    int64_t limit; /* effective; 0 around a single object */
    int64_t offset;
    int64_t count;           /* -1 = not counted */
    enum vg_reason notice;   /* what a success has to say besides; VG_OK = nothing */
    vg_time now;             /* of the notice */
    uint32_t retry_after_ms; /* of an error that tells it; 0 = it does not */
};

/* Everything up to and including `"data":`. */
void vg_envelope_begin(struct vg_buffer *out, const struct vg_envelope_numbers *numbers);

/* `,"size":N}` */
void vg_envelope_end(struct vg_buffer *out, uint64_t size);

/* A whole answer for a failure: one message per violation, or one for the error itself; data is
 * null. */
void vg_envelope_error(struct vg_buffer *out, const struct vg_error *error, vg_time now);

#endif
