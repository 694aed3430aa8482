#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/table/id_map.h"
#include "tests/unit/core/table/table_fixture.h"

#define KEYS 3000u

static bool has(const struct vg_id_map *map, uint64_t hash, uint32_t position)
{
    uint64_t cursor = 0;
    struct vg_row_place place;
    while (vg_id_map_next(map, hash, &cursor, &place)) {
        if (place.position == position) {
            return true;
        }
    }
    return false;
}

/* Few distinct hashes, so that equal ones and long runs of taken slots are the rule. */
static uint64_t hash_of(uint32_t key)
{
    uint64_t state = key % 700;
    return fixture_random(&state) & 0xFFFF0000000003FF;
}

static void test_id_map__agrees_with_a_plain_array(void **state)
{
    (void)state;
    struct vg_id_map map;
    uint32_t where[KEYS] = { 0 }; /* position + 1; 0 = not there */
    uint64_t random = 11;
    assert_true(vg_id_map_init(&map));
    for (uint32_t step = 0; step < 60000; step++) {
        uint32_t key = fixture_below(&random, KEYS);
        uint64_t hash = hash_of(key);
        struct vg_row_place old = { .chunk = key, .position = where[key] };
        struct vg_row_place place = { .chunk = key, .position = step + 1 };
        if (where[key] == 0) {
            assert_true(vg_id_map_reserve(&map, 1));
            vg_id_map_add(&map, hash, place);
            where[key] = step + 1;
        } else if (fixture_below(&random, 2) == 0) {
            vg_id_map_move(&map, hash, old, place);
            where[key] = step + 1;
        } else {
            vg_id_map_remove(&map, hash, old);
            where[key] = 0;
        }
        uint32_t other = fixture_below(&random, KEYS);
        assert_int_equal(
            where[other] != 0,
            where[other] != 0 && has(&map, hash_of(other), where[other]));
    }
    uint64_t live = 0;
    for (uint32_t key = 0; key < KEYS; key++) {
        live += where[key] != 0;
        assert_true(where[key] == 0 || has(&map, hash_of(key), where[key]));
    }
    assert_int_equal(map.count, live);
    vg_id_map_dispose(&map);
}

static void test_id_map__keeps_places_at_the_ends_of_their_range(void **state)
{
    (void)state;
    static const struct vg_row_place places[] = { { 0, 0 },
                                                  { 0, 65535 },
                                                  { VG_ID_MAP_CHUNKS_MAX - 1, 0 },
                                                  { VG_ID_MAP_CHUNKS_MAX - 1, 65535 } };
    const uint32_t count = sizeof(places) / sizeof(places[0]);
    struct vg_id_map map;
    struct vg_row_place place;
    uint64_t cursor = 0;
    assert_true(vg_id_map_init(&map));
    assert_true(vg_id_map_reserve(&map, count));
    for (uint32_t i = 0; i < count; i++) {
        vg_id_map_add(&map, UINT64_MAX, places[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        assert_true(vg_id_map_next(&map, UINT64_MAX, &cursor, &place));
        assert_int_equal(place.chunk, places[i].chunk);
        assert_int_equal(place.position, places[i].position);
    }
    assert_false(vg_id_map_next(&map, UINT64_MAX, &cursor, &place));
    assert_false(vg_id_map_move_found(&map, 1, places[0], places[1]));
    const struct vg_row_place to = { 7, 8 };
    assert_true(vg_id_map_move_found(&map, UINT64_MAX, places[3], to));
    assert_false(vg_id_map_move_found(&map, UINT64_MAX, places[3], to));
    vg_id_map_remove(&map, UINT64_MAX, to);
    assert_int_equal(map.count, count - 1);
    vg_id_map_dispose(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_id_map__agrees_with_a_plain_array),
        cmocka_unit_test(test_id_map__keeps_places_at_the_ends_of_their_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
