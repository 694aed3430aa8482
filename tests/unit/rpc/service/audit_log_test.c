/* The audit log: its classes, its lines, and what is done when it cannot be written. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/access/principal.h"
#include "core/base/metrics.h"
#include "core/base/settings.h"
#include "rpc/service/audit_log.h"
#include "rpc/service/call_log.h"
#include "rpc/service/service.h"
#include "rpc/service/slow_log.h"

#define BIT(class) (UINT32_C(1) << (class))
#define MS         UINT64_C(1000000)

struct world {
    char folder[32];
    char path[64];
    struct vg_clock_manual clock;
    struct vg_settings settings;
    struct vg_service service;
    struct vg_method method;
    struct vg_principal principal;
    struct vg_face face;
    struct vg_call call;
    ProtobufCMessage request;
};

static int open_world(void **state)
{
    static struct world world;
    memset(&world, 0, sizeof(world));
    (void)snprintf(world.folder, sizeof(world.folder), "/tmp/vigil-audit-XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    (void)snprintf(world.path, sizeof(world.path), "%s/audit", world.folder);
    vg_clock_manual_init(&world.clock, INT64_C(1755000000000));
    world.service.clock = &world.clock.clock;
    world.service.settings = &world.settings;
    world.method = (struct vg_method){ .path = "/S/M", .audit = VG_AUDIT_SEARCH };
    world.principal = (struct vg_principal){ .user_name = "jane", .user_id = 7, .key_id = "k" };
    world.face = (struct vg_face){ .name = "test", .takes_wire = true };
    world.call.face = &world.face;
    world.call.service = &world.service;
    world.call.method = &world.method;
    world.call.principal = &world.principal;
    world.call.request = &world.request;
    world.call.trace.id = 1;
    assert_true(vg_network_parse(vg_bytes_text("192.0.2.1"), &world.call.peer));
    vg_error_init(&world.call.error, NULL);
    vg_metrics_reset();
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    char moved[80];
    (void)snprintf(moved, sizeof(moved), "%s.1", world->path);
    (void)unlink(world->path);
    (void)unlink(moved);
    (void)rmdir(world->folder);
    return 0;
}

static void test_audit_log__classes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
        uint32_t classes;
    } rows[] = {
        { "off", true, 0 },
        { "search", true, BIT(VG_AUDIT_SEARCH) },
        { "search,download", true, BIT(VG_AUDIT_SEARCH) | BIT(VG_AUDIT_DOWNLOAD) },
        { "changes,read",
          true,
          BIT(VG_AUDIT_DIRECTORY) | BIT(VG_AUDIT_CHANGE) | BIT(VG_AUDIT_LOG_AUTHENTICATION) |
              BIT(VG_AUDIT_READ) },
        { "all", true, ~BIT(VG_AUDIT_NONE) },
        { "", false, 0 },
        { "search,", false, 0 },
        { ",search", false, 0 },
        { "search download", false, 0 },
        { "Search", false, 0 },
        { "none", false, 0 },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        uint32_t classes = 0;
        bool valid = vg_audit_log_read_classes(rows[i].text, &classes);
        if (valid != rows[i].valid || classes != rows[i].classes) {
            fail_msg("%s: %x", rows[i].text, classes);
        }
    }
}

static struct vg_audit_log *open_log(struct world *world, const char *classes, const char *file)
{
    const struct vg_audit_log_options options = {
        .classes = classes,
        .file = file,
        .log_file = -1,
        .clock = &world->clock.clock,
    };
    struct vg_audit_log *log = NULL;
    assert_int_equal(vg_audit_log_open(&options, &log, NULL), VG_OK);
    return log;
}

static void read_file(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    out[fread(out, 1, size - 1, file)] = '\0';
    (void)fclose(file);
}

static void test_audit_log__a_line(void **state)
{
    struct world *world = *state;
    char text[4096];
    struct vg_audit_log *log = open_log(world, "search", world->path);
    vg_audit_log_call(log, &world->call);
    world->method.audit = VG_AUDIT_READ; /* not wanted */
    vg_audit_log_call(log, &world->call);
    world->method.audit = VG_AUDIT_NONE;
    vg_audit_log_call(log, &world->call);
    vg_audit_log_close(log);
    read_file(world->path, text, sizeof(text));
    assert_string_equal(
        text,
        "{\"time\":\"2025-08-12T12:00:00.000Z\",\"log\":\"audit\",\"sequence\":1,\"class\":"
        "\"search\","
        "\"face\":\"test\",\"method\":\"/S/M\",\"user\":\"jane\",\"user_id\":7,\"key\":\"k\","
        "\"peer\":\"192.0.2.1\",\"port\":0,\"request_id\":\"0000000000000001\",\"result\":\"OK\","
        "\"code\":0,\"request\":null,\"request_bytes\":0}\n");
    assert_int_equal(vg_metrics_value(VG_METRIC_audit_lines_total), 1);
}

