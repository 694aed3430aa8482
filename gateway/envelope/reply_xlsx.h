/*
 * A reply as a spreadsheet (Office Open XML): one sheet `data`, the columns of
 * gateway/envelope/flat_column.h. Numbers are numbers, everything else is inline text, which no
 * spreadsheet takes for a formula.
 *
 * A spreadsheet cannot be sent before its last row is known: it is written to an unnamed file in
 * the data directory, by libxlsxwriter in constant memory, and sent from there. So the whole of it
 * is made with the first part, on the executor thread the call is on. A text longer than a cell may
 * hold is cut.
 *
 * Threads: with the call.
 */
#ifndef VG_GATEWAY_ENVELOPE_REPLY_XLSX_H
#define VG_GATEWAY_ENVELOPE_REPLY_XLSX_H

#include "gateway/envelope/reply_body.h"

/* Characters of a cell. */
#define VG_XLSX_CELL_MAX 32767u

/* As vg_reply_body_write; sets body->length. */
VG_MUST_USE enum vg_reason vg_reply_xlsx_write(struct vg_reply_body *body, struct vg_call *call);

/* Close and forget what there is of it. */
void vg_reply_xlsx_dispose(struct vg_reply_body *body);

/* May an answer of so many rows be a spreadsheet: VG_LIMIT_XLSX_ROWS. */
bool vg_reply_xlsx_fits(uint64_t rows);

#endif
