/*
 * The reader walks the bytes once. For each member it finds the row of the table (first guess: the
 * row after the last one, since clients mostly keep an order; then the perfect hash), and stores
 * the value straight into the struct.
 *
 * Where it is, for error texts, is a stack of steps; a step is pushed for every level of the
 * message and costs two stores. A function that returns false has met what ends reading: bad syntax
 * or no memory. Everything else is a violation, after which the value is skipped and the message
 * will not be used.
 *
 * Lists grow in place at the end of the arena as long as nothing else is taken from it, which holds
 * for numbers and, texts being packed elsewhere, nearly always for texts.
 */
#include "gateway/json/json_read.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/utf8.h"
#include "core/wire/field_path.h"
#include "core/wire/packed_text.h"
#include "core/wire/plain_text.h"
#include "core/wire/wire_field.h"
#include "gateway/json/json_lex.h"
#include "gateway/json/json_scalar.h"

#define PARAMETER_MAX  90u /* bytes shown of an offending value */
#define LIST_FIRST     4u  /* elements a list has room for at first */
#define STEPS_PER_OPEN 2u  /* an entry of an object list pushes itself and its key */

struct reader {
    struct vg_json_lexer lexer;
    const struct vg_json_dialect *dialect;
    const ProtobufCMessageDescriptor *owner; /* of the member being read */
    struct vg_arena *arena;
    struct vg_error *error;
    struct vg_packed_text texts;
    bool no_memory;
    size_t step_count;
    struct vg_path_step steps[STEPS_PER_OPEN * VG_JSON_DEPTH_MAX + 2];
};

/* A list being read. */
struct growing {
    uint8_t *items;
    size_t count;
    size_t capacity;
    size_t item_size;
};

/* ---- What is wrong ---- */

static bool refuse_memory(struct reader *reader)
{
    reader->no_memory = true;
    return false;
}

static void violate(
    struct reader *reader,
    enum vg_reason reason,
    const struct vg_json_scalar *value,
    const char *message)
{
    char path[VG_PATH_TEXT_SIZE];
    char parameter[PARAMETER_MAX + 1];
    (void)vg_path_print(reader->steps, reader->step_count, path);
    struct vg_violation violation = { .reason = reason, .field = path, .message = message };
    if (value != NULL) {
        struct vg_bytes shown = vg_utf8_cut_bytes(value->raw, PARAMETER_MAX);
        memcpy(parameter, shown.data, shown.size);
        parameter[shown.size] = '\0';
        violation.parameter = parameter;
    }
    vg_violations_add(&reader->error->violations, &violation);
}

static void push(struct reader *reader, struct vg_path_step step)
{
    VG_ASSERT(reader->step_count < VG_ARRAY_COUNT(reader->steps));
    reader->steps[reader->step_count++] = step;
}

static void push_field(struct reader *reader, const struct vg_field *shown, int64_t index)
{
    push(reader, (struct vg_path_step){ .field = shown, .index = index });
}

static void push_key(struct reader *reader, struct vg_bytes key)
{
    push(reader, (struct vg_path_step){ .key = key, .index = VG_PATH_NO_INDEX });
}

static void pop(struct reader *reader)
{
    reader->step_count--;
}

static void violate_type(struct reader *reader, const char *expected)
{
    char message[80];
    (void)snprintf(message, sizeof(message), "The value must be %s", expected);
    violate(reader, VG_INVALID_FIELD_TYPE, NULL, message);
}

/* Note a value of a kind this place does not take, and skip it. */
static bool skip_wrong_type(struct reader *reader, const char *expected)
{
    violate_type(reader, expected);
    return vg_json_skip_value(&reader->lexer);
}

/* ---- Lists ---- */

static bool grow(struct reader *reader, struct growing *list)
{
    size_t capacity = list->capacity == 0 ? LIST_FIRST : list->capacity * 2;
    size_t old_size = list->capacity * list->item_size;
    size_t size = capacity * list->item_size;
    if (list->items == NULL || !vg_arena_resize_last(reader->arena, list->items, old_size, size)) {
        uint8_t *items = vg_arena_alloc(reader->arena, size);
        if (items == NULL) {
            return refuse_memory(reader);
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * list->item_size);
        }
        list->items = items;
    }
    list->capacity = capacity;
    return true;
}

