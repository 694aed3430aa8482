#include "core/samples/sample_orphans.h"

#include "core/base/arena.h"
#include "core/ingest/ingest_wait.h"
#include "core/keyspace/keyspace.h"
#include "core/record/sample_record.h"

#define FOLDERS 256u
/* Memory of one record, and of the batch that asks for its absence. */
#define RECORD_BYTES_MAX (4u * 1024u * 1024u)
#define ASK_BYTES_MAX    4096u

struct walk {
    const struct vg_sample_orphans *orphans;
    struct vg_arena arena;
    uint32_t seen;
    uint32_t removed;
    bool stopped;
    enum vg_reason reason;
    struct vg_error *error;
};

/* What a record says about the file: it is there, or is being removed by a purge (sample_purge.h).
 * What remains is that of a deletion that is over, and an upload since that did not come to its
 * end. */
static enum vg_reason owns_file(
    const struct vg_sample_orphans *orphans,
    const uint8_t *digest,
    struct vg_arena *arena,
    struct vg_batch *ask,
    bool *out_owned,
    struct vg_error *error)
{
    struct vg_key key;
    struct vg_store_value value;
    struct vg_sample_record record = { .deleted = 0 };
    vg_key_sample(&key, digest);
    enum vg_reason reason =
        vg_store_get_one(orphans->store, NULL, orphans->shard, vg_key_bytes(&key), &value, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (!value.found) {
        vg_batch_guard_absent(ask, vg_key_bytes(&key));
    } else {
        vg_batch_guard_value(ask, vg_key_bytes(&key), value.bytes);
        /* One that cannot be read says nothing against its file: the file stays. */
        reason = vg_sample_record_unpack(digest, value.bytes, arena, &record, NULL);
    }
    *out_owned =
        value.found && (reason != VG_OK || record.deleted == 0 || record.purged_until != 0);
    vg_store_value_release(&value);
    return VG_OK;
}

/* The writer confirms what was read: a store that has failed may have more than it shows. What it
 * is given to do changes nothing, for nothing is to be reviewed of a sample that is not there. */
static enum vg_reason confirm(
    const struct vg_sample_orphans *orphans,
    const uint8_t *digest,
    struct vg_batch *ask,
    struct vg_error *error)
{
    struct vg_key key;
    vg_key_review(&key, digest);
    vg_batch_delete(ask, vg_key_bytes(&key));
    return vg_ingest_wait_apply(orphans->ingest, ask, error);
}

static enum vg_reason look_locked(struct walk *walk, const uint8_t *digest)
{
    struct vg_batch ask;
    bool owned = true;
    bool found = false;
    vg_batch_init(&ask, RECORD_BYTES_MAX + ASK_BYTES_MAX);
    enum vg_reason reason =
        owns_file(walk->orphans, digest, &walk->arena, &ask, &owned, walk->error);
    if (reason == VG_OK && !owned) {
        reason = confirm(walk->orphans, digest, &ask, walk->error);
        if (reason == VG_OK) {
            reason = vg_blob_files_remove(walk->orphans->blobs, digest, &found, walk->error);
        }
        walk->removed += found;
    }
    vg_batch_dispose(&ask);
    return reason;
}

static bool visit(void *owner, const uint8_t digest[VG_SHA256_SIZE])
{
    struct walk *walk = owner;
    const struct vg_sample_orphans *orphans = walk->orphans;
    if (orphans->goes_on != NULL && !orphans->goes_on(orphans->owner)) {
        walk->stopped = true;
        return false;
    }
    walk->seen++;
    vg_arena_reset(&walk->arena);
    vg_blob_files_lock(orphans->blobs, digest);
    walk->reason = look_locked(walk, digest);
    vg_blob_files_unlock(orphans->blobs, digest);
    return walk->reason == VG_OK;
}

enum vg_reason vg_sample_orphans_run(
    struct vg_sample_orphans *orphans,
    uint32_t *out_removed,
    bool *out_end,
    struct vg_error *error)
{
    struct walk walk = { .orphans = orphans, .reason = VG_OK, .error = error };
    vg_arena_init(&walk.arena, RECORD_BYTES_MAX);
    enum vg_reason reason = VG_OK;
    while (orphans->next < FOLDERS && walk.seen < VG_SAMPLE_ORPHANS_PORTION) {
        reason = vg_blob_files_list(orphans->blobs, (uint8_t)orphans->next, visit, &walk, error);
        reason = reason == VG_OK ? walk.reason : reason;
        if (reason != VG_OK || walk.stopped) {
            break;
        }
        orphans->next++;
    }
    vg_arena_dispose(&walk.arena);
    *out_removed = walk.removed;
    *out_end = orphans->next == FOLDERS;
    if (*out_end) {
        orphans->next = 0;
    }
    return reason;
}
