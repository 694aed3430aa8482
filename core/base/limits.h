/*
 * The limits of limits.def as constants: VG_LIMIT_JSON_DEPTH and so on.
 *
 * Threads: constants only.
 */
#ifndef VG_CORE_BASE_LIMITS_H
#define VG_CORE_BASE_LIMITS_H

#include <stddef.h>

enum vg_limit {
#define X(name, value, text) VG_LIMIT_##name = (value),
#include "core/base/limits.def"
#undef X
};

/* The cap for the arena of a call with a body of this size, on either face: honest requests need
 * two to three times their size, `{"subCriteria":[{},{}…]}` two hundred times. */
static inline size_t vg_limit_arena_bytes(size_t body_size)
{
    size_t size = body_size * VG_LIMIT_ARENA_FACTOR;
    return size < VG_LIMIT_ARENA_BYTES_MIN ? VG_LIMIT_ARENA_BYTES_MIN : size;
}

#endif
