/*
 * Accept-Encoding: whether the client wants its answer compressed (RFC 9110 §12.5.3). The only
 * coding offered is gzip. Several headers are one list; what cannot be read is left out.
 *
 * Threads: a value.
 */
#ifndef VG_GATEWAY_ENVELOPE_ACCEPT_CODING_H
#define VG_GATEWAY_ENVELOPE_ACCEPT_CODING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

/* Weights in thousandths, -1 = not said. */
struct vg_accept_coding {
    int16_t gzip;
    int16_t identity;
    int16_t any; /* "*" */
};

/* Nothing has been said. */
void vg_accept_coding_init(struct vg_accept_coding *accept);

/* Take one header's value. */
void vg_accept_coding_add(struct vg_accept_coding *accept, struct vg_bytes value);

/* Is gzip allowed, and liked no less than nothing at all? Without a header it is not. */
bool vg_accept_coding_wants_gzip(const struct vg_accept_coding *accept);

#endif
