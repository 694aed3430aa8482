/*
 * Lists of a message being decoded: how long they will be, and where their elements go.
 *
 * A message on the wire does not say how long its lists are. When the first element of a list is
 * met, the run of equal keys that follows is counted ahead, and the list is allocated once:
 * encoders write lists as one run. A list that comes back later in the message (legal, rare) is
 * counted to the end of the message, moved once, and its new capacity noted. So the work is bounded
 * by (lists of a message) x (its size), and memory by the arena's cap.
 *
 * Threads: a frame belongs to the thread that decodes.
 */
#ifndef VG_CORE_WIRE_WIRE_LIST_H
#define VG_CORE_WIRE_WIRE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "proto/contract.h"

/* A list that came back after other fields: how many elements its array has room for. */
struct vg_wire_note {
    struct vg_wire_note *older;
    const struct vg_field *field;
    size_t capacity;
};

/* One message being filled. */
struct vg_wire_frame {
    const struct vg_table *table;
    uint8_t *message;
    const uint8_t *next; /* what is still to be read, and its end */
    const uint8_t *end;
    struct vg_wire_note *notes;
};

enum vg_wire_room { VG_WIRE_ROOM_FOUND, VG_WIRE_ROOM_TOO_LONG, VG_WIRE_ROOM_NO_MEMORY };

/* The array of a list, and how many elements it can hold. */
struct vg_wire_list {
    uint8_t *items;
    size_t capacity;
};

/*
 * Make room for `needed` more elements of the list `field`. `run_start` is where the key at hand
 * stands. TOO_LONG when the list would be longer than its items_max.
 */
VG_MUST_USE enum vg_wire_room vg_wire_list_room(
    struct vg_arena *arena,
    struct vg_wire_frame *frame,
    const struct vg_field *field,
    const uint8_t *run_start,
    size_t needed,
    struct vg_wire_list *out_list);

/* Elements a packed run holds: the bytes that end a varint. */
size_t vg_wire_list_count_packed(const struct vg_field *field, const uint8_t *run, size_t size);

/* The note about `field` in this message; NULL = none. */
struct vg_wire_note *vg_wire_note_find(
    const struct vg_wire_frame *frame,
    const struct vg_field *field);

/* A new note; NULL past the arena's cap. */
VG_MUST_USE struct vg_wire_note *vg_wire_note_add(
    struct vg_arena *arena,
    struct vg_wire_frame *frame,
    const struct vg_field *field);

/* How many elements the list has. */
static inline size_t vg_wire_list_count(
    const struct vg_wire_frame *frame,
    const struct vg_field *field)
{
    size_t count;
    memcpy(&count, frame->message + field->quantifier, sizeof(count));
    return count;
}

/* Does the key of `field`, as every encoder writes it, stand at `next`? */
static inline bool vg_wire_has_key(
    const struct vg_field *field,
    const uint8_t *next,
    const uint8_t *end)
{
    size_t left = (size_t)(end - next);
    return field->key[2] == 1 ? left >= 1 && next[0] == field->key[0]
                              : left >= 2 && next[0] == field->key[0] && next[1] == field->key[1];
}

#endif
