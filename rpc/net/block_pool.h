/*
 * Small blocks of one worker, kept for reuse by size. Streams and frames come and go by the hundred
 * thousand each second, and always on the thread of their connection, so they need neither the
 * locks nor the searching of a general allocator: with a few hundred streams open malloc and free
 * were a fifth of the time of a call.
 *
 * Blocks above 4 KiB are passed on to malloc. What is kept unused is bounded. Under
 * AddressSanitizer every block is passed on, so that it sees each one's end.
 *
 * Threads: the worker's.
 */
#ifndef VG_RPC_NET_BLOCK_POOL_H
#define VG_RPC_NET_BLOCK_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/compiler.h"

#define VG_BLOCK_POOL_CLASSES   13u
#define VG_BLOCK_POOL_SIZE_MAX  4096u
#define VG_BLOCK_POOL_BYTES_MAX (2u << 20) /* kept unused */

/* gcc says it by a macro, clang as a feature. */
#if defined(__SANITIZE_ADDRESS__)
#define VG_BLOCK_POOL_KEEPS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VG_BLOCK_POOL_KEEPS 0
#endif
#endif
#ifndef VG_BLOCK_POOL_KEEPS
#define VG_BLOCK_POOL_KEEPS 1
#endif

struct vg_block;

struct vg_block_pool {
    /* Not beside kept_bytes: the compiler would read both at once behind two single writes, which
     * the processor answers only when both have reached its cache. */
    size_t used;                                  /* blocks handed out */
    struct vg_block *free[VG_BLOCK_POOL_CLASSES]; /* by size */
    size_t kept_bytes;
};

/* Gives the kept blocks back; all must have been freed. A pool of zero bytes is an empty one. */
void vg_block_pool_dispose(struct vg_block_pool *pool);

/* `size` bytes aligned for any type; NULL without memory. Size 0 gives a unique pointer. */
VG_MUST_USE void *vg_block_pool_alloc(struct vg_block_pool *pool, size_t size);

/* The same, zeroed; `count` x `size` is checked for overflow. */
VG_MUST_USE void *vg_block_pool_calloc(struct vg_block_pool *pool, size_t count, size_t size);

/* The content moved to a block of another size; `block` NULL = alloc. NULL without memory, and
 * `block` stays. */
VG_MUST_USE void *vg_block_pool_realloc(struct vg_block_pool *pool, void *block, size_t size);

/* Accepts NULL. */
void vg_block_pool_free(struct vg_block_pool *pool, void *content);

#endif
