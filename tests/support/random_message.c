#include "tests/support/random_message.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/wire/wire_field.h"

uint64_t vg_random_message_next(struct vg_random_message *random)
{
    uint64_t z = (random->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static size_t below(struct vg_random_message *random, size_t limit)
{
    return (size_t)(vg_random_message_next(random) % limit);
}

static void *take(struct vg_random_message *random, size_t size)
{
    void *taken = vg_arena_calloc(random->arena, 1, size);
    VG_ASSERT(taken != NULL);
    return taken;
}

/* Any bit pattern, small numbers of either sign more often than others. */
static uint64_t any_number(struct vg_random_message *random)
{
    uint64_t value = vg_random_message_next(random);
    switch (below(random, 4)) {
    case 0:
        return value;
    case 1:
        return value & 0xFF;
    case 2:
        return 0 - (value & 0xFFFF);
    default:
        return value >> below(random, 64);
    }
}

static char *any_text(struct vg_random_message *random)
{
    static const char *const pieces[] = { "a",
                                          "Zz",
                                          "0",
                                          " ",
                                          "\"",
                                          "\\",
                                          "/",
                                          "\n",
                                          "\x01",
                                          "\x7F",
                                          "\xC3\xA6",
                                          "\xE2\x82\xAC",
                                          "\xF0\x9F\x98\x80",
                                          "plain words of ASCII",
                                          "-" };
    size_t count = below(random, 12);
    char *text = take(random, count * 24 + 1);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const char *piece = pieces[below(random, VG_ARRAY_COUNT(pieces))];
        memcpy(text + at, piece, strlen(piece));
        at += strlen(piece);
    }
    return text;
}

static uint64_t any_double(struct vg_random_message *random)
{
    double value;
    switch (below(random, 3)) {
    case 0:
        value = (double)(int64_t)any_number(random);
        break;
    case 1:
        value = (double)(int32_t)any_number(random) / 10000;
        break;
    default:
        value = 1.0 / (double)(1 + below(random, 1000)) * (below(random, 2) == 0 ? 1e-200 : 1e200);
        break;
    }
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static void fill_value(
    struct vg_random_message *random,
    const struct vg_field *field,
    unsigned depth,
    uint8_t *member);

static uint8_t *fill_message(
    struct vg_random_message *random,
    const struct vg_table *table,
    unsigned depth)
{
    uint8_t *message = take(random, table->size);
    memcpy(message, &table->descriptor, sizeof(table->descriptor));
    bool entry = (table->flags & VG_TABLE_ENTRY) != 0;
    bool bare = (table->flags & (VG_TABLE_BARE | VG_TABLE_SHAPES)) != 0;
    size_t only = below(random, table->field_count == 0 ? 1 : table->field_count);
    for (size_t i = 0; i < table->field_count; i++) {
        const struct vg_field *field = &table->fields[i];
        bool left_out = bare ? i != only : !entry && below(random, 2) == 0;
        if (left_out || (field->kind == VG_KIND_MESSAGE && depth >= random->depth_max)) {
            continue;
        }
        if ((field->flags & VG_FIELD_REPEATED) != 0) {
            size_t count = below(random, 8) == 0 ? 40 : below(random, 4);
            size_t size = vg_wire_item_size(field);
            uint8_t *items = take(random, count * size + 1);
            for (size_t k = 0; k < count; k++) {
                fill_value(random, field, depth, items + k * size);
            }
            memcpy(message + field->quantifier, &count, sizeof(count));
            memcpy(message + field->offset, &items, sizeof(items));
            continue;
        }
        vg_wire_mark_set(field, message);
        fill_value(random, field, depth, message + field->offset);
    }
    return message;
}

static int32_t any_enum(struct vg_random_message *random, const struct vg_words *words)
{
    if (random->words_only) {
        return words->words[below(random, words->word_count)].number;
    }
    return (int32_t)any_number(random);
}

static void fill_value(
    struct vg_random_message *random,
    const struct vg_field *field,
    unsigned depth,
    uint8_t *member)
{
    uint64_t number;
    uint32_t word;
    uint8_t *pointer;
    switch (field->kind) {
    case VG_KIND_MESSAGE:
        pointer = fill_message(random, field->sub, depth + 1);
        memcpy(member, &pointer, sizeof(pointer));
        return;
    case VG_KIND_STRING:
        pointer = (uint8_t *)any_text(random);
        memcpy(member, &pointer, sizeof(pointer));
        return;
    case VG_KIND_BYTES: {
        ProtobufCBinaryData data = { .len = below(random, 20) };
        data.data = take(random, data.len + 1);
        for (size_t i = 0; i < data.len; i++) {
            data.data[i] = (uint8_t)vg_random_message_next(random);
        }
        memcpy(member, &data, sizeof(data));
        return;
    }
    case VG_KIND_ENUM:
        word = (uint32_t)any_enum(random, field->sub);
        memcpy(member, &word, sizeof(word));
        return;
    case VG_KIND_BOOL:
        word = (uint32_t)below(random, 2);
        memcpy(member, &word, sizeof(word));
        return;
    case VG_KIND_DOUBLE:
        number = any_double(random);
        memcpy(member, &number, sizeof(number));
        return;
    default:
        number = any_number(random);
        memcpy(member, &number, vg_wire_item_size(field));
        return;
    }
}

ProtobufCMessage *vg_random_message_make(
    struct vg_random_message *random,
    const struct vg_table *table)
{
    return (ProtobufCMessage *)(void *)fill_message(random, table, 0);
}
