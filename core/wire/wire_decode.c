/*
 * A frame per message, filled field by field; wire_list.h knows where elements of lists go.
 * Recursion is bounded by VG_LIMIT_WIRE_DEPTH; a frame is small.
 */
#include "core/wire/wire_decode.h"

#include <stdio.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/wire/field_path.h"
#include "core/wire/packed_text.h"
#include "core/wire/plain_text.h"
#include "core/wire/wire_field.h"
#include "core/wire/wire_list.h"

const struct vg_wire_policy vg_wire_policy_request = { .unknown = VG_WIRE_UNKNOWN_IGNORE };
const struct vg_wire_policy vg_wire_policy_strict = { .unknown = VG_WIRE_UNKNOWN_REFUSE };
const struct vg_wire_policy vg_wire_policy_record = { .unknown = VG_WIRE_UNKNOWN_KEEP };

/* Bytes of arena most messages take for a byte on the wire. */
#define ARENA_USUAL 4u

struct decoder {
    struct vg_packed_text texts;
    struct vg_arena *arena;
    struct vg_error *error;
    enum vg_wire_unknown unknown;
    size_t elements_left;
    const uint8_t *end; /* of all bytes */
    size_t depth;       /* messages open */
    struct vg_path_step steps[VG_LIMIT_WIRE_DEPTH + 1];
};

VG_COLD static bool refuse(
    struct decoder *decoder,
    enum vg_reason reason,
    const struct vg_field *field,
    int64_t index,
    const char *message)
{
    char path[VG_PATH_TEXT_SIZE];
    size_t count = decoder->depth > 0 ? decoder->depth - 1 : 0;
    if (field != NULL) {
        decoder->steps[count++] = (struct vg_path_step){ .field = field, .index = index };
    }
    (void)vg_path_print(decoder->steps, count, path);
    (void)vg_error_set(decoder->error, reason, "%s", message);
    (void)vg_error_field(decoder->error, path, NULL);
    return false;
}

VG_COLD static bool refuse_memory(struct decoder *decoder)
{
    return refuse(decoder, VG_REQUEST_MEMORY, NULL, 0, vg_reason_row(VG_REQUEST_MEMORY)->text);
}

VG_COLD static bool refuse_cut(struct decoder *decoder, const struct vg_field *field)
{
    return refuse(
        decoder,
        VG_INVALID_WIRE_MESSAGE,
        field,
        VG_PATH_NO_INDEX,
        "The message is not valid protobuf: a field is cut off or malformed");
}

static inline bool spend(struct decoder *decoder, size_t elements)
{
    if (decoder->elements_left < elements) {
        return refuse_memory(decoder);
    }
    decoder->elements_left -= elements;
    return true;
}

/* Room for `needed` more elements; false = refused, and the error is set. */
static bool list_room(
    struct decoder *decoder,
    struct vg_wire_frame *frame,
    const struct vg_field *field,
    const uint8_t *run_start,
    size_t needed,
    struct vg_wire_list *out_list)
{
    enum vg_wire_room room =
        vg_wire_list_room(decoder->arena, frame, field, run_start, needed, out_list);
    if (room == VG_WIRE_ROOM_TOO_LONG) {
        char text[80];
        (void)snprintf(
            text,
            sizeof(text),
            "The list has more than %u elements",
            vg_rules[field->rule].items_max);
        return refuse(decoder, VG_INVALID_FIELD_VALUE, field, VG_PATH_NO_INDEX, text);
    }
    return room == VG_WIRE_ROOM_FOUND || refuse_memory(decoder);
}

static void set_count(struct vg_wire_frame *frame, const struct vg_field *field, size_t count)
{
    memcpy(frame->message + field->quantifier, &count, sizeof(count));
}

/* Read a number at `next` into `member`. NULL = malformed. */
static inline const uint8_t *read_number(
    const struct vg_field *field,
    const uint8_t *next,
    const uint8_t *end,
    uint8_t *member)
{
    uint64_t value;
    if (field->kind == VG_KIND_DOUBLE) {
        if (end - next < 8) {
            return NULL;
        }
        value = 0;
        for (unsigned i = 0; i < 8; i++) {
            value |= (uint64_t)next[i] << (8 * i);
        }
        memcpy(member, &value, 8);
        return next + 8;
    }
    next = vg_wire_read_varint(next, end, &value);
    if (next == NULL) {
        return NULL;
    }
    if (field->kind == VG_KIND_INT64 || field->kind == VG_KIND_UINT64) {
        memcpy(member, &value, 8);
        return next;
    }
    uint32_t word = field->kind == VG_KIND_BOOL ? value != 0 : (uint32_t)value;
    memcpy(member, &word, 4);
    return next;
}

