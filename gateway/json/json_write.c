/*
 * Every append is one check for room, made for the whole of a name and a scalar at once, and then
 * plain stores. Texts are scanned and copied sixteen bytes at a time; only a block with something
 * to escape is looked at byte by byte.
 */
#include "gateway/json/json_write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/base/assert.h"
#include "core/base/base64.h"
#include "core/base/text_number.h"
#include "core/wire/wire_field.h"

/* Room for any number, null or bracket, and a comma. */
#define SCALAR_ROOM 40u
/* Most bytes one byte of a text takes: \u001f. */
#define ESCAPE_ROOM 6u

/* Powers of ten and whole numbers below 2^53 are exact as doubles, so one division rounds just
 * once. */
#define DECIMALS_MAX 6
#define EXACT_MAX    1e15

struct writer {
    uint8_t *next;
    uint8_t *end;
    struct vg_buffer *buffer;
    const struct vg_json_dialect *dialect;
};

static bool make_room(struct writer *writer, size_t size)
{
    struct vg_buffer *buffer = writer->buffer;
    if (buffer->data != NULL) {
        buffer->size = (size_t)(writer->next - buffer->data);
    }
    bool done = vg_buffer_reserve(buffer, size);
    if (buffer->data != NULL) {
        writer->next = buffer->data + buffer->size;
        writer->end = buffer->data + buffer->capacity;
    }
    return done;
}

static inline bool room(struct writer *writer, size_t size)
{
    return (size_t)(writer->end - writer->next) >= size || make_room(writer, size);
}

/* The put functions below need room made before. */
static inline void put(struct writer *writer, const char *text, size_t size)
{
    memcpy(writer->next, text, size);
    writer->next += size;
}

/* The same for names and words, which are short: two copies that overlap instead of a call. */
static inline void put_short(struct writer *writer, const char *text, size_t size)
{
    uint8_t *to = writer->next;
    writer->next += size;
    if (size > 32) {
        memcpy(to, text, size);
    } else if (size >= 16) {
        memcpy(to, text, 16);
        memcpy(to + size - 16, text + size - 16, 16);
    } else if (size >= 8) {
        memcpy(to, text, 8);
        memcpy(to + size - 8, text + size - 8, 8);
    } else if (size >= 4) {
        memcpy(to, text, 4);
        memcpy(to + size - 4, text + size - 4, 4);
    } else {
        for (size_t i = 0; i < size; i++) {
            to[i] = (uint8_t)text[i];
        }
    }
}

static inline void put_byte(struct writer *writer, char byte)
{
    *writer->next++ = (uint8_t)byte;
}

static void put_null(struct writer *writer)
{
    put(writer, "null", 4);
}

static size_t count_digits(uint64_t value)
{
    static const uint64_t powers[] = {
        UINT64_C(0),
        UINT64_C(10),
        UINT64_C(100),
        UINT64_C(1000),
        UINT64_C(10000),
        UINT64_C(100000),
        UINT64_C(1000000),
        UINT64_C(10000000),
        UINT64_C(100000000),
        UINT64_C(1000000000),
        UINT64_C(10000000000),
        UINT64_C(100000000000),
        UINT64_C(1000000000000),
        UINT64_C(10000000000000),
        UINT64_C(100000000000000),
        UINT64_C(1000000000000000),
        UINT64_C(10000000000000000),
        UINT64_C(100000000000000000),
        UINT64_C(1000000000000000000),
        UINT64_C(10000000000000000000),
    };
    /* 1233 / 4096 is log10(2), near enough for 64 bits: one too few at most. */
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    unsigned below = bits * 1233 >> 12;
    return below + (value >= powers[below]);
}

/* Straight to where they belong, from the last digit on. */
static void put_unsigned(struct writer *writer, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    writer->next += count_digits(value);
    uint8_t *at = writer->next;
    while (value >= 100) {
        at -= 2;
        memcpy(at, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        memcpy(at - 2, pairs + 2 * value, 2);
    } else {
        at[-1] = (uint8_t)('0' + value);
    }
}

static void put_signed(struct writer *writer, int64_t value)
{
    uint64_t magnitude = (uint64_t)value;
    if (value < 0) {
        put_byte(writer, '-');
        magnitude = 0 - magnitude;
    }
    put_unsigned(writer, magnitude);
}

/*
 * A double of few decimals, such as a coordinate: value x 10^n is whole, and dividing back gives
 * just this double, so those digits are what printing 15 digits would give. False for any other.
 */
static bool put_short_double(struct writer *writer, double value)
{
    static const double powers[] = { 1, 10, 100, 1e3, 1e4, 1e5, 1e6 };
    static const uint64_t whole_powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };
    double magnitude = fabs(value);
    if (!(magnitude < EXACT_MAX) || (value == 0 && signbit(value))) {
        return false;
    }
    for (int n = 0; n <= DECIMALS_MAX; n++) {
        double scaled = magnitude * powers[n];
        if (!(scaled < EXACT_MAX)) {
            return false;
        }
        uint64_t whole = (uint64_t)(scaled + 0.5);
        if ((double)whole / powers[n] != magnitude) {
            continue;
        }
        if (value < 0) {
            put_byte(writer, '-');
        }
        put_unsigned(writer, whole / whole_powers[n]);
        uint64_t rest = whole % whole_powers[n];
        if (n > 0) {
            put_byte(writer, '.');
            for (int digit = n - 1; digit >= 0; digit--) {
                put_byte(writer, (char)('0' + rest / whole_powers[digit] % 10));
            }
        }
        return true;
    }
    return false;
}

