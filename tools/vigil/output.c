#include "tools/vigil/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/base/utf8.h"
#include "gateway/json/json_write.h"
#include "tools/vigil/cell.h"

/* What is printed at once: a page of answers with room for their JSON. */
#define TEXT_BYTES_MAX (1u << 30)

#define COLUMN_WIDTH_MAX 64u
#define COLUMNS_MAX      12u

bool vg_output_parse(const char *text, enum vg_output *out_output)
{
    static const struct {
        const char *text;
        enum vg_output output;
    } rows[] = {
        { "table", VG_OUTPUT_TABLE },
        { "json", VG_OUTPUT_JSON },
        { "jsonl", VG_OUTPUT_JSONL },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        if (strcmp(rows[i].text, text) == 0) {
            *out_output = rows[i].output;
            return true;
        }
    }
    return false;
}

/* Print what was collected, all or nothing, and give it up. */
static bool print(struct vg_buffer *text)
{
    bool good = !text->failed && fwrite(text->data, 1, text->size, stdout) == text->size &&
                fflush(stdout) == 0;
    vg_buffer_dispose(text);
    return good;
}

static bool put_json(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    struct vg_buffer *text)
{
    bool good = vg_json_write(table, message, &vg_json_documented, text);
    vg_buffer_append_byte(text, '\n');
    return good;
}

bool vg_output_object(
    enum vg_output output,
    const struct vg_table *table,
    const ProtobufCMessage *message)
{
    struct vg_buffer text;
    vg_buffer_init(&text, TEXT_BYTES_MAX);
    if (output == VG_OUTPUT_TABLE) {
        vg_cell_append_lines(table, message, &text);
    } else if (!put_json(table, message, &text)) {
        text.failed = true;
    }
    return print(&text);
}

/* The same without pushing it out: the caller does when it has no more. */
static bool print_on(struct vg_buffer *text, FILE *file)
{
    bool good = !text->failed && fwrite(text->data, 1, text->size, file) == text->size;
    vg_buffer_dispose(text);
    return good;
}

bool vg_output_line(const struct vg_table *table, const ProtobufCMessage *row, FILE *file)
{
    struct vg_buffer text;
    vg_buffer_init(&text, TEXT_BYTES_MAX);
    if (!put_json(table, row, &text)) {
        text.failed = true;
    }
    return print_on(&text, file);
}

bool vg_output_cells(
    const struct vg_command *command,
    const struct vg_table *table,
    const ProtobufCMessage *row,
    FILE *file)
{
    struct vg_buffer text;
    vg_buffer_init(&text, TEXT_BYTES_MAX);
    for (size_t i = 0; i < command->column_count; i++) {
        size_t start = text.size;
        vg_cell_append(table, row, command->columns[i].path, &text);
        vg_buffer_append_text(&text, text.size == start ? "-" : "");
        vg_buffer_append_text(&text, i + 1 == command->column_count ? "\n" : "  ");
    }
    return print_on(&text, file);
}

/* The rows of a list answer: the member `data`. */
struct rows {
    const struct vg_table *table;
    const ProtobufCMessage *const *items;
    size_t count;
};

static const void *member(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const char *name,
    const struct vg_field **out_field)
{
    uint8_t row = vg_contract_find_name(table, name, strlen(name), VG_NAME_DOCUMENTED);
    VG_ASSERT(row != VG_ROW_NONE);
    *out_field = &table->fields[row];
    return (const char *)message + table->fields[row].offset;
}

static struct rows rows_of(const struct vg_table *table, const ProtobufCMessage *message)
{
    const struct vg_field *field = NULL;
    const void *at = member(table, message, "data", &field);
    const char *base = (const char *)message;
    return (struct rows){
        .table = field->sub,
        .items = *(const ProtobufCMessage *const *const *)at,
        .count = *(const size_t *)(const void *)(base + field->quantifier),
    };
}

