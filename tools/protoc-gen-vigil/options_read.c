/* See options_read.h. */
#include "tools/protoc-gen-vigil/options_read.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/protoc-gen-vigil/text_pool.h"

/* Bytes of the length before the data of a length-delimited field. */
static size_t length_prefix(const ProtobufCMessageUnknownField *field)
{
    size_t size = 0;
    while (size < field->len && (field->data[size] & 0x80) != 0) {
        size++;
    }
    return size < field->len ? size + 1 : field->len;
}

void *vg_options_read(
    const ProtobufCMessage *holder,
    uint32_t tag,
    const ProtobufCMessageDescriptor *kind)
{
    struct vg_text joined = { 0 };
    unsigned unknown_count = holder == NULL ? 0 : holder->n_unknown_fields;
    for (unsigned i = 0; i < unknown_count; i++) {
        const ProtobufCMessageUnknownField *field = &holder->unknown_fields[i];
        if (field->tag == tag && field->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
            size_t skipped = length_prefix(field);
            vg_text_add(&joined, (const char *)field->data + skipped, field->len - skipped);
        }
    }
    void *options = protobuf_c_message_unpack(
        kind,
        &vg_text_pool_allocator,
        joined.size,
        (const uint8_t *)joined.data);
    if (options == NULL) {
        (void)
            fprintf(stderr, "protoc-gen-vigil: an option of type %s cannot be read\n", kind->name);
        exit(1);
    }
    return options;
}
