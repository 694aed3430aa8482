/* The fields of a message: kind, flags, rule, JSON names; and the rows a bare message is read
 * through. */
#include <string.h>

#include "tools/protoc-gen-vigil/model_build.h"
#include "tools/protoc-gen-vigil/options_read.h"
#include "tools/protoc-gen-vigil/proto_names.h"
#include "tools/protoc-gen-vigil/refusal.h"
#include "tools/protoc-gen-vigil/text_pool.h"

#define MESSAGE_FIELD 2

static enum vg_kind kind_of(const Google__Protobuf__FieldDescriptorProto *proto)
{
    static const struct {
        Google__Protobuf__FieldDescriptorProto__Type type;
        enum vg_kind kind;
    } kinds[] = {
        { GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_INT32, VG_KIND_INT32 },
        { GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_INT64, VG_KIND_INT64 },
        { GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_UINT32, VG_KIND_UINT32 },
        { GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_UINT64, VG_KIND_UINT64 },
        { GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BOOL, VG_KIND_BOOL },
        { GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_DOUBLE, VG_KIND_DOUBLE },
        { GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_ENUM, VG_KIND_ENUM },
        { GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING, VG_KIND_STRING },
        { GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BYTES, VG_KIND_BYTES },
        { GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_MESSAGE, VG_KIND_MESSAGE },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].type == proto->type) {
            return kinds[i].kind;
        }
    }
    return (enum vg_kind)0;
}

static size_t add_pattern(
    struct vg_model *model,
    const struct vg_model_field *field,
    struct vg_refusals *refusals)
{
    const char *text = field->options->pattern;
    for (size_t i = 0; i < model->pattern_count; i++) {
        if (strcmp(model->patterns[i].text, text) == 0) {
            return i + 1;
        }
    }
    struct vg_pattern_compiled pattern;
    const char *wrong = vg_pattern_compile(text, &pattern);
    if (wrong != NULL) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_PATTERN,
            &field->place,
            "field `%s`: the pattern %s",
            field->name,
            wrong);
        return 0;
    }
    struct vg_pattern_compiled *patterns =
        vg_text_pool_take((model->pattern_count + 1) * sizeof *patterns);
    if (model->pattern_count > 0) {
        memcpy(patterns, model->patterns, model->pattern_count * sizeof *patterns);
    }
    patterns[model->pattern_count] = pattern;
    model->patterns = patterns;
    return ++model->pattern_count;
}

static bool rules_equal(const struct vg_model_rule *a, const struct vg_model_rule *b)
{
    return a->min == b->min && a->max == b->max && a->length_max == b->length_max &&
           a->items_max == b->items_max && a->pattern == b->pattern;
}

/* The row of the field's rule; equal rules share a row. */
static size_t add_rule(
    struct vg_model *model,
    const struct vg_model_field *field,
    struct vg_refusals *refusals)
{
    const Vigil__FieldOptions *options = field->options;
    struct vg_model_rule rule = {
        .min = options->has_min ? options->min : INT64_MIN,
        .max = options->has_max ? options->max : INT64_MAX,
        .length_max = options->length_max,
        .items_max = options->items_max,
        .pattern = options->pattern != NULL ? add_pattern(model, field, refusals) : 0,
    };
    if (model->rule_count == 0) {
        model->rules = vg_text_pool_take(sizeof *model->rules);
        model->rules[0] = (struct vg_model_rule){ .min = INT64_MIN, .max = INT64_MAX };
        model->rule_count = 1;
    }
    for (size_t i = 0; i < model->rule_count; i++) {
        if (rules_equal(&model->rules[i], &rule)) {
            return i;
        }
    }
    struct vg_model_rule *rules = vg_text_pool_take((model->rule_count + 1) * sizeof *rules);
    memcpy(rules, model->rules, model->rule_count * sizeof *rules);
    rules[model->rule_count] = rule;
    model->rules = rules;
    return model->rule_count++;
}

/* Of ours every map; of others' those with texts as keys, as JSON has them. */
static bool is_map(const struct vg_model_field *field)
{
    const struct vg_model_message *entry = field->message;
    return entry != NULL && entry->proto->options != NULL && entry->proto->options->map_entry &&
           (entry->place.file->own || kind_of(entry->proto->field[0]) == VG_KIND_STRING);
}

static unsigned flags_of(const struct vg_model_field *field)
{
    const Vigil__FieldOptions *options = field->options;
    const Google__Protobuf__FieldOptions *standard = field->proto->options;
    unsigned flags = 0;
    if (field->proto->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED) {
        flags |= VG_FIELD_REPEATED;
    }
    if (is_map(field)) {
        flags |= VG_FIELD_MAP;
    }
    flags |= options->object ? VG_FIELD_OBJECT : 0;
    flags |= standard != NULL && standard->packed ? VG_FIELD_PACKED : 0;
    flags |= options->time ? VG_FIELD_TIME : 0;
    flags |= options->unique ? VG_FIELD_UNIQUE : 0;
    flags |= options->required ? VG_FIELD_REQUIRED : 0;
    flags |= options->dotted ? VG_FIELD_DOTTED : 0;
    return flags;
}

