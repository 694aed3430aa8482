#include "gateway/rpcweb/connect_query.h"

#include <stddef.h>
#include <string.h>

#include "core/base/base64.h"
#include "gateway/route/percent.h"

static const struct query_parameter {
    const char *name;
    size_t offset; /* of its struct vg_bytes */
} query_parameters[] = {
    { "connect", offsetof(struct vg_connect_query, version) },
    { "encoding", offsetof(struct vg_connect_query, encoding) },
    { "compression", offsetof(struct vg_connect_query, compression) },
    { "base64", offsetof(struct vg_connect_query, base64) },
    { "message", offsetof(struct vg_connect_query, message) },
};

static enum vg_reason query_take(
    struct vg_bytes pair,
    struct vg_arena *arena,
    struct vg_connect_query *query,
    struct vg_error *error)
{
    const uint8_t *equals = pair.size == 0 ? NULL : memchr(pair.data, '=', pair.size);
    const size_t name_size = equals == NULL ? pair.size : (size_t)(equals - pair.data);
    for (size_t i = 0; i < VG_ARRAY_COUNT(query_parameters); i++) {
        const char *name = query_parameters[i].name;
        if (!vg_bytes_equal(vg_bytes(pair.data, name_size), vg_bytes_text(name))) {
            continue;
        }
        struct vg_bytes *slot =
            (struct vg_bytes *)(void *)((char *)query + query_parameters[i].offset);
        if (slot->data != NULL) {
            return vg_error_set(error, VG_INVALID_URL_PARAMETER, "%s is there twice", name);
        }
        struct vg_bytes value =
            equals == NULL ? vg_bytes("", 0) : vg_bytes(equals + 1, pair.size - name_size - 1);
        return vg_percent_decode(value, true, arena, slot, error);
    }
    return VG_OK;
}

static enum vg_reason query_decode_message(
    struct vg_arena *arena,
    struct vg_connect_query *query,
    struct vg_error *error)
{
    if (!vg_bytes_equal(query->base64, vg_bytes_text("1")) || query->message.size == 0) {
        return VG_OK;
    }
    uint8_t *bytes = vg_arena_alloc(arena, vg_base64_decoded_max(query->message.size));
    size_t size = 0;
    if (bytes == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    if (!vg_base64_decode(query->message, VG_BASE64_ANY_PADDING | VG_BASE64_URL, bytes, &size)) {
        return vg_error_set(error, VG_INVALID_URL_PARAMETER, "message is not URL-safe base64");
    }
    query->message = vg_bytes(bytes, size);
    return VG_OK;
}

enum vg_reason vg_connect_query_read(
    struct vg_bytes query,
    struct vg_arena *arena,
    struct vg_connect_query *out_query,
    struct vg_error *error)
{
    struct vg_connect_query found = { .message = { NULL, 0 } };
    while (query.size > 0) {
        const uint8_t *and_sign = memchr(query.data, '&', query.size);
        const size_t size = and_sign == NULL ? query.size : (size_t)(and_sign - query.data);
        enum vg_reason reason = query_take(vg_bytes(query.data, size), arena, &found, error);
        if (reason != VG_OK) {
            return reason;
        }
        const size_t used = and_sign == NULL ? size : size + 1;
        query = vg_bytes(query.data + used, query.size - used);
    }
    enum vg_reason reason = query_decode_message(arena, &found, error);
    if (reason == VG_OK) {
        *out_query = found;
    }
    return reason;
}
