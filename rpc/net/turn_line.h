/*
 * A line of those who wait for their turn: first come, first served, and one may leave it before.
 * Owners embed the link, so that waiting needs no memory; a link is in at most one line.
 *
 * Threads: the worker's.
 */
#ifndef VG_RPC_NET_TURN_LINE_H
#define VG_RPC_NET_TURN_LINE_H

#include <stddef.h>

struct vg_turn_line;

struct vg_turn_link {
    struct vg_turn_link *next;
    struct vg_turn_link *back;
    struct vg_turn_line *line; /* NULL = waits nowhere */
};

struct vg_turn_line {
    struct vg_turn_link *first;
    struct vg_turn_link *last;
    size_t count;
};

/* To the end of the line; `link` must wait nowhere. */
void vg_turn_line_add(struct vg_turn_line *line, struct vg_turn_link *link);

/* Out of its line, if it is in one. */
void vg_turn_line_remove(struct vg_turn_link *link);

/* The first, which is taken out; NULL = nobody waits. */
struct vg_turn_link *vg_turn_line_take(struct vg_turn_line *line);

#endif
