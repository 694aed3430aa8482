/* contract_descriptors.c: see emit.h. */
#include "tools/protoc-gen-vigil/emit.h"

/* Without source info the bytes are what a client may see; comments would be a third of them. */
static size_t print_file(
    const Google__Protobuf__FileDescriptorProto *proto,
    size_t index,
    struct vg_text *out)
{
    Google__Protobuf__FileDescriptorProto bare = *proto;
    bare.source_code_info = NULL;
    size_t size = google__protobuf__file_descriptor_proto__get_packed_size(&bare);
    uint8_t *bytes = vg_text_pool_take(size);
    google__protobuf__file_descriptor_proto__pack(&bare, bytes);
    vg_text_print(out, "/* %s */\nstatic const uint8_t file_%zu[] = {", proto->name, index);
    vg_emit_bytes(out, bytes, size);
    vg_text_print(out, "};\n");
    return size;
}

void vg_emit_descriptors(const struct vg_model *model, struct vg_text *out)
{
    vg_emit_banner(out, "File descriptors without source info, for reflection.");
    vg_text_print(out, "#include \"proto/contract.h\"\n\n");
    size_t *sizes = vg_text_pool_take((model->file_count + 1) * sizeof *sizes);
    for (size_t i = 0; i < model->file_count; i++) {
        sizes[i] = print_file(model->files[i].proto, i, out);
    }
    vg_text_print(out, "\nconst struct vg_descriptor_file vg_descriptor_files[] = {\n");
    for (size_t i = 0; i < model->file_count; i++) {
        vg_text_print(
            out,
            "    { \"%s\", file_%zu, %zu },\n",
            model->files[i].proto->name,
            i,
            sizes[i]);
    }
    vg_text_print(
        out,
        "    { NULL, NULL, 0 },\n};\nconst size_t vg_descriptor_file_count = %zu;\n",
        model->file_count);
}
