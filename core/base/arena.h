/*
 * Arena: memory of one lifetime, given back all at once. Every call has one; request, answer, error
 * texts and scratch live in it and nobody frees them singly.
 *
 * An arena has a cap. Past it allocation returns NULL, which is an ordinary path (RESOURCE_LIMIT),
 * not a crash.
 *
 * Threads: an arena belongs to one thread at a time; handing it over is handing over the call.
 */
#ifndef VG_CORE_BASE_ARENA_H
#define VG_CORE_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

struct vg_arena_block;

struct vg_arena {
    struct vg_arena_block *blocks; /* newest first */
    uint8_t *next;                 /* free space of the newest block */
    uint8_t *end;
    size_t used;       /* bytes asked from malloc so far */
    size_t bytes_max;  /* cap on `used` */
    size_t block_size; /* of the next block */
    bool counted;      /* its blocks are taken from the memory budget */
};

/* An arena that takes at most about `bytes_max` bytes from malloc. Nothing is allocated yet. */
void vg_arena_init(struct vg_arena *arena, size_t bytes_max);

/* Take blocks from the memory budget of the process from now on. Only while it has none. */
void vg_arena_count(struct vg_arena *arena);

/*
 * Let the first bytes come from `memory`, aligned for any type, which stays its owner's and lives
 * longer than what is in the arena: for an arena that mostly needs little and has a place beside
 * it. They do not count against the cap, and are given up by reset. Built with AddressSanitizer
 * nothing is taken from there, so that each overflow is found. Only before the first allocation.
 */
void vg_arena_lend(struct vg_arena *arena, void *memory, size_t size);

/* Give everything back. The arena may be used again. */
void vg_arena_reset(struct vg_arena *arena);

/*
 * Forget everything, but keep the newest block, unless it is unusually large, for what comes next:
 * for a loop that needs about the same memory in every round. Built with AddressSanitizer it gives
 * everything back, so that a use of the last round's memory is found.
 */
void vg_arena_clear(struct vg_arena *arena);

/* Give everything back for good; accepts an arena of zero bytes. */
void vg_arena_dispose(struct vg_arena *arena);

/* Raise or lower the cap (the size of a body is known only when it has arrived). */
void vg_arena_set_max(struct vg_arena *arena, size_t bytes_max);

/* Say that about `size` bytes will be asked for, so that they come from few blocks. A hint only. */
void vg_arena_expect(struct vg_arena *arena, size_t size);

/* `size` bytes aligned for any type, not cleared; NULL past the cap. Size 0 gives a unique pointer.
 */
VG_MUST_USE static inline void *vg_arena_alloc(struct vg_arena *arena, size_t size);

/* The same, zeroed. `count` x `size` is checked for overflow. */
VG_MUST_USE void *vg_arena_calloc(struct vg_arena *arena, size_t count, size_t size);

/*
 * Change the size of `last`, the newest allocation, from `old_size` to `new_size` without moving
 * it. False, and nothing changed, when it is not the newest or its block has no room: the caller
 * then allocates and copies. A list of unknown length grows in place this way, and gives back what
 * it did not need.
 */
VG_MUST_USE bool vg_arena_resize_last(
    struct vg_arena *arena,
    const void *last,
    size_t old_size,
    size_t new_size);

/* A copy of `bytes` with a NUL behind it; NULL past the cap. */
VG_MUST_USE char *vg_arena_text(struct vg_arena *arena, struct vg_bytes bytes);

/* printf into the arena; NULL past the cap. */
VG_MUST_USE char *vg_arena_printf(struct vg_arena *arena, const char *format, ...) VG_PRINTF(2, 3);

/* The rest of vg_arena_alloc, `size` being a multiple of the alignment: not for others. */
VG_MUST_USE void *vg_arena_grow(struct vg_arena *arena, size_t size);

#define VG_ARENA_ALIGN 16u

static inline void *vg_arena_alloc(struct vg_arena *arena, size_t size)
{
    if (size > arena->bytes_max) {
        return NULL;
    }
    const size_t rounded =
        size == 0 ? VG_ARENA_ALIGN : (size + VG_ARENA_ALIGN - 1) & ~(size_t)(VG_ARENA_ALIGN - 1);
    if ((size_t)(arena->end - arena->next) < rounded) {
        return vg_arena_grow(arena, rounded);
    }
    void *taken = arena->next;
    arena->next += rounded;
    return taken;
}

#endif
