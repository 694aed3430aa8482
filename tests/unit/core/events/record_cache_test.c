/* Records by row: what was added comes back whole, the oldest goes first, what is read stays. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/events/record_cache.h"

#define BUFFER_MAX (1024u * 1024u)

/* Content that tells row and size, so that a mix-up shows. */
static struct vg_bytes make_record(
    uint8_t *memory,
    const struct vg_record_place *place,
    size_t size)
{
    for (size_t i = 0; i < size; i++) {
        memory[i] = (uint8_t)(place->serial * 31 + place->position * 7 + size + i);
    }
    return vg_bytes(memory, size);
}

static size_t size_of(const struct vg_record_place *place)
{
    return (place->position * 37 + place->serial * 11) % 1500;
}

static void add(struct vg_record_cache *cache, uint64_t serial, uint32_t position)
{
    uint8_t memory[1500];
    const struct vg_record_place place = { serial, position };
    vg_record_cache_add(cache, &place, make_record(memory, &place, size_of(&place)));
}

/* Is it there, and if so, right? Content of `out` before it stays. */
static bool has(
    struct vg_record_cache *cache,
    struct vg_buffer *out,
    uint64_t serial,
    uint32_t position)
{
    uint8_t memory[1500];
    const struct vg_record_place place = { serial, position };
    struct vg_bytes expected = make_record(memory, &place, size_of(&place));
    vg_buffer_clear(out);
    vg_buffer_append_text(out, "before");
    bool found = vg_record_cache_read(cache, &place, out);
    assert_int_equal(out->size, found ? 6 + expected.size : 6);
    assert_memory_equal(out->data, "before", 6);
    if (found) {
        assert_memory_equal(out->data + 6, expected.data, expected.size);
    }
    return found;
}

static void test_record_cache__none(void **state)
{
    (void)state;
    assert_null(vg_record_cache_create(0));
    vg_record_cache_destroy(NULL);
}

static void test_record_cache__gives_back_what_was_added(void **state)
{
    (void)state;
    struct vg_record_cache *cache = vg_record_cache_create(1);
    struct vg_buffer out;
    vg_buffer_init(&out, BUFFER_MAX);
    assert_false(has(cache, &out, 1, 0));
    for (uint64_t serial = 1; serial <= 4; serial++) {
        for (uint32_t position = 0; position < 200; position++) {
            add(cache, serial, position);
            add(cache, serial, position); /* twice is once */
        }
    }
    for (uint64_t serial = 1; serial <= 4; serial++) {
        for (uint32_t position = 0; position < 200; position++) {
            assert_true(has(cache, &out, serial, position));
        }
        assert_false(has(cache, &out, serial, 200));
    }
    assert_false(has(cache, &out, 5, 0));
    vg_buffer_dispose(&out);
    vg_record_cache_destroy(cache);
}

/* Several times what fits: the newest are there, the oldest are not, and one that is read now and
 * then stays for ever. */
static void test_record_cache__forgets_what_nobody_reads(void **state)
{
    (void)state;
    struct vg_record_cache *cache = vg_record_cache_create(VG_RECORD_CACHE_LEAST);
    struct vg_buffer out;
    vg_buffer_init(&out, BUFFER_MAX);
    const uint32_t count = 5 * VG_RECORD_CACHE_LEAST / 750;
    for (uint32_t position = 0; position < count; position++) {
        add(cache, 9, position);
        if (position % 100 == 0) {
            assert_true(has(cache, &out, 9, 0));
        }
    }
    uint32_t kept = 0;
    for (uint32_t position = 1; position < count; position++) {
        kept += has(cache, &out, 9, position);
    }
    assert_true(kept > count / 8 && kept < count / 3);
    uint32_t old = 0;
    for (uint32_t position = 1; position < count / 2; position++) {
        old += has(cache, &out, 9, position);
    }
    assert_int_equal(old, 0);
    vg_buffer_dispose(&out);
    vg_record_cache_destroy(cache);
}

static void test_record_cache__largest_record(void **state)
{
    (void)state;
    struct vg_record_cache *cache = vg_record_cache_create(VG_RECORD_CACHE_LEAST);
    struct vg_buffer out;
    uint8_t *memory = calloc(1, VG_RECORD_CACHE_RECORD_MAX + 1);
    const struct vg_record_place fits = { 1, 1 };
    const struct vg_record_place is_larger = { 1, 2 };
    for (int round = 0; round < 100; round++) {
        vg_record_cache_add(cache, &fits, vg_bytes(memory, VG_RECORD_CACHE_RECORD_MAX));
        vg_record_cache_add(cache, &is_larger, vg_bytes(memory, VG_RECORD_CACHE_RECORD_MAX + 1));
    }
    vg_buffer_init(&out, VG_RECORD_CACHE_RECORD_MAX);
    assert_true(vg_record_cache_read(cache, &fits, &out));
    assert_int_equal(out.size, VG_RECORD_CACHE_RECORD_MAX);
    assert_false(vg_record_cache_read(cache, &is_larger, &out));
    /* Without room nothing is appended. */
    assert_false(vg_record_cache_read(cache, &fits, &out));
    assert_int_equal(out.size, VG_RECORD_CACHE_RECORD_MAX);
    vg_buffer_dispose(&out);
    free(memory);
    vg_record_cache_destroy(cache);
}

static void *use(void *owner)
{
    struct vg_record_cache *cache = owner;
    struct vg_buffer out;
    vg_buffer_init(&out, BUFFER_MAX);
    for (uint32_t i = 0; i < 40000; i++) {
        uint32_t position = i * 7919 % 9000;
        if (!has(cache, &out, 3, position)) {
            add(cache, 3, position);
        }
    }
    vg_buffer_dispose(&out);
    return NULL;
}

static void test_record_cache__several_threads(void **state)
{
    (void)state;
    struct vg_record_cache *cache = vg_record_cache_create(VG_RECORD_CACHE_LEAST);
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, use, cache), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    vg_record_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_cache__none),
        cmocka_unit_test(test_record_cache__gives_back_what_was_added),
        cmocka_unit_test(test_record_cache__forgets_what_nobody_reads),
        cmocka_unit_test(test_record_cache__largest_record),
        cmocka_unit_test(test_record_cache__several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
