/* contract_openapi.c: the OpenAPI documents as bytes in the program. See emit.h. */
#include <string.h>

#include "tools/protoc-gen-vigil/emit.h"

#define CHUNK_BYTES 96

/* `api` NULL = all of them. */
static void emit_document(
    const struct vg_model *model,
    const char *api,
    const char *name,
    struct vg_text *out)
{
    struct vg_text document = { 0 };
    vg_emit_openapi(model, api, &document);
    vg_text_print(out, "\nstatic const char document_%s[] =", name);
    for (size_t at = 0; at < document.size; at += CHUNK_BYTES) {
        size_t size = document.size - at < CHUNK_BYTES ? document.size - at : CHUNK_BYTES;
        vg_text_print(out, "\n    ");
        vg_text_quote(out, vg_text_pool_copy(document.data + at, size));
    }
    vg_text_print(out, ";\n");
}

static void emit_row(const char *name, struct vg_text *out)
{
    vg_text_print(out, "    { \"%s\", document_%s, sizeof document_%s - 1 },\n", name, name, name);
}

void vg_emit_openapi_source(const struct vg_model *model, struct vg_text *out)
{
    static const char all[] = "all";
    const char **apis = vg_emit_openapi_list(model);
    size_t count = 0;
    vg_emit_banner(out, "The OpenAPI documents.");
    vg_text_print(out, "#include \"proto/contract.h\"\n");
    for (; apis[count] != NULL; count++) {
        emit_document(model, apis[count], apis[count], out);
    }
    emit_document(model, NULL, all, out);
    vg_text_print(out, "\nconst struct vg_openapi_file vg_openapi_files[] = {\n");
    for (size_t i = 0; i < count; i++) {
        emit_row(apis[i], out);
    }
    emit_row(all, out);
    vg_text_print(
        out,
        "    { NULL, NULL, 0 },\n};\nconst size_t vg_openapi_file_count = %zu;\n",
        count + 1);
}

/* One line for each served message, field and method without a comment: they would be holes in the
 * documents. */
void vg_emit_uncommented(const struct vg_model *model, struct vg_text *out)
{
    for (size_t i = 0; i < model->message_count; i++) {
        const struct vg_model_message *message = model->messages[i];
        bool map_entry = message->proto->options != NULL && message->proto->options->map_entry;
        if (map_entry || !message->place.file->own) {
            continue;
        }
        if (vg_place_comment(&message->place)[0] == '\0') {
            vg_text_print(out, "message %s\n", message->full_name);
        }
        for (size_t k = 0; k < message->field_count; k++) {
            if (vg_place_comment(&message->fields[k].place)[0] == '\0') {
                vg_text_print(out, "field %s.%s\n", message->full_name, message->fields[k].name);
            }
        }
    }
    for (size_t i = 0; i < model->method_count; i++) {
        if (model->methods[i]->place.file->own &&
            vg_place_comment(&model->methods[i]->place)[0] == '\0') {
            vg_text_print(out, "method %s\n", model->methods[i]->path);
        }
    }
}
