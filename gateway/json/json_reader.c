#include "gateway/json/json_reader.h"

#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"

#define PARAMETER_MAX 90u /* bytes shown of an offending value */

void vg_json_violate(
    struct vg_json_reader *reader,
    enum vg_reason reason,
    const struct vg_json_scalar *value,
    const char *message)
{
    char path[VG_PATH_TEXT_SIZE];
    char parameter[PARAMETER_MAX + 1];
    (void)vg_path_print(reader->steps, reader->step_count, path);
    struct vg_violation violation = { .reason = reason, .field = path, .message = message };
    if (value != NULL) {
        struct vg_bytes shown = vg_utf8_cut_bytes(value->raw, PARAMETER_MAX);
        memcpy(parameter, shown.data, shown.size);
        parameter[shown.size] = '\0';
        violation.parameter = parameter;
    }
    vg_violations_add(&reader->error->violations, &violation);
}

bool vg_json_skip_wrong_type(struct vg_json_reader *reader, const char *expected)
{
    char message[80];
    (void)snprintf(message, sizeof(message), "The value must be %s", expected);
    vg_json_violate(reader, VG_INVALID_FIELD_TYPE, NULL, message);
    return vg_json_skip_value(&reader->lexer);
}

void vg_json_violate_items(struct vg_json_reader *reader, const struct vg_field *field)
{
    char message[80];
    (void)snprintf(
        message,
        sizeof(message),
        "The list has more than %zu elements",
        vg_json_items_max(field));
    vg_json_violate(reader, VG_INVALID_FIELD_VALUE, NULL, message);
}

enum vg_reason vg_json_refuse_text(struct vg_json_reader *reader)
{
    /* Bad syntax is all there is to say: what was collected before may be its consequence. */
    reader->error->violations.count = 0;
    reader->error->violations.found = 0;
    if (reader->no_memory || reader->lexer.exhausted) {
        return vg_error_set(reader->error, VG_REQUEST_MEMORY, NULL);
    }
    size_t line;
    size_t column;
    vg_json_position(&reader->lexer, &line, &column);
    return vg_error_set(
        reader->error,
        VG_INVALID_JSON,
        "The body is not valid JSON: %s at line %zu, column %zu",
        reader->lexer.problem,
        line,
        column);
}
