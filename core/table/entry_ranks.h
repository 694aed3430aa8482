/*
 * Entry ranks: the order of a dictionary's entries, as a number for each id, so that a sort by text
 * compares numbers. Made when a sort first needs it, kept until the dictionary has grown, and
 * shared by all searches meanwhile.
 *
 * Threads: any may acquire and release; the lock of the cache is held for a few instructions only.
 */
#ifndef VG_CORE_TABLE_ENTRY_RANKS_H
#define VG_CORE_TABLE_ENTRY_RANKS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/compiler.h"

struct vg_dictionary;

struct vg_entry_ranks {
    _Atomic uint32_t refs;
    uint32_t count;   /* entries of the dictionary then */
    uint32_t ranks[]; /* by id: 0 for the absent value, then 1 to count */
};

/* In each dictionary: the newest ranks; zero bytes are an empty cache. */
struct vg_entry_rank_cache {
    pthread_mutex_t lock;
    struct vg_entry_ranks *newest;
};

/*
 * The ranks of all entries there are now, in the order of vg_chunk_compare: byte for byte, or of
 * subject sets number by number. Release them. NULL without memory: then texts are compared.
 */
VG_MUST_USE struct vg_entry_ranks *vg_entry_ranks_acquire(
    struct vg_dictionary *dictionary,
    bool are_subjects);
void vg_entry_ranks_release(struct vg_entry_ranks *ranks); /* accepts NULL */

/* The rank of a row's id; one past the dictionary's limit comes behind all others. */
static inline uint32_t vg_entry_ranks_find(const struct vg_entry_ranks *ranks, uint32_t id)
{
    return id <= ranks->count ? ranks->ranks[id] : UINT32_MAX;
}

/* At the end of the dictionary. */
void vg_entry_rank_cache_dispose(struct vg_entry_rank_cache *cache);

#endif