static void put_double(struct writer *writer, double value)
{
    if (!isfinite(value)) {
        if (writer->dialect->unset_shown) {
            put_null(writer);
        } else {
            const char *name = isnan(value) ? "\"NaN\""
                               : value > 0  ? "\"Infinity\""
                                            : "\"-Infinity\"";
            put(writer, name, strlen(name));
        }
        return;
    }
    if (!put_short_double(writer, value)) {
        char text[VG_TEXT_NUMBER_SIZE];
        put(writer, text, vg_text_number_print_double(value, text));
    }
}

/* The number at `member`; a 64-bit one in quotes where the dialect wants it. */
static void put_number(struct writer *writer, const struct vg_field *field, const uint8_t *member)
{
    uint32_t word;
    uint64_t value;
    double number;
    bool quoted = writer->dialect->wide_as_text;
    switch (field->kind) {
    case VG_KIND_INT32:
        memcpy(&word, member, 4);
        put_signed(writer, (int32_t)word);
        return;
    case VG_KIND_UINT32:
        memcpy(&word, member, 4);
        put_unsigned(writer, word);
        return;
    case VG_KIND_BOOL:
        memcpy(&word, member, 4);
        put(writer, word != 0 ? "true" : "false", word != 0 ? 4 : 5);
        return;
    case VG_KIND_DOUBLE:
        memcpy(&number, member, 8);
        put_double(writer, number);
        return;
    default:
        break;
    }
    memcpy(&value, member, 8);
    if (quoted) {
        put_byte(writer, '"');
    }
    if (field->kind == VG_KIND_INT64) {
        put_signed(writer, (int64_t)value);
    } else {
        put_unsigned(writer, value);
    }
    if (quoted) {
        put_byte(writer, '"');
    }
}

static void put_escaped(struct writer *writer, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    static const char
        letters[' '] = { ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };
    put_byte(writer, '\\');
    if (byte >= ' ') {
        put_byte(writer, (char)byte);
    } else if (letters[byte] != 0) {
        put_byte(writer, letters[byte]);
    } else {
        put(writer, "u00", 3);
        put_byte(writer, hex[byte >> 4]);
        put_byte(writer, hex[byte & 15]);
    }
}

static inline bool is_plain(uint8_t byte)
{
    return byte >= ' ' && byte != '"' && byte != '\\';
}

/* Copy what needs no escape; returns how much. There is room for `size` bytes and 16 more. */
static inline size_t put_plain(struct writer *writer, const uint8_t *text, size_t size)
{
    size_t at = 0;
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1F);
    for (; size - at >= 16; at += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
        _mm_storeu_si128((__m128i *)(void *)(writer->next + at), block);
        __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)),
            _mm_cmpeq_epi8(_mm_min_epu8(block, control), block));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask != 0) {
            at += (size_t)__builtin_ctz(mask);
            writer->next += at;
            return at;
        }
    }
#endif
    while (at < size && is_plain(text[at])) {
        writer->next[at] = text[at];
        at++;
    }
    writer->next += at;
    return at;
}

static bool write_text(struct writer *writer, const uint8_t *text, size_t size)
{
    if (!room(writer, size + SCALAR_ROOM)) {
        return false;
    }
    put_byte(writer, '"');
    size_t at = put_plain(writer, text, size);
    while (at < size) {
        if (!room(writer, size - at + ESCAPE_ROOM + SCALAR_ROOM)) {
            return false;
        }
        put_escaped(writer, text[at++]);
        at += put_plain(writer, text + at, size - at);
    }
    put_byte(writer, '"');
    return true;
}

