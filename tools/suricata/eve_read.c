#include "tools/suricata/eve_read.h"

#include <errno.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/utf8.h"

/* Where in an array a character stands: brackets and commas within texts mean nothing. */
struct nesting {
    unsigned depth;
    bool in_text;
    bool escaped;
};

void vg_eve_read_init(struct vg_eve_reader *reader, FILE *file)
{
    *reader = (struct vg_eve_reader){ .file = file, .line = 1, .at_line = 1 };
    vg_buffer_init(&reader->text, VG_EVE_RECORD_BYTES_MAX + 1); /* cJSON wants a NUL behind it */
}

void vg_eve_read_dispose(struct vg_eve_reader *reader)
{
    vg_buffer_dispose(&reader->text);
}

static int take(struct vg_eve_reader *reader)
{
    int character = getc(reader->file);
    if (character == '\n') {
        reader->line++;
    }
    return character;
}

static bool is_blank(int character)
{
    return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

static int take_behind_blanks(struct vg_eve_reader *reader)
{
    int character = take(reader);
    while (is_blank(character)) {
        character = take(reader);
    }
    return character;
}

/* Give back what take() returned. glibc takes back any number of characters. */
static void give_back(struct vg_eve_reader *reader, int character)
{
    if (character == '\n') {
        reader->line--;
    }
    if (character != EOF) {
        (void)ungetc(character, reader->file);
    }
}

static enum vg_eve_outcome at_end(struct vg_eve_reader *reader, struct vg_error *error)
{
    reader->ended = true;
    if (ferror(reader->file) != 0) {
        (void)
            vg_error_set(error, VG_STORE_IO, "the file cannot be read: %s", strerrordesc_np(errno));
        return VG_EVE_OUTCOME_BROKEN;
    }
    return VG_EVE_OUTCOME_END;
}

/* Skip a byte order mark, and see whether an array begins. */
static void find_form(struct vg_eve_reader *reader)
{
    int character = take_behind_blanks(reader);
    if (character == 0xEF) {
        int second = take(reader);
        int third = take(reader);
        if (second == 0xBB && third == 0xBF) {
            character = take_behind_blanks(reader);
        } else {
            /* No mark: the line is no JSON either, and parsing it says so. */
            give_back(reader, third);
            give_back(reader, second);
        }
    }
    if (character == '[') {
        reader->form = VG_EVE_FORM_ARRAY;
    } else {
        reader->form = VG_EVE_FORM_LINES;
        give_back(reader, character);
    }
}

/* Make U+FFFD of every escaped NUL: the texts of cJSON end at a NUL. Same size, so in place. */
static void replace_nuls(uint8_t *text, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++) {
        if (text[i] != '\\') {
            continue;
        }
        if (i + 6 <= size && memcmp(text + i, "\\u0000", 6) == 0) {
            memcpy(text + i, "\\ufffd", 6);
        }
        i++; /* the escaped character is none that escapes */
    }
}

/* The text is complete: make a record of it. */
static enum vg_eve_outcome parse(
    struct vg_eve_reader *reader,
    cJSON **out_record,
    struct vg_error *error)
{
    struct vg_buffer *text = &reader->text;
    struct vg_bytes bytes = vg_buffer_bytes(text);
    if (bytes.size > VG_EVE_RECORD_BYTES_MAX || text->failed) {
        (void)vg_error_set(
            error,
            VG_REQUEST_TOO_LARGE,
            "the record is larger than %u bytes",
            VG_EVE_RECORD_BYTES_MAX);
        return VG_EVE_OUTCOME_BAD;
    }
    if (!vg_utf8_is_valid(bytes) || vg_utf8_has_nul(bytes)) {
        (void)vg_error_set(error, VG_INVALID_JSON, "the record is not UTF-8 text");
        return VG_EVE_OUTCOME_BAD;
    }
    replace_nuls(text->data, text->size);
    vg_buffer_append_byte(text, '\0');
    const char *end = NULL;
    cJSON *record = cJSON_ParseWithLengthOpts((const char *)text->data, text->size, &end, true);
    if (record == NULL) {
        size_t at = end == NULL ? 0 : (size_t)(end - (const char *)text->data);
        (void)vg_error_set(error, VG_INVALID_JSON, "not valid JSON near byte %zu", at + 1);
        return VG_EVE_OUTCOME_BAD;
    }
    if (!cJSON_IsObject(record)) {
        cJSON_Delete(record);
        (void)vg_error_set(error, VG_INVALID_JSON, "the record is not a JSON object");
        return VG_EVE_OUTCOME_BAD;
    }
    *out_record = record;
    return VG_EVE_OUTCOME_RECORD;
}

