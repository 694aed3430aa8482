/*
 * the texts of one message, packed without gaps into pieces of an arena.
 *
 * The arena rounds every allocation up for alignment; most texts are short, so packing them halves
 * what a request takes. A piece is taken from the arena when a text does not fit any more.
 *
 * Threads: belongs to one thread at a time, like its arena.
 */
#ifndef VG_CORE_WIRE_PACKED_TEXT_H
#define VG_CORE_WIRE_PACKED_TEXT_H

#include <stdint.h>

#include "core/base/arena.h"

#define VG_PACKED_TEXT_PIECE_MIN 64u
#define VG_PACKED_TEXT_PIECE_MAX 2048u

struct vg_packed_text {
    struct vg_arena *arena;
    uint8_t *next;
    uint8_t *end;
    uint8_t *piece;
};

/* A new piece with room for `size` bytes. `left` is about what is still to come, so that the last
 * piece is no larger than needed. False past the arena's cap. */
static inline bool vg_packed_text_grow(struct vg_packed_text *pool, size_t size, size_t left)
{
    if (pool->piece != NULL && vg_arena_resize_last(
                                   pool->arena,
                                   pool->piece,
                                   (size_t)(pool->end - pool->piece),
                                   (size_t)(pool->next - pool->piece))) {
        /* What the old piece does not need goes back when nothing was taken behind it. */
        pool->end = pool->next;
    }
    /* About half of what is still to come is text; at the end there is nothing to spare. */
    size_t piece_size = left / 2;
    if (piece_size > VG_PACKED_TEXT_PIECE_MAX) {
        piece_size = VG_PACKED_TEXT_PIECE_MAX;
    } else if (piece_size < VG_PACKED_TEXT_PIECE_MIN) {
        piece_size = VG_PACKED_TEXT_PIECE_MIN;
    }
    if (piece_size < size) {
        piece_size = size;
    }
    uint8_t *piece = (uint8_t *)vg_arena_alloc(pool->arena, piece_size);
    if (piece == NULL) {
        return false;
    }
    pool->piece = pool->next = piece;
    pool->end = piece + piece_size;
    return true;
}

/* Room for `size` bytes at pool->next, which the caller moves on by what it used. */
static inline bool vg_packed_text_room(struct vg_packed_text *pool, size_t size, size_t left)
{
    return (size_t)(pool->end - pool->next) >= size || vg_packed_text_grow(pool, size, left);
}

/* Give back what the last piece did not use, as far as the arena can take it. */
static inline void vg_packed_text_close(struct vg_packed_text *pool)
{
    if (pool->piece != NULL) {
        (void)!vg_arena_resize_last(
            pool->arena,
            pool->piece,
            (size_t)(pool->end - pool->piece),
            (size_t)(pool->next - pool->piece));
    }
}

#endif
