/*
 * Lists that are sets: drop equal elements, the first stays.
 *
 * Threads: the list belongs to one thread.
 */
#ifndef VG_CORE_WIRE_LIST_UNIQUE_H
#define VG_CORE_WIRE_LIST_UNIQUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "proto/contract.h"

/*
 * Drop elements of `items` that are equal to an earlier one; *count is both. `field` says the kind
 * of element, which is not a message. False past the arena's cap, from which long lists take
 * scratch; the list is then unchanged.
 */
VG_MUST_USE bool vg_list_unique(
    const struct vg_field *field,
    uint8_t *items,
    size_t *count,
    struct vg_arena *arena);

#endif
