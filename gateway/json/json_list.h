/*
 * A list being read: its length is not known before its end.
 *
 * The first elements are gathered in the struct itself, so that a short list, which most are, is
 * allocated once and exactly; a longer one grows in the arena, in place as long as nothing else is
 * taken from it.
 *
 * Threads: a value with one owner.
 */
#ifndef VG_GATEWAY_JSON_JSON_LIST_H
#define VG_GATEWAY_JSON_JSON_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "proto/contract.h"

#define VG_JSON_LIST_FIRST 64u /* bytes of elements before the list is in the arena */

struct vg_json_list {
    uint8_t *items; /* of item_size each; `count` of them are read */
    size_t count;
    size_t capacity;
    size_t item_size;
    _Alignas(16) uint8_t first[VG_JSON_LIST_FIRST];
};

static inline void vg_json_list_begin(struct vg_json_list *list, size_t item_size)
{
    list->items = list->first;
    list->count = 0;
    list->item_size = item_size;
    list->capacity = VG_JSON_LIST_FIRST / item_size;
}

/* Twice the room. False past the arena's cap. */
VG_MUST_USE bool vg_json_list_grow(struct vg_json_list *list, struct vg_arena *arena);

/* Put the list into the member `field` of `message`, with no more room than it needs. False past
 * the arena's cap. */
VG_MUST_USE bool vg_json_list_finish(
    struct vg_json_list *list,
    struct vg_arena *arena,
    const struct vg_field *field,
    uint8_t *message);

#endif
