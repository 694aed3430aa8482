/*
 * A reply as JSON lines: the elements of `data` as in JSON, a line each, without an envelope.
 * Limit, offset and count are headers of the answer.
 *
 * Threads: with the call.
 */
#ifndef VG_GATEWAY_ENVELOPE_REPLY_JSONL_H
#define VG_GATEWAY_ENVELOPE_REPLY_JSONL_H

#include "gateway/envelope/reply_body.h"

/* As vg_reply_body_write. */
VG_MUST_USE enum vg_reason vg_reply_jsonl_write(struct vg_reply_body *body, struct vg_call *call);

#endif
