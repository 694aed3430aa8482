/*
 * The encoder writes downwards from the end of the buffer's memory. When the space between the
 * content of the buffer and the encoded tail is used up, the buffer is enlarged and the tail moved
 * to its new end; when the message is complete the tail is moved down behind the content. Both
 * moves are memmove over bytes just written and cost far less than a pass that only counts sizes.
 */
#include "core/wire/wire_encode.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/wire/wire_field.h"

/* Most bytes a scalar with its key takes: key 2 (numbers are at most 2047), varint 10. */
#define SCALAR_MAX 12u
/* Most bytes of key and length before a run. */
#define HEAD_MAX 12u

struct encoder {
    uint8_t *next;  /* the tail begins here */
    uint8_t *least; /* content of the buffer ends here */
    struct vg_buffer *buffer;
};

static uint8_t *buffer_end(const struct vg_buffer *buffer)
{
    return buffer->data + buffer->capacity;
}

/* Bytes encoded so far. */
static inline size_t tail_size(const struct encoder *encoder)
{
    return encoder->next == NULL ? 0 : (size_t)(buffer_end(encoder->buffer) - encoder->next);
}

/* Enlarge the buffer until `size` bytes lie free below the tail. */
static bool make_room(struct encoder *encoder, size_t size)
{
    struct vg_buffer *buffer = encoder->buffer;
    size_t tail = buffer->data == NULL ? 0 : (size_t)(buffer_end(buffer) - encoder->next);
    size_t old_capacity = buffer->capacity;
    if (!vg_buffer_reserve(buffer, tail + size)) {
        return false;
    }
    VG_ASSERT(buffer->capacity > old_capacity || tail == 0);
    encoder->next = buffer_end(buffer) - tail;
    encoder->least = buffer->data + buffer->size;
    if (tail > 0) {
        memmove(encoder->next, buffer->data + old_capacity - tail, tail);
    }
    return true;
}

static inline bool room(struct encoder *encoder, size_t size)
{
    return (size_t)(encoder->next - encoder->least) >= size || make_room(encoder, size);
}

