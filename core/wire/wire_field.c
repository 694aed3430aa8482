#include "core/wire/wire_field.h"

#include "core/wire/wire_encode.h"

const uint8_t *vg_wire_read_varint_slow(const uint8_t *next, const uint8_t *end, uint64_t *value)
{
    uint64_t read = 0;
    for (unsigned shift = 0; shift < 70 && next < end; shift += 7) {
        uint8_t byte = *next++;
        if (shift < 64) {
            read |= (uint64_t)(byte & 0x7F) << shift;
        }
        if (byte < 0x80) {
            *value = read;
            return next;
        }
    }
    return NULL;
}

static const uint8_t *skip_group(
    const uint8_t *next,
    const uint8_t *end,
    uint32_t group_number,
    unsigned depth)
{
    if (depth == 0) {
        return NULL;
    }
    while (next != NULL && next < end) {
        uint64_t key;
        next = vg_wire_read_varint(next, end, &key);
        if (next == NULL || key >> 3 == 0 || key > UINT32_MAX) {
            return NULL;
        }
        if ((key & 7) == VG_WIRE_GROUP_END) {
            return key >> 3 == group_number ? next : NULL;
        }
        next = vg_wire_skip(next, end, (uint32_t)(key >> 3), (unsigned)(key & 7), depth - 1);
    }
    return NULL;
}

const uint8_t *vg_wire_skip(
    const uint8_t *next,
    const uint8_t *end,
    uint32_t number,
    unsigned wire_type,
    unsigned depth)
{
    uint64_t value;
    switch (wire_type) {
    case VG_WIRE_VARINT:
        return vg_wire_read_varint(next, end, &value);
    case VG_WIRE_FIXED64:
        return end - next >= 8 ? next + 8 : NULL;
    case VG_WIRE_FIXED32:
        return end - next >= 4 ? next + 4 : NULL;
    case VG_WIRE_BYTES:
        next = vg_wire_read_varint(next, end, &value);
        return next != NULL && value <= (uint64_t)(end - next) ? next + value : NULL;
    case VG_WIRE_GROUP_START:
        return skip_group(next, end, number, depth);
    default:
        return NULL;
    }
}

static uint64_t little_endian(const uint8_t *data, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)data[i] << (8 * i);
    }
    return value;
}

enum vg_wire_step vg_wire_next(struct vg_bytes *rest, struct vg_wire_field *out_field)
{
    if (rest->size == 0) {
        return VG_WIRE_STEP_END;
    }
    const uint8_t *start = rest->data;
    const uint8_t *end = start + rest->size;
    uint64_t key;
    const uint8_t *body = vg_wire_read_varint(start, end, &key);
    if (body == NULL || key >> 3 == 0 || key > UINT32_MAX) {
        return VG_WIRE_STEP_BROKEN;
    }
    const uint32_t number = (uint32_t)(key >> 3);
    const uint8_t wire_type = (uint8_t)(key & 7);
    uint64_t value = 0;
    struct vg_bytes bytes = { .data = NULL };
    const uint8_t *after;
    if (wire_type == VG_WIRE_BYTES) { /* most of all fields */
        uint64_t size;
        body = vg_wire_read_varint(body, end, &size);
        if (body == NULL || size > (uint64_t)(end - body)) {
            return VG_WIRE_STEP_BROKEN;
        }
        bytes = vg_bytes(body, (size_t)size);
        after = body + size;
    } else if (wire_type == VG_WIRE_VARINT) {
        after = vg_wire_read_varint(body, end, &value);
    } else {
        after = vg_wire_skip(body, end, number, wire_type, VG_LIMIT_WIRE_DEPTH);
    }
    if (after == NULL) {
        return VG_WIRE_STEP_BROKEN;
    }
    if (wire_type == VG_WIRE_FIXED64) {
        value = little_endian(body, 8);
    } else if (wire_type == VG_WIRE_FIXED32) {
        value = little_endian(body, 4);
    } else if (wire_type == VG_WIRE_GROUP_START) {
        /* The content of a group, without the key that ends it. */
        bytes =
            vg_bytes(body, (size_t)(after - body) - vg_wire_varint_size(key | VG_WIRE_GROUP_END));
    }
    /* Member by member: a struct copied whole would wait for the stores that made it. */
    out_field->number = number;
    out_field->wire_type = wire_type;
    out_field->value = value;
    out_field->bytes = bytes;
    out_field->whole = vg_bytes(start, (size_t)(after - start));
    *rest = vg_bytes(after, (size_t)(end - after));
    return VG_WIRE_STEP_FIELD;
}

