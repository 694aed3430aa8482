/*
 * Property match: what a criterion about properties asks of the table (events-api.md 4.3). Where
 * hashes of the columns cannot be the answer, they narrow and the record is read: a search with
 * such a question needs the reader of event_record_reader.h.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_EVENTS_PROPERTY_MATCH_H
#define VG_CORE_EVENTS_PROPERTY_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/table/predicate.h"

/* One key, one value; several of either are an OR or an AND of several. */
struct vg_property_match {
    struct vg_bytes key;   /* data NULL = any property */
    struct vg_bytes value; /* data NULL = the key exists, whatever its values */
    bool tokenized;        /* some value has all words of `value`, in any order; false = some value
                              is `value`, byte for byte */
};

/*
 * The events that have such a property. Neither key nor value: those that have any property. A
 * `value` to be compared by words that has none ("--") matches nothing. `secret` is that of the
 * table's hash lists. NULL when the arena is full.
 */
const struct vg_predicate *vg_property_match_predicate(
    struct vg_arena *arena,
    const uint8_t secret[16],
    const struct vg_property_match *match);

#endif
