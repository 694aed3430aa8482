#include "gateway/envelope/reply_raw.h"

#include <stdio.h>
#include <string.h>

static const struct vg_field *raw_field(const struct vg_call *call, const char *name)
{
    const struct vg_table *table = call->method->answer;
    uint8_t row = vg_contract_find_name(table, name, strlen(name), VG_NAME_DOCUMENTED);
    return row == VG_ROW_NONE ? NULL : &table->fields[row];
}

static const char *raw_text(const struct vg_call *call, const char *name, const char *otherwise)
{
    const struct vg_field *field = raw_field(call, name);
    const char *text = NULL;
    if (field != NULL && field->kind == VG_KIND_STRING) {
        memcpy(&text, (const char *)call->reply.answer + field->offset, sizeof(text));
    }
    return text != NULL ? text : otherwise;
}

static struct vg_bytes raw_data(const struct vg_call *call, const ProtobufCMessage *message)
{
    const struct vg_field *field = raw_field(call, "data");
    ProtobufCBinaryData data = { 0, NULL };
    if (field != NULL && field->kind == VG_KIND_BYTES) {
        memcpy(&data, (const char *)message + field->offset, sizeof(data));
    }
    return vg_bytes(data.data, data.len);
}

const char *vg_reply_raw_type(const struct vg_call *call)
{
    const char *type = raw_text(call, "contentType", call->reply.content_type);
    return type != NULL ? type : "application/octet-stream";
}

const char *vg_reply_raw_file_name(const struct vg_call *call)
{
    return raw_text(call, "fileName", call->reply.file_name);
}

/* The next pieces. They must come to what was announced: more or less of them is a cut answer. */
static enum vg_reason write_pieces(struct vg_reply_body *body, struct vg_call *call)
{
    struct vg_rows *rows = call->reply.rows;
    const size_t start = call->out.size;
    body->length = call->reply.raw_size;
    const size_t most = vg_call_part_bytes(call);
    while (call->out.size - start < most && !call->out_done) {
        struct vg_reply_row row = { .message = NULL };
        enum vg_reason reason = vg_call_check(call);
        if (reason == VG_OK) {
            vg_arena_clear(&body->row_arena);
            reason = rows->class->next(
                rows,
                &body->row_arena,
                false,
                &row,
                &call->out_done,
                &call->error);
        }
        if (reason != VG_OK) {
            return reason;
        }
        if (!call->out_done) {
            const struct vg_bytes data = raw_data(call, row.message);
            vg_buffer_append(&call->out, data.data, data.size);
            body->raw_sent += data.size;
        }
        if (call->out.failed) {
            return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
        }
    }
    bool is_whole = body->raw_sent == (uint64_t)call->reply.raw_size;
    return call->out_done && !is_whole ? vg_error_set(&call->error, VG_STORE_IO, NULL) : VG_OK;
}

enum vg_reason vg_reply_raw_write(struct vg_reply_body *body, struct vg_call *call)
{
    if (call->reply.rows != NULL) {
        return write_pieces(body, call);
    }
    const struct vg_bytes data = raw_data(call, call->reply.answer);
    const size_t left = data.size - (size_t)body->raw_sent;
    const size_t most = vg_call_part_bytes(call);
    const size_t size = left < most ? left : most;
    body->length = (int64_t)data.size;
    if (size > 0) {
        vg_buffer_append(&call->out, data.data + body->raw_sent, size);
    }
    body->raw_sent += size;
    call->out_done = body->raw_sent == data.size;
    return call->out.failed ? vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL) : VG_OK;
}

void vg_reply_raw_print_disposition(const char *file_name, char *out_text, size_t size)
{
    static const char start[] = "attachment; filename=\"";
    size_t used = (size_t)snprintf(out_text, size, "%s", start);
    for (const char *at = file_name; *at != '\0' && used + 2 < size; at++) {
        bool plain = *at >= ' ' && *at < 0x7F && strchr("\"\\/%", *at) == NULL;
        out_text[used] = '_';
        if (plain) {
            out_text[used] = *at;
        }
        used++;
    }
    (void)snprintf(out_text + used, size - used, "\"");
}