static bool print_large(
    const struct vg_table *table,
    const ProtobufCMessage *request,
    struct vg_buffer *out)
{
    (void)table;
    (void)request;
    for (size_t i = 0; i < VG_AUDIT_LOG_REQUEST_BYTES_MAX - 2; i++) {
        vg_buffer_append_byte(out, i == 0 ? '"' : 'x');
    }
    vg_buffer_append_text(out, out->bytes_max > 0 ? "\"" : "");
    return !out->failed;
}

/* The largest request there may be still fits its line; what the printer refuses is told by size.
 */
static void test_audit_log__a_large_request(void **state)
{
    struct world *world = *state;
    static char text[64 * 1024];
    struct vg_audit_log *log = open_log(world, "search", world->path);
    world->service.print_request = print_large;
    world->call.body.size = 4u * VG_AUDIT_LOG_REQUEST_BYTES_MAX;
    vg_audit_log_call(log, &world->call);
    world->call.body.size++;
    vg_audit_log_call(log, &world->call);
    vg_audit_log_close(log);
    read_file(world->path, text, sizeof(text));
    assert_non_null(strstr(text, "xxx\"}\n{\"time\""));
    assert_non_null(strstr(text, "\"request\":null,\"request_bytes\":65537}\n"));
}

static void test_audit_log__moved_away_and_begun_anew(void **state)
{
    struct world *world = *state;
    char moved[80];
    char text[4096];
    (void)snprintf(moved, sizeof(moved), "%s.1", world->path);
    struct vg_audit_log *log = open_log(world, "all", world->path);
    vg_audit_log_call(log, &world->call);
    assert_int_equal(rename(world->path, moved), 0);
    vg_audit_log_call(log, &world->call);
    assert_int_equal(vg_audit_log_reopen(log, NULL), VG_OK);
    vg_audit_log_call(log, &world->call);
    vg_audit_log_close(log);
    read_file(moved, text, sizeof(text));
    assert_non_null(strstr(text, "\"sequence\":1,"));
    assert_non_null(strstr(text, "\"sequence\":2,"));
    read_file(world->path, text, sizeof(text));
    assert_null(strstr(text, "\"sequence\":2,"));
    assert_non_null(strstr(text, "\"sequence\":3,"));
}

static void test_audit_log__what_is_lost_is_told_by_the_next_line(void **state)
{
    struct world *world = *state;
    char text[4096];
    struct vg_audit_log *log = open_log(world, "all", "/dev/full");
    vg_audit_log_call(log, &world->call);
    vg_audit_log_call(log, &world->call);
    assert_int_equal(vg_metrics_value(VG_METRIC_audit_lines_lost_total), 2);
    vg_audit_log_close(log);
    /* Failed authentications beyond so many in a second are only counted. */
    log = open_log(world, "authentication,search", world->path);
    world->call.reason = VG_AUTHENTICATION_FAILED;
    world->call.principal = NULL;
    for (unsigned i = 0; i < VG_AUDIT_LOG_STRANGERS_PER_SECOND + 5; i++) {
        vg_audit_log_call(log, &world->call);
    }
    assert_int_equal(
        vg_metrics_value(VG_METRIC_audit_lines_total),
        VG_AUDIT_LOG_STRANGERS_PER_SECOND);
    assert_int_equal(vg_metrics_value(VG_METRIC_audit_lines_lost_total), 7);
    world->call.reason = VG_OK;
    world->call.principal = &world->principal;
    assert_int_equal(truncate(world->path, 0), 0);
    vg_audit_log_call(log, &world->call);
    vg_audit_log_close(log);
    read_file(world->path, text, sizeof(text));
    assert_non_null(strstr(text, "\"sequence\":101,\"lost\":5,\"class\":\"search\""));
}

