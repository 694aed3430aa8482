#include "core/samples/sample_purge.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/ingest/ingest_wait.h"
#include "core/samples/sample_change.h"
#include "core/table/search.h"

/* Memory of one round: the search for samples, and one record. */
#define ROUND_BYTES_MAX (4u * 1024u * 1024u)

static bool goes_on(const struct vg_sample_purge *purge)
{
    return purge->goes_on == NULL || purge->goes_on(purge->owner);
}

/* ----------------------------------------------------------------------------- keys of a sample */

/* Up to a portion of keys that begin with the same bytes, and where the next portion begins. */
struct portion {
    struct vg_key keys[VG_SAMPLE_PURGE_PORTION];
    uint32_t count;
};

static bool take_key(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    (void)value;
    struct portion *portion = owner;
    struct vg_key *taken = &portion->keys[portion->count++];
    VG_ASSERT(key.size <= sizeof(taken->data));
    memcpy(taken->data, key.data, key.size);
    taken->size = (uint16_t)key.size;
    return true;
}

static enum vg_reason next_portion(
    const struct vg_sample_purge *purge,
    struct vg_bytes prefix,
    struct portion *portion,
    struct vg_error *error)
{
    struct vg_key last = { .size = 0 };
    if (portion->count > 0) {
        last = portion->keys[portion->count - 1];
    }
    const struct vg_store_range range = { .shard = purge->source.shard,
                                          .prefix = prefix,
                                          .start_after = vg_key_bytes(&last),
                                          .limit = VG_SAMPLE_PURGE_PORTION };
    portion->count = 0;
    return vg_store_scan(purge->source.store, &range, take_key, portion, NULL, error);
}

/* --------------------------------------------------------------------------------- submissions */

static enum vg_reason remove_submissions_of(
    const struct vg_sample_purge *purge,
    const struct portion *portion,
    uint64_t until,
    struct vg_submission_removal *removals,
    struct vg_error *error)
{
    struct vg_ingest_wait wait;
    bool refused;
    vg_ingest_wait_init(&wait);
    for (uint32_t i = 0; i < portion->count; i++) {
        struct vg_submission_id id;
        bool parsed = vg_key_parse_submission(vg_key_bytes(&portion->keys[i]), id.sample, id.uuid);
        VG_ASSERT(parsed);
        vg_sample_change_remove_submission(&wait.group, &removals[i], &id, until);
    }
    enum vg_reason reason = vg_ingest_wait_run(purge->ingest, &wait, &refused, error);
    for (uint32_t i = 0; reason == VG_OK && i < portion->count; i++) {
        if (removals[i].item.reason != VG_OK) {
            reason = vg_error_set(error, removals[i].item.reason, NULL);
        }
    }
    vg_ingest_wait_dispose(&wait);
    return reason;
}

static enum vg_reason remove_submissions(
    const struct vg_sample_purge *purge,
    const struct vg_sample_record *record,
    struct portion *portion,
    struct vg_error *error)
{
    struct vg_submission_removal *removals = calloc(VG_SAMPLE_PURGE_PORTION, sizeof(*removals));
    if (removals == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory to delete a sample");
    }
    struct vg_key prefix;
    vg_key_submission_prefix(&prefix, record->sha256);
    portion->count = 0;
    enum vg_reason reason = next_portion(purge, vg_key_bytes(&prefix), portion, error);
    while (reason == VG_OK && portion->count > 0 && goes_on(purge)) {
        reason = remove_submissions_of(purge, portion, record->purged_until, removals, error);
        if (reason == VG_OK) {
            reason = next_portion(purge, vg_key_bytes(&prefix), portion, error);
        }
    }
    free(removals);
    return reason;
}

/* ------------------------------------------------------------------------- keys that have no row
 */

/* A verdict younger than the deletion is of the sample that was uploaded again. All else goes with
 * the sample it is about, so it is asked for only while that is deleted. */
static bool is_to_go(enum vg_key_family family, const struct vg_key *key, uint64_t until)
{
    uint8_t sha256[VG_SHA256_SIZE];
    uint64_t revision;
    uint32_t number;
    return family != VG_KEY_FAMILY_VERDICT ||
           (vg_key_parse_verdict(vg_key_bytes(key), sha256, &revision, &number) &&
            revision <= until);
}

