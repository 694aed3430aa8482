/*
 * A reply as comma-separated values (RFC 4180): UTF-8 without a mark, lines end with CRLF, the
 * first names the columns (gateway/envelope/flat_column.h). Null is nothing, times are
 * milliseconds.
 *
 * A text that a spreadsheet would take for a formula (it begins with =, +, -, @, TAB or CR) gets an
 * apostrophe before it; numbers stay numbers.
 *
 * Threads: with the call.
 */
#ifndef VG_GATEWAY_ENVELOPE_REPLY_CSV_H
#define VG_GATEWAY_ENVELOPE_REPLY_CSV_H

#include "gateway/envelope/reply_body.h"

/* As vg_reply_body_write. */
VG_MUST_USE enum vg_reason vg_reply_csv_write(struct vg_reply_body *body, struct vg_call *call);

/* Append one text as a field. */
void vg_reply_csv_put_text(struct vg_buffer *out, struct vg_bytes text);

#endif