/* The .proto name of an enum value, which protoc-c keeps; NULL for a number without one. */
static const char *value_name(
    const struct vg_table *table,
    const struct vg_field *field,
    int32_t number)
{
    const ProtobufCFieldDescriptor *found =
        protobuf_c_message_descriptor_get_field(table->descriptor, field->number);
    const ProtobufCEnumValue *value =
        found == NULL ? NULL : protobuf_c_enum_descriptor_get_value(found->descriptor, number);
    return value == NULL ? NULL : value->name;
}

static bool write_word(
    struct writer *writer,
    const struct vg_table *table,
    const struct vg_field *field,
    const uint8_t *member)
{
    int32_t number;
    memcpy(&number, member, 4);
    struct vg_bytes word = vg_bytes(NULL, 0);
    if (writer->dialect->words) {
        const struct vg_word *found = vg_contract_word(field->sub, number);
        word = found == NULL ? word : vg_bytes(found->text, found->size);
    } else {
        word = vg_bytes_text(value_name(table, field, number));
    }
    if (!room(writer, word.size + SCALAR_ROOM)) {
        return false;
    }
    if (word.data == NULL) {
        if (writer->dialect->words) {
            put_null(writer);
        } else {
            put_signed(writer, number);
        }
        return true;
    }
    put_byte(writer, '"');
    put_short(writer, (const char *)word.data, word.size);
    put_byte(writer, '"');
    return true;
}

static bool write_data(struct writer *writer, const ProtobufCBinaryData *data)
{
    size_t size = vg_base64_encoded_size(data->len, VG_BASE64_STANDARD);
    if (!room(writer, size + SCALAR_ROOM)) {
        return false;
    }
    put_byte(writer, '"');
    vg_base64_encode(vg_bytes(data->data, data->len), VG_BASE64_STANDARD, (char *)writer->next);
    writer->next += size;
    put_byte(writer, '"');
    return true;
}

static bool write_message(
    struct writer *writer,
    const struct vg_table *table,
    const uint8_t *message);

/* One value at `member`. Behind it there is room for a comma or bracket. */
static bool write_value(
    struct writer *writer,
    const struct vg_table *table,
    const struct vg_field *field,
    const uint8_t *member)
{
    const uint8_t *pointer;
    switch (field->kind) {
    case VG_KIND_STRING:
        memcpy(&pointer, member, sizeof(pointer));
        return pointer == NULL ? write_text(writer, (const uint8_t *)"", 0)
                               : write_text(writer, pointer, strlen((const char *)pointer));
    case VG_KIND_MESSAGE:
        memcpy(&pointer, member, sizeof(pointer));
        VG_ASSERT(pointer != NULL);
        return write_message(writer, field->sub, pointer);
    case VG_KIND_ENUM:
        return write_word(writer, table, field, member);
    case VG_KIND_BYTES:
        return write_data(writer, (const ProtobufCBinaryData *)(const void *)member);
    default:
        if (!room(writer, SCALAR_ROOM)) {
            return false;
        }
        put_number(writer, field, member);
        return true;
    }
}

/* `key: value` of the entry message that `item` points to; a key that is absent means "". */
static bool write_entry(struct writer *writer, const struct vg_table *table, const uint8_t *item);

static bool write_list(
    struct writer *writer,
    const struct vg_table *table,
    const struct vg_field *field,
    const uint8_t *message)
{
    size_t count;
    const uint8_t *items;
    bool entries = (field->flags & VG_FIELD_MAP) != 0 ||
                   ((field->flags & VG_FIELD_OBJECT) != 0 && writer->dialect->shaped);
    memcpy(&count, message + field->quantifier, sizeof(count));
    memcpy(&items, message + field->offset, sizeof(items));
    if (!room(writer, SCALAR_ROOM)) {
        return false;
    }
    put_byte(writer, entries ? '{' : '[');
    for (size_t i = 0; i < count; i++, items += vg_wire_item_size(field)) {
        if (i > 0) {
            if (!room(writer, SCALAR_ROOM)) {
                return false;
            }
            put_byte(writer, ',');
        }
        if (!(entries ? write_entry(writer, field->sub, items)
                      : write_value(writer, table, field, items))) {
            return false;
        }
    }
    if (!room(writer, SCALAR_ROOM)) {
        return false;
    }
    put_byte(writer, entries ? '}' : ']');
    return true;
}

static inline bool is_set(const struct vg_field *field, const uint8_t *message)
{
    if ((field->flags & VG_FIELD_REPEATED) != 0) {
        size_t count;
        memcpy(&count, message + field->quantifier, sizeof(count));
        return count > 0;
    }
    return vg_wire_is_set(field, message);
}

