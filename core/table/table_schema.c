#include "core/table/table_schema.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/checksum.h"

static bool is_legal_width(enum vg_column_kind kind, uint8_t width)
{
    switch (kind) {
    case VG_COLUMN_NUMBER:
        return width == 1 || width == 2 || width == 4 || width == 8;
    case VG_COLUMN_FIXED:
        return width == 16 || width == 20 || width == 32 || width == 64;
    case VG_COLUMN_TIME:
    case VG_COLUMN_FLAGS:
    case VG_COLUMN_TEXT:
    case VG_COLUMN_SUBJECTS:
    case VG_COLUMN_NETWORK:
    case VG_COLUMN_NUMBERS:
    case VG_COLUMN_HASHES:
    case VG_COLUMN_TOKENS:
    case VG_COLUMN_TEXTS:
        return width == 0;
    }
    return false;
}

static bool may_identify(enum vg_column_kind kind)
{
    return kind == VG_COLUMN_TIME || kind == VG_COLUMN_NUMBER || kind == VG_COLUMN_SUBJECTS ||
           kind == VG_COLUMN_FIXED;
}

static enum vg_reason check_column(
    const struct vg_table_schema *schema,
    uint32_t index,
    struct vg_error *error)
{
    const struct vg_column *column = &schema->columns[index];
    if (column->name == NULL || column->name[0] == '\0') {
        return vg_error_set(
            error,
            VG_CONFIG,
            "column %u of %s has no name",
            (unsigned)index,
            schema->name);
    }
    if (!is_legal_width(column->kind, column->width)) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "column %s cannot be %u bytes wide",
            column->name,
            (unsigned)column->width);
    }
    if ((column->flags & VG_COLUMN_ID) != 0 && !may_identify(column->kind)) {
        return vg_error_set(error, VG_CONFIG, "column %s cannot be part of the id", column->name);
    }
    if ((column->flags & VG_COLUMN_FOLDED) != 0 && column->kind != VG_COLUMN_TEXT &&
        column->kind != VG_COLUMN_TEXTS) {
        return vg_error_set(error, VG_CONFIG, "column %s holds no texts to fold", column->name);
    }
    if ((column->flags & VG_COLUMN_DIGEST) != 0 &&
        (column->kind != VG_COLUMN_FIXED || column->width != 16)) {
        return vg_error_set(error, VG_CONFIG, "column %s holds no digest", column->name);
    }
    if (vg_table_schema_find(schema, column->name) != index) {
        return vg_error_set(error, VG_CONFIG, "column %s is there twice", column->name);
    }
    return VG_OK;
}

enum vg_reason vg_table_schema_check(const struct vg_table_schema *schema, struct vg_error *error)
{
    if (schema->name == NULL || schema->name[0] == '\0' ||
        strspn(schema->name, "abcdefghijklmnopqrstuvwxyz") != strlen(schema->name)) {
        return vg_error_set(error, VG_CONFIG, "a table schema needs a name of lower-case letters");
    }
    if (schema->column_count == 0 || schema->column_count > VG_TABLE_COLUMNS_MAX) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "schema %s has %u columns, 1 to %u are allowed",
            schema->name,
            (unsigned)schema->column_count,
            VG_TABLE_COLUMNS_MAX);
    }
    uint32_t id_columns = 0;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        enum vg_reason reason = check_column(schema, i, error);
        if (reason != VG_OK) {
            return reason;
        }
        id_columns += (schema->columns[i].flags & VG_COLUMN_ID) != 0;
    }
    if (id_columns == 0 || id_columns > VG_TABLE_ID_COLUMNS_MAX) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "schema %s has %u id columns, 1 to %u are allowed",
            schema->name,
            (unsigned)id_columns,
            VG_TABLE_ID_COLUMNS_MAX);
    }
    return VG_OK;
}

uint64_t vg_table_schema_fingerprint(const struct vg_table_schema *schema)
{
    uint64_t sum = vg_checksum_add(schema->version, vg_bytes_text(schema->name));
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct vg_column *column = &schema->columns[i];
        const uint8_t shape[] = { (uint8_t)column->kind, column->width, column->flags };
        sum = vg_checksum_add(sum, vg_bytes_text(column->name));
        sum = vg_checksum_add(sum, vg_bytes(shape, sizeof(shape)));
    }
    return sum;
}

uint32_t vg_table_schema_find(const struct vg_table_schema *schema, const char *name)
{
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (strcmp(schema->columns[i].name, name) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}
