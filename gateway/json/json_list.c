#include "gateway/json/json_list.h"

#include <string.h>

bool vg_json_list_grow(struct vg_json_list *list, struct vg_arena *arena)
{
    size_t old_size = list->capacity * list->item_size;
    size_t size = 2 * old_size;
    if (list->items == list->first || !vg_arena_resize_last(arena, list->items, old_size, size)) {
        uint8_t *items = vg_arena_alloc(arena, size);
        if (items == NULL) {
            return false;
        }
        memcpy(items, list->items, list->count * list->item_size);
        list->items = items;
    }
    list->capacity *= 2;
    return true;
}

bool vg_json_list_finish(
    struct vg_json_list *list,
    struct vg_arena *arena,
    const struct vg_field *field,
    uint8_t *message)
{
    size_t size = list->count * list->item_size;
    uint8_t *items = NULL;
    if (list->items != list->first) {
        items = list->items;
        (void)!vg_arena_resize_last(arena, items, list->capacity * list->item_size, size);
    } else if (size > 0) {
        items = vg_arena_alloc(arena, size);
        if (items == NULL) {
            return false;
        }
        memcpy(items, list->first, size);
    }
    memcpy(message + field->offset, &items, sizeof(items));
    memcpy(message + field->quantifier, &list->count, sizeof(list->count));
    return true;
}
