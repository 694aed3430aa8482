#include "gateway/web/rest_metadata.h"

#include <string.h>

#include "rpc/service/call_metadata.h"

static const struct rest_metadata {
    const char *name;
    bool in;
    bool out;
} rest_metadata[] = {
    { "baggage", true, false },     { "last-event-id", true, false },
    { "traceparent", true, false }, { "traceresponse", false, true },
    { "tracestate", true, false },  { "user-agent", true, false },
    { "x-request-id", true, true },
};

static const char rest_prefix[] = "grpc-metadata-";

/* The name that a header has as metadata; size 0 = it is none. */
static struct vg_bytes name_of(struct vg_bytes header)
{
    const size_t size = sizeof(rest_prefix) - 1;
    if (header.size > size && memcmp(header.data, rest_prefix, size) == 0) {
        struct vg_bytes name = vg_bytes(header.data + size, header.size - size);
        bool is_reserved = name.size >= 5 && memcmp(name.data, "grpc-", 5) == 0;
        return is_reserved ? vg_bytes(NULL, 0) : name;
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(rest_metadata); i++) {
        if (rest_metadata[i].in && vg_bytes_equal(header, vg_bytes_text(rest_metadata[i].name))) {
            return header;
        }
    }
    return vg_bytes(NULL, 0);
}

bool vg_rest_metadata_read(const struct vg_http_request *request, struct vg_call *call)
{
    uint32_t count = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        struct vg_bytes name = name_of(request->headers[i].name);
        if (name.size > 0) {
            count++;
            bytes += name.size + request->headers[i].value.size;
        }
    }
    if (count == 0) {
        return true;
    }
    vg_arena_set_max(
        &call->arena,
        call->arena.bytes_max + bytes + count * sizeof(struct vg_metadata_item));
    if (!vg_metadata_reserve(&call->metadata, count, bytes, &call->arena)) {
        return false;
    }
    for (size_t i = 0; i < request->header_count; i++) {
        struct vg_bytes name = name_of(request->headers[i].name);
        if (name.size > 0) {
            vg_metadata_put(&call->metadata, name, request->headers[i].value);
        }
    }
    return true;
}

size_t vg_rest_metadata_write(
    const struct vg_call *call,
    struct vg_http_header headers[VG_LIMIT_ANSWER_METADATA])
{
    const struct vg_metadata *metadata = vg_call_headers(call);
    size_t count = 0;
    for (uint32_t i = 0; i < metadata->count; i++) {
        const struct vg_metadata_item *item = &metadata->items[i];
        for (size_t row = 0; row < VG_ARRAY_COUNT(rest_metadata); row++) {
            if (rest_metadata[row].out &&
                vg_bytes_equal(item->name, vg_bytes_text(rest_metadata[row].name))) {
                headers[count++] = (struct vg_http_header){ item->name, item->value };
            }
        }
    }
    return count;
}
