/* Metrics: sums over threads, and the text Prometheus reads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/metrics.h"
#include "core/base/metrics_text.h"
#include "core/base/process_figures.h"

static int set_up(void **state)
{
    (void)state;
    vg_metrics_reset();
    return 0;
}

static const struct vg_metrics_method methods[] = {
    { "vigil.events.v2.EventService", "GetEvent", "unary" },
    { "vigil.events.v2.EventService", "StreamEvents", "server_stream" },
};

static const char *written(struct vg_buffer *out)
{
    vg_buffer_init(out, 1 << 20);
    vg_metrics_write(out, methods, VG_ARRAY_COUNT(methods));
    vg_buffer_append_byte(out, 0);
    assert_false(out->failed);
    return (const char *)out->data;
}

static void assert_line(const char *text, const char *line)
{
    if (strstr(text, line) == NULL) {
        fail_msg("no line: %s", line);
    }
}

static void *count_many(void *owner)
{
    (void)owner;
    for (int i = 0; i < 10000; i++) {
        vg_metrics_add(VG_METRIC_bytes_received_total, 3);
        vg_metrics_move(VG_METRIC_connections_open, i % 2 == 0 ? 1 : -1);
        vg_metrics_method_started(7);
        vg_metrics_method_handled(7, VG_GRPC_NOT_FOUND, 1000);
        vg_metrics_method_messages(7, 1, 2);
        vg_metrics_http_response(vg_bytes_text("GET"), 200);
        vg_metrics_observe(VG_METRIC_ingest_commit_seconds, 1000);
    }
    return NULL;
}

static void test_metrics__threads_lose_no_count(void **state)
{
    (void)state;
    pthread_t threads[20]; /* more than there are shards */
    for (size_t i = 0; i < VG_ARRAY_COUNT(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, NULL), 0);
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(vg_metrics_value(VG_METRIC_bytes_received_total), 600000);
    assert_int_equal(vg_metrics_value(VG_METRIC_connections_open), 0);
    assert_int_equal(vg_metrics_value(VG_METRIC_ingest_commit_seconds), 200000);
    assert_int_equal(vg_metrics_method_started_count(7), 200000);
    assert_int_equal(vg_metrics_method_handled_count(7, VG_GRPC_NOT_FOUND), 200000);
    assert_int_equal(vg_metrics_method_handled_count(7, VG_GRPC_OK), 0);
    assert_int_equal(vg_metrics_method_started_count(8), 0);
    struct vg_metrics_method eight[8];
    for (size_t i = 0; i < 8; i++) {
        eight[i] = (struct vg_metrics_method){ "S", "M", "unary" };
    }
    struct vg_buffer out;
    vg_buffer_init(&out, 1 << 20);
    vg_metrics_write(&out, eight, 8);
    vg_buffer_append_byte(&out, 0);
    const char *text = (const char *)out.data;
    assert_non_null(
        strstr(text, "\nvigil_http_responses_total{method=\"GET\",code=\"200\"} 200000\n"));
    const char *labels = "{grpc_type=\"unary\",grpc_service=\"S\",grpc_method=\"M\"}";
    char line[200];
    (void)snprintf(line, sizeof(line), "grpc_server_msg_received_total%s 200000\n", labels);
    assert_non_null(strstr(text, line));
    (void)snprintf(line, sizeof(line), "grpc_server_msg_sent_total%s 400000\n", labels);
    assert_non_null(strstr(text, line));
    vg_buffer_dispose(&out);
}

static void test_metrics__methods_and_statuses_of_http(void **state)
{
    (void)state;
    vg_metrics_http_response(vg_bytes_text("DELETE"), 100);
    vg_metrics_http_response(vg_bytes_text("BREW"), 599);
    vg_metrics_http_response(vg_bytes_text("get"), 418);
    struct vg_buffer out;
    const char *text = written(&out);
    assert_line(text, "\nvigil_http_responses_total{method=\"DELETE\",code=\"100\"} 1\n");
    assert_line(text, "\nvigil_http_responses_total{method=\"other\",code=\"599\"} 1\n");
    assert_line(text, "\nvigil_http_responses_total{method=\"other\",code=\"418\"} 1\n");
    assert_null(strstr(text, "method=\"GET\""));
    vg_buffer_dispose(&out);
}

static void test_metrics__texts_are_escaped(void **state)
{
    (void)state;
    struct vg_buffer out;
    vg_buffer_init(&out, 1 << 10);
    vg_metrics_text_head(&out, "a", "one \\ two\nthree \"four\"", "gauge");
    vg_metrics_text_label(&out, "b", "one \\ two\nthree \"four\"");
    vg_buffer_append_byte(&out, 0);
    assert_string_equal(
        (const char *)out.data,
        "# HELP a one \\\\ two\\nthree \"four\"\n# TYPE a gauge\n"
        "b=\"one \\\\ two\\nthree \\\"four\\\"\"");
    vg_buffer_dispose(&out);
}

static void test_metrics__the_process_tells_of_itself(void **state)
{
    (void)state;
    struct vg_buffer out;
    vg_buffer_init(&out, 1 << 14);
    vg_process_figures_write(&out);
    vg_buffer_append_byte(&out, 0);
    const char *text = (const char *)out.data;
    static const struct {
        const char *name;
        double least;
        double most;
    } rows[] = {
        { "\nprocess_cpu_seconds_total ", 0, 600 },
        { "\nprocess_resident_memory_bytes ", 100000, 4e9 },
        { "\nprocess_virtual_memory_bytes ", 1000000, 1e15 },
        { "\nprocess_start_time_seconds ", 1.6e9, 1e10 },
        { "\nprocess_threads ", 1, 100 },
        { "\nprocess_open_fds ", 3, 1000 },
        { "\nprocess_max_fds ", 3, 1e19 },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        const char *line = strstr(text, rows[i].name);
        assert_non_null(line);
        double value = strtod(line + strlen(rows[i].name), NULL);
        if (value < rows[i].least || value > rows[i].most) {
            fail_msg("%s is %g", rows[i].name, value);
        }
    }
    vg_buffer_dispose(&out);
}

