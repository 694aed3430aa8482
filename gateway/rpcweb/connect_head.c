#include "gateway/rpcweb/connect_head.h"

#include <stdio.h>
#include <string.h>

#include "core/base/text_number.h"
#include "gateway/envelope/accept_coding.h"

/* grpc-timeout has 8 digits; what does not fit is said in seconds. */
#define VG_CONNECT_MILLISECONDS_MAX 99999999u

/* What a header of the client's is to us. */
enum vg_head_use {
    VG_HEAD_PASSED,
    VG_HEAD_DROPPED,
    VG_HEAD_VERSION,
    VG_HEAD_TIMEOUT,
    VG_HEAD_ENCODING,
    VG_HEAD_ACCEPT,
    VG_HEAD_STREAM_ENCODING,
    VG_HEAD_STREAM_ACCEPT,
};

static const struct head_rule {
    const char *name;
    enum vg_head_use use;
} head_rules[] = {
    { "accept", VG_HEAD_DROPPED },
    { "accept-encoding", VG_HEAD_ACCEPT },
    { "connect-accept-encoding", VG_HEAD_STREAM_ACCEPT },
    { "connect-content-encoding", VG_HEAD_STREAM_ENCODING },
    { "connect-protocol-version", VG_HEAD_VERSION },
    { "connect-timeout-ms", VG_HEAD_TIMEOUT },
    { "connection", VG_HEAD_DROPPED },
    { "content-encoding", VG_HEAD_ENCODING },
    { "content-length", VG_HEAD_DROPPED },
    { "content-type", VG_HEAD_DROPPED },
    { "host", VG_HEAD_DROPPED },
    { "keep-alive", VG_HEAD_DROPPED },
    { "te", VG_HEAD_DROPPED },
    { "transfer-encoding", VG_HEAD_DROPPED },
};

static enum vg_head_use head_use_of(struct vg_bytes name)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(head_rules); i++) {
        if (vg_bytes_equal(name, vg_bytes_text(head_rules[i].name))) {
            return head_rules[i].use;
        }
    }
    /* Neither protocol's own names are the client's to give. */
    return vg_bytes_begins_with(name, vg_bytes_text("grpc-")) ||
                   vg_bytes_begins_with(name, vg_bytes_text("connect-"))
               ? VG_HEAD_DROPPED
               : VG_HEAD_PASSED;
}

/* A positive number of at most ten digits. */
static bool head_take_timeout(struct vg_connect_head *head, struct vg_bytes value)
{
    uint64_t ms = 0;
    if (value.size == 0 || value.size > VG_CONNECT_TIMEOUT_DIGITS) {
        return false;
    }
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return false;
        }
        ms = ms * 10 + (uint64_t)(value.data[i] - '0');
    }
    const bool fits = ms <= VG_CONNECT_MILLISECONDS_MAX;
    (void)snprintf(
        head->timeout,
        sizeof(head->timeout),
        "%u%c",
        (unsigned)(fits ? ms : ms / 1000),
        fits ? 'm' : 'S');
    return true;
}

/* Take one header. False = it is passed on, under *out_name. */
static bool head_take(
    struct vg_connect_head *head,
    bool is_stream,
    const struct vg_http_header *header,
    struct vg_accept_coding *accept,
    struct vg_bytes *out_name)
{
    switch (head_use_of(header->name)) {
    case VG_HEAD_PASSED:
        *out_name = header->name;
        return false;
    case VG_HEAD_STREAM_ENCODING:
        *out_name = vg_bytes_text("grpc-encoding");
        return !is_stream;
    case VG_HEAD_STREAM_ACCEPT:
        *out_name = vg_bytes_text("grpc-accept-encoding");
        return !is_stream;
    case VG_HEAD_VERSION:
        head->version = header->value;
        break;
    case VG_HEAD_ENCODING:
        head->encoding = header->value;
        break;
    case VG_HEAD_ACCEPT:
        head->has_accept = true;
        vg_accept_coding_add(accept, header->value);
        break;
    case VG_HEAD_TIMEOUT: /* its value is judged by the caller */
    case VG_HEAD_DROPPED:
        break;
    }
    return true;
}

static enum vg_reason head_check(
    const struct vg_connect_head *head,
    bool has_timeout,
    struct vg_error *error)
{
    if (head->version.data != NULL && !vg_bytes_equal(head->version, vg_bytes_text("1"))) {
        return vg_error_set(
            error,
            VG_INVALID_FIELD_VALUE,
            "connect-protocol-version is not 1, the version that is spoken here");
    }
    if (has_timeout && head->timeout[0] == '\0') {
        return vg_error_set(
            error,
            VG_INVALID_FIELD_VALUE,
            "connect-timeout-ms is not a number of at most %u digits",
            VG_CONNECT_TIMEOUT_DIGITS);
    }
    return VG_OK;
}

enum vg_reason vg_connect_head_read(
    const struct vg_http_request *request,
    bool is_stream,
    struct vg_connect_head *out_head,
    struct vg_http_header *out_headers,
    size_t *out_count,
    struct vg_error *error)
{
    struct vg_connect_head *head = out_head;
    struct vg_accept_coding accept;
    *head = (struct vg_connect_head){ .has_accept = false };
    vg_accept_coding_init(&accept);
    const struct vg_http_header *timeout = vg_http_request_header(request, "connect-timeout-ms");
    if (timeout != NULL) {
        (void)head_take_timeout(head, timeout->value);
    }
    size_t count = 0;
    out_headers[count++] =
        (struct vg_http_header){ vg_bytes_text("content-type"), vg_bytes_text("application/grpc") };
    if (head->timeout[0] != '\0') {
        out_headers[count++] =
            (struct vg_http_header){ vg_bytes_text("grpc-timeout"), vg_bytes_text(head->timeout) };
    }
    for (size_t i = 0; i < request->header_count; i++) {
        struct vg_bytes name;
        if (!head_take(head, is_stream, &request->headers[i], &accept, &name)) {
            out_headers[count++] = (struct vg_http_header){ name, request->headers[i].value };
        }
    }
    head->wants_gzip = vg_accept_coding_wants_gzip(&accept);
    *out_count = count;
    return head_check(head, timeout != NULL, error);
}
