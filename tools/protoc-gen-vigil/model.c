/* Files, messages and enums by name, and the places where they were declared. See model.h. */
#include "tools/protoc-gen-vigil/model.h"

#include <stdlib.h>
#include <string.h>

#include "tools/protoc-gen-vigil/model_build.h"
#include "tools/protoc-gen-vigil/options_read.h"
#include "tools/protoc-gen-vigil/proto_names.h"
#include "tools/protoc-gen-vigil/refusal.h"
#include "tools/protoc-gen-vigil/text_pool.h"

/* Members of FileDescriptorProto and DescriptorProto, as source info counts them. */
enum { FILE_MESSAGE = 4, FILE_ENUM = 5, MESSAGE_NESTED = 3, MESSAGE_ENUM = 4, ENUM_VALUE = 2 };

struct vg_place vg_place_below(const struct vg_place *parent, int32_t member, size_t index)
{
    struct vg_place place = *parent;
    if (place.depth + 2 <= VG_PLACE_DEPTH_MAX) {
        place.path[place.depth++] = member;
        place.path[place.depth++] = (int32_t)index;
    }
    return place;
}

const Google__Protobuf__SourceCodeInfo__Location *vg_place_find(const struct vg_place *place)
{
    const Google__Protobuf__SourceCodeInfo *info = place->file->proto->source_code_info;
    for (size_t i = 0; info != NULL && i < info->n_location; i++) {
        const Google__Protobuf__SourceCodeInfo__Location *location = info->location[i];
        if (location->n_path == place->depth &&
            (place->depth == 0 ||
             memcmp(location->path, place->path, place->depth * sizeof place->path[0]) == 0)) {
            return location;
        }
    }
    return NULL;
}

const char *vg_place_comment(const struct vg_place *place)
{
    const Google__Protobuf__SourceCodeInfo__Location *location = vg_place_find(place);
    const char *comment = location == NULL                     ? NULL
                          : location->leading_comments != NULL ? location->leading_comments
                                                               : location->trailing_comments;
    struct vg_text text = { 0 };
    vg_text_add(&text, "", 0);
    for (const char *at = comment; at != NULL && *at != '\0';) {
        at += strspn(at, " ");
        size_t size = strcspn(at, "\n");
        vg_text_add(&text, at, size);
        at += size;
        if (*at == '\n') {
            vg_text_add(&text, "\n", 1);
            at++;
        }
    }
    while (text.size > 0 && (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == ' ')) {
        text.data[--text.size] = '\0';
    }
    return text.data;
}

/* Lists of pointers that grow one by one. */
static void **append(void **list, size_t *count, void *item)
{
    if ((*count & (*count + 1)) == 0) {
        void **larger = vg_text_pool_take((*count + 1) * 2 * sizeof *larger);
        if (*count > 0) {
            memcpy(larger, list, *count * sizeof *larger);
        }
        list = larger;
    }
    list[(*count)++] = item;
    return list;
}

static void add_enum(
    struct vg_model *model,
    const Google__Protobuf__EnumDescriptorProto *proto,
    const char *scope,
    struct vg_place place)
{
    struct vg_model_enum *words = vg_text_pool_take(sizeof *words);
    words->proto = proto;
    words->place = place;
    words->full_name = vg_text_pool_print("%s.%s", scope, proto->name);
    words->symbol = vg_proto_names_symbol(words->full_name);
    words->options = vg_options_read(
        (const ProtobufCMessage *)proto->options,
        VG_OPTIONS_TAG,
        &vigil__enum_options__descriptor);
    if (place.file->options && !words->options->has_words) {
        return;
    }
    words->needed = place.file->own;
    words->value_count = proto->n_value;
    words->values = vg_text_pool_take((proto->n_value + 1) * sizeof *words->values);
    for (size_t i = 0; i < proto->n_value; i++) {
        struct vg_model_value *value = &words->values[i];
        value->proto = proto->value[i];
        value->place = vg_place_below(&place, ENUM_VALUE, i);
        value->options = vg_options_read(
            (const ProtobufCMessage *)proto->value[i]->options,
            VG_OPTIONS_TAG,
            &vigil__value_options__descriptor);
    }
    vg_model_words_build(words);
    model->enums =
        (struct vg_model_enum **)append((void **)model->enums, &model->enum_count, words);
}

