/* The log: what a line looks like, what is left out, and that threads do not tear lines. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/settings.h"

/* A log into a file that is read back. */
struct fixture {
    FILE *file;
    struct vg_clock_manual clock;
    char *text;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->file = tmpfile();
    if (fixture->file == NULL) {
        return -1;
    }
    vg_clock_manual_init(&fixture->clock, INT64_C(1570288030123));
    struct vg_log_options options = { .level = VG_LOG_INFO,
                                      .lines_per_second = 5,
                                      .file = fileno(fixture->file),
                                      .clock = &fixture->clock.clock };
    vg_log_configure(&options);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    struct vg_log_options options = vg_log_options_default();
    vg_log_configure(&options);
    (void)fclose(fixture->file);
    free(fixture->text);
    free(fixture);
    return 0;
}

/* What has been logged so far; belongs to the fixture. */
static const char *logged(struct fixture *fixture)
{
    off_t size = lseek(fileno(fixture->file), 0, SEEK_END);
    free(fixture->text);
    fixture->text = malloc((size_t)size + 1);
    assert_non_null(fixture->text);
    assert_int_equal(pread(fileno(fixture->file), fixture->text, (size_t)size, 0), size);
    fixture->text[size] = '\0';
    return fixture->text;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '\n';
    }
    return count;
}

static void test_log__a_line_is_one_json_object(void **state)
{
    struct fixture *fixture = *state;
    struct vg_log_line line;
    assert_true(vg_log_begin(&line, VG_LOG_WARN, "access"));
    vg_log_text(&line, "method", "GetEvent");
    vg_log_text(&line, "nothing", NULL);
    vg_log_int(&line, "status", -200);
    vg_log_bool(&line, "cut_off", false);
    vg_log_double(&line, "seconds", 0.25);
    vg_log_bytes(&line, "path", vg_bytes_text("/a\"b\\c\n\x7F\xC3\xA9\xFF."));
    vg_log_end(&line);
    assert_string_equal(
        logged(fixture),
        "{\"time\":\"2019-10-05T15:07:10.123Z\",\"level\":\"warn\",\"event\":\"access\","
        "\"method\":\"GetEvent\",\"nothing\":null,\"status\":-200,\"cut_off\":false,"
        "\"seconds\":0.25,\"path\":\"/a\\\"b\\\\c\\u000a\\u007f\xC3\xA9\xEF\xBF\xBD.\"}\n");
}

static void test_log__levels_below_write_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct vg_log_line line;
    assert_false(vg_log_wanted(VG_LOG_DEBUG));
    assert_true(vg_log_wanted(VG_LOG_INFO));
    assert_false(vg_log_wanted(VG_LOG_OFF));
    assert_false(vg_log_begin(&line, VG_LOG_DEBUG, "detail"));
    vg_log_message(VG_LOG_DEBUG, "detail", "%d", 1);
    assert_string_equal(logged(fixture), "");
    vg_log_message(VG_LOG_ERROR, "start", "port %d", 8080);
    assert_non_null(strstr(logged(fixture), "\"event\":\"start\",\"message\":\"port 8080\"}\n"));
}

static void test_log__levels_are_the_words_of_the_setting(void **state)
{
    (void)state;
    static const char *const words[] = { "debug", "info", "warn", "error", "off" };
    for (uint32_t i = 0; i < VG_ARRAY_COUNT(words); i++) {
        struct vg_settings settings;
        vg_settings_init(&settings);
        assert_int_equal(vg_settings_set_value(&settings, "log_level", words[i], NULL), VG_OK);
        assert_int_equal(settings.log_level, i);
    }
    assert_int_equal(VG_LOG_OFF, VG_ARRAY_COUNT(words) - 1);
}

static void test_log__errors_name_reason_and_place(void **state)
{
    struct fixture *fixture = *state;
    struct vg_error error;
    vg_error_init(&error, NULL);
    (void)vg_error_set(&error, VG_STORE_IO, "no luck");
    (void)vg_error_detail(&error, "errno %d", 5);
    vg_log_error(VG_LOG_ERROR, "store", &error);
    const char *text = logged(fixture);
    assert_non_null(strstr(text, "\"reason\":\"STORE_IO\",\"message\":\"no luck\""));
    assert_non_null(strstr(text, "\"detail\":\"errno 5\""));
    assert_non_null(strstr(text, "log_test.c\",\"line\":"));
}

