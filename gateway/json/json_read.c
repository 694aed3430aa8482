/*
 * The reader walks the bytes once. For each member it finds the row of the table (first guess: the
 * row after the last one, since clients mostly keep an order; then the perfect hash), and stores
 * the value straight into the struct.
 *
 * A function that returns false has met what ends reading: bad syntax or no memory. Everything else
 * is a violation, after which the value is skipped and the message will not be used.
 */
#include "gateway/json/json_read.h"

#include <stdio.h>
#include <string.h>

#include "core/wire/wire_field.h"
#include "gateway/json/json_list.h"
#include "gateway/json/json_reader.h"
#include "gateway/json/json_scalar.h"

#define ARENA_USUAL 4u /* bytes of arena for a byte of body */
#define GUESSES_MAX 4u /* rows compared before the name is hashed */

static inline bool finish_list(
    struct vg_json_reader *reader,
    const struct vg_field *field,
    struct vg_json_list *list,
    uint8_t *message)
{
    return vg_json_list_finish(list, reader->arena, field, message) ||
           vg_json_refuse_memory(reader);
}

static uint8_t *new_message(struct vg_json_reader *reader, const struct vg_table *table)
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

/*
 * A text, from its opening quote, into the char * at `member`. Copied while it is scanned, as long
 * as it is plain and the piece of packed text at hand has room; else scanned first and copied then.
 */
static bool read_text(struct vg_json_reader *reader, uint8_t *member)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    struct vg_packed_text *texts = &reader->texts;
    const uint8_t *from = lexer->next + 1;
    size_t left = (size_t)(lexer->end - from);
    size_t room = (size_t)(texts->end - texts->next);
    size_t plain = vg_json_copy_plain(from, left < room ? left : room, texts->next);
    if (!vg_json_spend(lexer)) {
        return false;
    }
    if (plain < left && plain < room && from[plain] == '"') {
        memcpy(member, &texts->next, sizeof(texts->next));
        texts->next[plain] = '\0';
        texts->next += plain + 1;
        lexer->next = from + plain + 1;
        return true;
    }
    struct vg_json_string string;
    if (!vg_json_lex_string(lexer, &string)) {
        return false;
    }
    /* Never longer than what is written, quotes included. */
    if (!vg_packed_text_room(texts, string.raw.size + 1, left)) {
        return vg_json_refuse_memory(reader);
    }
    uint8_t *text = texts->next;
    size_t size = string.raw.size;
    if (string.escaped) {
        size = vg_json_unescape(string.raw, text);
    } else if (size > 0) {
        memcpy(text, string.raw.data, size);
    }
    text[size] = '\0';
    texts->next = text + size + 1;
    memcpy(member, &text, sizeof(text));
    return true;
}

static bool read_message(
    struct vg_json_reader *reader,
    const struct vg_table *table,
    uint8_t *message);
static bool read_member(
    struct vg_json_reader *reader,
    const struct vg_field *field,
    const struct vg_field *shown,
    uint8_t *message);

/*
 * A scalar into `member`; the steps say where. *out_stored is false when it was a violation. `c` is
 * the first byte.
 */
static bool read_scalar(
    struct vg_json_reader *reader,
    const struct vg_field *field,
    uint8_t c,
    uint8_t *member,
    enum vg_json_fit *out_fit)
{
    struct vg_json_scalar scalar;
    if (c == '"' && field->kind == VG_KIND_STRING) {
        *out_fit = VG_JSON_FIT_OK;
        return read_text(reader, member);
    }
    if (c == '{' || c == '[' || c == 'n') {
        *out_fit = VG_JSON_FIT_TYPE;
        return vg_json_skip_wrong_type(reader, vg_json_expected(field));
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
        return vg_json_refuse_memory(reader);
    }
    char message[80];
    (void)snprintf(message, sizeof(message), "The value must be %s", vg_json_expected(field));
    enum vg_reason reason =
        *out_fit == VG_JSON_FIT_TYPE ? VG_INVALID_FIELD_TYPE : VG_INVALID_FIELD_VALUE;
    vg_json_violate(reader, reason, &scalar, message);
    return true;
}

