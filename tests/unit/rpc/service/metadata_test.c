#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/limits.h"
#include "rpc/service/metadata.h"

static void test_metadata__decodes_binary_values(void **state)
{
    (void)state;
    const struct {
        const char *text;
        const char *values[3]; /* NULL = end; "!" = refused */
    } rows[] = {
        { "YWI=", { "ab" } },
        { "YWI", { "ab" } },
        { "YWI=,YQ", { "ab", "a" } },
        { "YWI , YQ==", { "ab", "a" } },
        { ",", { "" } },
        { "a", { "!" } },
        { "YWI,***", { "ab", "!" } },
        { "YW==I", { "!" } },
    };
    assert_true(vg_metadata_is_binary(vg_bytes_text("trace-bin")));
    assert_false(vg_metadata_is_binary(vg_bytes_text("-bin")));
    assert_false(vg_metadata_is_binary(vg_bytes_text("trace-bin-x")));
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_arena arena;
        vg_arena_init(&arena, 10000);
        struct vg_bytes rest = vg_bytes_text(rows[i].text);
        size_t count = 0;
        while (rest.size > 0) {
            struct vg_bytes value;
            const char *wanted = rows[i].values[count++];
            assert_non_null(wanted);
            enum vg_reason reason = vg_metadata_next_binary(&rest, &arena, &value, NULL);
            if (wanted[0] == '!') {
                assert_int_equal(reason, VG_BAD_HTTP);
                break;
            }
            assert_int_equal(reason, VG_OK);
            assert_true(vg_bytes_equal(value, vg_bytes_text(wanted)));
        }
        assert_null(rows[i].values[count]);
        vg_arena_dispose(&arena);
    }
}

static void put(struct vg_metadata *metadata, const char *name, const char *value)
{
    vg_metadata_put(metadata, vg_bytes_text(name), vg_bytes_text(value));
}

static void test_metadata__finds_values_in_their_order(void **state)
{
    (void)state;
    struct vg_arena arena;
    struct vg_metadata metadata = { .count = 0 };
    struct vg_bytes value;
    vg_arena_init(&arena, 10000);
    assert_true(vg_metadata_reserve(&metadata, 7, 44, &arena));
    put(&metadata, "a", "1");
    put(&metadata, "b-bin", "Yg,**,YmI=");
    put(&metadata, "a", "2");
    put(&metadata, "b-bin", "");
    put(&metadata, "a", "");
    put(&metadata, "b-bin", "!");
    put(&metadata, "b-bin", " YmJi ");
    const struct {
        const char *name;
        size_t index;
        const char *value; /* NULL = none */
    } rows[] = {
        { "a", 0, "1" },      { "a", 1, "2" },      { "a", 2, "" },       { "a", 3, NULL },
        { "b-bin", 0, "b" },  { "b-bin", 1, "bb" }, { "b-bin", 2, "" },   { "b-bin", 3, "bbb" },
        { "b-bin", 4, NULL }, { "c", 0, NULL },     { "a-bin", 0, NULL },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        bool found = vg_metadata_find(&metadata, rows[i].name, rows[i].index, &arena, &value);
        if (found != (rows[i].value != NULL) ||
            (found && !vg_bytes_equal(value, vg_bytes_text(rows[i].value)))) {
            fail_msg("%s %zu", rows[i].name, rows[i].index);
        }
    }
    vg_arena_dispose(&arena);
}

static void test_metadata__adds_what_an_answer_may_say(void **state)
{
    (void)state;
    const struct {
        const char *name;
        const char *value;
        const char *text; /* NULL = refused */
    } rows[] = {
        { "x-request-id", "4711", "4711" },
        { "x_a.b-9", "", "" },
        { "trace-bin", "\001\377", "Af8" },
        { "X-Upper", "a", NULL },
        { "", "a", NULL },
        { "a b", "a", NULL },
        { ":status", "200", NULL },
        { "grpc-status", "0", NULL },
        { "grpc-trace-bin", "x", NULL },
        { "vigil-count", "1", NULL },
        { "content-type", "text/html", NULL },
        { "set-cookie", "a=b", NULL },
        { "te", "trailers", NULL },
        { "x", "a\nb", NULL },
        { "x", "a\177", NULL },
        { "x", "\303\251", NULL },
        { "x", " a", NULL },
        { "x", "a ", NULL },
        { "x", "a b", "a b" },
    };
    struct vg_arena arena;
    vg_arena_init(&arena, 10000);
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_metadata metadata = { .count = 0 };
        bool added = vg_metadata_add(&metadata, rows[i].name, vg_bytes_text(rows[i].value), &arena);
        if (added != (rows[i].text != NULL) || metadata.count != added ||
            (added && !vg_bytes_equal(metadata.items[0].value, vg_bytes_text(rows[i].text)))) {
            fail_msg("%s: %s", rows[i].name, rows[i].value);
        }
    }
    vg_arena_dispose(&arena);
}

static void test_metadata__of_an_answer_is_bounded(void **state)
{
    (void)state;
    static uint8_t letters[VG_LIMIT_ANSWER_METADATA_BYTES + 1];
    struct vg_arena arena;
    struct vg_metadata many = { .count = 0 };
    struct vg_metadata large = { .count = 0 };
    struct vg_metadata none = { .count = 0 };
    vg_arena_init(&arena, 100000);
    memset(letters, 'a', sizeof(letters));
    for (size_t i = 0; i < VG_LIMIT_ANSWER_METADATA; i++) {
        assert_true(vg_metadata_add(&many, "x", vg_bytes_text("y"), &arena));
    }
    assert_false(vg_metadata_add(&many, "x", vg_bytes_text("y"), &arena));
    assert_int_equal(many.count, VG_LIMIT_ANSWER_METADATA);
    /* A name of one letter and a value: together at the limit, and one past it. */
    assert_false(
        vg_metadata_add(&large, "x", vg_bytes(letters, VG_LIMIT_ANSWER_METADATA_BYTES), &arena));
    assert_true(vg_metadata_add(
        &large,
        "x",
        vg_bytes(letters, VG_LIMIT_ANSWER_METADATA_BYTES - 1),
        &arena));
    assert_false(vg_metadata_add(&large, "x", vg_bytes(NULL, 0), &arena));
    assert_int_equal(large.count, 1);
    vg_arena_dispose(&arena);
    vg_arena_init(&arena, 0);
    assert_false(vg_metadata_add(&none, "x", vg_bytes_text("y"), &arena));
    assert_int_equal(none.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metadata__decodes_binary_values),
        cmocka_unit_test(test_metadata__finds_values_in_their_order),
        cmocka_unit_test(test_metadata__adds_what_an_answer_may_say),
        cmocka_unit_test(test_metadata__of_an_answer_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
