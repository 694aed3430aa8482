#include "core/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/memory_budget.h"

#define VG_ARENA_BLOCK_FIRST   2048u
#define VG_ARENA_BLOCK_LARGEST (256u * 1024u)

#ifdef __SANITIZE_ADDRESS__
#define VG_ARENA_KEEPS_NONE true
#else
#define VG_ARENA_KEEPS_NONE false
#endif

struct vg_arena_block {
    struct vg_arena_block *older;
    size_t size;
};

/* Block header rounded up so that the data behind it is aligned. */
#define VG_ARENA_HEADER                                                                            \
    ((sizeof(struct vg_arena_block) + VG_ARENA_ALIGN - 1) & ~(size_t)(VG_ARENA_ALIGN - 1))

void vg_arena_init(struct vg_arena *arena, size_t bytes_max)
{
    *arena = (struct vg_arena){ .bytes_max = bytes_max, .block_size = VG_ARENA_BLOCK_FIRST };
}

void vg_arena_lend(struct vg_arena *arena, void *memory, size_t size)
{
    VG_ASSERT(arena->next == NULL && (uintptr_t)memory % VG_ARENA_ALIGN == 0);
    if (!VG_ARENA_KEEPS_NONE) {
        arena->next = memory;
        arena->end = (uint8_t *)memory + size;
    }
}

void vg_arena_count(struct vg_arena *arena)
{
    VG_ASSERT(arena->blocks == NULL);
    arena->counted = true;
}

static void arena_free_blocks(const struct vg_arena *arena, struct vg_arena_block *block)
{
    if (block == NULL) {
        return;
    }
    size_t size = 0;
    while (block != NULL) {
        struct vg_arena_block *older = block->older;
        size += block->size;
        free(block);
        block = older;
    }
    if (arena->counted) {
        vg_memory_budget_give(size);
    }
}

void vg_arena_reset(struct vg_arena *arena)
{
    const bool counted = arena->counted;
    arena_free_blocks(arena, arena->blocks);
    vg_arena_init(arena, arena->bytes_max);
    arena->counted = counted;
}

void vg_arena_clear(struct vg_arena *arena)
{
    struct vg_arena_block *kept = arena->blocks;
    if (kept == NULL || kept->size > VG_ARENA_BLOCK_LARGEST || VG_ARENA_KEEPS_NONE) {
        vg_arena_reset(arena);
        return;
    }
    arena_free_blocks(arena, kept->older);
    kept->older = NULL;
    arena->used = kept->size;
    arena->next = (uint8_t *)kept + VG_ARENA_HEADER;
    arena->end = (uint8_t *)kept + kept->size;
}

void vg_arena_dispose(struct vg_arena *arena)
{
    vg_arena_reset(arena);
    arena->bytes_max = 0;
}

void vg_arena_set_max(struct vg_arena *arena, size_t bytes_max)
{
    arena->bytes_max = bytes_max;
}

void vg_arena_expect(struct vg_arena *arena, size_t size)
{
    if (size > VG_ARENA_BLOCK_LARGEST) {
        size = VG_ARENA_BLOCK_LARGEST;
    }
    if (arena->block_size < size && (size_t)(arena->end - arena->next) < size) {
        arena->block_size = size;
    }
}

void *vg_arena_grow(struct vg_arena *arena, size_t size)
{
    size_t whole = VG_ARENA_HEADER + size;
    if (whole < arena->block_size) {
        whole = arena->block_size;
    }
    if (arena->used + whole > arena->bytes_max) {
        whole =
            VG_ARENA_HEADER + size; /* the last bytes below the cap may still serve this request */
        if (arena->used + whole > arena->bytes_max) {
            return NULL;
        }
    }
    if (arena->counted && !vg_memory_budget_take(whole)) {
        return NULL;
    }
    struct vg_arena_block *block = malloc(whole);
    if (block == NULL) {
        if (arena->counted) {
            vg_memory_budget_give(whole);
        }
        return NULL;
    }
    block->older = arena->blocks;
    block->size = whole;
    arena->blocks = block;
    arena->used += whole;
    arena->next = (uint8_t *)block + VG_ARENA_HEADER + size;
    arena->end = (uint8_t *)block + whole;
    if (arena->block_size < VG_ARENA_BLOCK_LARGEST) {
        arena->block_size *= 2;
    }
    return (uint8_t *)block + VG_ARENA_HEADER;
}

static size_t arena_rounded(size_t size)
{
    return size == 0 ? VG_ARENA_ALIGN : (size + VG_ARENA_ALIGN - 1) & ~(size_t)(VG_ARENA_ALIGN - 1);
}

bool vg_arena_resize_last(
    struct vg_arena *arena,
    const void *last,
    size_t old_size,
    size_t new_size)
{
    size_t old_rounded = arena_rounded(old_size);
    if (last == NULL || arena->next == NULL || new_size > arena->bytes_max ||
        (const uint8_t *)last + old_rounded != arena->next) {
        return false;
    }
    size_t new_rounded = arena_rounded(new_size);
    uint8_t *start = arena->next - old_rounded;
    if (new_rounded > (size_t)(arena->end - start)) {
        return false;
    }
    arena->next = start + new_rounded;
    return true;
}

void *vg_arena_calloc(struct vg_arena *arena, size_t count, size_t size)
{
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole)) {
        return NULL;
    }
    void *taken = vg_arena_alloc(arena, whole);
    if (taken != NULL) {
        memset(taken, 0, whole);
    }
    return taken;
}

char *vg_arena_text(struct vg_arena *arena, struct vg_bytes bytes)
{
    char *text = vg_arena_alloc(arena, bytes.size + 1);
    if (text == NULL) {
        return NULL;
    }
    if (bytes.size > 0) {
        memcpy(text, bytes.data, bytes.size);
    }
    text[bytes.size] = '\0';
    return text;
}

char *vg_arena_printf(struct vg_arena *arena, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int size = vsnprintf(NULL, 0, format, list);
    va_end(list);
    VG_ASSERT(size >= 0);
    char *text = vg_arena_alloc(arena, (size_t)size + 1);
    if (text == NULL) {
        return NULL;
    }
    va_start(list, format);
    (void)vsnprintf(text, (size_t)size + 1, format, list);
    va_end(list);
    return text;
}