/* A singular scalar member. `shown` is pushed for as long as it is read: violations need it. */
static bool read_singular(
    struct vg_json_reader *reader,
    const struct vg_field *field,
    const struct vg_field *shown,
    uint8_t c,
    uint8_t *message)
{
    enum vg_json_fit fit;
    if (c == '"' && field->kind == VG_KIND_STRING) {
        return read_text(reader, message + field->offset);
    }
    reader->owner = ((const ProtobufCMessage *)(const void *)message)->descriptor;
    vg_json_push_field(reader, shown);
    bool done = read_scalar(reader, field, c, message + field->offset, &fit);
    vg_json_pop(reader);
    if (done && fit == VG_JSON_FIT_OK) {
        vg_wire_mark_set(field, message);
    }
    return done;
}

/* One element: the steps, index included, are those of the list. */
static bool read_item(
    struct vg_json_reader *reader,
    const struct vg_field *field,
    struct vg_json_list *list)
{
    uint8_t c = vg_json_peek(&reader->lexer);
    if (list->count == list->capacity && !vg_json_list_grow(list, reader->arena)) {
        return vg_json_refuse_memory(reader);
    }
    uint8_t *item = list->items + list->count * list->item_size;
    if (field->kind != VG_KIND_MESSAGE) {
        enum vg_json_fit fit;
        memset(item, 0, list->item_size);
        list->count++;
        return read_scalar(reader, field, c, item, &fit);
    }
    if (c == 'n') {
        return vg_json_skip_wrong_type(reader, vg_json_expected(field));
    }
    uint8_t *message = new_message(reader, field->sub);
    if (message == NULL) {
        return false;
    }
    memcpy(item, &message, sizeof(message));
    list->count++;
    return read_message(reader, field->sub, message);
}

static bool read_array(
    struct vg_json_reader *reader,
    const struct vg_field *field,
    struct vg_json_list *list)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    struct vg_path_step *step = &reader->steps[reader->step_count - 1];
    bool more = false;
    if (!vg_json_spend(lexer) || !vg_json_open(lexer) || !vg_json_more(lexer, ']', true, &more)) {
        return false;
    }
    bool too_many = false;
    size_t most = vg_json_items_max(field);
    for (int64_t index = 0; more; index++) {
        if (list->count >= most && !too_many) {
            step->index = VG_PATH_NO_INDEX;
            vg_json_violate_items(reader, field);
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
    struct vg_json_reader *reader,
    const struct vg_field *field,
    const struct vg_field *shown,
    uint8_t c,
    uint8_t *message)
{
    struct vg_json_list list;
    bool done;
    vg_json_list_begin(&list, vg_wire_item_size(field));
    reader->owner = ((const ProtobufCMessage *)(const void *)message)->descriptor;
    vg_json_push_field(reader, shown);
    if (c == '[') {
        done = read_array(reader, field, &list);
    } else if (reader->dialect->lenient) {
        done = read_item(reader, field, &list);
    } else {
        done = vg_json_skip_wrong_type(reader, "a list");
    }
    vg_json_pop(reader);
    return done && finish_list(reader, field, &list, message);
}

/* A lone text as the list of one that an entry holds, which is what most entries are. */
static bool read_lone_text(
    struct vg_json_reader *reader,
    const struct vg_field *field,
    uint8_t *message)
{
    size_t count = 1;
    char **items = vg_arena_alloc(reader->arena, sizeof(*items));
    if (items == NULL) {
        return vg_json_refuse_memory(reader);
    }
    memcpy(message + field->offset, &items, sizeof(items));
    memcpy(message + field->quantifier, &count, sizeof(count));
    return read_text(reader, (uint8_t *)items);
}

/* One `key: value(s)` of an object list or map; a null value drops the entry. */
static bool read_entry(
    struct vg_json_reader *reader,
    const struct vg_table *table,
    struct vg_json_list *list)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    const struct vg_field *value = &table->fields[1];
    const uint8_t *start = lexer->next + 1;
    uint8_t *key;
    if (!read_text(reader, (uint8_t *)&key)) {
        return false;
    }
    struct vg_bytes written = vg_bytes(start, (size_t)(lexer->next - 1 - start));
    if (vg_json_peek(lexer) != ':') {
        return vg_json_fail(lexer, "a colon is expected");
    }
    lexer->next++;
    uint8_t c = vg_json_peek(lexer);
    if (c == 'n') {
        return vg_json_spend(lexer) && vg_json_take_null(lexer);
    }
    if (list->count == list->capacity && !vg_json_list_grow(list, reader->arena)) {
        return vg_json_refuse_memory(reader);
    }
    uint8_t *entry = new_message(reader, table);
    if (entry == NULL) {
        return false;
    }
    memcpy(list->items + list->count++ * list->item_size, &entry, sizeof(entry));
    memcpy(entry + table->fields[0].offset, &key, sizeof(key));
    if (c == '"' && value->kind == VG_KIND_STRING && (value->flags & VG_FIELD_REPEATED) != 0 &&
        reader->dialect->lenient) {
        return read_lone_text(reader, value, entry);
    }
    vg_json_push_key(reader, written);
    bool done = read_member(reader, value, NULL, entry);
    vg_json_pop(reader);
    return done;
}

