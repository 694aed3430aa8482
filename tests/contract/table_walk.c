/*
 * Table walk: every table of the contract against what protoc-c says about the same message.
 *
 * protobuf-c's descriptors hold offsets, numbers, types and enum values of their own making, so
 * they are an oracle for the tables of protoc-gen-vigil. Linked once with the contract itself and
 * once with each golden file.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/contract.h"
#include "proto/descriptors.h"

static unsigned failures;

static void check(bool good, const char *table, const char *field, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s %s: %s\n", table, field, what);
        failures++;
    }
}

static ProtobufCType type_of(unsigned kind)
{
    static const ProtobufCType types[] = {
        [VG_KIND_INT32] = PROTOBUF_C_TYPE_INT32,   [VG_KIND_INT64] = PROTOBUF_C_TYPE_INT64,
        [VG_KIND_UINT32] = PROTOBUF_C_TYPE_UINT32, [VG_KIND_UINT64] = PROTOBUF_C_TYPE_UINT64,
        [VG_KIND_BOOL] = PROTOBUF_C_TYPE_BOOL,     [VG_KIND_DOUBLE] = PROTOBUF_C_TYPE_DOUBLE,
        [VG_KIND_ENUM] = PROTOBUF_C_TYPE_ENUM,     [VG_KIND_STRING] = PROTOBUF_C_TYPE_STRING,
        [VG_KIND_BYTES] = PROTOBUF_C_TYPE_BYTES,   [VG_KIND_MESSAGE] = PROTOBUF_C_TYPE_MESSAGE,
    };
    return types[kind];
}

static unsigned wire_of(ProtobufCType type)
{
    if (type == PROTOBUF_C_TYPE_DOUBLE) {
        return VG_WIRE_FIXED64;
    }
    bool sized = type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_BYTES ||
                 type == PROTOBUF_C_TYPE_MESSAGE;
    return sized ? VG_WIRE_BYTES : VG_WIRE_VARINT;
}

static void check_words(const struct vg_words *words, const ProtobufCEnumDescriptor *oracle)
{
    unsigned count = 0;
    for (unsigned i = 0; i < oracle->n_values; i++) {
        const ProtobufCEnumValue *value = &oracle->values[i];
        const struct vg_word *word = vg_contract_word(words, value->value);
        check((word == NULL) == (value->value == 0), oracle->name, value->name, "has a word");
        if (word != NULL) {
            check(strcmp(word->name, value->name) == 0, oracle->name, value->name, "name");
            check(word->name_size == strlen(word->name), oracle->name, value->name, "name size");
            count++;
        }
    }
    for (unsigned i = 0; i < words->word_count; i++) {
        const struct vg_word *word = &words->words[i];
        check(word->size == strlen(word->text), oracle->name, word->text, "word size");
        check(
            vg_contract_find_word(words, word->text, word->size) == word->number,
            oracle->name,
            word->text,
            "is found");
        check(
            vg_contract_find_word(words, word->text, word->size - 1u) != word->number,
            oracle->name,
            word->text,
            "is found only whole");
        count -= !word->alias;
    }
    check(count == 0, oracle->name, "", "one main word a value");
    check(vg_contract_word(words, words->number_max + 1) == NULL, oracle->name, "", "beyond");
    check(vg_contract_word(words, words->number_min - 1) == NULL, oracle->name, "", "below");
}

static void check_key(
    const struct vg_field *field,
    const char *table,
    const ProtobufCFieldDescriptor *oracle)
{
    unsigned key = oracle->id << 3 | wire_of(oracle->type);
    unsigned written =
        field->key[2] == 1 ? field->key[0] : (field->key[0] & 0x7fu) | (unsigned)field->key[1] << 7;
    check(field->key[2] == (key < 128 ? 1 : 2), table, oracle->name, "bytes of the key");
    check(written == key && field->key[3] == wire_of(oracle->type), table, oracle->name, "key");
}

static void check_sub(
    const struct vg_field *field,
    const char *table,
    const ProtobufCFieldDescriptor *oracle)
{
    if (field->kind == VG_KIND_MESSAGE) {
        const struct vg_table *sub = field->sub;
        check(sub->descriptor == oracle->descriptor, table, oracle->name, "message");
    } else if (field->kind == VG_KIND_ENUM) {
        check_words(field->sub, oracle->descriptor);
    } else {
        check(field->sub == NULL, table, oracle->name, "nothing below it");
    }
}

static void check_field(const struct vg_table *table, const struct vg_field *field)
{
    const char *name = table->descriptor->name;
    const ProtobufCFieldDescriptor *oracle =
        protobuf_c_message_descriptor_get_field(table->descriptor, field->number);
    if (oracle == NULL) {
        check(false, name, field->piece, "has a number protoc-c does not know");
        return;
    }
    bool repeated = oracle->label == PROTOBUF_C_LABEL_REPEATED;
    check(vg_contract_field(table, field->number) == field, name, oracle->name, "by number");
    check(field->offset == oracle->offset, name, oracle->name, "offset");
    check(field->quantifier == oracle->quantifier_offset, name, oracle->name, "quantifier");
    check(type_of(field->kind) == oracle->type, name, oracle->name, "kind");
    check(((field->flags & VG_FIELD_REPEATED) != 0) == repeated, name, oracle->name, "repeated");
    check(
        ((field->flags & VG_FIELD_PACKED) != 0) ==
            ((oracle->flags & PROTOBUF_C_FIELD_FLAG_PACKED) != 0),
        name,
        oracle->name,
        "packed");
    check(field->piece_size == strlen(field->piece), name, oracle->name, "size of the piece");
    check(
        vg_contract_find_name(
            table,
            field->piece + 2,
            field->piece_size - 4u,
            VG_NAME_DOCUMENTED) == field - table->fields,
        name,
        oracle->name,
        "by its JSON name");
    check(
        vg_contract_find_name(table, oracle->name, strlen(oracle->name), VG_NAME_OWN) ==
            field - table->fields,
        name,
        oracle->name,
        "by its own name");
    check_key(field, name, oracle);
    check_sub(field, name, oracle);
}

static void check_table(const struct vg_table *table)
{
    const ProtobufCMessageDescriptor *oracle = table->descriptor;
    check(table->size == oracle->sizeof_message, oracle->name, "", "size");
    check(table->field_count == oracle->n_fields, oracle->name, "", "count of fields");
    for (unsigned i = 0; i < table->field_count; i++) {
        check_field(table, &table->fields[i]);
    }
    for (unsigned i = 0; i < table->name_count; i++) {
        const struct vg_name *name = &table->names[i];
        check(
            vg_contract_find_name(table, name->text, name->size, name->flags) == name->row,
            oracle->name,
            name->text,
            "is found");
        check(
            vg_contract_find_name(table, name->text, name->size, ~(unsigned)name->flags) ==
                VG_ROW_NONE,
            oracle->name,
            name->text,
            "is found as nothing else");
    }
    check(
        vg_contract_find_name(table, "", 0, ~0u) == VG_ROW_NONE,
        oracle->name,
        "",
        "no empty name");
    check(vg_contract_field(table, 0) == NULL, oracle->name, "", "no number 0");
    check(
        vg_contract_field(table, table->number_max + 1u) == NULL,
        oracle->name,
        "",
        "no larger number");
}

/* The index of descriptors: in order, and closed under imports. */
static void check_descriptors(void)
{
    for (size_t i = 0; i < vg_descriptor_file_count; i++) {
        const struct vg_descriptor_file *file = &vg_descriptor_files[i];
        check(file->size > 0, file->name, "", "has bytes");
        for (size_t k = 0; k < file->import_count; k++) {
            check(file->imports[k] < i, file->name, "", "imports stand before it");
        }
    }
    for (size_t i = 0; i < vg_descriptor_symbol_count; i++) {
        const struct vg_descriptor_symbol *symbol = &vg_descriptor_symbols[i];
        const char *name = vg_descriptor_names + symbol->name;
        check(symbol->file < vg_descriptor_file_count, name, "", "is of a file");
        check(
            i == 0 || strcmp(vg_descriptor_names + symbol[-1].name, name) < 0,
            name,
            "",
            "order of symbols, each once");
    }
    for (size_t i = 0; i < vg_descriptor_extension_count; i++) {
        const struct vg_descriptor_extension *row = &vg_descriptor_extensions[i];
        check(row->file < vg_descriptor_file_count, row->extended, "", "is of a file");
        check(
            i == 0 || strcmp(row[-1].extended, row->extended) < 0 ||
                (strcmp(row[-1].extended, row->extended) == 0 && row[-1].number < row->number),
            row->extended,
            "",
            "order of extensions");
    }
}

int main(void)
{
    check(vg_table_count > 0, "", "", "there are tables");
    for (size_t i = 0; i < vg_table_count; i++) {
        check_table(vg_tables[i]);
        check(
            i == 0 ||
                strcmp(vg_tables[i - 1]->descriptor->name, vg_tables[i]->descriptor->name) < 0,
            vg_tables[i]->descriptor->name,
            "",
            "order");
    }
    check_descriptors();
    for (size_t i = 0; i < vg_openapi_file_count; i++) {
        const struct vg_openapi_file *file = &vg_openapi_files[i];
        check(strlen(file->data) == file->size, file->name, "", "size of the OpenAPI document");
    }
    printf("%zu tables, %u failures\n", vg_table_count, failures);
    return failures == 0 ? 0 : 1;
}
