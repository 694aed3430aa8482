/* The page /docs: which files it takes, and what it says without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/web/ui.h"

static void write_file(const char *folder, const char *name, size_t size)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), (off_t)size), 0);
    assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *folder, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    (void)unlink(path);
}

/* Size of what is served at `path` from that directory; -1 = nothing is. */
static long served(const char *directory, const char *path)
{
    struct vg_ui ui;
    vg_ui_init(&ui, directory, true);
    const struct vg_web_page *page = vg_ui_find(&ui, vg_bytes_text(path));
    long size = page == NULL ? -1 : (long)page->content.size;
    vg_ui_dispose(&ui);
    return size;
}

static void test_ui__both_files_or_none(void **state)
{
    (void)state;
    static const char script[] = "/docs/swagger-ui-bundle.js";
    static const char style[] = "/docs/swagger-ui.css";
    char folder[] = "/tmp/vigil-ui-XXXXXX";
    assert_non_null(mkdtemp(folder));
    long without = served("", "/docs");
    assert_int_equal(served(folder, "/docs"), without);
    assert_int_equal(served(folder, script), -1);
    write_file(folder, "swagger-ui-bundle.js", VG_UI_FILE_BYTES_MAX);
    assert_int_equal(served(folder, script), -1);
    write_file(folder, "swagger-ui.css", 1);
    assert_int_equal(served(folder, script), VG_UI_FILE_BYTES_MAX);
    assert_int_equal(served(folder, style), 1);
    assert_int_not_equal(served(folder, "/docs"), without);
    assert_int_equal(served(folder, "/docs/"), served(folder, "/docs"));
    assert_int_equal(served(folder, "/docs/admin.key"), -1);
    write_file(folder, "swagger-ui-bundle.js", VG_UI_FILE_BYTES_MAX + 1);
    assert_int_equal(served(folder, style), -1);
    write_file(folder, "swagger-ui-bundle.js", 0);
    assert_int_equal(served(folder, style), -1);
    remove_file(folder, "swagger-ui-bundle.js");
    remove_file(folder, "swagger-ui.css");
    assert_int_equal(rmdir(folder), 0);
}

/* A release that is installed over this one empties the files before it fills them. */
static void test_ui__files_may_change_while_they_are_served(void **state)
{
    (void)state;
    static const uint8_t zeros[64 * 1024];
    char folder[] = "/tmp/vigil-ui-XXXXXX";
    struct vg_ui ui;
    assert_non_null(mkdtemp(folder));
    write_file(folder, "swagger-ui-bundle.js", sizeof(zeros));
    write_file(folder, "swagger-ui.css", sizeof(zeros));
    vg_ui_init(&ui, folder, false);
    write_file(folder, "swagger-ui-bundle.js", 0);
    write_file(folder, "swagger-ui.css", 0);
    const struct vg_web_page *page = vg_ui_find(&ui, vg_bytes_text("/docs/swagger-ui.css"));
    assert_non_null(page);
    assert_int_equal(page->content.size, sizeof(zeros));
    assert_memory_equal(page->content.data, zeros, sizeof(zeros));
    vg_ui_dispose(&ui);
    remove_file(folder, "swagger-ui-bundle.js");
    remove_file(folder, "swagger-ui.css");
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ui__both_files_or_none),
        cmocka_unit_test(test_ui__files_may_change_while_they_are_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
