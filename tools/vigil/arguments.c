#include "tools/vigil/arguments.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/base/utf8.h"
#include "gateway/json/json_read.h"

#define NAME_MAX_BYTES 64u

/* `which` between the words before and behind it. */
static enum vg_reason wrong(
    struct vg_error *error,
    const char *before,
    const char *which,
    const char *behind)
{
    return vg_error_set(error, VG_CONFIG, "%s%s%s", before, which, behind);
}

/* The option that `text` names, up to an equals sign; *out_value is what stands behind that. */
static const struct vg_option *find_option(
    const struct vg_command *command,
    const char *text,
    const char **out_value)
{
    const char *equals = strchr(text, '=');
    size_t size = equals == NULL ? strlen(text) : (size_t)(equals - text);
    for (size_t i = 0; i < command->option_count; i++) {
        const char *name = command->options[i].name;
        if (strlen(name) == size && memcmp(name, text, size) == 0) {
            *out_value = equals == NULL ? NULL : equals + 1;
            return &command->options[i];
        }
    }
    return NULL;
}

static enum vg_reason take_option(
    const struct vg_option *option,
    const char *value,
    struct vg_arguments *into,
    struct vg_error *error)
{
    if (into->count == VG_ARGUMENTS_MAX) {
        return wrong(error, "there are too many options: ", option->name, " is one more");
    }
    if ((option->kind == VG_OPTION_KIND_PAIR || option->kind == VG_OPTION_KIND_ENTRY) &&
        strchr(value, '=') == NULL) {
        return wrong(error, "", option->name, " takes KEY=VALUE");
    }
    if (value != NULL && !vg_utf8_is_valid(vg_bytes_text(value))) {
        return wrong(error, "the value of ", option->name, " is not UTF-8 text");
    }
    into->items[into->count++] = (struct vg_argument){ .option = option, .value = value };
    return VG_OK;
}

static enum vg_reason take_operand(
    const struct vg_command *command,
    const char *text,
    struct vg_arguments *into,
    struct vg_error *error)
{
    if (command->operand == NULL || into->operand_count == VG_ARGUMENTS_MAX ||
        (into->operand_count > 0 && !command->many)) {
        return wrong(error, "nothing is known to do with ", text, "");
    }
    if (!vg_utf8_is_valid(vg_bytes_text(text)) && command->field != NULL) {
        return wrong(error, "", command->operand, " is not UTF-8 text");
    }
    into->operands[into->operand_count++] = text;
    return VG_OK;
}

static enum vg_reason check_complete(
    const struct vg_command *command,
    const struct vg_arguments *arguments,
    struct vg_error *error)
{
    if (command->operand != NULL && !command->optional && arguments->operand_count == 0) {
        return wrong(error, "", command->operand, " is missing");
    }
    for (size_t i = 0; i < command->option_count; i++) {
        const struct vg_option *option = &command->options[i];
        if (option->required && !vg_arguments_has(arguments, option->name)) {
            return wrong(error, "", option->name, " is missing");
        }
    }
    return VG_OK;
}

/* The option at argv[*index], and its value, which may be the next word. */
static enum vg_reason take_named(
    const struct vg_command *command,
    int argc,
    char **argv,
    int *index,
    struct vg_arguments *into,
    struct vg_error *error)
{
    const char *value = NULL;
    const struct vg_option *option = find_option(command, argv[*index], &value);
    if (option == NULL) {
        return wrong(error, "unknown option ", argv[*index], "");
    }
    if (option->value == NULL && value != NULL) {
        return wrong(error, "", option->name, " takes no value");
    }
    if (option->value != NULL && value == NULL) {
        if (*index + 1 == argc) {
            return wrong(error, "", option->name, " needs a value");
        }
        value = argv[++*index];
    }
    return take_option(option, value, into, error);
}

enum vg_reason vg_arguments_take(
    const struct vg_command *command,
    int argc,
    char **argv,
    struct vg_arguments *out_arguments,
    struct vg_error *error)
{
    bool options_end = false;
    out_arguments->count = 0;
    out_arguments->operand_count = 0;
    for (int i = 0; i < argc; i++) {
        const char *text = argv[i];
        enum vg_reason reason = VG_OK;
        if (!options_end && strcmp(text, "--") == 0) {
            options_end = true;
        } else if (options_end || text[0] != '-' || text[1] == '\0') {
            reason = take_operand(command, text, out_arguments, error);
        } else {
            reason = take_named(command, argc, argv, &i, out_arguments, error);
        }
        if (reason != VG_OK) {
            return reason;
        }
    }
    return check_complete(command, out_arguments, error);
}

static const struct vg_argument *find(const struct vg_arguments *arguments, const char *name)
{
    const struct vg_argument *found = NULL;
    for (size_t i = 0; i < arguments->count; i++) {
        if (strcmp(arguments->items[i].option->name, name) == 0) {
            found = &arguments->items[i];
        }
    }
    return found;
}

