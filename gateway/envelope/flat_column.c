#include "gateway/envelope/flat_column.h"

#include <string.h>

#include "core/base/text_number.h"
#include "core/wire/wire_field.h"
#include "gateway/json/json_write.h"

/* Room for a name: that of each step and its dot. */
#define NAME_BYTES_MAX 1024u

/* --- Which columns there are --------------------------------------------------------------------
 */

struct maker {
    struct vg_arena *arena;
    struct vg_flat_columns *columns; /* items NULL: they are only counted */
    struct vg_flat_column at;        /* the steps so far */
    char name[NAME_BYTES_MAX];
    size_t name_size;
    bool no_memory;
};

static void make_members(struct maker *maker, const struct vg_table *table);

static bool is_within_itself(const struct maker *maker, const struct vg_table *table)
{
    for (uint8_t i = 0; i < maker->at.step_count; i++) {
        if (maker->at.steps[i]->kind == VG_KIND_MESSAGE && maker->at.steps[i]->sub == table) {
            return true;
        }
    }
    return false;
}

static void add_column(struct maker *maker, const struct vg_table *table, bool as_json)
{
    struct vg_flat_columns *columns = maker->columns;
    if (columns->items != NULL) {
        struct vg_flat_column *column = &columns->items[columns->count];
        *column = maker->at;
        column->table = table;
        column->as_json = as_json;
        column->name = vg_arena_text(maker->arena, vg_bytes(maker->name, maker->name_size));
        maker->no_memory = maker->no_memory || column->name == NULL;
    }
    columns->count++;
}

/* The one member of a bare message; NULL when it can be of several kinds. */
static const struct vg_field *only_member(const struct vg_table *table)
{
    return (table->flags & VG_TABLE_SHAPES) == 0 && table->field_count == 1 ? &table->fields[0]
                                                                            : NULL;
}

static bool is_properties(const struct vg_field *field)
{
    static const char name[] = ",\"properties\":";
    return field->piece_size == sizeof(name) - 1 &&
           memcmp(field->piece, name, sizeof(name) - 1) == 0;
}

/* Columns of the member that is the last step of maker->at. */
static void make_member(
    struct maker *maker,
    const struct vg_table *table,
    const struct vg_field *field)
{
    const struct vg_table *sub = field->kind == VG_KIND_MESSAGE ? field->sub : NULL;
    const bool listed = (field->flags & VG_FIELD_REPEATED) != 0;
    const bool keyed = (field->flags & (VG_FIELD_OBJECT | VG_FIELD_MAP)) != 0;
    const bool simple = listed || sub == NULL;
    const bool too_deep = maker->at.step_count == VG_FLAT_DEPTH_MAX;
    const bool bare = sub != NULL && (sub->flags & (VG_TABLE_BARE | VG_TABLE_SHAPES)) != 0;
    const bool as_json = keyed || is_properties(field) ||
                         (!simple && (too_deep || (bare && only_member(sub) == NULL)));
    if (as_json || simple) {
        add_column(maker, table, as_json);
    } else if (bare) {
        maker->at.steps[maker->at.step_count++] = only_member(sub);
        make_member(maker, sub, only_member(sub));
        maker->at.step_count--;
    } else {
        make_members(maker, sub);
    }
}

static void make_members(struct maker *maker, const struct vg_table *table)
{
    const size_t name_size = maker->name_size;
    for (size_t i = 0; i < table->field_count; i++) {
        const struct vg_field *field = &table->fields[i];
        const size_t size = field->piece_size - (sizeof(",\"\":") - 1u);
        maker->name_size = name_size;
        if (name_size + 1 + size > sizeof(maker->name)) {
            maker->no_memory = true;
            return;
        }
        if (name_size > 0) {
            maker->name[maker->name_size++] = '.';
        }
        memcpy(maker->name + maker->name_size, field->piece + 2, size);
        maker->name_size += size;
        const bool recurs = field->kind == VG_KIND_MESSAGE && is_within_itself(maker, field->sub);
        maker->at.steps[maker->at.step_count++] = field;
        if (recurs) {
            add_column(maker, table, true);
        } else {
            make_member(maker, table, field);
        }
        maker->at.step_count--;
    }
    maker->name_size = name_size;
}

