#include "gateway/rpcweb/connect_error.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/compiler.h"
#include "core/base/text_number.h"
#include "gateway/json/json_write.h"
#include "rpc/grpc/grpc_status.h"

#include "google/protobuf/any.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

static const struct connect_code {
    const char *word;
    unsigned status;
} connect_codes[VG_GRPC_STATUS_CODE_MAX + 1] = {
    [VG_GRPC_OK] = { "unknown", 200 },
    [VG_GRPC_CANCELLED] = { "canceled", 499 },
    [VG_GRPC_UNKNOWN] = { "unknown", 500 },
    [VG_GRPC_INVALID_ARGUMENT] = { "invalid_argument", 400 },
    [VG_GRPC_DEADLINE_EXCEEDED] = { "deadline_exceeded", 504 },
    [VG_GRPC_NOT_FOUND] = { "not_found", 404 },
    [VG_GRPC_ALREADY_EXISTS] = { "already_exists", 409 },
    [VG_GRPC_PERMISSION_DENIED] = { "permission_denied", 403 },
    [VG_GRPC_RESOURCE_EXHAUSTED] = { "resource_exhausted", 429 },
    [VG_GRPC_FAILED_PRECONDITION] = { "failed_precondition", 400 },
    [VG_GRPC_ABORTED] = { "aborted", 409 },
    [VG_GRPC_OUT_OF_RANGE] = { "out_of_range", 400 },
    [VG_GRPC_UNIMPLEMENTED] = { "unimplemented", 501 },
    [VG_GRPC_INTERNAL] = { "internal", 500 },
    [VG_GRPC_UNAVAILABLE] = { "unavailable", 503 },
    [VG_GRPC_DATA_LOSS] = { "data_loss", 500 },
    [VG_GRPC_UNAUTHENTICATED] = { "unauthenticated", 401 },
};

static struct vg_bytes error_trailer(
    const struct vg_http_header *trailers,
    size_t count,
    const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (vg_bytes_equal(trailers[i].name, vg_bytes_text(name))) {
            return trailers[i].value;
        }
    }
    return vg_bytes(NULL, 0);
}

enum vg_grpc_code vg_connect_error_code(const struct vg_http_header *trailers, size_t count)
{
    uint64_t code = 0;
    return vg_text_number_parse_uint64(error_trailer(trailers, count, "grpc-status"), &code) &&
                   code <= VG_GRPC_STATUS_CODE_MAX
               ? (enum vg_grpc_code)code
               : VG_GRPC_UNKNOWN;
}

unsigned vg_connect_error_status(enum vg_grpc_code code)
{
    return connect_codes[code].status;
}

/* --- Details ---------------------------------------------------------------------------------
 */

static void error_put_text(const char *name, const char *text, struct vg_buffer *out)
{
    vg_buffer_append_text(out, name);
    (void)!vg_json_write_text(vg_bytes_text(text), out);
}

static void error_debug_info(struct vg_bytes value, struct vg_buffer *out)
{
    Google__Rpc__ErrorInfo *info = google__rpc__error_info__unpack(NULL, value.size, value.data);
    if (info == NULL) {
        return;
    }
    error_put_text(",\"debug\":{\"reason\":", info->reason, out);
    error_put_text(",\"domain\":", info->domain, out);
    vg_buffer_append_byte(out, '}');
    google__rpc__error_info__free_unpacked(info, NULL);
}

static void error_debug_violations(struct vg_bytes value, struct vg_buffer *out)
{
    Google__Rpc__BadRequest *bad = google__rpc__bad_request__unpack(NULL, value.size, value.data);
    if (bad == NULL) {
        return;
    }
    vg_buffer_append_text(out, ",\"debug\":{\"fieldViolations\":[");
    for (size_t i = 0; i < bad->n_field_violations; i++) {
        error_put_text(
            i == 0 ? "{\"field\":" : ",{\"field\":",
            bad->field_violations[i]->field,
            out);
        error_put_text(",\"description\":", bad->field_violations[i]->description, out);
        vg_buffer_append_byte(out, '}');
    }
    vg_buffer_append_text(out, "]}");
    google__rpc__bad_request__free_unpacked(bad, NULL);
}

static void error_debug_retry(struct vg_bytes value, struct vg_buffer *out)
{
    Google__Rpc__RetryInfo *retry = google__rpc__retry_info__unpack(NULL, value.size, value.data);
    if (retry == NULL) {
        return;
    }
    if (retry->retry_delay != NULL) {
        vg_buffer_printf(
            out,
            ",\"debug\":{\"retryDelay\":\"%lld.%03ds\"}",
            (long long)retry->retry_delay->seconds,
            (int)(retry->retry_delay->nanos / 1000000));
    }
    google__rpc__retry_info__free_unpacked(retry, NULL);
}

/* What people can read of a detail; programs take its bytes. */
static const struct error_debug {
    const char *type;
    void (*write)(struct vg_bytes value, struct vg_buffer *out);
} error_debugs[] = {
    { "google.rpc.ErrorInfo", error_debug_info },
    { "google.rpc.BadRequest", error_debug_violations },
    { "google.rpc.RetryInfo", error_debug_retry },
};

