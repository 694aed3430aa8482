/* See contract_check.h. One function per rule or small family of rules; all are run on every
 * message. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tools/protoc-gen-vigil/contract_check.h"
#include "tools/protoc-gen-vigil/proto_names.h"

enum { FILE_EXTENSION = 7, FILE_SYNTAX = 12, MESSAGE_EXTENSION = 6, MESSAGE_ONEOF = 8 };

#define FIELD_NUMBER_MAX    2047
#define FIELD_COUNT_MAX     254
#define JSON_NAME_BYTES_MAX 240 /* with its quotes, comma and colon in one byte of size */

static void check_file(const struct vg_model_file *file, struct vg_refusals *refusals)
{
    if (file->proto->syntax != NULL && strcmp(file->proto->syntax, "proto2") != 0) {
        struct vg_place place = file->place;
        place.path[place.depth++] = FILE_SYNTAX;
        vg_refusal_add(
            refusals,
            VG_REFUSAL_PROTO3,
            &place,
            "the contract is written in proto2, not in %s",
            file->proto->syntax);
    }
    if (!file->options && file->proto->n_extension > 0) {
        struct vg_place place = vg_place_below(&file->place, FILE_EXTENSION, 0);
        vg_refusal_add(
            refusals,
            VG_REFUSAL_EXTEND,
            &place,
            "`extend` stands in vigil/options.proto only");
    }
}

static void check_shape(const struct vg_model_message *message, struct vg_refusals *refusals)
{
    if (message->proto->n_extension > 0) {
        struct vg_place place = vg_place_below(&message->place, MESSAGE_EXTENSION, 0);
        vg_refusal_add(
            refusals,
            VG_REFUSAL_EXTEND,
            &place,
            "`extend` stands in vigil/options.proto only");
    }
    if (message->proto->n_oneof_decl > 0) {
        struct vg_place place = vg_place_below(&message->place, MESSAGE_ONEOF, 0);
        vg_refusal_add(
            refusals,
            VG_REFUSAL_ONEOF,
            &place,
            "message `%s` has a oneof; say it with a bare message or with presence",
            message->full_name);
    }
}

/* What our tables and protoc-c's names can bear, whoever has declared the message. */
static void check_limits(const struct vg_model_message *message, struct vg_refusals *refusals)
{
    if (message->field_count > FIELD_COUNT_MAX || message->name_count > FIELD_COUNT_MAX) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_FIELD_COUNT,
            &message->place,
            "message `%s` has more than %d fields or JSON names",
            message->full_name,
            FIELD_COUNT_MAX);
    }
    const char *name = message->proto->name;
    for (size_t i = 1; name[i] != '\0'; i++) {
        if (isupper((unsigned char)name[i - 1]) && isupper((unsigned char)name[i])) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_MESSAGE_CAPITALS,
                &message->place,
                "message `%s` has two capitals in a row, which protoc-c takes apart wrongly",
                message->full_name);
            break;
        }
    }
}

static void check_label_and_type(const struct vg_model_field *field, struct vg_refusals *refusals)
{
    const Google__Protobuf__FieldDescriptorProto *proto = field->proto;
    if (proto->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REQUIRED) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_REQUIRED,
            &field->place,
            "field `%s` is `required`; say `optional` and (vigil.field).required",
            field->name);
    }
    if (proto->default_value != NULL) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_DEFAULT,
            &field->place,
            "field `%s` has a `default`; a new message is zero bytes",
            field->name);
    }
    if (proto->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_GROUP) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_GROUP,
            &field->place,
            "field `%s` is a group",
            field->name);
    } else if (
        field->kind == 0 || (field->kind == VG_KIND_MESSAGE && field->message == NULL) ||
        (field->kind == VG_KIND_ENUM && field->words == NULL)) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_FIELD_TYPE,
            &field->place,
            "field `%s` is not of int32, int64, uint32, uint64, bool, double, string, bytes, or an "
            "enum or message of the contract",
            field->name);
    }
    if (proto->number > FIELD_NUMBER_MAX) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_FIELD_NUMBER,
            &field->place,
            "field `%s` has number %d; the largest is %d",
            field->name,
            proto->number,
            FIELD_NUMBER_MAX);
    }
}

