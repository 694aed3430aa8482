#include "gateway/json/json_scalar.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "core/base/base64.h"
#include "core/base/text_number.h"

/* An exponent beyond this says "too large" or "not whole" whatever the digits before it, which are
 * fewer. */
#define EXPONENT_LIMIT INT64_C(1000000000000)

/* Digits that are exact as a double, whatever they are. */
#define DOUBLE_DIGITS_MAX 15u

/* Longest word or name of an enum value, as written. */
#define WORD_MAX 255u

/* Longest text looked at as a number or a bool; what is longer is neither. */
#define TEXT_NUMBER_MAX 400u

/* The exponent behind the e or E at `at`. */
static int64_t read_exponent(struct vg_bytes raw, size_t at)
{
    int64_t exponent = 0;
    bool negative = raw.data[at + 1] == '-';
    at += raw.data[at + 1] == '-' || raw.data[at + 1] == '+' ? 2 : 1;
    for (; at < raw.size && exponent < EXPONENT_LIMIT; at++) {
        exponent = exponent * 10 + (raw.data[at] - '0');
    }
    return negative ? -exponent : exponent;
}

bool vg_json_number_whole(const struct vg_json_scalar *number, uint64_t *out_magnitude)
{
    if (number->plain) {
        *out_magnitude = number->magnitude;
        return true;
    }
    /* Value = magnitude x 10^(zeros - fraction + exponent): `zeros` are held back, so that 5.000
     * stays 5. */
    uint64_t magnitude = 0;
    int64_t zeros = 0;
    int64_t fraction = 0;
    bool behind_point = false;
    bool overflow = false;
    struct vg_bytes raw = number->raw;
    size_t at = number->negative;
    for (; at < raw.size && (raw.data[at] | 0x20) != 'e'; at++) {
        if (raw.data[at] == '.') {
            behind_point = true;
            continue;
        }
        fraction += behind_point;
        zeros++;
        if (raw.data[at] != '0') {
            for (; zeros > 0 && !overflow; zeros--) {
                overflow = magnitude != 0 && __builtin_mul_overflow(magnitude, 10, &magnitude);
            }
            overflow =
                overflow ||
                __builtin_add_overflow(magnitude, (uint64_t)(raw.data[at] - '0'), &magnitude);
            zeros = 0;
        }
    }
    int64_t exponent = at < raw.size ? read_exponent(raw, at) : 0;
    if (overflow) {
        return false;
    }
    if (magnitude != 0) {
        int64_t power = zeros - fraction + exponent;
        if (power < 0 || power > 19) {
            return false;
        }
        for (; power > 0; power--) {
            if (__builtin_mul_overflow(magnitude, 10, &magnitude)) {
                return false;
            }
        }
    }
    *out_magnitude = magnitude;
    return true;
}

static enum vg_json_fit store_integer(
    const struct vg_field *field,
    const struct vg_json_scalar *number,
    uint8_t *member)
{
    uint64_t magnitude;
    if (!vg_json_number_whole(number, &magnitude)) {
        return VG_JSON_FIT_VALUE;
    }
    bool negative = number->negative && magnitude != 0;
    bool narrow = field->kind == VG_KIND_INT32 || field->kind == VG_KIND_UINT32;
    bool is_signed = field->kind == VG_KIND_INT32 || field->kind == VG_KIND_INT64;
    uint64_t most = narrow ? UINT32_MAX : UINT64_MAX;
    if (is_signed) {
        most = (most >> 1) + negative;
    }
    if (magnitude > most || (negative && !is_signed)) {
        return VG_JSON_FIT_VALUE;
    }
    uint64_t value = negative ? 0 - magnitude : magnitude;
    if (narrow) {
        uint32_t word = (uint32_t)value;
        memcpy(member, &word, 4);
    } else {
        memcpy(member, &value, 8);
    }
    return VG_JSON_FIT_OK;
}

/*
 * A number of at most 15 digits and no exponent, such as a coordinate: digits and power of ten are
 * exact doubles, so their quotient is rounded just once and is what strtod gives.
 */
