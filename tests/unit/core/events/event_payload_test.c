/* Payloads: the event's own or a sub-event's, as text and as capture file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/events/event_payload.h"
#include "tests/support/event_fixture.h"

#define UUID    "1679fbfc-1792-4992-8428-3cb4df642fa8"
#define T(text) vg_bytes_text(text)

static int set_up(void **state)
{
    struct vg_event_fixture *f = calloc(1, sizeof(*f));
    vg_event_fixture_open(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    vg_event_fixture_close(*state);
    free(*state);
    return 0;
}

static struct vg_event_id submit(
    struct vg_event_fixture *f,
    const char *id,
    const char *payload,
    enum vg_event_payload_type type,
    char *const *sub_events,
    size_t sub_event_count)
{
    struct vg_event_input input;
    vg_event_fixture_input(&input);
    input.id_text = id;
    input.payload = payload;
    input.payload_type = (int32_t)type;
    input.sub_events = sub_events;
    input.sub_event_count = sub_event_count;
    return vg_event_fixture_submit(f, &input);
}

/* The payload as text; NULL = there is none. */
static const char *text_of(struct vg_event_fixture *f, const struct vg_event_id *id, vg_time *time)
{
    struct vg_event_reading reading;
    bool found = false;
    assert_int_equal(vg_event_read(&f->source, id, &reading, &found, NULL), VG_OK);
    assert_true(found);
    struct vg_event_record record;
    assert_int_equal(vg_event_record_unpack(id, reading.record, &f->arena, &record, NULL), VG_OK);
    struct vg_event_payload payload;
    bool has = false;
    assert_int_equal(
        vg_event_payload_find(
            &f->source,
            &reading.snapshot,
            &record,
            &f->arena,
            &payload,
            &has,
            NULL),
        VG_OK);
    char *text = NULL;
    if (has) {
        text = vg_event_payload_text(&payload, &f->arena);
        assert_non_null(text);
        *time = payload.timestamp;
        vg_event_payload_release(&payload);
    }
    vg_event_reading_release(&reading);
    return text;
}

static void test_the_own_payload(void **state)
{
    struct vg_event_fixture *f = *state;
    vg_time time = 0;
    struct vg_event_id id =
        submit(f, "AGGR/5/1/" UUID, "some \xc3\xb8 text", VG_EVENT_PAYLOAD_STRING, NULL, 0);
    assert_string_equal(text_of(f, &id, &time), "some \xc3\xb8 text");
    assert_true(time == 5);
    id = submit(f, "AGGR/6/1/" UUID, "aGkK", VG_EVENT_PAYLOAD_BINARY, NULL, 0);
    assert_string_equal(text_of(f, &id, &time), "aGkK");
    id = submit(f, "AGGR/7/1/" UUID, "", VG_EVENT_PAYLOAD_STRING, NULL, 0);
    assert_string_equal(text_of(f, &id, &time), "");
    id = submit(f, "AGGR/8/1/" UUID, NULL, VG_EVENT_PAYLOAD_NONE, NULL, 0);
    assert_null(text_of(f, &id, &time));
}

static void test_the_earliest_sub_event_that_has_one(void **state)
{
    struct vg_event_fixture *f = *state;
    char late[] = "RAW/300/1/" UUID;
    char middle[] = "RAW/200/1/" UUID;
    char early[] = "RAW/100/1/" UUID;
    char absent[] = "RAW/50/1/" UUID;
    char *all[] = { late, middle, early, absent };
    vg_time time = 0;
    struct vg_event_id id = submit(f, "AGGR/1/1/" UUID, NULL, VG_EVENT_PAYLOAD_NONE, all, 4);
    assert_null(text_of(f, &id, &time));
    (void)submit(f, early, NULL, VG_EVENT_PAYLOAD_NONE, NULL, 0); /* exists, has none */
    (void)submit(f, late, "late", VG_EVENT_PAYLOAD_STRING, NULL, 0);
    assert_string_equal(text_of(f, &id, &time), "late");
    (void)submit(f, middle, "middle", VG_EVENT_PAYLOAD_STRING, NULL, 0);
    assert_string_equal(text_of(f, &id, &time), "middle");
    assert_true(time == 200);
    /* An own one comes first. */
    (void)submit(f, "AGGR/1/1/" UUID, "own", VG_EVENT_PAYLOAD_STRING, NULL, 0);
    assert_string_equal(text_of(f, &id, &time), "own");
}

