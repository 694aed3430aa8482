#include "core/events/record_fetch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/shared_work.h"
#include "core/events/record_cache.h"
#include "core/keyspace/keyspace.h"
#include "core/table/chunk.h"

/* Reading ahead ends behind so many bytes of records. */
#define AHEAD_BYTES (1024u * 1024u)

/* The most one buffer holds: what a walk may take, and one record of the largest size more. */
#define AHEAD_BYTES_MAX (16u * 1024u * 1024u)

/* A walk is given up when fewer than one in so many entries was wanted, after the first few. */
#define ENTRIES_PER_HIT     4u
#define ENTRIES_BEFORE_EXIT 32u

/* After a failure so many walks are skipped, twice as many after the next. */
#define SKIP_FIRST 4u
#define SKIP_MOST  256u

/* When none of so many hits is in the cache, the rest is not looked for. */
#define PROBES 16u

/* Scattered records one thread reads before it looks for more. */
#define SLICE 16u

struct wanted {
    struct vg_event_id id;
    size_t offset; /* of the record in `bytes` */
    size_t size;
    bool is_copied;              /* the record is in `bytes` */
    struct vg_store_value value; /* else it is here, if it was found */
    struct vg_record_place place;
    struct vg_key key; /* unless it was in the cache */
};

struct vg_record_ahead {
    struct wanted wanted[VG_RECORD_FETCH_AHEAD];  /* in the order of the hits */
    struct wanted *by_key[VG_RECORD_FETCH_AHEAD]; /* those that were not in the cache */
    uint32_t count;
    uint32_t missing;  /* of by_key */
    uint32_t position; /* of the next one to hand out */
    uint32_t next;     /* of by_key, in a walk */
    uint32_t visited;
    struct vg_buffer bytes;
    const struct vg_record_fetch *fetch; /* while scattered ones are read */
    atomic_size_t value_bytes;           /* of those */
};

void vg_record_fetch_init(
    struct vg_record_fetch *fetch,
    const struct vg_event_store *source,
    const struct vg_snapshot *snapshot)
{
    *fetch = (struct vg_record_fetch){ .source = source, .snapshot = snapshot };
    vg_buffer_init(&fetch->kept, VG_RECORD_CACHE_RECORD_MAX);
}

static void release_values(struct vg_record_ahead *ahead)
{
    for (uint32_t i = 0; i < ahead->count; i++) {
        vg_store_value_release(&ahead->wanted[i].value);
    }
    ahead->count = 0;
    ahead->missing = 0;
    ahead->position = 0;
}

void vg_record_fetch_dispose(struct vg_record_fetch *fetch)
{
    vg_store_value_release(&fetch->value);
    vg_buffer_dispose(&fetch->kept);
    if (fetch->ahead != NULL) {
        release_values(fetch->ahead);
        vg_buffer_dispose(&fetch->ahead->bytes);
        free(fetch->ahead);
    }
}

void vg_record_fetch_set(struct vg_record_fetch *fetch, const struct vg_hit *hits, uint32_t count)
{
    fetch->hits = hits;
    fetch->count = count;
    if (fetch->ahead != NULL) {
        release_values(fetch->ahead);
    }
}

static bool is_ahead(const struct vg_record_fetch *fetch)
{
    return fetch->ahead != NULL && fetch->ahead->position < fetch->ahead->count;
}

void vg_record_fetch_skip(struct vg_record_fetch *fetch)
{
    VG_ASSERT(fetch->count > 0);
    if (is_ahead(fetch)) {
        fetch->ahead->position++;
    }
    fetch->hits++;
    fetch->count--;
}

/* ---------------------------------------------------------------------------------------- walk */

static int compare_keys(const void *left, const void *right)
{
    const struct wanted *const *a = left;
    const struct wanted *const *b = right;
    return vg_bytes_compare(vg_key_bytes(&(*a)->key), vg_key_bytes(&(*b)->key));
}

/* Nearly always they are sorted already, one way or the other. */
static void sort_by_key(struct vg_record_ahead *ahead)
{
    bool rises = true;
    bool falls = true;
    for (uint32_t i = 1; i < ahead->missing; i++) {
        int order = compare_keys(&ahead->by_key[i - 1], &ahead->by_key[i]);
        rises = rises && order <= 0;
        falls = falls && order >= 0;
    }
    if (!rises && falls) {
        for (uint32_t i = 0; i < ahead->missing / 2; i++) {
            struct wanted *other = ahead->by_key[ahead->missing - 1 - i];
            ahead->by_key[ahead->missing - 1 - i] = ahead->by_key[i];
            ahead->by_key[i] = other;
        }
    } else if (!rises) {
        qsort(ahead->by_key, ahead->missing, sizeof(ahead->by_key[0]), compare_keys);
    }
}