static void build_field(
    struct vg_model *model,
    struct vg_model_message *message,
    size_t row,
    struct vg_refusals *refusals)
{
    struct vg_model_field *field = &message->fields[row];
    const Google__Protobuf__FieldDescriptorProto *proto = message->proto->field[row];
    field->proto = proto;
    field->owner = message;
    field->place = vg_place_below(&message->place, MESSAGE_FIELD, row);
    field->options = vg_options_read(
        (const ProtobufCMessage *)proto->options,
        VG_OPTIONS_TAG,
        &vigil__field_options__descriptor);
    field->name = proto->name;
    field->json_name = proto->json_name;
    field->member = vg_proto_names_member(proto->name);
    field->kind = kind_of(proto);
    if (field->kind == VG_KIND_MESSAGE) {
        field->message = vg_model_find_message(model, proto->type_name);
        if (field->message != NULL && message->place.file->own &&
            !field->message->place.file->own) {
            field->message = NULL; /* what others declare is refused in ours */
        }
    } else if (field->kind == VG_KIND_ENUM) {
        field->words = vg_model_find_enum(model, proto->type_name);
        if (field->words != NULL && message->place.file->own && !field->words->place.file->own) {
            field->words = NULL;
        }
    }
    field->flags = flags_of(field);
    if (!message->place.file->own) {
        vg_model_foreign_field(field);
    }
    if (field->message != NULL && (field->flags & (VG_FIELD_MAP | VG_FIELD_OBJECT)) != 0) {
        field->message->flags |= VG_TABLE_ENTRY;
    }
    field->rule = add_rule(model, field, refusals);
    if (proto->number > message->number_max) {
        message->number_max = proto->number;
    }
}

/* A name that the same row already has only gets further flags. */
static void add_name(struct vg_model_message *message, const char *text, size_t row, unsigned flags)
{
    for (size_t i = 0; i < message->name_count; i++) {
        if (message->names[i].row == row && strcmp(message->names[i].text, text) == 0) {
            message->names[i].flags |= flags;
            return;
        }
    }
    message->names[message->name_count++] = (struct vg_model_name){ text, row, flags };
}

static void build_names(struct vg_model_message *message)
{
    size_t room = 1;
    for (size_t i = 0; i < message->field_count; i++) {
        room += 2 + message->fields[i].options->n_alias;
    }
    message->names = vg_text_pool_take(room * sizeof *message->names);
    for (size_t i = 0; i < message->field_count; i++) {
        add_name(message, message->fields[i].json_name, i, VG_NAME_DOCUMENTED);
    }
    for (size_t i = 0; i < message->field_count; i++) {
        const struct vg_model_field *field = &message->fields[i];
        add_name(message, field->name, i, VG_NAME_OWN);
        for (size_t k = 0; k < field->options->n_alias; k++) {
            add_name(message, field->options->alias[k], i, VG_NAME_ALIAS);
        }
    }
}

static void find_bare_rows(struct vg_model_message *message)
{
    message->bare_scalar = VG_ROW_NONE;
    message->bare_list = VG_ROW_NONE;
    message->bare_object = VG_ROW_NONE;
    if (message->options->shapes) {
        message->flags |= VG_TABLE_BARE | VG_TABLE_SHAPES;
    }
    if (message->options->bare) {
        message->flags |= VG_TABLE_BARE;
    }
    if ((message->flags & VG_TABLE_BARE) == 0) {
        return;
    }
    for (size_t i = message->field_count; i-- > 0;) {
        const struct vg_model_field *field = &message->fields[i];
        bool repeated = (field->flags & VG_FIELD_REPEATED) != 0;
        if ((field->flags & (VG_FIELD_MAP | VG_FIELD_OBJECT)) != 0 ||
            (!repeated && field->kind == VG_KIND_MESSAGE)) {
            message->bare_object = i;
        } else if (repeated) {
            message->bare_list = i;
        } else {
            message->bare_scalar = i;
        }
    }
}

void vg_model_fields_build(
    struct vg_model *model,
    struct vg_model_message *message,
    struct vg_refusals *refusals)
{
    message->field_count = message->proto->n_field;
    message->fields = vg_text_pool_take((message->field_count + 1) * sizeof *message->fields);
    for (size_t i = 0; i < message->field_count; i++) {
        build_field(model, message, i, refusals);
    }
    build_names(message);
    find_bare_rows(message);
}

static bool has_something_to_check(const struct vg_model_message *message)
{
    if (!message->place.file->own) {
        return false; /* no rules of ours; enums of proto3 are open */
    }
    if ((message->flags & VG_TABLE_BARE) != 0) {
        return true;
    }
    for (size_t i = 0; i < message->field_count; i++) {
        const struct vg_model_field *field = &message->fields[i];
        if (field->rule != 0 || field->kind == VG_KIND_ENUM ||
            (field->flags & (VG_FIELD_TIME | VG_FIELD_UNIQUE | VG_FIELD_REQUIRED)) != 0 ||
            (field->message != NULL && (field->message->flags & VG_TABLE_CHECKED) != 0)) {
            return true;
        }
    }
    return false;
}

/* Messages may contain themselves, so the marks spread until nothing changes. */
void vg_model_fields_mark(struct vg_model *model)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < model->message_count; i++) {
            struct vg_model_message *message = model->messages[i];
            if ((message->flags & VG_TABLE_CHECKED) == 0 && has_something_to_check(message)) {
                message->flags |= VG_TABLE_CHECKED;
                changed = true;
            }
        }
    }
}
