/*
 * Deaths of one chunk: for each row that has been superseded or deleted, the sequence from which it
 * is dead. Shared by the closed and the sealed form of the chunk, so a death noted while the file
 * is being written is not lost.
 *
 * Kept as a pair behind one pointer: a bitmap of settled deaths, dead for every reader there is,
 * and a log of newer ones with their sequences, its count atomic. Whenever one of the two changes
 * its memory, a new pair replaces the old one whole; a reader loads the pointer once per look,
 * inside an epoch.
 *
 * Threads: the writer reserves, adds and settles; any thread marks, inside an epoch.
 */
#ifndef VG_CORE_TABLE_DEATH_LOG_H
#define VG_CORE_TABLE_DEATH_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/table/epoch.h"

struct vg_death {
    uint64_t sequence;
    uint32_t position;
};

struct vg_death_pair {
    struct vg_retired retired;
    uint64_t *settled; /* one bit per row; NULL = none */
    uint32_t settled_count;
    uint32_t log_capacity;
    _Atomic uint32_t log_count;
    struct vg_death log[];
};

struct vg_deaths {
    _Atomic(struct vg_death_pair *) pair; /* NULL = none yet */
    uint32_t rows;
    uint32_t refs;     /* forms of the chunk; the writer's */
    uint32_t reserved; /* slots promised to the batch being prepared */
    struct vg_epoch *epoch;
    struct vg_retired_list *retired;
};

/* Deaths for a chunk of up to `rows` rows, with one reference. NULL without memory. */
struct vg_deaths *vg_deaths_create(
    uint32_t rows,
    struct vg_epoch *epoch,
    struct vg_retired_list *retired);
struct vg_deaths *vg_deaths_ref(struct vg_deaths *deaths);
void vg_deaths_unref(struct vg_deaths *deaths); /* accepts NULL */

/* Promise room for one more death, until vg_deaths_forget. False without memory. */
VG_MUST_USE bool vg_deaths_reserve(struct vg_deaths *deaths);
void vg_deaths_forget(struct vg_deaths *deaths);

/* The row is dead from `sequence` on. Room must have been reserved. */
void vg_deaths_add(struct vg_deaths *deaths, uint32_t position, uint64_t sequence);

/* Move deaths up to `sequence` to the bitmap. Returns how many; fewer without memory. */
uint32_t vg_deaths_settle(struct vg_deaths *deaths, uint64_t sequence);

/* Take a bitmap from a checkpoint, before anyone reads. False without memory. */
VG_MUST_USE bool vg_deaths_load(struct vg_deaths *deaths, const uint64_t *words);

/* A death nobody can have seen otherwise (at start). Room must have been reserved. */
static inline uint32_t vg_deaths_words(const struct vg_deaths *deaths)
{
    return (deaths->rows + 63) / 64;
}

/*
 * Set in `words` (vg_deaths_words of them, zeroed by the callee) the rows dead at `sequence`.
 * Returns false, and leaves `words` alone, when there are none.
 */
bool vg_deaths_mark(const struct vg_deaths *deaths, uint64_t sequence, uint64_t *words);

/* Tell every death whose bit is not set in `known` (NULL = none is): those still in the log with
 * their sequence, settled ones with 0, because every reader there is sees them. The writer's. */
void vg_deaths_walk(
    const struct vg_deaths *deaths,
    const uint64_t *known,
    void (*visit)(void *owner, uint32_t position, uint64_t sequence),
    void *owner);

/* Deaths in the log, in the bitmap, and in all. The writer's. */
uint32_t vg_deaths_logged(const struct vg_deaths *deaths);
uint32_t vg_deaths_settled(const struct vg_deaths *deaths);
uint32_t vg_deaths_total(const struct vg_deaths *deaths);

#endif
