/* Resume tokens: they read as they were printed and as nothing else, and a position covers exactly
 * what stands before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/events/watch_position.h"

#define ID "AGGR/1570715141521/1/1679fbfc-1792-4992-8428-3cb4df642fa8"

static bool parses(const char *text, struct vg_watch_position *out_position)
{
    return vg_watch_position_parse(vg_bytes_text(text), out_position);
}

static void test_tokens_read_as_they_were_printed(void **state)
{
    (void)state;
    static const char *const tokens[] = {
        "00000000/0/0/0/0",
        "c6e29f98/0/46/1795350148660/45",
        "c6e29f98/0/46/1795350148660/45/" ID,
        "ffffffff/0/18446744073709551615/253402300799999/18446744073709551615/"
        "RAW/253402300799999/9223372036854775807/ffffffff-ffff-ffff-ffff-ffffffffffff",
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(tokens); i++) {
        struct vg_watch_position position;
        char text[VG_WATCH_TOKEN_SIZE];
        assert_true(parses(tokens[i], &position));
        assert_int_equal(vg_watch_position_print(&position, text), strlen(tokens[i]));
        assert_string_equal(text, tokens[i]);
    }
}

static void test_nothing_else_is_a_token(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "c6e29f98",
        "c6e29f98/0/46/1795350148660",
        "c6e29f98/0/46/1795350148660/45/",
        "c6e29f98/0/46/1795350148660/45/" ID "/",
        "c6e29f98/0/46/1795350148660/45/NIDS/1570715141521/1/1679fbfc-1792-4992-8428-3cb4df642fa8",
        "c6e29f98/0/46/1795350148660/45/AGGR/1570715141521/1/abc",
        "c6e29f98/1/46/1795350148660/45",
        "C6E29F98/0/46/1795350148660/45",
        "c6e29f9/0/46/1795350148660/45",
        "c6e29f981/0/46/1795350148660/45",
        "c6e29f98/0/046/1795350148660/45",
        "c6e29f98/0/46/-1/45",
        "c6e29f98/0/-46/1/45",
        "c6e29f98/0/46/253402300800000/45",
        "c6e29f98/0/18446744073709551616/1/45",
        " c6e29f98/0/46/1795350148660/45",
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(wrong); i++) {
        struct vg_watch_position position = { .revision = 7 };
        assert_false(parses(wrong[i], &position));
        assert_int_equal(position.revision, 7);
    }
}

static struct vg_watch_place place(uint64_t revision, vg_time updated, const char *id)
{
    struct vg_watch_place made = { .revision = revision, .updated = updated };
    assert_int_equal(vg_event_id_parse(vg_bytes_text(id), &made.id), VG_EVENT_ID_FORM_OK);
    return made;
}

/* Places in their order; a position at each covers those up to it. */
static void test_a_position_covers_what_stands_before_it(void **state)
{
    (void)state;
    const struct vg_watch_place places[] = {
        place(4, 100, ID),
        place(5, 100, "AGGR/7/1/1679fbfc-1792-4992-8428-3cb4df642fa8"),
        place(5, 100, "AGGR/9/1/1679fbfc-1792-4992-8428-3cb4df642fa8"),
        place(5, 100, "AGGR/9/2/1679fbfc-1792-4992-8428-3cb4df642fa8"),
        place(5, 101, "AGGR/1/1/1679fbfc-1792-4992-8428-3cb4df642fa8"),
        place(6, 101, "AGGR/1/1/1679fbfc-1792-4992-8428-3cb4df642fa8"),
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(places); i++) {
        const struct vg_watch_position within = {
            .revision = places[i].revision,
            .updated = places[i].updated,
            .id = places[i].id,
            .is_within = true,
        };
        const struct vg_watch_position whole = {
            .revision = places[i].revision,
            .updated = places[i].updated,
        };
        for (size_t k = 0; k < VG_ARRAY_COUNT(places); k++) {
            assert_int_equal(vg_watch_position_covers(&within, &places[k]), k <= i);
            assert_int_equal(
                vg_watch_position_covers(&whole, &places[k]),
                places[k].revision <= places[i].revision);
        }
    }
}

static void test_the_tag_of_a_store(void **state)
{
    (void)state;
    const uint8_t id[16] = { 0xc6, 0xe2, 0x9f, 0x98, 1 };
    assert_int_equal(vg_watch_position_store(id), 0xc6e29f98);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens_read_as_they_were_printed),
        cmocka_unit_test(test_nothing_else_is_a_token),
        cmocka_unit_test(test_a_position_covers_what_stands_before_it),
        cmocka_unit_test(test_the_tag_of_a_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
