#include "core/table/dictionary.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/digest.h"

#define INDEX_FIRST 1024u
#define BLOCK_SIZE  (64u * 1024u)

static size_t segment_count(uint32_t entries_max)
{
    return (size_t)entries_max / VG_DICTIONARY_SEGMENT + 1;
}

static struct vg_dictionary_index *make_index(uint32_t slots)
{
    struct vg_dictionary_index *index = calloc(1, sizeof(*index) + slots * sizeof(index->slots[0]));
    if (index != NULL) {
        index->mask = slots - 1;
    }
    return index;
}

bool vg_dictionary_init(
    struct vg_dictionary *dictionary,
    const uint8_t secret[16],
    uint32_t entries_max,
    uint64_t bytes_max,
    struct vg_epoch *epoch,
    struct vg_retired_list *retired)
{
    VG_ASSERT(entries_max <= VG_DICTIONARY_ENTRIES_MAX);
    memset(dictionary, 0, sizeof(*dictionary));
    memcpy(dictionary->secret, secret, sizeof(dictionary->secret));
    dictionary->entries_max = entries_max;
    dictionary->bytes_max = bytes_max;
    dictionary->epoch = epoch;
    dictionary->retired = retired;
    dictionary->segments = calloc(segment_count(entries_max), sizeof(struct vg_dictionary_entry *));
    struct vg_dictionary_index *index = make_index(INDEX_FIRST);
    atomic_init(&dictionary->index, index);
    atomic_init(&dictionary->count, 0);
    atomic_init(&dictionary->has_beyond, false);
    if (dictionary->segments == NULL || index == NULL) {
        vg_dictionary_dispose(dictionary);
        return false;
    }
    return true;
}

bool vg_dictionary_fold(struct vg_dictionary *dictionary)
{
    VG_ASSERT(vg_dictionary_count(dictionary) == 0 && dictionary->folded == NULL);
    dictionary->folded = vg_folded_texts_create(dictionary->entries_max, dictionary->bytes_max);
    return dictionary->folded != NULL;
}

void vg_dictionary_dispose(struct vg_dictionary *dictionary)
{
    if (dictionary->segments != NULL) {
        for (size_t i = 0; i < segment_count(dictionary->entries_max); i++) {
            free(dictionary->segments[i]);
        }
    }
    vg_entry_rank_cache_dispose(&dictionary->rank_cache);
    vg_folded_texts_destroy(dictionary->folded);
    free(dictionary->segments);
    free(atomic_load(&dictionary->index));
    while (dictionary->blocks != NULL) {
        struct vg_dictionary_block *older = dictionary->blocks->older;
        free(dictionary->blocks);
        dictionary->blocks = older;
    }
    memset(dictionary, 0, sizeof(*dictionary));
}

static const struct vg_dictionary_entry *entry_at(
    const struct vg_dictionary *dictionary,
    uint32_t id)
{
    return &dictionary->segments[id / VG_DICTIONARY_SEGMENT][id % VG_DICTIONARY_SEGMENT];
}

/* The id of `bytes`, or 0 and the slot where it belongs. */
static uint32_t probe(
    const struct vg_dictionary *dictionary,
    const struct vg_dictionary_index *index,
    uint32_t hash,
    struct vg_bytes bytes,
    uint32_t *out_slot)
{
    for (uint32_t slot = hash & index->mask;; slot = (slot + 1) & index->mask) {
        uint32_t id = atomic_load_explicit(&index->slots[slot], memory_order_acquire);
        if (id == 0) {
            *out_slot = slot;
            return 0;
        }
        const struct vg_dictionary_entry *entry = entry_at(dictionary, id);
        if (entry->hash == hash && entry->size == bytes.size &&
            (bytes.size == 0 || memcmp(entry->data, bytes.data, bytes.size) == 0)) {
            return id;
        }
    }
}

static void destroy_index(struct vg_retired *retired)
{
    free(VG_CONTAINER_OF(retired, struct vg_dictionary_index, retired));
}

static bool grow_index(struct vg_dictionary *dictionary)
{
    struct vg_dictionary_index *old = atomic_load(&dictionary->index);
    struct vg_dictionary_index *index = make_index((old->mask + 1) * 2);
    if (index == NULL) {
        return false;
    }
    uint32_t count = vg_dictionary_count(dictionary);
    for (uint32_t id = 1; id <= count; id++) {
        uint32_t slot = entry_at(dictionary, id)->hash & index->mask;
        while (atomic_load_explicit(&index->slots[slot], memory_order_relaxed) != 0) {
            slot = (slot + 1) & index->mask;
        }
        atomic_store_explicit(&index->slots[slot], id, memory_order_relaxed);
    }
    atomic_store(&dictionary->index, index);
    vg_retired_add(dictionary->retired, dictionary->epoch, &old->retired, destroy_index);
    return true;
}

