/*
 * A borrowed run of bytes. It does not own them and is valid only as long as what it points into; a
 * function that keeps the bytes longer says so by naming its parameter kept_*.
 *
 * Threads: a value.
 */
#ifndef VG_CORE_BASE_BYTES_H
#define VG_CORE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct vg_bytes {
    const uint8_t *data; /* may be NULL when size is 0 */
    size_t size;
};

static inline struct vg_bytes vg_bytes(const void *data, size_t size)
{
    return (struct vg_bytes){ .data = (const uint8_t *)data, .size = size };
}

/* The bytes of a C string, without its NUL. */
static inline struct vg_bytes vg_bytes_text(const char *text)
{
    return vg_bytes(text, text == NULL ? 0 : strlen(text));
}

static inline bool vg_bytes_equal(struct vg_bytes a, struct vg_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* memcmp order, the shorter first when one begins the other: the order of the store. */
static inline int vg_bytes_compare(struct vg_bytes a, struct vg_bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static inline bool vg_bytes_begins_with(struct vg_bytes whole, struct vg_bytes start)
{
    return whole.size >= start.size &&
           (start.size == 0 || memcmp(whole.data, start.data, start.size) == 0);
}

#endif