static void add_message(
    struct vg_model *model,
    const Google__Protobuf__DescriptorProto *proto,
    const char *scope,
    struct vg_place place)
{
    struct vg_model_message *message = vg_text_pool_take(sizeof *message);
    message->proto = proto;
    message->place = place;
    message->needed = place.file->own;
    message->full_name = vg_text_pool_print("%s.%s", scope, proto->name);
    message->symbol = vg_proto_names_symbol(message->full_name);
    message->struct_name = vg_proto_names_struct(message->full_name);
    message->descriptor = vg_proto_names_lower(message->full_name);
    message->options = vg_options_read(
        (const ProtobufCMessage *)proto->options,
        VG_OPTIONS_TAG,
        &vigil__message_options__descriptor);
    model->messages = (struct vg_model_message **)
        append((void **)model->messages, &model->message_count, message);
    for (size_t i = 0; i < proto->n_nested_type; i++) {
        add_message(
            model,
            proto->nested_type[i],
            message->full_name,
            vg_place_below(&place, MESSAGE_NESTED, i));
    }
    for (size_t i = 0; i < proto->n_enum_type; i++) {
        add_enum(
            model,
            proto->enum_type[i],
            message->full_name,
            vg_place_below(&place, MESSAGE_ENUM, i));
    }
}

static void describe_file(
    struct vg_model_file *file,
    const Google__Protobuf__FileDescriptorProto *proto)
{
    const char *package = proto->package == NULL ? "" : proto->package;
    file->proto = proto;
    file->place.file = file;
    file->own = strcmp(package, "vigil") == 0 || strncmp(package, "vigil.", 6) == 0;
    file->proto3 = proto->syntax != NULL && strcmp(proto->syntax, "proto3") == 0;
    file->options = strcmp(proto->name, "vigil/options.proto") == 0;
    file->record = strncmp(package, "vigil.record.", 13) == 0;
}

static void add_file(struct vg_model *model, const struct vg_model_file *file, bool with_foreign)
{
    const Google__Protobuf__FileDescriptorProto *proto = file->proto;
    const char *package = proto->package == NULL ? "" : proto->package;
    if (!file->own && !with_foreign) {
        return;
    }
    for (size_t i = 0; i < proto->n_message_type && !file->options; i++) {
        add_message(
            model,
            proto->message_type[i],
            package,
            vg_place_below(&file->place, FILE_MESSAGE, i));
    }
    for (size_t i = 0; i < proto->n_enum_type; i++) {
        add_enum(model, proto->enum_type[i], package, vg_place_below(&file->place, FILE_ENUM, i));
    }
}

static int compare_messages(const void *left, const void *right)
{
    const struct vg_model_message *const *a = left;
    const struct vg_model_message *const *b = right;
    return strcmp((*a)->full_name, (*b)->full_name);
}

static int compare_enums(const void *left, const void *right)
{
    const struct vg_model_enum *const *a = left;
    const struct vg_model_enum *const *b = right;
    return strcmp((*a)->full_name, (*b)->full_name);
}

static void sort_types(struct vg_model *model)
{
    if (model->message_count > 0) {
        qsort(model->messages, model->message_count, sizeof model->messages[0], compare_messages);
    }
    if (model->enum_count > 0) {
        qsort(model->enums, model->enum_count, sizeof model->enums[0], compare_enums);
    }
}

struct vg_model_message *vg_model_find_message(const struct vg_model *model, const char *type_name)
{
    struct vg_model_message wanted = { .full_name = type_name + (type_name[0] == '.') };
    struct vg_model_message *key = &wanted;
    if (model->message_count == 0) {
        return NULL;
    }
    struct vg_model_message **found = bsearch(
        &key,
        model->messages,
        model->message_count,
        sizeof model->messages[0],
        compare_messages);
    return found == NULL ? NULL : *found;
}

