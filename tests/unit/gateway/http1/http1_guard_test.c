/* The guard of heads: what it refuses, wherever the bytes are cut, and where a head ends for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "gateway/http1/http1_guard.h"

#define LINE "GET / HTTP/1.1\r\n"

/* What is said of `text`, cut into pieces of `piece` bytes. */
static const char *take(struct vg_http1_guard *guard, const char *text, size_t piece)
{
    const char *words = NULL;
    for (size_t at = 0, size = strlen(text); words == NULL && at < size; at += piece) {
        words =
            vg_http1_guard_take(guard, vg_bytes(text + at, size - at < piece ? size - at : piece));
    }
    return words;
}

static void test_http1_guard__heads_that_are_right_end_where_they_end(void **state)
{
    (void)state;
    static const char *const heads[] = {
        LINE "\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "\r\n\r\n" LINE "A: b\r\nC:\r\nD: e f\tg\r\n\r\n",
        "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n" LINE "\r\n",
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(heads); i++) {
        for (size_t piece = 1; piece <= strlen(heads[i]); piece++) {
            struct vg_http1_guard guard;
            vg_http1_guard_init(&guard);
            assert_null(take(&guard, heads[i], piece));
            assert_int_equal(guard.stage, VG_HTTP1_GUARD_DONE);
            assert_int_equal(guard.bytes, strlen(heads[i]));
            assert_null(take(&guard, "\n\n \0\r:", piece)); /* a body */
            assert_int_equal(guard.bytes, strlen(heads[i]));
        }
    }
}

static void test_http1_guard__heads_that_are_wrong_are_refused_however_they_are_cut(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "\n" LINE,
        "\rG",
        "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n",
        " / HTTP/1.1\r\n",
        "GET  HTTP/1.1\r\n",
        "GET /\r\n",
        "GET\n",
        "GET / HTTP/1.2\r\n",
        "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\rA",
        "GET / HTTP/1.1 \r\n",
        "GET / http/1.1\r\n",
        LINE "\n",
        LINE "\rA",
        LINE " A: b\r\n",
        LINE "A: b\r\n\tc\r\n",
        LINE ": b\r\n",
        LINE "A: b\n",
        LINE "A: b\rC: d\r\n",
        LINE "A: b\r\r\n",
        LINE "A:\n",
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(heads); i++) {
        for (size_t piece = 1; piece <= strlen(heads[i]); piece++) {
            struct vg_http1_guard guard;
            vg_http1_guard_init(&guard);
            assert_non_null(take(&guard, heads[i], piece));
        }
    }
}

static void test_http1_guard__trailers_are_fields(void **state)
{
    (void)state;
    struct vg_http1_guard guard;
    vg_http1_guard_begin_trailers(&guard);
    assert_null(take(&guard, "A: b\r\n\r\n", 3));
    assert_int_equal(guard.stage, VG_HTTP1_GUARD_DONE);
    vg_http1_guard_begin_trailers(&guard);
    assert_null(take(&guard, "\r\n", 1));
    assert_int_equal(guard.stage, VG_HTTP1_GUARD_DONE);
    vg_http1_guard_begin_trailers(&guard);
    assert_non_null(take(&guard, "\n", 1));
    vg_http1_guard_begin_trailers(&guard);
    assert_non_null(take(&guard, "A: b\n", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http1_guard__heads_that_are_right_end_where_they_end),
        cmocka_unit_test(test_http1_guard__heads_that_are_wrong_are_refused_however_they_are_cut),
        cmocka_unit_test(test_http1_guard__trailers_are_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
