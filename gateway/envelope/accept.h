/*
 * Accept: which of the forms an answer can have the client likes best (RFC 9110 section 12.5.1).
 *
 * A header is a list of media ranges with qualities; several headers are one list. Of the ranges
 * that fit a form the most specific counts. What cannot be read is left out: an answer is never
 * refused for its form, and without a better choice it is JSON.
 *
 * Threads: a value.
 */
#ifndef VG_GATEWAY_ENVELOPE_ACCEPT_H
#define VG_GATEWAY_ENVELOPE_ACCEPT_H

#include <stdint.h>

#include "core/base/bytes.h"

/* In the order of preference of the server, which decides between equal qualities. */
enum vg_format {
    VG_FORMAT_JSON,
    VG_FORMAT_CSV,
    VG_FORMAT_JSONL,
    VG_FORMAT_XLSX,
    VG_FORMAT_EVENT_STREAM, /* of conversations only: reply_stream.h */
    VG_FORMAT_COUNT,
};

/* What a form is called, parameters included: "text/csv; charset=UTF-8". */
const char *vg_format_content_type(enum vg_format format);

struct vg_accept {
    uint16_t quality[VG_FORMAT_COUNT]; /* of VG_HEADER_QUALITY_MAX */
    uint8_t rank[VG_FORMAT_COUNT];     /* how specific the range was it came from; 0 = none fits */
};

/* Nothing has been said. */
void vg_accept_init(struct vg_accept *accept);

/* Take one header's value. */
void vg_accept_add(struct vg_accept *accept, struct vg_bytes value);

/* The form to answer in, of JSON and those in `produces` (enum vg_product bits). */
enum vg_format vg_accept_choose(const struct vg_accept *accept, unsigned produces);

#endif
