/* contract_json.{h,c}: see emit.h. */
#include <string.h>

#include "tools/protoc-gen-vigil/emit.h"

static void print_declarations(const struct vg_model *model, struct vg_text *out)
{
    for (size_t i = 0; i < model->message_count; i++) {
        const struct vg_model_message *message = model->messages[i];
        vg_text_print(out, "extern const struct vg_table vg_table_%s;\n", message->symbol);
        if (message->field_count > 0) {
            vg_text_print(
                out,
                "extern const struct vg_field vg_fields_%s[%zu];\n",
                message->symbol,
                message->field_count);
        }
    }
    for (size_t i = 0; i < model->enum_count; i++) {
        vg_text_print(out, "extern const struct vg_words vg_words_%s;\n", model->enums[i]->symbol);
    }
}

void vg_emit_json_header(const struct vg_model *model, struct vg_text *out)
{
    vg_emit_banner(
        out,
        "The tables of the contract by name: vg_table_<message>, vg_fields_<message>, "
        "vg_words_<enum>.");
    vg_text_print(
        out,
        "#ifndef VG_PROTO_CONTRACT_JSON_H\n#define VG_PROTO_CONTRACT_JSON_H\n\n"
        "#include \"proto/contract.h\"\n\n");
    print_declarations(model, out);
    vg_text_print(out, "\n#endif\n");
}

/* The wire type of one element. RFC: protobuf encoding guide. */
static enum vg_wire wire_of(enum vg_kind kind)
{
    switch (kind) {
    case VG_KIND_DOUBLE:
        return VG_WIRE_FIXED64;
    case VG_KIND_STRING:
    case VG_KIND_BYTES:
    case VG_KIND_MESSAGE:
        return VG_WIRE_BYTES;
    case VG_KIND_INT32:
    case VG_KIND_INT64:
    case VG_KIND_UINT32:
    case VG_KIND_UINT64:
    case VG_KIND_BOOL:
    case VG_KIND_ENUM:
        return VG_WIRE_VARINT;
    }
    return VG_WIRE_VARINT;
}

static void print_key(const struct vg_model_field *field, struct vg_text *out)
{
    unsigned wire = (unsigned)wire_of(field->kind);
    unsigned key = (unsigned)field->proto->number << 3 | wire;
    if (key < 0x80) {
        vg_text_print(out, ".key = { %u, 0, 1, %u } },\n", key, wire);
    } else {
        vg_text_print(out, ".key = { %u, %u, 2, %u } },\n", (key & 0x7f) | 0x80, key >> 7, wire);
    }
}

static void print_field(const struct vg_model_field *field, struct vg_text *out)
{
    const char *owner = field->owner->struct_name;
    const char *piece = vg_text_pool_print(",\"%s\":", field->json_name);
    vg_text_print(out, "    { .piece = ");
    vg_text_quote(out, piece);
    vg_text_print(
        out,
        ", .piece_size = %zu, .kind = VG_KIND_%s,\n      ",
        strlen(piece),
        vg_emit_kind(field->kind));
    if (field->message != NULL) {
        vg_text_print(out, ".sub = &vg_table_%s, ", field->message->symbol);
    } else if (field->words != NULL) {
        vg_text_print(out, ".sub = &vg_words_%s, ", field->words->symbol);
    }
    vg_text_print(out, ".offset = offsetof(%s, %s),\n      ", owner, field->member);
    if (field->oneof_case != NULL) {
        vg_text_print(out, ".quantifier = offsetof(%s, %s),\n      ", owner, field->oneof_case);
    } else if ((field->flags & VG_FIELD_REPEATED) != 0) {
        vg_text_print(out, ".quantifier = offsetof(%s, n_%s),\n      ", owner, field->member);
    } else if ((field->flags & VG_FIELD_IMPLICIT) != 0) {
        /* the value itself tells */
    } else if (field->kind != VG_KIND_STRING && field->kind != VG_KIND_MESSAGE) {
        vg_text_print(out, ".quantifier = offsetof(%s, has_%s),\n      ", owner, field->member);
    }
    vg_text_print(out, ".number = %d, .rule = %zu, .flags = ", field->proto->number, field->rule);
    vg_emit_flags(out, VG_EMIT_FIELD, field->flags, true);
    vg_text_print(out, ", ");
    print_key(field, out);
}

