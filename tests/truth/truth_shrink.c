#include "tests/truth/truth_shrink.h"

#include <stdint.h>
#include <string.h>

#define ELEMENT_MAX 16

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
    switch ((unsigned)field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return sizeof(int64_t);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    default:
        return sizeof(int32_t); /* what requests have beside those */
    }
}

static void *member_at(ProtobufCMessage *message, unsigned offset)
{
    return (uint8_t *)message + offset;
}

static void shrink_list(
    ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field,
    truth_fails *fails,
    void *owner)
{
    size_t *count = member_at(message, field->quantifier_offset);
    size_t size = element_size(field);
    uint8_t *items;
    memcpy(&items, member_at(message, field->offset), sizeof(items));
    size_t all = *count;
    *count = 0;
    if (all == 0 || fails(owner)) {
        return;
    }
    *count = all;
    for (size_t i = *count; i-- > 0;) {
        uint8_t kept[ELEMENT_MAX];
        memcpy(kept, items + i * size, size);
        memmove(items + i * size, items + (i + 1) * size, (*count - i - 1) * size);
        (*count)--;
        if (fails(owner)) {
            continue;
        }
        memmove(items + (i + 1) * size, items + i * size, (*count - i) * size);
        memcpy(items + i * size, kept, size);
        (*count)++;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
            ProtobufCMessage *inner;
            memcpy(&inner, items + i * size, sizeof(inner));
            truth_shrink(inner, fails, owner);
        }
    }
}

static void shrink_pointer(
    ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field,
    truth_fails *fails,
    void *owner)
{
    void *place = member_at(message, field->offset);
    void *kept;
    memcpy(&kept, place, sizeof(kept));
    memset(place, 0, sizeof(kept));
    if (kept == NULL || fails(owner)) {
        return;
    }
    memcpy(place, &kept, sizeof(kept));
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        truth_shrink(kept, fails, owner);
    }
}

static void shrink_number(
    ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field,
    truth_fails *fails,
    void *owner)
{
    protobuf_c_boolean *has = member_at(message, field->quantifier_offset);
    if (*has) {
        *has = false;
        *has = !fails(owner);
    }
}

void truth_shrink(ProtobufCMessage *message, truth_fails *fails, void *owner)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            shrink_list(message, field, fails, owner);
        } else if (
            field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING) {
            shrink_pointer(message, field, fails, owner);
        } else {
            shrink_number(message, field, fails, owner);
        }
    }
}
