/*
 * The body of a REST answer, in the form the client has chosen, made in parts so that memory stays
 * flat: each call appends to call->out and the last one sets call->out_done.
 *
 * Threads: with the call: an executor thread or the worker, one at a time.
 */
#ifndef VG_GATEWAY_ENVELOPE_REPLY_BODY_H
#define VG_GATEWAY_ENVELOPE_REPLY_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "gateway/envelope/accept.h"
#include "gateway/envelope/flat_column.h"
#include "rpc/service/call.h"

struct vg_workbook;

struct vg_reply_body {
    enum vg_format format;
    bool begun;
    int64_t length; /* of the whole body, when it is known before the first part is sent; else -1 */

    /* Private to the writers. */
    uint64_t rows;             /* that have gone out */
    struct vg_arena row_arena; /* emptied between rows */
    struct vg_flat_columns flat;
    struct vg_buffer scratch; /* of one cell */
    struct vg_workbook *workbook;
    uint64_t raw_sent;
};

void vg_reply_body_init(struct vg_reply_body *body);
void vg_reply_body_dispose(struct vg_reply_body *body);

/*
 * Append the next part of call->reply, about vg_call_part_bytes. A part is empty when work has been
 * done and there is nothing to send yet: ask for the next.
 *
 * Fails with: what the row puller fails with; CANCELLED, DEADLINE_EXCEEDED; REQUEST_MEMORY;
 * RESULTSET_TOO_LARGE, STORE_IO and STORE_FULL for a spreadsheet. Before the first byte has been
 * sent the failure is answered in the envelope, afterwards the answer is cut.
 */
VG_MUST_USE enum vg_reason vg_reply_body_write(struct vg_reply_body *body, struct vg_call *call);

/* HTTP status of a successful call. */
unsigned vg_reply_body_status(const struct vg_call *call);

/* Its content type. */
const char *vg_reply_body_type(const struct vg_reply_body *body, const struct vg_call *call);

/* The name a RAW answer is to be saved by; NULL = none. */
const char *vg_reply_body_file_name(const struct vg_call *call);

/*
 * For the writers: the next row, a message of vg_reply_body_table, valid until the next call; NULL
 * = there is none. The answer of a method that gives one object is a single row.
 *
 * Fails with: CANCELLED, DEADLINE_EXCEEDED, what the puller fails with.
 */
VG_MUST_USE enum vg_reason vg_reply_body_next(
    struct vg_reply_body *body,
    struct vg_call *call,
    const ProtobufCMessage **out_row);
const struct vg_table *vg_reply_body_table(const struct vg_call *call);

#endif
