/*
 * A snapshot is, for each kind, one array of entries sorted by id and one sorted by name. Adding
 * copies the arrays of that kind with the new entry in its place; the entries themselves are shared
 * by all snapshots and live as long as the directory, so pointers into a snapshot never dangle.
 * What is replaced (a disabled user, a revoked key) stays in memory until the server ends: it is
 * seldom and small.
 */
#include "core/directory/directory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/directory/directory_state.h"
#include "core/keyspace/keyspace.h"
#include "core/store/store.h"

#define VG_DIRECTORY_ARENA_BYTES_MAX ((size_t)4 * 1024 * 1024 * 1024)

struct kind_index {
    const struct vg_directory_entry **by_id; /* NULL when the kind has no ids */
    const struct vg_directory_entry **by_name;
    size_t count;
};

struct vg_directory_snapshot {
    _Atomic uint32_t references;
    uint64_t version;
    struct kind_index kinds[VG_DIRECTORY_KIND_COUNT];
};

static int compare_ids(const void *left, const void *right)
{
    const struct vg_directory_entry *a = *(const struct vg_directory_entry *const *)left;
    const struct vg_directory_entry *b = *(const struct vg_directory_entry *const *)right;
    return (a->id > b->id) - (a->id < b->id);
}

static int compare_names(const void *left, const void *right)
{
    const struct vg_directory_entry *a = *(const struct vg_directory_entry *const *)left;
    const struct vg_directory_entry *b = *(const struct vg_directory_entry *const *)right;
    return vg_bytes_compare(a->name, b->name);
}

typedef int (*compare_entries)(const void *left, const void *right);

/* Where `probe` is in the array, or would be: the first position not below it. */
static size_t position(
    const struct vg_directory_entry **array,
    size_t count,
    const struct vg_directory_entry *probe,
    compare_entries compare)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(&array[middle], &probe) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static const struct vg_directory_entry *find(
    const struct vg_directory_entry **array,
    size_t count,
    const struct vg_directory_entry *probe,
    compare_entries compare)
{
    size_t at = array == NULL ? count : position(array, count, probe, compare);
    return at < count && compare(&array[at], &probe) == 0 ? array[at] : NULL;
}

static const void *find_id(
    const struct vg_directory_snapshot *snapshot,
    enum vg_directory_kind kind,
    int64_t id)
{
    const struct kind_index *index = &snapshot->kinds[kind];
    const struct vg_directory_entry *entry =
        find(index->by_id, index->count, &(struct vg_directory_entry){ .id = id }, compare_ids);
    return entry == NULL ? NULL : entry->object;
}

static const void *find_name(
    const struct vg_directory_snapshot *snapshot,
    enum vg_directory_kind kind,
    struct vg_bytes name)
{
    const struct kind_index *index = &snapshot->kinds[kind];
    uint8_t folded[VG_DIRECTORY_SHORT_NAME_BYTES_MAX];
    struct vg_directory_entry probe = { .id = 0 };
    if (!vg_directory_entry_fold(kind, name, folded, &probe.name)) {
        return NULL;
    }
    const struct vg_directory_entry *entry =
        find(index->by_name, index->count, &probe, compare_names);
    return entry == NULL ? NULL : entry->object;
}

static void snapshot_free(struct vg_directory_snapshot *snapshot)
{
    for (size_t kind = 0; kind < VG_DIRECTORY_KIND_COUNT; kind++) {
        free(snapshot->kinds[kind].by_id);
        free(snapshot->kinds[kind].by_name);
    }
    free(snapshot);
}

void vg_directory_snapshot_unref(const struct vg_directory_snapshot *snapshot)
{
    if (snapshot == NULL) {
        return;
    }
    union {
        const struct vg_directory_snapshot *constant;
        struct vg_directory_snapshot *counted; /* only the count changes */
    } both = { snapshot };
    if (atomic_fetch_sub_explicit(&both.counted->references, 1, memory_order_acq_rel) == 1) {
        snapshot_free(both.counted);
    }
}

