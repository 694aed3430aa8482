/*
 * Assertions: a broken invariant of ours stops the process. They stay in release builds. Input from
 * outside never asserts.
 *
 * Threads: any.
 */
#ifndef VG_CORE_BASE_ASSERT_H
#define VG_CORE_BASE_ASSERT_H

#include "core/base/compiler.h"

VG_NORETURN void vg_assert_failed(const char *condition, const char *file, int line);

#define VG_ASSERT(condition)                                                                       \
    ((condition) ? (void)0 : vg_assert_failed(#condition, __FILE__, __LINE__))
#define VG_UNREACHABLE() vg_assert_failed("unreachable", __FILE__, __LINE__)

/* For what is too expensive in a release build: checked only with VG_EXPENSIVE_CHECKS. */
#ifdef VG_EXPENSIVE_CHECKS
#define VG_DEBUG_ASSERT(condition) VG_ASSERT(condition)
#else
#define VG_DEBUG_ASSERT(condition) ((void)sizeof(condition))
#endif

#endif
