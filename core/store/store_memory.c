/*
 * Each shard is an array of entries sorted by key; each entry is a list of versions, newest first.
 * A write adds versions with the next sequence number; a view is a sequence number, and sees of
 * each entry the newest version that is not newer. Versions nobody can see any more go when their
 * entry is written again, and when enough have gathered, in one sweep.
 */
#include "core/store/store_memory.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/store/store_backend.h"

#define SWEEP_GARBAGE_MIN 1024

/* Bytes counted by reference: a value is pinned by whoever reads it. */
struct blob {
    atomic_uint references;
    size_t size;
    uint8_t data[];
};

struct version {
    struct version *older;
    struct blob *value; /* NULL = deleted */
    uint64_t sequence;
};

struct entry {
    struct blob *key;
    struct version *newest;
};

struct memory_shard {
    struct entry *entries; /* sorted by key */
    size_t count;
    size_t capacity;
    size_t garbage; /* versions that may be invisible, deleted entries */
};

struct memory_view {
    struct memory_view *next; /* younger */
    struct memory_view *previous;
    uint64_t sequence;
};

struct store_memory {
    struct vg_store store;
    pthread_mutex_t lock; /* everything below */
    uint64_t sequence;
    struct memory_view *oldest;
    struct memory_view *youngest;
    struct memory_shard *shards;
};

static struct store_memory *memory_of(struct vg_store *store)
{
    return VG_CONTAINER_OF(store, struct store_memory, store);
}

static struct blob *blob_create(struct vg_bytes bytes)
{
    struct blob *blob = malloc(sizeof(*blob) + bytes.size);
    VG_ASSERT(blob != NULL);
    atomic_init(&blob->references, 1);
    blob->size = bytes.size;
    if (bytes.size > 0) {
        memcpy(blob->data, bytes.data, bytes.size);
    }
    return blob;
}

static struct blob *blob_ref(struct blob *blob)
{
    atomic_fetch_add(&blob->references, 1);
    return blob;
}

static void blob_unref(struct blob *blob)
{
    if (blob != NULL && atomic_fetch_sub(&blob->references, 1) == 1) {
        free(blob);
    }
}

static void blob_release(void *owner)
{
    blob_unref(owner);
}

static struct vg_bytes blob_bytes(const struct blob *blob)
{
    return vg_bytes(blob->data, blob->size);
}

