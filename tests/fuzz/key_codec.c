/*
 * Keys: what any bytes hold as parts comes back, no key contains NUL, keys order as their parts do,
 * and a key that parses is the one key that its parts make.
 */
#include "core/base/assert.h"
#include "core/keyspace/keyspace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct parts {
    vg_time time;
    uint64_t number;
    struct vg_bytes bytes;
};

/* 16 bytes of numbers, the rest is the part of bytes. */
static struct parts parts_of(struct vg_bytes input)
{
    struct parts parts = { .time = 0 };
    uint8_t head[16] = { 0 };
    size_t taken = input.size < sizeof(head) ? input.size : sizeof(head);
    if (taken > 0) {
        memcpy(head, input.data, taken);
        parts.bytes = vg_bytes(input.data + taken, input.size - taken);
    }
    memcpy(&parts.time, head, 8);
    memcpy(&parts.number, head + 8, 8);
    return parts;
}

static struct vg_key key_of(const struct parts *parts)
{
    struct vg_key key;
    vg_key_codec_begin(&key, 'x');
    vg_key_codec_put_time(&key, parts->time);
    vg_key_codec_put_bytes(&key, parts->bytes);
    vg_key_codec_put_number(&key, parts->number);
    return key;
}

static int order_of(const struct parts *a, const struct parts *b)
{
    if (a->time != b->time) {
        return a->time < b->time ? -1 : 1;
    }
    int order = vg_bytes_compare(a->bytes, b->bytes);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static void check_round_trip(const struct parts *parts, const struct vg_key *key)
{
    VG_ASSERT(memchr(key->data, 0, key->size) == NULL);
    struct vg_key_cursor cursor;
    uint8_t bytes[VG_KEY_BYTES_MAX];
    vg_key_cursor_init(&cursor, vg_key_bytes(key), 'x');
    VG_ASSERT(vg_key_cursor_get_time(&cursor) == parts->time);
    size_t size = vg_key_cursor_get_bytes(&cursor, bytes, sizeof(bytes));
    VG_ASSERT(vg_bytes_equal(vg_bytes(bytes, size), parts->bytes));
    VG_ASSERT(vg_key_cursor_get_number(&cursor) == parts->number);
    VG_ASSERT(vg_key_cursor_finished(&cursor));
}

/* Any bytes as a key: refused, or exactly what the builder makes. */
static void check_parsers(struct vg_bytes input)
{
    struct vg_event_identity event;
    struct vg_key key;
    uint64_t number;
    int64_t id;
    uint32_t count;
    uint8_t name[VG_KEY_NAME_BYTES_MAX];
    size_t name_size;
    if (vg_key_parse_event(input, &event)) {
        vg_key_event(&key, &event);
        VG_ASSERT(vg_bytes_equal(vg_key_bytes(&key), input));
    }
    if (vg_key_parse_lineage(input, &event, &number, &count)) {
        vg_key_lineage(&key, &event, number, count);
        VG_ASSERT(vg_bytes_equal(vg_key_bytes(&key), input));
    }
    if (vg_key_parse_change_log(input, &number)) {
        vg_key_change_log(&key, number);
        VG_ASSERT(vg_bytes_equal(vg_key_bytes(&key), input));
    }
    if (vg_key_parse_directory(input, &count, &id, name, &name_size)) {
        vg_key_directory(&key, count, id, vg_bytes(name, name_size));
        VG_ASSERT(vg_bytes_equal(vg_key_bytes(&key), input));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_parsers(vg_bytes(data, size));
    struct parts first = parts_of(vg_bytes(data, size / 2));
    struct parts second = parts_of(vg_bytes(data + size / 2, size - size / 2));
    struct vg_key first_key = key_of(&first);
    struct vg_key second_key = key_of(&second);
    if (first_key.failed || second_key.failed) {
        return 0;
    }
    check_round_trip(&first, &first_key);
    check_round_trip(&second, &second_key);
    int order = vg_bytes_compare(vg_key_bytes(&first_key), vg_key_bytes(&second_key));
    int expected = order_of(&first, &second);
    VG_ASSERT((order > 0) - (order < 0) == (expected > 0) - (expected < 0));
    return 0;
}
