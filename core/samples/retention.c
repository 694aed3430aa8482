#include "core/samples/retention.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/ingest/ingest_wait.h"
#include "core/keyspace/keyspace.h"
#include "core/record/challenge_record.h"
#include "core/samples/submission.h"
#include "core/samples/submission_ingest.h"

/* Memory of one portion. */
#define PORTION_BYTES_MAX (8u * 1024u * 1024u)
/* And of the batch that forgets a review. */
#define FORGET_BYTES_MAX 4096u

/* --------------------------------------------------------------------------------- submissions */

/* Rows past their time; their ids are in `arena`. */
static enum vg_reason find_gone(
    const struct vg_retention *retention,
    vg_time now,
    struct vg_arena *arena,
    struct vg_submission_id **out_ids,
    uint32_t *out_count,
    struct vg_error *error)
{
    struct vg_snapshot snapshot;
    enum vg_reason reason = vg_snapshot_acquire(
        retention->source.table,
        retention->source.snapshot_age_ms,
        &snapshot,
        error);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_search_result found = { .hit_count = 0 };
    const struct vg_sort_key sort = { .column = VG_SUBMISSION_COLUMN_GONE };
    const struct vg_search search = {
        .kind = VG_INGEST_KIND_SUBMISSION,
        .where = vg_predicate_range(arena, VG_SUBMISSION_COLUMN_GONE, INT64_MIN + 1, now),
        .sort = &sort,
        .sort_count = 1,
        .limit = VG_RETENTION_SUBMISSIONS,
        .uncounted = true,
    };
    reason = search.where == NULL ? vg_error_set(error, VG_REQUEST_MEMORY, NULL)
                                  : vg_search_run(&snapshot, &search, arena, &found, error);
    struct vg_submission_id *ids = vg_arena_alloc(arena, (found.hit_count + 1) * sizeof(*ids));
    if (reason == VG_OK && ids == NULL) {
        reason = vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    for (uint32_t i = 0; reason == VG_OK && i < found.hit_count; i++) {
        vg_submission_hit_id(&found.hits[i], &ids[i]);
    }
    vg_snapshot_release(&snapshot);
    *out_ids = ids;
    *out_count = found.hit_count;
    return reason;
}

static enum vg_reason review(
    const struct vg_retention *retention,
    const struct vg_submission_id *ids,
    uint32_t count,
    struct vg_arena *arena,
    struct vg_error *error)
{
    struct vg_submission_review *reviews = vg_arena_alloc(arena, count * sizeof(*reviews));
    if (reviews == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    struct vg_ingest_wait wait;
    bool refused;
    vg_ingest_wait_init(&wait);
    for (uint32_t i = 0; i < count; i++) {
        vg_submission_ingest_review(&wait.group, &reviews[i], &ids[i]);
    }
    enum vg_reason reason = vg_ingest_wait_run(retention->ingest, &wait, &refused, error);
    for (uint32_t i = 0; reason == VG_OK && i < count; i++) {
        if (reviews[i].item.reason != VG_OK) {
            reason = vg_error_set(error, reviews[i].item.reason, NULL);
        }
    }
    vg_ingest_wait_dispose(&wait);
    return reason;
}

static enum vg_reason remove_submissions(
    const struct vg_retention *retention,
    vg_time now,
    struct vg_arena *arena,
    bool *out_more,
    struct vg_error *error)
{
    struct vg_submission_id *ids = NULL;
    uint32_t count = 0;
    enum vg_reason reason = find_gone(retention, now, arena, &ids, &count, error);
    if (reason == VG_OK && count > 0) {
        reason = review(retention, ids, count, arena, error);
    }
    *out_more = count == VG_RETENTION_SUBMISSIONS;
    return reason;
}

/* ------------------------------------------------------------------------------- plain writes */

static enum vg_reason apply(
    struct vg_ingest *ingest,
    struct vg_batch *batch,
    struct vg_error *error)
{
    enum vg_reason reason = vg_ingest_wait_apply(ingest, batch, error);
    return reason == VG_STORE_CONFLICT ? VG_OK : reason; /* used meanwhile: the next time */
}

/* --------------------------------------------------------------------- samples with a new verdict
 */

/* Rows of the sample that have an expiry, behind `after` (NULL = from the first). */
static enum vg_reason find_expiring(
    const struct vg_snapshot *snapshot,
    const uint8_t sample[VG_SHA256_SIZE],
    const struct vg_hit *after,
    struct vg_arena *arena,
    struct vg_search_result *out_found,
    struct vg_error *error)
{
    const struct vg_predicate *both[] = {
        vg_submission_of_sample(sample, arena),
        vg_predicate_range(arena, VG_SUBMISSION_COLUMN_EXPIRY, INT64_MIN + 1, INT64_MAX),
    };
    const struct vg_sort_key sort = { .column = VG_SUBMISSION_COLUMN_UUID };
    const struct vg_search search = {
        .kind = VG_INGEST_KIND_SUBMISSION,
        .where = vg_predicate_and(arena, both, VG_ARRAY_COUNT(both)),
        .sort = &sort,
        .sort_count = 1,
        .limit = VG_RETENTION_SUBMISSIONS,
        .after = after,
        .uncounted = true,
    };
    return search.where == NULL ? vg_error_set(error, VG_REQUEST_MEMORY, NULL)
                                : vg_search_run(snapshot, &search, arena, out_found, error);
}

/* Review all of one sample, a portion at a time. */
static enum vg_reason review_rows(
    const struct vg_retention *retention,
    const struct vg_snapshot *snapshot,
    const uint8_t sample[VG_SHA256_SIZE],
    struct vg_error *error)
{
    struct vg_arena arena;
    struct vg_hit last;
    const struct vg_hit *after = NULL;
    enum vg_reason reason;
    struct vg_search_result found = { .hit_count = 0 };
    vg_arena_init(&arena, PORTION_BYTES_MAX);
    do {
        vg_arena_reset(&arena);
        reason = find_expiring(snapshot, sample, after, &arena, &found, error);
        uint32_t count = reason == VG_OK ? found.hit_count : 0;
        struct vg_submission_id *ids = vg_arena_alloc(&arena, (count + 1) * sizeof(*ids));
        if (reason == VG_OK && ids == NULL) {
            reason = vg_error_set(error, VG_REQUEST_MEMORY, NULL);
        }
        for (uint32_t i = 0; reason == VG_OK && i < count; i++) {
            vg_submission_hit_id(&found.hits[i], &ids[i]);
            last = found.hits[i];
            after = &last;
        }
        if (reason == VG_OK && count > 0) {
            reason = review(retention, ids, count, &arena, error);
        }
    } while (reason == VG_OK && found.hit_count == VG_RETENTION_SUBMISSIONS);
    vg_arena_dispose(&arena);
    return reason;
}

/* A sample that waits for its review, and the batch it waits since. */
struct waiting {
    struct vg_key key;
    uint8_t sample[VG_SHA256_SIZE];
    uint64_t since;
    bool found;
};

static bool visit_waiting(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct waiting *waiting = owner;
    if (vg_key_parse_review(key, waiting->sample) && value.size == sizeof(waiting->since)) {
        memcpy(&waiting->since, value.data, sizeof(waiting->since));
        vg_key_review(&waiting->key, waiting->sample);
        waiting->found = true;
    }
    return false;
}

/* The review is done, unless the sample has been given another verdict meanwhile. */
static enum vg_reason forget_waiting(
    const struct vg_retention *retention,
    const struct waiting *waiting,
    struct vg_error *error)
{
    struct vg_batch batch;
    vg_batch_init(&batch, FORGET_BYTES_MAX);
    vg_batch_guard_value(
        &batch,
        vg_key_bytes(&waiting->key),
        vg_bytes(&waiting->since, sizeof(waiting->since)));
    vg_batch_delete(&batch, vg_key_bytes(&waiting->key));
    enum vg_reason reason = apply(retention->ingest, &batch, error);
    vg_batch_dispose(&batch);
    return reason;
}

static enum vg_reason review_waiting(
    const struct vg_retention *retention,
    const struct waiting *waiting,
    struct vg_error *error)
{
    struct vg_snapshot snapshot;
    enum vg_reason reason = vg_snapshot_acquire(
        retention->source.table,
        retention->source.snapshot_age_ms,
        &snapshot,
        error);
    if (reason != VG_OK) {
        return reason;
    }
    /* A batch is in the store a moment before its rows are in the table. */
    bool published = vg_snapshot_sequence(&snapshot) >= waiting->since;
    if (published) {
        reason = review_rows(retention, &snapshot, waiting->sample, error);
    }
    vg_snapshot_release(&snapshot);
    return reason == VG_OK && published ? forget_waiting(retention, waiting, error) : reason;
}

/* One sample whose newest verdict says otherwise than the one before. What was added to it since
 * says so already. */
enum vg_reason vg_retention_review(
    const struct vg_retention *retention,
    bool *out_more,
    struct vg_error *error)
{
    struct waiting waiting = { .found = false };
    const struct vg_store_range range = { .shard = retention->source.shard,
                                          .prefix = vg_key_family_prefix(VG_KEY_FAMILY_REVIEW),
                                          .limit = 1 };
    enum vg_reason reason =
        vg_store_scan(retention->source.store, &range, visit_waiting, &waiting, NULL, error);
    *out_more = waiting.found;
    return reason == VG_OK && waiting.found ? review_waiting(retention, &waiting, error) : reason;
}

/* ---------------------------------------------------------------------------------- challenges */

static const enum vg_key_family families[] = {
    VG_KEY_FAMILY_CHALLENGE,
    VG_KEY_FAMILY_CHALLENGE_OPEN,
    VG_KEY_FAMILY_SIMILAR,
};

struct key_walk {
    const struct vg_retention *retention;
    struct vg_arena *arena;
    struct vg_batch batch;
    vg_time now;
    uint32_t seen;
    uint32_t deleted;
    struct vg_key last;
};

/* Has what lies under a key of this family had its time? What cannot be read is left alone. */
static bool is_over(const struct key_walk *walk, enum vg_key_family family, struct vg_bytes value)
{
    struct vg_challenge challenge;
    struct vg_challenge_open open;
    vg_time submitted;
    if (family == VG_KEY_FAMILY_CHALLENGE) {
        return vg_challenge_record_unpack(value, walk->arena, &challenge) == VG_OK &&
               challenge.expires <= walk->now;
    }
    if (family == VG_KEY_FAMILY_CHALLENGE_OPEN) {
        return vg_challenge_open_unpack(value, walk->arena, &open) == VG_OK &&
               (open.count == 0 || open.items[open.count - 1].expires <= walk->now);
    }
    if (value.size != sizeof(submitted)) {
        return true;
    }
    memcpy(&submitted, value.data, sizeof(submitted));
    return !vg_submission_is_recent(submitted, walk->now, walk->retention->similar_window_ms);
}

static bool visit_key(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct key_walk *walk = owner;
    walk->seen++;
    VG_ASSERT(key.size <= sizeof(walk->last.data));
    memcpy(walk->last.data, key.data, key.size);
    walk->last.size = (uint16_t)key.size;
    if (is_over(walk, families[walk->retention->family], value)) {
        /* It may be used again meanwhile: then it stays, and so does the rest of the portion. */
        vg_batch_guard_value(&walk->batch, key, value);
        vg_batch_delete(&walk->batch, key);
        walk->deleted++;
    }
    vg_arena_reset(walk->arena);
    return true;
}

/* Pass over the next keys of the family at hand. */
static enum vg_reason remove_keys(
    struct vg_retention *retention,
    vg_time now,
    struct vg_arena *arena,
    bool *out_more,
    struct vg_error *error)
{
    struct key_walk walk = { .retention = retention, .arena = arena, .now = now };
    vg_batch_init(&walk.batch, VG_STORE_BATCH_BYTES_MAX);
    struct vg_store_range range = {
        .shard = retention->source.shard,
        .prefix = vg_key_family_prefix(families[retention->family]),
        .start_after = vg_key_bytes(&retention->after),
        .limit = VG_RETENTION_KEYS,
    };
    if (retention->after.size == 0) {
        range.start_after = vg_bytes(NULL, 0);
    }
    enum vg_reason reason =
        vg_store_scan(retention->source.store, &range, visit_key, &walk, NULL, error);
    if (reason == VG_OK && walk.deleted > 0) {
        reason = apply(retention->ingest, &walk.batch, error);
    }
    vg_batch_dispose(&walk.batch);
    if (reason != VG_OK) {
        return reason;
    }
    *out_more = walk.seen == VG_RETENTION_KEYS;
    retention->after = walk.last;
    if (!*out_more) {
        retention->after.size = 0;
        retention->family = (retention->family + 1) % VG_ARRAY_COUNT(families);
        *out_more = retention->family != 0;
    }
    return VG_OK;
}

enum vg_reason vg_retention_run(
    struct vg_retention *retention,
    bool *out_more,
    struct vg_error *error)
{
    struct vg_arena arena;
    bool more_submissions = false;
    bool more_reviews = false;
    bool more_keys = false;
    vg_time now = vg_clock_now(retention->clock);
    vg_arena_init(&arena, PORTION_BYTES_MAX);
    enum vg_reason reason = remove_submissions(retention, now, &arena, &more_submissions, error);
    vg_arena_reset(&arena);
    if (reason == VG_OK) {
        reason = vg_retention_review(retention, &more_reviews, error);
    }
    if (reason == VG_OK) {
        reason = remove_keys(retention, now, &arena, &more_keys, error);
    }
    vg_arena_dispose(&arena);
    *out_more = more_submissions || more_reviews || more_keys;
    return reason;
}
