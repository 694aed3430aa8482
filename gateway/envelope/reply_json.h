/*
 * A reply as JSON in the envelope: the head, then rows while the client reads, then the end with
 * the number of rows that went out.
 *
 * Threads: with the call.
 */
#ifndef VG_GATEWAY_ENVELOPE_REPLY_JSON_H
#define VG_GATEWAY_ENVELOPE_REPLY_JSON_H

#include "gateway/envelope/reply_body.h"

/* As vg_reply_body_write. */
VG_MUST_USE enum vg_reason vg_reply_json_write(struct vg_reply_body *body, struct vg_call *call);

#endif
