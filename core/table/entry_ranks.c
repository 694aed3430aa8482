#include "core/table/entry_ranks.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/dictionary.h"

static int compare_texts(const void *left, const void *right, void *owner)
{
    const struct vg_dictionary *dictionary = owner;
    return vg_bytes_compare(
        vg_dictionary_get(dictionary, *(const uint32_t *)left),
        vg_dictionary_get(dictionary, *(const uint32_t *)right));
}

static int compare_subjects(const void *left, const void *right, void *owner)
{
    const struct vg_dictionary *dictionary = owner;
    struct vg_bytes a = vg_dictionary_get(dictionary, *(const uint32_t *)left);
    struct vg_bytes b = vg_dictionary_get(dictionary, *(const uint32_t *)right);
    size_t common = a.size < b.size ? a.size : b.size;
    for (size_t i = 0; i < common; i += sizeof(int64_t)) {
        int64_t x;
        int64_t y;
        memcpy(&x, a.data + i, sizeof(x));
        memcpy(&y, b.data + i, sizeof(y));
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return (a.size > b.size) - (a.size < b.size);
}

/* With one reference. NULL without memory. */
static struct vg_entry_ranks *make_ranks(
    struct vg_dictionary *dictionary,
    uint32_t count,
    bool are_subjects)
{
    struct vg_entry_ranks *ranks =
        malloc(sizeof(*ranks) + ((size_t)count + 1) * sizeof(ranks->ranks[0]));
    uint32_t *order = malloc(((size_t)count + 1) * sizeof(*order));
    if (ranks == NULL || order == NULL) {
        free(ranks);
        free(order);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i + 1;
    }
    qsort_r(
        order,
        count,
        sizeof(*order),
        are_subjects ? compare_subjects : compare_texts,
        dictionary);
    atomic_init(&ranks->refs, 1);
    ranks->count = count;
    ranks->ranks[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        ranks->ranks[order[i]] = i + 1;
    }
    free(order);
    return ranks;
}

struct vg_entry_ranks *vg_entry_ranks_acquire(struct vg_dictionary *dictionary, bool are_subjects)
{
    struct vg_entry_rank_cache *cache = &dictionary->rank_cache;
    uint32_t count = vg_dictionary_count(dictionary);
    VG_ASSERT(pthread_mutex_lock(&cache->lock) == 0);
    struct vg_entry_ranks *ranks = cache->newest;
    bool is_new = ranks != NULL && ranks->count >= count;
    if (is_new) {
        (void)atomic_fetch_add(&ranks->refs, 1);
    }
    VG_ASSERT(pthread_mutex_unlock(&cache->lock) == 0);
    if (is_new) {
        return ranks;
    }
    /* Two searches may make the same ranks at a time; the later one's stay. */
    ranks = make_ranks(dictionary, count, are_subjects);
    if (ranks == NULL) {
        return NULL;
    }
    (void)atomic_fetch_add(&ranks->refs, 1);
    VG_ASSERT(pthread_mutex_lock(&cache->lock) == 0);
    struct vg_entry_ranks *old = cache->newest;
    cache->newest = ranks;
    VG_ASSERT(pthread_mutex_unlock(&cache->lock) == 0);
    vg_entry_ranks_release(old);
    return ranks;
}

void vg_entry_ranks_release(struct vg_entry_ranks *ranks)
{
    if (ranks != NULL && atomic_fetch_sub(&ranks->refs, 1) == 1) {
        free(ranks);
    }
}

void vg_entry_rank_cache_dispose(struct vg_entry_rank_cache *cache)
{
    vg_entry_ranks_release(cache->newest);
    cache->newest = NULL;
}
