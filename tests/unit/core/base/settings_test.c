/* Settings: defaults, every row at its bounds and one past them, and what is said about mistakes.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/settings.h"

static void test_settings__defaults_are_those_of_the_table(void **state)
{
    (void)state;
    struct vg_settings settings;
    vg_settings_init(&settings);
    assert_string_equal(settings.listen, "127.0.0.1:8080");
    assert_int_equal(settings.workers, 0);
    assert_int_equal(settings.deadline_default_ms, 25000);
    assert_int_equal(settings.deadline_max_ms, 600000);
    assert_int_equal(settings.flush_delay_us, 20);
    assert_int_equal(settings.request_bytes_max, 64 << 20);
    assert_int_equal(settings.header_bytes_max, 16 << 10);
    assert_false(settings.insecure);
    assert_int_equal(settings.access_log, VG_ACCESS_LOG_ALL);
    assert_string_equal(settings.multivalue_separator, ",");
}

static const struct {
    const char *assignment;
    const char *printed; /* NULL = refused */
} cases[] = {
    // clang-format off
    { "workers=4", "workers=4\n" },
    { "workers=64", "workers=64\n" },
    { "workers=65", NULL },
    { "workers=-1", NULL },
    { "workers=", NULL },
    { "workers=4x", NULL },
    { "workers= 4", NULL },
    { "workers=99999999999999999999999", NULL },
    { "workers", NULL },
    { "WORKERS=4", NULL },
    { "worker=4", NULL },
    { "=4", NULL },
    { "", NULL },
    { "write_buffer_bytes=1024MiB", "write_buffer_bytes=1GiB\n" },
    { "write_buffer_bytes=1048576", "write_buffer_bytes=1MiB\n" },
    { "write_buffer_bytes=1048577", "write_buffer_bytes=1048577\n" },
    { "write_buffer_bytes=1048575", NULL },
    { "write_buffer_bytes=4GiB", "write_buffer_bytes=4GiB\n" },
    { "write_buffer_bytes=4294967297", NULL },
    { "write_buffer_bytes=64MB", NULL },
    { "write_buffer_bytes=64mib", NULL },
    { "write_buffer_bytes=18446744073709551615GiB", NULL },
    { "block_cache_bytes=0", "block_cache_bytes=0\n" },
    { "idle_timeout_ms=100", "idle_timeout_ms=100ms\n" },
    { "idle_timeout_ms=99", NULL },
    { "idle_timeout_ms=90s", "idle_timeout_ms=90s\n" },
    { "idle_timeout_ms=120s", "idle_timeout_ms=2m\n" },
    { "idle_timeout_ms=24h", "idle_timeout_ms=24h\n" },
    { "idle_timeout_ms=86400001", NULL },
    { "idle_timeout_ms=1d", NULL },
    { "idle_timeout_ms=5us", NULL },
    { "drain_timeout_ms=0", "drain_timeout_ms=0ms\n" },
    { "flush_delay_us=1ms", "flush_delay_us=1ms\n" },
    { "flush_delay_us=0", "flush_delay_us=0us\n" },
    { "flush_delay_us=10001", NULL },
    { "insecure=true", "insecure=true\n" },
    { "insecure=on", "insecure=true\n" },
    { "insecure=0", "insecure=false\n" },
    { "insecure=maybe", NULL },
    { "insecure=", NULL },
    { "log_level=debug", "log_level=debug\n" },
    { "log_level=off", "log_level=off\n" },
    { "log_level=debug|info", NULL },
    { "log_level=inf", NULL },
    { "log_level=", NULL },
    { "access_log=errors", "access_log=errors\n" },
    { "admin_domain_name=a=b", "admin_domain_name=a=b\n" },
    { "admin_domain_name=", NULL },
    { "admin_domain_name=1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890", "admin_domain_name=1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890\n" },
    { "admin_domain_name=12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901", NULL },
    { "admin_domain_name=\xFF", NULL },
    // clang-format on
};

static void test_settings__values_are_taken_or_refused_and_print_as_they_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(cases); i++) {
        struct vg_settings settings;
        struct vg_settings before;
        struct vg_error error;
        struct vg_buffer out;
        vg_settings_init(&settings);
        vg_settings_init(&before);
        vg_error_init(&error, NULL);
        vg_buffer_init(&out, 1 << 16);
        enum vg_reason reason = vg_settings_set(&settings, cases[i].assignment, &error);
        if (reason != (cases[i].printed == NULL ? VG_CONFIG : VG_OK)) {
            fail_msg("%s", cases[i].assignment);
        }
        if (reason == VG_OK) {
            vg_settings_print(&settings, &out);
            vg_buffer_append_byte(&out, 0);
            if (strstr((const char *)out.data, cases[i].printed) == NULL) {
                fail_msg("%s", cases[i].assignment);
            }
        } else {
            assert_memory_equal(&settings, &before, sizeof(settings));
            assert_true(strlen(error.message) > 10);
        }
        vg_buffer_dispose(&out);
    }
}

