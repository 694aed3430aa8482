#include "core/wire/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/text_number.h"
#include "core/base/time_text.h"
#include "core/base/utf8.h"
#include "core/wire/field_path.h"
#include "core/wire/list_unique.h"
#include "core/wire/pattern_match.h"
#include "core/wire/wire_field.h"

#define PARAMETER_MAX 90u /* bytes shown of an offending value */
/* A level of a message pushes one step, an object list a second one for its key. */
#define STEPS_PER_LEVEL 2u
/* Digits of VG_TIME_MAX: a number of fewer is a time. */
#define TIME_DIGITS_MAX 15u

struct validator {
    const struct vg_validation *validation;
    struct vg_error *error;
    bool no_memory;
    size_t step_count;
    struct vg_path_step steps[STEPS_PER_LEVEL * VG_LIMIT_WIRE_DEPTH + 2];
    struct vg_error time_error; /* why a time is none */
};

static void push(struct validator *validator, struct vg_path_step step)
{
    VG_ASSERT(validator->step_count < VG_ARRAY_COUNT(validator->steps));
    validator->steps[validator->step_count++] = step;
}

static void pop(struct validator *validator)
{
    validator->step_count--;
}

static void violate(
    struct validator *validator,
    enum vg_reason reason,
    struct vg_bytes value,
    const char *message)
{
    char path[VG_PATH_TEXT_SIZE];
    char parameter[PARAMETER_MAX + 1];
    (void)vg_path_print(validator->steps, validator->step_count, path);
    struct vg_violation violation = { .reason = reason, .field = path, .message = message };
    if (value.data != NULL) {
        struct vg_bytes shown = vg_utf8_cut_bytes(value, PARAMETER_MAX);
        memcpy(parameter, shown.data, shown.size);
        parameter[shown.size] = '\0';
        violation.parameter = parameter;
    }
    vg_violations_add(&validator->error->violations, &violation);
}

static void violate_value(struct validator *validator, struct vg_bytes value, const char *message)
{
    violate(validator, VG_INVALID_FIELD_VALUE, value, message);
}

/* A required member is not there: the message names it. */
static void violate_missing(struct validator *validator, const struct vg_field *field)
{
    char message[120];
    struct vg_bytes name = vg_field_name(field);
    (void)snprintf(
        message,
        sizeof(message),
        "%.*s is required",
        (int)name.size,
        (const char *)name.data);
    violate(validator, VG_REQUIRED_FIELD, vg_bytes(NULL, 0), message);
}

static void violate_number(struct validator *validator, int64_t number, const char *message)
{
    char text[VG_TEXT_NUMBER_SIZE];
    size_t size = vg_text_number_print_int64(number, text);
    violate_value(validator, vg_bytes(text, size), message);
}

static void violate_range(struct validator *validator, const struct vg_rule *rule, int64_t number)
{
    char message[120];
    if (rule->min == INT64_MIN) {
        (void)snprintf(
            message,
            sizeof(message),
            "The value must be at most %lld",
            (long long)rule->max);
    } else if (rule->max == INT64_MAX) {
        (void)snprintf(
            message,
            sizeof(message),
            "The value must be at least %lld",
            (long long)rule->min);
    } else {
        (void)snprintf(
            message,
            sizeof(message),
            "The value must be from %lld to %lld",
            (long long)rule->min,
            (long long)rule->max);
    }
    violate_number(validator, number, message);
}

static void check_integer(struct validator *validator, const struct vg_rule *rule, int64_t number)
{
    if (number < rule->min || number > rule->max) {
        violate_range(validator, rule, number);
    }
}

static void check_double(struct validator *validator, const struct vg_rule *rule, double number)
{
    bool low = rule->min != INT64_MIN && !(number >= (double)rule->min);
    bool high = rule->max != INT64_MAX && !(number <= (double)rule->max);
    if (low || high) {
        /* Only the sense of the violation is told; the value may be no number at all. */
        char message[120];
        (void)snprintf(
            message,
            sizeof(message),
            low ? "The value must be at least %lld" : "The value must be at most %lld",
            (long long)(low ? rule->min : rule->max));
        violate_value(validator, vg_bytes(NULL, 0), message);
    }
}

static void check_number(
    struct validator *validator,
    const struct vg_field *field,
    const uint8_t *member)
{
    const struct vg_rule *rule = &vg_rules[field->rule];
    int32_t narrow;
    uint32_t positive;
    int64_t wide;
    uint64_t huge;
    double fraction;
    switch (field->kind) {
    case VG_KIND_INT32:
        memcpy(&narrow, member, sizeof(narrow));
        check_integer(validator, rule, narrow);
        return;
    case VG_KIND_UINT32:
        memcpy(&positive, member, sizeof(positive));
        check_integer(validator, rule, positive);
        return;
    case VG_KIND_INT64:
        memcpy(&wide, member, sizeof(wide));
        check_integer(validator, rule, wide);
        return;
    case VG_KIND_UINT64:
        memcpy(&huge, member, sizeof(huge));
        /* A rule cannot say more than INT64_MAX, which there stands for "no maximum". */
        check_integer(validator, rule, huge > INT64_MAX ? INT64_MAX : (int64_t)huge);
        return;
    case VG_KIND_DOUBLE:
        memcpy(&fraction, member, sizeof(fraction));
        check_double(validator, rule, fraction);
        return;
    default:
        return;
    }
}

