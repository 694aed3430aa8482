/*
 * Services of others, served as they are: what their messages may say that ours may not, and which
 * of them are needed. See model.h.
 *
 * protoc-c 1.4.1 gives members of proto3 no has_x, and those of a oneof one place and a case.
 */
#include <string.h>

#include "tools/protoc-gen-vigil/model_build.h"
#include "tools/protoc-gen-vigil/proto_names.h"
#include "tools/protoc-gen-vigil/text_pool.h"

/* proto3 packs lists of numbers unless told not to. */
static bool is_packed(const struct vg_model_field *field)
{
    const Google__Protobuf__FieldOptions *standard = field->proto->options;
    bool packable = field->kind >= VG_KIND_INT32 && field->kind <= VG_KIND_ENUM;
    return packable && (standard == NULL || !standard->has_packed || standard->packed);
}

void vg_model_foreign_field(struct vg_model_field *field)
{
    const Google__Protobuf__FieldDescriptorProto *proto = field->proto;
    const Google__Protobuf__DescriptorProto *owner = field->owner->proto;
    bool repeated = (field->flags & VG_FIELD_REPEATED) != 0;
    if (proto->has_oneof_index && (size_t)proto->oneof_index < owner->n_oneof_decl) {
        field->flags |= VG_FIELD_ONEOF;
        field->oneof_case = vg_text_pool_print(
            "%s_case",
            vg_proto_names_lower(owner->oneof_decl[proto->oneof_index]->name));
    } else if (field->place.file->proto3 && repeated) {
        field->flags |= is_packed(field) ? VG_FIELD_PACKED : 0;
    } else if (field->place.file->proto3 && field->kind != VG_KIND_MESSAGE) {
        field->flags |= VG_FIELD_IMPLICIT;
    }
}

static void need(struct vg_model_message *message)
{
    if (message == NULL || message->needed) {
        return;
    }
    message->needed = true;
    for (size_t i = 0; i < message->field_count; i++) {
        need(message->fields[i].message);
        if (message->fields[i].words != NULL) {
            message->fields[i].words->needed = true;
        }
    }
}

void vg_model_foreign_trim(struct vg_model *model)
{
    for (size_t i = 0; i < model->method_count; i++) {
        need(model->methods[i]->request);
        need(model->methods[i]->answer);
    }
    size_t kept = 0;
    for (size_t i = 0; i < model->message_count; i++) {
        if (model->messages[i]->needed) {
            model->messages[kept++] = model->messages[i];
        }
    }
    model->message_count = kept;
    kept = 0;
    for (size_t i = 0; i < model->enum_count; i++) {
        if (model->enums[i]->needed) {
            model->enums[kept++] = model->enums[i];
        }
    }
    model->enum_count = kept;
}
