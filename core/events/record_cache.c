/*
 * In parts, each with a lock of its own. A part is a ring that is written from front to back and
 * begins again over its oldest entries, and an index of where entries begin. Places in the ring
 * count up for ever, so that an index slot whose entry has been overwritten is known by its age.
 * An entry that is read in its last quarter of life is written once more in front.
 */
#include "core/events/record_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

#define PARTS 16u

/* Slots of a set; an entry may stand in any of its set. */
#define WAYS 4u

/* So many bytes of the ring have one slot: records are larger, and sets are rarely full. */
#define BYTES_PER_SLOT 256u

#define NO_ENTRY UINT64_MAX

struct entry {
    struct vg_record_place place;
    uint32_t size; /* of the record, which follows */
};

struct slot {
    uint64_t begin; /* NO_ENTRY = free */
    uint64_t tag;
};

struct part {
    pthread_mutex_t lock;
    uint8_t *ring;
    struct slot *slots;
    uint64_t next; /* where the next entry begins */
};

struct vg_record_cache {
    uint64_t ring_bytes;
    uint64_t set_mask;
    struct part parts[PARTS];
};

/* Rows are numbered one after the other; this spreads them (the finalizer of SplitMix64). Whoever
 * could choose them would only slow down his own reading. */
static uint64_t mix(const struct vg_record_place *place)
{
    uint64_t x = place->serial << 32 ^ place->serial >> 32 ^ place->position;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static struct part *part_of(struct vg_record_cache *cache, uint64_t hash)
{
    return &cache->parts[hash % PARTS];
}

static struct slot *set_of(
    const struct vg_record_cache *cache,
    const struct part *part,
    uint64_t hash)
{
    return &part->slots[(hash / PARTS & cache->set_mask) * WAYS];
}

static uint64_t entry_bytes(size_t size)
{
    return (sizeof(struct entry) + size + 15) / 16 * 16;
}

static bool is_same(const struct vg_record_place *a, const struct vg_record_place *b)
{
    return a->serial == b->serial && a->position == b->position;
}

/* What was written so long ago has been overwritten, or will be by the next entry. */
static bool is_lost(const struct vg_record_cache *cache, const struct part *part, uint64_t begin)
{
    return begin == NO_ENTRY || part->next - begin > cache->ring_bytes;
}

/* Under the lock: the slot of the row's entry, which is whole; NULL when there is none. */
static struct slot *find(
    const struct vg_record_cache *cache,
    const struct part *part,
    const struct vg_record_place *place,
    uint64_t hash,
    const struct entry **out_entry)
{
    struct slot *set = set_of(cache, part, hash);
    for (uint32_t way = 0; way < WAYS; way++) {
        if (set[way].tag != hash || is_lost(cache, part, set[way].begin)) {
            continue;
        }
        const void *at = part->ring + set[way].begin % cache->ring_bytes;
        const struct entry *entry = at;
        if (is_same(&entry->place, place)) {
            *out_entry = entry;
            return &set[way];
        }
    }
    return NULL;
}

/* Under the lock: make room in front for an entry of so many bytes, which does not go around. */
static uint64_t take_room(struct vg_record_cache *cache, struct part *part, uint64_t bytes)
{
    uint64_t rest = cache->ring_bytes - part->next % cache->ring_bytes;
    if (rest < bytes) {
        part->next += rest;
    }
    uint64_t begin = part->next;
    part->next += bytes;
    return begin;
}

static void write_entry(
    struct vg_record_cache *cache,
    struct part *part,
    struct slot *slot,
    const struct vg_record_place *place,
    struct vg_bytes record)
{
    uint64_t begin = take_room(cache, part, entry_bytes(record.size));
    void *at = part->ring + begin % cache->ring_bytes;
    struct entry *entry = at;
    entry->place = *place;
    entry->size = (uint32_t)record.size;
    if (record.size > 0) {
        memcpy(entry + 1, record.data, record.size);
    }
    slot->begin = begin;
}

/* The slot of the set that is free, lost or the oldest. */
static struct slot *choose_slot(
    const struct vg_record_cache *cache,
    const struct part *part,
    struct slot *set)
{
    struct slot *chosen = &set[0];
    for (uint32_t way = 0; way < WAYS; way++) {
        if (is_lost(cache, part, set[way].begin)) {
            return &set[way];
        }
        chosen = set[way].begin < chosen->begin ? &set[way] : chosen;
    }
    return chosen;
}

bool vg_record_cache_read(
    struct vg_record_cache *cache,
    const struct vg_record_place *place,
    struct vg_buffer *out)
{
    uint64_t hash = mix(place);
    struct part *part = part_of(cache, hash);
    const struct entry *entry = NULL;
    (void)pthread_mutex_lock(&part->lock);
    struct slot *slot = find(cache, part, place, hash, &entry);
    bool found = slot != NULL && vg_buffer_reserve(out, entry->size);
    if (found) {
        size_t before = out->size;
        vg_buffer_append(out, entry + 1, entry->size);
        if (part->next - slot->begin > cache->ring_bytes / 4 * 3) {
            write_entry(cache, part, slot, place, vg_bytes(out->data + before, out->size - before));
        }
    }
    (void)pthread_mutex_unlock(&part->lock);
    return found;
}

void vg_record_cache_add(
    struct vg_record_cache *cache,
    const struct vg_record_place *place,
    struct vg_bytes record)
{
    if (record.size > VG_RECORD_CACHE_RECORD_MAX) {
        return;
    }
    uint64_t hash = mix(place);
    struct part *part = part_of(cache, hash);
    const struct entry *entry = NULL;
    (void)pthread_mutex_lock(&part->lock);
    if (find(cache, part, place, hash, &entry) == NULL) {
        struct slot *slot = choose_slot(cache, part, set_of(cache, part, hash));
        slot->tag = hash;
        write_entry(cache, part, slot, place, record);
    }
    (void)pthread_mutex_unlock(&part->lock);
}

static bool create_part(const struct vg_record_cache *cache, struct part *part)
{
    VG_ASSERT(pthread_mutex_init(&part->lock, NULL) == 0);
    size_t slot_count = (cache->set_mask + 1) * WAYS;
    part->ring = malloc(cache->ring_bytes);
    part->slots = malloc(slot_count * sizeof(struct slot));
    for (size_t i = 0; part->slots != NULL && i < slot_count; i++) {
        part->slots[i] = (struct slot){ .begin = NO_ENTRY };
    }
    return part->ring != NULL && part->slots != NULL;
}

struct vg_record_cache *vg_record_cache_create(size_t bytes)
{
    if (bytes == 0) {
        return NULL;
    }
    struct vg_record_cache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL) {
        return NULL;
    }
    bytes = bytes < VG_RECORD_CACHE_LEAST ? VG_RECORD_CACHE_LEAST : bytes;
    cache->ring_bytes = bytes / PARTS / 16 * 16;
    uint64_t sets = 1;
    while (sets * WAYS * BYTES_PER_SLOT < cache->ring_bytes) {
        sets *= 2;
    }
    cache->set_mask = sets - 1;
    bool complete = true;
    for (uint32_t i = 0; i < PARTS; i++) {
        complete = create_part(cache, &cache->parts[i]) && complete;
    }
    if (!complete) {
        vg_record_cache_destroy(cache);
        return NULL;
    }
    return cache;
}

void vg_record_cache_destroy(struct vg_record_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (uint32_t i = 0; i < PARTS; i++) {
        free(cache->parts[i].ring);
        free(cache->parts[i].slots);
        (void)pthread_mutex_destroy(&cache->parts[i].lock);
    }
    free(cache);
}