/* A row of several shapes has the members of any of them, without a level for the shape. */
static void make_rows(struct maker *maker, const struct vg_table *table)
{
    if ((table->flags & VG_TABLE_SHAPES) == 0) {
        make_members(maker, table);
        return;
    }
    for (size_t i = 0; i < table->field_count; i++) {
        maker->at.steps[0] = &table->fields[i];
        maker->at.step_count = 1;
        make_members(maker, table->fields[i].sub);
    }
    maker->at.step_count = 0;
}

/* Columns of one name are one: the first of them reads the shape that is there. */
static void join_shapes(struct maker *maker)
{
    struct vg_flat_columns *columns = maker->columns;
    size_t used = 0;
    for (size_t i = 0; i < columns->count; i++) {
        const struct vg_flat_column column = columns->items[i];
        struct vg_flat_column *first = NULL;
        for (size_t j = 0; j < used && first == NULL; j++) {
            first = strcmp(columns->items[j].name, column.name) == 0 ? &columns->items[j] : NULL;
        }
        if (first == NULL) {
            columns->items[used++] = column;
            continue;
        }
        struct vg_flat_column *other = vg_arena_alloc(maker->arena, sizeof(*other));
        if (other == NULL) {
            maker->no_memory = true;
            return;
        }
        *other = column;
        other->other = first->other;
        first->other = other;
    }
    columns->count = used;
}

bool vg_flat_columns_make(
    const struct vg_table *table,
    struct vg_arena *arena,
    struct vg_flat_columns *out_columns)
{
    struct vg_flat_columns columns = { .items = NULL };
    struct maker maker = { .arena = arena, .columns = &columns };
    make_rows(&maker, table);
    const size_t count = columns.count;
    columns.items = vg_arena_calloc(arena, count, sizeof(*columns.items));
    columns.count = 0;
    if (columns.items == NULL || maker.no_memory) {
        return false;
    }
    make_rows(&maker, table);
    if ((table->flags & VG_TABLE_SHAPES) != 0 && !maker.no_memory) {
        join_shapes(&maker);
    }
    *out_columns = columns;
    return !maker.no_memory;
}

/* --- What stands in a column --------------------------------------------------------------------
 */

static bool is_set(const struct vg_field *field, const uint8_t *message)
{
    if ((field->flags & VG_FIELD_REPEATED) != 0) {
        size_t count;
        memcpy(&count, message + field->quantifier, sizeof(count));
        return count > 0;
    }
    if (field->quantifier == 0) {
        const void *pointer;
        memcpy(&pointer, message + field->offset, sizeof(pointer));
        return pointer != NULL;
    }
    protobuf_c_boolean has;
    memcpy(&has, message + field->quantifier, sizeof(has));
    return has != 0;
}

static void set_text(struct vg_flat_cell *cell, struct vg_bytes text)
{
    cell->kind = VG_FLAT_TEXT;
    cell->text = text;
}

/* A number, or a word or text that needs no memory; false = the value has to be made. */
static bool read_plain(
    const struct vg_field *field,
    const uint8_t *member,
    struct vg_flat_cell *cell)
{
    int32_t word;
    uint64_t wide;
    switch (field->kind) {
    case VG_KIND_INT32:
        memcpy(&word, member, sizeof(word));
        *cell = (struct vg_flat_cell){ .kind = VG_FLAT_INTEGER, .integer = word };
        return true;
    case VG_KIND_UINT32:
        memcpy(&word, member, sizeof(word));
        *cell = (struct vg_flat_cell){ .kind = VG_FLAT_INTEGER, .integer = (uint32_t)word };
        return true;
    case VG_KIND_INT64:
    case VG_KIND_UINT64:
        memcpy(&wide, member, sizeof(wide));
        cell->kind = VG_FLAT_INTEGER;
        cell->integer = (int64_t)wide;
        return field->kind == VG_KIND_INT64 || wide <= INT64_MAX;
    case VG_KIND_DOUBLE:
        cell->kind = VG_FLAT_REAL;
        memcpy(&cell->real, member, sizeof(cell->real));
        return cell->real - cell->real == 0; /* neither infinite nor no number */
    case VG_KIND_BOOL:
        memcpy(&word, member, sizeof(word));
        set_text(cell, vg_bytes_text(word != 0 ? "true" : "false"));
        return true;
    case VG_KIND_ENUM: {
        memcpy(&word, member, sizeof(word));
        const struct vg_word *found = vg_contract_word(field->sub, word);
        if (found != NULL) {
            set_text(cell, vg_bytes(found->text, found->size));
        }
        return true;
    }
    case VG_KIND_STRING: {
        const char *text;
        memcpy(&text, member, sizeof(text));
        set_text(cell, vg_bytes_text(text == NULL ? "" : text));
        return true;
    }
    default:
        return false;
    }
}