static void test_log__a_flood_is_cut_and_counted(void **state)
{
    struct fixture *fixture = *state;
    int64_t before = vg_metrics_value(VG_METRIC_log_lines_dropped_total);
    for (int i = 0; i < 105; i++) {
        vg_log_message(VG_LOG_INFO, "flood", "x");
    }
    assert_int_equal(count_lines(logged(fixture)), 5);
    assert_int_equal(vg_metrics_value(VG_METRIC_log_lines_dropped_total) - before, 100);
    vg_log_message(VG_LOG_ERROR, "bad", "still heard"); /* a class of its own */
    assert_non_null(strstr(logged(fixture), "still heard"));
    vg_clock_manual_set(&fixture->clock, INT64_C(1570288031123));
    vg_log_message(VG_LOG_INFO, "flood", "again");
    const char *text = logged(fixture);
    assert_non_null(strstr(text, "\"event\":\"log_lines_dropped\",\"count\":"));
    assert_non_null(strstr(text, "again"));
    /* Counted by whoever begins the next second of its class: at most 100 in all. */
    assert_int_equal(count_lines(text), 8);
}

static void test_log__what_does_not_fit_is_left_out_whole(void **state)
{
    struct fixture *fixture = *state;
    char large[5000];
    memset(large, '"', sizeof(large)); /* each takes two bytes escaped */
    struct vg_log_line line;
    assert_true(vg_log_begin(&line, VG_LOG_INFO, "large"));
    for (int i = 0; i < 5; i++) {
        vg_log_bytes(&line, "value", vg_bytes(large, sizeof(large)));
    }
    vg_log_int(&line, "last", 7);
    vg_log_end(&line);
    const char *text = logged(fixture);
    size_t size = strlen(text);
    assert_true(size <= VG_LOG_LINE_SIZE);
    assert_int_equal(count_lines(text), 1);
    assert_non_null(strstr(text, "\"last\":7,\"cut\":true}\n"));
    size_t quotes = 0; /* not escaped: an even number when every text is closed */
    for (size_t i = 0; i < size; i++) {
        quotes += text[i] == '"' && text[i - 1] != '\\';
    }
    assert_int_equal(quotes % 2, 0);
}

static void *log_many(void *owner)
{
    for (int i = 0; i < 500; i++) {
        vg_log_message(VG_LOG_INFO, "thread", "%s", (const char *)owner);
    }
    return NULL;
}

static void test_log__threads_do_not_tear_lines(void **state)
{
    struct fixture *fixture = *state;
    struct vg_log_options options = { .level = VG_LOG_INFO,
                                      .lines_per_second = 100000,
                                      .file = fileno(fixture->file),
                                      .clock = &fixture->clock.clock };
    vg_log_configure(&options);
    static char texts[4][200];
    pthread_t threads[4];
    for (size_t i = 0; i < VG_ARRAY_COUNT(threads); i++) {
        memset(texts[i], (int)('a' + i), sizeof(texts[i]) - 1);
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, texts[i]), 0);
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    size_t count = 0;
    char *rest = NULL;
    (void)logged(fixture);
    for (char *line = strtok_r(fixture->text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *message = strstr(line, "\"message\":\"");
        assert_non_null(message);
        message += strlen("\"message\":\"");
        assert_int_equal(strspn(message, (char[]){ message[0], '\0' }), sizeof(texts[0]) - 1);
        count++;
    }
    assert_int_equal(count, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_log__a_line_is_one_json_object, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_log__levels_below_write_nothing, set_up, tear_down),
        cmocka_unit_test(test_log__levels_are_the_words_of_the_setting),
        cmocka_unit_test_setup_teardown(test_log__errors_name_reason_and_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_log__a_flood_is_cut_and_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_log__what_does_not_fit_is_left_out_whole,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_log__threads_do_not_tear_lines, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