static enum vg_reason remove_family(
    const struct vg_sample_purge *purge,
    enum vg_key_family family,
    const struct vg_sample_record *record,
    struct portion *portion,
    struct vg_error *error)
{
    struct vg_key prefix;
    vg_key_sample_prefix(&prefix, family, record->sha256);
    portion->count = 0;
    enum vg_reason reason = next_portion(purge, vg_key_bytes(&prefix), portion, error);
    while (reason == VG_OK && portion->count > 0 && goes_on(purge)) {
        struct vg_batch batch;
        uint32_t deleted = 0;
        vg_batch_init(&batch, VG_SAMPLE_PURGE_PORTION * (sizeof(struct vg_key) + 64));
        for (uint32_t i = 0; i < portion->count; i++) {
            if (is_to_go(family, &portion->keys[i], record->purged_until)) {
                vg_batch_delete(&batch, vg_key_bytes(&portion->keys[i]));
                deleted++;
            }
        }
        reason = deleted > 0 ? vg_ingest_wait_apply(purge->ingest, &batch, error) : VG_OK;
        vg_batch_dispose(&batch);
        if (reason == VG_OK) {
            reason = next_portion(purge, vg_key_bytes(&prefix), portion, error);
        }
    }
    return reason;
}

/* ------------------------------------------------------------------------------------ the file */

/* Is the sample still deleted? Asked under the lock of its file, so no upload changes it. */
static enum vg_reason read_deleted(
    const struct vg_sample_purge *purge,
    const struct vg_sample_record *record,
    bool *out_deleted,
    struct vg_error *error)
{
    struct vg_key key;
    struct vg_store_value value;
    struct vg_arena arena;
    vg_key_sample(&key, record->sha256);
    enum vg_reason reason = vg_store_get_one(
        purge->source.store,
        NULL,
        purge->source.shard,
        vg_key_bytes(&key),
        &value,
        error);
    if (reason != VG_OK) {
        return reason;
    }
    vg_arena_init(&arena, ROUND_BYTES_MAX);
    struct vg_sample_record now = { .deleted = 0 };
    if (value.found) {
        reason = vg_sample_record_unpack(record->sha256, value.bytes, &arena, &now, error);
    }
    *out_deleted = now.deleted != 0;
    vg_arena_dispose(&arena);
    vg_store_value_release(&value);
    return reason;
}

static enum vg_reason remove_file_locked(
    const struct vg_sample_purge *purge,
    const struct vg_sample_record *record,
    struct portion *portion,
    struct vg_error *error)
{
    static const enum vg_key_family families[] = {
        VG_KEY_FAMILY_CHALLENGE,
        VG_KEY_FAMILY_CHALLENGE_OPEN,
        VG_KEY_FAMILY_SIMILAR,
    };
    bool deleted = false;
    bool found = false;
    enum vg_reason reason = read_deleted(purge, record, &deleted, error);
    for (size_t i = 0; reason == VG_OK && deleted && i < VG_ARRAY_COUNT(families); i++) {
        reason = remove_family(purge, families[i], record, portion, error);
    }
    if (reason == VG_OK && deleted) {
        reason = vg_blob_files_remove(purge->blobs, record->sha256, &found, error);
    }
    return reason;
}

static enum vg_reason remove_file(
    const struct vg_sample_purge *purge,
    const struct vg_sample_record *record,
    struct portion *portion,
    struct vg_error *error)
{
    vg_blob_files_lock(purge->blobs, record->sha256);
    enum vg_reason reason = remove_file_locked(purge, record, portion, error);
    vg_blob_files_unlock(purge->blobs, record->sha256);
    return reason;
}

/* ----------------------------------------------------------------------------------- one sample */

static enum vg_reason finish(
    const struct vg_sample_purge *purge,
    const struct vg_sample_record *record,
    struct vg_error *error)
{
    struct vg_ingest_wait wait;
    struct vg_sample_purged purged;
    bool refused;
    vg_ingest_wait_init(&wait);
    vg_sample_change_purged(&wait.group, &purged, record->sha256, record->purged_until);
    enum vg_reason reason = vg_ingest_wait_run(purge->ingest, &wait, &refused, error);
    if (reason == VG_OK && purged.change.item.reason != VG_OK) {
        reason = vg_error_set(error, purged.change.item.reason, NULL);
    }
    vg_ingest_wait_dispose(&wait);
    return reason;
}

