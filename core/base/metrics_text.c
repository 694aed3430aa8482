#include "core/base/metrics_text.h"

#include <string.h>

#include "core/base/text_number.h"

/* Backslash and line feed are escaped in texts, the quote in values too. */
static void put_escaped(struct vg_buffer *out, const char *text, bool is_value)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            vg_buffer_append_text(out, "\\n");
            continue;
        }
        if (*text == '\\' || (*text == '"' && is_value)) {
            vg_buffer_append_byte(out, '\\');
        }
        vg_buffer_append_byte(out, (uint8_t)*text);
    }
}

void vg_metrics_text_head(
    struct vg_buffer *out,
    const char *name,
    const char *text,
    const char *type)
{
    vg_buffer_printf(out, "# HELP %s ", name);
    put_escaped(out, text, false);
    vg_buffer_printf(out, "\n# TYPE %s %s\n", name, type);
}

void vg_metrics_text_label(struct vg_buffer *out, const char *name, const char *value)
{
    vg_buffer_printf(out, "%s=\"", name);
    put_escaped(out, value, true);
    vg_buffer_append_byte(out, '"');
}

void vg_metrics_text_number(
    struct vg_buffer *out,
    const char *name,
    const char *text,
    const char *type,
    double value)
{
    char number[VG_TEXT_NUMBER_SIZE];
    (void)vg_text_number_print_double(value, number);
    vg_metrics_text_head(out, name, text, type);
    vg_buffer_printf(out, "%s %s\n", name, number);
}
