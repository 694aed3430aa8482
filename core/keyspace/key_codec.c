#include "core/keyspace/key_codec.h"

#define PART_END        0x01
#define ESCAPE          0x02 /* also the highest byte that is escaped */
#define ESCAPED_FIRST   0x03 /* what follows the escape: 03, 04, 05 for 00, 01, 02 */
#define ESCAPED_LAST    (ESCAPED_FIRST + ESCAPE)
#define NUMBER_LENGTH   0x10 /* first byte of a number is this + count of its bytes */
#define NUMBER_SIZE_MAX 8
#define TIME_SIGN       (UINT64_C(1) << 63)

static void put_raw(struct vg_key *key, uint8_t byte)
{
    if (key->size >= VG_KEY_BYTES_MAX) {
        key->failed = true;
        return;
    }
    key->data[key->size++] = byte;
}

static void put_escaped(struct vg_key *key, uint8_t byte)
{
    if (byte <= ESCAPE) {
        put_raw(key, ESCAPE);
        byte = (uint8_t)(byte + ESCAPED_FIRST);
    }
    put_raw(key, byte);
}

/* The lowest `size` bytes of `number`, highest first. */
static void put_big_endian(struct vg_key *key, uint64_t number, unsigned size)
{
    for (unsigned left = size; left > 0; left--) {
        put_escaped(key, (uint8_t)(number >> (8 * (left - 1))));
    }
}

void vg_key_codec_begin(struct vg_key *key, uint8_t first)
{
    key->size = 0;
    key->failed = false;
    put_raw(key, first);
}

void vg_key_codec_put_bytes(struct vg_key *key, struct vg_bytes bytes)
{
    for (size_t index = 0; index < bytes.size && !key->failed; index++) {
        put_escaped(key, bytes.data[index]);
    }
    put_raw(key, PART_END);
}

void vg_key_codec_put_number(struct vg_key *key, uint64_t number)
{
    unsigned size = 0;
    while (size < NUMBER_SIZE_MAX && number >> (8 * size) != 0) {
        size++;
    }
    put_raw(key, (uint8_t)(NUMBER_LENGTH + size));
    put_big_endian(key, number, size);
}

void vg_key_codec_put_time(struct vg_key *key, vg_time time)
{
    put_big_endian(key, (uint64_t)time ^ TIME_SIGN, NUMBER_SIZE_MAX);
}

void vg_key_cursor_init(struct vg_key_cursor *cursor, struct vg_bytes key, uint8_t first)
{
    bool begins = key.size > 0 && key.data[0] == first;
    cursor->next = begins ? key.data + 1 : key.data;
    cursor->end = key.size > 0 ? key.data + key.size : key.data;
    cursor->failed = !begins;
}

/* The next byte as it stands; 0, which no key contains, and failed at the end. */
static uint8_t get_raw(struct vg_key_cursor *cursor)
{
    if (cursor->failed || cursor->next == cursor->end) {
        cursor->failed = true;
        return 0;
    }
    return *cursor->next++;
}

/* The next content byte, unescaped. What the writer would not have written is a failure, so that a
 * key has one spelling. */
static uint8_t get_escaped(struct vg_key_cursor *cursor)
{
    uint8_t byte = get_raw(cursor);
    if (byte > ESCAPE) {
        return byte;
    }
    uint8_t escaped = byte == ESCAPE ? get_raw(cursor) : 0;
    if (escaped < ESCAPED_FIRST || escaped > ESCAPED_LAST) {
        cursor->failed = true;
        return 0;
    }
    return (uint8_t)(escaped - ESCAPED_FIRST);
}

static uint64_t get_big_endian(struct vg_key_cursor *cursor, unsigned size)
{
    uint64_t number = 0;
    for (unsigned index = 0; index < size; index++) {
        number = number << 8 | get_escaped(cursor);
    }
    return cursor->failed ? 0 : number;
}

size_t vg_key_cursor_get_bytes(struct vg_key_cursor *cursor, uint8_t *out, size_t size_max)
{
    size_t size = 0;
    while (!cursor->failed) {
        if (cursor->next != cursor->end && *cursor->next == PART_END) {
            cursor->next++;
            return size;
        }
        uint8_t byte = get_escaped(cursor);
        if (size == size_max) {
            cursor->failed = true;
        } else if (!cursor->failed) {
            out[size++] = byte;
        }
    }
    return 0;
}

uint64_t vg_key_cursor_get_number(struct vg_key_cursor *cursor)
{
    uint8_t length = get_raw(cursor);
    if (length < NUMBER_LENGTH || length > NUMBER_LENGTH + NUMBER_SIZE_MAX) {
        cursor->failed = true;
        return 0;
    }
    unsigned size = (unsigned)length - NUMBER_LENGTH;
    uint64_t number = get_big_endian(cursor, size);
    if (size > 0 && number >> (8 * (size - 1)) == 0) {
        cursor->failed = true; /* a leading zero: not the writer's spelling */
        return 0;
    }
    return number;
}

vg_time vg_key_cursor_get_time(struct vg_key_cursor *cursor)
{
    uint64_t number = get_big_endian(cursor, NUMBER_SIZE_MAX);
    return cursor->failed ? 0 : (vg_time)(number ^ TIME_SIGN);
}

bool vg_key_cursor_finished(const struct vg_key_cursor *cursor)
{
    return !cursor->failed && cursor->next == cursor->end;
}