/* Objects within an object whose keys become keys joined by dots. */
struct dotted {
    const struct vg_field *field;
    struct vg_json_list list;
    bool too_many;
    size_t size; /* of the key so far */
    uint8_t key[VG_LIMIT_DOTTED_KEY_BYTES + 1];
};

/* The scalar at hand under the key that has been gathered. */
static bool read_dotted_value(struct vg_json_reader *reader, struct dotted *dotted, uint8_t c)
{
    const struct vg_table *table = dotted->field->sub;
    const struct vg_field *value = &table->fields[1];
    struct vg_json_list *list = &dotted->list;
    if (list->count >= vg_json_items_max(dotted->field)) {
        if (!dotted->too_many) {
            vg_json_violate_items(reader, dotted->field);
            dotted->too_many = true;
        }
        return vg_json_skip_value(&reader->lexer);
    }
    uint8_t *entry = new_message(reader, table);
    char *key = vg_arena_text(reader->arena, vg_bytes(dotted->key, dotted->size));
    if (entry == NULL || key == NULL ||
        (list->count == list->capacity && !vg_json_list_grow(list, reader->arena))) {
        return vg_json_refuse_memory(reader);
    }
    memcpy(list->items + list->count++ * list->item_size, &entry, sizeof(entry));
    memcpy(entry + table->fields[0].offset, &key, sizeof(key));
    enum vg_json_fit fit;
    reader->owner = table->descriptor;
    return read_scalar(reader, value, c, entry + value->offset, &fit);
}

static bool read_dotted_members(struct vg_json_reader *reader, struct dotted *dotted);

/* One `key: value`: a scalar, or an object of more of them. The depth of a body is limited, so that
 * of the calls is. */
static bool read_dotted_member(struct vg_json_reader *reader, struct dotted *dotted)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    struct vg_json_string name;
    if (!vg_json_lex_name(lexer, &name)) {
        return false;
    }
    size_t before = dotted->size;
    size_t dot = before == 0 ? 0 : 1;
    bool done;
    vg_json_push_key(reader, name.raw);
    if (name.raw.size > VG_LIMIT_DOTTED_KEY_BYTES - before - dot) {
        vg_json_violate(reader, VG_INVALID_FIELD_VALUE, NULL, "The key is too long");
        vg_json_pop(reader);
        return vg_json_skip_value(lexer);
    }
    if (dot != 0) {
        dotted->key[dotted->size++] = '.';
    }
    dotted->size += vg_json_unescape(name.raw, dotted->key + dotted->size);
    uint8_t c = vg_json_peek(lexer);
    if (c == 'n') {
        done = vg_json_spend(lexer) && vg_json_take_null(lexer);
    } else if (c == '{') {
        done = read_dotted_members(reader, dotted);
    } else {
        done = read_dotted_value(reader, dotted, c);
    }
    vg_json_pop(reader);
    dotted->size = before;
    return done;
}

