/* contract_descriptors.c: see emit.h. */
#include "tools/protoc-gen-vigil/emit.h"

/* Without source info the bytes are what a client may see; comments would be a third of them. */
static size_t print_bytes(
    const Google__Protobuf__FileDescriptorProto *proto,
    size_t position,
    struct vg_text *out)
{
    Google__Protobuf__FileDescriptorProto bare = *proto;
    bare.source_code_info = NULL;
    size_t size = google__protobuf__file_descriptor_proto__get_packed_size(&bare);
    uint8_t *bytes = vg_text_pool_take(size);
    google__protobuf__file_descriptor_proto__pack(&bare, bytes);
    vg_text_print(out, "/* %s */\nstatic const uint8_t file_%zu[] = {", proto->name, position);
    vg_emit_bytes(out, bytes, size);
    vg_text_print(out, "};\n");
    return size;
}

size_t vg_emit_file_position(const struct vg_model *model, const struct vg_model_file *file)
{
    size_t position = 0;
    for (const struct vg_model_file *at = model->files; at < file; at++) {
        position += at->reflected;
    }
    return position;
}

static void print_imports(
    const struct vg_model *model,
    const struct vg_model_file *file,
    size_t position,
    struct vg_text *out)
{
    vg_text_print(out, "static const uint16_t imports_%zu[] = { ", position);
    for (size_t i = 0; i < file->proto->n_dependency; i++) {
        const struct vg_model_file *import = vg_model_find_file(model, file->proto->dependency[i]);
        vg_text_print(out, "%zu, ", vg_emit_file_position(model, import));
    }
    vg_text_print(out, "0 };\n");
}

void vg_emit_descriptors(const struct vg_model *model, struct vg_text *out)
{
    vg_emit_banner(out, "File descriptors without source info, for reflection.");
    vg_text_print(out, "#include \"proto/descriptors.h\"\n\n");
    struct vg_text rows = { 0 };
    vg_text_print(&rows, "\nconst struct vg_descriptor_file vg_descriptor_files[] = {\n");
    size_t count = 0;
    for (size_t i = 0; i < model->file_count; i++) {
        const struct vg_model_file *file = &model->files[i];
        if (!file->reflected) {
            continue;
        }
        size_t size = print_bytes(file->proto, count, out);
        print_imports(model, file, count, out);
        vg_text_print(
            &rows,
            "    { \"%s\", file_%zu, %zu, imports_%zu, %zu },\n",
            file->proto->name,
            count,
            size,
            count,
            file->proto->n_dependency);
        count++;
    }
    vg_text_add(out, rows.data, rows.size);
    vg_text_print(
        out,
        "    { NULL, NULL, 0, NULL, 0 },\n};\nconst size_t vg_descriptor_file_count = %zu;\n"
        "_Static_assert(%zu <= UINT16_MAX, \"files are counted in 16 bits\");\n",
        count,
        count);
    vg_emit_symbols(model, out);
}
