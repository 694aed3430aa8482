#include "gateway/envelope/reply_json.h"

#include "gateway/envelope/envelope.h"
#include "gateway/json/json_write.h"

static enum vg_reason write_single(struct vg_call *call)
{
    vg_envelope_begin(
        &call->out,
        &(struct vg_envelope_numbers){ .status = vg_reply_body_status(call),
                                       .notice = call->reply.notice,
                                       .now = call->now });
    (void)!vg_json_write(call->method->answer, call->reply.answer, &vg_json_documented, &call->out);
    vg_envelope_end(
        &call->out,
        0); /* writers note a failure in the buffer; it is looked at once, below */
    call->out_done = true;
    return call->out.failed ? vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL) : VG_OK;
}

static enum vg_reason write_rows(struct vg_reply_body *body, struct vg_call *call)
{
    const size_t start = call->out.size;
    while (call->out.size - start < vg_call_part_bytes(call) && !call->out.failed) {
        const ProtobufCMessage *row = NULL;
        enum vg_reason reason = vg_reply_body_next(body, call, &row);
        if (reason != VG_OK) {
            return reason;
        }
        if (row == NULL) {
            vg_buffer_append_byte(&call->out, ']');
            vg_envelope_end(&call->out, body->rows);
            call->out_done = true;
            break;
        }
        if (body->rows > 1) {
            vg_buffer_append_byte(&call->out, ',');
        }
        (void)!vg_json_write(call->method->element, row, &vg_json_documented, &call->out);
    }
    return call->out.failed ? vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL) : VG_OK;
}

enum vg_reason vg_reply_json_write(struct vg_reply_body *body, struct vg_call *call)
{
    if (call->method->envelope != VG_ENVELOPE_LIST) {
        return write_single(call);
    }
    if (!body->begun) {
        body->begun = true;
        vg_envelope_begin(
            &call->out,
            &(struct vg_envelope_numbers){ .status = vg_reply_body_status(call),
                                           .limit = call->reply.limit,
                                           .offset = call->reply.offset,
                                           .count = call->reply.count });
        vg_buffer_append_byte(&call->out, '[');
    }
    return write_rows(body, call);
}
