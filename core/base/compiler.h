/*
 * Names for the compiler attributes this code base uses.
 *
 * Threads: macros only.
 */
#ifndef VG_CORE_BASE_COMPILER_H
#define VG_CORE_BASE_COMPILER_H

#include <stddef.h>

#define VG_MUST_USE            __attribute__((warn_unused_result))
#define VG_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define VG_NORETURN            __attribute__((noreturn))
#define VG_UNUSED              __attribute__((unused))
/* Rarely called: kept out of its callers, so that they stay small and fast. */
#define VG_COLD __attribute__((cold, noinline))

#define VG_ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of type `type` whose member `member` is at `pointer`: the one typed way back from an
 * embedded member. */
#define VG_CONTAINER_OF(pointer, type, member)                                                     \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* The same for what may only be read. */
#define VG_CONTAINER_OF_CONST(pointer, type, member)                                               \
    ((const type *)(const void *)((const char *)(pointer)-offsetof(type, member)))

#endif
