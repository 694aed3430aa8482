#include <stdlib.h>

#include "core/table/table_parts.h"

static struct vg_chunk_list *make_list(uint32_t count)
{
    struct vg_chunk_list *list =
        calloc(1, sizeof(*list) + (size_t)count * sizeof(struct vg_chunk *));
    if (list != NULL) {
        list->refs = 1;
        list->count = count;
    }
    return list;
}

struct vg_chunk_list *vg_chunk_list_create(void)
{
    return make_list(0);
}

struct vg_chunk_list *vg_chunk_list_sized(uint32_t count, bool has_tail)
{
    struct vg_chunk_list *list = make_list(count);
    if (list != NULL) {
        list->has_tail = has_tail;
    }
    return list;
}

static void copy_chunks(struct vg_chunk_list *to, const struct vg_chunk_list *from)
{
    for (uint32_t i = 0; i < from->count; i++) {
        to->chunks[i] = vg_chunk_ref(from->chunks[i]);
    }
}

struct vg_chunk_list *vg_chunk_list_with(
    const struct vg_chunk_list *list,
    struct vg_chunk *taken_chunk,
    bool is_tail)
{
    struct vg_chunk_list *copy = make_list(list->count + 1);
    if (copy != NULL) {
        copy_chunks(copy, list);
        copy->chunks[list->count] = taken_chunk;
        copy->has_tail = is_tail;
    }
    return copy;
}

struct vg_chunk_list *vg_chunk_list_copy(const struct vg_chunk_list *list, bool has_tail)
{
    struct vg_chunk_list *copy = make_list(list->count);
    if (copy != NULL) {
        copy_chunks(copy, list);
        copy->has_tail = has_tail;
    }
    return copy;
}

struct vg_chunk_list *vg_chunk_list_ref(struct vg_chunk_list *list)
{
    list->refs++;
    return list;
}

void vg_chunk_list_unref(struct vg_chunk_list *list)
{
    if (list == NULL || --list->refs > 0) {
        return;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        vg_chunk_unref(list->chunks[i]);
    }
    free(list);
}