static bool is_number(const struct vg_model_field *field)
{
    return field->kind >= VG_KIND_INT32 && field->kind <= VG_KIND_DOUBLE &&
           field->kind != VG_KIND_BOOL;
}

static void check_packed(const struct vg_model_field *field, struct vg_refusals *refusals)
{
    bool packable = field->kind >= VG_KIND_INT32 && field->kind <= VG_KIND_ENUM;
    if (packable && (field->flags & VG_FIELD_REPEATED) != 0 &&
        (field->flags & VG_FIELD_PACKED) == 0) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_PACKED,
            &field->place,
            "repeated field `%s` needs [packed = true]",
            field->name);
    }
}

/* OpenAPI writes the default of a number or bool as it stands. */
static bool is_default(const struct vg_model_field *field, const char *text)
{
    char *end;
    if (field->kind == VG_KIND_BOOL) {
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    }
    if (!is_number(field)) {
        return true;
    }
    (void)strtod(text, &end);
    return text[0] != '\0' && *end == '\0' && strspn(text, "-.0123456789eE") == strlen(text);
}

/* Options that stand at a field they say nothing about. */
static void check_options(const struct vg_model_field *field, struct vg_refusals *refusals)
{
    const Vigil__FieldOptions *options = field->options;
    bool repeated = (field->flags & VG_FIELD_REPEATED) != 0;
    bool text = field->kind == VG_KIND_STRING;
    const struct {
        bool wrong;
        const char *sentence;
    } rows[] = {
        { options->time && !text, "`time` needs a string field" },
        { (options->has_min || options->has_max) && !is_number(field),
          "`min` and `max` need a number" },
        { options->has_min && options->has_max && options->min > options->max,
          "`min` is above `max`" },
        { options->has_length_max && (!text || options->length_max == 0),
          "`length_max` needs a string field and a length" },
        { options->pattern != NULL && !text, "`pattern` needs a string field" },
        { options->has_items_max && (!repeated || options->items_max == 0),
          "`items_max` needs a repeated field and a count" },
        { options->unique && (!repeated || field->kind == VG_KIND_MESSAGE),
          "`unique` needs a list of scalars" },
        { options->dotted && (field->flags & VG_FIELD_MAP) == 0, "`dotted` needs a map" },
        { options->default_text != NULL && !is_default(field, options->default_text),
          "`default_text` is no value of the field's type" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].wrong) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_OPTION_TYPE,
                &field->place,
                "field `%s`: %s",
                field->name,
                rows[i].sentence);
        }
    }
}

/* {key, value} or {key, repeated values}: two members, the key a text. */
static void check_entries(const struct vg_model_field *field, struct vg_refusals *refusals)
{
    const struct vg_model_message *entry = field->message;
    if ((field->flags & VG_FIELD_OBJECT) != 0) {
        const struct vg_model_field *fields = entry == NULL ? NULL : entry->fields;
        if (entry == NULL || entry->field_count != 2 || (field->flags & VG_FIELD_REPEATED) == 0 ||
            strcmp(fields[0].name, "key") != 0 || fields[0].kind != VG_KIND_STRING ||
            (fields[0].flags & VG_FIELD_REPEATED) != 0) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_OBJECT_LIST,
                &field->place,
                "field `%s` is an object list, so it repeats a message of two members, the first "
                "`optional string key`",
                field->name);
        }
    }
    if ((field->flags & VG_FIELD_MAP) != 0 &&
        (entry->field_count != 2 || entry->fields[0].kind != VG_KIND_STRING ||
         entry->fields[1].kind != VG_KIND_STRING)) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_MAP_TYPE,
            &field->place,
            "field `%s` is a map, but not map<string, string>; use an object list",
            field->name);
    }
}

static void check_record(const struct vg_model_field *field, struct vg_refusals *refusals)
{
    const struct vg_place *used = field->message != NULL ? &field->message->place
                                  : field->words != NULL ? &field->words->place
                                                         : NULL;
    if (used != NULL && used->file->record && !field->place.file->record) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_RECORD,
            &field->place,
            "field `%s` uses a type of what is stored; requests and answers have their own",
            field->name);
    }
}