/* Give back what the list did not need and put it into the message. */
static void finish_list(
    struct reader *reader,
    const struct vg_field *field,
    struct growing *list,
    uint8_t *message)
{
    if (list->count < list->capacity) {
        (void)!vg_arena_resize_last(
            reader->arena,
            list->items,
            list->capacity * list->item_size,
            list->count * list->item_size);
    }
    memcpy(message + field->offset, &list->items, sizeof(list->items));
    memcpy(message + field->quantifier, &list->count, sizeof(list->count));
}

static uint8_t *new_message(struct reader *reader, const struct vg_table *table)
{
    uint8_t *message = vg_arena_calloc(reader->arena, 1, table->size);
    if (message == NULL) {
        reader->no_memory = true;
        return NULL;
    }
    memcpy(message, &table->descriptor, sizeof(table->descriptor));
    return message;
}

/* ---- Values ---- */

static bool read_message(struct reader *reader, const struct vg_table *table, uint8_t *message);
static bool read_member(
    struct reader *reader,
    const struct vg_field *field,
    const struct vg_field *shown,
    uint8_t *message);

/*
 * A scalar into `member`; the steps say where. *out_stored is false when it was a violation. `c` is
 * the first byte.
 */
static bool read_scalar(
    struct reader *reader,
    const struct vg_field *field,
    uint8_t c,
    uint8_t *member,
    enum vg_json_fit *out_fit)
{
    struct vg_json_scalar scalar;
    if (c == '{' || c == '[' || c == 'n') {
        *out_fit = VG_JSON_FIT_TYPE;
        return skip_wrong_type(reader, vg_json_expected(field));
    }
    if (!vg_json_spend(&reader->lexer) || !vg_json_lex_scalar(&reader->lexer, &scalar)) {
        return false;
    }
    struct vg_json_target target = {
        .dialect = reader->dialect,
        .owner = reader->owner,
        .texts = &reader->texts,
        .left = (size_t)(reader->lexer.end - scalar.raw.data),
    };
    *out_fit = vg_json_scalar_store(&target, field, &scalar, member);
    if (*out_fit == VG_JSON_FIT_OK) {
        return true;
    }
    if (*out_fit == VG_JSON_FIT_MEMORY) {
        return refuse_memory(reader);
    }
    char message[80];
    (void)snprintf(message, sizeof(message), "The value must be %s", vg_json_expected(field));
    enum vg_reason reason =
        *out_fit == VG_JSON_FIT_TYPE ? VG_INVALID_FIELD_TYPE : VG_INVALID_FIELD_VALUE;
    violate(reader, reason, &scalar, message);
    return true;
}

/* A singular scalar member; its step is pushed only while it is read, by the caller. */
static bool read_singular(
    struct reader *reader,
    const struct vg_field *field,
    uint8_t c,
    uint8_t *message)
{
    enum vg_json_fit fit;
    reader->owner = ((const ProtobufCMessage *)(const void *)message)->descriptor;
    if (!read_scalar(reader, field, c, message + field->offset, &fit)) {
        return false;
    }
    if (fit == VG_JSON_FIT_OK && field->quantifier != 0) {
        protobuf_c_boolean has = 1;
        memcpy(message + field->quantifier, &has, sizeof(has));
    }
    return true;
}

/* One element: the steps, index included, are those of the list. */
static bool read_item(struct reader *reader, const struct vg_field *field, struct growing *list)
{
    uint8_t c = vg_json_peek(&reader->lexer);
    if (list->count == list->capacity && !grow(reader, list)) {
        return false;
    }
    uint8_t *item = list->items + list->count * list->item_size;
    if (field->kind != VG_KIND_MESSAGE) {
        enum vg_json_fit fit;
        memset(item, 0, list->item_size);
        list->count++;
        return read_scalar(reader, field, c, item, &fit);
    }
    if (c == 'n') {
        return skip_wrong_type(reader, vg_json_expected(field));
    }
    uint8_t *message = new_message(reader, field->sub);
    if (message == NULL) {
        return false;
    }
    memcpy(item, &message, sizeof(message));
    list->count++;
    return read_message(reader, field->sub, message);
}

