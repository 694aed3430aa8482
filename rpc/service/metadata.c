#include "rpc/service/metadata.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/base64.h"
#include "core/base/limits.h"

/* What of an answer is not for handlers to say: HTTP's own (RFC 9113 section 8.2.2), and what the
 * faces write. */
static const char *const metadata_reserved[] = {
    "connection",        "content-encoding", "content-length", "content-type", "date",
    "keep-alive",        "proxy-connection", "server",         "te",           "trailer",
    "transfer-encoding", "upgrade",          "set-cookie",
};

static bool name_starts_with(struct vg_bytes name, const char *start)
{
    size_t size = strlen(start);
    return name.size >= size && memcmp(name.data, start, size) == 0;
}

/* grpc PROTOCOL-HTTP2, "Header-Name". */
static bool is_name(struct vg_bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        if (!(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9') && byte != '-' &&
            byte != '_' && byte != '.') {
            return false;
        }
    }
    return name.size > 0;
}

static bool is_free(struct vg_bytes name)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(metadata_reserved); i++) {
        if (vg_bytes_equal(name, vg_bytes_text(metadata_reserved[i]))) {
            return false;
        }
    }
    return !name_starts_with(name, "grpc-") && !name_starts_with(name, "vigil-");
}

/* grpc PROTOCOL-HTTP2, "ASCII-Value"; blanks at the ends would be lost on the way. */
static bool is_text(struct vg_bytes value)
{
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < ' ' || value.data[i] > '~') {
            return false;
        }
    }
    return value.size == 0 || (value.data[0] != ' ' && value.data[value.size - 1] != ' ');
}

bool vg_metadata_is_binary(struct vg_bytes name)
{
    return name.size > 4 && memcmp(name.data + name.size - 4, "-bin", 4) == 0;
}

/* --- Filling -----------------------------------------------------------------------------------
 */

bool vg_metadata_reserve(
    struct vg_metadata *metadata,
    uint32_t count,
    size_t text_bytes,
    struct vg_arena *arena)
{
    VG_ASSERT(metadata->items == NULL);
    metadata->items = vg_arena_alloc(arena, count * sizeof(*metadata->items) + text_bytes);
    metadata->capacity = metadata->items == NULL ? 0 : count;
    return metadata->items != NULL;
}

void vg_metadata_put(struct vg_metadata *metadata, struct vg_bytes name, struct vg_bytes value)
{
    VG_ASSERT(metadata->count < metadata->capacity);
    /* Texts lie behind the items, one after the other. */
    uint8_t *text = (uint8_t *)(metadata->items + metadata->capacity) + metadata->bytes;
    memcpy(text, name.data, name.size);
    if (value.size > 0) {
        memcpy(text + name.size, value.data, value.size);
    }
    metadata->items[metadata->count++] =
        (struct vg_metadata_item){ .name = vg_bytes(text, name.size),
                                   .value = vg_bytes(text + name.size, value.size) };
    metadata->bytes += (uint32_t)(name.size + value.size);
}

static bool metadata_grow(struct vg_metadata *metadata, struct vg_arena *arena)
{
    if (metadata->count < metadata->capacity) {
        return true;
    }
    const uint32_t capacity = VG_LIMIT_ANSWER_METADATA;
    VG_ASSERT(metadata->items == NULL);
    metadata->items = vg_arena_alloc(arena, capacity * sizeof(*metadata->items));
    metadata->capacity = metadata->items == NULL ? 0 : capacity;
    return metadata->items != NULL;
}

bool vg_metadata_add(
    struct vg_metadata *metadata,
    const char *name,
    struct vg_bytes value,
    struct vg_arena *arena)
{
    const struct vg_bytes label = vg_bytes_text(name);
    const bool is_binary = vg_metadata_is_binary(label);
    if (!is_name(label) || !is_free(label) || (!is_binary && !is_text(value)) ||
        value.size > VG_LIMIT_ANSWER_METADATA_BYTES ||
        metadata->count == VG_LIMIT_ANSWER_METADATA) {
        return false;
    }
    const size_t size =
        is_binary ? vg_base64_encoded_size(value.size, VG_BASE64_UNPADDED) : value.size;
    if (metadata->bytes + label.size + size > VG_LIMIT_ANSWER_METADATA_BYTES ||
        !metadata_grow(metadata, arena)) {
        return false;
    }
    char *text = vg_arena_alloc(arena, label.size + size + 1);
    if (text == NULL) {
        return false;
    }
    memcpy(text, label.data, label.size);
    if (is_binary) {
        vg_base64_encode(value, VG_BASE64_UNPADDED, text + label.size);
    } else if (size > 0) {
        memcpy(text + label.size, value.data, size);
    }
    metadata->items[metadata->count++] =
        (struct vg_metadata_item){ .name = vg_bytes(text, label.size),
                                   .value = vg_bytes(text + label.size, size) };
    metadata->bytes += (uint32_t)(label.size + size);
    return true;
}

/* --- Reading -----------------------------------------------------------------------------------
 */

static struct vg_bytes after(struct vg_bytes text, size_t size)
{
    return vg_bytes(text.data + size, text.size - size);
}

static struct vg_bytes trimmed(struct vg_bytes text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = after(text, 1);
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

enum vg_reason vg_metadata_next_binary(
    struct vg_bytes *rest,
    struct vg_arena *arena,
    struct vg_bytes *out_value,
    struct vg_error *error)
{
    const uint8_t *comma = memchr(rest->data, ',', rest->size);
    struct vg_bytes text =
        vg_bytes(rest->data, comma == NULL ? rest->size : (size_t)(comma - rest->data));
    *rest = after(*rest, comma == NULL ? rest->size : text.size + 1);
    text = trimmed(text);
    uint8_t *value = vg_arena_alloc(arena, vg_base64_decoded_max(text.size));
    if (value == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    size_t size = 0;
    if (!vg_base64_decode(text, VG_BASE64_ANY_PADDING, value, &size)) {
        return vg_error_set(error, VG_BAD_HTTP, "binary metadata is not base64");
    }
    *out_value = vg_bytes(value, size);
    return VG_OK;
}

/* Of one "-bin" line: the value number *index; counts *index down by those that are there. */
static bool find_binary(
    struct vg_bytes text,
    size_t *index,
    struct vg_arena *arena,
    struct vg_bytes *out_value)
{
    struct vg_bytes rest = text;
    do {
        struct vg_bytes value;
        enum vg_reason reason = vg_metadata_next_binary(&rest, arena, &value, NULL);
        if (reason == VG_OK && (*index)-- == 0) {
            *out_value = value;
            return true;
        }
    } while (rest.size > 0);
    return false;
}

bool vg_metadata_find(
    const struct vg_metadata *metadata,
    const char *name,
    size_t index,
    struct vg_arena *arena,
    struct vg_bytes *out_value)
{
    const struct vg_bytes wanted = vg_bytes_text(name);
    const bool is_binary = vg_metadata_is_binary(wanted);
    for (uint32_t i = 0; i < metadata->count; i++) {
        const struct vg_metadata_item *item = &metadata->items[i];
        if (!vg_bytes_equal(item->name, wanted)) {
            continue;
        }
        if (is_binary) {
            if (find_binary(item->value, &index, arena, out_value)) {
                return true;
            }
        } else if (index-- == 0) {
            *out_value = item->value;
            return true;
        }
    }
    return false;
}
