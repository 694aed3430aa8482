/* Schemas of fields, messages and envelopes. See openapi.h. */
#include <inttypes.h>
#include <string.h>

#include "tools/protoc-gen-vigil/openapi.h"

#define TIME_NOTE                                                                                  \
    "Milliseconds since 1970, ISO 8601 text, or a time relative to now, as `-24hours`."

static const char *schema_name(const struct vg_model_message *message)
{
    return message->full_name + strlen("vigil.");
}

const char *vg_openapi_comment(const struct vg_place *place)
{
    struct vg_text text = { 0 };
    vg_text_add(&text, "", 0);
    for (const char *at = vg_place_comment(place); *at != '\0'; at++) {
        bool paragraph = at[0] == '\n' && at[1] == '\n';
        vg_text_add(&text, paragraph ? "\n" : *at == '\n' ? " " : at, 1);
        at += paragraph;
    }
    return text.data;
}

const char *vg_openapi_field_comment(const struct vg_model_field *field)
{
    const char *comment = vg_openapi_comment(&field->place);
    if ((field->flags & VG_FIELD_TIME) == 0) {
        return comment;
    }
    return vg_text_pool_print("%s%s%s", comment, comment[0] == '\0' ? "" : " ", TIME_NOTE);
}

const char *vg_openapi_reference(struct vg_openapi *openapi, const struct vg_model_message *message)
{
    for (size_t i = 0; i < openapi->model->message_count; i++) {
        if (openapi->model->messages[i] == message) {
            openapi->used[i] = true;
        }
    }
    return vg_text_pool_print("#/components/schemas/%s", schema_name(message));
}

static const char *value_type(const struct vg_model_message *data)
{
    switch (data->fields[data->bare_scalar].kind) {
    case VG_KIND_INT32:
    case VG_KIND_INT64:
    case VG_KIND_UINT32:
    case VG_KIND_UINT64:
        return "integer";
    case VG_KIND_DOUBLE:
        return "number";
    case VG_KIND_BOOL:
        return "boolean";
    case VG_KIND_ENUM:
    case VG_KIND_STRING:
    case VG_KIND_BYTES:
    case VG_KIND_MESSAGE:
        break;
    }
    return "string";
}

const char *vg_openapi_wrapper_reference(
    struct vg_openapi *openapi,
    const struct vg_model_message *data,
    bool list)
{
    const char *name = "ResultStash";
    if (data != NULL && data->bare_scalar != VG_ROW_NONE && data->field_count == 1) {
        name = vg_text_pool_print("ResultStash-%s", value_type(data));
    } else if (data != NULL) {
        name = vg_text_pool_print("ResultStash-%s%s", list ? "list-" : "", schema_name(data));
    }
    for (size_t i = 0; i < openapi->wrapper_count; i++) {
        if (strcmp(openapi->wrappers[i].name, name) == 0) {
            return vg_text_pool_print("#/components/schemas/%s", name);
        }
    }
    openapi->wrappers[openapi->wrapper_count++] =
        (struct vg_openapi_wrapper){ .name = name, .data = data, .list = list };
    return vg_text_pool_print("#/components/schemas/%s", name);
}

static void write_words(struct vg_document *document, const struct vg_model_enum *words)
{
    vg_document_string(document, "type", "string");
    vg_document_array(document, "enum");
    for (size_t i = 0; i < words->word_count; i++) {
        if (!words->words[i].alias) {
            vg_document_string(document, NULL, words->words[i].text);
        }
    }
    vg_document_end(document, ']');
}

static void write_type(struct vg_document *document, const char *type, const char *format)
{
    vg_document_string(document, "type", type);
    if (format != NULL) {
        vg_document_string(document, "format", format);
    }
}

static void write_scalar(struct vg_document *document, const struct vg_model_field *field)
{
    switch (field->kind) {
    case VG_KIND_INT32:
        write_type(document, "integer", "int32");
        break;
    case VG_KIND_INT64:
    case VG_KIND_UINT32:
    case VG_KIND_UINT64:
        write_type(document, "integer", "int64");
        break;
    case VG_KIND_BOOL:
        write_type(document, "boolean", NULL);
        break;
    case VG_KIND_DOUBLE:
        write_type(document, "number", "double");
        break;
    case VG_KIND_ENUM:
        write_words(document, field->words);
        break;
    case VG_KIND_BYTES:
        write_type(document, "string", "byte");
        break;
    case VG_KIND_STRING:
    case VG_KIND_MESSAGE:
        write_type(document, "string", NULL);
        break;
    }
}

