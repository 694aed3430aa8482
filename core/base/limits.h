/*
 * The limits of limits.def as constants: VG_LIMIT_JSON_DEPTH and so on.
 *
 * Threads: constants only.
 */
#ifndef VG_CORE_BASE_LIMITS_H
#define VG_CORE_BASE_LIMITS_H

enum vg_limit {
#define X(name, value, text) VG_LIMIT_##name = (value),
#include "core/base/limits.def"
#undef X
};

#endif
