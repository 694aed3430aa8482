#include "core/wire/wire_list.h"

#include "core/wire/wire_field.h"

size_t vg_wire_list_count_packed(const struct vg_field *field, const uint8_t *run, size_t size)
{
    if (field->kind == VG_KIND_DOUBLE) {
        return size / 8;
    }
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        count += run[i] < 0x80;
    }
    return count;
}

/*
 * Elements of `field` from `next` to the end of the message, packed or not. Stops at what is
 * malformed; decoding will find it again.
 */
static size_t count_rest(
    const struct vg_wire_frame *frame,
    const struct vg_field *field,
    const uint8_t *next)
{
    struct vg_bytes rest = vg_bytes(next, (size_t)(frame->end - next));
    struct vg_wire_field found;
    size_t count = 0;
    while (vg_wire_next(&rest, &found) == VG_WIRE_STEP_FIELD) {
        if (found.number == field->number && found.wire_type == field->key[3]) {
            count++;
        } else if (found.number == field->number && found.wire_type == VG_WIRE_BYTES) {
            count += vg_wire_list_count_packed(field, found.bytes.data, found.bytes.size);
        }
    }
    return count;
}

struct vg_wire_note *vg_wire_note_find(
    const struct vg_wire_frame *frame,
    const struct vg_field *field)
{
    struct vg_wire_note *regrown = frame->notes;
    while (regrown != NULL && regrown->field != field) {
        regrown = regrown->older;
    }
    return regrown;
}

struct vg_wire_note *vg_wire_note_add(
    struct vg_arena *arena,
    struct vg_wire_frame *frame,
    const struct vg_field *field)
{
    struct vg_wire_note *note = vg_arena_alloc(arena, sizeof(*note));
    if (note != NULL) {
        *note = (struct vg_wire_note){ .older = frame->notes, .field = field };
        frame->notes = note;
    }
    return note;
}

/* Elements of the run of equal keys, not packed, that begins at `next`. */
static size_t count_run(
    const struct vg_wire_frame *frame,
    const struct vg_field *field,
    const uint8_t *next)
{
    size_t count = 0;
    while (vg_wire_has_key(field, next, frame->end)) {
        uint64_t value;
        next += field->key[2];
        if (field->key[3] == VG_WIRE_FIXED64) {
            value = 8;
        } else {
            next = vg_wire_read_varint(next, frame->end, &value);
            value = field->key[3] == VG_WIRE_BYTES ? value : 0;
        }
        if (next == NULL || value > (uint64_t)(frame->end - next)) {
            break;
        }
        next += value;
        count++;
    }
    return count;
}

static size_t items_max(const struct vg_field *field)
{
    uint32_t most = field->rule == 0 ? 0 : vg_rules[field->rule].items_max;
    return most == 0 ? SIZE_MAX : most;
}

enum vg_wire_room vg_wire_list_room(
    struct vg_arena *arena,
    struct vg_wire_frame *frame,
    const struct vg_field *field,
    const uint8_t *run_start,
    size_t needed,
    struct vg_wire_list *out_list)
{
    size_t count = vg_wire_list_count(frame, field);
    size_t size = vg_wire_item_size(field);
    uint8_t *items;
    memcpy(&items, frame->message + field->offset, sizeof(items));
    struct vg_wire_note *note = count == 0 ? NULL : vg_wire_note_find(frame, field);
    if (note != NULL && note->capacity - count >= needed) {
        *out_list = (struct vg_wire_list){ items, note->capacity };
        return VG_WIRE_ROOM_FOUND;
    }
    size_t ahead =
        count == 0 ? count_run(frame, field, run_start) : count_rest(frame, field, run_start);
    if (ahead < needed) {
        ahead = needed;
    }
    if (count + ahead > items_max(field)) {
        return VG_WIRE_ROOM_TOO_LONG;
    }
    uint8_t *larger = vg_arena_alloc(arena, (count + ahead) * size);
    if (larger != NULL && count > 0 && note == NULL) {
        note = vg_wire_note_add(arena, frame, field);
    }
    if (larger == NULL || (count > 0 && note == NULL)) {
        return VG_WIRE_ROOM_NO_MEMORY;
    }
    if (count > 0) {
        memcpy(larger, items, count * size);
        note->capacity = count + ahead;
    }
    /* A message is read into what is there already: new elements must be NULL. */
    memset(larger + count * size, 0, ahead * size);
    memcpy(frame->message + field->offset, &larger, sizeof(larger));
    *out_list = (struct vg_wire_list){ larger, count + ahead };
    return VG_WIRE_ROOM_FOUND;
}
