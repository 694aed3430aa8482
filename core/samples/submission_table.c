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
    .version = 4,
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

/* An id row whose memory is the arena's; NULL when it is full. */
static struct vg_submission_id_row *new_row(
    const struct vg_submission_id *id,
    struct vg_arena *arena)
{
    struct vg_submission_id_row *row = vg_arena_alloc(arena, sizeof(*row));
    if (row != NULL) {
        vg_submission_table_id_row(id, row);
    }
    return row;
}

struct vg_bytes vg_submission_meta_text(
    struct vg_bytes key,
    struct vg_bytes value,
    struct vg_arena *arena)
{
    uint8_t *text = vg_arena_alloc(arena, key.size + 1 + value.size);
    if (text == NULL) {
        return vg_bytes(NULL, 0);
    }
    if (key.size > 0) {
        memcpy(text, key.data, key.size);
    }
    text[key.size] = VG_SUBMISSION_META_SEPARATOR;
    if (value.size > 0) {
        memcpy(text + key.size + 1, value.data, value.size);
    }
    return vg_bytes(text, key.size + 1 + value.size);
}

/* False when the arena is full. */
static bool fill_meta(
    const struct vg_submission_record *record,
    struct vg_arena *arena,
    struct vg_value *value)
{
    struct vg_bytes *texts = vg_arena_alloc(arena, record->meta_count * sizeof(*texts));
    bool filled = texts != NULL;
    for (size_t i = 0; filled && i < record->meta_count; i++) {
        texts[i] = vg_submission_meta_text(record->meta[i].key, record->meta[i].value, arena);
        filled = texts[i].data != NULL;
    }
    value->texts.items = texts;
    value->texts.count = (uint32_t)record->meta_count;
    return filled;
}

bool vg_submission_table_row(
    const struct vg_submission_record *record,
    struct vg_arena *arena,
    struct vg_row *out_row)
{
    struct vg_submission_id id;
    memcpy(id.sample, record->sample, sizeof(id.sample));
    memcpy(id.uuid, record->id.bytes, sizeof(id.uuid));
    struct vg_submission_id_row *row = new_row(&id, arena);
    int64_t *subjects = vg_arena_alloc(arena, (1 + record->acl_count) * sizeof(*subjects));
    if (row == NULL || subjects == NULL) {
        return false;
    }
    subjects[0] = record->customer_id;
    for (size_t i = 0; i < record->acl_count; i++) {
        subjects[1 + i] = record->acl[i];
    }
    struct vg_value *values = row->values;
    values[VG_SUBMISSION_COLUMN_SUBMITTED].number = record->submitted;
    values[VG_SUBMISSION_COLUMN_OBSERVED].number = record->observed;
    values[VG_SUBMISSION_COLUMN_EXPIRY].number = record->expiry != 0 ? record->expiry : VG_ABSENT;
    values[VG_SUBMISSION_COLUMN_GONE].number =
        record->expiry != 0 && !record->held ? record->expiry : VG_ABSENT;
    values[VG_SUBMISSION_COLUMN_CUSTOMER].numbers.items = subjects;
    values[VG_SUBMISSION_COLUMN_CUSTOMER].numbers.count = 1;
    values[VG_SUBMISSION_COLUMN_ACL].numbers.items = subjects + 1;
    values[VG_SUBMISSION_COLUMN_ACL].numbers.count = (uint32_t)record->acl_count;
    values[VG_SUBMISSION_COLUMN_NO_EXPIRY].number = record->expiry == 0;
    values[VG_SUBMISSION_COLUMN_USER].number = record->user_id;
    values[VG_SUBMISSION_COLUMN_TLP].number = record->tlp;
    values[VG_SUBMISSION_COLUMN_FLAGS].number = record->flags;
    values[VG_SUBMISSION_COLUMN_FILE_NAME].bytes = record->file_name;
    values[VG_SUBMISSION_COLUMN_MIME_TYPE].bytes = record->mime_type;
    values[VG_SUBMISSION_COLUMN_AGENT_NAME].bytes = record->agent_name;
    values[VG_SUBMISSION_COLUMN_AGENT_VERSION].bytes = record->agent_version;
    if (!fill_meta(record, arena, &values[VG_SUBMISSION_COLUMN_META_DATA])) {
        return false;
    }
    *out_row = row->row;
    return true;
}

enum vg_reason vg_submission_table_load(
    struct vg_bytes key,
    struct vg_bytes bytes,
    const uint8_t secret[16],
    struct vg_arena *arena,
    struct vg_row *out_row,
    struct vg_error *error)
{
    (void)secret; /* no column is hashed */
    struct vg_submission_id id;
    if (!vg_key_parse_submission(key, id.sample, id.uuid)) {
        return vg_error_set(error, VG_STORE_CORRUPT, "the key of a submission cannot be read");
    }
    if (bytes.data == NULL) {
        struct vg_submission_id_row *row = new_row(&id, arena);
        if (row == NULL) {
            return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
        }
        *out_row = row->row;
        return VG_OK;
    }
    struct vg_uuid uuid;
    memcpy(uuid.bytes, id.uuid, sizeof(uuid.bytes));
    struct vg_submission_record record;
    enum vg_reason reason =
        vg_submission_record_unpack(id.sample, &uuid, bytes, arena, &record, error);
    if (reason != VG_OK) {
        return reason;
    }
    return vg_submission_table_row(&record, arena, out_row)
               ? VG_OK
               : vg_error_set(error, VG_REQUEST_MEMORY, NULL);
}
