/*
 * Id marks: a set of ids (the values of a FIXED column), each with up to 64 marks. Made by one pass
 * over a table, asked by another one: that is how a join goes (join.h).
 *
 * An id is known by a keyed 64-bit hash, as the elements of a HASHES column are: nobody can craft
 * two that are taken for one.
 *
 * Threads: one owner; any number of readers once nothing is added any more.
 */
#ifndef VG_CORE_TABLE_ID_MARKS_H
#define VG_CORE_TABLE_ID_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

#define VG_ID_MARKS_MAX 64u

struct vg_id_mark {
    uint64_t hash; /* 0 = the place is free */
    uint64_t marks;
};

struct vg_id_marks {
    uint8_t secret[16];
    uint32_t ids_max;
    uint32_t count;
    uint64_t slot_count; /* a power of two, or 0 */
    struct vg_id_mark *slots;
};

/* An empty set for at most `ids_max` ids. Nothing is allocated yet. */
void vg_id_marks_init(struct vg_id_marks *ids, const uint8_t secret[16], uint32_t ids_max);

/* Accepts a set of zero bytes; leaves one. */
void vg_id_marks_dispose(struct vg_id_marks *ids);

enum vg_id_marks_outcome {
    VG_ID_MARKS_DONE,
    VG_ID_MARKS_FULL,   /* it would be more than ids_max */
    VG_ID_MARKS_MEMORY, /* there is none */
};

/* Give `id` the mark `mark`, below VG_ID_MARKS_MAX, beside those it has. */
VG_MUST_USE enum vg_id_marks_outcome vg_id_marks_add(
    struct vg_id_marks *ids,
    struct vg_bytes id,
    uint32_t mark);

/* Has `id` the mark? */
bool vg_id_marks_has(const struct vg_id_marks *ids, struct vg_bytes id, uint32_t mark);

#endif