const struct vg_directory_snapshot *vg_directory_snapshot(struct vg_directory *directory)
{
    (void)pthread_mutex_lock(&directory->lock);
    struct vg_directory_snapshot *snapshot = directory->current;
    (void)atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    (void)pthread_mutex_unlock(&directory->lock);
    return snapshot;
}

/* A copy of `array` with `entry` in its place; one that compares equal is replaced. */
static const struct vg_directory_entry **with_entry(
    const struct vg_directory_entry **array,
    size_t count,
    const struct vg_directory_entry *entry,
    compare_entries compare,
    size_t *out_count)
{
    const struct vg_directory_entry **copy =
        calloc(count + 1, sizeof(const struct vg_directory_entry *));
    VG_ASSERT(copy != NULL);
    size_t at = position(array, count, entry, compare);
    bool replaces = at < count && compare(&array[at], &entry) == 0;
    size_t behind = at + (replaces ? 1 : 0);
    if (at > 0) {
        memcpy(copy, array, at * sizeof(*copy));
    }
    copy[at] = entry;
    if (behind < count) {
        memcpy(copy + at + 1, array + behind, (count - behind) * sizeof(*copy));
    }
    *out_count = replaces ? count : count + 1;
    return copy;
}

static const struct vg_directory_entry **copy_array(
    const struct vg_directory_entry **array,
    size_t count)
{
    if (array == NULL) {
        return NULL;
    }
    const struct vg_directory_entry **copy =
        calloc(count + 1, sizeof(const struct vg_directory_entry *));
    VG_ASSERT(copy != NULL);
    memcpy(copy, array, count * sizeof(*copy));
    return copy;
}

/* The snapshot after `old` with one entry more, or another in its place. */
static struct vg_directory_snapshot *next_snapshot(
    const struct vg_directory_snapshot *old,
    enum vg_directory_kind kind,
    const struct vg_directory_entry *entry)
{
    struct vg_directory_snapshot *next = calloc(1, sizeof(*next));
    VG_ASSERT(next != NULL);
    atomic_init(&next->references, 1);
    next->version = old->version + 1;
    for (size_t i = 0; i < VG_DIRECTORY_KIND_COUNT; i++) {
        const struct kind_index *from = &old->kinds[i];
        struct kind_index *to = &next->kinds[i];
        to->count = from->count;
        if (i != (size_t)kind) {
            to->by_id = copy_array(from->by_id, from->count);
            to->by_name = copy_array(from->by_name, from->count);
            continue;
        }
        if (vg_directory_kinds[i].by_id) {
            to->by_id = with_entry(from->by_id, from->count, entry, compare_ids, &to->count);
        }
        if (vg_directory_kinds[i].by_name) {
            to->by_name = with_entry(from->by_name, from->count, entry, compare_names, &to->count);
        }
    }
    return next;
}

enum vg_directory_taken vg_directory_find_taken(
    const struct vg_directory_snapshot *snapshot,
    enum vg_directory_kind kind,
    const struct vg_directory_entry *entry)
{
    const struct kind_index *index = &snapshot->kinds[kind];
    if (find(index->by_name, index->count, entry, compare_names) != NULL) {
        return VG_DIRECTORY_TAKEN_NAME;
    }
    bool taken = find(index->by_id, index->count, entry, compare_ids) != NULL;
    if (vg_directory_kinds[kind].is_subject) {
        taken = taken || find_id(snapshot, VG_DIRECTORY_USER, entry->id) != NULL ||
                find_id(snapshot, VG_DIRECTORY_GROUP, entry->id) != NULL;
    }
    return taken ? VG_DIRECTORY_TAKEN_ID : VG_DIRECTORY_TAKEN_NOTHING;
}

/* An id that came from elsewhere is in use: what is given out next is larger. */
static void note_subject_id(struct vg_directory *directory, int64_t id)
{
    int64_t largest = atomic_load_explicit(&directory->subject_id, memory_order_relaxed);
    while (id > largest && !atomic_compare_exchange_weak_explicit(
                               &directory->subject_id,
                               &largest,
                               id,
                               memory_order_relaxed,
                               memory_order_relaxed)) {
        /* `largest` is what another thread has made of it. */
    }
}