static enum vg_reason purge_sample(
    const struct vg_sample_purge *purge,
    const struct vg_sample_record *record,
    bool *out_done,
    struct vg_error *error)
{
    struct portion *portion = malloc(sizeof(*portion));
    if (portion == NULL) {
        return vg_error_set(error, VG_RESOURCE_LIMIT, "no memory to delete a sample");
    }
    enum vg_reason reason = remove_submissions(purge, record, portion, error);
    if (reason == VG_OK) {
        reason = remove_family(purge, VG_KEY_FAMILY_VERDICT, record, portion, error);
    }
    if (reason == VG_OK && goes_on(purge)) {
        reason = remove_file(purge, record, portion, error);
    }
    free(portion);
    if (reason != VG_OK || !goes_on(purge)) {
        return reason;
    }
    *out_done = true;
    return finish(purge, record, error);
}

/* -------------------------------------------------------------------------------- those that wait
 */

struct waiting {
    uint8_t sha256[VG_SAMPLE_PURGE_ROUND][VG_SHA256_SIZE];
    uint32_t count;
};

/* The snapshot is given back before anything is removed: it would hold the views it is about. */
static enum vg_reason find_waiting(
    const struct vg_sample_purge *purge,
    struct vg_arena *arena,
    struct waiting *out_waiting,
    struct vg_error *error)
{
    struct vg_snapshot snapshot;
    const struct vg_sort_key oldest = { .column = VG_SAMPLE_COLUMN_DELETED };
    const struct vg_search search = {
        .kind = VG_INGEST_KIND_SAMPLE,
        .where = vg_predicate_range(arena, VG_SAMPLE_COLUMN_PURGING, 1, 1),
        .sort = &oldest,
        .sort_count = 1,
        .limit = VG_SAMPLE_PURGE_ROUND,
    };
    if (search.where == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason =
        vg_snapshot_acquire(purge->source.table, purge->source.snapshot_age_ms, &snapshot, error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_search_result result;
    reason = vg_search_run(&snapshot, &search, arena, &result, error);
    for (uint32_t i = 0; reason == VG_OK && i < result.hit_count; i++) {
        struct vg_value value;
        vg_hit_read(&result.hits[i], VG_SAMPLE_COLUMN_SHA256, &value);
        memcpy(out_waiting->sha256[out_waiting->count++], value.bytes.data, VG_SHA256_SIZE);
    }
    vg_snapshot_release(&snapshot);
    return reason;
}

static enum vg_reason purge_waiting(
    const struct vg_sample_purge *purge,
    const uint8_t *sha256,
    struct vg_arena *arena,
    bool *out_done,
    struct vg_error *error)
{
    struct vg_key key;
    struct vg_store_value value;
    struct vg_sample_record record;
    vg_key_sample(&key, sha256);
    enum vg_reason reason = vg_store_get_one(
        purge->source.store,
        NULL,
        purge->source.shard,
        vg_key_bytes(&key),
        &value,
        error);
    if (reason != VG_OK) {
        return reason;
    }
    if (!value.found) {
        return vg_error_set(error, VG_STORE_CORRUPT, NULL);
    }
    reason = vg_sample_record_unpack(sha256, value.bytes, arena, &record, error);
    vg_store_value_release(&value);
    if (reason != VG_OK) {
        return reason;
    }
    *out_done = record.purged_until == 0;
    return *out_done ? VG_OK : purge_sample(purge, &record, out_done, error);
}

enum vg_reason vg_sample_purge_run(
    const struct vg_sample_purge *purge,
    uint32_t *out_purged,
    struct vg_error *error)
{
    struct vg_arena arena;
    struct waiting waiting = { .count = 0 };
    uint32_t purged = 0;
    bool done = true;
    vg_arena_init(&arena, ROUND_BYTES_MAX);
    enum vg_reason reason = find_waiting(purge, &arena, &waiting, error);
    while (reason == VG_OK && done && purged < waiting.count && goes_on(purge)) {
        vg_arena_reset(&arena);
        reason = purge_waiting(purge, waiting.sha256[purged], &arena, &done, error);
        purged += reason == VG_OK && done;
    }
    vg_arena_dispose(&arena);
    *out_purged = purged;
    return reason;
}