/* The name behind the last '/' of a type URL. */
static const char *error_type_name(const char *url)
{
    const char *slash = strrchr(url, '/');
    return slash == NULL ? url : slash + 1;
}

static void error_put_base64(struct vg_bytes bytes, struct vg_buffer *out)
{
    const size_t size = vg_base64_encoded_size(bytes.size, VG_BASE64_UNPADDED);
    if (vg_buffer_reserve(out, size + 1)) {
        vg_base64_encode(bytes, VG_BASE64_UNPADDED, (char *)out->data + out->size);
        out->size += size;
    }
}

static void error_put_detail(const Google__Protobuf__Any *any, struct vg_buffer *out)
{
    const char *type = error_type_name(any->type_url);
    const struct vg_bytes value = vg_bytes(any->value.data, any->value.len);
    error_put_text("{\"type\":", type, out);
    vg_buffer_append_text(out, ",\"value\":\"");
    error_put_base64(value, out);
    vg_buffer_append_byte(out, '"');
    for (size_t i = 0; i < VG_ARRAY_COUNT(error_debugs); i++) {
        if (strcmp(error_debugs[i].type, type) == 0) {
            error_debugs[i].write(value, out);
        }
    }
    vg_buffer_append_byte(out, '}');
}

/* `text` is grpc-status-details-bin: base64 of a google.rpc.Status. */
static void error_put_details(struct vg_bytes text, struct vg_buffer *out)
{
    size_t size = 0;
    uint8_t *bytes = malloc(vg_base64_decoded_max(text.size));
    Google__Rpc__Status *status = NULL;
    if (bytes != NULL && vg_base64_decode(text, VG_BASE64_ANY_PADDING, bytes, &size)) {
        status = google__rpc__status__unpack(NULL, size, bytes);
    }
    free(bytes);
    if (status == NULL) {
        return;
    }
    for (size_t i = 0; i < status->n_details; i++) {
        vg_buffer_append_text(out, i == 0 ? ",\"details\":[" : ",");
        error_put_detail(status->details[i], out);
    }
    if (status->n_details > 0) {
        vg_buffer_append_byte(out, ']');
    }
    google__rpc__status__free_unpacked(status, NULL);
}

void vg_connect_error_write(
    const struct vg_http_header *trailers,
    size_t count,
    struct vg_buffer *out)
{
    char message[sizeof(((struct vg_error *)NULL)->message)];
    vg_grpc_status_decode_message(
        error_trailer(trailers, count, "grpc-message"),
        message,
        sizeof(message));
    error_put_text("{\"code\":", connect_codes[vg_connect_error_code(trailers, count)].word, out);
    if (message[0] != '\0') {
        error_put_text(",\"message\":", message, out);
    }
    struct vg_bytes details = error_trailer(trailers, count, "grpc-status-details-bin");
    if (details.size > 0) {
        error_put_details(details, out);
    }
    vg_buffer_append_byte(out, '}');
}

/* --- The end of a stream ---------------------------------------------------------------------
 */

bool vg_connect_error_owns(struct vg_bytes name)
{
    return vg_bytes_begins_with(name, vg_bytes_text("grpc-"));
}

/* All values of the name of trailer `at`, which is the first of it. */
static void end_put_values(
    const struct vg_http_header *trailers,
    size_t count,
    size_t at,
    struct vg_buffer *out)
{
    const char *mark = ":[";
    (void)!vg_json_write_text(trailers[at].name, out);
    for (size_t i = at; i < count; i++) {
        if (vg_bytes_equal(trailers[i].name, trailers[at].name)) {
            vg_buffer_append_text(out, mark);
            (void)!vg_json_write_text(trailers[i].value, out);
            mark = ",";
        }
    }
    vg_buffer_append_byte(out, ']');
}

static bool end_has_before(const struct vg_http_header *trailers, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (vg_bytes_equal(trailers[i].name, trailers[at].name)) {
            return true;
        }
    }
    return false;
}

void vg_connect_error_write_end(
    const struct vg_http_header *trailers,
    size_t count,
    struct vg_buffer *out)
{
    const char *mark = "{";
    if (vg_connect_error_code(trailers, count) != VG_GRPC_OK) {
        vg_buffer_append_text(out, "{\"error\":");
        vg_connect_error_write(trailers, count, out);
        mark = ",";
    }
    const char *names = "\"metadata\":{";
    bool has_metadata = false;
    for (size_t i = 0; i < count; i++) {
        if (!vg_connect_error_owns(trailers[i].name) && !end_has_before(trailers, i)) {
            vg_buffer_append_text(out, mark);
            vg_buffer_append_text(out, names);
            end_put_values(trailers, count, i, out);
            mark = ",";
            names = "";
            has_metadata = true;
        }
    }
    if (has_metadata) {
        vg_buffer_append_byte(out, '}');
    } else if (mark[0] == '{') {
        vg_buffer_append_byte(out, '{');
    }
    vg_buffer_append_byte(out, '}');
}