static size_t items_max(const struct vg_field *field)
{
    uint32_t most = field->rule == 0 ? 0 : vg_rules[field->rule].items_max;
    return most == 0 ? SIZE_MAX : most;
}

static void violate_items(struct reader *reader, const struct vg_field *field)
{
    char message[80];
    (void)
        snprintf(message, sizeof(message), "The list has more than %zu elements", items_max(field));
    violate(reader, VG_INVALID_FIELD_VALUE, NULL, message);
}

static bool read_array(struct reader *reader, const struct vg_field *field, struct growing *list)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    struct vg_path_step *step = &reader->steps[reader->step_count - 1];
    bool more = false;
    if (!vg_json_spend(lexer) || !vg_json_open(lexer) || !vg_json_more(lexer, ']', true, &more)) {
        return false;
    }
    bool too_many = false;
    size_t most = items_max(field);
    for (int64_t index = 0; more; index++) {
        if (list->count >= most && !too_many) {
            step->index = VG_PATH_NO_INDEX;
            violate_items(reader, field);
            too_many = true;
        }
        step->index = index;
        if (!(too_many ? vg_json_skip_value(lexer) : read_item(reader, field, list)) ||
            !vg_json_more(lexer, ']', false, &more)) {
            return false;
        }
    }
    return true;
}

static bool read_list(
    struct reader *reader,
    const struct vg_field *field,
    const struct vg_field *shown,
    uint8_t c,
    uint8_t *message)
{
    struct growing list = { .item_size = vg_wire_item_size(field) };
    bool done;
    reader->owner = ((const ProtobufCMessage *)(const void *)message)->descriptor;
    push_field(reader, shown, VG_PATH_NO_INDEX);
    if (c == '[') {
        done = read_array(reader, field, &list);
    } else if (reader->dialect->lenient) {
        done = read_item(reader, field, &list);
    } else {
        done = skip_wrong_type(reader, "a list");
    }
    pop(reader);
    finish_list(reader, field, &list, message);
    return done;
}

/* One `key: value(s)` of an object list or map; a null value drops the entry. */
static bool read_entry(
    struct reader *reader,
    const struct vg_table *table,
    const struct vg_json_string *name,
    struct growing *list)
{
    if (vg_json_peek(&reader->lexer) == 'n') {
        return vg_json_spend(&reader->lexer) && vg_json_take_null(&reader->lexer);
    }
    if (list->count == list->capacity && !grow(reader, list)) {
        return false;
    }
    uint8_t *entry = new_message(reader, table);
    if (entry == NULL) {
        return false;
    }
    memcpy(list->items + list->count++ * list->item_size, &entry, sizeof(entry));
    struct vg_json_target target = {
        .dialect = reader->dialect,
        .owner = reader->owner,
        .texts = &reader->texts,
        .left = (size_t)(reader->lexer.end - name->raw.data),
    };
    struct vg_json_scalar key = { .kind = VG_JSON_TEXT,
                                  .escaped = name->escaped,
                                  .raw = name->raw };
    enum vg_json_fit fit =
        vg_json_scalar_store(&target, &table->fields[0], &key, entry + table->fields[0].offset);
    if (fit != VG_JSON_FIT_OK) {
        return refuse_memory(reader);
    }
    push_key(reader, name->raw);
    bool done = read_member(reader, &table->fields[1], NULL, entry);
    pop(reader);
    return done;
}

static bool read_entries(
    struct reader *reader,
    const struct vg_field *field,
    uint8_t c,
    uint8_t *message)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    if (c != '{') {
        return skip_wrong_type(reader, "an object");
    }
    struct growing list = { .item_size = sizeof(void *) };
    bool more = false;
    bool too_many = false;
    if (!vg_json_spend(lexer) || !vg_json_open(lexer) || !vg_json_more(lexer, '}', true, &more)) {
        return false;
    }
    while (more) {
        struct vg_json_string name;
        if (!vg_json_lex_name(lexer, &name)) {
            return false;
        }
        if (list.count >= items_max(field) && !too_many) {
            violate_items(reader, field);
            too_many = true;
        }
        if (!(too_many ? vg_json_skip_value(lexer)
                       : read_entry(reader, field->sub, &name, &list)) ||
            !vg_json_more(lexer, '}', false, &more)) {
            return false;
        }
    }
    finish_list(reader, field, &list, message);
    return true;
}