/* Index of the first entry whose key is not less than `key`. */
static size_t lower_bound(const struct memory_shard *shard, struct vg_bytes key)
{
    size_t low = 0;
    size_t high = shard->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (vg_bytes_compare(blob_bytes(shard->entries[middle].key), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct entry *find_entry(const struct memory_shard *shard, struct vg_bytes key)
{
    size_t index = lower_bound(shard, key);
    if (index < shard->count && vg_bytes_equal(blob_bytes(shard->entries[index].key), key)) {
        return &shard->entries[index];
    }
    return NULL;
}

/* What `entry` was at `sequence`; NULL = absent. */
static struct blob *visible_value(const struct entry *entry, uint64_t sequence)
{
    const struct version *version = entry->newest;
    while (version != NULL && version->sequence > sequence) {
        version = version->older;
    }
    return version == NULL ? NULL : version->value;
}

/* Free the versions that neither a view nor the present sees. */
static void prune(struct entry *entry, uint64_t oldest_sequence)
{
    struct version *version = entry->newest;
    while (version != NULL && version->sequence > oldest_sequence) {
        version = version->older;
    }
    if (version == NULL) {
        return;
    }
    struct version *dead = version->older;
    version->older = NULL;
    while (dead != NULL) {
        struct version *older = dead->older;
        blob_unref(dead->value);
        free(dead);
        dead = older;
    }
}

static uint64_t oldest_sequence(const struct store_memory *memory)
{
    return memory->oldest == NULL ? memory->sequence : memory->oldest->sequence;
}

static void free_entry(struct entry *entry)
{
    while (entry->newest != NULL) {
        struct version *older = entry->newest->older;
        blob_unref(entry->newest->value);
        free(entry->newest);
        entry->newest = older;
    }
    blob_unref(entry->key);
}

static void sweep(const struct store_memory *memory, struct memory_shard *shard)
{
    uint64_t oldest = oldest_sequence(memory);
    size_t kept = 0;
    size_t garbage = 0;
    for (size_t index = 0; index < shard->count; index++) {
        struct entry entry = shard->entries[index];
        prune(&entry, oldest);
        bool gone = entry.newest->value == NULL && entry.newest->sequence <= oldest;
        if (gone) {
            free_entry(&entry);
            continue;
        }
        garbage += entry.newest->value == NULL || entry.newest->older != NULL;
        shard->entries[kept++] = entry;
    }
    shard->count = kept;
    shard->garbage = garbage / 2; /* what views hold back is not swept for again at once */
}

static struct entry *insert_entry(struct memory_shard *shard, struct vg_bytes key)
{
    size_t index = lower_bound(shard, key);
    if (shard->count == shard->capacity) {
        shard->capacity = shard->capacity == 0 ? 64 : shard->capacity * 2;
        shard->entries = realloc(shard->entries, shard->capacity * sizeof(*shard->entries));
        VG_ASSERT(shard->entries != NULL);
    }
    memmove(
        &shard->entries[index + 1],
        &shard->entries[index],
        (shard->count - index) * sizeof(*shard->entries));
    shard->count++;
    shard->entries[index] = (struct entry){ .key = blob_create(key) };
    return &shard->entries[index];
}

static void write_version(
    struct store_memory *memory,
    struct memory_shard *shard,
    struct vg_bytes key,
    struct blob *taken_value)
{
    struct entry *entry = find_entry(shard, key);
    if (entry == NULL) {
        if (taken_value == NULL) {
            return; /* deleting what is not there */
        }
        entry = insert_entry(shard, key);
    }
    struct version *newest = entry->newest;
    if (newest != NULL && newest->sequence == memory->sequence) {
        blob_unref(newest->value); /* twice in one batch: the later wins */
        newest->value = taken_value;
        return;
    }
    struct version *version = malloc(sizeof(*version));
    VG_ASSERT(version != NULL);
    *version = (struct version){
        .older = newest,
        .value = taken_value,
        .sequence = memory->sequence,
    };
    entry->newest = version;
    shard->garbage += newest != NULL || taken_value == NULL;
    prune(entry, oldest_sequence(memory));
}

static bool guards_hold(const struct memory_shard *shard, const struct vg_batch *batch)
{
    struct vg_batch_entry guard;
    uint32_t left = batch->guard_count;
    for (size_t position = 0; left > 0 && vg_batch_next(batch, &position, &guard);) {
        bool is_guard =
            guard.operation == VG_BATCH_GUARD_VALUE || guard.operation == VG_BATCH_GUARD_ABSENT;
        if (!is_guard) {
            continue;
        }
        left--;
        const struct entry *entry = find_entry(shard, guard.key);
        const struct blob *value = entry == NULL ? NULL : entry->newest->value;
        bool holds = guard.operation == VG_BATCH_GUARD_ABSENT
                         ? value == NULL
                         : value != NULL && vg_bytes_equal(blob_bytes(value), guard.value);
        if (!holds) {
            return false;
        }
    }
    return true;
}

static enum vg_reason memory_apply(
    struct vg_store *store,
    uint32_t shard_number,
    const struct vg_batch *batch,
    struct vg_error *error)
{
    struct store_memory *memory = memory_of(store);
    struct memory_shard *shard = &memory->shards[shard_number];
    (void)pthread_mutex_lock(&memory->lock);
    if (!guards_hold(shard, batch)) {
        (void)pthread_mutex_unlock(&memory->lock);
        return vg_error_set(error, VG_STORE_CONFLICT, NULL);
    }
    memory->sequence++;
    struct vg_batch_entry entry;
    for (size_t position = 0; vg_batch_next(batch, &position, &entry);) {
        if (entry.operation == VG_BATCH_SET) {
            write_version(memory, shard, entry.key, blob_create(entry.value));
        } else if (entry.operation == VG_BATCH_DELETE) {
            write_version(memory, shard, entry.key, NULL);
        }
    }
    if (shard->garbage > SWEEP_GARBAGE_MIN && shard->garbage > shard->count / 2) {
        sweep(memory, shard);
    }
    (void)pthread_mutex_unlock(&memory->lock);
    return VG_OK;
}

static uint64_t sequence_of(const struct store_memory *memory, const void *pinned)
{
    return pinned == NULL ? memory->sequence : ((const struct memory_view *)pinned)->sequence;
}

static enum vg_reason memory_get(
    struct vg_store *store,
    void *pinned,
    uint32_t shard,
    struct vg_bytes key,
    struct vg_store_value *out_value,
    struct vg_error *error)
{
    (void)error;
    struct store_memory *memory = memory_of(store);
    (void)pthread_mutex_lock(&memory->lock);
    const struct entry *entry = find_entry(&memory->shards[shard], key);
    struct blob *value = entry == NULL ? NULL : visible_value(entry, sequence_of(memory, pinned));
    if (value != NULL) {
        *out_value = (struct vg_store_value){
            .bytes = blob_bytes(value),
            .found = true,
            .owner = blob_ref(value),
            .release = blob_release,
        };
    }
    (void)pthread_mutex_unlock(&memory->lock);
    return VG_OK;
}

/* Find the first entry of `range` behind `last` (NULL = the range's own start) that is visible at
 * `sequence`, and reference its key and value. The lock is held only for this step, so a visitor
 * may read. */
static bool next_visible(
    struct store_memory *memory,
    const struct vg_store_range *range,
    uint64_t sequence,
    struct blob **last,
    struct blob **out_value)
{
    const struct memory_shard *shard = &memory->shards[range->shard];
    struct vg_bytes from = *last != NULL ? blob_bytes(*last) : range->start_after;
    bool found = false;
    (void)pthread_mutex_lock(&memory->lock);
    size_t index = vg_bytes_compare(from, range->prefix) < 0 ? lower_bound(shard, range->prefix)
                                                             : lower_bound(shard, from);
    if (from.size > 0 && index < shard->count &&
        vg_bytes_equal(blob_bytes(shard->entries[index].key), from)) {
        index++;
    }
    for (; !found && index < shard->count; index++) {
        const struct entry *entry = &shard->entries[index];
        if (!vg_bytes_begins_with(blob_bytes(entry->key), range->prefix)) {
            break;
        }
        struct blob *value = visible_value(entry, sequence);
        if (value != NULL) {
            blob_unref(*last);
            *last = blob_ref(entry->key);
            *out_value = blob_ref(value);
            found = true;
        }
    }
    (void)pthread_mutex_unlock(&memory->lock);
    return found;
}

static enum vg_reason memory_view_pin(
    struct vg_store *store,
    uint32_t shard,
    void **out_pinned,
    struct vg_error *error)
{
    (void)shard;
    (void)error;
    struct store_memory *memory = memory_of(store);
    struct memory_view *view = malloc(sizeof(*view));
    VG_ASSERT(view != NULL);
    (void)pthread_mutex_lock(&memory->lock);
    *view = (struct memory_view){ .previous = memory->youngest, .sequence = memory->sequence };
    if (memory->youngest == NULL) {
        memory->oldest = view;
    } else {
        memory->youngest->next = view;
    }
    memory->youngest = view;
    (void)pthread_mutex_unlock(&memory->lock);
    *out_pinned = view;
    return VG_OK;
}

static void memory_view_unpin(struct vg_store *store, void *pinned)
{
    struct store_memory *memory = memory_of(store);
    struct memory_view *view = pinned;
    (void)pthread_mutex_lock(&memory->lock);
    *(view->previous == NULL ? &memory->oldest : &view->previous->next) = view->next;
    *(view->next == NULL ? &memory->youngest : &view->next->previous) = view->previous;
    (void)pthread_mutex_unlock(&memory->lock);
    free(view);
}

static enum vg_reason memory_scan(
    struct vg_store *store,
    const struct vg_store_range *range,
    vg_store_visit visit,
    void *owner,
    bool *out_more,
    struct vg_error *error)
{
    struct store_memory *memory = memory_of(store);
    const void *pinned = vg_store_pinned(range->view);
    void *own_pin = NULL; /* else an entry overwritten on the way would be missed */
    if (pinned == NULL) {
        (void)memory_view_pin(store, range->shard, &own_pin, error);
        pinned = own_pin;
    }
    uint64_t sequence = ((const struct memory_view *)pinned)->sequence;
    struct blob *last = NULL;
    struct blob *value = NULL;
    size_t visited = 0;
    bool stopped = false;
    bool found = next_visible(memory, range, sequence, &last, &value);
    while (found && !stopped) {
        stopped = !visit(owner, blob_bytes(last), blob_bytes(value));
        visited++;
        stopped = stopped || visited == range->limit;
        blob_unref(value);
        found = next_visible(memory, range, sequence, &last, &value);
    }
    if (found) {
        blob_unref(value);
    }
    blob_unref(last);
    if (own_pin != NULL) {
        memory_view_unpin(store, own_pin);
    }
    *out_more = found;
    return VG_OK;
}

static enum vg_reason memory_reopen(struct vg_store *store, struct vg_error *error)
{
    (void)store;
    (void)error;
    return VG_OK;
}

static void memory_close(struct vg_store *store)
{
    struct store_memory *memory = memory_of(store);
    for (uint32_t number = 0; number < store->shard_count; number++) {
        struct memory_shard *shard = &memory->shards[number];
        for (size_t index = 0; index < shard->count; index++) {
            free_entry(&shard->entries[index]);
        }
        free(shard->entries);
    }
    free(memory->shards);
    (void)pthread_mutex_destroy(&memory->lock);
    vg_store_dispose(store);
    free(memory);
}

static const struct vg_store_backend memory_backend = {
    .name = "memory",
    .apply = memory_apply,
    .get = memory_get,
    .scan = memory_scan,
    .view_pin = memory_view_pin,
    .view_unpin = memory_view_unpin,
    .reopen = memory_reopen,
    .close = memory_close,
};

struct vg_store *vg_store_memory_open(uint32_t shard_count)
{
    struct store_memory *memory = calloc(1, sizeof(*memory));
    VG_ASSERT(memory != NULL);
    vg_store_init(&memory->store, &memory_backend, shard_count);
    VG_ASSERT(pthread_mutex_init(&memory->lock, NULL) == 0);
    memory->shards = calloc(shard_count, sizeof(*memory->shards));
    VG_ASSERT(memory->shards != NULL);
    return &memory->store;
}