static void append_number(const struct vg_flat_cell *cell, struct vg_buffer *scratch)
{
    char text[VG_TEXT_NUMBER_SIZE];
    size_t size = cell->kind == VG_FLAT_INTEGER ? vg_text_number_print_int64(cell->integer, text)
                                                : vg_text_number_print_double(cell->real, text);
    vg_buffer_append(scratch, text, size);
}

/* The elements of a list, joined. */
static bool join_list(
    const struct vg_field *field,
    const uint8_t *message,
    struct vg_buffer *scratch)
{
    size_t count;
    const uint8_t *items;
    memcpy(&count, message + field->quantifier, sizeof(count));
    memcpy(&items, message + field->offset, sizeof(items));
    for (size_t i = 0; i < count; i++, items += vg_wire_item_size(field)) {
        struct vg_flat_cell cell = { .kind = VG_FLAT_EMPTY };
        if (i > 0) {
            vg_buffer_append_byte(scratch, ';');
        }
        if (field->kind == VG_KIND_MESSAGE) {
            const ProtobufCMessage *item;
            memcpy(&item, items, sizeof(item));
            if (!vg_json_write(field->sub, item, &vg_json_documented, scratch)) {
                return false;
            }
        } else if (read_plain(field, items, &cell)) {
            if (cell.kind == VG_FLAT_TEXT) {
                vg_buffer_append(scratch, cell.text.data, cell.text.size);
            } else if (cell.kind != VG_FLAT_EMPTY) {
                append_number(&cell, scratch);
            }
        }
    }
    return !scratch->failed;
}

/* What `scratch` holds, JSON or a joined list: bytes without their quotes, and nothing for a null.
 */
static void set_made(struct vg_flat_cell *cell, struct vg_buffer *scratch, bool lone, bool joined)
{
    struct vg_bytes made = vg_bytes(scratch->data, scratch->size - 1);
    *cell = (struct vg_flat_cell){ .kind = VG_FLAT_EMPTY };
    if (lone && made.size >= 2 && made.data[0] == '"') {
        scratch->data[made.size - 1] = '\0';
        made = vg_bytes(made.data + 1, made.size - 2);
    }
    if (joined || !vg_bytes_equal(made, vg_bytes_text("null"))) {
        set_text(cell, made);
    }
}

static bool write_json(
    const struct vg_flat_column *column,
    const struct vg_field *field,
    const uint8_t *message,
    struct vg_buffer *scratch)
{
    return vg_json_write_member(
        column->table,
        field,
        (const ProtobufCMessage *)(const void *)message,
        &vg_json_documented,
        scratch);
}

bool vg_flat_column_read(
    const struct vg_flat_column *column,
    const ProtobufCMessage *row,
    struct vg_buffer *scratch,
    struct vg_flat_cell *out_cell)
{
    const uint8_t *message = (const uint8_t *)row;
    while (column->other != NULL && !is_set(column->steps[0], message)) {
        column = column->other;
    }
    const struct vg_field *field = column->steps[0];
    *out_cell = (struct vg_flat_cell){ .kind = VG_FLAT_EMPTY };
    for (uint8_t i = 1; i < column->step_count; i++) {
        const uint8_t *below;
        memcpy(&below, message + field->offset, sizeof(below));
        if (below == NULL) {
            return true;
        }
        message = below;
        field = column->steps[i];
    }
    if (!is_set(field, message)) {
        return true;
    }
    const bool listed = (field->flags & VG_FIELD_REPEATED) != 0;
    if (!column->as_json && !listed && read_plain(field, message + field->offset, out_cell)) {
        return true;
    }
    vg_buffer_clear(scratch);
    if (!(listed && !column->as_json ? join_list(field, message, scratch)
                                     : write_json(column, field, message, scratch))) {
        return false;
    }
    vg_buffer_append_byte(scratch, '\0');
    if (scratch->failed) {
        return false;
    }
    set_made(out_cell, scratch, !column->as_json && !listed, listed && !column->as_json);
    return true;
}
