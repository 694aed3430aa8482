#include "core/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"

enum { RETRY_NO, RETRY_LATER };

static const struct vg_reason_row reason_rows[VG_REASON_COUNT] = {
    [VG_OK] = { "OK", "", "", 200, VG_GRPC_OK, VG_MESSAGE_ACTION, false },
#define X(reason, grpc, http, retry, type, template, text)                                         \
    [VG_##reason] = { #reason,                                                                     \
                      template,                                                                    \
                      text,                                                                        \
                      http,                                                                        \
                      VG_GRPC_##grpc,                                                              \
                      VG_MESSAGE_##type,                                                           \
                      RETRY_##retry == RETRY_LATER },
#include "core/base/errors.def"
#undef X
};

/* After which a request may be repeated whose failure names no better time. */
#define VG_ERROR_RETRY_MS 1000u

const struct vg_reason_row *vg_reason_row(enum vg_reason reason)
{
    VG_ASSERT((unsigned)reason < VG_REASON_COUNT);
    return &reason_rows[reason];
}

void vg_violations_init(struct vg_violations *violations, struct vg_arena *arena)
{
    *violations = (struct vg_violations){ .arena = arena };
}

static const char *violation_text(struct vg_arena *arena, const char *text)
{
    return text == NULL ? NULL : vg_arena_text(arena, vg_bytes_text(text));
}

void vg_violations_add(struct vg_violations *violations, const struct vg_violation *violation)
{
    violations->found++;
    if (violations->count >= VG_VIOLATIONS_MAX || violations->arena == NULL) {
        return;
    }
    if (violations->items == NULL) {
        violations->items =
            vg_arena_calloc(violations->arena, VG_VIOLATIONS_MAX, sizeof(struct vg_violation));
        if (violations->items == NULL) {
            return;
        }
    }
    violations->items[violations->count++] = (struct vg_violation){
        .reason = violation->reason,
        .field = violation_text(violations->arena, violation->field),
        .parameter = violation_text(violations->arena, violation->parameter),
        .message = violation_text(violations->arena, violation->message),
    };
}

void vg_error_init(struct vg_error *error, struct vg_arena *arena)
{
    error->reason = VG_OK;
    error->message[0] = '\0';
    error->parameter[0] = '\0';
    error->field[0] = '\0';
    error->detail[0] = '\0';
    error->file = NULL;
    error->line = 0;
    error->retry_after_ms = 0;
    error->grpc_code = 0;
    vg_violations_init(&error->violations, arena);
}

uint32_t vg_error_retry_after_ms(const struct vg_error *error)
{
    if (error->retry_after_ms != 0) {
        return error->retry_after_ms;
    }
    return vg_reason_row(error->reason)->retry_later ? VG_ERROR_RETRY_MS : 0;
}

/* Cut a text that filled its array back to whole UTF-8 characters. */
static void trim_utf8(char *text, size_t size)
{
    size_t length = strnlen(text, size);
    if (length + 1 < size) {
        return;
    }
    while (length > 0 && ((unsigned char)text[length - 1] & 0xC0) == 0x80) {
        length--;
    }
    if (length > 0 && ((unsigned char)text[length - 1] & 0x80) != 0) {
        length--;
    }
    text[length] = '\0';
}

enum vg_reason vg_error_set_at(
    struct vg_error *error,
    enum vg_reason reason,
    const char *file,
    int line,
    const char *format,
    ...)
{
    if (error == NULL) {
        return reason;
    }
    error->reason = reason;
    error->file = file;
    error->line = line;
    error->retry_after_ms = 0;
    error->grpc_code = 0;
    error->parameter[0] = '\0';
    error->field[0] = '\0';
    error->detail[0] = '\0';
    if (format == NULL) {
        (void)snprintf(error->message, sizeof(error->message), "%s", vg_reason_row(reason)->text);
        return reason;
    }
    va_list list;
    va_start(list, format);
    (void)vsnprintf(error->message, sizeof(error->message), format, list);
    va_end(list);
    trim_utf8(error->message, sizeof(error->message));
    return reason;
}

enum vg_reason vg_error_detail(struct vg_error *error, const char *format, ...)
{
    if (error == NULL) {
        return VG_INTERNAL;
    }
    va_list list;
    va_start(list, format);
    (void)vsnprintf(error->detail, sizeof(error->detail), format, list);
    va_end(list);
    trim_utf8(error->detail, sizeof(error->detail));
    return error->reason;
}

enum vg_reason vg_error_field(struct vg_error *error, const char *field, const char *parameter)
{
    if (error == NULL) {
        return VG_INTERNAL;
    }
    (void)snprintf(error->field, sizeof(error->field), "%s", field == NULL ? "" : field);
    trim_utf8(error->field, sizeof(error->field));
    (void)snprintf(
        error->parameter,
        sizeof(error->parameter),
        "%s",
        parameter == NULL ? "" : parameter);
    trim_utf8(error->parameter, sizeof(error->parameter));
    return error->reason;
}

enum vg_reason vg_error_from_violations(struct vg_error *error)
{
    if (error->violations.found == 0) {
        return VG_OK;
    }
    if (error->violations.count == 0) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    const struct vg_violation *first = &error->violations.items[0];
    const char *text = first->message != NULL ? first->message : vg_reason_row(first->reason)->text;
    (void)vg_error_set(error, first->reason, "%s", text);
    return vg_error_field(error, first->field, first->parameter);
}