static uint8_t *put_varint(uint8_t *next, uint64_t value)
{
    while (value >= 0x80) {
        *next++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *next++ = (uint8_t)value;
    return next;
}

static uint64_t field_key(uint32_t number, enum vg_wire wire_type)
{
    return (uint64_t)number << 3 | (uint64_t)wire_type;
}

void vg_wire_put_varint(struct vg_buffer *buffer, uint32_t number, uint64_t value)
{
    uint8_t field[2 * VG_WIRE_VARINT_MAX];
    uint8_t *next = put_varint(field, field_key(number, VG_WIRE_VARINT));
    next = put_varint(next, value);
    vg_buffer_append(buffer, field, (size_t)(next - field));
}

void vg_wire_put_fixed64(struct vg_buffer *buffer, uint32_t number, uint64_t value)
{
    uint8_t field[VG_WIRE_VARINT_MAX + 8];
    uint8_t *next = put_varint(field, field_key(number, VG_WIRE_FIXED64));
    for (unsigned i = 0; i < 8; i++) {
        *next++ = (uint8_t)(value >> (8 * i));
    }
    vg_buffer_append(buffer, field, (size_t)(next - field));
}

void vg_wire_put_bytes(struct vg_buffer *buffer, uint32_t number, struct vg_bytes bytes)
{
    uint8_t head[2 * VG_WIRE_VARINT_MAX];
    uint8_t *next = put_varint(head, field_key(number, VG_WIRE_BYTES));
    next = put_varint(next, bytes.size);
    size_t head_size = (size_t)(next - head);
    /* Both or nothing: a key without its value would spoil what is already there. */
    if (vg_buffer_reserve(buffer, head_size + bytes.size)) {
        vg_buffer_append(buffer, head, head_size);
        vg_buffer_append(buffer, bytes.data, bytes.size);
    }
}

void vg_wire_put_text(struct vg_buffer *buffer, uint32_t number, const char *text)
{
    vg_wire_put_bytes(buffer, number, vg_bytes_text(text));
}

void vg_wire_put_message(
    struct vg_buffer *buffer,
    uint32_t number,
    const struct vg_table *table,
    const ProtobufCMessage *message)
{
    if (message == NULL) {
        return;
    }
    /* The head is as long as the size wants, so the content goes in first and moves up behind it.
     */
    size_t start = buffer->size;
    if (!vg_wire_encode(table, message, buffer)) {
        return;
    }
    size_t content = buffer->size - start;
    uint8_t head[2 * VG_WIRE_VARINT_MAX];
    uint8_t *next = put_varint(head, field_key(number, VG_WIRE_BYTES));
    next = put_varint(next, content);
    size_t head_size = (size_t)(next - head);
    if (!vg_buffer_reserve(buffer, head_size)) {
        buffer->size = start;
        return;
    }
    memmove(buffer->data + start + head_size, buffer->data + start, content);
    memcpy(buffer->data + start, head, head_size);
    buffer->size += head_size;
}

static bool is_zero(const struct vg_field *field, const uint8_t *member)
{
    static const uint8_t zeros[8];
    const char *text;
    ProtobufCBinaryData data;
    switch (field->kind) {
    case VG_KIND_STRING:
        memcpy(&text, member, sizeof(text));
        return text == NULL || text[0] == '\0';
    case VG_KIND_BYTES:
        memcpy(&data, member, sizeof(data));
        return data.len == 0;
    default:
        return memcmp(member, zeros, vg_wire_item_size(field)) == 0;
    }
}

bool vg_wire_is_set(const struct vg_field *field, const uint8_t *message)
{
    if ((field->flags & VG_FIELD_ONEOF) != 0) {
        uint32_t which;
        memcpy(&which, message + field->quantifier, sizeof(which));
        return which == field->number;
    }
    if ((field->flags & VG_FIELD_IMPLICIT) != 0) {
        return !is_zero(field, message + field->offset);
    }
    if (field->quantifier == 0) {
        const void *pointer;
        memcpy(&pointer, message + field->offset, sizeof(pointer));
        return pointer != NULL;
    }
    protobuf_c_boolean has;
    memcpy(&has, message + field->quantifier, sizeof(has));
    return has != 0;
}
