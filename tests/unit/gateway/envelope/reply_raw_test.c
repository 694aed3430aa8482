/* Answers without envelope: bytes, their content type, and the name they are saved by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/envelope/reply_raw.h"
#include "proto/contract_json.h"

#include "vigil/events/v1/single.pb-c.h"

enum vg_reason vg_call_check(struct vg_call *call)
{
    (void)call;
    return VG_OK;
}

struct place {
    struct vg_method method;
    struct vg_call call;
    struct vg_reply_body body;
};

static void place_open(struct place *place, const Vigil__Events__V1__EventCapture *answer)
{
    memset(place, 0, sizeof(*place));
    place->method = (struct vg_method){ .envelope = VG_ENVELOPE_RAW,
                                        .answer = &vg_table_vigil_events_v1_event_capture };
    place->call.method = &place->method;
    place->call.reply.answer = (ProtobufCMessage *)(uintptr_t)&answer->base;
    vg_buffer_init(&place->call.out, 1u << 20);
    vg_reply_body_init(&place->body);
    place->body.format = VG_FORMAT_CSV; /* what the client likes does not matter */
}

static void place_close(struct place *place)
{
    vg_reply_body_dispose(&place->body);
    vg_buffer_dispose(&place->call.out);
}

static void test_reply_raw__bytes_come_in_parts(void **state)
{
    (void)state;
    Vigil__Events__V1__EventCapture answer = VIGIL__EVENTS__V1__EVENT_CAPTURE__INIT;
    const size_t sizes[] = { 0,
                             1,
                             VG_CALL_FIRST_BYTES - 1,
                             VG_CALL_FIRST_BYTES,
                             VG_CALL_FIRST_BYTES + 1,
                             3 * VG_CALL_FIRST_BYTES };
    uint8_t *bytes = malloc(3 * VG_CALL_FIRST_BYTES);
    assert_non_null(bytes);
    for (size_t i = 0; i < 3 * VG_CALL_FIRST_BYTES; i++) {
        bytes[i] = (uint8_t)(i * 7 / 5);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct place place;
        answer.has_data = true;
        answer.data = (ProtobufCBinaryData){ sizes[i], bytes };
        place_open(&place, &answer);
        size_t got = 0;
        while (!place.call.out_done) {
            assert_int_equal(vg_reply_body_write(&place.body, &place.call), VG_OK);
            assert_int_equal(place.body.length, sizes[i]);
            assert_true(place.call.out.size <= VG_CALL_FIRST_BYTES);
            assert_true(got + place.call.out.size <= sizes[i]);
            if (place.call.out.size > 0) {
                assert_memory_equal(place.call.out.data, bytes + got, place.call.out.size);
            }
            got += place.call.out.size;
            vg_buffer_clear(&place.call.out);
        }
        assert_int_equal(got, sizes[i]);
        place_close(&place);
    }
    free(bytes);
}

static void test_reply_raw__type_and_name(void **state)
{
    (void)state;
    Vigil__Events__V1__EventCapture answer = VIGIL__EVENTS__V1__EVENT_CAPTURE__INIT;
    char type[] = "application/x-pcap";
    char name[] = "event.pcap";
    struct place place;
    place_open(&place, &answer);
    assert_string_equal(vg_reply_body_type(&place.body, &place.call), "application/octet-stream");
    assert_null(vg_reply_body_file_name(&place.call));
    place.call.reply.content_type = "image/png";
    place.call.reply.file_name = "x.png";
    assert_string_equal(vg_reply_body_type(&place.body, &place.call), "image/png");
    assert_string_equal(vg_reply_body_file_name(&place.call), "x.png");
    answer.content_type = type;
    answer.file_name = name;
    assert_string_equal(vg_reply_body_type(&place.body, &place.call), type);
    assert_string_equal(vg_reply_body_file_name(&place.call), name);
    place_close(&place);
}

static void test_reply_raw__names_of_files_cannot_leave_their_quotes(void **state)
{
    (void)state;
    char text[64];
    vg_reply_raw_print_disposition("event-1.pcap", text, sizeof(text));
    assert_string_equal(text, "attachment; filename=\"event-1.pcap\"");
    vg_reply_raw_print_disposition("a\"b\\c/d\r\ne%\xC3\xA5", text, sizeof(text));
    assert_string_equal(text, "attachment; filename=\"a_b_c_d__e___\"");
    char long_name[1000];
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    vg_reply_raw_print_disposition(long_name, text, sizeof(text));
    assert_int_equal(strlen(text), sizeof(text) - 1);
    assert_int_equal(text[sizeof(text) - 2], '"');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply_raw__bytes_come_in_parts),
        cmocka_unit_test(test_reply_raw__type_and_name),
        cmocka_unit_test(test_reply_raw__names_of_files_cannot_leave_their_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
