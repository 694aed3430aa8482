/* What is served as it is: where it is found, and when it is compressed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/web/web_page.h"

static char text[4096];

static void test_web_page__is_compressed_when_that_saves_something(void **state)
{
    (void)state;
    static const struct {
        struct vg_bytes content;
        bool gzip;
        bool packed;
    } rows[] = {
        { { (const uint8_t *)text, sizeof(text) }, true, true },
        { { (const uint8_t *)text, sizeof(text) }, false, false },
        { { (const uint8_t *)"x", 1 }, true, false },
        { { (const uint8_t *)"", 0 }, true, false },
    };
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_web_page page;
        vg_web_page_init(&page, "/a", "text/plain", rows[i].content, rows[i].gzip);
        assert_ptr_equal(page.content.data, rows[i].content.data);
        assert_int_equal(page.packed.size > 0, rows[i].packed);
        assert_true(page.packed.size < page.content.size || page.content.size == 0);
        vg_web_page_dispose(&page);
    }
}

static void test_web_page__is_found_by_its_path(void **state)
{
    (void)state;
    char longest[VG_WEB_PAGE_PATH_SIZE + 1];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = 0;
    struct vg_web_page pages[4];
    vg_web_page_init(&pages[0], "/none", "text/plain", vg_bytes(NULL, 0), true);
    vg_web_page_init(&pages[1], "/a", "text/plain", vg_bytes_text("a"), true);
    vg_web_page_init(&pages[2], longest, "text/plain", vg_bytes_text("too long"), true);
    vg_web_page_init(&pages[3], longest + 1, "text/plain", vg_bytes_text("the longest"), true);
    assert_ptr_equal(vg_web_page_find(pages, 4, vg_bytes_text("/a")), &pages[1]);
    assert_ptr_equal(vg_web_page_find(pages, 4, vg_bytes_text(longest + 1)), &pages[3]);
    assert_null(vg_web_page_find(pages, 4, vg_bytes_text("/none")));
    assert_null(vg_web_page_find(pages, 4, vg_bytes_text("/b")));
    assert_null(vg_web_page_find(pages, 4, vg_bytes_text(longest)));
    assert_null(vg_web_page_find(pages, 4, vg_bytes_text("")));
    for (size_t i = 0; i < 4; i++) {
        vg_web_page_dispose(&pages[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_web_page__is_compressed_when_that_saves_something),
        cmocka_unit_test(test_web_page__is_found_by_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
