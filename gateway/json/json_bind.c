/*
 * URL parameters: the same rows and the same conversions as the reader's, for a text at a time.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/utf8.h"
#include "core/wire/field_path.h"
#include "core/wire/plain_text.h"
#include "core/wire/wire_field.h"
#include "gateway/json/json_read.h"
#include "gateway/json/json_scalar.h"

#define PARAMETER_MAX 90u

/* The row of a bare message that takes a text; NULL = none. */
static const struct vg_field *bare_row(const struct vg_table *table)
{
    if ((table->flags & VG_TABLE_BARE) == 0) {
        return NULL;
    }
    uint8_t row = table->bare_scalar != VG_ROW_NONE ? table->bare_scalar : table->bare_list;
    if (row == VG_ROW_NONE || table->fields[row].kind == VG_KIND_MESSAGE) {
        return NULL;
    }
    return &table->fields[row];
}

bool vg_json_is_bindable(const struct vg_field *field)
{
    return field->kind != VG_KIND_MESSAGE || bare_row(field->sub) != NULL;
}

static enum vg_reason refuse(
    struct vg_error *error,
    const struct vg_field *field,
    struct vg_bytes text,
    const char *message)
{
    char path[VG_PATH_TEXT_SIZE];
    char parameter[PARAMETER_MAX + 1];
    struct vg_path_step step = { .field = field, .index = VG_PATH_NO_INDEX };
    (void)vg_path_print(&step, 1, path);
    struct vg_bytes shown =
        vg_utf8_is_valid(text) ? vg_utf8_cut_bytes(text, PARAMETER_MAX) : vg_bytes(NULL, 0);
    if (shown.size > 0) {
        memcpy(parameter, shown.data, shown.size);
    }
    parameter[shown.size] = '\0';
    struct vg_violation violation = {
        .reason = VG_INVALID_URL_PARAMETER,
        .field = path,
        .parameter = parameter,
        .message = message,
    };
    vg_violations_add(&error->violations, &violation);
    (void)vg_error_set(error, VG_INVALID_URL_PARAMETER, "%s", message);
    return vg_error_field(error, path, parameter);
}

/*
 * Room for one more element of a list that only this file appends to: its capacity is the power of
 * two not below its count. NULL past the arena's cap.
 */
static uint8_t *append_room(const struct vg_field *field, uint8_t *message, struct vg_arena *arena)
{
    size_t count;
    uint8_t *items;
    size_t size = vg_wire_item_size(field);
    memcpy(&count, message + field->quantifier, sizeof(count));
    memcpy(&items, message + field->offset, sizeof(items));
    if ((count & (count - 1)) == 0) {
        uint8_t *larger = vg_arena_calloc(arena, count == 0 ? 1 : count * 2, size);
        if (larger == NULL) {
            return NULL;
        }
        if (count > 0) {
            memcpy(larger, items, count * size);
        }
        items = larger;
        memcpy(message + field->offset, &items, sizeof(items));
    }
    return items + count * size;
}

static void count_one(const struct vg_field *field, uint8_t *message)
{
    size_t count;
    memcpy(&count, message + field->quantifier, sizeof(count));
    count++;
    memcpy(message + field->quantifier, &count, sizeof(count));
}

/* The bare message that holds the value: a new element of a list, or the member, made if it is
 * absent. */
static uint8_t *bare_message(const struct vg_field *field, uint8_t *message, struct vg_arena *arena)
{
    bool repeated = (field->flags & VG_FIELD_REPEATED) != 0;
    uint8_t *place = repeated ? append_room(field, message, arena) : message + field->offset;
    if (place == NULL) {
        return NULL;
    }
    uint8_t *bare = NULL;
    if (!repeated) {
        memcpy(&bare, place, sizeof(bare));
    }
    if (bare == NULL) {
        const struct vg_table *table = field->sub;
        bare = vg_arena_calloc(arena, 1, table->size);
        if (bare == NULL) {
            return NULL;
        }
        memcpy(bare, &table->descriptor, sizeof(table->descriptor));
        memcpy(place, &bare, sizeof(bare));
        if (repeated) {
            count_one(field, message);
        }
    }
    return bare;
}

static bool list_is_full(const struct vg_field *field, const uint8_t *message)
{
    size_t count;
    if ((field->flags & VG_FIELD_REPEATED) == 0 || field->rule == 0) {
        return false;
    }
    memcpy(&count, message + field->quantifier, sizeof(count));
    return vg_rules[field->rule].items_max != 0 && count >= vg_rules[field->rule].items_max;
}

/* Store the text as a value of `field` itself. */
static enum vg_json_fit bind_value(
    const struct vg_field *field,
    struct vg_bytes text,
    uint8_t *message,
    struct vg_arena *arena)
{
    struct vg_packed_text texts = { .arena = arena };
    struct vg_json_target target = {
        .dialect = &vg_json_documented,
        .texts = &texts,
        .left = text.size + 1,
    };
    struct vg_json_scalar scalar = { .kind = VG_JSON_TEXT, .raw = text };
    bool repeated = (field->flags & VG_FIELD_REPEATED) != 0;
    uint8_t *member = repeated ? append_room(field, message, arena) : message + field->offset;
    if (member == NULL) {
        return VG_JSON_FIT_MEMORY;
    }
    enum vg_json_fit fit = vg_json_scalar_store(&target, field, &scalar, member);
    if (fit == VG_JSON_FIT_OK && repeated) {
        count_one(field, message);
    } else if (fit == VG_JSON_FIT_OK) {
        vg_wire_mark_set(field, message);
    }
    return fit;
}

enum vg_reason vg_json_read_text(
    const struct vg_field *field,
    struct vg_bytes text,
    ProtobufCMessage *message,
    struct vg_arena *arena,
    struct vg_error *error)
{
    VG_ASSERT(vg_json_is_bindable(field));
    uint8_t *base = (uint8_t *)message;
    char words[80];
    if (!vg_text_is_proper(text)) {
        return refuse(error, field, text, "The value is not valid UTF-8 or has a NUL character");
    }
    if (list_is_full(field, base)) {
        (void)snprintf(
            words,
            sizeof(words),
            "The list has more than %u elements",
            vg_rules[field->rule].items_max);
        return refuse(error, field, text, words);
    }
    const struct vg_field *row = field;
    if (field->kind == VG_KIND_MESSAGE) {
        row = bare_row(field->sub);
        base = bare_message(field, base, arena);
    }
    enum vg_json_fit fit = base == NULL ? VG_JSON_FIT_MEMORY : bind_value(row, text, base, arena);
    if (fit == VG_JSON_FIT_OK) {
        return VG_OK;
    }
    if (fit == VG_JSON_FIT_MEMORY) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    (void)snprintf(words, sizeof(words), "The value must be %s", vg_json_expected(row));
    return refuse(error, field, text, words);
}
