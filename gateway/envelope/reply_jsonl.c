#include "gateway/envelope/reply_jsonl.h"

#include "gateway/json/json_write.h"

enum vg_reason vg_reply_jsonl_write(struct vg_reply_body *body, struct vg_call *call)
{
    const struct vg_table *table = vg_reply_body_table(call);
    const size_t start = call->out.size;
    while (call->out.size - start < vg_call_part_bytes(call) && !call->out.failed) {
        const ProtobufCMessage *row = NULL;
        enum vg_reason reason = vg_reply_body_next(body, call, &row);
        if (reason != VG_OK) {
            return reason;
        }
        if (row == NULL) {
            call->out_done = true;
            break;
        }
        (void)!vg_json_write(table, row, &vg_json_documented, &call->out);
        vg_buffer_append_byte(&call->out, '\n');
    }
    return call->out.failed ? vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL) : VG_OK;
}
