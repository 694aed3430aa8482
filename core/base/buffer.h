/*
 * A growable run of bytes with a maximum set at birth. Appending past the maximum, or without
 * memory, sets `failed` and changes nothing; later appends do nothing. So a writer appends freely
 * and checks once.
 *
 * Threads: one owner at a time.
 */
#ifndef VG_CORE_BASE_BUFFER_H
#define VG_CORE_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

struct vg_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t bytes_max;
    bool failed;
    bool counted; /* its memory is taken from the memory budget */
    bool is_lent; /* `data` is another's */
};

void vg_buffer_init(struct vg_buffer *buffer, size_t bytes_max);
void vg_buffer_dispose(struct vg_buffer *buffer);

/* Take memory from the budget of the process from now on. Only while it has none. */
void vg_buffer_count(struct vg_buffer *buffer);

/*
 * Let the first bytes lie in `memory`, which stays its owner's and lives longer than the buffer:
 * for one that mostly holds little and has a place beside it. Only of an empty buffer.
 */
void vg_buffer_lend(struct vg_buffer *buffer, void *memory, size_t size);

/* Forget the content, keep the memory and clear `failed`. */
void vg_buffer_clear(struct vg_buffer *buffer);

/* Drop `size` bytes from the front. */
void vg_buffer_drop(struct vg_buffer *buffer, size_t size);

/* Room for `size` more bytes at data + size; false (and `failed`) when there is none to be had. */
VG_MUST_USE static inline bool vg_buffer_reserve(struct vg_buffer *buffer, size_t size);

static inline void vg_buffer_append(struct vg_buffer *buffer, const void *data, size_t size);
static inline void vg_buffer_append_text(struct vg_buffer *buffer, const char *text);
static inline void vg_buffer_append_byte(struct vg_buffer *buffer, uint8_t byte);
void vg_buffer_printf(struct vg_buffer *buffer, const char *format, ...) VG_PRINTF(2, 3);

static inline struct vg_bytes vg_buffer_bytes(const struct vg_buffer *buffer)
{
    return vg_bytes(buffer->data, buffer->size);
}

/* --- What is done some fifty times for an answer: room is mostly there ---------------------------
 */

/* The rest of vg_buffer_reserve: not for others. */
VG_MUST_USE bool vg_buffer_grow(struct vg_buffer *buffer, size_t size);

static inline bool vg_buffer_reserve(struct vg_buffer *buffer, size_t size)
{
    return (!buffer->failed && size <= buffer->capacity - buffer->size) ||
           vg_buffer_grow(buffer, size);
}

static inline void vg_buffer_append(struct vg_buffer *buffer, const void *data, size_t size)
{
    if (size > 0 && vg_buffer_reserve(buffer, size)) {
        memcpy(buffer->data + buffer->size, data, size);
        buffer->size += size;
    }
}

static inline void vg_buffer_append_text(struct vg_buffer *buffer, const char *text)
{
    vg_buffer_append(buffer, text, strlen(text));
}

static inline void vg_buffer_append_byte(struct vg_buffer *buffer, uint8_t byte)
{
    if (vg_buffer_reserve(buffer, 1)) {
        buffer->data[buffer->size++] = byte;
    }
}

#endif
