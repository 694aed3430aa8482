/* Answers of conversations over REST: exactly a line or an event each, and a visible end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/wire/wire_encode.h"
#include "gateway/envelope/reply_stream.h"
#include "proto/contract_json.h"

#include "vigil/events/v2/stream.pb-c.h"

static struct vg_buffer out;
static struct vg_arena arena;

static int set_up(void **state)
{
    (void)state;
    vg_buffer_init(&out, 1 << 20);
    vg_arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    vg_buffer_dispose(&out);
    vg_arena_dispose(&arena);
    return 0;
}

static void assert_out(const char *text)
{
    vg_buffer_append_byte(&out, 0);
    assert_string_equal((const char *)out.data, text);
    vg_buffer_clear(&out);
}

/* Say an answer, as a message and as bytes: the same. */
static void assert_says(enum vg_format format, const ProtobufCMessage *message, const char *text)
{
    const struct vg_table *table = &vg_table_vigil_events_v2_watch_answer;
    struct vg_buffer wire;
    vg_buffer_init(&wire, 1 << 20);
    assert_true(vg_wire_encode(table, message, &wire));
    const struct vg_reply_row rows[] = {
        { .message = message },
        { .wire = vg_buffer_bytes(&wire) },
    };
    for (size_t i = 0; i < 2; i++) {
        assert_true(vg_reply_stream_say(format, table, &rows[i], &arena, &out));
        assert_out(text);
    }
    vg_buffer_dispose(&wire);
}

static void test_a_sign_of_life(void **state)
{
    (void)state;
    Vigil__Events__V2__WatchAnswer answer = VIGIL__EVENTS__V2__WATCH_ANSWER__INIT;
    answer.token = (char[]){ "a/b" };
    answer.has_live = true;
    answer.live = true;
    assert_says(
        VG_FORMAT_JSONL,
        &answer.base,
        "{\"event\":null,\"token\":\"a/b\",\"live\":true}\n");
    assert_says(VG_FORMAT_EVENT_STREAM, &answer.base, ": nothing new\nid: a/b\n\n");
}

static void test_an_event(void **state)
{
    (void)state;
    Vigil__Events__V2__WatchAnswer answer = VIGIL__EVENTS__V2__WATCH_ANSWER__INIT;
    Vigil__Events__V2__Event event = VIGIL__EVENTS__V2__EVENT__INIT;
    event.uri = (char[]){ "/a\nb" };
    answer.event = &event;
    answer.token = (char[]){ "t" };
    const struct vg_table *table = &vg_table_vigil_events_v2_watch_answer;
    const struct vg_reply_row row = { .message = &answer.base };
    assert_true(vg_reply_stream_say(VG_FORMAT_JSONL, table, &row, &arena, &out));
    assert_int_equal(out.data[out.size - 1], '\n');
    assert_ptr_equal(memchr(out.data, '\n', out.size), out.data + out.size - 1);
    vg_buffer_clear(&out);
    assert_true(vg_reply_stream_say(VG_FORMAT_EVENT_STREAM, table, &row, &arena, &out));
    assert_memory_equal(out.data, "id: t\ndata: {\"event\":{", 22);
    assert_memory_equal(out.data + out.size - 2, "\n\n", 2);
    vg_buffer_clear(&out);
}

static void test_bytes_that_are_no_message(void **state)
{
    (void)state;
    const struct vg_reply_row row = { .wire = vg_bytes("\xff", 1) };
    assert_false(vg_reply_stream_say(
        VG_FORMAT_JSONL,
        &vg_table_vigil_events_v2_watch_answer,
        &row,
        &arena,
        &out));
}

static void test_beginnings_and_ends(void **state)
{
    (void)state;
    struct vg_error error;
    vg_error_init(&error, NULL);
    (void)vg_error_set(&error, VG_DRAINING, NULL);
    assert_int_equal(vg_reply_stream_format(VG_FORMAT_JSON), VG_FORMAT_JSONL);
    assert_int_equal(vg_reply_stream_format(VG_FORMAT_EVENT_STREAM), VG_FORMAT_EVENT_STREAM);
    vg_reply_stream_begin(VG_FORMAT_JSONL, &out);
    assert_int_equal(out.size, 0);
    vg_reply_stream_begin(VG_FORMAT_EVENT_STREAM, &out);
    assert_out("retry: 1000\n\n");
    vg_reply_stream_end(VG_FORMAT_JSONL, NULL, &out);
    assert_out("{\"end\":true}\n");
    vg_reply_stream_end(VG_FORMAT_JSONL, &error, &out);
    assert_out("{\"error\":{\"responseCode\":503,\"messageTemplate\":\"service.draining\","
               "\"message\":\"The server is shutting down\",\"retry\":true}}\n");
    vg_reply_stream_end(VG_FORMAT_EVENT_STREAM, NULL, &out);
    assert_out("event: end\ndata: {\"end\":true}\n\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_sign_of_life, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_event, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_that_are_no_message, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_beginnings_and_ends, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