static void test_metrics__the_text_names_kinds_labels_and_values(void **state)
{
    (void)state;
    vg_metrics_add(VG_METRIC_connections_accepted_total, 5);
    vg_metrics_set(VG_METRIC_calls_in_flight, -2);
    vg_metrics_method_started(0);
    vg_metrics_method_started(0);
    vg_metrics_method_handled(0, VG_GRPC_OK, 1000000);
    vg_metrics_method_handled(0, VG_GRPC_CANCELLED, 500000);
    struct vg_buffer out;
    const char *text = written(&out);
    assert_line(
        text,
        "# TYPE vigil_connections_accepted_total counter\n"
        "vigil_connections_accepted_total 5\n");
    assert_line(text, "# TYPE vigil_calls_in_flight gauge\nvigil_calls_in_flight -2\n");
    assert_line(text, "# HELP vigil_table_rows Rows of the columns, superseded ones included\n");
    assert_line(
        text,
        "\ngrpc_server_started_total{grpc_type=\"unary\",grpc_service=\"vigil.events.v2."
        "EventService\",grpc_method=\"GetEvent\"} 2\n");
    assert_line(text, "grpc_method=\"GetEvent\",grpc_code=\"OK\"} 1\n");
    assert_line(text, "grpc_method=\"GetEvent\",grpc_code=\"Canceled\"} 1\n");
    assert_line(text, "grpc_method=\"StreamEvents\",grpc_code=\"OK\"} 0\n");
    assert_null(strstr(text, "grpc_code=\"Internal\""));
    assert_line(text, "grpc_method=\"GetEvent\",le=\"0.00025\"} 0\n");
    assert_line(text, "grpc_method=\"GetEvent\",le=\"0.0005\"} 1\n");
    assert_line(text, "grpc_method=\"GetEvent\",le=\"0.001\"} 2\n");
    assert_line(text, "grpc_method=\"GetEvent\",le=\"+Inf\"} 2\n");
    assert_line(text, "grpc_method=\"GetEvent\"} 0.0015\n");
    assert_line(
        text,
        "grpc_server_handling_seconds_count{grpc_type=\"unary\",grpc_service=\"vigil.events.v2."
        "EventService\",grpc_method=\"GetEvent\"} 2\n");
    assert_null(strstr(text, "grpc_method=\"StreamEvents\",le="));
    vg_buffer_dispose(&out);
}

static void test_metrics__buckets_hold_their_upper_bound(void **state)
{
    (void)state;
    vg_metrics_observe(VG_METRIC_search_seconds, 50000);
    vg_metrics_observe(VG_METRIC_search_seconds, 50001);
    vg_metrics_observe(VG_METRIC_search_seconds, UINT64_C(10000000000));
    vg_metrics_observe(VG_METRIC_search_seconds, UINT64_C(10000000001));
    struct vg_buffer out;
    const char *text = written(&out);
    assert_line(text, "vigil_search_seconds_bucket{le=\"5e-05\"} 1\n");
    assert_line(text, "vigil_search_seconds_bucket{le=\"0.0001\"} 2\n");
    assert_line(text, "vigil_search_seconds_bucket{le=\"5\"} 2\n");
    assert_line(text, "vigil_search_seconds_bucket{le=\"10\"} 3\n");
    assert_line(text, "vigil_search_seconds_bucket{le=\"+Inf\"} 4\n");
    assert_line(text, "vigil_search_seconds_count 4\n");
    assert_line(text, "vigil_search_seconds_sum 20.000100002\n");
    vg_buffer_dispose(&out);
}

static void test_metrics__every_line_has_the_form_of_the_format(void **state)
{
    (void)state;
    vg_metrics_method_handled(1, VG_GRPC_OK, 1);
    struct vg_buffer out;
    (void)written(&out);
    char *rest = NULL;
    size_t count = 0;
    for (char *line = strtok_r((char *)out.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        count++;
        if (strncmp(line, "# HELP ", 7) == 0 || strncmp(line, "# TYPE ", 7) == 0) {
            continue;
        }
        size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");
        assert_true(name > 0 && (line[name] == ' ' || line[name] == '{'));
        const char *value = strrchr(line, ' ');
        assert_non_null(value);
        char *end = NULL;
        (void)strtod(value + 1, &end);
        assert_int_equal(*end, '\0');
    }
    assert_true(count > 2 * VG_METRIC_COUNT);
    vg_buffer_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_metrics__threads_lose_no_count, set_up),
        cmocka_unit_test_setup(test_metrics__the_text_names_kinds_labels_and_values, set_up),
        cmocka_unit_test_setup(test_metrics__methods_and_statuses_of_http, set_up),
        cmocka_unit_test_setup(test_metrics__texts_are_escaped, set_up),
        cmocka_unit_test_setup(test_metrics__the_process_tells_of_itself, set_up),
        cmocka_unit_test_setup(test_metrics__buckets_hold_their_upper_bound, set_up),
        cmocka_unit_test_setup(test_metrics__every_line_has_the_form_of_the_format, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