static const uint8_t *read_size(
    struct decoder *decoder,
    struct vg_wire_frame *frame,
    const struct vg_field *field,
    const uint8_t *next,
    size_t *size)
{
    uint64_t value;
    next = vg_wire_read_varint(next, frame->end, &value);
    if (next == NULL || value > (uint64_t)(frame->end - next)) {
        (void)refuse_cut(decoder, field);
        return NULL;
    }
    *size = (size_t)value;
    return next;
}

static bool read_packed(
    struct decoder *decoder,
    struct vg_wire_frame *frame,
    const struct vg_field *field,
    const uint8_t *key_start)
{
    size_t size;
    const uint8_t *next = read_size(decoder, frame, field, frame->next, &size);
    if (next == NULL) {
        return false;
    }
    frame->next = next + size;
    size_t more = vg_wire_list_count_packed(field, next, size);
    if (more == 0) {
        return size == 0 ? true : refuse_cut(decoder, field);
    }
    if (!spend(decoder, more)) {
        return false;
    }
    struct vg_wire_list list;
    size_t count = vg_wire_list_count(frame, field);
    if (!list_room(decoder, frame, field, key_start, more, &list)) {
        return false;
    }
    uint8_t *item = list.items + count * vg_wire_item_size(field);
    const uint8_t *end = frame->next;
    for (size_t i = 0; i < more && next != NULL; i++, item += vg_wire_item_size(field)) {
        next = read_number(field, next, end, item);
    }
    if (next != end) {
        return refuse_cut(decoder, field);
    }
    set_count(frame, field, count + more);
    return true;
}

/*
 * Copy the text while it is checked, sixteen bytes at a time, when bytes and pool reach that far.
 * False when it is not plain ASCII or there is no room to do so: then it must be looked at closely.
 */
static inline bool copy_plain(struct decoder *decoder, struct vg_bytes text)
{
#ifdef __SSE2__
    const __m128i one = _mm_set1_epi8(1);
    uint8_t *to = decoder->texts.next;
    size_t blocks = text.size / 16 * 16 + 16;
    if ((size_t)(decoder->end - text.data) < blocks ||
        (size_t)(decoder->texts.end - to) < blocks + 1) {
        return false;
    }
    for (size_t at = 0; at < blocks; at += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(text.data + at));
        _mm_storeu_si128((__m128i *)(void *)(to + at), block);
        /* As signed bytes, what is below one is NUL and all above 0x7F. */
        unsigned special = (unsigned)_mm_movemask_epi8(_mm_cmplt_epi8(block, one));
        unsigned last = text.size - at < 16 ? (1u << (text.size - at)) - 1 : 0xFFFF;
        if ((special & last) != 0) {
            return false;
        }
    }
    return true;
#else
    (void)decoder;
    (void)text;
    return false;
#endif
}

static bool read_text(
    struct decoder *decoder,
    const struct vg_field *field,
    struct vg_bytes text,
    int64_t index,
    uint8_t *member)
{
    if (!copy_plain(decoder, text)) {
        if (!vg_text_is_proper(text)) {
            return refuse(
                decoder,
                VG_INVALID_WIRE_MESSAGE,
                field,
                index,
                "The text is not valid UTF-8 or has a NUL character");
        }
        size_t left = (size_t)(decoder->end - text.data);
        if (!vg_packed_text_room(&decoder->texts, text.size + 1, left)) {
            return refuse_memory(decoder);
        }
        if (text.size > 0) {
            memcpy(decoder->texts.next, text.data, text.size);
        }
    }
    uint8_t *copy = decoder->texts.next;
    copy[text.size] = '\0';
    decoder->texts.next = copy + text.size + 1;
    memcpy(member, &copy, sizeof(copy));
    return true;
}

static bool read_data(struct decoder *decoder, struct vg_bytes bytes, uint8_t *member)
{
    ProtobufCBinaryData data = { .len = bytes.size };
    if (bytes.size > 0) {
        data.data = vg_arena_alloc(decoder->arena, bytes.size);
        if (data.data == NULL) {
            return refuse_memory(decoder);
        }
        memcpy(data.data, bytes.data, bytes.size);
    }
    memcpy(member, &data, sizeof(data));
    return true;
}

static bool read_message(struct decoder *decoder, struct vg_wire_frame *frame);

/* Fill the message at `member`, which is made if there is none yet: a second occurrence is merged
 * into the first. */
