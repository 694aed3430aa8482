/* A SubmitRequest as values of the domain: every member arrives, absent ones are absent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/handlers/event_input.h"

#include "vigil/record/v1/words.pb-c.h"

static void test_an_empty_request(void **state)
{
    (void)state;
    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 16);
    Vigil__Events__V2__SubmitRequest request = VIGIL__EVENTS__V2__SUBMIT_REQUEST__INIT;
    struct vg_event_input input;
    assert_true(vg_event_input_read(&request, &arena, &input));
    struct vg_event_input expected = {
        .source = { .port = VG_EVENT_NO_PORT },
        .destination = { .port = VG_EVENT_NO_PORT },
    };
    assert_memory_equal(&input, &expected, sizeof(input));
    vg_arena_dispose(&arena);
}

static void test_every_member(void **state)
{
    (void)state;
    static char texts[][16] = { "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "ta" };
    static char time[] = "1570715141521";
    Vigil__Events__V2__SubmitIdParts parts = VIGIL__EVENTS__V2__SUBMIT_ID_PARTS__INIT;
    parts.has_type = true;
    parts.type = VIGIL__EVENTS__V2__EVENT_TYPE__EVENT_TYPE_RAW;
    parts.customer = texts[0];
    parts.customer_domain = texts[1];
    parts.timestamp = time;
    parts.uuid = texts[2];
    Vigil__Events__V2__SubmitId id = VIGIL__EVENTS__V2__SUBMIT_ID__INIT;
    id.parts = &parts;
    Vigil__Events__V2__SubmitGeoLocation geo = VIGIL__EVENTS__V2__SUBMIT_GEO_LOCATION__INIT;
    geo.country_code = texts[3];
    geo.has_geo_location_id = true;
    geo.geo_location_id = 5;
    geo.has_latitude = true;
    geo.latitude = 1.5;
    geo.has_longitude = true;
    geo.longitude = -2.5;
    Vigil__Events__V2__SubmitEndpoint endpoint = VIGIL__EVENTS__V2__SUBMIT_ENDPOINT__INIT;
    endpoint.ip = texts[4];
    endpoint.has_port = true;
    endpoint.port = 0;
    endpoint.user = texts[5];
    endpoint.host = texts[6];
    endpoint.geo_location = &geo;
    Vigil__Events__V2__SubmitFlag flags[] = {
        VIGIL__EVENTS__V2__SUBMIT_FLAG__SUBMIT_FLAG_BLOCKED,
        VIGIL__EVENTS__V2__SUBMIT_FLAG__SUBMIT_FLAG_FAILURE,
    };
    char *values[] = { texts[7], texts[8] };
    Vigil__Events__V2__TextEntry entry = VIGIL__EVENTS__V2__TEXT_ENTRY__INIT;
    entry.key = texts[9];
    entry.n_values = 2;
    entry.values = values;
    Vigil__Events__V2__TextEntry *entries[] = { &entry };
    int64_t cases[] = { 7 };
    Vigil__Events__V2__SubmitPayload payload = VIGIL__EVENTS__V2__SUBMIT_PAYLOAD__INIT;
    payload.payload = texts[10];
    payload.has_payload_type = true;
    payload.payload_type = VIGIL__EVENTS__V2__PAYLOAD_TYPE__PAYLOAD_TYPE_STRING;
    Vigil__Events__V2__SubmitRequest request = VIGIL__EVENTS__V2__SUBMIT_REQUEST__INIT;
    request.id = &id;
    request.start_timestamp = time;
    request.end_timestamp = time;
    request.signature = texts[0];
    request.has_severity = true;
    request.severity = VIGIL__EVENTS__V2__SEVERITY__SEVERITY_CRITICAL;
    request.has_count = true;
    request.count = 9;
    request.location = texts[1];
    request.protocol = texts[2];
    request.source = &endpoint;
    request.n_flags = 2;
    request.flags = flags;
    request.n_properties = 1;
    request.properties = entries;
    request.n_sub_events = 2;
    request.sub_events = values;
    request.uri = texts[3];
    request.fqdn = texts[4];
    request.aggregation_key = texts[5];
    request.has_associated_case_id = true;
    request.associated_case_id = 6;
    request.n_associated_case_ids = 1;
    request.associated_case_ids = cases;
    request.payload = &payload;
    request.has_finalized = true;
    request.finalized = true;

    struct vg_arena arena;
    vg_arena_init(&arena, 1u << 16);
    struct vg_event_input input;
    assert_true(vg_event_input_read(&request, &arena, &input));
    assert_null(input.id_text);
    assert_int_equal(input.id_type, VG_EVENT_TYPE_RAW);
    assert_ptr_equal(input.id_customer, texts[0]);
    assert_ptr_equal(input.id_customer_domain, texts[1]);
    assert_ptr_equal(input.id_uuid, texts[2]);
    assert_true(input.has_timestamp && input.timestamp == 1570715141521);
    assert_true(input.has_start && input.start == 1570715141521);
    assert_true(input.has_end && input.end == 1570715141521);
    assert_true(input.finalized);
    assert_int_equal(input.severity, VG_EVENT_SEVERITY_CRITICAL);
    assert_int_equal(input.count, 9);
    assert_ptr_equal(input.signature, texts[0]);
    assert_ptr_equal(input.location, texts[1]);
    assert_ptr_equal(input.protocol, texts[2]);
    assert_ptr_equal(input.uri, texts[3]);
    assert_ptr_equal(input.fqdn, texts[4]);
    assert_ptr_equal(input.aggregation_key, texts[5]);
    assert_ptr_equal(input.source.ip, texts[4]);
    assert_int_equal(input.source.port, 0);
    assert_ptr_equal(input.source.user, texts[5]);
    assert_ptr_equal(input.source.host, texts[6]);
    assert_ptr_equal(input.source.geo.country_code, texts[3]);
    assert_true(input.source.geo.present && input.source.geo.geo_location_id == 5);
    assert_true(input.source.geo.latitude == 1.5 && input.source.geo.longitude == -2.5);
    assert_int_equal(input.destination.port, VG_EVENT_NO_PORT);
    assert_true(vg_event_flags_has(&input.flags, VG_EVENT_FLAG_BLOCKED));
    assert_true(vg_event_flags_has(&input.flags, VG_EVENT_FLAG_FAILURE));
    assert_int_equal(input.property_count, 1);
    assert_ptr_equal(input.properties[0].key, texts[9]);
    assert_int_equal(input.properties[0].value_count, 2);
    assert_ptr_equal(input.properties[0].values, values);
    assert_int_equal(input.sub_event_count, 2);
    assert_true(input.has_case && input.case_id == 6);
    assert_int_equal(input.case_count, 1);
    assert_ptr_equal(input.payload, texts[10]);
    assert_int_equal(input.payload_type, VG_EVENT_PAYLOAD_STRING);

    id.text = texts[3];
    assert_true(vg_event_input_read(&request, &arena, &input));
    assert_ptr_equal(input.id_text, texts[3]);
    struct vg_arena full;
    vg_arena_init(&full, 0);
    assert_false(vg_event_input_read(&request, &full, &input));
    vg_arena_dispose(&arena);
}

/* The casts of event_input.c rest on this. */
static void test_numbers_agree(void **state)
{
    (void)state;
    static const struct {
        const ProtobufCEnumDescriptor *request;
        const ProtobufCEnumDescriptor *record;
    } rows[] = {
        { &vigil__events__v2__event_type__descriptor, &vigil__record__v1__event_class__descriptor },
        { &vigil__events__v2__severity__descriptor, &vigil__record__v1__severity__descriptor },
        { &vigil__events__v2__payload_type__descriptor,
          &vigil__record__v1__payload_type__descriptor },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(rows[i].request->n_values, rows[i].record->n_values);
        for (unsigned v = 0; v < rows[i].request->n_values; v++) {
            const ProtobufCEnumValue *request = &rows[i].request->values[v];
            const ProtobufCEnumValue *record =
                protobuf_c_enum_descriptor_get_value(rows[i].record, request->value);
            assert_non_null(record);
            assert_string_equal(strrchr(request->name, '_'), strrchr(record->name, '_'));
        }
    }
    assert_int_equal(VG_EVENT_TYPE_RAW, VIGIL__RECORD__V1__EVENT_CLASS__EVENT_CLASS_RAW);
    assert_int_equal(VG_EVENT_SEVERITY_CRITICAL, VIGIL__RECORD__V1__SEVERITY__SEVERITY_CRITICAL);
    assert_int_equal(VG_EVENT_PAYLOAD_STRING, VIGIL__RECORD__V1__PAYLOAD_TYPE__PAYLOAD_TYPE_STRING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_request),
        cmocka_unit_test(test_every_member),
        cmocka_unit_test(test_numbers_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