/* A singular message. A former value is replaced, not merged. */
static bool read_nested(struct reader *reader, const struct vg_field *field, uint8_t *message)
{
    uint8_t *nested = new_message(reader, field->sub);
    if (nested == NULL) {
        return false;
    }
    memcpy(message + field->offset, &nested, sizeof(nested));
    return read_message(reader, field->sub, nested);
}

/* null: the member is absent, whatever came before. */
static bool clear_member(struct reader *reader, const struct vg_field *field, uint8_t *message)
{
    if (!vg_json_spend(&reader->lexer) || !vg_json_take_null(&reader->lexer)) {
        return false;
    }
    if ((field->flags & VG_FIELD_REPEATED) != 0) {
        memset(message + field->quantifier, 0, sizeof(size_t));
        memset(message + field->offset, 0, sizeof(void *));
    } else if (field->kind == VG_KIND_STRING || field->kind == VG_KIND_MESSAGE) {
        memset(message + field->offset, 0, sizeof(void *));
    } else {
        memset(message + field->quantifier, 0, sizeof(protobuf_c_boolean));
    }
    return true;
}

/* The value of a member; `shown` is its name in paths, NULL inside a bare message or entry. */
static bool read_member(
    struct reader *reader,
    const struct vg_field *field,
    const struct vg_field *shown,
    uint8_t *message)
{
    uint8_t c = vg_json_peek(&reader->lexer);
    if (c == 'n') {
        return clear_member(reader, field, message);
    }
    bool entries = (field->flags & VG_FIELD_MAP) != 0 ||
                   ((field->flags & VG_FIELD_OBJECT) != 0 && reader->dialect->shaped);
    if ((field->flags & VG_FIELD_REPEATED) != 0 && !entries) {
        return read_list(reader, field, shown, c, message);
    }
    push_field(reader, shown, VG_PATH_NO_INDEX);
    bool done;
    if (entries) {
        done = read_entries(reader, field, c, message);
    } else if (field->kind == VG_KIND_MESSAGE) {
        done = read_nested(reader, field, message);
    } else {
        done = read_singular(reader, field, c, message);
    }
    pop(reader);
    return done;
}

/* ---- Messages ---- */

const struct vg_field *vg_json_find_field(
    const struct vg_table *table,
    struct vg_bytes name,
    const struct vg_json_dialect *dialect)
{
    uint8_t row =
        name.size > UINT8_MAX
            ? VG_ROW_NONE
            : vg_contract_find_name(table, (const char *)name.data, name.size, dialect->names);
    return row == VG_ROW_NONE ? NULL : &table->fields[row];
}

/* Name and colon of the next member. *out_field NULL: unknown, and a violation is noted. */
static bool read_name(
    struct reader *reader,
    const struct vg_table *table,
    const struct vg_field *guess,
    const struct vg_field **out_field)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    /* A piece is `,"name":`; behind its comma it is just what most clients send. */
    bool is_row = (size_t)(guess - table->fields) < table->field_count;
    size_t size = is_row ? (size_t)guess->piece_size - 1 : 0;
    if (is_row && (size_t)(lexer->end - lexer->next) >= size &&
        lexer->next[1] == (uint8_t)guess->piece[2] &&
        memcmp(lexer->next, guess->piece + 1, size) == 0) {
        lexer->next += size;
        *out_field = guess;
        return true;
    }
    struct vg_json_string name;
    if (!vg_json_lex_name(lexer, &name)) {
        return false;
    }
    uint8_t plain[UINT8_MAX + 1];
    struct vg_bytes text = name.raw;
    if (name.escaped && text.size <= sizeof(plain)) {
        text = vg_bytes(plain, vg_json_unescape(text, plain));
    }
    *out_field = vg_json_find_field(table, text, reader->dialect);
    if (*out_field == NULL) {
        push_key(reader, name.raw);
        violate(reader, VG_UNKNOWN_FIELD, NULL, NULL);
        pop(reader);
    }
    return true;
}