static void check_member(const struct vg_model_field *field, struct vg_refusals *refusals)
{
    if (strcmp(field->member, "base") == 0) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_BASE,
            &field->place,
            "no field can be called `base`; every protobuf-c struct has one");
    }
    const struct vg_model_message *message = field->owner;
    for (size_t i = 0; i < message->field_count; i++) {
        const struct vg_model_field *other = &message->fields[i];
        bool same = other < field && strcmp(other->member, field->member) == 0;
        if (same || strcmp(other->member, vg_text_pool_print("has_%s", field->member)) == 0 ||
            strcmp(other->member, vg_text_pool_print("n_%s", field->member)) == 0) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_MEMBER,
                &field->place,
                "fields `%s` and `%s` clash as members of one C struct",
                field->name,
                other->name);
        }
    }
}

static void check_json_names(const struct vg_model_message *message, struct vg_refusals *refusals)
{
    for (size_t i = 0; i < message->name_count; i++) {
        const struct vg_model_name *name = &message->names[i];
        const struct vg_model_field *field = &message->fields[name->row];
        if (name->text[0] == '\0' || strlen(name->text) > JSON_NAME_BYTES_MAX ||
            strpbrk(name->text, "\"\\") != NULL) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_NAME_SIZE,
                &field->place,
                "a JSON name of field `%s` is empty, longer than %d bytes or holds a quote",
                field->name,
                JSON_NAME_BYTES_MAX);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(message->names[k].text, name->text) == 0) {
                vg_refusal_add(
                    refusals,
                    VG_REFUSAL_JSON_NAME,
                    &field->place,
                    "fields `%s` and `%s` have one JSON name, \"%s\"",
                    message->fields[message->names[k].row].name,
                    field->name,
                    name->text);
            }
        }
    }
}

static void check_bare(const struct vg_model_message *message, struct vg_refusals *refusals)
{
    bool shapes = (message->flags & VG_TABLE_SHAPES) != 0;
    if ((message->flags & VG_TABLE_BARE) == 0) {
        return;
    }
    for (size_t i = 0; i < message->field_count; i++) {
        const struct vg_model_field *field = &message->fields[i];
        bool object = (field->flags & (VG_FIELD_MAP | VG_FIELD_OBJECT)) != 0 ||
                      (field->kind == VG_KIND_MESSAGE && (field->flags & VG_FIELD_REPEATED) == 0);
        bool first =
            i == message->bare_scalar || i == message->bare_list || i == message->bare_object;
        bool list = !object && (field->flags & VG_FIELD_REPEATED) != 0;
        if (!first && (!shapes || list)) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_BARE_CLASS,
                &field->place,
                "bare message `%s` has two members of one class (scalar, list, object); the second "
                "is `%s`",
                message->full_name,
                field->name);
        }
        if (object && field->message != NULL && (field->message->flags & VG_TABLE_BARE) != 0 &&
            (field->flags & VG_FIELD_REPEATED) == 0) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_BARE_NESTED,
                &field->place,
                "bare message `%s` holds another bare message, `%s`",
                message->full_name,
                field->name);
        }
    }
    if (message->field_count == 0) {
        vg_refusal_add(
            refusals,
            VG_REFUSAL_BARE_CLASS,
            &message->place,
            "bare message `%s` has no member to be written in its place",
            message->full_name);
    }
}

void vg_check_messages(const struct vg_model *model, struct vg_refusals *refusals)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (model->files[i].own) {
            check_file(&model->files[i], refusals);
        }
    }
    for (size_t i = 0; i < model->message_count; i++) {
        const struct vg_model_message *message = model->messages[i];
        bool map_entry = message->proto->options != NULL && message->proto->options->map_entry;
        if (map_entry) {
            continue;
        }
        check_limits(message, refusals);
        if (message->place.file->own) {
            check_shape(message, refusals);
        }
        check_json_names(message, refusals);
        check_bare(message, refusals);
        for (size_t k = 0; k < message->field_count; k++) {
            const struct vg_model_field *field = &message->fields[k];
            check_label_and_type(field, refusals);
            check_member(field, refusals);
            if (message->place.file->own) {
                check_packed(field, refusals);
                check_options(field, refusals);
                check_entries(field, refusals);
                check_record(field, refusals);
            }
        }
    }
}
