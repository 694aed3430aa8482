#include "gateway/envelope/envelope.h"

#include "core/base/text_number.h"
#include "gateway/json/json_write.h"

static void put_number(struct vg_buffer *out, const char *piece, int64_t number)
{
    char text[VG_TEXT_NUMBER_SIZE];
    vg_buffer_append_text(out, piece);
    vg_buffer_append(out, text, vg_text_number_print_int64(number, text));
}

static void put_head(struct vg_buffer *out, const struct vg_envelope_numbers *numbers)
{
    put_number(out, "{\"responseCode\":", (int64_t)numbers->status);
    put_number(out, ",\"limit\":", numbers->limit);
    put_number(out, ",\"offset\":", numbers->offset);
    put_number(out, ",\"count\":", numbers->count);
    vg_buffer_append_text(out, ",\"metaData\":{");
    if (numbers->retry_after_ms != 0) {
        put_number(out, "\"millisUntilResourcesAvailable\":", (int64_t)numbers->retry_after_ms);
    }
    vg_buffer_append_text(out, "},\"messages\":[");
}

void vg_envelope_end(struct vg_buffer *out, uint64_t size)
{
    put_number(out, ",\"size\":", (int64_t)size);
    vg_buffer_append_byte(out, '}');
}

static void put_text(struct vg_buffer *out, const char *piece, const char *text)
{
    vg_buffer_append_text(out, piece);
    if (text == NULL) {
        vg_buffer_append_text(out, "null");
    } else {
        (void)!vg_json_write_text(vg_bytes_text(text), out); /* a full buffer says so by itself */
    }
}

/* One element of `messages`. The timestamp is always sent: real clients and the vendor's real
 * answers have it. */
static void put_message(struct vg_buffer *out, const struct vg_violation *violation, vg_time now)
{
    static const char *const types[] = {
        [VG_MESSAGE_FIELD] = "FIELD_ERROR",
        [VG_MESSAGE_ACTION] = "ACTION_ERROR",
        [VG_MESSAGE_NOTIFICATION] = "NOTIFICATION",
    };
    const struct vg_reason_row *row = vg_reason_row(violation->reason);
    put_text(out, "{\"message\":", violation->message != NULL ? violation->message : row->text);
    put_text(out, ",\"messageTemplate\":", row->template_key);
    put_text(out, ",\"type\":", types[row->message_type]);
    put_text(out, ",\"field\":", violation->field);
    put_text(out, ",\"parameter\":", violation->parameter);
    put_number(out, ",\"timestamp\":", now);
    vg_buffer_append_byte(out, '}');
}

void vg_envelope_begin(struct vg_buffer *out, const struct vg_envelope_numbers *numbers)
{
    put_head(out, numbers);
    if (numbers->notice != VG_OK) {
        put_message(out, &(struct vg_violation){ .reason = numbers->notice }, numbers->now);
    }
    vg_buffer_append_text(out, "],\"data\":");
}

void vg_envelope_error(struct vg_buffer *out, const struct vg_error *error, vg_time now)
{
    put_head(
        out,
        &(struct vg_envelope_numbers){ .status = vg_reason_row(error->reason)->http_status,
                                       .retry_after_ms = error->retry_after_ms });
    if (error->violations.count > 0) {
        for (uint32_t i = 0; i < error->violations.count; i++) {
            if (i > 0) {
                vg_buffer_append_byte(out, ',');
            }
            put_message(out, &error->violations.items[i], now);
        }
    } else {
        put_message(
            out,
            &(struct vg_violation){ .reason = error->reason,
                                    .message = error->message[0] != '\0' ? error->message : NULL,
                                    .field = error->field[0] != '\0' ? error->field : NULL,
                                    .parameter =
                                        error->parameter[0] != '\0' ? error->parameter : NULL },
            now);
    }
    vg_buffer_append_text(out, "],\"data\":null");
    vg_envelope_end(out, 0);
}