/* A disk that fills up takes the beginning of a line. */
static void test_audit_log__a_line_that_was_torn_spoils_no_other(void **state)
{
    struct world *world = *state;
    char text[4096];
    struct rlimit usual;
    struct vg_audit_log *log = open_log(world, "search", world->path);
    vg_audit_log_call(log, &world->call);
    read_file(world->path, text, sizeof(text));
    const size_t size = strlen(text);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    const struct rlimit full = { .rlim_cur = size + 10, .rlim_max = usual.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    vg_audit_log_call(log, &world->call); /* ten bytes of it */
    vg_audit_log_call(log, &world->call); /* and none of this one */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
    vg_audit_log_call(log, &world->call);
    vg_audit_log_call(log, &world->call);
    vg_audit_log_close(log);
    read_file(world->path, text, sizeof(text));
    assert_int_equal(strcspn(text + size, "\n"), 10);
    const char *third = text + size + 11;
    assert_int_equal(strncmp(third, text, 20), 0);
    assert_non_null(strstr(third, "\"sequence\":2,\"lost\":2,"));
    const char *fourth = strchr(third, '\n') + 1;
    assert_int_equal(strncmp(fourth, text, 20), 0);
    assert_int_equal(vg_metrics_value(VG_METRIC_audit_lines_total), 3);
}

static void test_audit_log__a_file_that_cannot_be_opened(void **state)
{
    struct world *world = *state;
    struct vg_error error;
    struct vg_audit_log *log = NULL;
    vg_error_init(&error, NULL);
    const struct vg_audit_log_options options = {
        .classes = "all",
        .file = "/no/such/folder/audit",
        .clock = &world->clock.clock,
    };
    assert_int_equal(vg_audit_log_open(&options, &log, &error), VG_CONFIG);
    assert_null(log);
    assert_non_null(strstr(error.message, "/no/such/folder/audit"));
}

/* A slow client is not the question's fault: what counts is when the first part was there. */
static void test_slow_log__at_the_limit_and_past_it(void **state)
{
    struct world *world = *state;
    world->settings.slow_question_ms = 50;
    static const struct {
        uint64_t answered_ns; /* 0 = it never was */
        uint64_t ended_ns;
        int64_t counted;
    } rows[] = {
        { 50 * MS, 900 * MS, 0 },
        { 50 * MS + 1, 900 * MS, 1 },
        { 0, 50 * MS, 1 },
        { 0, 51 * MS, 2 },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        uint64_t start_ns = vg_clock_monotonic_ns(&world->clock.clock);
        world->call.started_ns = start_ns;
        world->call.answered_ns = rows[i].answered_ns == 0 ? 0 : start_ns + rows[i].answered_ns;
        vg_clock_manual_set(
            &world->clock,
            vg_clock_now(&world->clock.clock) + (vg_time)(rows[i].ended_ns / MS));
        vg_slow_log_end(&world->call);
        assert_int_equal(vg_metrics_value(VG_METRIC_slow_questions_total), rows[i].counted);
    }
    world->method.audit = VG_AUDIT_READ; /* no question */
    vg_slow_log_end(&world->call);
    world->method.audit = VG_AUDIT_SEARCH;
    world->settings.slow_question_ms = 0;
    vg_slow_log_end(&world->call);
    assert_int_equal(vg_metrics_value(VG_METRIC_slow_questions_total), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audit_log__classes),
        cmocka_unit_test_setup_teardown(test_audit_log__a_line, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_audit_log__a_large_request, open_world, close_world),
        cmocka_unit_test_setup_teardown(
            test_audit_log__moved_away_and_begun_anew,
            open_world,
            close_world),
        cmocka_unit_test_setup_teardown(
            test_audit_log__what_is_lost_is_told_by_the_next_line,
            open_world,
            close_world),
        cmocka_unit_test_setup_teardown(
            test_audit_log__a_line_that_was_torn_spoils_no_other,
            open_world,
            close_world),
        cmocka_unit_test_setup_teardown(
            test_audit_log__a_file_that_cannot_be_opened,
            open_world,
            close_world),
        cmocka_unit_test_setup_teardown(
            test_slow_log__at_the_limit_and_past_it,
            open_world,
            close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
