#include "gateway/envelope/reply_csv.h"

#include <string.h>

#include "core/base/text_number.h"

static bool is_formula(struct vg_bytes text)
{
    return text.size > 0 && memchr("=+-@\t\r", text.data[0], 6) != NULL;
}

static bool needs_quotes(struct vg_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '"' || byte == ',' || byte == '\n' || byte == '\r') {
            return true;
        }
    }
    return false;
}

void vg_reply_csv_put_text(struct vg_buffer *out, struct vg_bytes text)
{
    const bool quoted = needs_quotes(text);
    if (quoted) {
        vg_buffer_append_byte(out, '"');
    }
    if (is_formula(text)) {
        vg_buffer_append_byte(out, '\'');
    }
    while (quoted && text.size > 0) {
        /* Up to a quote, which is written twice. */
        const uint8_t *quote = memchr(text.data, '"', text.size);
        size_t size = quote == NULL ? text.size : (size_t)(quote - text.data) + 1;
        vg_buffer_append(out, text.data, size);
        if (quote != NULL) {
            vg_buffer_append_byte(out, '"');
        }
        text = vg_bytes(text.data + size, text.size - size);
    }
    vg_buffer_append(out, text.data, text.size);
    if (quoted) {
        vg_buffer_append_byte(out, '"');
    }
}

static void put_number(struct vg_buffer *out, const struct vg_flat_cell *cell)
{
    char text[VG_TEXT_NUMBER_SIZE];
    size_t size = cell->kind == VG_FLAT_INTEGER ? vg_text_number_print_int64(cell->integer, text)
                                                : vg_text_number_print_double(cell->real, text);
    vg_buffer_append(out, text, size);
}

static bool put_row(struct vg_reply_body *body, const ProtobufCMessage *row, struct vg_buffer *out)
{
    for (size_t i = 0; i < body->flat.count; i++) {
        struct vg_flat_cell cell;
        if (i > 0) {
            vg_buffer_append_byte(out, ',');
        }
        if (!vg_flat_column_read(&body->flat.items[i], row, &body->scratch, &cell)) {
            return false;
        }
        if (cell.kind == VG_FLAT_TEXT) {
            vg_reply_csv_put_text(out, cell.text);
        } else if (cell.kind != VG_FLAT_EMPTY) {
            put_number(out, &cell);
        }
    }
    vg_buffer_append(out, "\r\n", 2);
    return !out->failed;
}

static enum vg_reason no_memory(struct vg_call *call)
{
    return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

static enum vg_reason put_head(struct vg_reply_body *body, struct vg_call *call)
{
    if (!vg_flat_columns_make(vg_reply_body_table(call), &call->arena, &body->flat)) {
        return no_memory(call);
    }
    for (size_t i = 0; i < body->flat.count; i++) {
        if (i > 0) {
            vg_buffer_append_byte(&call->out, ',');
        }
        vg_reply_csv_put_text(&call->out, vg_bytes_text(body->flat.items[i].name));
    }
    vg_buffer_append(&call->out, "\r\n", 2);
    body->begun = true;
    return VG_OK;
}

enum vg_reason vg_reply_csv_write(struct vg_reply_body *body, struct vg_call *call)
{
    const size_t start = call->out.size;
    enum vg_reason reason = body->begun ? VG_OK : put_head(body, call);
    while (reason == VG_OK && call->out.size - start < vg_call_part_bytes(call)) {
        const ProtobufCMessage *row = NULL;
        reason = vg_reply_body_next(body, call, &row);
        if (reason == VG_OK && row == NULL) {
            call->out_done = true;
            break;
        }
        if (reason == VG_OK && !put_row(body, row, &call->out)) {
            reason = no_memory(call);
        }
    }
    return reason == VG_OK && call->out.failed ? no_memory(call) : reason;
}