const char *vg_arguments_value(const struct vg_arguments *arguments, const char *name)
{
    const struct vg_argument *found = find(arguments, name);
    return found == NULL ? NULL : found->value;
}

bool vg_arguments_has(const struct vg_arguments *arguments, const char *name)
{
    return find(arguments, name) != NULL;
}

bool vg_arguments_has_field(const struct vg_arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++) {
        if (arguments->items[i].option->field != NULL) {
            return true;
        }
    }
    return false;
}

/* The object at the path up to its last name, made as needed; NULL without memory. */
static cJSON *object_at(cJSON *tree, const char *path, const char **out_name)
{
    const char *point;
    while (tree != NULL && (point = strchr(path, '.')) != NULL) {
        char name[NAME_MAX_BYTES];
        size_t size = (size_t)(point - path); /* paths are ours: their names are short */
        memcpy(name, path, size);
        name[size] = '\0';
        cJSON *child = cJSON_GetObjectItemCaseSensitive(tree, name);
        tree = child != NULL ? child : cJSON_AddObjectToObject(tree, name);
        path = point + 1;
    }
    *out_name = path;
    return tree;
}

static cJSON *list_at(cJSON *object, const char *name)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(object, name);
    return list != NULL ? list : cJSON_AddArrayToObject(object, name);
}

/* Each piece between commas; empty ones are left out. */
static void add_pieces(cJSON *list, const char *text)
{
    while (*text != '\0') {
        size_t size = strcspn(text, ",");
        if (size > 0) {
            char *piece = strndup(text, size);
            cJSON_AddItemToArray(list, piece == NULL ? NULL : cJSON_CreateString(piece));
            free(piece);
        }
        text += size + (text[size] == ',' ? 1 : 0);
    }
}

/* `once`: the key has one value, a text; otherwise a list of them. */
static void add_pair(cJSON *object, const char *name, const char *pair, bool once)
{
    cJSON *map = cJSON_GetObjectItemCaseSensitive(object, name);
    const char *equals = strchr(pair, '=');
    char *key = strndup(pair, (size_t)(equals - pair));
    if (map == NULL) {
        map = cJSON_AddObjectToObject(object, name);
    }
    if (key != NULL && once) {
        cJSON_DeleteItemFromObjectCaseSensitive(map, key);
        (void)cJSON_AddStringToObject(map, key, equals + 1);
    } else if (key != NULL) {
        cJSON_AddItemToArray(list_at(map, key), cJSON_CreateString(equals + 1));
    }
    free(key);
}

static void add(cJSON *tree, const struct vg_option *option, const char *value)
{
    const char *name;
    cJSON *object = object_at(tree, option->field, &name);
    switch (option->kind) {
    case VG_OPTION_KIND_TEXT:
        cJSON_DeleteItemFromObjectCaseSensitive(object, name);
        (void)cJSON_AddStringToObject(object, name, value);
        break;
    case VG_OPTION_KIND_LIST:
        add_pieces(list_at(object, name), value);
        break;
    case VG_OPTION_KIND_PAIR:
    case VG_OPTION_KIND_ENTRY:
        add_pair(object, name, value, option->kind == VG_OPTION_KIND_ENTRY);
        break;
    case VG_OPTION_KIND_YES:
    case VG_OPTION_KIND_NO:
        cJSON_DeleteItemFromObjectCaseSensitive(object, name);
        (void)cJSON_AddBoolToObject(object, name, option->kind == VG_OPTION_KIND_YES);
        break;
    }
}

enum vg_reason vg_arguments_request(
    const struct vg_arguments *arguments,
    const struct vg_command *command,
    const struct vg_table *table,
    struct vg_arena *arena,
    ProtobufCMessage **out_request,
    struct vg_error *error)
{
    cJSON *tree = cJSON_CreateObject();
    for (size_t i = 0; i < arguments->operand_count && command->field != NULL; i++) {
        if (command->many) {
            cJSON *list = list_at(tree, command->field);
            cJSON_AddItemToArray(list, cJSON_CreateString(arguments->operands[i]));
        } else {
            (void)cJSON_AddStringToObject(tree, command->field, arguments->operands[i]);
        }
    }
    for (size_t i = 0; i < arguments->count; i++) {
        if (arguments->items[i].option->field != NULL) {
            add(tree, arguments->items[i].option, arguments->items[i].value);
        }
    }
    char *text = cJSON_PrintUnformatted(tree);
    cJSON_Delete(tree);
    if (text == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, NULL);
    }
    enum vg_reason reason =
        vg_json_read(table, vg_bytes_text(text), &vg_json_documented, arena, out_request, error);
    cJSON_free(text);
    return reason;
}
