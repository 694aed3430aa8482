#include "rpc/net/block_pool.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

/* Before each block: what it takes to free it. */
struct vg_block {
    alignas(max_align_t) struct vg_block *next; /* while it is kept */
    size_t size;                                /* of the block, without this */
};

/* In steps of about 1.5. */
static const uint16_t class_sizes[VG_BLOCK_POOL_CLASSES] = { 64,  96,   128,  192,  256,  384, 512,
                                                             768, 1024, 1536, 2048, 3072, 4096 };

/* The smallest class that holds `size`; VG_BLOCK_POOL_CLASSES = none does. */
static unsigned class_of(size_t size)
{
    if (size > VG_BLOCK_POOL_SIZE_MAX) {
        return VG_BLOCK_POOL_CLASSES;
    }
    if (size <= class_sizes[0]) {
        return 0;
    }
    /* With 2^n < size <= 2^(n+1), n >= 6: 1.5 x 2^n, then 2^(n+1). */
    unsigned n = 63u - (unsigned)__builtin_clzll((unsigned long long)size - 1);
    bool above_half = size > ((size_t)3 << (n - 1));
    return 2 * (n - 6) + 1 + (above_half ? 1 : 0);
}

void *vg_block_pool_alloc(struct vg_block_pool *pool, size_t size)
{
    unsigned class = class_of(size);
    if (class < VG_BLOCK_POOL_CLASSES && pool->free[class] != NULL) {
        struct vg_block *block = pool->free[class];
        pool->free[class] = block->next;
        pool->kept_bytes -= block->size;
        pool->used++;
        return block + 1;
    }
    size_t whole = class < VG_BLOCK_POOL_CLASSES && VG_BLOCK_POOL_KEEPS ? class_sizes[class] : size;
    if (whole > SIZE_MAX - sizeof(struct vg_block)) {
        return NULL;
    }
    struct vg_block *block = malloc(sizeof(*block) + whole);
    if (block == NULL) {
        return NULL;
    }
    block->size = whole;
    pool->used++;
    return block + 1;
}

void *vg_block_pool_calloc(struct vg_block_pool *pool, size_t count, size_t size)
{
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole)) {
        return NULL;
    }
    void *block = vg_block_pool_alloc(pool, whole);
    if (block != NULL) {
        memset(block, 0, whole);
    }
    return block;
}

void vg_block_pool_free(struct vg_block_pool *pool, void *content)
{
    if (content == NULL) {
        return;
    }
    struct vg_block *block = (struct vg_block *)content - 1;
    VG_ASSERT(pool->used > 0);
    pool->used--;
    if (!VG_BLOCK_POOL_KEEPS || block->size > VG_BLOCK_POOL_SIZE_MAX ||
        pool->kept_bytes + block->size > VG_BLOCK_POOL_BYTES_MAX) {
        free(block);
        return;
    }
    unsigned class = class_of(block->size);
    block->next = pool->free[class];
    pool->free[class] = block;
    pool->kept_bytes += block->size;
}

void *vg_block_pool_realloc(struct vg_block_pool *pool, void *content, size_t size)
{
    if (content == NULL) {
        return vg_block_pool_alloc(pool, size);
    }
    const struct vg_block *block = (const struct vg_block *)content - 1;
    if (VG_BLOCK_POOL_KEEPS && size <= block->size) {
        return content;
    }
    void *moved = vg_block_pool_alloc(pool, size);
    if (moved != NULL) {
        memcpy(moved, content, size < block->size ? size : block->size);
        vg_block_pool_free(pool, content);
    }
    return moved;
}

void vg_block_pool_dispose(struct vg_block_pool *pool)
{
    VG_ASSERT(pool->used == 0);
    for (unsigned class = 0; class < VG_BLOCK_POOL_CLASSES; class ++) {
        while (pool->free[class] != NULL) {
            struct vg_block *block = pool->free[class];
            pool->free[class] = block->next;
            free(block);
        }
    }
    pool->kept_bytes = 0;
}
