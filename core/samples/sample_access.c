#include "core/samples/sample_access.h"

#include <string.h>

#include "core/keyspace/keyspace.h"

bool vg_sample_access_sees_deleted(const struct vg_principal *principal)
{
    return vg_principal_has(principal, VG_FUNCTION_DELETE_SAMPLE_COMPLETELY);
}

bool vg_sample_access_is_operator(const struct vg_principal *principal)
{
    return principal->all_customers &&
           vg_principal_has(principal, VG_FUNCTION_DELETE_SAMPLE_COMPLETELY);
}

/* ------------------------------------------------------------------------------------- reading */

/* Memory for one submission at a time. */
#define SUBMISSION_BYTES_MAX (32u * 1024u * 1024u)

struct looking {
    const struct vg_submission_viewer *viewer;
    struct vg_arena arena;
    enum vg_reason reason;
    struct vg_error *error;
    bool found;
};

static bool look(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct looking *looking = owner;
    uint8_t sha256[VG_SHA256_SIZE];
    struct vg_uuid id;
    struct vg_submission_record record;
    if (!vg_key_parse_submission(key, sha256, id.bytes)) {
        looking->reason = vg_error_set(looking->error, VG_STORE_CORRUPT, NULL);
        return false;
    }
    looking->reason =
        vg_submission_record_unpack(sha256, &id, value, &looking->arena, &record, looking->error);
    looking->found =
        looking->reason == VG_OK && vg_submission_access_sees(looking->viewer, &record);
    vg_arena_clear(&looking->arena);
    return looking->reason == VG_OK && !looking->found;
}

/* Is a submission of the sample seen? Ends with the first one. */
static enum vg_reason find_visible(
    const struct vg_sample_store *source,
    const struct vg_submission_viewer *viewer,
    struct vg_sample_reading *reading,
    struct vg_error *error)
{
    struct vg_key prefix;
    vg_key_submission_prefix(&prefix, reading->record.sha256);
    const struct vg_store_range range = { .view = vg_snapshot_view(&reading->snapshot),
                                          .shard = source->shard,
                                          .prefix = vg_key_bytes(&prefix) };
    struct looking looking = { .viewer = viewer, .error = error };
    vg_arena_init(&looking.arena, SUBMISSION_BYTES_MAX);
    enum vg_reason reason = vg_store_scan(source->store, &range, look, &looking, NULL, error);
    vg_arena_dispose(&looking.arena);
    reading->visible = looking.found;
    return reason == VG_OK ? looking.reason : reason;
}

static enum vg_reason read_record(
    const struct vg_sample_store *source,
    const uint8_t *sha256,
    struct vg_arena *arena,
    struct vg_sample_reading *reading,
    struct vg_error *error)
{
    struct vg_key key;
    struct vg_store_value value;
    vg_key_sample(&key, sha256);
    enum vg_reason reason = vg_store_get_one(
        source->store,
        vg_snapshot_view(&reading->snapshot),
        source->shard,
        vg_key_bytes(&key),
        &value,
        error);
    if (reason != VG_OK) {
        return reason;
    }
    reading->exists = value.found;
    if (value.found) {
        reason = vg_sample_record_unpack(sha256, value.bytes, arena, &reading->record, error);
    }
    vg_store_value_release(&value);
    return reason;
}

enum vg_reason vg_sample_read(
    const struct vg_sample_store *source,
    const struct vg_submission_viewer *viewer,
    const uint8_t sha256[VG_SHA256_SIZE],
    struct vg_arena *arena,
    struct vg_sample_reading *out_reading,
    struct vg_error *error)
{
    *out_reading = (struct vg_sample_reading){ .exists = false };
    enum vg_reason reason =
        vg_snapshot_acquire(source->table, source->snapshot_age_ms, &out_reading->snapshot, error);
    if (reason == VG_OK) {
        reason = read_record(source, sha256, arena, out_reading, error);
    }
    if (reason != VG_OK || !out_reading->exists) {
        return reason;
    }
    if (out_reading->record.deleted != 0) {
        out_reading->visible = vg_sample_access_sees_deleted(viewer->principal);
        return VG_OK;
    }
    return find_visible(source, viewer, out_reading, error);
}

void vg_sample_reading_release(struct vg_sample_reading *reading)
{
    vg_snapshot_release(&reading->snapshot);
}
