#include "rpc/grpc/grpc_status.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/base64.h"

#include "google/protobuf/any.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#define VG_GRPC_STATUS_DETAILS     3u
#define VG_GRPC_STATUS_TYPE_PREFIX "type.googleapis.com/"

/* The codes as text: they are sent with every call. */
static const char *const status_codes[VG_GRPC_STATUS_CODE_MAX + 1] = {
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"
};

/* --- grpc-message ------------------------------------------------------------------------------
 */

void vg_grpc_status_encode_message(struct vg_bytes message, struct vg_buffer *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < message.size; i++) {
        uint8_t byte = message.data[i];
        if (byte >= 0x20 && byte <= 0x7E && byte != '%') {
            vg_buffer_append_byte(out, byte);
        } else {
            const char text[3] = { '%', digits[byte >> 4], digits[byte & 15] };
            vg_buffer_append(out, text, sizeof(text));
        }
    }
}

static int hex_digit(uint8_t letter)
{
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    uint8_t small = letter | 0x20;
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

void vg_grpc_status_decode_message(struct vg_bytes text, char *out, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < text.size && at + 1 < size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%' && text.size - i > 2 && hex_digit(text.data[i + 1]) >= 0 &&
            hex_digit(text.data[i + 2]) >= 0) {
            byte = (uint8_t)(hex_digit(text.data[i + 1]) * 16 + hex_digit(text.data[i + 2]));
            i += 2;
        }
        out[at++] = (char)byte;
    }
    out[at] = '\0';
}

/* --- grpc-status-details-bin -------------------------------------------------------------------
 */

/* protobuf-c wants texts without const but does not write to them. */
static char *text_of(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

/* Pack `message` as an Any named `type`; false without memory. */
static bool status_pack_any(
    const ProtobufCMessage *message,
    const char *type,
    struct vg_arena *arena,
    Google__Protobuf__Any *any)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = vg_arena_alloc(arena, size);
    if (bytes == NULL) {
        return false;
    }
    google__protobuf__any__init(any);
    any->type_url = text_of(type);
    any->value.len = protobuf_c_message_pack(message, bytes);
    any->value.data = bytes;
    return true;
}

/* BadRequest with the first `count` violations; without a list the error's own field is one. */
static bool status_pack_violations(
    const struct vg_error *error,
    size_t count,
    struct vg_arena *arena,
    Google__Protobuf__Any *any)
{
    Google__Rpc__BadRequest__FieldViolation *items = vg_arena_calloc(arena, count, sizeof(*items));
    Google__Rpc__BadRequest__FieldViolation **list = vg_arena_calloc(arena, count, sizeof(*list));
    if (items == NULL || list == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        google__rpc__bad_request__field_violation__init(&items[i]);
        list[i] = &items[i];
        if (error->violations.count == 0) {
            items[i].field = text_of(error->field);
            items[i].description = text_of(error->message);
            continue;
        }
        const struct vg_violation *violation = &error->violations.items[i];
        items[i].field = text_of(violation->field);
        items[i].description = text_of(
            violation->message != NULL ? violation->message
                                       : vg_reason_row(violation->reason)->text);
    }
    Google__Rpc__BadRequest bad;
    google__rpc__bad_request__init(&bad);
    bad.n_field_violations = count;
    bad.field_violations = list;
    return status_pack_any(
        &bad.base,
        VG_GRPC_STATUS_TYPE_PREFIX "google.rpc.BadRequest",
        arena,
        any);
}

static bool status_pack_reason(
    const struct vg_reason_row *row,
    struct vg_arena *arena,
    Google__Protobuf__Any *any)
{
    Google__Rpc__ErrorInfo info;
    google__rpc__error_info__init(&info);
    info.reason = text_of(row->name);
    info.domain = text_of(VG_GRPC_STATUS_DOMAIN);
    return status_pack_any(
        &info.base,
        VG_GRPC_STATUS_TYPE_PREFIX "google.rpc.ErrorInfo",
        arena,
        any);
}

static bool status_pack_retry(uint32_t wait_ms, struct vg_arena *arena, Google__Protobuf__Any *any)
{
    Google__Protobuf__Duration delay;
    google__protobuf__duration__init(&delay);
    delay.seconds = wait_ms / 1000;
    delay.nanos = (int32_t)(wait_ms % 1000) * 1000000;
    Google__Rpc__RetryInfo retry;
    google__rpc__retry_info__init(&retry);
    retry.retry_delay = &delay;
    return status_pack_any(
        &retry.base,
        VG_GRPC_STATUS_TYPE_PREFIX "google.rpc.RetryInfo",
        arena,
        any);
}

