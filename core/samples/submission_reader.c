#include "core/samples/submission_reader.h"

#include <stdio.h>
#include <string.h>

#include "core/base/hex.h"
#include "core/base/limits.h"
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

/* -------------------------------------------------------------------------------------- cursor */

static enum vg_reason find_rows(
    const struct vg_submission_query *query,
    struct vg_arena *arena,
    struct vg_submission_cursor *cursor,
    struct vg_error *error)
{
    uint32_t limit = query->limit == 0 ? VG_LIMIT_SAMPLE_ROWS : (uint32_t)query->limit;
    struct vg_search search = {
        .kind = VG_INGEST_KIND_SUBMISSION,
        .where = query->where,
        .sort = query->sort,
        .sort_count = query->sort_count,
        .limit = limit,
        .offset = (uint64_t)query->offset,
        .check = query->check,
        .owner = query->owner,
    };
    enum vg_reason reason = vg_search_run(&cursor->snapshot, &search, arena, &cursor->found, error);
    if (reason != VG_OK) {
        return reason;
    }
    cursor->match_count = cursor->found.match_count;
    uint64_t behind = cursor->match_count > (uint64_t)query->offset
                          ? cursor->match_count - (uint64_t)query->offset
                          : 0;
    if (query->limit == 0 && behind > VG_LIMIT_SAMPLE_ROWS) {
        char most[16];
        (void)snprintf(most, sizeof(most), "%d", VG_LIMIT_SAMPLE_ROWS);
        (void)vg_error_set(error, VG_RESULTSET_TOO_LARGE, NULL);
        return vg_error_field(error, NULL, most);
    }
    return VG_OK;
}

enum vg_reason vg_submission_cursor_open(
    const struct vg_submission_store *source,
    const struct vg_submission_query *query,
    struct vg_arena *arena,
    struct vg_submission_cursor *out_cursor,
    struct vg_error *error)
{
    if (query->where == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    struct vg_submission_cursor cursor = { .source = *source };
    enum vg_reason reason =
        vg_snapshot_acquire(source->table, source->snapshot_age_ms, &cursor.snapshot, error);
    if (reason != VG_OK) {
        return reason;
    }
    reason = find_rows(query, arena, &cursor, error);
    if (reason != VG_OK) {
        vg_submission_cursor_close(&cursor);
        return reason;
    }
    *out_cursor = cursor;
    return VG_OK;
}

enum vg_reason vg_submission_cursor_next(
    struct vg_submission_cursor *cursor,
    struct vg_arena *arena,
    struct vg_submission_record *out_record,
    bool *out_end,
    struct vg_error *error)
{
    *out_end = cursor->next == cursor->found.hit_count;
    if (*out_end) {
        return VG_OK;
    }
    enum vg_reason reason = vg_snapshot_check(&cursor->snapshot, error);
    if (reason != VG_OK) {
        return reason;
    }
    bool found = false;
    struct vg_submission_id id;
    vg_submission_hit_id(&cursor->found.hits[cursor->next++], &id);
    reason = read_record(&cursor->source, &cursor->snapshot, &id, arena, out_record, &found, error);
    if (reason == VG_OK && !found) {
        reason = vg_error_set(error, VG_STORE_CORRUPT, "a submission has a row and no record");
    }
    return reason;
}

void vg_submission_cursor_close(struct vg_submission_cursor *cursor)
{
    vg_snapshot_release(&cursor->snapshot);
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
