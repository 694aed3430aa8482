#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/random.h"
#include "core/keyspace/key_codec.h"

#define FIRST    'x'
#define SEED     UINT64_C(20260817)
#define ROUNDS   20000
#define PART_MAX 12

static struct vg_key key_of_number(uint64_t number)
{
    struct vg_key key;
    vg_key_codec_begin(&key, FIRST);
    vg_key_codec_put_number(&key, number);
    return key;
}

static struct vg_key key_of_time(vg_time time)
{
    struct vg_key key;
    vg_key_codec_begin(&key, FIRST);
    vg_key_codec_put_time(&key, time);
    return key;
}

/* A part of bytes with something behind it, as in a real key. */
static struct vg_key key_of_bytes(struct vg_bytes bytes, uint64_t behind)
{
    struct vg_key key;
    vg_key_codec_begin(&key, FIRST);
    vg_key_codec_put_bytes(&key, bytes);
    vg_key_codec_put_number(&key, behind);
    return key;
}

static int order(const struct vg_key *a, const struct vg_key *b)
{
    int raw = vg_bytes_compare(vg_key_bytes(a), vg_key_bytes(b));
    return (raw > 0) - (raw < 0);
}

static void assert_no_nul(const struct vg_key *key)
{
    assert_false(key->failed);
    assert_null(memchr(key->data, 0, key->size));
}

static void test_key_codec__encodes_as_documented(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t number;
        const char *bytes;
        size_t size;
    } rows[] = {
        { "zero has no bytes", 0, "x\x10", 2 },
        { "one is escaped", 1, "x\x11\x02\x04", 4 },
        { "three is not", 3, "x\x11\x03", 3 },
        { "256", 256, "x\x12\x02\x04\x02\x03", 6 },
        { "the highest", UINT64_MAX, "x\x18\xff\xff\xff\xff\xff\xff\xff\xff", 10 },
    };
    for (size_t index = 0; index < VG_ARRAY_COUNT(rows); index++) {
        struct vg_key key = key_of_number(rows[index].number);
        if (key.size != rows[index].size || memcmp(key.data, rows[index].bytes, key.size) != 0) {
            fail_msg("%s", rows[index].name);
        }
    }
    struct vg_key time = key_of_time(0);
    assert_int_equal(time.size, 1 + 1 + 7 * 2);
    assert_memory_equal(time.data, "x\x80\x02\x03\x02\x03", 6);
    struct vg_key bytes = key_of_bytes(vg_bytes("\x00\x01\x02\x03", 4), 0);
    assert_int_equal(bytes.size, 1 + 7 + 1 + 1);
    assert_memory_equal(bytes.data, "x\x02\x03\x02\x04\x02\x05\x03\x01\x10", 10);
}

static void test_key_codec__earlier_times_sort_first(void **state)
{
    (void)state;
    static const vg_time times[] = {
        INT64_MIN, -VG_TIME_MAX, -65536, -256,          -255,          -1,          0,         1, 2,
        3,         255,          256,    1755000000000, 1755000000001, VG_TIME_MAX, INT64_MAX,
    };
    for (size_t a = 0; a < VG_ARRAY_COUNT(times); a++) {
        for (size_t b = 0; b < VG_ARRAY_COUNT(times); b++) {
            struct vg_key first = key_of_time(times[a]);
            struct vg_key second = key_of_time(times[b]);
            assert_no_nul(&first);
            assert_int_equal(order(&first, &second), (a > b) - (a < b));
        }
    }
}

static void test_key_codec__numbers_keep_their_order(void **state)
{
    (void)state;
    struct vg_random_seeded random;
    vg_random_seeded_init(&random, SEED);
    for (int round = 0; round < ROUNDS; round++) {
        /* All magnitudes, and often close neighbours. */
        uint64_t a = vg_random_u64(&random.random) >> vg_random_below(&random.random, 64);
        uint64_t b = vg_random_below(&random.random, 2) == 0
                         ? a + vg_random_below(&random.random, 5)
                         : vg_random_u64(&random.random) >> vg_random_below(&random.random, 64);
        struct vg_key first = key_of_number(a);
        struct vg_key second = key_of_number(b);
        assert_no_nul(&first);
        assert_int_equal(order(&first, &second), (a > b) - (a < b));
    }
    vg_random_seeded_dispose(&random);
}

static void test_key_codec__bytes_keep_their_order_whatever_follows(void **state)
{
    (void)state;
    struct vg_random_seeded random;
    vg_random_seeded_init(&random, SEED + 1);
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t parts[2][PART_MAX];
        size_t sizes[2];
        for (int part = 0; part < 2; part++) {
            sizes[part] = vg_random_below(&random.random, PART_MAX + 1);
            for (size_t index = 0; index < sizes[part]; index++) {
                parts[part][index] = (uint8_t)vg_random_below(&random.random, 5);
            }
        }
        struct vg_bytes a = vg_bytes(parts[0], sizes[0]);
        struct vg_bytes b = vg_bytes(parts[1], sizes[1]);
        struct vg_key first = key_of_bytes(a, vg_random_u64(&random.random));
        struct vg_key second = key_of_bytes(b, vg_random_u64(&random.random));
        assert_no_nul(&first);
        int expected = vg_bytes_compare(a, b);
        if (expected != 0) {
            assert_int_equal(order(&first, &second), (expected > 0) - (expected < 0));
        }
    }
    vg_random_seeded_dispose(&random);
}

