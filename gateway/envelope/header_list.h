/*
 * The values of HTTP headers that are lists with parameters and weights (RFC 9110 §5.6, §12.4.2).
 *
 * Threads: pure.
 */
#ifndef VG_GATEWAY_ENVELOPE_HEADER_LIST_H
#define VG_GATEWAY_ENVELOPE_HEADER_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

/* Weights are kept in thousandths. */
#define VG_HEADER_QUALITY_MAX 1000u

/* Without the blanks around it. */
struct vg_bytes vg_header_list_trim(struct vg_bytes text);

/* Take what stands before the next `mark` outside of quotes off the front of *rest, without blanks
 * around it; the mark goes with it. */
struct vg_bytes vg_header_list_take(struct vg_bytes *rest, uint8_t mark);

/* Is it the word, in whatever case? */
bool vg_header_list_is(struct vg_bytes text, const char *word);

/* The weight among the parameters of an element, divided by ';'; 1 when it is not said. False when
 * it is none. */
bool vg_header_list_quality(struct vg_bytes parameters, unsigned *out_quality);

#endif
