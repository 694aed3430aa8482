/* contract_handlers.h and contract_methods.c: see emit.h. */
#include <inttypes.h>

#include "tools/protoc-gen-vigil/emit.h"

void vg_emit_handlers(const struct vg_model *model, struct vg_text *out)
{
    vg_emit_banner(
        out,
        "One handler per rpc; twins share their partner's. A handler returns an enum vg_reason, "
        "0 when all is well.");
    vg_text_print(
        out,
        "#ifndef VG_PROTO_CONTRACT_HANDLERS_H\n#define VG_PROTO_CONTRACT_HANDLERS_H\n\n"
        "#include \"proto/contract.h\"\n");
    vg_emit_includes(model, out);
    vg_text_print(out, "\n");
    for (size_t i = 0; i < model->method_count; i++) {
        const struct vg_model_method *method = model->methods[i];
        if (method->stem == method) {
            vg_text_print(
                out,
                "/* %s */\nint %s(\n    struct vg_call *call,\n    const %s *request,\n    %s "
                "*answer);\n",
                method->path,
                method->handler,
                method->request->struct_name,
                method->answer->struct_name);
        }
    }
    vg_text_print(out, "\n#endif\n");
}

/* The only casts of the program: ProtobufCMessage is the first member of every message. */
static void print_thunk(const struct vg_model_method *method, struct vg_text *out)
{
    vg_text_print(
        out,
        "static int run_%s(\n    struct vg_call *call, const ProtobufCMessage *request, "
        "ProtobufCMessage *answer)\n{\n    return %s(\n        call, (const %s *)request, "
        "(%s *)answer);\n}\n\n",
        method->handler,
        method->handler,
        method->request->struct_name,
        method->answer->struct_name);
}

static void print_method(const struct vg_model_method *method, struct vg_text *out)
{
    const struct vg_model_method *stem = method->stem;
    vg_text_print(
        out,
        "    { .path = \"%s\",\n      .service = \"%s\",\n      .name = \"%s\",\n"
        "      .request = &vg_table_%s,\n      .answer = &vg_table_%s,\n",
        method->path,
        method->service_name,
        method->proto->name,
        stem->request->symbol,
        stem->answer->symbol);
    if (method->rows != NULL) {
        vg_text_print(
            out,
            "      .element = &vg_table_%s,\n      .rows = &vg_fields_%s[%zu],\n",
            method->rows->message->symbol,
            stem->answer->symbol,
            vg_model_row(method->rows));
    }
    if (method->twin != NULL) {
        vg_text_print(out, "      .twin = &vg_methods[%zu],\n", method->twin->index);
    }
    vg_text_print(
        out,
        "      .handler = run_%s,\n      .permissions = UINT64_C(0x%" PRIx64 "),\n"
        "      .request_bytes_max = %u,\n      .index = %zu,\n      .success = %u,\n"
        "      .audit = VG_AUDIT_%s,\n      .envelope = VG_ENVELOPE_%s,\n      .produces = ",
        stem->handler,
        stem->permissions,
        vg_model_request_bytes_max(method),
        method->index,
        method->options->has_success ? method->options->success : 200,
        vg_emit_audit(method->audit),
        vg_emit_envelope((unsigned)method->options->envelope));
    vg_emit_flags(out, VG_EMIT_PRODUCT, method->produces, true);
    vg_text_print(out, ",\n      .flags = ");
    vg_emit_flags(out, VG_EMIT_METHOD, method->flags, true);
    vg_text_print(out, " },\n");
}

void vg_emit_methods(const struct vg_model *model, struct vg_text *out)
{
    vg_emit_banner(out, "One row per rpc.");
    vg_text_print(
        out,
        "#include \"proto/contract_handlers.h\"\n#include \"proto/contract_json.h\"\n\n"
        "_Static_assert(%zu <= UINT16_MAX, \"methods are counted in 16 bits\");\n\n",
        model->method_count);
    for (size_t i = 0; i < model->method_count; i++) {
        if (model->methods[i]->stem == model->methods[i]) {
            print_thunk(model->methods[i], out);
        }
    }
    vg_text_print(out, "const struct vg_method vg_methods[] = {\n");
    for (size_t i = 0; i < model->method_count; i++) {
        print_method(model->methods[i], out);
    }
    vg_text_print(
        out,
        "    { .path = NULL },\n};\nconst size_t vg_method_count = %zu;\n",
        model->method_count);
}