static void test_key_codec__what_was_written_is_read(void **state)
{
    (void)state;
    static const uint8_t part[] = { 0, 1, 2, 3, 0xff, 0 };
    struct vg_key key;
    vg_key_codec_begin(&key, FIRST);
    vg_key_codec_put_time(&key, -5);
    vg_key_codec_put_number(&key, 0x0100020001);
    vg_key_codec_put_bytes(&key, vg_bytes(part, sizeof(part)));
    vg_key_codec_put_bytes(&key, vg_bytes(NULL, 0));
    vg_key_codec_put_number(&key, 0);

    struct vg_key_cursor cursor;
    uint8_t out[sizeof(part)];
    vg_key_cursor_init(&cursor, vg_key_bytes(&key), FIRST);
    assert_true(vg_key_cursor_get_time(&cursor) == -5);
    assert_true(vg_key_cursor_get_number(&cursor) == 0x0100020001);
    assert_false(vg_key_cursor_finished(&cursor));
    assert_int_equal(vg_key_cursor_get_bytes(&cursor, out, sizeof(out)), sizeof(part));
    assert_memory_equal(out, part, sizeof(part));
    assert_int_equal(vg_key_cursor_get_bytes(&cursor, out, sizeof(out)), 0);
    assert_true(vg_key_cursor_get_number(&cursor) == 0);
    assert_true(vg_key_cursor_finished(&cursor));
}

static void test_key_codec__a_key_has_one_spelling(void **state)
{
    (void)state;
    enum { NUMBER, TIME, BYTES };
    static const struct {
        const char *name;
        const char *key;
        size_t size;
        int part;
    } rows[] = {
        { "an empty key", "", 0, NUMBER },
        { "another family", "y\x10", 2, NUMBER },
        { "a number without its length", "x", 1, NUMBER },
        { "a length below", "x\x0f", 2, NUMBER },
        { "a length above", "x\x19\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, NUMBER },
        { "a number cut off", "x\x12\x03", 3, NUMBER },
        { "a leading zero", "x\x12\x02\x03\x07", 5, NUMBER },
        { "a time cut off", "x\x80\x03\x03\x03\x03\x03\x03", 8, TIME },
        { "bytes without an end", "xabc", 4, BYTES },
        { "an escape at the end", "xab\x02", 4, BYTES },
        { "an unknown escape", "xa\x02\x06\x01", 5, BYTES },
        { "an escape with the end byte", "xa\x02\x01", 4, BYTES },
        { "a NUL", "xa\0b\x01", 5, BYTES },
        { "more than there is room for", "xabcdefghi\x01", 11, BYTES },
        { "something left over", "xa\x01q", 4, BYTES },
    };
    for (size_t index = 0; index < VG_ARRAY_COUNT(rows); index++) {
        struct vg_key_cursor cursor;
        uint8_t out[8];
        vg_key_cursor_init(&cursor, vg_bytes(rows[index].key, rows[index].size), FIRST);
        if (rows[index].part == NUMBER) {
            (void)vg_key_cursor_get_number(&cursor);
        } else if (rows[index].part == TIME) {
            (void)vg_key_cursor_get_time(&cursor);
        } else {
            (void)vg_key_cursor_get_bytes(&cursor, out, sizeof(out));
        }
        if (vg_key_cursor_finished(&cursor)) {
            fail_msg("accepted: %s", rows[index].name);
        }
    }
}

static void test_key_codec__the_longest_key_and_one_byte_more(void **state)
{
    (void)state;
    static const uint8_t part[VG_KEY_BYTES_MAX] = { [0 ... VG_KEY_BYTES_MAX - 1] = 'a' };
    struct vg_key key;
    vg_key_codec_begin(&key, FIRST);
    vg_key_codec_put_bytes(&key, vg_bytes(part, VG_KEY_BYTES_MAX - 2)); /* family and end */
    assert_false(key.failed);
    assert_int_equal(key.size, VG_KEY_BYTES_MAX);
    vg_key_codec_begin(&key, FIRST);
    vg_key_codec_put_bytes(&key, vg_bytes(part, VG_KEY_BYTES_MAX - 1));
    assert_true(key.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_codec__encodes_as_documented),
        cmocka_unit_test(test_key_codec__earlier_times_sort_first),
        cmocka_unit_test(test_key_codec__numbers_keep_their_order),
        cmocka_unit_test(test_key_codec__bytes_keep_their_order_whatever_follows),
        cmocka_unit_test(test_key_codec__what_was_written_is_read),
        cmocka_unit_test(test_key_codec__a_key_has_one_spelling),
        cmocka_unit_test(test_key_codec__the_longest_key_and_one_byte_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
