#include "tools/vigil/cell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/text_number.h"
#include "core/base/time_text.h"
#include "core/base/utf8.h"
#include "core/wire/field_path.h"

#include "contract_json.h"

#define PREFIX_MAX 256u

#define REPLACEMENT "\xEF\xBF\xBD"

/* The same of valid UTF-8. */
static void append_valid(struct vg_bytes text, struct vg_buffer *out)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        /* C0 and DEL; C1 is C2 80 to C2 9F in UTF-8. */
        bool second_control = byte == 0xC2 && i + 1 < text.size && text.data[i + 1] < 0xA0;
        if (byte < 0x20 || byte == 0x7F || second_control) {
            vg_buffer_append_text(out, REPLACEMENT);
            i += second_control ? 1 : 0;
        } else {
            vg_buffer_append_byte(out, byte);
        }
    }
}

void vg_cell_append_text(struct vg_bytes text, struct vg_buffer *out)
{
    while (text.size > 0) {
        size_t valid = vg_utf8_valid_size(text);
        append_valid(vg_bytes(text.data, valid), out);
        text = vg_bytes(text.data + valid, text.size - valid);
        if (text.size > 0) {
            /* A single byte may steer a terminal too: 9B is a C1 of eight bits. */
            vg_buffer_append_text(out, REPLACEMENT);
            text = vg_bytes(text.data + 1, text.size - 1);
        }
    }
}

/* Times of answers are int64 members named so, and all of TimestampInfo. */
static bool is_time(const struct vg_table *table, const struct vg_field *field)
{
    struct vg_bytes name = vg_field_name(field);
    return field->kind == VG_KIND_INT64 && (field->flags & VG_FIELD_REPEATED) == 0 &&
           (table == &vg_table_vigil_events_v2_timestamp_info ||
            (name.size >= 9 && (memcmp(name.data + name.size - 8, "imestamp", 8) == 0)));
}

static void append_number(int64_t value, struct vg_buffer *out)
{
    char text[VG_TEXT_NUMBER_SIZE];
    vg_buffer_append(out, text, vg_text_number_print_int64(value, text));
}

static void append_enum(const struct vg_words *words, int32_t number, struct vg_buffer *out)
{
    const struct vg_word *word = vg_contract_word(words, number);
    if (word == NULL) {
        append_number(number, out);
    } else {
        vg_buffer_append(out, word->text, word->size);
    }
}

static void append_double(double value, struct vg_buffer *out)
{
    char text[VG_TEXT_NUMBER_SIZE];
    if (value - value == 0) {
        vg_buffer_append(out, text, vg_text_number_print_double(value, text));
    }
}

/* A scalar at `at`; NULL texts append nothing. */
static void append_scalar(const struct vg_field *field, const void *at, struct vg_buffer *out)
{
    switch ((enum vg_kind)field->kind) {
    case VG_KIND_INT32:
        append_number(*(const int32_t *)at, out);
        break;
    case VG_KIND_INT64:
        append_number(*(const int64_t *)at, out);
        break;
    case VG_KIND_UINT32:
        append_number(*(const uint32_t *)at, out);
        break;
    case VG_KIND_UINT64:
        vg_buffer_printf(out, "%" PRIu64, *(const uint64_t *)at);
        break;
    case VG_KIND_BOOL:
        vg_buffer_append_text(out, *(const protobuf_c_boolean *)at ? "true" : "false");
        break;
    case VG_KIND_DOUBLE:
        append_double(*(const double *)at, out);
        break;
    case VG_KIND_ENUM:
        append_enum(field->sub, *(const int32_t *)at, out);
        break;
    case VG_KIND_STRING:
        vg_cell_append_text(vg_bytes_text(*(char *const *)at), out);
        break;
    case VG_KIND_BYTES:
        vg_buffer_printf(out, "(%zu bytes)", ((const ProtobufCBinaryData *)at)->len);
        break;
    case VG_KIND_MESSAGE:
        break;
    }
}

static size_t scalar_size(const struct vg_field *field)
{
    switch ((enum vg_kind)field->kind) {
    case VG_KIND_INT32:
    case VG_KIND_UINT32:
    case VG_KIND_ENUM:
        return sizeof(int32_t);
    case VG_KIND_INT64:
    case VG_KIND_UINT64:
        return sizeof(int64_t);
    case VG_KIND_BOOL:
        return sizeof(protobuf_c_boolean);
    case VG_KIND_DOUBLE:
        return sizeof(double);
    case VG_KIND_BYTES:
        return sizeof(ProtobufCBinaryData);
    case VG_KIND_STRING:
    case VG_KIND_MESSAGE:
        return sizeof(void *);
    }
    VG_UNREACHABLE();
}

static const void *member_at(const ProtobufCMessage *message, uint16_t offset)
{
    return (const char *)message + offset;
}

/* Elements of a list, or 1 for a member that is set, or 0. */
static size_t count_of(const struct vg_field *field, const ProtobufCMessage *message)
{
    if ((field->flags & VG_FIELD_REPEATED) != 0) {
        return *(const size_t *)member_at(message, field->quantifier);
    }
    if (field->quantifier != 0) {
        return *(const protobuf_c_boolean *)member_at(message, field->quantifier) ? 1 : 0;
    }
    return *(void *const *)member_at(message, field->offset) == NULL ? 0 : 1;
}