static bool read_dotted_members(struct vg_json_reader *reader, struct dotted *dotted)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    bool more = false;
    if (!vg_json_spend(lexer) || !vg_json_open(lexer) || !vg_json_more(lexer, '}', true, &more)) {
        return false;
    }
    while (more) {
        if (!read_dotted_member(reader, dotted) || !vg_json_more(lexer, '}', false, &more)) {
            return false;
        }
    }
    return true;
}

static bool read_dotted(
    struct vg_json_reader *reader,
    const struct vg_field *field,
    uint8_t c,
    uint8_t *message)
{
    if (c != '{') {
        return vg_json_skip_wrong_type(reader, "an object");
    }
    struct dotted dotted;
    dotted.field = field;
    dotted.too_many = false;
    dotted.size = 0;
    vg_json_list_begin(&dotted.list, sizeof(void *));
    return read_dotted_members(reader, &dotted) &&
           finish_list(reader, field, &dotted.list, message);
}

/* An entry, dropped: there are too many. */
static bool skip_entry(struct vg_json_lexer *lexer)
{
    struct vg_json_string name;
    return vg_json_lex_name(lexer, &name) && vg_json_skip_value(lexer);
}

static bool read_entries(
    struct vg_json_reader *reader,
    const struct vg_field *field,
    uint8_t c,
    uint8_t *message)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    if (c != '{') {
        return vg_json_skip_wrong_type(reader, "an object");
    }
    struct vg_json_list list;
    bool more = false;
    bool too_many = false;
    size_t most = vg_json_items_max(field);
    vg_json_list_begin(&list, sizeof(void *));
    if (!vg_json_spend(lexer) || !vg_json_open(lexer) || !vg_json_more(lexer, '}', true, &more)) {
        return false;
    }
    while (more) {
        if (list.count >= most && !too_many) {
            vg_json_violate_items(reader, field);
            too_many = true;
        }
        if (!(too_many ? skip_entry(lexer) : read_entry(reader, field->sub, &list)) ||
            !vg_json_more(lexer, '}', false, &more)) {
            return false;
        }
    }
    return finish_list(reader, field, &list, message);
}

/* A singular message. A former value is replaced, not merged. */
static bool read_nested(
    struct vg_json_reader *reader,
    const struct vg_field *field,
    uint8_t *message)
{
    uint8_t *nested = new_message(reader, field->sub);
    if (nested == NULL) {
        return false;
    }
    memcpy(message + field->offset, &nested, sizeof(nested));
    return read_message(reader, field->sub, nested);
}

/* null: the member is absent, whatever came before. */
static bool clear_member(
    struct vg_json_reader *reader,
    const struct vg_field *field,
    uint8_t *message)
{
    if (!vg_json_spend(&reader->lexer) || !vg_json_take_null(&reader->lexer)) {
        return false;
    }
    if ((field->flags & VG_FIELD_REPEATED) != 0) {
        memset(message + field->quantifier, 0, sizeof(size_t));
        memset(message + field->offset, 0, sizeof(void *));
    } else if ((field->flags & VG_FIELD_ONEOF) != 0) {
        if (vg_wire_is_set(field, message)) {
            memset(message + field->quantifier, 0, sizeof(uint32_t));
        }
    } else if (
        field->kind == VG_KIND_STRING || field->kind == VG_KIND_MESSAGE ||
        (field->flags & VG_FIELD_IMPLICIT) != 0) {
        memset(message + field->offset, 0, vg_wire_item_size(field));
    } else {
        memset(message + field->quantifier, 0, sizeof(protobuf_c_boolean));
    }
    return true;
}