static bool read_nested(
    struct decoder *decoder,
    const struct vg_field *field,
    struct vg_bytes bytes,
    int64_t index,
    uint8_t *member)
{
    if (decoder->depth >= VG_LIMIT_WIRE_DEPTH) {
        return refuse(
            decoder,
            VG_INVALID_WIRE_MESSAGE,
            field,
            index,
            "The message is nested too deeply");
    }
    struct vg_wire_frame frame = { .table = field->sub,
                                   .next = bytes.data,
                                   .end = bytes.data + bytes.size };
    memcpy(&frame.message, member, sizeof(frame.message));
    if (frame.message == NULL) {
        frame.message = vg_arena_calloc(decoder->arena, 1, frame.table->size);
        if (frame.message == NULL) {
            return refuse_memory(decoder);
        }
        memcpy(frame.message, &frame.table->descriptor, sizeof(frame.table->descriptor));
        memcpy(member, &frame.message, sizeof(frame.message));
    }
    struct vg_path_step *step = &decoder->steps[decoder->depth - 1];
    step->field = field;
    step->key.data = NULL;
    step->index = index;
    decoder->depth++;
    bool done = read_message(decoder, &frame);
    decoder->depth--;
    return done;
}

static bool read_run(
    struct decoder *decoder,
    const struct vg_field *field,
    struct vg_bytes run,
    int64_t index,
    uint8_t *member)
{
    switch (field->kind) {
    case VG_KIND_STRING:
        return read_text(decoder, field, run, index, member);
    case VG_KIND_BYTES:
        return read_data(decoder, run, member);
    default:
        return read_nested(decoder, field, run, index, member);
    }
}

/* The elements of one run of equal keys, so that the list is looked up once for all of them. */
static bool read_list(
    struct decoder *decoder,
    struct vg_wire_frame *frame,
    const struct vg_field *field,
    const uint8_t *key_start)
{
    struct vg_wire_list list;
    size_t count = vg_wire_list_count(frame, field);
    if (!list_room(decoder, frame, field, key_start, 1, &list)) {
        return false;
    }
    size_t size = vg_wire_item_size(field);
    for (;;) {
        uint8_t *item = list.items + count * size;
        if (!spend(decoder, 1)) {
            return false;
        }
        if (field->key[3] == VG_WIRE_BYTES) {
            size_t run_size;
            const uint8_t *run = read_size(decoder, frame, field, frame->next, &run_size);
            if (run == NULL) {
                return false;
            }
            frame->next = run + run_size;
            if (!read_run(decoder, field, vg_bytes(run, run_size), (int64_t)count, item)) {
                return false;
            }
        } else {
            frame->next = read_number(field, frame->next, frame->end, item);
            if (frame->next == NULL) {
                return refuse_cut(decoder, field);
            }
        }
        count++;
        if (count >= list.capacity || !vg_wire_has_key(field, frame->next, frame->end)) {
            break;
        }
        frame->next += field->key[2];
    }
    set_count(frame, field, count);
    return true;
}

static bool read_singular(
    struct decoder *decoder,
    struct vg_wire_frame *frame,
    const struct vg_field *field)
{
    uint8_t *member = frame->message + field->offset;
    if (field->quantifier != 0) { /* before the value: it may clear its place */
        vg_wire_mark_set(field, frame->message);
    }
    if (field->key[3] != VG_WIRE_BYTES) {
        const uint8_t *next = read_number(field, frame->next, frame->end, member);
        if (next == NULL) {
            return refuse_cut(decoder, field);
        }
        frame->next = next;
        return true;
    }
    size_t size;
    const uint8_t *run = read_size(decoder, frame, field, frame->next, &size);
    if (run == NULL) {
        return false;
    }
    frame->next = run + size;
    return read_run(decoder, field, vg_bytes(run, size), VG_PATH_NO_INDEX, member);
}

/* Unknown fields from `next` to the end of the message: how many to make room for. */
static size_t count_unknown(const struct vg_wire_frame *frame, const uint8_t *next)
{
    struct vg_bytes rest = vg_bytes(next, (size_t)(frame->end - next));
    struct vg_wire_field field;
    size_t count = 0;
    while (vg_wire_next(&rest, &field) == VG_WIRE_STEP_FIELD) {
        count += vg_contract_field(frame->table, field.number) == NULL;
    }
    return count;
}

/* Notes that the array of unknown fields was made: at the first one, for all that follow. */
static const struct vg_field unknown_marker;