/* Limits of one value; those of a list stand at the list. */
static void write_value_rule(
    struct vg_openapi *openapi,
    const struct vg_model_field *field,
    const struct vg_model_rule *rule)
{
    struct vg_document *document = &openapi->document;
    bool natural = field->kind == VG_KIND_UINT32 || field->kind == VG_KIND_UINT64;
    if (rule->min != INT64_MIN || natural) {
        vg_document_number(document, "minimum", rule->min == INT64_MIN ? 0 : rule->min);
    }
    if (rule->max != INT64_MAX) {
        vg_document_number(document, "maximum", rule->max);
    }
    if (rule->length_max != 0) {
        vg_document_number(document, "maxLength", rule->length_max);
    }
    if (rule->pattern != 0) {
        /* A pattern of the contract stands for the whole value; one of JSON schema matches
         * anywhere. */
        const char *pattern = openapi->model->patterns[rule->pattern - 1].text;
        size_t size = strlen(pattern);
        bool begun = pattern[0] == '^';
        bool ended = size > 0 && pattern[size - 1] == '$';
        vg_document_string(
            document,
            "pattern",
            vg_text_pool_print("%s%s%s", begun ? "" : "^", pattern, ended ? "" : "$"));
    }
}

static void write_default(struct vg_document *document, const struct vg_model_field *field)
{
    const char *text = field->options->default_text;
    bool list = (field->flags & VG_FIELD_REPEATED) != 0;
    bool quoted = field->kind == VG_KIND_STRING || field->kind == VG_KIND_ENUM ||
                  field->kind == VG_KIND_BYTES || field->kind == VG_KIND_MESSAGE;
    if (text == NULL) {
        return;
    }
    if (list) {
        vg_document_array(document, "default");
    }
    if (quoted) {
        vg_document_string(document, list ? NULL : "default", text);
    } else {
        vg_document_raw(document, list ? NULL : "default", text);
    }
    if (list) {
        vg_document_end(document, ']');
    }
}

static void write_entries(struct vg_openapi *openapi, const struct vg_model_field *field)
{
    vg_document_string(&openapi->document, "type", "object");
    vg_document_object(&openapi->document, "additionalProperties");
    vg_openapi_field(openapi, &field->message->fields[1]);
    vg_document_end(&openapi->document, '}');
}

/* A bare message is the schema of its member, or one of those of its members. */
static void write_bare(struct vg_openapi *openapi, const struct vg_model_message *message)
{
    if (message->field_count == 1) {
        vg_openapi_field(openapi, &message->fields[0]);
        return;
    }
    vg_document_array(&openapi->document, "oneOf");
    for (size_t i = 0; i < message->field_count; i++) {
        vg_document_object(&openapi->document, NULL);
        vg_openapi_field(openapi, &message->fields[i]);
        vg_document_end(&openapi->document, '}');
    }
    vg_document_end(&openapi->document, ']');
}

static void write_one(struct vg_openapi *openapi, const struct vg_model_field *field)
{
    if (field->kind != VG_KIND_MESSAGE) {
        write_scalar(&openapi->document, field);
        write_value_rule(openapi, field, &openapi->model->rules[field->rule]);
    } else if ((field->message->flags & VG_TABLE_BARE) != 0) {
        write_bare(openapi, field->message);
    } else {
        vg_document_string(
            &openapi->document,
            "$ref",
            vg_openapi_reference(openapi, field->message));
    }
}

void vg_openapi_field(struct vg_openapi *openapi, const struct vg_model_field *field)
{
    struct vg_document *document = &openapi->document;
    const struct vg_model_rule *rule = &openapi->model->rules[field->rule];
    if ((field->flags & (VG_FIELD_MAP | VG_FIELD_OBJECT)) != 0) {
        write_entries(openapi, field);
        if (rule->items_max != 0) {
            vg_document_number(document, "maxProperties", rule->items_max);
        }
    } else if ((field->flags & VG_FIELD_REPEATED) != 0) {
        vg_document_string(document, "type", "array");
        vg_document_object(document, "items");
        write_one(openapi, field);
        vg_document_end(document, '}');
        if (rule->items_max != 0) {
            vg_document_number(document, "maxItems", rule->items_max);
        }
        if ((field->flags & VG_FIELD_UNIQUE) != 0) {
            vg_document_raw(document, "uniqueItems", "true");
        }
    } else {
        write_one(openapi, field);
    }
    write_default(document, field);
}

static void write_property(struct vg_openapi *openapi, const struct vg_model_field *field)
{
    const char *comment = vg_openapi_field_comment(field);
    vg_document_object(&openapi->document, field->json_name);
    vg_openapi_field(openapi, field);
    if (comment[0] != '\0') {
        vg_document_string(&openapi->document, "description", comment);
    }
    vg_document_end(&openapi->document, '}');
}