/* The value of a member; `shown` is its name in paths, NULL inside a bare message or entry. */
static bool read_member(
    struct vg_json_reader *reader,
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
    if ((field->flags & VG_FIELD_ONEOF) != 0) {
        vg_wire_mark_set(field, message); /* before the value: it clears its place */
    }
    if (field->kind != VG_KIND_MESSAGE) {
        return read_singular(reader, field, shown, c, message);
    }
    bool dotted = (field->flags & VG_FIELD_DOTTED) != 0 && reader->dialect->shaped;
    vg_json_push_field(reader, shown);
    bool done = dotted    ? read_dotted(reader, field, c, message)
                : entries ? read_entries(reader, field, c, message)
                          : read_nested(reader, field, message);
    vg_json_pop(reader);
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

/*
 * The member at hand, if it is one of the next few of the table, as it is when a client keeps the
 * order and leaves some out. A piece is `,"name":`; behind its comma it is just what most clients
 * send.
 */
static inline const struct vg_field *guess_row(
    const struct vg_table *table,
    const struct vg_field *guess,
    const struct vg_json_lexer *lexer)
{
    size_t left = (size_t)(lexer->end - lexer->next);
    size_t rows = table->field_count - (size_t)(guess - table->fields);
    rows = rows < GUESSES_MAX ? rows : GUESSES_MAX;
    for (size_t i = 0; i < rows; i++, guess++) {
        size_t size = (size_t)guess->piece_size - 1;
        /* The shortest piece is `,"x":`, so there are four bytes to compare at once. */
        uint32_t ours;
        uint32_t theirs;
        if (left < size) {
            continue;
        }
        memcpy(&ours, guess->piece + 1, sizeof(ours));
        memcpy(&theirs, lexer->next, sizeof(theirs));
        if (ours == theirs && memcmp(lexer->next + 4, guess->piece + 5, size - 4) == 0) {
            return guess;
        }
    }
    return NULL;
}

/* Name and colon of the next member, *out_name as it is written or, for the documented name, as the
 * table has it. *out_field NULL: unknown, and a violation is noted. */
static bool read_name(
    struct vg_json_reader *reader,
    const struct vg_table *table,
    const struct vg_field *guess,
    const struct vg_field **out_field,
    struct vg_bytes *out_name)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    *out_field = guess_row(table, guess, lexer);
    if (*out_field != NULL) {
        lexer->next += (*out_field)->piece_size - 1;
        *out_name = vg_bytes((*out_field)->piece + 2, (*out_field)->piece_size - 4u);
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
    *out_name = name.raw;
    if (*out_field == NULL) {
        vg_json_push_key(reader, name.raw);
        vg_json_violate(reader, VG_UNKNOWN_FIELD, NULL, NULL);
        vg_json_pop(reader);
    }
    return true;
}

/* A singular text that has two names, and came by another than its documented one before or now:
 * the two have to agree. One name given twice is no conflict, the last counts. */
static bool read_renamed(
    struct vg_json_reader *reader,
    const struct vg_field *field,
    uint8_t *message)
{
    char *before;
    char *after;
    memcpy(&before, message + field->offset, sizeof(before));
    if (!read_member(reader, field, field, message)) {
        return false;
    }
    memcpy(&after, message + field->offset, sizeof(after));
    if (before != NULL && after != NULL && strcmp(before, after) != 0) {
        vg_json_push_field(reader, field);
        vg_json_violate(reader, VG_CONFLICTING_FIELDS, NULL, NULL);
        vg_json_pop(reader);
    }
    return true;
}

/* Which member came last by another name than its documented one, and by which. */
struct spelling {
    const struct vg_field *field;
    struct vg_bytes name;
};

/* Is the member at hand, just named, one whose former value came by another name? */
static bool is_renamed(struct spelling *last, const struct vg_field *field, struct vg_bytes name)
{
    const uint8_t *ours = (const uint8_t *)field->piece + 2;
    bool documented = name.data == ours || (field->piece_size == name.size + 4 &&
                                            memcmp(ours, name.data, name.size) == 0);
    if (documented && last->field != field) {
        return false;
    }
    bool again = last->field == field && vg_bytes_equal(last->name, name);
    *last = (struct spelling){ field, name };
    return !again && field->kind == VG_KIND_STRING && (field->flags & VG_FIELD_REPEATED) == 0;
}

/* Which members an object has had: of a dialect that takes each once. */
struct members_seen {
    uint64_t bits[(UINT8_MAX + 1) / 64];
};

/* Note that the member at hand comes; a second one of it, or of its oneof, is a violation. */
static void see_member(
    struct vg_json_reader *reader,
    const struct vg_table *table,
    const struct vg_field *field,
    const uint8_t *message,
    struct members_seen *seen)
{
    const size_t row = (size_t)(field - table->fields);
    const uint64_t bit = UINT64_C(1) << (row % 64);
    bool again = (seen->bits[row / 64] & bit) != 0;
    seen->bits[row / 64] |= bit;
    if ((field->flags & VG_FIELD_ONEOF) != 0 && vg_json_peek(&reader->lexer) != 'n') {
        uint32_t which;
        memcpy(&which, message + field->quantifier, sizeof(which));
        again |= which != 0;
    }
    if (again) {
        vg_json_push_field(reader, field);
        vg_json_violate(reader, VG_CONFLICTING_FIELDS, NULL, NULL);
        vg_json_pop(reader);
    }
}

static bool read_object(
    struct vg_json_reader *reader,
    const struct vg_table *table,
    uint8_t *message)
{
    struct vg_json_lexer *lexer = &reader->lexer;
    const struct vg_field *guess = table->fields;
    struct spelling last = { .field = NULL };
    struct members_seen seen = { { 0 } };
    const bool once = reader->dialect->once;
    bool more = false;
    if (!vg_json_spend(lexer) || !vg_json_open(lexer) || !vg_json_more(lexer, '}', true, &more)) {
        return false;
    }
    while (more) {
        const struct vg_field *field;
        struct vg_bytes name;
        if (!read_name(reader, table, guess, &field, &name)) {
            return false;
        }
        bool done;
        if (field != NULL && once) {
            see_member(reader, table, field, message, &seen);
        }
        if (field == NULL) {
            done = vg_json_skip_value(lexer);
        } else if (!once && is_renamed(&last, field, name)) {
            done = read_renamed(reader, field, message);
            guess = field + 1;
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
    struct vg_json_reader *reader,
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
        return vg_json_skip_wrong_type(
            reader,
            c == '{'   ? "no object"
            : c == '[' ? "no list"
                       : "an object");
    }
    return read_member(reader, &table->fields[row], NULL, message);
}

/* The value at hand, not null, into `message`; the steps say where. */
static bool read_message(
    struct vg_json_reader *reader,
    const struct vg_table *table,
    uint8_t *message)
{
    uint8_t c = vg_json_peek(&reader->lexer);
    if (reader->dialect->shaped && (table->flags & (VG_TABLE_BARE | VG_TABLE_SHAPES)) != 0) {
        return read_bare(reader, table, c, message);
    }
    if (c != '{') {
        return vg_json_skip_wrong_type(reader, "an object");
    }
    return read_object(reader, table, message);
}

/* ---- The whole ---- */

static bool read_body(struct vg_json_reader *reader, const struct vg_table *table, uint8_t *message)
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
    struct vg_json_reader reader;
    vg_json_lexer_init(&reader.lexer, body);
    reader.dialect = dialect;
    reader.owner = table->descriptor;
    reader.arena = arena;
    reader.error = error;
    reader.texts = (struct vg_packed_text){ .arena = arena };
    reader.no_memory = false;
    reader.step_count = 0;
    /* Most messages take two to four times their body: one block then holds them. */
    vg_arena_expect(arena, body.size * ARENA_USUAL);
    uint8_t *message = new_message(&reader, table);
    if (message == NULL || !read_body(&reader, table, message)) {
        return vg_json_refuse_text(&reader);
    }
    if (error->violations.found > 0) {
        return vg_error_from_violations(error);
    }
    vg_packed_text_close(&reader.texts);
    *out_message = (ProtobufCMessage *)(void *)message;
    return VG_OK;
}
