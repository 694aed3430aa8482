/*
 * Tail: the chunk being filled. Its arrays are made at full length (untouched pages cost nothing)
 * and never move; only the lists' elements grow, in blocks.
 *
 * Threads: the writer's; readers read rows that were published.
 */
#ifndef VG_CORE_TABLE_TAIL_H
#define VG_CORE_TABLE_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/table/chunk.h"

/* An empty tail of up to `capacity` rows; NULL without memory. */
struct vg_chunk *vg_tail_create(
    const struct vg_table_schema *schema,
    const struct vg_dictionary *dictionaries,
    uint32_t number,
    uint32_t capacity,
    struct vg_deaths *taken_deaths);

/*
 * Write `row` at `position`, where nothing is yet, adding to `dictionaries` (the chunk's own) what
 * they lack. What a failure leaves behind is written over by the next row.
 *
 * Fails with: RESOURCE_LIMIT without memory, for a list past VG_ROW_LIST_MAX, and for a subject set
 * that the dictionary has no room for; INTERNAL for a value its column cannot hold.
 */
VG_MUST_USE enum vg_reason vg_tail_write(
    struct vg_chunk *tail,
    struct vg_dictionary *dictionaries,
    uint32_t position,
    const struct vg_row *row,
    struct vg_error *error);

#endif