static bool short_double(const struct vg_json_scalar *number, double *out_value)
{
    static const double powers[] = { 1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    uint64_t digits = 0;
    size_t fraction = 0;
    bool behind_point = false;
    if (number->raw.size > DOUBLE_DIGITS_MAX) {
        return false;
    }
    for (size_t at = number->negative; at < number->raw.size; at++) {
        uint8_t c = number->raw.data[at];
        if (c == '.') {
            behind_point = true;
            continue;
        }
        if (c < '0' || c > '9') {
            return false;
        }
        digits = digits * 10 + (uint64_t)(c - '0');
        fraction += behind_point;
    }
    double value = (double)digits / powers[fraction];
    *out_value = number->negative ? -value : value;
    return true;
}

static enum vg_json_fit store_double(const struct vg_json_scalar *number, uint8_t *member)
{
    double value;
    if (!short_double(number, &value) && !vg_text_number_parse_double(number->raw, &value)) {
        return VG_JSON_FIT_VALUE;
    }
    memcpy(member, &value, 8);
    return VG_JSON_FIT_OK;
}

static enum vg_json_fit store_text(
    const struct vg_json_target *target,
    struct vg_bytes text,
    bool escaped,
    uint8_t *member)
{
    struct vg_packed_text *texts = target->texts;
    if (!vg_packed_text_room(texts, text.size + 1, target->left)) {
        return VG_JSON_FIT_MEMORY;
    }
    uint8_t *copy = texts->next;
    size_t size = text.size;
    if (escaped) {
        size = vg_json_unescape(text, copy);
    } else if (size > 0) {
        memcpy(copy, text.data, size);
    }
    copy[size] = '\0';
    texts->next = copy + size + 1;
    memcpy(member, &copy, sizeof(copy));
    return VG_JSON_FIT_OK;
}

/* A whole number as canonical digits, any other number as written; true and false as those words.
 */
static enum vg_json_fit store_as_text(
    const struct vg_json_target *target,
    const struct vg_json_scalar *scalar,
    uint8_t *member)
{
    if (scalar->kind != VG_JSON_NUMBER || (scalar->plain && scalar->magnitude != 0)) {
        return store_text(target, scalar->raw, false, member);
    }
    uint64_t magnitude;
    if (!vg_json_number_whole(scalar, &magnitude)) {
        return store_text(target, scalar->raw, false, member);
    }
    char digits[VG_TEXT_NUMBER_SIZE + 1] = "-";
    size_t size = vg_text_number_print_uint64(magnitude, digits + 1);
    bool negative = scalar->negative && magnitude != 0;
    struct vg_bytes text = negative ? vg_bytes(digits, size + 1) : vg_bytes(digits + 1, size);
    return store_text(target, text, false, member);
}

/* The number of an enum value by its .proto name, which protoc-c keeps. */
static bool find_value(
    const struct vg_json_target *target,
    const struct vg_field *field,
    struct vg_bytes name,
    int32_t *out_number)
{
    char text[WORD_MAX + 1];
    const ProtobufCFieldDescriptor *found =
        protobuf_c_message_descriptor_get_field(target->owner, field->number);
    if (found == NULL || name.size > WORD_MAX) {
        return false;
    }
    if (name.size > 0) {
        memcpy(text, name.data, name.size);
    }
    text[name.size] = '\0';
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(found->descriptor, text);
    if (value == NULL) {
        return false;
    }
    *out_number = value->value;
    return true;
}

static enum vg_json_fit store_word(
    const struct vg_json_target *target,
    const struct vg_field *field,
    const struct vg_json_scalar *scalar,
    uint8_t *member)
{
    if (!target->dialect->words && scalar->kind == VG_JSON_NUMBER) {
        struct vg_field as_number = *field;
        as_number.kind = VG_KIND_INT32;
        return store_integer(&as_number, scalar, member);
    }
    if (scalar->kind != VG_JSON_TEXT) {
        return VG_JSON_FIT_TYPE;
    }
    struct vg_bytes text = scalar->raw;
    uint8_t plain[WORD_MAX];
    if (scalar->escaped) {
        if (text.size > sizeof(plain)) {
            return VG_JSON_FIT_VALUE;
        }
        text = vg_bytes(plain, vg_json_unescape(text, plain));
    }
    int32_t number;
    if (target->dialect->words) {
        number = vg_contract_find_word(field->sub, (const char *)text.data, text.size);
        if (number == 0) {
            return VG_JSON_FIT_VALUE;
        }
    } else if (!find_value(target, field, text, &number)) {
        return VG_JSON_FIT_VALUE;
    }
    memcpy(member, &number, 4);
    return VG_JSON_FIT_OK;
}

static struct vg_bytes trim(struct vg_bytes text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = vg_bytes(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

static enum vg_json_fit store_bool(
    const struct vg_json_target *target,
    const struct vg_json_scalar *scalar,
    uint8_t *member)
{
    protobuf_c_boolean value = scalar->kind == VG_JSON_TRUE;
    if (scalar->kind == VG_JSON_NUMBER) {
        return VG_JSON_FIT_TYPE;
    }
    if (scalar->kind == VG_JSON_TEXT) {
        struct vg_bytes text = trim(scalar->raw);
        value = text.size == 4 && strncasecmp((const char *)text.data, "true", 4) == 0;
        bool is_false = text.size == 5 && strncasecmp((const char *)text.data, "false", 5) == 0;
        if (!target->dialect->lenient) {
            return VG_JSON_FIT_TYPE;
        }
        if (!value && !is_false) {
            return VG_JSON_FIT_VALUE;
        }
    }
    memcpy(member, &value, 4);
    return VG_JSON_FIT_OK;
}

/* What JSON has no number for, as the JSON of protobuf tooling spells it. */
static bool store_odd_double(struct vg_bytes text, uint8_t *member)
{
    static const struct {
        const char *name;
        double value;
    } rows[] = { { "NaN", NAN }, { "Infinity", INFINITY }, { "-Infinity", -INFINITY } };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        if (vg_bytes_equal(text, vg_bytes_text(rows[i].name))) {
            memcpy(member, &rows[i].value, sizeof(rows[i].value));
            return true;
        }
    }
    return false;
}

static enum vg_json_fit store_number(
    const struct vg_json_target *target,
    const struct vg_field *field,
    const struct vg_json_scalar *scalar,
    uint8_t *member)
{
    const bool lenient = target->dialect->lenient;
    struct vg_json_scalar number = *scalar;
    uint8_t plain[TEXT_NUMBER_MAX];
    if (scalar->kind == VG_JSON_TEXT) {
        if (scalar->raw.size > sizeof(plain)) {
            return VG_JSON_FIT_VALUE;
        }
        struct vg_bytes text = scalar->raw;
        if (scalar->escaped) {
            text = vg_bytes(plain, vg_json_unescape(text, plain));
        }
        if (!lenient && field->kind == VG_KIND_DOUBLE && store_odd_double(text, member)) {
            return VG_JSON_FIT_OK;
        }
        if (!vg_json_scalar_from_text(lenient ? trim(text) : text, &number)) {
            return VG_JSON_FIT_VALUE;
        }
    } else if (scalar->kind != VG_JSON_NUMBER) {
        return VG_JSON_FIT_TYPE;
    }
    return field->kind == VG_KIND_DOUBLE ? store_double(&number, member)
                                         : store_integer(field, &number, member);
}

static enum vg_json_fit store_data(
    const struct vg_json_target *target,
    const struct vg_json_scalar *scalar,
    uint8_t *member)
{
    if (scalar->kind != VG_JSON_TEXT) {
        return VG_JSON_FIT_TYPE;
    }
    size_t decoded_max = vg_base64_decoded_max(scalar->raw.size);
    uint8_t *decoded = vg_arena_alloc(target->texts->arena, decoded_max + scalar->raw.size);
    if (decoded == NULL) {
        return VG_JSON_FIT_MEMORY;
    }
    /* Base64 may hold an escaped slash. */
    size_t size = vg_json_unescape(scalar->raw, decoded + decoded_max);
    ProtobufCBinaryData data = { .data = decoded };
    if (!vg_base64_decode(
            vg_bytes(decoded + decoded_max, size),
            VG_BASE64_ANY_PADDING | VG_BASE64_ANY_ALPHABET,
            data.data,
            &data.len)) {
        return VG_JSON_FIT_VALUE;
    }
    memcpy(member, &data, sizeof(data));
    return VG_JSON_FIT_OK;
}

enum vg_json_fit vg_json_scalar_store(
    const struct vg_json_target *target,
    const struct vg_field *field,
    const struct vg_json_scalar *scalar,
    uint8_t *member)
{
    switch (field->kind) {
    case VG_KIND_STRING:
        if (scalar->kind == VG_JSON_TEXT) {
            return store_text(target, scalar->raw, scalar->escaped, member);
        }
        return target->dialect->lenient ? store_as_text(target, scalar, member) : VG_JSON_FIT_TYPE;
    case VG_KIND_ENUM:
        return store_word(target, field, scalar, member);
    case VG_KIND_BOOL:
        return store_bool(target, scalar, member);
    case VG_KIND_BYTES:
        return store_data(target, scalar, member);
    default:
        return store_number(target, field, scalar, member);
    }
}

const char *vg_json_expected(const struct vg_field *field)
{
    static const char *const expected[] = {
        [VG_KIND_INT32] = "a whole number of 32 bits",
        [VG_KIND_INT64] = "a whole number of 64 bits",
        [VG_KIND_UINT32] = "a whole number of 32 bits, not negative",
        [VG_KIND_UINT64] = "a whole number of 64 bits, not negative",
        [VG_KIND_BOOL] = "true or false",
        [VG_KIND_DOUBLE] = "a number",
        [VG_KIND_ENUM] = "one of the documented words",
        [VG_KIND_STRING] = "a text",
        [VG_KIND_BYTES] = "bytes in base64",
        [VG_KIND_MESSAGE] = "an object",
    };
    return expected[field->kind];
}
