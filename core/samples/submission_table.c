#include "core/samples/submission_table.h"

#include <string.h>

static const struct vg_column columns[VG_SUBMISSION_COLUMNS] = {
#define X(column, kind_, width_, flags_)                                                           \
    [VG_SUBMISSION_COLUMN_##column] = { .name = #column,                                           \
                                        .kind = VG_COLUMN_##kind_,                                 \
                                        .width = (width_),                                         \
                                        .flags = (flags_) },
#include "core/samples/submission_columns.def"
#undef X
};

const struct vg_table_schema vg_submission_table_schema = {
    .name = "submission",
    .columns = columns,
    .column_count = VG_SUBMISSION_COLUMNS,
    .version = 1,
};

void vg_submission_table_id_row(
    const struct vg_submission_id *id,
    struct vg_submission_id_row *out_row)
{
    memset(out_row->values, 0, sizeof(out_row->values));
    out_row->id = *id;
    out_row->row.values = out_row->values;
    out_row->values[VG_SUBMISSION_COLUMN_SAMPLE].bytes =
        vg_bytes(out_row->id.sample, sizeof(out_row->id.sample));
    out_row->values[VG_SUBMISSION_COLUMN_UUID].bytes =
        vg_bytes(out_row->id.uuid, sizeof(out_row->id.uuid));
}

enum vg_reason vg_submission_table_load(
    struct vg_bytes key,
    struct vg_bytes bytes,
    const uint8_t secret[16],
    struct vg_arena *arena,
    struct vg_row *out_row,
    struct vg_error *error)
{
    (void)bytes; /* every column is part of the key */
    (void)secret;
    struct vg_submission_id id;
    if (!vg_key_parse_submission(key, id.sample, id.uuid)) {
        return vg_error_set(error, VG_STORE_CORRUPT, "the key of a submission cannot be read");
    }
    struct vg_submission_id_row *row = vg_arena_alloc(arena, sizeof(*row));
    if (row == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    vg_submission_table_id_row(&id, row);
    *out_row = row->row;
    return VG_OK;
}
