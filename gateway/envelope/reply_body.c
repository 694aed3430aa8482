#include "gateway/envelope/reply_body.h"

#include <string.h>

#include "core/base/assert.h"
#include "gateway/envelope/reply_csv.h"
#include "gateway/envelope/reply_json.h"
#include "gateway/envelope/reply_jsonl.h"
#include "gateway/envelope/reply_raw.h"
#include "gateway/envelope/reply_xlsx.h"

/* One row may take this much while it is built, and one cell as text. */
#define ROW_BYTES_MAX  (64u * 1024u * 1024u)
#define CELL_BYTES_MAX (64u * 1024u * 1024u)

static enum vg_reason (*const writers[VG_FORMAT_COUNT])(
    struct vg_reply_body *body,
    struct vg_call *call) = {
    [VG_FORMAT_JSON] = vg_reply_json_write,
    [VG_FORMAT_CSV] = vg_reply_csv_write,
    [VG_FORMAT_JSONL] = vg_reply_jsonl_write,
    [VG_FORMAT_XLSX] = vg_reply_xlsx_write,
};

void vg_reply_body_init(struct vg_reply_body *body)
{
    *body = (struct vg_reply_body){ .format = VG_FORMAT_JSON, .length = -1 };
    vg_arena_init(&body->row_arena, ROW_BYTES_MAX);
    vg_buffer_init(&body->scratch, CELL_BYTES_MAX);
}

void vg_reply_body_dispose(struct vg_reply_body *body)
{
    vg_reply_xlsx_dispose(body);
    vg_buffer_dispose(&body->scratch);
    vg_arena_dispose(&body->row_arena);
}

enum vg_reason vg_reply_body_write(struct vg_reply_body *body, struct vg_call *call)
{
    if (call->method->envelope == VG_ENVELOPE_RAW) {
        return vg_reply_raw_write(body, call);
    }
    VG_ASSERT(writers[body->format] != NULL); /* what is said is not written: reply_stream.h */
    return writers[body->format](body, call);
}

unsigned vg_reply_body_status(const struct vg_call *call)
{
    return call->reply.status != 0 ? call->reply.status : call->method->success;
}

const char *vg_reply_body_type(const struct vg_reply_body *body, const struct vg_call *call)
{
    return call->method->envelope == VG_ENVELOPE_RAW ? vg_reply_raw_type(call)
                                                     : vg_format_content_type(body->format);
}

const char *vg_reply_body_file_name(const struct vg_call *call)
{
    return call->method->envelope == VG_ENVELOPE_RAW ? vg_reply_raw_file_name(call) : NULL;
}

const struct vg_table *vg_reply_body_table(const struct vg_call *call)
{
    return call->method->envelope == VG_ENVELOPE_LIST ? call->method->element
                                                      : call->method->answer;
}

enum vg_reason vg_reply_body_next(
    struct vg_reply_body *body,
    struct vg_call *call,
    const ProtobufCMessage **out_row)
{
    struct vg_rows *rows = call->reply.rows;
    struct vg_reply_row row = { .message = NULL };
    bool end = false;
    enum vg_reason reason = vg_call_check(call);
    if (reason != VG_OK) {
        return reason;
    }
    if (call->method->envelope != VG_ENVELOPE_LIST) {
        row.message = body->rows == 0 ? call->reply.answer : NULL;
    } else if (rows != NULL) {
        vg_arena_clear(&body->row_arena);
        reason = rows->class->next(rows, &body->row_arena, false, &row, &end, &call->error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    *out_row = end ? NULL : row.message;
    body->rows += *out_row != NULL;
    return VG_OK;
}