/* The value of a member, set or not. */
static bool write_member(
    struct writer *writer,
    const struct vg_table *table,
    const struct vg_field *field,
    const uint8_t *message)
{
    if ((field->flags & VG_FIELD_REPEATED) != 0) {
        return write_list(writer, table, field, message);
    }
    if (is_set(field, message)) {
        return write_value(writer, table, field, message + field->offset);
    }
    if (!room(writer, SCALAR_ROOM)) {
        return false;
    }
    put_null(writer);
    return true;
}

static bool write_entry(struct writer *writer, const struct vg_table *table, const uint8_t *item)
{
    const struct vg_field *value = &table->fields[1];
    const uint8_t *entry;
    memcpy(&entry, item, sizeof(entry));
    if (!write_value(writer, table, &table->fields[0], entry + table->fields[0].offset) ||
        !room(writer, SCALAR_ROOM)) {
        return false;
    }
    put_byte(writer, ':');
    bool text = value->kind == VG_KIND_STRING && (value->flags & VG_FIELD_REPEATED) == 0;
    /* A text left out of an entry means "", so it is written as one. */
    return text ? write_value(writer, table, value, entry + value->offset)
                : write_member(writer, table, value, entry);
}

/* The member that is set stands for the whole. */
static bool write_bare(struct writer *writer, const struct vg_table *table, const uint8_t *message)
{
    for (size_t i = 0; i < table->field_count; i++) {
        if (is_set(&table->fields[i], message)) {
            return write_member(writer, table, &table->fields[i], message);
        }
    }
    if (!room(writer, SCALAR_ROOM)) {
        return false;
    }
    if (table->bare_list != VG_ROW_NONE && (table->flags & VG_TABLE_SHAPES) == 0) {
        put(writer, "[]", 2);
    } else {
        put_null(writer);
    }
    return true;
}

static bool write_message(
    struct writer *writer,
    const struct vg_table *table,
    const uint8_t *message)
{
    if (writer->dialect->shaped && (table->flags & (VG_TABLE_BARE | VG_TABLE_SHAPES)) != 0) {
        return write_bare(writer, table, message);
    }
    bool first = true;
    if (!room(writer, SCALAR_ROOM)) {
        return false;
    }
    put_byte(writer, '{');
    for (size_t i = 0; i < table->field_count; i++) {
        const struct vg_field *field = &table->fields[i];
        if (!writer->dialect->unset_shown && !is_set(field, message)) {
            continue;
        }
        if (!room(writer, field->piece_size + SCALAR_ROOM)) {
            return false;
        }
        put_short(writer, field->piece + first, (size_t)field->piece_size - first);
        first = false;
        if (!write_member(writer, table, field, message)) {
            return false;
        }
    }
    if (!room(writer, SCALAR_ROOM)) {
        return false;
    }
    put_byte(writer, '}');
    return true;
}

static struct writer writer_at(struct vg_buffer *buffer, const struct vg_json_dialect *dialect)
{
    struct writer writer = { .buffer = buffer, .dialect = dialect };
    if (buffer->data != NULL) {
        writer.next = buffer->data + buffer->size;
        writer.end = buffer->data + buffer->capacity;
    }
    return writer;
}

/* Keep what was written, or nothing of it. */
static bool finish(struct writer *writer, size_t start, bool done)
{
    if (writer->buffer->data != NULL) {
        writer->buffer->size = done ? (size_t)(writer->next - writer->buffer->data) : start;
    }
    return done;
}

bool vg_json_write(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const struct vg_json_dialect *dialect,
    struct vg_buffer *buffer)
{
    size_t start = buffer->size;
    if (buffer->failed) {
        return false;
    }
    struct writer writer = writer_at(buffer, dialect);
    return finish(&writer, start, write_message(&writer, table, (const uint8_t *)message));
}

bool vg_json_write_member(
    const struct vg_table *table,
    const struct vg_field *field,
    const ProtobufCMessage *message,
    const struct vg_json_dialect *dialect,
    struct vg_buffer *buffer)
{
    size_t start = buffer->size;
    if (buffer->failed) {
        return false;
    }
    struct writer writer = writer_at(buffer, dialect);
    return finish(&writer, start, write_member(&writer, table, field, (const uint8_t *)message));
}

bool vg_json_write_text(struct vg_bytes text, struct vg_buffer *buffer)
{
    size_t start = buffer->size;
    if (buffer->failed) {
        return false;
    }
    struct writer writer = writer_at(buffer, &vg_json_documented);
    if (text.data == NULL) {
        bool has_room = room(&writer, SCALAR_ROOM);
        if (has_room) {
            put_null(&writer);
        }
        return finish(&writer, start, has_room);
    }
    return finish(&writer, start, write_text(&writer, text.data, text.size));
}
