#include "gateway/envelope/reply_json.h"

#include <string.h>

#include "core/base/assert.h"
#include "gateway/envelope/envelope.h"
#include "gateway/json/json_write.h"

/* One row may take this much while it is built. */
#define VG_REPLY_ROW_BYTES_MAX (64u * 1024u * 1024u)

void vg_reply_json_init(struct vg_reply_json *json)
{
    *json = (struct vg_reply_json){ .begun = false };
    vg_arena_init(&json->row_arena, VG_REPLY_ROW_BYTES_MAX);
}

void vg_reply_json_dispose(struct vg_reply_json *json)
{
    vg_arena_dispose(&json->row_arena);
}

unsigned vg_reply_json_status(const struct vg_call *call)
{
    return call->reply.status != 0 ? call->reply.status : call->method->success;
}

static enum vg_reason write_single(struct vg_call *call)
{
    vg_envelope_begin(
        &call->out,
        &(struct vg_envelope_numbers){ .status = vg_reply_json_status(call) });
    (void)!vg_json_write(call->method->answer, call->reply.answer, &vg_json_documented, &call->out);
    vg_envelope_end(
        &call->out,
        0); /* writers note a failure in the buffer; it is looked at once, below */
    call->out_done = true;
    return call->out.failed ? vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL) : VG_OK;
}

/* The bytes of an answer without envelope: its member `data`. */
static enum vg_reason write_raw(struct vg_call *call)
{
    const ProtobufCMessage *answer = call->reply.answer;
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(answer->descriptor, "data");
    VG_ASSERT(field != NULL && field->type == PROTOBUF_C_TYPE_BYTES);
    ProtobufCBinaryData data;
    memcpy(&data, (const uint8_t *)answer + field->offset, sizeof(data));
    if (data.len != 0) {
        vg_buffer_append(&call->out, data.data, data.len);
    }
    call->out_done = true;
    return call->out.failed ? vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL) : VG_OK;
}

static enum vg_reason write_rows(struct vg_reply_json *json, struct vg_call *call)
{
    struct vg_rows *rows = call->reply.rows;
    size_t start = call->out.size;
    while (call->out.size - start < VG_CALL_PART_BYTES) {
        enum vg_reason reason = vg_call_check(call);
        if (reason != VG_OK) {
            return reason;
        }
        struct vg_reply_row row = { .message = NULL };
        bool at_end = rows == NULL;
        if (rows != NULL) {
            vg_arena_reset(&json->row_arena);
            reason = rows->class->next(rows, &json->row_arena, false, &row, &at_end, &call->error);
            if (reason != VG_OK) {
                return reason;
            }
        }
        if (at_end) {
            vg_buffer_append_byte(&call->out, ']');
            vg_envelope_end(&call->out, json->rows);
            call->out_done = true;
            break;
        }
        if (json->rows > 0) {
            vg_buffer_append_byte(&call->out, ',');
        }
        (void)!vg_json_write(call->method->element, row.message, &vg_json_documented, &call->out);
        json->rows++;
    }
    return call->out.failed ? vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL) : VG_OK;
}

enum vg_reason vg_reply_json_write(struct vg_reply_json *json, struct vg_call *call)
{
    if (call->method->envelope == VG_ENVELOPE_RAW) {
        return write_raw(call);
    }
    if (call->method->envelope != VG_ENVELOPE_LIST) {
        return write_single(call);
    }
    if (!json->begun) {
        json->begun = true;
        vg_envelope_begin(
            &call->out,
            &(struct vg_envelope_numbers){ .status = vg_reply_json_status(call),
                                           .limit = call->reply.limit,
                                           .offset = call->reply.offset,
                                           .count = call->reply.count });
        vg_buffer_append_byte(&call->out, '[');
    }
    return write_rows(json, call);
}
