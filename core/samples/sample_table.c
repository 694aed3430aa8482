#include "core/samples/sample_table.h"

#include <string.h>

#include "core/keyspace/keyspace.h"

static const struct vg_column columns[VG_SAMPLE_COLUMNS] = {
#define X(column, kind_, width_, flags_)                                                           \
    [VG_SAMPLE_COLUMN_##column] = { .name = #column,                                               \
                                    .kind = VG_COLUMN_##kind_,                                     \
                                    .width = (width_),                                             \
                                    .flags = (flags_) },
#include "core/samples/sample_columns.def"
#undef X
};

const struct vg_table_schema vg_sample_table_schema = {
    .name = "sample",
    .columns = columns,
    .column_count = VG_SAMPLE_COLUMNS,
    .version = 1,
};

void vg_sample_table_id_row(const uint8_t sha256[VG_SHA256_SIZE], struct vg_sample_id_row *out_row)
{
    memset(out_row->values, 0, sizeof(out_row->values));
    memcpy(out_row->sha256, sha256, VG_SHA256_SIZE);
    out_row->row.values = out_row->values;
    out_row->values[VG_SAMPLE_COLUMN_SHA256].bytes = vg_bytes(out_row->sha256, VG_SHA256_SIZE);
}

/* An id row whose memory is the arena's; NULL when it is full. */
static struct vg_sample_id_row *new_row(const uint8_t *sha256, struct vg_arena *arena)
{
    struct vg_sample_id_row *row = vg_arena_alloc(arena, sizeof(*row));
    if (row != NULL) {
        vg_sample_table_id_row(sha256, row);
    }
    return row;
}

bool vg_sample_table_row(
    const struct vg_sample_record *record,
    struct vg_arena *arena,
    struct vg_row *out_row)
{
    struct vg_sample_id_row *row = new_row(record->sha256, arena);
    if (row == NULL) {
        return false;
    }
    row->values[VG_SAMPLE_COLUMN_CREATED].number = record->created;
    row->values[VG_SAMPLE_COLUMN_SIZE].number = record->size;
    row->values[VG_SAMPLE_COLUMN_DELETED].number =
        record->deleted != 0 ? record->deleted : VG_ABSENT;
    *out_row = row->row;
    return true;
}

enum vg_reason vg_sample_table_load(
    struct vg_bytes key,
    struct vg_bytes bytes,
    const uint8_t secret[16],
    struct vg_arena *arena,
    struct vg_row *out_row,
    struct vg_error *error)
{
    (void)secret;
    uint8_t sha256[VG_SHA256_SIZE];
    if (!vg_key_parse_sample(key, sha256)) {
        return vg_error_set(error, VG_STORE_CORRUPT, "the key of a sample cannot be read");
    }
    if (bytes.data == NULL) {
        struct vg_sample_id_row *row = new_row(sha256, arena);
        if (row == NULL) {
            return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
        }
        *out_row = row->row;
        return VG_OK;
    }
    struct vg_sample_record record;
    enum vg_reason reason = vg_sample_record_unpack(sha256, bytes, arena, &record, error);
    if (reason == VG_OK && !vg_sample_table_row(&record, arena, out_row)) {
        reason = vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    return reason;
}