static bool keep_unknown(
    struct decoder *decoder,
    struct vg_wire_frame *frame,
    const struct vg_wire_field *unknown,
    const uint8_t *key_start)
{
    ProtobufCMessage *message = (ProtobufCMessage *)(void *)frame->message;
    if (vg_wire_note_find(frame, &unknown_marker) == NULL) {
        size_t count = message->n_unknown_fields + count_unknown(frame, key_start);
        ProtobufCMessageUnknownField *fields =
            vg_arena_calloc(decoder->arena, count, sizeof(*fields));
        if (fields == NULL || vg_wire_note_add(decoder->arena, frame, &unknown_marker) == NULL) {
            return refuse_memory(decoder);
        }
        if (message->n_unknown_fields > 0) {
            memcpy(fields, message->unknown_fields, message->n_unknown_fields * sizeof(*fields));
        }
        message->unknown_fields = fields;
    }
    /* Behind the key: a length, if there is one, belongs to the data, as protobuf-c has it. */
    uint64_t key;
    const uint8_t *end = unknown->whole.data + unknown->whole.size;
    const uint8_t *data = vg_wire_read_varint(unknown->whole.data, end, &key);
    size_t size = (size_t)(end - data);
    uint8_t *copy = vg_arena_alloc(decoder->arena, size);
    if (copy == NULL) {
        return refuse_memory(decoder);
    }
    memcpy(copy, data, size);
    message->unknown_fields[message->n_unknown_fields++] = (ProtobufCMessageUnknownField){
        .tag = unknown->number,
        .wire_type = (ProtobufCWireType)unknown->wire_type,
        .len = size,
        .data = copy,
    };
    return true;
}

static bool read_unknown(
    struct decoder *decoder,
    struct vg_wire_frame *frame,
    const uint8_t *key_start)
{
    struct vg_bytes rest = vg_bytes(key_start, (size_t)(frame->end - key_start));
    struct vg_wire_field unknown;
    if (vg_wire_next(&rest, &unknown) != VG_WIRE_STEP_FIELD) {
        return refuse_cut(decoder, NULL);
    }
    if (decoder->unknown == VG_WIRE_UNKNOWN_REFUSE) {
        char text[80];
        (void)snprintf(text, sizeof(text), "The contract has no field %u here", unknown.number);
        return refuse(decoder, VG_UNKNOWN_FIELD, NULL, 0, text);
    }
    if (decoder->unknown == VG_WIRE_UNKNOWN_KEEP &&
        !keep_unknown(decoder, frame, &unknown, key_start)) {
        return false;
    }
    frame->next = rest.data;
    return true;
}

static bool read_message(struct decoder *decoder, struct vg_wire_frame *frame)
{
    while (frame->next < frame->end) {
        const uint8_t *key_start = frame->next;
        uint64_t key;
        frame->next = vg_wire_read_varint(key_start, frame->end, &key);
        if (frame->next == NULL) {
            return refuse_cut(decoder, NULL);
        }
        const struct vg_field *field =
            key > UINT32_MAX ? NULL : vg_contract_field(frame->table, (uint32_t)(key >> 3));
        if (field == NULL) {
            if (!spend(decoder, 1) || !read_unknown(decoder, frame, key_start)) {
                return false;
            }
            continue;
        }
        bool done;
        unsigned wire_type = (unsigned)(key & 7);
        bool repeated = (field->flags & VG_FIELD_REPEATED) != 0;
        if (wire_type == field->key[3]) {
            done = repeated ? read_list(decoder, frame, field, key_start)
                            : spend(decoder, 1) && read_singular(decoder, frame, field);
        } else if (repeated && wire_type == VG_WIRE_BYTES) {
            done = read_packed(decoder, frame, field, key_start);
        } else {
            done = refuse(
                decoder,
                VG_INVALID_WIRE_MESSAGE,
                field,
                VG_PATH_NO_INDEX,
                "The field has another wire type than the contract says");
        }
        if (!done) {
            return false;
        }
    }
    return true;
}

enum vg_reason vg_wire_decode(
    const struct vg_table *table,
    struct vg_bytes bytes,
    const struct vg_wire_policy *policy,
    struct vg_arena *arena,
    ProtobufCMessage **out_message,
    struct vg_error *error)
{
    struct decoder decoder;
    struct vg_error unseen;
    decoder.texts = (struct vg_packed_text){ .arena = arena };
    decoder.arena = arena;
    decoder.error = error;
    decoder.unknown = policy->unknown;
    decoder.elements_left = policy->elements_max == 0 ? VG_LIMIT_WIRE_VALUES : policy->elements_max;
    decoder.depth = 1;
    if (error == NULL) {
        vg_error_init(&unseen, NULL);
        decoder.error = &unseen;
    }
    const uint8_t *start = bytes.size == 0 ? (const uint8_t *)"" : bytes.data;
    decoder.end = start + bytes.size;
    vg_arena_expect(arena, bytes.size * ARENA_USUAL);
    struct vg_wire_frame frame = {
        .table = table,
        .message = vg_arena_calloc(arena, 1, table->size),
        .next = start,
        .end = decoder.end,
    };
    if (frame.message == NULL) {
        (void)refuse_memory(&decoder);
        return VG_REQUEST_MEMORY;
    }
    memcpy(frame.message, &table->descriptor, sizeof(table->descriptor));
    if (!read_message(&decoder, &frame)) {
        return decoder.error->reason;
    }
    vg_packed_text_close(&decoder.texts);
    *out_message = (ProtobufCMessage *)(void *)frame.message;
    return VG_OK;
}
