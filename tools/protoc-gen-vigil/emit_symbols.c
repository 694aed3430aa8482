/* The part of contract_descriptors.c that tells where a name is declared. See emit.h. */
#include <stdlib.h>
#include <string.h>

#include "tools/protoc-gen-vigil/emit.h"

struct symbol {
    const char *name;
    size_t file;
    bool is_message;
};

struct extension {
    const char *extended;
    int32_t number;
    size_t file;
};

struct symbols {
    struct symbol *rows;
    size_t count;
    size_t room;
    struct extension *extensions;
    size_t extension_count;
    size_t extension_room;
    size_t file; /* whose names are being added */
};

static const char *add_name(struct symbols *symbols, const char *scope, const char *name)
{
    const char *full = scope[0] == '\0' ? vg_text_pool_print("%s", name)
                                        : vg_text_pool_print("%s.%s", scope, name);
    if (symbols->count == symbols->room) {
        symbols->room = symbols->room * 2 + 64;
        struct symbol *rows = vg_text_pool_take(symbols->room * sizeof *rows);
        if (symbols->count > 0) {
            memcpy(rows, symbols->rows, symbols->count * sizeof *rows);
        }
        symbols->rows = rows;
    }
    symbols->rows[symbols->count++] = (struct symbol){ full, symbols->file, false };
    return full;
}

static void add_extension(
    struct symbols *symbols,
    const char *scope,
    const Google__Protobuf__FieldDescriptorProto *proto)
{
    (void)add_name(symbols, scope, proto->name);
    if (symbols->extension_count == symbols->extension_room) {
        symbols->extension_room = symbols->extension_room * 2 + 16;
        struct extension *rows = vg_text_pool_take(symbols->extension_room * sizeof *rows);
        if (symbols->extension_count > 0) {
            memcpy(rows, symbols->extensions, symbols->extension_count * sizeof *rows);
        }
        symbols->extensions = rows;
    }
    symbols->extensions[symbols->extension_count++] = (struct extension){
        .extended = proto->extendee + (proto->extendee[0] == '.'),
        .number = proto->number,
        .file = symbols->file,
    };
}

/* The values of an enum are named beside it, not below it: they share the scope, as in C++. */
static void add_enum(
    struct symbols *symbols,
    const char *scope,
    const Google__Protobuf__EnumDescriptorProto *proto)
{
    (void)add_name(symbols, scope, proto->name);
    for (size_t i = 0; i < proto->n_value; i++) {
        (void)add_name(symbols, scope, proto->value[i]->name);
    }
}

static void add_message(
    struct symbols *symbols,
    const char *scope,
    const Google__Protobuf__DescriptorProto *proto)
{
    const char *name = add_name(symbols, scope, proto->name);
    symbols->rows[symbols->count - 1].is_message = true;
    for (size_t i = 0; i < proto->n_field; i++) {
        (void)add_name(symbols, name, proto->field[i]->name);
    }
    for (size_t i = 0; i < proto->n_oneof_decl; i++) {
        (void)add_name(symbols, name, proto->oneof_decl[i]->name);
    }
    for (size_t i = 0; i < proto->n_enum_type; i++) {
        add_enum(symbols, name, proto->enum_type[i]);
    }
    for (size_t i = 0; i < proto->n_extension; i++) {
        add_extension(symbols, name, proto->extension[i]);
    }
    for (size_t i = 0; i < proto->n_nested_type; i++) {
        add_message(symbols, name, proto->nested_type[i]);
    }
}

static void add_file(struct symbols *symbols, const Google__Protobuf__FileDescriptorProto *proto)
{
    const char *scope = proto->package == NULL ? "" : proto->package;
    for (size_t i = 0; i < proto->n_message_type; i++) {
        add_message(symbols, scope, proto->message_type[i]);
    }
    for (size_t i = 0; i < proto->n_enum_type; i++) {
        add_enum(symbols, scope, proto->enum_type[i]);
    }
    for (size_t i = 0; i < proto->n_extension; i++) {
        add_extension(symbols, scope, proto->extension[i]);
    }
    for (size_t i = 0; i < proto->n_service; i++) {
        const Google__Protobuf__ServiceDescriptorProto *service = proto->service[i];
        const char *name = add_name(symbols, scope, service->name);
        for (size_t k = 0; k < service->n_method; k++) {
            (void)add_name(symbols, name, service->method[k]->name);
        }
    }
}

static int compare_symbols(const void *left, const void *right)
{
    return strcmp(((const struct symbol *)left)->name, ((const struct symbol *)right)->name);
}

static int compare_extensions(const void *left, const void *right)
{
    const struct extension *a = left;
    const struct extension *b = right;
    int order = strcmp(a->extended, b->extended);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static void print_symbols(const struct symbols *symbols, struct vg_text *out)
{
    vg_text_print(out, "\nconst char vg_descriptor_names[] =\n");
    for (size_t i = 0; i < symbols->count; i++) {
        vg_text_print(out, "    \"%s\\0\"\n", symbols->rows[i].name);
    }
    vg_text_print(
        out,
        "    \"\";\nconst struct vg_descriptor_symbol vg_descriptor_symbols[] = {\n");
    size_t at = 0;
    for (size_t i = 0; i < symbols->count; i++) {
        vg_text_print(
            out,
            "    { %zu, %zu, %d },\n",
            at,
            symbols->rows[i].file,
            symbols->rows[i].is_message);
        at += strlen(symbols->rows[i].name) + 1;
    }
    vg_text_print(
        out,
        "    { %zu, 0, 0 },\n};\nconst size_t vg_descriptor_symbol_count = %zu;\n",
        at,
        symbols->count);
}

static void print_extensions(const struct symbols *symbols, struct vg_text *out)
{
    vg_text_print(out, "\nconst struct vg_descriptor_extension vg_descriptor_extensions[] = {\n");
    for (size_t i = 0; i < symbols->extension_count; i++) {
        const struct extension *row = &symbols->extensions[i];
        vg_text_print(out, "    { \"%s\", %d, %zu },\n", row->extended, row->number, row->file);
    }
    vg_text_print(
        out,
        "    { NULL, 0, 0 },\n};\nconst size_t vg_descriptor_extension_count = %zu;\n",
        symbols->extension_count);
}

void vg_emit_symbols(const struct vg_model *model, struct vg_text *out)
{
    struct symbols symbols = { 0 };
    for (size_t i = 0; i < model->file_count; i++) {
        if (model->files[i].reflected) {
            symbols.file = vg_emit_file_position(model, &model->files[i]);
            add_file(&symbols, model->files[i].proto);
        }
    }
    if (symbols.count > 0) {
        qsort(symbols.rows, symbols.count, sizeof symbols.rows[0], compare_symbols);
    }
    if (symbols.extension_count > 0) {
        qsort(
            symbols.extensions,
            symbols.extension_count,
            sizeof symbols.extensions[0],
            compare_extensions);
    }
    print_symbols(&symbols, out);
    print_extensions(&symbols, out);
}