struct vg_model_enum *vg_model_find_enum(const struct vg_model *model, const char *type_name)
{
    struct vg_model_enum wanted = { .full_name = type_name + (type_name[0] == '.') };
    struct vg_model_enum *key = &wanted;
    if (model->enum_count == 0) {
        return NULL;
    }
    struct vg_model_enum **found =
        bsearch(&key, model->enums, model->enum_count, sizeof model->enums[0], compare_enums);
    return found == NULL ? NULL : *found;
}

const struct vg_model_field *vg_model_find_field(
    const struct vg_model_message *message,
    const char *name)
{
    for (size_t i = 0; i < message->field_count; i++) {
        if (strcmp(message->fields[i].name, name) == 0) {
            return &message->fields[i];
        }
    }
    return NULL;
}

size_t vg_model_row(const struct vg_model_field *field)
{
    return (size_t)(field - field->owner->fields);
}

struct vg_model_file *vg_model_find_file(const struct vg_model *model, const char *name)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (strcmp(model->files[i].proto->name, name) == 0) {
            return &model->files[i];
        }
    }
    return NULL;
}

/* The files whose services are served though they are not ours. */
static void mark_served(
    struct vg_model *model,
    const struct vg_model_served *served,
    struct vg_refusals *refusals)
{
    for (size_t i = 0; i < served->count; i++) {
        struct vg_model_file *file = vg_model_find_file(model, served->files[i]);
        if (file == NULL || file->own || file->proto->n_service == 0) {
            vg_refusal_add(
                refusals,
                VG_REFUSAL_SERVED_FILE,
                file == NULL ? &model->files[0].place : &file->place,
                "file `%s` is to be served as it is, but %s",
                served->files[i],
                file == NULL ? "is not among the files"
                : file->own  ? "is ours"
                             : "has no service");
            continue;
        }
        file->served = true;
        file->is_public = served->is_public[i];
    }
}

/* The file and all it imports. */
static void mark_reflected(const struct vg_model *model, struct vg_model_file *file)
{
    if (file == NULL || file->reflected) {
        return;
    }
    file->reflected = true;
    for (size_t i = 0; i < file->proto->n_dependency; i++) {
        mark_reflected(model, vg_model_find_file(model, file->proto->dependency[i]));
    }
}

struct vg_model *vg_model_build(
    const Google__Protobuf__Compiler__CodeGeneratorRequest *request,
    const struct vg_model_served *served,
    struct vg_refusals *refusals)
{
    struct vg_model *model = vg_text_pool_take(sizeof *model);
    model->file_count = request->n_proto_file;
    model->files = vg_text_pool_take((model->file_count + 1) * sizeof *model->files);
    for (size_t i = 0; i < model->file_count; i++) {
        describe_file(&model->files[i], request->proto_file[i]);
    }
    mark_served(model, served, refusals);
    for (size_t i = 0; i < model->file_count; i++) {
        add_file(model, &model->files[i], served->count > 0);
    }
    sort_types(model);
    for (size_t i = 0; i < model->message_count; i++) {
        vg_model_fields_build(model, model->messages[i], refusals);
    }
    vg_model_fields_mark(model);
    vg_model_methods_build(model);
    vg_model_foreign_trim(model);
    for (size_t i = 0; i < model->file_count; i++) {
        struct vg_model_file *file = &model->files[i];
        if (file->proto->n_service > 0 && (file->own || file->served)) {
            mark_reflected(model, file);
        }
    }
    return model;
}

void vg_model_hash(struct vg_model *model)
{
    for (size_t i = 0; i < model->message_count; i++) {
        struct vg_model_message *message = model->messages[i];
        const char **names = vg_text_pool_take((message->name_count + 1) * sizeof *names);
        for (size_t k = 0; k < message->name_count; k++) {
            names[k] = message->names[k].text;
        }
        message->hash = vg_name_hash_find(names, message->name_count);
    }
    for (size_t i = 0; i < model->enum_count; i++) {
        struct vg_model_enum *words = model->enums[i];
        const char **names = vg_text_pool_take((words->word_count + 1) * sizeof *names);
        for (size_t k = 0; k < words->word_count; k++) {
            names[k] = words->words[k].text;
        }
        words->hash = vg_name_hash_find(names, words->word_count);
    }
}