static void print_names(const struct vg_model_message *message, struct vg_text *out)
{
    vg_text_print(out, "static const struct vg_name names_%s[] = {\n", message->symbol);
    for (size_t i = 0; i < message->name_count; i++) {
        const struct vg_model_name *name = &message->names[i];
        vg_text_print(out, "    { \"%s\", %zu, %zu, ", name->text, strlen(name->text), name->row);
        vg_emit_flags(out, VG_EMIT_NAME, name->flags, true);
        vg_text_print(out, " },\n");
    }
    vg_text_print(out, "};\n");
}

static void print_numbers(const struct vg_model_message *message, struct vg_text *out)
{
    size_t count = (size_t)message->number_max + 1;
    uint8_t *rows = vg_text_pool_take(count);
    for (size_t i = 0; i < message->field_count; i++) {
        rows[message->fields[i].proto->number] = (uint8_t)(i + 1);
    }
    vg_text_print(out, "static const uint8_t numbers_%s[] = {", message->symbol);
    vg_emit_bytes(out, rows, count);
    vg_text_print(out, "};\nstatic const uint8_t slots_%s[] = {", message->symbol);
    vg_emit_bytes(out, message->hash.slots, (size_t)1 << message->hash.slot_bits);
    vg_text_print(out, "};\n");
}

static void print_table(const struct vg_model_message *message, struct vg_text *out)
{
    const char *symbol = message->symbol;
    vg_text_print(out, "\n/* %s */\n", message->full_name);
    if (message->field_count > 0) {
        vg_text_print(
            out,
            "_Static_assert(sizeof(%s) <= UINT16_MAX, \"offsets of %s take 16 bits\");\n",
            message->struct_name,
            message->full_name);
        vg_text_print(
            out,
            "const struct vg_field vg_fields_%s[%zu] = {\n",
            symbol,
            message->field_count);
        for (size_t i = 0; i < message->field_count; i++) {
            print_field(&message->fields[i], out);
        }
        vg_text_print(out, "};\n");
        print_names(message, out);
    }
    print_numbers(message, out);
    vg_text_print(out, "const struct vg_table vg_table_%s = {\n", symbol);
    vg_text_print(out, "    .descriptor = &%s__descriptor,\n", message->descriptor);
    if (message->field_count > 0) {
        vg_text_print(out, "    .fields = vg_fields_%s,\n    .names = names_%s,\n", symbol, symbol);
    }
    vg_text_print(
        out,
        "    .slots = slots_%s,\n    .by_number = numbers_%s,\n    .seed = %uu,\n"
        "    .size = sizeof(%s),\n    .number_max = %d,\n    .field_count = %zu,\n"
        "    .name_count = %zu,\n    .slot_bits = %u,\n    .flags = ",
        symbol,
        symbol,
        message->hash.seed,
        message->struct_name,
        message->number_max,
        message->field_count,
        message->name_count,
        message->hash.slot_bits);
    vg_emit_flags(out, VG_EMIT_TABLE, message->flags, true);
    vg_text_print(
        out,
        ",\n    .bare_scalar = %zu,\n    .bare_list = %zu,\n    .bare_object = %zu,\n};\n",
        message->bare_scalar,
        message->bare_list,
        message->bare_object);
}

void vg_emit_json(const struct vg_model *model, struct vg_text *out)
{
    vg_emit_banner(out, "Fields, names and words of every message and enum.");
    vg_text_print(
        out,
        "#include \"proto/contract_json.h\"\n\n#include <stddef.h>\n#include <stdint.h>\n\n");
    vg_emit_includes(model, out);
    vg_text_print(out, "\n_Static_assert(sizeof(struct vg_field) == 32, \"a row of a table\");\n");
    vg_emit_words(model, out);
    for (size_t i = 0; i < model->message_count; i++) {
        print_table(model->messages[i], out);
    }
    vg_text_print(out, "\nconst struct vg_table *const vg_tables[] = {\n");
    for (size_t i = 0; i < model->message_count; i++) {
        vg_text_print(out, "    &vg_table_%s,\n", model->messages[i]->symbol);
    }
    vg_text_print(out, "    NULL,\n};\nconst size_t vg_table_count = %zu;\n", model->message_count);
}