void vg_directory_put(
    struct vg_directory *directory,
    enum vg_directory_kind kind,
    const struct vg_directory_entry *entry)
{
    if (vg_directory_kinds[kind].is_subject) {
        note_subject_id(directory, entry->id);
    }
    struct vg_directory_snapshot *next = next_snapshot(directory->current, kind, entry);
    (void)pthread_mutex_lock(&directory->lock);
    struct vg_directory_snapshot *old = directory->current;
    directory->current = next;
    (void)pthread_mutex_unlock(&directory->lock);
    vg_directory_snapshot_unref(old);
}

/* State of reading one kind from the store. */
struct load {
    struct vg_directory *directory;
    enum vg_directory_kind kind;
    struct kind_index *index;
    size_t capacity;
    enum vg_reason reason;
    struct vg_error *error;
};

static bool load_one(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    (void)key;
    struct load *load = owner;
    struct vg_directory_entry *entry = NULL;
    load->reason = vg_directory_entry_make(
        load->kind,
        value,
        &(struct vg_directory_memory){ &load->directory->arena, &load->directory->zones },
        &entry,
        load->error);
    if (load->reason != VG_OK) {
        return false;
    }
    if (load->index->count == load->capacity) {
        load->capacity = load->capacity == 0 ? 64 : load->capacity * 2;
        const struct vg_directory_entry **array =
            realloc(load->index->by_id, load->capacity * sizeof(const struct vg_directory_entry *));
        VG_ASSERT(array != NULL);
        load->index->by_id = array;
    }
    load->index->by_id[load->index->count++] = entry;
    return true;
}

static enum vg_reason load_kind(
    struct vg_directory *directory,
    enum vg_directory_kind kind,
    struct kind_index *index,
    struct vg_error *error)
{
    struct load load = { .directory = directory,
                         .kind = kind,
                         .index = index,
                         .reason = VG_OK,
                         .error = error };
    struct vg_key prefix;
    vg_key_directory_prefix(&prefix, (uint32_t)kind);
    enum vg_reason reason = vg_store_scan(
        directory->store,
        &(struct vg_store_range){ .prefix = vg_key_bytes(&prefix) },
        load_one,
        &load,
        NULL,
        error);
    if (reason != VG_OK || load.reason != VG_OK) {
        return reason != VG_OK ? reason : load.reason;
    }
    if (vg_directory_kinds[kind].by_name) {
        index->by_name = copy_array(index->by_id, index->count);
        if (index->count > 0) {
            qsort(index->by_name, index->count, sizeof(*index->by_name), compare_names);
        }
    }
    if (!vg_directory_kinds[kind].by_id) {
        free(index->by_id);
        index->by_id = NULL;
    } else if (index->count > 0) {
        qsort(index->by_id, index->count, sizeof(*index->by_id), compare_ids);
        if (vg_directory_kinds[kind].is_subject) {
            note_subject_id(directory, index->by_id[index->count - 1]->id);
        }
    }
    return VG_OK;
}

enum vg_reason vg_directory_create(
    struct vg_store *store,
    struct vg_directory **out_directory,
    struct vg_error *error)
{
    struct vg_directory *directory = calloc(1, sizeof(*directory));
    struct vg_directory_snapshot *first = calloc(1, sizeof(*first));
    VG_ASSERT(directory != NULL && first != NULL);
    directory->store = store;
    directory->current = first;
    atomic_init(&first->references, 1);
    vg_arena_init(&directory->arena, VG_DIRECTORY_ARENA_BYTES_MAX);
    VG_ASSERT(pthread_mutex_init(&directory->lock, NULL) == 0);
    vg_zone_set_init(&directory->zones);
    for (size_t kind = 0; kind < VG_DIRECTORY_KIND_COUNT; kind++) {
        enum vg_reason reason =
            load_kind(directory, (enum vg_directory_kind)kind, &first->kinds[kind], error);
        if (reason != VG_OK) {
            vg_directory_destroy(directory);
            return reason;
        }
    }
    *out_directory = directory;
    return VG_OK;
}

