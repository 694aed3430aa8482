/*
 * Strip zones: what the strips of a closed or sealed chunk hold in a TIME or NUMBER column, found
 * out by the first reader that asks and kept with the chunk. Rows mostly come in order of time, so
 * a strip has few days, hours or minutes, however many its chunk has.
 *
 * Threads: any; the chunk must be held. Two who ask first at once both look, and one result stays.
 */
#ifndef VG_CORE_TABLE_STRIP_ZONES_H
#define VG_CORE_TABLE_STRIP_ZONES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/chunk.h"

#define VG_STRIP_ROWS  1024u
#define VG_STRIP_WORDS (VG_STRIP_ROWS / 64)

/* All values of a strip, wanted rows or not. */
struct vg_strip_zone {
    int64_t min; /* without a meaning when has_absent */
    int64_t max;
    bool is_rising; /* no value is less than the one before; may be false all the same */
    bool has_absent;
};

/* Of rows `first` to before `first` + `count`, at most VG_STRIP_ROWS. */
void vg_strip_zone_measure(
    const struct vg_column_data *data,
    uint32_t first,
    uint32_t count,
    struct vg_strip_zone *out_zone);

/* Of all strips of a chunk that is no tail any more; NULL without memory. */
const struct vg_strip_zone *vg_strip_zones(const struct vg_chunk *chunk, uint32_t column);

#endif
