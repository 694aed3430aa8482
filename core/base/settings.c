#include "core/base/settings.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/text_number.h"
#include "core/base/utf8.h"

static const struct vg_setting_row rows[] = {
#define X(name, type, value, min, max, unit, text)                                                 \
    {                                                                                              \
        #name, VG_SETTING_TYPE_##type,                                                             \
        value, min,                                                                                \
        max,   unit,                                                                               \
        text,  offsetof(struct vg_settings, name)                                                  \
    },
#include "core/base/settings.def"
#undef X
};

/* What may stand behind a number, the largest first for printing. */
static const struct suffix {
    enum vg_setting_type type;
    const char *text;
    uint64_t factor;
} suffixes[] = {
    { VG_SETTING_TYPE_COUNT, "", 1 },
    { VG_SETTING_TYPE_SIZE, "GiB", UINT64_C(1) << 30 },
    { VG_SETTING_TYPE_SIZE, "MiB", UINT64_C(1) << 20 },
    { VG_SETTING_TYPE_SIZE, "KiB", UINT64_C(1) << 10 },
    { VG_SETTING_TYPE_SIZE, "", 1 },
    { VG_SETTING_TYPE_MS, "h", 3600000 },
    { VG_SETTING_TYPE_MS, "m", 60000 },
    { VG_SETTING_TYPE_MS, "s", 1000 },
    { VG_SETTING_TYPE_MS, "ms", 1 },
    { VG_SETTING_TYPE_MS, "", 1 },
    { VG_SETTING_TYPE_US, "s", 1000000 },
    { VG_SETTING_TYPE_US, "ms", 1000 },
    { VG_SETTING_TYPE_US, "us", 1 },
    { VG_SETTING_TYPE_US, "", 1 },
};

static const char *const type_names[] = {
    [VG_SETTING_TYPE_COUNT] = "a number",
    [VG_SETTING_TYPE_SIZE] = "bytes (a number, with KiB, MiB or GiB)",
    [VG_SETTING_TYPE_MS] = "a time (a number with ms, s, m or h; ms when there is none)",
    [VG_SETTING_TYPE_US] = "a time (a number with us, ms or s; us when there is none)",
    [VG_SETTING_TYPE_BOOL] = "true or false",
    [VG_SETTING_TYPE_TEXT] = "a text",
    [VG_SETTING_TYPE_WORD] = "a word",
};

const struct vg_setting_row *vg_settings_rows(size_t *out_count)
{
    *out_count = VG_ARRAY_COUNT(rows);
    return rows;
}

static const struct vg_setting_row *find_row(struct vg_bytes name)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        if (vg_bytes_equal(vg_bytes_text(rows[i].name), name)) {
            return &rows[i];
        }
    }
    return NULL;
}

static bool parse_amount(enum vg_setting_type type, const char *text, uint64_t *out_amount)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t number;
    if (!vg_text_number_parse_uint64(vg_bytes(text, digits), &number)) {
        return false;
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(suffixes); i++) {
        if (suffixes[i].type == type && strcmp(suffixes[i].text, text + digits) == 0) {
            return !__builtin_mul_overflow(number, suffixes[i].factor, out_amount);
        }
    }
    return false;
}

/* A bound of a row; what the table says is our own and must be right. */
static uint64_t row_bound(const struct vg_setting_row *row, const char *text)
{
    uint64_t bound = 0;
    enum vg_setting_type type =
        row->type == VG_SETTING_TYPE_TEXT ? VG_SETTING_TYPE_COUNT : row->type;
    VG_ASSERT(parse_amount(type, text, &bound));
    return bound;
}

static bool parse_bool(const char *text, bool *out_value)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {
        { "true", true },   { "on", true },   { "yes", true }, { "1", true },
        { "false", false }, { "off", false }, { "no", false }, { "0", false },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(words); i++) {
        if (strcmp(words[i].text, text) == 0) {
            *out_value = words[i].value;
            return true;
        }
    }
    return false;
}

/* The word number `index` of "a|b|c"; empty past the last. */
static struct vg_bytes word_at(const char *words, uint32_t index)
{
    while (index > 0) {
        words = strchr(words, '|');
        if (words == NULL) {
            return vg_bytes(NULL, 0);
        }
        words++;
        index--;
    }
    return vg_bytes(words, strcspn(words, "|"));
}

static bool parse_word(const char *words, const char *text, uint32_t *out_index)
{
    for (uint32_t i = 0; word_at(words, i).size > 0; i++) {
        if (vg_bytes_equal(word_at(words, i), vg_bytes_text(text))) {
            *out_index = i;
            return true;
        }
    }
    return false;
}

static void *field_of(struct vg_settings *settings, const struct vg_setting_row *row)
{
    return (char *)settings + row->offset;
}

static enum vg_reason refuse(
    const struct vg_setting_row *row,
    const char *value,
    struct vg_error *error)
{
    if (row->type == VG_SETTING_TYPE_BOOL) {
        (void)vg_error_set(error, VG_CONFIG, "Setting %s is true or false", row->name);
    } else if (row->type == VG_SETTING_TYPE_WORD) {
        (void)vg_error_set(error, VG_CONFIG, "Setting %s is one of %s", row->name, row->unit);
    } else if (row->type == VG_SETTING_TYPE_TEXT) {
        (void)vg_error_set(
            error,
            VG_CONFIG,
            "Setting %s is a text of %s to %s bytes",
            row->name,
            row->min,
            row->max);
    } else {
        (void)vg_error_set(
            error,
            VG_CONFIG,
            "Setting %s is %s from %s to %s",
            row->name,
            type_names[row->type],
            row->min,
            row->max);
    }
    (void)vg_error_field(error, row->name, value);
    return VG_CONFIG;
}