/* Where element `index` stands. */
static const void *element_at(
    const struct vg_field *field,
    const ProtobufCMessage *message,
    size_t index)
{
    const void *at = member_at(message, field->offset);
    if ((field->flags & VG_FIELD_REPEATED) != 0) {
        at = *(const char *const *)at + index * scalar_size(field);
    }
    return at;
}

static const ProtobufCMessage *sub_message(const void *at)
{
    return *(const ProtobufCMessage *const *)at;
}

static void append_time(int64_t time, struct vg_buffer *out)
{
    char text[VG_TIME_TEXT_SIZE];
    if (time > 0 && time <= VG_TIME_MAX) {
        vg_time_text_print(time, text);
        vg_buffer_append_text(out, text);
    }
}

void vg_cell_append(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const char *path,
    struct vg_buffer *out)
{
    const char *point = strchr(path, '.');
    size_t size = point == NULL ? strlen(path) : (size_t)(point - path);
    uint8_t row = vg_contract_find_name(table, path, size, VG_NAME_DOCUMENTED);
    VG_ASSERT(row != VG_ROW_NONE);
    const struct vg_field *field = &table->fields[row];
    size_t count = count_of(field, message);
    for (size_t i = 0; i < count; i++) {
        const void *at = element_at(field, message, i);
        if (i > 0) {
            vg_buffer_append_byte(out, ',');
        }
        if (point != NULL) {
            VG_ASSERT(field->kind == VG_KIND_MESSAGE);
            vg_cell_append(field->sub, sub_message(at), point + 1, out);
        } else if (is_time(table, field)) {
            append_time(*(const int64_t *)at, out);
        } else {
            append_scalar(field, at, out);
        }
    }
}

static void append_lines(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const char *prefix,
    struct vg_buffer *out);

/* A key with its values: an entry of an object list or map, or a property. */
static bool is_entry(const struct vg_table *table)
{
    return (table->flags & VG_TABLE_ENTRY) != 0 || table == &vg_table_vigil_events_v2_property;
}

/* Its key is the name, its last member what it stands for. */
static void append_entry(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const char *prefix,
    struct vg_buffer *out)
{
    const struct vg_field *value = &table->fields[table->field_count - 1];
    struct vg_bytes name = vg_field_name(value);
    char path[PREFIX_MAX];
    vg_buffer_append_text(out, prefix);
    vg_buffer_append_byte(out, '.');
    append_scalar(&table->fields[0], element_at(&table->fields[0], message, 0), out);
    vg_buffer_append_text(out, ": ");
    memcpy(path, name.data, name.size);
    path[name.size] = '\0';
    vg_cell_append(table, message, path, out);
    vg_buffer_append_byte(out, '\n');
}

static void append_messages(
    const struct vg_field *field,
    const ProtobufCMessage *message,
    const char *prefix,
    struct vg_buffer *out)
{
    const struct vg_table *table = field->sub;
    size_t count = count_of(field, message);
    for (size_t i = 0; i < count; i++) {
        const ProtobufCMessage *element = sub_message(element_at(field, message, i));
        char inner[PREFIX_MAX];
        if (is_entry(table)) {
            append_entry(table, element, prefix, out);
            continue;
        }
        int size = (field->flags & VG_FIELD_REPEATED) != 0
                       ? snprintf(inner, sizeof(inner), "%s[%zu]", prefix, i)
                       : snprintf(inner, sizeof(inner), "%s", prefix);
        VG_ASSERT(size >= 0 && size < (int)sizeof(inner)); /* answers are not that deep */
        append_lines(table, element, inner, out);
    }
}

/* A bare message adds no name of its own. */
static void append_lines(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const char *prefix,
    struct vg_buffer *out)
{
    for (unsigned i = 0; i < table->field_count; i++) {
        const struct vg_field *field = &table->fields[i];
        struct vg_bytes name = vg_field_name(field);
        char path[PREFIX_MAX];
        bool bare = (table->flags & VG_TABLE_BARE) != 0;
        if (count_of(field, message) == 0) {
            continue;
        }
        int size = snprintf(
            path,
            sizeof(path),
            "%s%s%.*s",
            prefix,
            prefix[0] == '\0' || bare ? "" : ".",
            bare ? 0 : (int)name.size,
            (const char *)name.data);
        VG_ASSERT(size >= 0 && size < (int)sizeof(path));
        if (field->kind == VG_KIND_MESSAGE) {
            append_messages(field, message, path, out);
            continue;
        }
        char own[PREFIX_MAX];
        memcpy(own, name.data, name.size);
        own[name.size] = '\0';
        size_t before = out->size;
        vg_buffer_printf(out, "%s: ", path);
        size_t start = out->size;
        vg_cell_append(table, message, own, out);
        if (out->size == start) {
            out->size = before; /* a time that never was */
        } else {
            vg_buffer_append_byte(out, '\n');
        }
    }
}

void vg_cell_append_lines(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    struct vg_buffer *out)
{
    append_lines(table, message, "", out);
}
