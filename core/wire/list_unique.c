/*
 * Short lists, nearly all, are compared pair by pair. Long ones are sorted by value and place,
 * which is bounded by n log n whatever the values are; a hash of values from outside would not be.
 */
#include "core/wire/list_unique.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/wire_field.h"

#define PAIRS_MAX 32u

struct list {
    const struct vg_field *field;
    const uint8_t *items;
    size_t size; /* of an element */
};

static int compare_items(const struct list *list, size_t a, size_t b)
{
    const uint8_t *one = list->items + a * list->size;
    const uint8_t *two = list->items + b * list->size;
    if (list->field->kind == VG_KIND_STRING) {
        const char *texts[2];
        memcpy(&texts[0], one, sizeof(texts[0]));
        memcpy(&texts[1], two, sizeof(texts[1]));
        return strcmp(texts[0], texts[1]);
    }
    if (list->field->kind == VG_KIND_BYTES) {
        ProtobufCBinaryData data[2];
        memcpy(&data[0], one, sizeof(data[0]));
        memcpy(&data[1], two, sizeof(data[1]));
        return vg_bytes_compare(
            vg_bytes(data[0].data, data[0].len),
            vg_bytes(data[1].data, data[1].len));
    }
    /* Numbers: any order that tells equal from unequal will do. */
    return memcmp(one, two, list->size);
}

/* Move element `from` to the place `to`. */
static void move_item(uint8_t *items, size_t size, size_t to, size_t from)
{
    if (to != from) {
        memcpy(items + to * size, items + from * size, size);
    }
}

static size_t drop_by_pairs(const struct list *list, uint8_t *items, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        while (same < kept && compare_items(list, same, i) != 0) {
            same++;
        }
        if (same == kept) {
            move_item(items, list->size, kept++, i);
        }
    }
    return kept;
}

static int compare_places(const void *a, const void *b, void *owner)
{
    const struct list *list = owner;
    uint32_t one = *(const uint32_t *)a;
    uint32_t two = *(const uint32_t *)b;
    int order = compare_items(list, one, two);
    return order != 0 ? order : (one > two) - (one < two);
}

bool vg_list_unique(
    const struct vg_field *field,
    uint8_t *items,
    size_t *count,
    struct vg_arena *arena)
{
    struct list list = { .field = field, .items = items, .size = vg_wire_item_size(field) };
    if (*count <= PAIRS_MAX) {
        *count = drop_by_pairs(&list, items, *count);
        return true;
    }
    uint32_t *places = vg_arena_alloc(arena, *count * sizeof(*places));
    uint8_t *dropped = vg_arena_calloc(arena, *count, 1);
    if (places == NULL || dropped == NULL) {
        return false;
    }
    for (size_t i = 0; i < *count; i++) {
        places[i] = (uint32_t)i;
    }
    qsort_r(places, *count, sizeof(*places), compare_places, &list);
    for (size_t i = 1; i < *count; i++) {
        dropped[places[i]] = compare_items(&list, places[i - 1], places[i]) == 0;
    }
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (!dropped[i]) {
            move_item(items, list.size, kept++, i);
        }
    }
    *count = kept;
    return true;
}