void vg_openapi_members(
    struct vg_openapi *openapi,
    const struct vg_model_message *message,
    const bool *left_out)
{
    struct vg_document *document = &openapi->document;
    const char *comment = vg_openapi_comment(&message->place);
    size_t required = 0;
    vg_document_string(document, "type", "object");
    if (comment[0] != '\0') {
        vg_document_string(document, "description", comment);
    }
    vg_document_object(document, "properties");
    for (size_t i = 0; i < message->field_count; i++) {
        if (left_out == NULL || !left_out[i]) {
            write_property(openapi, &message->fields[i]);
            required += (message->fields[i].flags & VG_FIELD_REQUIRED) != 0;
        }
    }
    vg_document_end(document, '}');
    if (required == 0) {
        return;
    }
    vg_document_array(document, "required");
    for (size_t i = 0; i < message->field_count; i++) {
        bool counts = left_out == NULL || !left_out[i];
        if (counts && (message->fields[i].flags & VG_FIELD_REQUIRED) != 0) {
            vg_document_string(document, NULL, message->fields[i].json_name);
        }
    }
    vg_document_end(document, ']');
}

static void write_member(
    struct vg_document *document,
    const char *name,
    const char *format,
    const char *description)
{
    vg_document_object(document, name);
    write_type(document, format == NULL ? "object" : "integer", format);
    vg_document_string(document, "description", description);
    vg_document_end(document, '}');
}

static void write_messages_member(struct vg_document *document)
{
    vg_document_object(document, "messages");
    vg_document_string(document, "type", "array");
    vg_document_string(document, "description", "Messages of the API, usually errors");
    vg_document_object(document, "items");
    vg_document_string(document, "$ref", "#/components/schemas/ResultMessage");
    vg_document_end(document, '}');
    vg_document_end(document, '}');
}

static void write_data_member(struct vg_openapi *openapi, const struct vg_openapi_wrapper *wrapper)
{
    struct vg_document *document = &openapi->document;
    vg_document_object(document, "data");
    if (wrapper->data == NULL) {
        vg_document_string(document, "description", "The answer; null after an error");
        vg_document_end(document, '}');
        return;
    }
    if (wrapper->list) {
        vg_document_string(document, "type", "array");
        vg_document_object(document, "items");
    }
    if ((wrapper->data->flags & VG_TABLE_BARE) != 0) {
        write_bare(openapi, wrapper->data);
    } else {
        vg_document_string(document, "$ref", vg_openapi_reference(openapi, wrapper->data));
    }
    if (wrapper->list) {
        vg_document_end(document, '}');
    }
    vg_document_end(document, '}');
}

static void write_wrapper(struct vg_openapi *openapi, const struct vg_openapi_wrapper *wrapper)
{
    struct vg_document *document = &openapi->document;
    vg_document_object(document, wrapper->name);
    vg_document_string(document, "type", "object");
    vg_document_object(document, "properties");
    write_member(document, "responseCode", "int32", "HTTP status of the answer");
    write_member(document, "limit", "int64", "Largest number of rows that was asked for");
    write_member(document, "offset", "int64", "Number of rows that were skipped");
    write_member(document, "count", "int64", "Number of rows there are");
    write_member(document, "size", "int64", "Number of rows in this answer");
    write_member(document, "metaData", NULL, "Further facts about the answer");
    write_messages_member(document);
    write_data_member(openapi, wrapper);
    vg_document_end(document, '}');
    vg_document_end(document, '}');
}

static void write_result_message(struct vg_document *document)
{
    static const struct {
        const char *name;
        const char *description;
    } members[] = {
        { "message", "The message, for people" },
        { "messageTemplate", "The kind of message, for programs" },
        { "type", "FIELD_ERROR, ACTION_ERROR, WARNING, NOTIFICATION or INFO" },
        { "field", "Path of the member the message is about" },
        { "parameter", "The value the message is about" },
    };
    vg_document_object(document, "ResultMessage");
    vg_document_string(document, "type", "object");
    vg_document_object(document, "properties");
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        vg_document_object(document, members[i].name);
        vg_document_string(document, "type", "string");
        vg_document_string(document, "description", members[i].description);
        vg_document_end(document, '}');
    }
    vg_document_end(document, '}');
    vg_document_end(document, '}');
}

void vg_openapi_schemas(struct vg_openapi *openapi)
{
    const struct vg_model *model = openapi->model;
    vg_document_object(&openapi->document, "schemas");
    write_result_message(&openapi->document);
    for (size_t i = 0; i < openapi->wrapper_count; i++) {
        write_wrapper(openapi, &openapi->wrappers[i]);
    }
    /* Writing a schema may refer to others, before and behind it, until all are written. */
    bool *written = vg_text_pool_take(model->message_count + 1);
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < model->message_count; i++) {
            if (openapi->used[i] && !written[i]) {
                written[i] = true;
                again = true;
                vg_document_object(&openapi->document, schema_name(model->messages[i]));
                vg_openapi_members(openapi, model->messages[i], NULL);
                vg_document_end(&openapi->document, '}');
            }
        }
    }
    vg_document_end(&openapi->document, '}');
}