static uint8_t *copy_text(struct vg_dictionary *dictionary, struct vg_bytes bytes)
{
    struct vg_dictionary_block *block = dictionary->blocks;
    size_t size = (bytes.size + 7) & ~(size_t)7; /* subject sets are read as arrays of int64 */
    if (block == NULL || block->size - block->used < size) {
        block = calloc(1, sizeof(*block) + BLOCK_SIZE);
        if (block == NULL) {
            return NULL;
        }
        block->size = BLOCK_SIZE;
        block->older = dictionary->blocks;
        dictionary->blocks = block;
    }
    uint8_t *text = block->data + block->used;
    if (bytes.size > 0) {
        memcpy(text, bytes.data, bytes.size);
    }
    block->used += size;
    return text;
}

bool vg_dictionary_add(
    struct vg_dictionary *dictionary,
    struct vg_bytes bytes,
    uint32_t *out_id,
    bool *out_full)
{
    uint32_t hash = (uint32_t)vg_siphash(dictionary->secret, bytes);
    uint32_t count = vg_dictionary_count(dictionary);
    struct vg_dictionary_index *index = atomic_load(&dictionary->index);
    uint32_t slot;
    *out_full = false;
    uint32_t id = probe(dictionary, index, hash, bytes, &slot);
    if (id != 0) {
        *out_id = id;
        return true;
    }
    /* Room only shrinks, so a value refused once is refused for ever and has one id only. */
    if (count >= dictionary->entries_max || bytes.size > VG_DICTIONARY_TEXT_MAX ||
        dictionary->bytes + bytes.size > dictionary->bytes_max) {
        *out_id = hash | VG_DICTIONARY_BEYOND;
        *out_full = true;
        vg_dictionary_note_beyond(dictionary);
        return true;
    }
    if ((uint64_t)(count + 1) * 3 > (uint64_t)index->mask * 2) {
        if (!grow_index(dictionary)) {
            return false;
        }
        index = atomic_load(&dictionary->index);
        (void)probe(dictionary, index, hash, bytes, &slot);
    }
    id = count + 1;
    struct vg_dictionary_entry **segment = &dictionary->segments[id / VG_DICTIONARY_SEGMENT];
    if (*segment == NULL) {
        *segment = calloc(VG_DICTIONARY_SEGMENT, sizeof(**segment));
    }
    uint8_t *text = *segment == NULL ? NULL : copy_text(dictionary, bytes);
    if (text == NULL ||
        (dictionary->folded != NULL && !vg_folded_texts_add(dictionary->folded, id, bytes))) {
        return false;
    }
    (*segment)[id % VG_DICTIONARY_SEGMENT] =
        (struct vg_dictionary_entry){ .data = text, .size = (uint32_t)bytes.size, .hash = hash };
    dictionary->bytes += bytes.size;
    atomic_store_explicit(&dictionary->count, id, memory_order_release);
    atomic_store_explicit(&index->slots[slot], id, memory_order_release);
    *out_id = id;
    return true;
}

uint32_t vg_dictionary_find(const struct vg_dictionary *dictionary, struct vg_bytes bytes)
{
    uint32_t hash = (uint32_t)vg_siphash(dictionary->secret, bytes);
    uint32_t slot;
    uint32_t id = probe(dictionary, atomic_load(&dictionary->index), hash, bytes, &slot);
    return id != 0 ? id : hash | VG_DICTIONARY_BEYOND;
}

uint64_t vg_dictionary_memory(const struct vg_dictionary *dictionary)
{
    uint64_t segments = vg_dictionary_count(dictionary) / VG_DICTIONARY_SEGMENT + 1;
    uint64_t folded =
        dictionary->folded == NULL
            ? 0
            : vg_folded_texts_memory(dictionary->folded, vg_dictionary_count(dictionary));
    return dictionary->bytes + folded +
           segments * VG_DICTIONARY_SEGMENT * sizeof(struct vg_dictionary_entry) +
           (uint64_t)(atomic_load(&dictionary->index)->mask + 1) * sizeof(uint32_t);
}