static bool set_amount(
    struct vg_settings *settings,
    const struct vg_setting_row *row,
    const char *value)
{
    uint64_t amount;
    if (!parse_amount(row->type, value, &amount) || amount < row_bound(row, row->min) ||
        amount > row_bound(row, row->max)) {
        return false;
    }
    if (row->type == VG_SETTING_TYPE_SIZE) {
        *(vg_setting_size *)field_of(settings, row) = amount;
        return true;
    }
    VG_ASSERT(amount <= UINT32_MAX);
    *(uint32_t *)field_of(settings, row) = (uint32_t)amount;
    return true;
}

static bool set_text(
    struct vg_settings *settings,
    const struct vg_setting_row *row,
    const char *value)
{
    size_t size = strlen(value);
    if (size < row_bound(row, row->min) || size > row_bound(row, row->max) ||
        !vg_utf8_is_valid(vg_bytes(value, size))) {
        return false;
    }
    VG_ASSERT(size < VG_SETTING_TEXT_SIZE);
    memcpy(field_of(settings, row), value, size + 1);
    return true;
}

static enum vg_reason set_row(
    struct vg_settings *settings,
    const struct vg_setting_row *row,
    const char *value,
    struct vg_error *error)
{
    bool done = false;
    switch (row->type) {
    case VG_SETTING_TYPE_COUNT:
    case VG_SETTING_TYPE_SIZE:
    case VG_SETTING_TYPE_MS:
    case VG_SETTING_TYPE_US:
        done = set_amount(settings, row, value);
        break;
    case VG_SETTING_TYPE_BOOL:
        done = parse_bool(value, (vg_setting_bool *)field_of(settings, row));
        break;
    case VG_SETTING_TYPE_TEXT:
        done = set_text(settings, row, value);
        break;
    case VG_SETTING_TYPE_WORD:
        done = parse_word(row->unit, value, (vg_setting_word *)field_of(settings, row));
        break;
    }
    return done ? VG_OK : refuse(row, value, error);
}

void vg_settings_init(struct vg_settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        VG_ASSERT(set_row(settings, &rows[i], rows[i].value, NULL) == VG_OK);
    }
}

static enum vg_reason set_named(
    struct vg_settings *settings,
    struct vg_bytes name,
    const char *value,
    struct vg_error *error)
{
    const struct vg_setting_row *row = find_row(name);
    if (row == NULL) {
        int shown = name.size > 60 ? 60 : (int)name.size;
        return vg_error_set(
            error,
            VG_CONFIG,
            "There is no setting named '%.*s'",
            shown,
            (const char *)name.data);
    }
    return set_row(settings, row, value, error);
}

enum vg_reason vg_settings_set(
    struct vg_settings *settings,
    const char *assignment,
    struct vg_error *error)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "A setting is given as NAME=VALUE, not '%.60s'",
            assignment);
    }
    return set_named(
        settings,
        vg_bytes(assignment, (size_t)(equals - assignment)),
        equals + 1,
        error);
}

enum vg_reason vg_settings_set_value(
    struct vg_settings *settings,
    const char *name,
    const char *value,
    struct vg_error *error)
{
    return set_named(settings, vg_bytes_text(name), value, error);
}

/* With the largest suffix that leaves a whole number. */
static void print_amount(enum vg_setting_type type, uint64_t amount, struct vg_buffer *out)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(suffixes); i++) {
        bool fits = amount % suffixes[i].factor == 0 && (amount > 0 || suffixes[i].factor == 1);
        if (suffixes[i].type == type && fits) {
            vg_buffer_printf(out, "%" PRIu64 "%s", amount / suffixes[i].factor, suffixes[i].text);
            return;
        }
    }
}

void vg_settings_print_value(
    const struct vg_settings *settings,
    const struct vg_setting_row *row,
    struct vg_buffer *out)
{
    const void *field = (const char *)settings + row->offset;
    switch (row->type) {
    case VG_SETTING_TYPE_COUNT:
    case VG_SETTING_TYPE_MS:
    case VG_SETTING_TYPE_US:
        print_amount(row->type, *(const uint32_t *)field, out);
        return;
    case VG_SETTING_TYPE_SIZE:
        print_amount(row->type, *(const vg_setting_size *)field, out);
        return;
    case VG_SETTING_TYPE_BOOL:
        vg_buffer_append_text(out, *(const vg_setting_bool *)field ? "true" : "false");
        return;
    case VG_SETTING_TYPE_TEXT:
        vg_buffer_append_text(out, (const char *)field);
        return;
    case VG_SETTING_TYPE_WORD: {
        struct vg_bytes word = word_at(row->unit, *(const vg_setting_word *)field);
        vg_buffer_append(out, word.data, word.size);
        return;
    }
    }
}

void vg_settings_print(const struct vg_settings *settings, struct vg_buffer *out)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        vg_buffer_append_text(out, rows[i].name);
        vg_buffer_append_byte(out, '=');
        vg_settings_print_value(settings, &rows[i], out);
        vg_buffer_append_byte(out, '\n');
    }
}

void vg_settings_help(struct vg_buffer *out)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        const struct vg_setting_row *row = &rows[i];
        vg_buffer_printf(out, "%s=%s\n    %s", row->name, row->value, row->text);
        if (row->type == VG_SETTING_TYPE_WORD) {
            vg_buffer_printf(out, " (%s)", row->unit);
        } else if (row->min[0] != '\0') {
            vg_buffer_printf(out, " (%s to %s %s)", row->min, row->max, row->unit);
        }
        vg_buffer_append_byte(out, '\n');
    }
}