static bool read_object(struct reader *reader, const struct vg_table *table, uint8_t *message)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    const struct vg_field *guess = table->fields;
    bool more = false;
    if (!vg_json_spend(lexer) || !vg_json_open(lexer) || !vg_json_more(lexer, '}', true, &more)) {
        return false;
    }
    while (more) {
        const struct vg_field *field;
        if (!read_name(reader, table, guess, &field)) {
            return false;
        }
        bool done;
        if (field == NULL) {
            done = vg_json_skip_value(lexer);
        } else {
            done = read_member(reader, field, field, message);
            guess = field + 1;
        }
        if (!done || !vg_json_more(lexer, '}', false, &more)) {
            return false;
        }
    }
    return true;
}

/* The kind of the value picks the member of a bare message. */
static bool read_bare(
    struct reader *reader,
    const struct vg_table *table,
    uint8_t c,
    uint8_t *message)
{
    uint8_t row = c == '{' ? table->bare_object : c == '[' ? table->bare_list : table->bare_scalar;
    if (row == VG_ROW_NONE && c != '[') {
        row = table->bare_list;
        bool takes_objects = row != VG_ROW_NONE && table->fields[row].kind == VG_KIND_MESSAGE;
        if (c == '{' && !takes_objects) {
            row = VG_ROW_NONE;
        }
    }
    if (row == VG_ROW_NONE || (table->flags & VG_TABLE_SHAPES) != 0) {
        return skip_wrong_type(reader, c == '{' ? "no object" : c == '[' ? "no list" : "an object");
    }
    return read_member(reader, &table->fields[row], NULL, message);
}

/* The value at hand, not null, into `message`; the steps say where. */
static bool read_message(struct reader *reader, const struct vg_table *table, uint8_t *message)
{
    uint8_t c = vg_json_peek(&reader->lexer);
    if (reader->dialect->shaped && (table->flags & (VG_TABLE_BARE | VG_TABLE_SHAPES)) != 0) {
        return read_bare(reader, table, c, message);
    }
    if (c != '{') {
        return skip_wrong_type(reader, "an object");
    }
    return read_object(reader, table, message);
}

/* ---- The whole ---- */

static enum vg_reason refuse_text(struct reader *reader)
{
    /* Bad syntax is all there is to say: what was collected before may be its consequence. */
    reader->error->violations.count = 0;
    reader->error->violations.found = 0;
    if (reader->no_memory || reader->lexer.exhausted) {
        return vg_error_set(reader->error, VG_REQUEST_MEMORY, NULL);
    }
    size_t line;
    size_t column;
    vg_json_position(&reader->lexer, &line, &column);
    return vg_error_set(
        reader->error,
        VG_INVALID_JSON,
        "The body is not valid JSON: %s at line %zu, column %zu",
        reader->lexer.problem,
        line,
        column);
}

static bool read_body(struct reader *reader, const struct vg_table *table, uint8_t *message)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    uint8_t c = vg_json_peek(lexer);
    bool bare = reader->dialect->shaped && (table->flags & VG_TABLE_BARE) != 0;
    if (c != '{' && !bare) {
        return vg_json_fail(lexer, "an object is expected");
    }
    if (!read_message(reader, table, message)) {
        return false;
    }
    (void)vg_json_peek(lexer);
    return lexer->next == lexer->end || vg_json_fail(lexer, "nothing may follow the value");
}

enum vg_reason vg_json_read(
    const struct vg_table *table,
    struct vg_bytes body,
    const struct vg_json_dialect *dialect,
    struct vg_arena *arena,
    ProtobufCMessage **out_message,
    struct vg_error *error)
{
    struct reader reader;
    vg_json_lexer_init(&reader.lexer, body);
    reader.dialect = dialect;
    reader.owner = table->descriptor;
    reader.arena = arena;
    reader.error = error;
    reader.texts = (struct vg_packed_text){ .arena = arena };
    reader.no_memory = false;
    reader.step_count = 0;
    uint8_t *message = new_message(&reader, table);
    if (message == NULL || !read_body(&reader, table, message)) {
        return refuse_text(&reader);
    }
    if (error->violations.found > 0) {
        return vg_error_from_violations(error);
    }
    vg_packed_text_close(&reader.texts);
    *out_message = (ProtobufCMessage *)(void *)message;
    return VG_OK;
}