static void test_settings__a_mistake_names_the_setting_and_what_is_allowed(void **state)
{
    (void)state;
    struct vg_settings settings;
    struct vg_error error;
    vg_settings_init(&settings);
    vg_error_init(&error, NULL);
    assert_int_equal(vg_settings_set(&settings, "workers=1000", &error), VG_CONFIG);
    assert_string_equal(error.message, "Setting workers is a number from 0 to 64");
    assert_string_equal(error.field, "workers");
    assert_string_equal(error.parameter, "1000");
    assert_int_equal(vg_settings_set_value(&settings, "log_level", "loud", &error), VG_CONFIG);
    assert_string_equal(error.message, "Setting log_level is one of debug|info|warn|error|off");
    assert_int_equal(vg_settings_set_value(&settings, "no_such", "1", &error), VG_CONFIG);
    assert_string_equal(error.message, "There is no setting named 'no_such'");
    assert_int_equal(vg_settings_set(&settings, "nothing", &error), VG_CONFIG);
    assert_string_equal(error.message, "A setting is given as NAME=VALUE, not 'nothing'");
}

static void test_settings__every_row_takes_its_bounds_and_nothing_beyond(void **state)
{
    (void)state;
    size_t count;
    const struct vg_setting_row *rows = vg_settings_rows(&count);
    assert_true(count > 40);
    for (size_t i = 0; i < count; i++) {
        struct vg_settings settings;
        vg_settings_init(&settings);
        if (rows[i].min[0] == '\0') {
            assert_true(
                rows[i].type == VG_SETTING_TYPE_BOOL || rows[i].type == VG_SETTING_TYPE_WORD);
            continue;
        }
        if (rows[i].type == VG_SETTING_TYPE_TEXT) {
            continue; /* by the cases above */
        }
        assert_int_equal(vg_settings_set_value(&settings, rows[i].name, rows[i].min, NULL), VG_OK);
        assert_int_equal(vg_settings_set_value(&settings, rows[i].name, rows[i].max, NULL), VG_OK);
        uint64_t largest =
            rows[i].type == VG_SETTING_TYPE_SIZE
                ? *(const size_t *)(const void *)((const char *)&settings + rows[i].offset)
                : *(const uint32_t *)(const void *)((const char *)&settings + rows[i].offset);
        char beyond[32];
        (void)snprintf(beyond, sizeof(beyond), "%" PRIu64, largest + 1);
        assert_int_equal(vg_settings_set_value(&settings, rows[i].name, beyond, NULL), VG_CONFIG);
    }
}

static void test_settings__what_is_printed_sets_the_same(void **state)
{
    (void)state;
    struct vg_settings settings;
    struct vg_settings again;
    struct vg_buffer out;
    vg_settings_init(&settings);
    vg_settings_init(&again);
    assert_int_equal(vg_settings_set(&settings, "ingest_batch_bytes=12345", NULL), VG_OK);
    assert_int_equal(vg_settings_set(&settings, "compression=yes", NULL), VG_OK);
    assert_int_equal(vg_settings_set(&settings, "access_log=off", NULL), VG_OK);
    vg_buffer_init(&out, 1 << 16);
    vg_settings_print(&settings, &out);
    vg_buffer_append_byte(&out, 0);
    char *rest = NULL;
    for (char *line = strtok_r((char *)out.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        assert_int_equal(vg_settings_set(&again, line, NULL), VG_OK);
    }
    assert_memory_equal(&settings, &again, sizeof(settings));
    vg_buffer_dispose(&out);
}

static void test_settings__help_names_every_row(void **state)
{
    (void)state;
    struct vg_buffer out;
    vg_buffer_init(&out, 1 << 16);
    vg_settings_help(&out);
    vg_buffer_append_byte(&out, 0);
    size_t count;
    const struct vg_setting_row *rows = vg_settings_rows(&count);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(strstr((const char *)out.data, rows[i].name));
        assert_non_null(strstr((const char *)out.data, rows[i].text));
    }
    vg_buffer_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings__defaults_are_those_of_the_table),
        cmocka_unit_test(test_settings__values_are_taken_or_refused_and_print_as_they_read),
        cmocka_unit_test(test_settings__a_mistake_names_the_setting_and_what_is_allowed),
        cmocka_unit_test(test_settings__every_row_takes_its_bounds_and_nothing_beyond),
        cmocka_unit_test(test_settings__what_is_printed_sets_the_same),
        cmocka_unit_test(test_settings__help_names_every_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