static void test_an_update_replaces_the_payload(void **state)
{
    struct vg_event_fixture *f = *state;
    vg_time time = 0;
    struct vg_event_id id = submit(f, "RAW/5/1/" UUID, "aGkK", VG_EVENT_PAYLOAD_PCAP, NULL, 0);
    id = submit(f, "RAW/5/1/" UUID, "new", VG_EVENT_PAYLOAD_STRING, NULL, 0);
    assert_string_equal(text_of(f, &id, &time), "new");
}

static uint32_t number_at(struct vg_bytes file, size_t at)
{
    const uint8_t *p = file.data + at;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void test_a_frame_becomes_a_capture_file(void **state)
{
    struct vg_event_fixture *f = *state;
    const struct vg_event_payload payload = {
        .type = VG_EVENT_PAYLOAD_ETHERNET,
        .data = T("frame"),
        .timestamp = 1570715141521,
    };
    assert_true(vg_event_payload_is_capture(&payload));
    struct vg_bytes file = vg_event_payload_capture(&payload, &f->arena);
    assert_int_equal(file.size, 24 + 16 + 5);
    assert_int_equal(number_at(file, 0), 0xa1b2c3d4);
    assert_int_equal(number_at(file, 4), 4u << 16 | 2);
    assert_int_equal(number_at(file, 16), 262144);
    assert_int_equal(number_at(file, 20), 1);
    assert_int_equal(number_at(file, 24), 1570715141);
    assert_int_equal(number_at(file, 28), 521000);
    assert_int_equal(number_at(file, 32), 5);
    assert_int_equal(number_at(file, 36), 5);
    assert_memory_equal(file.data + 40, "frame", 5);
}

static void test_a_frame_past_the_snapshot_length_is_cut(void **state)
{
    struct vg_event_fixture *f = *state;
    static uint8_t frame[VG_EVENT_PAYLOAD_SNAPLEN + 1];
    struct vg_event_payload payload = { .type = VG_EVENT_PAYLOAD_ETHERNET };
    payload.data = vg_bytes(frame, VG_EVENT_PAYLOAD_SNAPLEN);
    struct vg_bytes file = vg_event_payload_capture(&payload, &f->arena);
    assert_int_equal(number_at(file, 32), VG_EVENT_PAYLOAD_SNAPLEN);
    assert_int_equal(file.size, 40 + VG_EVENT_PAYLOAD_SNAPLEN);
    payload.data = vg_bytes(frame, VG_EVENT_PAYLOAD_SNAPLEN + 1);
    file = vg_event_payload_capture(&payload, &f->arena);
    assert_int_equal(number_at(file, 32), VG_EVENT_PAYLOAD_SNAPLEN);
    assert_int_equal(number_at(file, 36), VG_EVENT_PAYLOAD_SNAPLEN + 1);
    assert_int_equal(file.size, 40 + VG_EVENT_PAYLOAD_SNAPLEN);
    payload.timestamp = VG_TIME_MAX; /* seconds have 32 bits */
    file = vg_event_payload_capture(&payload, &f->arena);
    assert_int_equal(number_at(file, 24), UINT32_MAX);
}

static void test_a_capture_is_kept_as_it_is(void **state)
{
    struct vg_event_fixture *f = *state;
    const struct vg_event_payload payload = { .type = VG_EVENT_PAYLOAD_PCAP, .data = T("any") };
    struct vg_bytes file = vg_event_payload_capture(&payload, &f->arena);
    assert_true(vg_bytes_equal(file, T("any")));
    const struct vg_event_payload text = { .type = VG_EVENT_PAYLOAD_STRING };
    assert_false(vg_event_payload_is_capture(&text));
    const struct vg_event_payload binary = { .type = VG_EVENT_PAYLOAD_BINARY };
    assert_false(vg_event_payload_is_capture(&binary));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_own_payload, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_the_earliest_sub_event_that_has_one,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_an_update_replaces_the_payload, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_frame_becomes_a_capture_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_frame_past_the_snapshot_length_is_cut,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_a_capture_is_kept_as_it_is, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
