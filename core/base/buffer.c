#include "core/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/memory_budget.h"

#define VG_BUFFER_FIRST 512u

void vg_buffer_init(struct vg_buffer *buffer, size_t bytes_max)
{
    *buffer = (struct vg_buffer){ .bytes_max = bytes_max };
}

void vg_buffer_dispose(struct vg_buffer *buffer)
{
    if (!buffer->is_lent && buffer->data != NULL) {
        free(buffer->data);
        if (buffer->counted) {
            vg_memory_budget_give(buffer->capacity);
        }
    }
    *buffer = (struct vg_buffer){ .bytes_max = buffer->bytes_max, .counted = buffer->counted };
}

void vg_buffer_count(struct vg_buffer *buffer)
{
    VG_ASSERT(buffer->data == NULL);
    buffer->counted = true;
}

void vg_buffer_lend(struct vg_buffer *buffer, void *memory, size_t size)
{
    VG_ASSERT(buffer->data == NULL && size > 0);
    buffer->data = memory;
    /* Without one byte, for the NUL of vsnprintf. */
    buffer->capacity = size - 1 < buffer->bytes_max ? size - 1 : buffer->bytes_max;
    buffer->is_lent = true;
}

void vg_buffer_clear(struct vg_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

void vg_buffer_drop(struct vg_buffer *buffer, size_t size)
{
    VG_ASSERT(size <= buffer->size);
    buffer->size -= size;
    if (buffer->size > 0) {
        memmove(buffer->data, buffer->data + size, buffer->size);
    }
}

bool vg_buffer_grow(struct vg_buffer *buffer, size_t size)
{
    if (buffer->failed) {
        return false;
    }
    if (size > buffer->bytes_max || buffer->size > buffer->bytes_max - size) {
        buffer->failed = true;
        return false;
    }
    size_t capacity = buffer->capacity < VG_BUFFER_FIRST ? VG_BUFFER_FIRST : buffer->capacity * 2;
    if (capacity < buffer->size + size) {
        capacity = buffer->size + size;
    }
    if (capacity > buffer->bytes_max) {
        capacity = buffer->bytes_max;
    }
    const size_t more = capacity - (buffer->is_lent ? 0 : buffer->capacity);
    if (buffer->counted && !vg_memory_budget_take(more)) {
        buffer->failed = true;
        return false;
    }
    /* One byte more than is counted: the NUL of vsnprintf has a place at the very maximum. */
    uint8_t *data = realloc(buffer->is_lent ? NULL : buffer->data, capacity + 1);
    if (data == NULL) {
        if (buffer->counted) {
            vg_memory_budget_give(more);
        }
        buffer->failed = true;
        return false;
    }
    if (buffer->is_lent) {
        /* All of it, as realloc does: messages are encoded from the end of the memory. */
        memcpy(data, buffer->data, buffer->capacity);
    }
    buffer->data = data;
    buffer->is_lent = false;
    buffer->capacity = capacity;
    return true;
}

void vg_buffer_printf(struct vg_buffer *buffer, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int size = vsnprintf(NULL, 0, format, list);
    va_end(list);
    VG_ASSERT(size >= 0);
    if (size == 0 || !vg_buffer_reserve(buffer, (size_t)size)) {
        return;
    }
    va_start(list, format);
    (void)vsnprintf((char *)buffer->data + buffer->size, (size_t)size + 1, format, list);
    va_end(list);
    buffer->size += (size_t)size;
}
