/*
 * Dictionary: the distinct byte strings of one column, numbered. Ids are never reused and never
 * change their meaning; entries go away only with the whole dictionary.
 *
 * Id 0 is the absent value. Ids with VG_DICTIONARY_BEYOND set stand for values that came after the
 * dictionary was full (or were longer than VG_DICTIONARY_TEXT_MAX): the rest of the id is a keyed
 * hash of the value, which only the record still has.
 *
 * Threads: one writer adds; any thread may find and read while it does. An id a reader has got from
 * a published row can be read without further ado; vg_dictionary_find runs inside an epoch.
 */
#ifndef VG_CORE_TABLE_DICTIONARY_H
#define VG_CORE_TABLE_DICTIONARY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/table/entry_ranks.h"
#include "core/table/epoch.h"
#include "core/table/folded_texts.h"

#define VG_DICTIONARY_BEYOND UINT32_C(0x80000000)
/* A key and a value of metadata of 255 and 8,192 code points, and what stands between them. */
#define VG_DICTIONARY_TEXT_MAX    33792u
#define VG_DICTIONARY_ENTRIES_MAX (UINT32_C(0x7FFFFFFF))
#define VG_DICTIONARY_SEGMENT     4096u

struct vg_dictionary_entry {
    const uint8_t *data;
    uint32_t size;
    uint32_t hash;
};

/* Open addressing, linear probing; slots hold ids. Replaced whole when it gets full. */
struct vg_dictionary_index {
    struct vg_retired retired;
    uint32_t mask;
    _Atomic uint32_t slots[];
};

struct vg_dictionary_block {
    struct vg_dictionary_block *older;
    size_t size;
    size_t used;
    _Alignas(8) uint8_t data[];
};

struct vg_dictionary {
    uint8_t secret[16];
    uint32_t entries_max;
    uint64_t bytes_max;
    struct vg_epoch *epoch;
    struct vg_retired_list *retired;
    struct vg_dictionary_entry **segments; /* by id / VG_DICTIONARY_SEGMENT; never move */
    _Atomic(struct vg_dictionary_index *) index;
    _Atomic uint32_t count; /* ids 1 to count exist */
    atomic_bool has_beyond; /* an id with VG_DICTIONARY_BEYOND may be in a row */
    struct vg_dictionary_block *blocks;
    uint64_t bytes;                 /* of texts */
    struct vg_folded_texts *folded; /* NULL = substrings are not looked for */
    struct vg_entry_rank_cache rank_cache;
};

/* `epoch` and `retired` take care of replaced indexes. False without memory. */
VG_MUST_USE bool vg_dictionary_init(
    struct vg_dictionary *dictionary,
    const uint8_t secret[16],
    uint32_t entries_max,
    uint64_t bytes_max,
    struct vg_epoch *epoch,
    struct vg_retired_list *retired);

/* Keep the entries, none so far, folded as well. False without memory. */
VG_MUST_USE bool vg_dictionary_fold(struct vg_dictionary *dictionary);

/* Nobody may be reading. Accepts a dictionary of zero bytes. */
void vg_dictionary_dispose(struct vg_dictionary *dictionary);

/* The id of `bytes`, added if it is new; a VG_DICTIONARY_BEYOND id when there is no room (then
 * *out_full is true). False only without memory. */
VG_MUST_USE bool vg_dictionary_add(
    struct vg_dictionary *dictionary,
    struct vg_bytes bytes,
    uint32_t *out_id,
    bool *out_full);

/* The id that rows with `bytes` have, if there are any. */
uint32_t vg_dictionary_find(const struct vg_dictionary *dictionary, struct vg_bytes bytes);

/* Whether rows may have ids beyond the dictionary; and to say that they do (loaded from a file). */
static inline bool vg_dictionary_has_beyond(const struct vg_dictionary *dictionary)
{
    return atomic_load(&dictionary->has_beyond);
}

static inline void vg_dictionary_note_beyond(struct vg_dictionary *dictionary)
{
    atomic_store(&dictionary->has_beyond, true);
}

/* How many entries there are; all of them may be read. */
static inline uint32_t vg_dictionary_count(const struct vg_dictionary *dictionary)
{
    return atomic_load_explicit(&dictionary->count, memory_order_acquire);
}

/* The value of an entry, 1 to count. */
static inline struct vg_bytes vg_dictionary_get(const struct vg_dictionary *dictionary, uint32_t id)
{
    const struct vg_dictionary_entry *entry =
        &dictionary->segments[id / VG_DICTIONARY_SEGMENT][id % VG_DICTIONARY_SEGMENT];
    return vg_bytes(entry->data, entry->size);
}

/* Bytes of memory it takes. */
uint64_t vg_dictionary_memory(const struct vg_dictionary *dictionary);

#endif
