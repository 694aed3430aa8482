#include "gateway/envelope/reply_stream.h"

#include <string.h>

#include "core/wire/wire_decode.h"
#include "gateway/json/json_write.h"

/* How soon a browser comes back after a connection that broke, in milliseconds. */
#define RETRY "retry: 1000\n\n"

enum vg_format vg_reply_stream_format(enum vg_format chosen)
{
    return chosen == VG_FORMAT_EVENT_STREAM ? chosen : VG_FORMAT_JSONL;
}

void vg_reply_stream_begin(enum vg_format format, struct vg_buffer *out)
{
    if (format == VG_FORMAT_EVENT_STREAM) {
        vg_buffer_append_text(out, RETRY);
    }
}

/* The text member `name` of `message`; NULL when it is not set. */
static const char *text_member(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const char *name)
{
    uint8_t row = vg_contract_find_name(table, name, strlen(name), VG_NAME_DOCUMENTED);
    const char *text = NULL;
    if (row != VG_ROW_NONE && table->fields[row].kind == VG_KIND_STRING) {
        memcpy(&text, (const char *)message + table->fields[row].offset, sizeof(text));
    }
    return text;
}

static bool has_message(const struct vg_table *table, const ProtobufCMessage *message)
{
    bool has = false;
    for (size_t i = 0; i < table->field_count; i++) {
        const void *member = NULL;
        if (table->fields[i].kind == VG_KIND_MESSAGE) {
            memcpy(&member, (const char *)message + table->fields[i].offset, sizeof(member));
        }
        has = has || member != NULL;
    }
    return has;
}

/* Tokens are printable, so an id is a line. */
static void put_id(const char *token, struct vg_buffer *out)
{
    if (token != NULL) {
        vg_buffer_append_text(out, "id: ");
        vg_buffer_append_text(out, token);
        vg_buffer_append_byte(out, '\n');
    }
}

bool vg_reply_stream_say(
    enum vg_format format,
    const struct vg_table *table,
    const struct vg_reply_row *row,
    struct vg_arena *arena,
    struct vg_buffer *out)
{
    const ProtobufCMessage *message = row->message;
    if (row->wire.data != NULL) {
        ProtobufCMessage *decoded = NULL;
        vg_arena_clear(arena);
        if (vg_wire_decode(table, row->wire, &vg_wire_policy_request, arena, &decoded, NULL) !=
            VG_OK) {
            return false;
        }
        message = decoded;
    }
    bool is_event = format == VG_FORMAT_EVENT_STREAM;
    if (is_event && !has_message(table, message)) {
        vg_buffer_append_text(out, ": nothing new\n");
        put_id(text_member(table, message, "token"), out);
        vg_buffer_append_byte(out, '\n');
        return !out->failed;
    }
    if (is_event) {
        put_id(text_member(table, message, "token"), out);
        vg_buffer_append_text(out, "data: ");
    }
    (void)!vg_json_write(table, message, &vg_json_documented, out);
    vg_buffer_append_text(out, is_event ? "\n\n" : "\n");
    return !out->failed;
}

static void put_text(struct vg_buffer *out, const char *name, const char *text)
{
    vg_buffer_append_text(out, ",\"");
    vg_buffer_append_text(out, name);
    vg_buffer_append_text(out, "\":");
    (void)!vg_json_write_text(vg_bytes_text(text), out); /* a full buffer says so by itself */
}

void vg_reply_stream_end(enum vg_format format, const struct vg_error *error, struct vg_buffer *out)
{
    bool is_event = format == VG_FORMAT_EVENT_STREAM;
    if (is_event) {
        vg_buffer_append_text(out, "event: end\ndata: ");
    }
    if (error == NULL) {
        vg_buffer_append_text(out, "{\"end\":true}");
    } else {
        const struct vg_reason_row *row = vg_reason_row(error->reason);
        vg_buffer_printf(out, "{\"error\":{\"responseCode\":%u", (unsigned)row->http_status);
        put_text(out, "messageTemplate", row->template_key);
        put_text(out, "message", error->message[0] != '\0' ? error->message : row->text);
        vg_buffer_append_text(out, row->retry_later ? ",\"retry\":true}}" : ",\"retry\":false}}");
    }
    vg_buffer_append_text(out, is_event ? "\n\n" : "\n");
}
