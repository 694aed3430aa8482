/*
 * A reply as JSON in the envelope, made in parts so that memory stays flat: the head, then rows
 * while the client reads, then the end with the number of rows that went out.
 *
 * Threads: with the call: an executor thread or the worker.
 */
#ifndef VG_GATEWAY_ENVELOPE_REPLY_JSON_H
#define VG_GATEWAY_ENVELOPE_REPLY_JSON_H

#include <stdbool.h>

#include "core/base/error.h"
#include "rpc/service/call.h"

struct vg_reply_json {
    bool begun;
    uint64_t rows;
    struct vg_arena row_arena; /* emptied between rows */
};

void vg_reply_json_init(struct vg_reply_json *json);
void vg_reply_json_dispose(struct vg_reply_json *json);

/*
 * Append the next part of call->reply to call->out, about VG_CALL_PART_BYTES; sets call->out_done
 * with the last.
 *
 * Fails with: what the row puller fails with; CANCELLED, DEADLINE_EXCEEDED; REQUEST_MEMORY. Before
 * the first byte has been sent the failure is answered in the envelope, afterwards the answer is
 * cut.
 */
VG_MUST_USE enum vg_reason vg_reply_json_write(struct vg_reply_json *json, struct vg_call *call);

/* HTTP status of a successful call. */
unsigned vg_reply_json_status(const struct vg_call *call);

#endif
