#include "rpc/grpc/grpc_content.h"

#define DATA_FIELD 1u

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static enum vg_reason refuse(struct vg_error *error, const char *words)
{
    return vg_error_set(error, VG_INVALID_WIRE_MESSAGE, "the message is not valid: %s", words);
}

static void expect(struct vg_grpc_content *content, enum vg_grpc_content_state state, uint64_t left)
{
    /* Of nothing at all no byte will come. */
    bool is_run = state == VG_GRPC_CONTENT_DATA || state == VG_GRPC_CONTENT_SKIP;
    content->state = is_run && left == 0 ? VG_GRPC_CONTENT_KEY : state;
    content->left = left;
    content->varint = 0;
    content->shift = 0;
}

static enum vg_reason take_key(struct vg_grpc_content *content, struct vg_error *error)
{
    uint64_t number = content->varint >> 3;
    if (number == 0 || content->varint > UINT32_MAX) {
        return refuse(error, "a field has no number");
    }
    content->is_data = number == DATA_FIELD;
    unsigned wire = (unsigned)content->varint & 7u;
    if (content->is_data && (wire != WIRE_BYTES || content->had_data)) {
        return refuse(error, "data is there once, as bytes");
    }
    switch (wire) {
    case WIRE_VARINT:
        expect(content, VG_GRPC_CONTENT_VARINT, 0);
        return VG_OK;
    case WIRE_FIXED64:
        expect(content, VG_GRPC_CONTENT_SKIP, sizeof(uint64_t));
        return VG_OK;
    case WIRE_FIXED32:
        expect(content, VG_GRPC_CONTENT_SKIP, sizeof(uint32_t));
        return VG_OK;
    case WIRE_BYTES:
        content->had_data = content->had_data || content->is_data;
        expect(content, VG_GRPC_CONTENT_LENGTH, 0);
        return VG_OK;
    default:
        return refuse(error, "a field has an unknown wire type");
    }
}

/* A varint is complete. */
static enum vg_reason take_varint(struct vg_grpc_content *content, struct vg_error *error)
{
    if (content->state == VG_GRPC_CONTENT_KEY) {
        return take_key(content, error);
    }
    if (content->state == VG_GRPC_CONTENT_LENGTH) {
        expect(
            content,
            content->is_data ? VG_GRPC_CONTENT_DATA : VG_GRPC_CONTENT_SKIP,
            content->varint);
    } else {
        expect(content, VG_GRPC_CONTENT_KEY, 0);
    }
    return VG_OK;
}

enum vg_reason vg_grpc_content_next(
    struct vg_grpc_content *content,
    struct vg_bytes *input,
    struct vg_bytes *out_data,
    struct vg_error *error)
{
    *out_data = vg_bytes(NULL, 0);
    if (content->state == VG_GRPC_CONTENT_DATA || content->state == VG_GRPC_CONTENT_SKIP) {
        size_t size = input->size < content->left ? input->size : (size_t)content->left;
        if (content->state == VG_GRPC_CONTENT_DATA) {
            *out_data = vg_bytes(input->data, size);
        }
        *input = vg_bytes(input->data + size, input->size - size);
        expect(content, content->state, content->left - size);
        return VG_OK;
    }
    uint8_t byte = input->data[0];
    *input = vg_bytes(input->data + 1, input->size - 1);
    if (content->shift == 63 && byte > 1) {
        return refuse(error, "a number has more than 64 bits");
    }
    content->varint |= (uint64_t)(byte & 0x7fu) << content->shift;
    content->shift = (uint8_t)(content->shift + 7);
    return (byte & 0x80u) != 0 ? VG_OK : take_varint(content, error);
}

enum vg_reason vg_grpc_content_end(struct vg_grpc_content *content, struct vg_error *error)
{
    if (content->state != VG_GRPC_CONTENT_KEY || content->shift != 0) {
        return refuse(error, "it ends within a field");
    }
    *content = (struct vg_grpc_content){ .state = VG_GRPC_CONTENT_KEY };
    return VG_OK;
}