void vg_directory_destroy(struct vg_directory *directory)
{
    if (directory == NULL) {
        return;
    }
    VG_ASSERT(atomic_load(&directory->current->references) == 1);
    vg_directory_snapshot_unref(directory->current);
    vg_arena_dispose(&directory->arena);
    vg_zone_set_dispose(&directory->zones);
    (void)pthread_mutex_destroy(&directory->lock);
    free(directory);
}

uint64_t vg_directory_snapshot_version(const struct vg_directory_snapshot *snapshot)
{
    return snapshot->version;
}

size_t vg_directory_count(const struct vg_directory_snapshot *snapshot, enum vg_directory_kind kind)
{
    return snapshot->kinds[kind].count;
}

const void *vg_directory_at(
    const struct vg_directory_snapshot *snapshot,
    enum vg_directory_kind kind,
    size_t at)
{
    const struct kind_index *index = &snapshot->kinds[kind];
    VG_ASSERT(at < index->count);
    return (index->by_id != NULL ? index->by_id : index->by_name)[at]->object;
}

int64_t vg_directory_take_subject_id(struct vg_directory *directory)
{
    return atomic_fetch_add_explicit(&directory->subject_id, 1, memory_order_relaxed) + 1;
}

const struct vg_customer *vg_directory_customer(
    const struct vg_directory_snapshot *snapshot,
    int64_t id)
{
    return find_id(snapshot, VG_DIRECTORY_CUSTOMER, id);
}

/* All digits is an id, anything else a short name (the interface's rule for naming customers and
 * the like). */
static const void *find_named(
    const struct vg_directory_snapshot *snapshot,
    enum vg_directory_kind kind,
    struct vg_bytes name)
{
    int64_t id = 0;
    bool digits = name.size > 0 && name.size <= 18;
    for (size_t i = 0; i < name.size && digits; i++) {
        digits = name.data[i] >= '0' && name.data[i] <= '9';
        id = digits ? id * 10 + (name.data[i] - '0') : id;
    }
    return digits ? find_id(snapshot, kind, id) : find_name(snapshot, kind, name);
}

const struct vg_customer *vg_directory_customer_named(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes name)
{
    return find_named(snapshot, VG_DIRECTORY_CUSTOMER, name);
}

const struct vg_location *vg_directory_location(
    const struct vg_directory_snapshot *snapshot,
    int64_t id)
{
    return find_id(snapshot, VG_DIRECTORY_LOCATION, id);
}

const struct vg_location *vg_directory_location_named(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes name)
{
    return find_named(snapshot, VG_DIRECTORY_LOCATION, name);
}

const struct vg_case *vg_directory_case(const struct vg_directory_snapshot *snapshot, int64_t id)
{
    return find_id(snapshot, VG_DIRECTORY_CASE, id);
}

const struct vg_signature *vg_directory_signature(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes name)
{
    return find_name(snapshot, VG_DIRECTORY_SIGNATURE, name);
}

const struct vg_user *vg_directory_user(const struct vg_directory_snapshot *snapshot, int64_t id)
{
    return find_id(snapshot, VG_DIRECTORY_USER, id);
}

const struct vg_user *vg_directory_user_named(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes name)
{
    return find_named(snapshot, VG_DIRECTORY_USER, name);
}

const struct vg_group *vg_directory_group(const struct vg_directory_snapshot *snapshot, int64_t id)
{
    return find_id(snapshot, VG_DIRECTORY_GROUP, id);
}

const struct vg_group *vg_directory_group_named(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes name)
{
    return find_named(snapshot, VG_DIRECTORY_GROUP, name);
}

const struct vg_api_key *vg_directory_key(
    const struct vg_directory_snapshot *snapshot,
    struct vg_bytes key_id)
{
    return find_name(snapshot, VG_DIRECTORY_KEY, key_id);
}