/* A line is the unit of errors, whatever stands in it: one that is too long is read to its end. */
static enum vg_eve_outcome next_line(
    struct vg_eve_reader *reader,
    cJSON **out_record,
    struct vg_error *error)
{
    int character = take_behind_blanks(reader);
    if (character == EOF) {
        return at_end(reader, error);
    }
    reader->at_line = reader->line;
    while (character != EOF && character != '\n') {
        /* One byte past the maximum is kept, which tells it from a record that just fits. */
        vg_buffer_append_byte(&reader->text, (uint8_t)character);
        character = take(reader);
    }
    if (character == EOF && ferror(reader->file) != 0) {
        return at_end(reader, error);
    }
    return parse(reader, out_record, error);
}

static void step(struct nesting *nesting, int character)
{
    if (nesting->in_text) {
        if (nesting->escaped) {
            nesting->escaped = false;
        } else if (character == '\\') {
            nesting->escaped = true;
        } else if (character == '"') {
            nesting->in_text = false;
        }
    } else if (character == '"') {
        nesting->in_text = true;
    } else if (character == '{' || character == '[') {
        nesting->depth++;
    } else if ((character == '}' || character == ']') && nesting->depth > 0) {
        nesting->depth--;
    }
}

static enum vg_eve_outcome broken(
    struct vg_eve_reader *reader,
    const char *what,
    struct vg_error *error)
{
    if (ferror(reader->file) != 0) {
        return at_end(reader, error);
    }
    reader->ended = true;
    reader->at_line = reader->line;
    (void)vg_error_set(error, VG_INVALID_JSON, "%s", what);
    return VG_EVE_OUTCOME_BROKEN;
}

/* The closing bracket was read: nothing may follow. */
static enum vg_eve_outcome finish_array(struct vg_eve_reader *reader, struct vg_error *error)
{
    if (take_behind_blanks(reader) != EOF) {
        return broken(reader, "text follows the end of the array", error);
    }
    return at_end(reader, error);
}

/* An element ends at the comma or bracket that stands outside of it, which is left for the next. */
static enum vg_eve_outcome next_element(
    struct vg_eve_reader *reader,
    cJSON **out_record,
    struct vg_error *error)
{
    int character = take_behind_blanks(reader);
    if (reader->element > 0 && character == ',') {
        character = take_behind_blanks(reader);
    } else if (character == ']') {
        return finish_array(reader, error);
    }
    if (character == EOF) {
        return broken(reader, "the array is not closed", error);
    }
    reader->at_line = reader->line;
    reader->element++;
    struct nesting nesting = { .depth = 0 };
    while (nesting.in_text || nesting.depth > 0 || (character != ',' && character != ']')) {
        if (character == EOF && !nesting.in_text && nesting.depth == 0) {
            break; /* whole all the same; that the array is not closed is found next */
        }
        if (character == EOF) {
            return broken(reader, "the array is not closed", error);
        }
        step(&nesting, character);
        vg_buffer_append_byte(&reader->text, (uint8_t)character);
        character = take(reader);
    }
    give_back(reader, character);
    return parse(reader, out_record, error);
}

enum vg_eve_outcome vg_eve_read_next(
    struct vg_eve_reader *reader,
    cJSON **out_record,
    struct vg_error *error)
{
    if (reader->ended) {
        return VG_EVE_OUTCOME_END;
    }
    if (reader->form == VG_EVE_FORM_UNSET) {
        find_form(reader);
    }
    vg_buffer_clear(&reader->text);
    return reader->form == VG_EVE_FORM_ARRAY ? next_element(reader, out_record, error)
                                             : next_line(reader, out_record, error);
}