/* Which quota is used up, in the error's own words. */
static bool status_pack_quota(
    const struct vg_error *error,
    struct vg_arena *arena,
    Google__Protobuf__Any *any)
{
    Google__Rpc__QuotaFailure__Violation violation;
    Google__Rpc__QuotaFailure__Violation *list[] = { &violation };
    google__rpc__quota_failure__violation__init(&violation);
    violation.subject = text_of("apikey");
    violation.description = text_of(error->message);
    Google__Rpc__QuotaFailure failure;
    google__rpc__quota_failure__init(&failure);
    failure.n_violations = VG_ARRAY_COUNT(list);
    failure.violations = list;
    return status_pack_any(
        &failure.base,
        VG_GRPC_STATUS_TYPE_PREFIX "google.rpc.QuotaFailure",
        arena,
        any);
}

static size_t status_violation_count(const struct vg_error *error)
{
    if (error->violations.count > 0) {
        return error->violations.count;
    }
    return error->field[0] != '\0' ? 1 : 0;
}

static uint8_t status_code(const struct vg_reason_row *row, const struct vg_error *error)
{
    uint8_t code = error->grpc_code != 0 ? error->grpc_code : row->grpc_code;
    return code <= VG_GRPC_STATUS_CODE_MAX ? code : (uint8_t)VG_GRPC_UNKNOWN;
}

/* The packed google.rpc.Status with the first `violations`; size 0 without memory. */
static struct vg_bytes status_pack(
    enum vg_reason reason,
    const struct vg_error *error,
    size_t violations,
    struct vg_arena *arena)
{
    const struct vg_reason_row *row = vg_reason_row(reason);
    Google__Protobuf__Any any[VG_GRPC_STATUS_DETAILS];
    Google__Protobuf__Any *list[VG_GRPC_STATUS_DETAILS] = { &any[0], &any[1], &any[2] };
    Google__Rpc__Status status;
    google__rpc__status__init(&status);
    status.code = status_code(row, error);
    status.message = text_of(error->message);
    status.details = list;
    if (status_pack_reason(row, arena, &any[status.n_details])) {
        status.n_details++;
    }
    if (violations > 0 &&
        status_pack_violations(error, violations, arena, &any[status.n_details])) {
        status.n_details++;
    }
    /* Such an error has no violations, so there is room. */
    if (reason == VG_QUOTA_EXCEEDED && violations == 0 &&
        status_pack_quota(error, arena, &any[status.n_details])) {
        status.n_details++;
    }
    const uint32_t wait_ms = vg_error_retry_after_ms(error);
    if (wait_ms != 0 && status_pack_retry(wait_ms, arena, &any[status.n_details])) {
        status.n_details++;
    }
    size_t size = protobuf_c_message_get_packed_size(&status.base);
    uint8_t *bytes = vg_arena_alloc(arena, size);
    if (bytes == NULL) {
        return vg_bytes(NULL, 0);
    }
    return vg_bytes(bytes, protobuf_c_message_pack(&status.base, bytes));
}

/* The details as base64, with as many violations as fit. */
static struct vg_bytes status_details(
    enum vg_reason reason,
    const struct vg_error *error,
    struct vg_arena *arena)
{
    const unsigned flags = VG_BASE64_UNPADDED;
    size_t violations = status_violation_count(error);
    for (;;) {
        struct vg_bytes packed = status_pack(reason, error, violations, arena);
        size_t size = vg_base64_encoded_size(packed.size, flags);
        if (size > VG_GRPC_STATUS_DETAILS_BYTES_MAX && violations > 0) {
            violations /= 2;
            continue;
        }
        char *text = packed.size == 0 || size > VG_GRPC_STATUS_DETAILS_BYTES_MAX
                         ? NULL
                         : vg_arena_alloc(arena, size + 1);
        if (text == NULL) {
            return vg_bytes(NULL, 0);
        }
        vg_base64_encode(packed, flags, text);
        return vg_bytes(text, size);
    }
}

static struct vg_http_header trailer(const char *name, struct vg_bytes value)
{
    return (struct vg_http_header){ .name = vg_bytes_text(name), .value = value };
}

