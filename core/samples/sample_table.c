#include "core/samples/sample_table.h"

#include <string.h>

#include "core/base/utf8.h"
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
    .version = 3,
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

static int64_t or_absent(bool has, int64_t number)
{
    return has ? number : VG_ABSENT;
}

/* What the row points at beside its own digest: a row outlives the record it is made from. */
struct kept {
    uint8_t sha512[VG_SHA512_SIZE];
    uint8_t sha1[VG_SHA1_SIZE];
    uint8_t md5[VG_MD5_SIZE];
    int64_t marks[];
};

static void set_digests(
    const struct vg_sample_record *record,
    struct kept *kept,
    struct vg_value *values)
{
    memcpy(kept->sha512, record->sha512, sizeof(kept->sha512));
    memcpy(kept->sha1, record->sha1, sizeof(kept->sha1));
    memcpy(kept->md5, record->md5, sizeof(kept->md5));
    values[VG_SAMPLE_COLUMN_SHA512].bytes = vg_bytes(kept->sha512, sizeof(kept->sha512));
    values[VG_SAMPLE_COLUMN_SHA1].bytes = vg_bytes(kept->sha1, sizeof(kept->sha1));
    values[VG_SAMPLE_COLUMN_MD5].bytes = vg_bytes(kept->md5, sizeof(kept->md5));
}

bool vg_sample_table_row(
    const struct vg_sample_record *record,
    struct vg_arena *arena,
    struct vg_row *out_row)
{
    struct vg_sample_id_row *row = new_row(record->sha256, arena);
    uint32_t mark_count = record->verdict_mark_count;
    struct kept *kept = vg_arena_alloc(arena, sizeof(*kept) + mark_count * sizeof(kept->marks[0]));
    if (row == NULL || kept == NULL) {
        return false;
    }
    bool submitted = record->first_submitted != 0;
    struct vg_value *values = row->values;
    set_digests(record, kept, values);
    values[VG_SAMPLE_COLUMN_CREATED].number = record->created;
    values[VG_SAMPLE_COLUMN_CHANGED].number = submitted && record->last_submitted > record->created
                                                  ? record->last_submitted
                                                  : record->created;
    values[VG_SAMPLE_COLUMN_FIRST_SUBMITTED].number = or_absent(submitted, record->first_submitted);
    values[VG_SAMPLE_COLUMN_LAST_SUBMITTED].number = or_absent(submitted, record->last_submitted);
    values[VG_SAMPLE_COLUMN_NO_SUBMISSION].number = !submitted;
    values[VG_SAMPLE_COLUMN_DELETED].number = or_absent(record->deleted != 0, record->deleted);
    values[VG_SAMPLE_COLUMN_SIZE].number = record->size;
    values[VG_SAMPLE_COLUMN_PURGING].number = or_absent(record->purged_until != 0, 1);
    for (uint32_t i = 0; i < mark_count; i++) {
        kept->marks[i] = record->verdict_marks[i];
    }
    values[VG_SAMPLE_COLUMN_VERDICTS].numbers.items = kept->marks;
    values[VG_SAMPLE_COLUMN_VERDICTS].numbers.count = mark_count;
    if (record->verdict_count != 0) {
        values[VG_SAMPLE_COLUMN_VERDICT_COMMENT].bytes =
            vg_utf8_cut(record->latest_verdict.comment, VG_SAMPLE_COMMENT_LENGTH_MAX);
    }
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