static void check_text(
    struct validator *validator,
    const struct vg_rule *rule,
    struct vg_bytes text)
{
    char message[200];
    if (rule->length_max != 0 && text.size > rule->length_max &&
        vg_utf8_count(text) > rule->length_max) {
        (void)snprintf(
            message,
            sizeof(message),
            "The text has more than %u characters",
            (unsigned)rule->length_max);
        violate_value(validator, text, message);
    } else if (
        rule->pattern != NULL && !vg_pattern_matches(rule->pattern, (const char *)text.data)) {
        (void)snprintf(message, sizeof(message), "The text must match %.120s", rule->pattern->text);
        violate_value(validator, text, message);
    }
}

/* Is the text decimal milliseconds already, as most clients send them? */
static bool is_milliseconds(struct vg_bytes text)
{
    if (text.size == 0 || text.size >= TIME_DIGITS_MAX || text.data[0] < '1') {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return true;
}

/* Replace the text at `member` by decimal milliseconds. */
static bool resolve_time(struct validator *validator, struct vg_bytes text, uint8_t *member)
{
    vg_time time;
    const struct vg_validation *validation = validator->validation;
    if (is_milliseconds(text)) {
        return true;
    }
    if (vg_time_text_parse(
            text,
            validation->now,
            validation->zone,
            &time,
            &validator->time_error) != VG_OK) {
        violate_value(validator, text, validator->time_error.message);
        return true;
    }
    char digits[VG_TEXT_NUMBER_SIZE];
    size_t size = vg_text_number_print_int64(time, digits);
    if (vg_bytes_equal(text, vg_bytes(digits, size))) {
        return true;
    }
    char *copy = vg_arena_text(validation->arena, vg_bytes(digits, size));
    if (copy == NULL) {
        validator->no_memory = true;
        return false;
    }
    memcpy(member, &copy, sizeof(copy));
    return true;
}

static void check_word(
    struct validator *validator,
    const struct vg_field *field,
    const uint8_t *member)
{
    int32_t number;
    memcpy(&number, member, sizeof(number));
    if (vg_contract_word(field->sub, number) == NULL) {
        violate_number(validator, number, "The value must be one of the documented words");
    }
}

static bool check_message(
    struct validator *validator,
    const struct vg_table *table,
    uint8_t *message);

/* One value at `member`; the steps say where. */
static bool check_value(struct validator *validator, const struct vg_field *field, uint8_t *member)
{
    uint8_t *pointer;
    ProtobufCBinaryData data;
    switch (field->kind) {
    case VG_KIND_MESSAGE:
        memcpy(&pointer, member, sizeof(pointer));
        return check_message(validator, field->sub, pointer);
    case VG_KIND_ENUM:
        check_word(validator, field, member);
        return true;
    case VG_KIND_STRING:
        memcpy(&pointer, member, sizeof(pointer));
        if (field->rule != 0) {
            check_text(validator, &vg_rules[field->rule], vg_bytes_text((const char *)pointer));
        }
        return (field->flags & VG_FIELD_TIME) == 0 ||
               resolve_time(validator, vg_bytes_text((const char *)pointer), member);
    case VG_KIND_BYTES:
        memcpy(&data, member, sizeof(data));
        if (field->rule != 0 && vg_rules[field->rule].length_max != 0 &&
            data.len > vg_rules[field->rule].length_max) {
            violate_value(validator, vg_bytes(NULL, 0), "The bytes are too many");
        }
        return true;
    default:
        if (field->rule != 0) {
            check_number(validator, field, member);
        }
        return true;
    }
}

/* The entries of an object list or map: a step for the list, one for the key. */
static bool check_entries(
    struct validator *validator,
    const struct vg_field *field,
    uint8_t *const *entries,
    size_t count)
{
    const struct vg_table *table = field->sub;
    bool done = true;
    for (size_t i = 0; i < count && done; i++) {
        const char *key;
        memcpy(&key, entries[i] + table->fields[0].offset, sizeof(key));
        push(
            validator,
            (struct vg_path_step){ .key = vg_bytes_text(key == NULL ? "" : key),
                                   .index = VG_PATH_NO_INDEX });
        done = check_message(validator, table, entries[i]);
        pop(validator);
    }
    return done;
}

static size_t load_count(const struct vg_field *field, const uint8_t *message)
{
    size_t count;
    memcpy(&count, message + field->quantifier, sizeof(count));
    return count;
}

static bool check_list(struct validator *validator, const struct vg_field *field, uint8_t *message)
{
    uint8_t *items;
    size_t count = load_count(field, message);
    struct vg_path_step *step = &validator->steps[validator->step_count - 1];
    memcpy(&items, message + field->offset, sizeof(items));
    if (field->rule != 0 && vg_rules[field->rule].items_max != 0 &&
        count > vg_rules[field->rule].items_max) {
        char text[80];
        (void)snprintf(
            text,
            sizeof(text),
            "The list has more than %u elements",
            (unsigned)vg_rules[field->rule].items_max);
        violate_value(validator, vg_bytes(NULL, 0), text);
        return true;
    }
    if ((field->flags & (VG_FIELD_OBJECT | VG_FIELD_MAP)) != 0) {
        return check_entries(validator, field, (uint8_t *const *)(void *)items, count);
    }
    size_t size = vg_wire_item_size(field);
    bool done = true;
    for (size_t i = 0; i < count && done; i++) {
        step->index = (int64_t)i;
        done = check_value(validator, field, items + i * size);
    }
    /* Last, so that indexes are the client's and equal times are equal. */
    if (done && (field->flags & VG_FIELD_UNIQUE) != 0 && count > 1) {
        if (!vg_list_unique(field, items, &count, validator->validation->arena)) {
            validator->no_memory = true;
            return false;
        }
        memcpy(message + field->quantifier, &count, sizeof(count));
    }
    return done;
}

static bool is_set(const struct vg_field *field, const uint8_t *message)
{
    if ((field->flags & VG_FIELD_REPEATED) != 0) {
        return load_count(field, message) > 0;
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

/* Is there anything to look at in this member when it is set? */
static bool is_checked(const struct vg_field *field)
{
    if (field->kind == VG_KIND_MESSAGE) {
        const struct vg_table *table = field->sub;
        return field->rule != 0 || (table->flags & VG_TABLE_CHECKED) != 0;
    }
    return field->rule != 0 || field->kind == VG_KIND_ENUM ||
           (field->flags & (VG_FIELD_TIME | VG_FIELD_UNIQUE)) != 0;
}

static void check_bare(struct validator *validator, const struct vg_table *table, uint8_t *message)
{
    size_t set = 0;
    for (size_t i = 0; i < table->field_count; i++) {
        set += is_set(&table->fields[i], message);
    }
    if (set > 1) {
        violate(
            validator,
            VG_CONFLICTING_FIELDS,
            vg_bytes(NULL, 0),
            "Only one of the forms of this member may be given");
    }
}

static bool check_message(
    struct validator *validator,
    const struct vg_table *table,
    uint8_t *message)
{
    if ((table->flags & VG_TABLE_CHECKED) == 0) {
        return true;
    }
    bool hidden = (table->flags & (VG_TABLE_BARE | VG_TABLE_ENTRY)) != 0;
    if ((table->flags & VG_TABLE_BARE) != 0) {
        check_bare(validator, table, message);
    }
    for (size_t i = 0; i < table->field_count; i++) {
        const struct vg_field *field = &table->fields[i];
        bool required = (field->flags & VG_FIELD_REQUIRED) != 0;
        if (!required && !is_checked(field)) {
            continue;
        }
        bool set = is_set(field, message);
        if (!set && !required) {
            continue;
        }
        push(
            validator,
            (struct vg_path_step){ .field = hidden ? NULL : field, .index = VG_PATH_NO_INDEX });
        bool done = true;
        if (!set) {
            violate_missing(validator, field);
        } else if ((field->flags & VG_FIELD_REPEATED) != 0) {
            done = check_list(validator, field, message);
        } else {
            done = check_value(validator, field, message + field->offset);
        }
        pop(validator);
        if (!done) {
            return false;
        }
    }
    return true;
}

enum vg_reason vg_validate(
    const struct vg_table *table,
    ProtobufCMessage *message,
    const struct vg_validation *validation,
    struct vg_error *error)
{
    struct validator validator;
    if ((table->flags & VG_TABLE_CHECKED) == 0) {
        return VG_OK;
    }
    validator.validation = validation;
    validator.error = error;
    validator.no_memory = false;
    validator.step_count = 0;
    vg_error_init(&validator.time_error, NULL);
    if (!check_message(&validator, table, (uint8_t *)message)) {
        VG_ASSERT(validator.no_memory);
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    return vg_error_from_violations(error);
}

vg_time vg_wire_time(const char *text)
{
    int64_t time = 0;
    /* Validation has put the digits there. */
    VG_ASSERT(vg_text_number_parse_int64(vg_bytes_text(text), &time));
    return time;
}