/* All cells, one behind the other, each with a NUL. */
static void collect(
    const struct vg_command *command,
    const struct rows *rows,
    struct vg_buffer *cells,
    size_t widths[COLUMNS_MAX])
{
    for (size_t i = 0; i < rows->count; i++) {
        for (size_t j = 0; j < command->column_count; j++) {
            size_t start = cells->size;
            vg_cell_append(rows->table, rows->items[i], command->columns[j].path, cells);
            if (cells->size == start) {
                vg_buffer_append_byte(cells, '-');
            }
            size_t width = vg_utf8_count(vg_bytes(cells->data + start, cells->size - start));
            width = width > COLUMN_WIDTH_MAX ? COLUMN_WIDTH_MAX : width;
            widths[j] = width > widths[j] ? width : widths[j];
            vg_buffer_append_byte(cells, '\0');
        }
    }
}

/* One cell, filled to its column but for the last; a text that is too wide is cut and says so. */
static void put_cell(struct vg_bytes cell, size_t width, bool last, struct vg_buffer *text)
{
    size_t used = vg_utf8_count(cell);
    if (used > width && !last) {
        struct vg_bytes start = vg_utf8_cut(cell, width - 1);
        vg_buffer_append(text, start.data, start.size);
        vg_buffer_append_text(text, "…");
        used = width;
    } else {
        vg_buffer_append(text, cell.data, cell.size);
    }
    for (; used < width + 2 && !last; used++) {
        vg_buffer_append_byte(text, ' ');
    }
    if (last) {
        vg_buffer_append_byte(text, '\n');
    }
}

static void put_table(
    const struct vg_command *command,
    const struct rows *rows,
    struct vg_buffer *text)
{
    size_t widths[COLUMNS_MAX] = { 0 };
    struct vg_buffer cells;
    VG_ASSERT(command->column_count <= COLUMNS_MAX);
    vg_buffer_init(&cells, TEXT_BYTES_MAX);
    for (size_t j = 0; j < command->column_count; j++) {
        widths[j] = strlen(command->columns[j].title);
    }
    collect(command, rows, &cells, widths);
    for (size_t j = 0; j < command->column_count; j++) {
        bool last = j + 1 == command->column_count;
        put_cell(vg_bytes_text(command->columns[j].title), widths[j], last, text);
    }
    const char *cell = (const char *)cells.data;
    for (size_t i = 0; i < rows->count && !cells.failed; i++) {
        for (size_t j = 0; j < command->column_count; j++) {
            struct vg_bytes bytes = vg_bytes_text(cell);
            put_cell(bytes, widths[j], j + 1 == command->column_count, text);
            cell += bytes.size + 1;
        }
    }
    text->failed = text->failed || cells.failed;
    vg_buffer_dispose(&cells);
}

/* A page that is not everything says so, where it does not mix with the rows. */
static void note_rest(const struct vg_table *table, const ProtobufCMessage *message, size_t shown)
{
    const struct vg_field *field = NULL;
    int64_t count = *(const int64_t *)member(table, message, "count", &field);
    if (count >= 0 && (uint64_t)count > shown) {
        (void)fprintf(
            stderr,
            "%zu of %" PRId64 " shown; --limit and --offset show others\n",
            shown,
            count);
    }
}

bool vg_output_list(
    enum vg_output output,
    const struct vg_command *command,
    const struct vg_table *table,
    const ProtobufCMessage *message)
{
    struct vg_buffer text;
    struct rows rows = rows_of(table, message);
    vg_buffer_init(&text, TEXT_BYTES_MAX);
    switch (output) {
    case VG_OUTPUT_TABLE:
        put_table(command, &rows, &text);
        break;
    case VG_OUTPUT_JSON:
        if (!put_json(table, message, &text)) {
            text.failed = true;
        }
        break;
    case VG_OUTPUT_JSONL:
        for (size_t i = 0; i < rows.count; i++) {
            if (!put_json(rows.table, rows.items[i], &text)) {
                text.failed = true;
            }
        }
        break;
    }
    bool good = print(&text);
    if (good && output == VG_OUTPUT_TABLE) {
        note_rest(table, message, rows.count);
    }
    return good;
}
