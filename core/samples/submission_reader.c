#include "core/samples/submission_reader.h"

#include <string.h>

#include "core/base/hex.h"
#include "core/ingest/ingest_domain.h"

/* ---------------------------------------------------------------------------------------- rows */

void vg_submission_hit_id(const struct vg_hit *hit, struct vg_submission_id *out_id)
{
    struct vg_value value;
    vg_hit_read(hit, VG_SUBMISSION_COLUMN_SAMPLE, &value);
    memcpy(out_id->sample, value.bytes.data, sizeof(out_id->sample));
    vg_hit_read(hit, VG_SUBMISSION_COLUMN_UUID, &value);
    memcpy(out_id->uuid, value.bytes.data, sizeof(out_id->uuid));
}

const struct vg_predicate *vg_submission_of_sample(
    const uint8_t sample[VG_SHA256_SIZE],
    struct vg_arena *arena)
{
    struct vg_bytes digest = vg_bytes(sample, VG_SHA256_SIZE);
    return vg_predicate_bytes_in(arena, VG_SUBMISSION_COLUMN_SAMPLE, &digest, 1);
}

/* ------------------------------------------------------------------------------------- records */

/* Read `id` through the snapshot; *out_found tells whether it is there. */
static enum vg_reason read_record(
    const struct vg_submission_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_submission_id *id,
    struct vg_arena *arena,
    struct vg_submission_record *out_record,
    bool *out_found,
    struct vg_error *error)
{
    struct vg_key key;
    struct vg_store_value value;
    struct vg_uuid uuid;
    vg_key_submission(&key, id->sample, id->uuid);
    enum vg_reason reason = vg_store_get_one(
        source->store,
        vg_snapshot_view(snapshot),
        source->shard,
        vg_key_bytes(&key),
        &value,
        error);
    if (reason != VG_OK) {
        return reason;
    }
    *out_found = value.found;
    memcpy(uuid.bytes, id->uuid, sizeof(uuid.bytes));
    if (value.found) {
        reason =
            vg_submission_record_unpack(id->sample, &uuid, value.bytes, arena, out_record, error);
    }
    vg_store_value_release(&value);
    return reason;
}

enum vg_reason vg_submission_hit_record(
    const struct vg_submission_store *source,
    const struct vg_snapshot *snapshot,
    const struct vg_hit *hit,
    struct vg_arena *arena,
    struct vg_submission_record *out_record,
    struct vg_error *error)
{
    bool found = false;
    struct vg_submission_id id;
    vg_submission_hit_id(hit, &id);
    enum vg_reason reason = read_record(source, snapshot, &id, arena, out_record, &found, error);
    if (reason == VG_OK && !found) {
        reason = vg_error_set(error, VG_STORE_CORRUPT, "a submission has a row and no record");
    }
    return reason;
}

/* Metadata of 1,000 keys of 255 and values of 8,192 code points takes 33 MiB at most. */
#define ROWS_BYTES_MAX (80u * 1024u * 1024u)

enum vg_reason vg_submission_rows_read(
    struct vg_submission_rows *rows,
    const struct vg_hit *hit,
    const struct vg_submission_record **out_record,
    struct vg_error *error)
{
    if (rows->hit.chunk != hit->chunk || rows->hit.position != hit->position) {
        rows->hit.chunk = NULL;
        vg_arena_reset(&rows->arena);
        enum vg_reason reason = vg_submission_hit_record(
            rows->source,
            rows->snapshot,
            hit,
            &rows->arena,
            &rows->record,
            error);
        if (reason != VG_OK) {
            return reason;
        }
        rows->hit = *hit;
    }
    *out_record = &rows->record;
    return VG_OK;
}

static enum vg_reason read_row(
    void *owner,
    const struct vg_hit *hit,
    const void **out_record,
    struct vg_error *error)
{
    const struct vg_submission_record *record = NULL;
    enum vg_reason reason = vg_submission_rows_read(owner, hit, &record, error);
    *out_record = record;
    return reason;
}

void vg_submission_rows_init(
    struct vg_submission_rows *rows,
    const struct vg_submission_store *source,
    const struct vg_snapshot *snapshot)
{
    *rows = (struct vg_submission_rows){
        .reader = { .read = read_row, .owner = rows },
        .source = source,
        .snapshot = snapshot,
    };
    vg_arena_init(&rows->arena, ROWS_BYTES_MAX);
}

void vg_submission_rows_dispose(struct vg_submission_rows *rows)
{
    vg_arena_dispose(&rows->arena);
}

/* ----------------------------------------------------------------------------------------- one */

/* Why there is nothing to show: the sample, or this submission of it. */
static enum vg_reason blame(
    const struct vg_snapshot *snapshot,
    const struct vg_submission_viewer *viewer,
    const struct vg_submission_id *id,
    struct vg_arena *arena,
    struct vg_error *error)
{
    const struct vg_predicate *both[] = {
        vg_submission_of_sample(id->sample, arena),
        vg_submission_access_predicate(viewer, arena),
    };
    struct vg_search search = {
        .kind = VG_INGEST_KIND_SUBMISSION,
        .where = vg_predicate_and(arena, both, VG_ARRAY_COUNT(both)),
    };
    struct vg_search_result found;
    if (search.where == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason = vg_search_run(snapshot, &search, arena, &found, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (found.match_count == 0) {
        char text[2 * VG_SHA256_SIZE + 1];
        vg_hex_encode(vg_bytes(id->sample, sizeof(id->sample)), text);
        (void)vg_error_set(error, VG_SAMPLE_NOT_FOUND, NULL);
        return vg_error_field(error, NULL, text);
    }
    char text[VG_UUID_TEXT_SIZE];
    struct vg_uuid uuid;
    memcpy(uuid.bytes, id->uuid, sizeof(uuid.bytes));
    vg_uuid_print(&uuid, text);
    (void)vg_error_set(error, VG_SUBMISSION_NOT_FOUND, NULL);
    return vg_error_field(error, NULL, text);
}

enum vg_reason vg_submission_find(
    const struct vg_submission_store *source,
    const struct vg_submission_viewer *viewer,
    const struct vg_submission_id *id,
    struct vg_arena *arena,
    struct vg_submission_record *out_record,
    struct vg_error *error)
{
    struct vg_snapshot snapshot;
    enum vg_reason reason =
        vg_snapshot_acquire(source->table, source->snapshot_age_ms, &snapshot, error);
    if (reason != VG_OK) {
        return reason;
    }
    bool found = false;
    struct vg_submission_record record;
    reason = read_record(source, &snapshot, id, arena, &record, &found, error);
    if (reason == VG_OK && found && vg_submission_access_sees(viewer, &record)) {
        *out_record = record;
    } else if (reason == VG_OK) {
        reason = blame(&snapshot, viewer, id, arena, error);
    }
    vg_snapshot_release(&snapshot);
    return reason;
}
