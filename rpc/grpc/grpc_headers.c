#include "rpc/grpc/grpc_headers.h"

#include <string.h>

#include "rpc/grpc/grpc_timeout.h"

#define VG_GRPC_CONTENT_TYPE "application/grpc"

static uint8_t lower(uint8_t letter)
{
    return letter >= 'A' && letter <= 'Z' ? (uint8_t)(letter + ('a' - 'A')) : letter;
}

/* Media types and the names of schemes do not care about case, RFC 9110 sections 8.3.1 and 11.1. */
static bool begins_with_any_case(struct vg_bytes text, const char *start)
{
    size_t size = strlen(start);
    if (text.size < size) {
        return false;
    }
    if (memcmp(text.data, start, size) == 0) {
        return true; /* as nearly everybody writes it */
    }
    for (size_t i = 0; i < size; i++) {
        if (lower(text.data[i]) != (uint8_t)start[i]) {
            return false;
        }
    }
    return true;
}

static struct vg_bytes after(struct vg_bytes text, size_t size)
{
    return vg_bytes(text.data + size, text.size - size);
}

static bool headers_is_grpc_type(struct vg_bytes type)
{
    const size_t size = sizeof(VG_GRPC_CONTENT_TYPE) - 1;
    return begins_with_any_case(type, VG_GRPC_CONTENT_TYPE) &&
           (type.size == size || type.data[size] == '+' || type.data[size] == ';' ||
            type.data[size] == ' ');
}

/* Messages as protobuf: no subtype, or "+proto". */
static bool headers_is_proto_type(struct vg_bytes type)
{
    if (!headers_is_grpc_type(type)) {
        return false;
    }
    struct vg_bytes rest = after(type, sizeof(VG_GRPC_CONTENT_TYPE) - 1);
    if (rest.size == 0 || rest.data[0] != '+') {
        return true;
    }
    if (!begins_with_any_case(rest, "+proto")) {
        return false;
    }
    rest = after(rest, 6);
    return rest.size == 0 || rest.data[0] == ';' || rest.data[0] == ' ';
}

bool vg_grpc_headers_is_grpc(const struct vg_http_request *request)
{
    const struct vg_http_header *type = vg_http_request_header(request, "content-type");
    return type != NULL && headers_is_grpc_type(type->value);
}

static void headers_take_key(struct vg_grpc_headers *headers, struct vg_bytes value)
{
    headers->credential = value;
}

static void headers_take_authorization(struct vg_grpc_headers *headers, struct vg_bytes value)
{
    if (headers->credential.data != NULL || !begins_with_any_case(value, "bearer ")) {
        return;
    }
    value = after(value, 7);
    while (value.size > 0 && value.data[0] == ' ') {
        value = after(value, 1);
    }
    headers->credential = value;
}

static void headers_take_content_type(struct vg_grpc_headers *headers, struct vg_bytes value)
{
    if (headers->content_type.data == NULL) { /* the first counts, as for the selector */
        headers->content_type = value;
    }
}

static void headers_take_timeout(struct vg_grpc_headers *headers, struct vg_bytes value)
{
    headers->timeout = value;
}

static void headers_take_idempotency_key(struct vg_grpc_headers *headers, struct vg_bytes value)
{
    headers->idempotency_key = value;
}

static void headers_take_encoding(struct vg_grpc_headers *headers, struct vg_bytes value)
{
    headers->encoding = value;
}

static void headers_take_accepted(struct vg_grpc_headers *headers, struct vg_bytes value)
{
    headers->accepted |= vg_grpc_encoding_list(value);
}

static const struct headers_rule {
    struct vg_bytes name;
    void (*take)(struct vg_grpc_headers *headers, struct vg_bytes value);
} headers_rules[] = {
    { { (const uint8_t *)"content-type", 12 }, headers_take_content_type },
    { { (const uint8_t *)"grpc-timeout", 12 }, headers_take_timeout },
    { { (const uint8_t *)"argus-api-key", 13 }, headers_take_key },
    { { (const uint8_t *)"authorization", 13 }, headers_take_authorization },
    { { (const uint8_t *)"grpc-encoding", 13 }, headers_take_encoding },
    { { (const uint8_t *)"grpc-accept-encoding", 20 }, headers_take_accepted },
    { { (const uint8_t *)"idempotency-key", 15 }, headers_take_idempotency_key },
};

static const struct headers_rule *headers_rule_of(struct vg_bytes name)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(headers_rules); i++) {
        if (vg_bytes_equal(name, headers_rules[i].name)) {
            return &headers_rules[i];
        }
    }
    return NULL;
}

/* A header that no rule takes is metadata, unless it is gRPC's or HTTP's own. */
static bool headers_is_metadata(struct vg_bytes name)
{
    return !(name.size == 2 && memcmp(name.data, "te", 2) == 0) &&
           !(name.size >= 5 && memcmp(name.data, "grpc-", 5) == 0);
}

enum vg_reason vg_grpc_headers_read(
    const struct vg_http_request *request,
    struct vg_grpc_headers *out_headers,
    struct vg_error *error)
{
    struct vg_grpc_headers headers = { .timeout_ns = 0 };
    uint32_t metadata_count = 0;
    size_t metadata_bytes = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct vg_http_header *header = &request->headers[i];
        const struct headers_rule *rule = headers_rule_of(header->name);
        if (rule != NULL) {
            rule->take(&headers, header->value);
        } else if (headers_is_metadata(header->name)) {
            metadata_count++;
            metadata_bytes += header->name.size + header->value.size;
        }
    }
    headers.metadata_count = metadata_count;
    headers.metadata_bytes = metadata_bytes;
    if (!headers_is_proto_type(headers.content_type)) {
        return vg_error_set(error, VG_CONTENT_TYPE, NULL);
    }
    if (headers.timeout.data != NULL &&
        !vg_grpc_timeout_parse(headers.timeout, &headers.timeout_ns)) {
        return vg_error_set(
            error,
            VG_BAD_HTTP,
            "grpc-timeout \"%.*s\" is no timeout",
            (int)(headers.timeout.size < 32 ? headers.timeout.size : 32),
            (const char *)headers.timeout.data);
    }
    if (headers.timeout.data != NULL && headers.timeout_ns == 0) {
        headers.timeout_ns = 1; /* 0 says that there is none */
    }
    *out_headers = headers;
    return VG_OK;
}

bool vg_grpc_headers_keep_metadata(
    const struct vg_http_request *request,
    const struct vg_grpc_headers *headers,
    struct vg_arena *arena,
    struct vg_metadata *metadata)
{
    if (headers->metadata_count == 0) {
        return true;
    }
    if (!vg_metadata_reserve(metadata, headers->metadata_count, headers->metadata_bytes, arena)) {
        return false;
    }
    for (size_t i = 0; i < request->header_count; i++) {
        const struct vg_http_header *header = &request->headers[i];
        if (headers_rule_of(header->name) == NULL && headers_is_metadata(header->name)) {
            vg_metadata_put(metadata, header->name, header->value);
        }
    }
    return true;
}