static inline void put_varint(struct encoder *encoder, uint64_t value)
{
    if (value < 0x80) {
        *--encoder->next = (uint8_t)value;
        return;
    }
    size_t size = vg_wire_varint_size(value);
    encoder->next -= size;
    uint8_t *out = encoder->next;
    while (value >= 0x80) {
        *out++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out = (uint8_t)value;
}

static inline void put_key(struct encoder *encoder, const struct vg_field *field)
{
    if (field->key[2] == 1) {
        *--encoder->next = field->key[0];
        return;
    }
    encoder->next -= 2;
    memcpy(encoder->next, field->key, 2);
}

/* The value of a number as the varint or fixed bytes it is sent as. */
static inline uint64_t load_number(const struct vg_field *field, const uint8_t *member)
{
    uint32_t word;
    uint64_t value;
    switch (field->kind) {
    case VG_KIND_INT32:
    case VG_KIND_ENUM:
        memcpy(&word, member, 4);
        return (uint64_t)(int64_t)(int32_t)
            word; /* negative numbers take ten bytes, as protobuf wants */
    case VG_KIND_UINT32:
        memcpy(&word, member, 4);
        return word;
    case VG_KIND_BOOL:
        memcpy(&word, member, 4);
        return word != 0;
    default:
        memcpy(&value, member, 8);
        return value;
    }
}

static inline void put_number(struct encoder *encoder, const struct vg_field *field, uint64_t value)
{
    if (field->kind == VG_KIND_DOUBLE) {
        encoder->next -= 8;
        for (unsigned i = 0; i < 8; i++) {
            encoder->next[i] = (uint8_t)(value >> (8 * i));
        }
    } else {
        put_varint(encoder, value);
    }
}

static bool put_run(struct encoder *encoder, const struct vg_field *field, struct vg_bytes run)
{
    if (!room(encoder, run.size + HEAD_MAX)) {
        return false;
    }
    encoder->next -= run.size;
    if (run.size > 0) {
        memcpy(encoder->next, run.data, run.size);
    }
    put_varint(encoder, run.size);
    put_key(encoder, field);
    return true;
}

static bool put_message(
    struct encoder *encoder,
    const struct vg_table *table,
    const uint8_t *message);

static bool put_nested(
    struct encoder *encoder,
    const struct vg_field *field,
    const uint8_t *message)
{
    size_t before = tail_size(encoder);
    if (message != NULL && !put_message(encoder, field->sub, message)) {
        return false;
    }
    size_t size = tail_size(encoder) - before;
    if (!room(encoder, HEAD_MAX)) {
        return false;
    }
    put_varint(encoder, size);
    put_key(encoder, field);
    return true;
}

static bool put_packed(
    struct encoder *encoder,
    const struct vg_field *field,
    const uint8_t *items,
    size_t count)
{
    size_t before = tail_size(encoder);
    size_t item_size = vg_wire_item_size(field);
    for (size_t i = count; i-- > 0;) {
        if (!room(encoder, SCALAR_MAX)) {
            return false;
        }
        put_number(encoder, field, load_number(field, items + i * item_size));
    }
    size_t size = tail_size(encoder) - before;
    if (!room(encoder, HEAD_MAX)) {
        return false;
    }
    put_varint(encoder, size);
    put_key(encoder, field);
    /* The table's key is that of one element; a packed list is one length-delimited run. */
    *encoder->next = (uint8_t)((*encoder->next & ~7u) | VG_WIRE_BYTES);
    return true;
}

static bool put_item(
    struct encoder *encoder,
    const struct vg_field *field,
    const uint8_t *items,
    size_t i)
{
    if (field->kind == VG_KIND_STRING) {
        return put_run(encoder, field, vg_bytes_text(((char *const *)(const void *)items)[i]));
    }
    if (field->kind == VG_KIND_MESSAGE) {
        return put_nested(encoder, field, ((uint8_t *const *)(const void *)items)[i]);
    }
    if (field->kind == VG_KIND_BYTES) {
        const ProtobufCBinaryData *data = (const ProtobufCBinaryData *)(const void *)items + i;
        return put_run(encoder, field, vg_bytes(data->data, data->len));
    }
    if (!room(encoder, SCALAR_MAX)) {
        return false;
    }
    put_number(encoder, field, load_number(field, items + i * vg_wire_item_size(field)));
    put_key(encoder, field);
    return true;
}

static bool put_list(struct encoder *encoder, const struct vg_field *field, const uint8_t *message)
{
    size_t count;
    const uint8_t *items;
    memcpy(&count, message + field->quantifier, sizeof(count));
    if (count == 0) {
        return true;
    }
    memcpy(&items, message + field->offset, sizeof(items));
    if ((field->flags & VG_FIELD_PACKED) != 0) {
        return put_packed(encoder, field, items, count);
    }
    for (size_t i = count; i-- > 0;) {
        if (!put_item(encoder, field, items, i)) {
            return false;
        }
    }
    return true;
}

/* A member without presence, or of a oneof. */
static bool put_other(struct encoder *encoder, const struct vg_field *field, const uint8_t *message)
{
    const uint8_t *member = message + field->offset;
    const char *text;
    if (!vg_wire_is_set(field, message)) {
        return true;
    }
    if (field->kind == VG_KIND_STRING) {
        memcpy(&text, member, sizeof(text));
        return put_run(encoder, field, vg_bytes_text(text == NULL ? "" : text));
    }
    return put_item(encoder, field, member, 0);
}

static bool put_singular(
    struct encoder *encoder,
    const struct vg_field *field,
    const uint8_t *message)
{
    const uint8_t *member = message + field->offset;
    if ((field->flags & (VG_FIELD_IMPLICIT | VG_FIELD_ONEOF)) != 0) {
        return put_other(encoder, field, message);
    }
    if (field->kind == VG_KIND_STRING || field->kind == VG_KIND_MESSAGE) {
        const uint8_t *pointer;
        memcpy(&pointer, member, sizeof(pointer));
        if (pointer == NULL) {
            return true;
        }
        return field->kind == VG_KIND_MESSAGE
                   ? put_nested(encoder, field, pointer)
                   : put_run(encoder, field, vg_bytes_text((const char *)pointer));
    }
    protobuf_c_boolean has;
    memcpy(&has, message + field->quantifier, sizeof(has));
    if (has == 0) {
        return true;
    }
    if (field->kind == VG_KIND_BYTES) {
        ProtobufCBinaryData data;
        memcpy(&data, member, sizeof(data));
        return put_run(encoder, field, vg_bytes(data.data, data.len));
    }
    if (!room(encoder, SCALAR_MAX)) {
        return false;
    }
    put_number(encoder, field, load_number(field, member));
    put_key(encoder, field);
    return true;
}

static bool put_unknown(struct encoder *encoder, const ProtobufCMessage *message)
{
    for (size_t i = message->n_unknown_fields; i-- > 0;) {
        const ProtobufCMessageUnknownField *unknown = &message->unknown_fields[i];
        if (!room(encoder, unknown->len + HEAD_MAX)) {
            return false;
        }
        encoder->next -= unknown->len;
        if (unknown->len > 0) {
            memcpy(encoder->next, unknown->data, unknown->len);
        }
        put_varint(encoder, (uint64_t)unknown->tag << 3 | (unsigned)unknown->wire_type);
    }
    return true;
}

static bool put_message(
    struct encoder *encoder,
    const struct vg_table *table,
    const uint8_t *message)
{
    const ProtobufCMessage *base = (const ProtobufCMessage *)(const void *)message;
    if (base->n_unknown_fields > 0 && !put_unknown(encoder, base)) {
        return false;
    }
    for (size_t i = table->field_count; i-- > 0;) {
        const struct vg_field *field = &table->fields[i];
        bool done = (field->flags & VG_FIELD_REPEATED) != 0 ? put_list(encoder, field, message)
                                                            : put_singular(encoder, field, message);
        if (!done) {
            return false;
        }
    }
    return true;
}

bool vg_wire_encode(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    struct vg_buffer *buffer)
{
    if (buffer->failed) {
        return false;
    }
    struct encoder encoder = { .buffer = buffer };
    if (buffer->data != NULL) {
        encoder.next = buffer_end(buffer);
        encoder.least = buffer->data + buffer->size;
    }
    if (!put_message(&encoder, table, (const uint8_t *)message)) {
        return false;
    }
    if (buffer->data != NULL) {
        size_t size = (size_t)(buffer_end(buffer) - encoder.next);
        memmove(buffer->data + buffer->size, encoder.next, size);
        buffer->size += size;
    }
    return true;
}