size_t vg_grpc_status_trailers(
    enum vg_reason reason,
    const struct vg_error *error,
    struct vg_arena *arena,
    struct vg_http_header out_trailers[VG_GRPC_STATUS_TRAILERS])
{
    const struct vg_reason_row *row = vg_reason_row(reason);
    size_t count = 0;
    if (reason == VG_OK) {
        out_trailers[count++] = trailer("grpc-status", vg_bytes_text(status_codes[VG_GRPC_OK]));
        return count;
    }
    const uint8_t code = status_code(row, error);
    out_trailers[count++] = trailer("grpc-status", vg_bytes_text(status_codes[code]));
    const char *message = error->message[0] != '\0' ? error->message : row->text;
    struct vg_buffer encoded;
    vg_buffer_init(&encoded, 3 * sizeof(error->message));
    vg_grpc_status_encode_message(vg_bytes_text(message), &encoded);
    const char *kept = vg_arena_text(arena, vg_buffer_bytes(&encoded));
    vg_buffer_dispose(&encoded);
    if (kept != NULL) {
        out_trailers[count++] = trailer("grpc-message", vg_bytes_text(kept));
    }
    struct vg_bytes details = status_details(reason, error, arena);
    if (details.size > 0) {
        out_trailers[count++] = trailer("grpc-status-details-bin", details);
    }
    const uint32_t wait_ms = vg_error_retry_after_ms(error);
    const char *wait = wait_ms == 0 ? NULL : vg_arena_printf(arena, "%u", wait_ms);
    if (wait != NULL) {
        out_trailers[count++] = trailer("grpc-retry-pushback-ms", vg_bytes_text(wait));
    }
    return count;
}

/* --- Reading, for clients ----------------------------------------------------------------------
 */

static bool any_is(const Google__Protobuf__Any *any, const char *type)
{
    const char *slash = strrchr(any->type_url, '/');
    return slash != NULL && strcmp(slash + 1, type) == 0;
}

static void status_read_reason(
    const Google__Protobuf__Any *any,
    struct vg_arena *arena,
    struct vg_grpc_details *details)
{
    Google__Rpc__ErrorInfo *info =
        google__rpc__error_info__unpack(NULL, any->value.len, any->value.data);
    if (info != NULL) {
        details->reason = vg_arena_text(arena, vg_bytes_text(info->reason));
        google__rpc__error_info__free_unpacked(info, NULL);
    }
}

static void status_read_violations(
    const Google__Protobuf__Any *any,
    struct vg_arena *arena,
    struct vg_grpc_details *details)
{
    Google__Rpc__BadRequest *bad =
        google__rpc__bad_request__unpack(NULL, any->value.len, any->value.data);
    if (bad == NULL) {
        return;
    }
    struct vg_grpc_violation *violations =
        vg_arena_calloc(arena, bad->n_field_violations, sizeof(*violations));
    for (size_t i = 0; violations != NULL && i < bad->n_field_violations; i++) {
        violations[i].field = vg_arena_text(arena, vg_bytes_text(bad->field_violations[i]->field));
        violations[i].text =
            vg_arena_text(arena, vg_bytes_text(bad->field_violations[i]->description));
        details->violation_count = i + 1;
    }
    details->violations = violations;
    google__rpc__bad_request__free_unpacked(bad, NULL);
}

static void status_read_retry(const Google__Protobuf__Any *any, struct vg_grpc_details *details)
{
    Google__Rpc__RetryInfo *retry =
        google__rpc__retry_info__unpack(NULL, any->value.len, any->value.data);
    if (retry != NULL && retry->retry_delay != NULL) {
        const int64_t seconds = retry->retry_delay->seconds;
        const int32_t nanos = retry->retry_delay->nanos;
        const bool fits =
            seconds >= 0 && seconds < UINT32_MAX / 1000 - 1 && nanos >= 0 && nanos < 1000000000;
        details->retry_after_ms =
            fits ? (uint32_t)(seconds * 1000 + (nanos + 999999) / 1000000) : 0;
    }
    if (retry != NULL) {
        google__rpc__retry_info__free_unpacked(retry, NULL);
    }
}

bool vg_grpc_status_read_details(
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_grpc_details *out_details)
{
    Google__Rpc__Status *status = google__rpc__status__unpack(NULL, bytes.size, bytes.data);
    if (status == NULL) {
        return false;
    }
    struct vg_grpc_details details = { .reason = NULL };
    for (size_t i = 0; i < status->n_details; i++) {
        const Google__Protobuf__Any *any = status->details[i];
        if (any_is(any, "google.rpc.ErrorInfo")) {
            status_read_reason(any, arena, &details);
        } else if (any_is(any, "google.rpc.BadRequest")) {
            status_read_violations(any, arena, &details);
        } else if (any_is(any, "google.rpc.RetryInfo")) {
            status_read_retry(any, &details);
        }
    }
    google__rpc__status__free_unpacked(status, NULL);
    *out_details = details;
    return true;
}