static bool visit(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct vg_record_ahead *ahead = owner;
    ahead->visited++;
    while (ahead->next < ahead->missing) {
        struct wanted *wanted = ahead->by_key[ahead->next];
        int order = vg_bytes_compare(vg_key_bytes(&wanted->key), key);
        if (order > 0) {
            break;
        }
        if (order == 0) {
            wanted->offset = ahead->bytes.size;
            wanted->size = value.size;
            vg_buffer_append(&ahead->bytes, value.data, value.size);
            wanted->is_copied = !ahead->bytes.failed;
        }
        ahead->next++; /* what the walk has passed without finding it is read by itself */
    }
    bool is_scattered =
        ahead->visited > ENTRIES_BEFORE_EXIT && ahead->visited > ENTRIES_PER_HIT * ahead->next;
    return ahead->next < ahead->missing && !is_scattered && ahead->bytes.size < AHEAD_BYTES &&
           !ahead->bytes.failed;
}

static enum vg_reason walk(struct vg_record_fetch *fetch, struct vg_error *error)
{
    struct vg_record_ahead *ahead = fetch->ahead;
    struct vg_bytes first = vg_key_bytes(&ahead->by_key[0]->key);
    /* All but its last byte sorts just before the key itself. */
    const struct vg_store_range range = {
        .view = vg_snapshot_view(fetch->snapshot),
        .shard = fetch->source->shard,
        .prefix = vg_key_family_prefix(VG_KEY_FAMILY_EVENT),
        .start_after = vg_bytes(first.data, first.size - 1),
    };
    ahead->visited = 0;
    enum vg_reason reason = vg_store_scan(fetch->source->store, &range, visit, ahead, NULL, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (ahead->visited > ENTRIES_PER_HIT * ahead->next) {
        uint32_t skipped = SKIP_FIRST << fetch->walks_failed;
        fetch->walks_skipped = skipped < SKIP_MOST ? skipped : SKIP_MOST;
        fetch->walks_failed += skipped < SKIP_MOST;
    } else {
        fetch->walks_failed = 0;
    }
    fetch->is_dense = fetch->walks_failed == 0;
    return VG_OK;
}

/* ------------------------------------------------------------------------------------ scattered */

/* What cannot be read is left: it is tried again by itself when its turn comes, and fails then. */
static bool read_slice(void *owner, uint32_t first, uint32_t count)
{
    struct vg_record_ahead *ahead = owner;
    const struct vg_record_fetch *fetch = ahead->fetch;
    for (uint32_t i = first; i < first + count; i++) {
        struct wanted *wanted = ahead->by_key[ahead->next + i];
        if (vg_store_get_one(
                fetch->source->store,
                vg_snapshot_view(fetch->snapshot),
                fetch->source->shard,
                vg_key_bytes(&wanted->key),
                &wanted->value,
                NULL) != VG_OK) {
            wanted->value = (struct vg_store_value){ 0 };
            return false;
        }
        if (fetch->source->cache != NULL && wanted->value.found) {
            vg_record_cache_add(fetch->source->cache, &wanted->place, wanted->value.bytes);
        }
        size_t before = atomic_fetch_add(&ahead->value_bytes, wanted->value.bytes.size);
        if (before + wanted->value.bytes.size >= AHEAD_BYTES) {
            return false;
        }
    }
    return true;
}

static void read_scattered(struct vg_record_fetch *fetch)
{
    struct vg_record_ahead *ahead = fetch->ahead;
    const struct vg_shared_work work = {
        .count = ahead->missing - ahead->next,
        .slice = SLICE,
        .run = read_slice,
        .owner = ahead,
    };
    ahead->fetch = fetch;
    atomic_store(&ahead->value_bytes, 0);
    vg_shared_work_run(&work, fetch->source->helpers);
}

/* ---------------------------------------------------------------------------------------- ahead */

static struct vg_record_place place_of(const struct vg_hit *hit)
{
    return (struct vg_record_place){ .serial = hit->chunk->serial, .position = hit->position };
}

/* Copy the record from the cache, if it is there. */
static bool take_cached(
    const struct vg_record_fetch *fetch,
    struct vg_record_ahead *ahead,
    struct wanted *wanted)
{
    size_t before = ahead->bytes.size;
    if (!vg_record_cache_read(fetch->source->cache, &wanted->place, &ahead->bytes)) {
        return false;
    }
    wanted->offset = before;
    wanted->size = ahead->bytes.size - before;
    wanted->is_copied = true;
    return true;
}

/* The next hits, as far as their records have room; those that are not in the cache by key. */
static void take_hits(struct vg_record_fetch *fetch)
{
    struct vg_record_ahead *ahead = fetch->ahead;
    release_values(ahead);
    vg_buffer_clear(&ahead->bytes);
    bool probes = fetch->source->cache != NULL && !fetch->is_dense;
    uint32_t count = fetch->count < VG_RECORD_FETCH_AHEAD ? fetch->count : VG_RECORD_FETCH_AHEAD;
    while (ahead->count < count && ahead->bytes.size < AHEAD_BYTES) {
        const struct vg_hit *hit = &fetch->hits[ahead->count];
        struct wanted *wanted = &ahead->wanted[ahead->count++];
        wanted->is_copied = false;
        wanted->value = (struct vg_store_value){ .found = false };
        wanted->place = place_of(hit);
        vg_event_hit_id(hit, &wanted->id);
        if (!probes || !take_cached(fetch, ahead, wanted)) {
            vg_event_id_key(&wanted->id, &wanted->key);
            ahead->by_key[ahead->missing++] = wanted;
            probes = probes && ahead->missing < PROBES + (ahead->count - ahead->missing) * PROBES;
        }
    }
    ahead->next = 0;
    sort_by_key(ahead);
}

static struct vg_record_ahead *create_ahead(void)
{
    struct vg_record_ahead *ahead = malloc(sizeof(*ahead)); /* touched as far as it is used */
    if (ahead != NULL) {
        ahead->count = 0;
        ahead->missing = 0;
        ahead->position = 0;
        vg_buffer_init(&ahead->bytes, AHEAD_BYTES_MAX);
    }
    return ahead;
}

/* Take the next hits and read them. Without memory nothing is read ahead. */
static enum vg_reason read_ahead(struct vg_record_fetch *fetch, struct vg_error *error)
{
    if (fetch->ahead == NULL) {
        fetch->ahead = create_ahead();
        if (fetch->ahead == NULL) {
            return VG_OK;
        }
    }
    take_hits(fetch);
    bool is_sparse = fetch->ahead->missing < VG_RECORD_FETCH_LEAST;
    bool is_scattered = is_sparse || fetch->walks_skipped > 0;
    if (is_scattered) {
        fetch->walks_skipped -= !is_sparse;
    } else {
        enum vg_reason reason = walk(fetch, error);
        if (reason != VG_OK) {
            return reason;
        }
        is_scattered = fetch->walks_skipped > 0;
    }
    if (is_scattered) {
        read_scattered(fetch);
    }
    return VG_OK;
}

/* ------------------------------------------------------------------------------------------ one */

static enum vg_reason read_single(
    struct vg_record_fetch *fetch,
    const struct vg_event_id *id,
    struct vg_bytes *out_record,
    struct vg_error *error)
{
    const struct vg_record_place place = place_of(fetch->hits);
    struct vg_record_cache *cache = fetch->source->cache;
    vg_buffer_clear(&fetch->kept);
    if (cache != NULL && vg_record_cache_read(cache, &place, &fetch->kept)) {
        *out_record = vg_buffer_bytes(&fetch->kept);
        return VG_OK;
    }
    enum vg_reason reason =
        vg_event_read_packed(fetch->source, fetch->snapshot, id, &fetch->value, error);
    if (reason == VG_OK && !fetch->value.found) {
        reason = vg_error_set(error, VG_STORE_CORRUPT, NULL);
    }
    if (reason != VG_OK) {
        return reason;
    }
    *out_record = fetch->value.bytes;
    if (cache != NULL) {
        vg_record_cache_add(cache, &place, *out_record);
    }
    return VG_OK;
}

enum vg_reason vg_record_fetch_next(
    struct vg_record_fetch *fetch,
    struct vg_event_id *out_id,
    struct vg_bytes *out_record,
    struct vg_error *error)
{
    VG_ASSERT(fetch->count > 0);
    vg_store_value_release(&fetch->value);
    if (!is_ahead(fetch) && fetch->count >= VG_RECORD_FETCH_LEAST) {
        enum vg_reason reason = read_ahead(fetch, error);
        if (reason != VG_OK) {
            return reason;
        }
    }
    struct vg_event_id id;
    struct vg_bytes record;
    enum vg_reason reason = VG_OK;
    if (is_ahead(fetch)) {
        const struct wanted *wanted = &fetch->ahead->wanted[fetch->ahead->position];
        id = wanted->id;
        if (wanted->value.found) {
            record = wanted->value.bytes;
        } else if (wanted->is_copied) {
            record = vg_bytes(fetch->ahead->bytes.data + wanted->offset, wanted->size);
        } else {
            reason = read_single(fetch, &id, &record, error);
        }
    } else {
        vg_event_hit_id(fetch->hits, &id);
        reason = read_single(fetch, &id, &record, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    vg_record_fetch_skip(fetch);
    fetch->read_count++;
    *out_id = id;
    *out_record = record;
    return VG_OK;
}
