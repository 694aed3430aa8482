/*
 * A RAW reply: bytes with a content type and a file name, without an envelope.
 *
 * The answer message has the members data, contentType and fileName; what the handler says in
 * call->reply.content_type and file_name is used where the message says nothing. Without a type it
 * is application/octet-stream. Bytes of any size come in pieces, as rows: `data` of each is the
 * next one, and call->reply.raw_size says how many bytes all are.
 *
 * Threads: with the call.
 */
#ifndef VG_GATEWAY_ENVELOPE_REPLY_RAW_H
#define VG_GATEWAY_ENVELOPE_REPLY_RAW_H

#include "gateway/envelope/reply_body.h"

/* As vg_reply_body_write; sets body->length. */
VG_MUST_USE enum vg_reason vg_reply_raw_write(struct vg_reply_body *body, struct vg_call *call);

const char *vg_reply_raw_type(const struct vg_call *call);

/* NULL = none. */
const char *vg_reply_raw_file_name(const struct vg_call *call);

/*
 * Content-Disposition for a download of that name, as text with a NUL; at most `size` bytes with
 * it. Whatever does not stand for itself in a quoted string, or may mean a path, becomes '_' (RFC
 * 6266).
 */
void vg_reply_raw_print_disposition(const char *file_name, char *out_text, size_t size);

#endif
