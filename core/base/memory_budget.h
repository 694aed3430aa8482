/*
 * What all calls and connections of the process together may hold in memory: the bodies, messages,
 * arenas and unsent answers of strangers. Arenas and buffers that were told to (vg_arena_count,
 * vg_buffer_count) ask here before they grow; without room they behave as if malloc had none, which
 * is an ordinary path. Caches, tables and the write queue have budgets of their own.
 *
 * A thread takes and gives back in large pieces and keeps a few, so that asking costs no shared
 * memory access for most calls; the sum is too high by at most VG_MEMORY_BUDGET_PIECE x 2 for each
 * thread.
 *
 * Like the metrics there is one of it in a process. Threads: any.
 */
#ifndef VG_CORE_BASE_MEMORY_BUDGET_H
#define VG_CORE_BASE_MEMORY_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/compiler.h"

#define VG_MEMORY_BUDGET_PIECE (64u * 1024u)

/* At most `bytes_max` from now on; 0 = no limit, as at first. */
void vg_memory_budget_configure(size_t bytes_max);

/* May `size` more bytes be held? */
VG_MUST_USE bool vg_memory_budget_take(size_t size);

/* They are no longer held, whichever thread has taken them. */
void vg_memory_budget_give(size_t size);

/* Is more than nine tenths taken? New calls are refused then, so that those under way can end. */
bool vg_memory_budget_is_short(void);

size_t vg_memory_budget_used(void);

#endif
