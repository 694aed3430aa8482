/* Stored events as answers: the documented minimal ones member by member, and each rule of the
 * views (events-api.md 2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/json/json_write.h"
#include "proto/contract_json.h"
#include "rpc/handlers/event_view.h"
#include "tests/support/event_fixture.h"

#include "vigil/events/v2/event.pb-c.h"
#include "vigil/record/v1/directory.pb-c.h"

#define UUID    "1679fbfc-1792-4992-8428-3cb4df642fa8"
#define T(text) vg_bytes_text(text)

static const struct vg_event_limits limits = { 4u << 20, 1u << 20 };

struct fixture {
    struct vg_event_fixture events;
    struct vg_event_record record;
    struct vg_event_view view;
    struct vg_bytes values[2];
    struct vg_event_property properties[3];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    vg_event_fixture_open(&f->events);
    f->view = (struct vg_event_view){
        .directory = f->events.snapshot,
        .principal = &f->events.admin,
        .location_zone = "Europe/Oslo",
        .separator = ",",
        .arena = &f->events.arena,
    };
    struct vg_event_record *r = &f->record;
    vg_event_record_init(r);
    assert_int_equal(
        vg_event_id_parse(T("AGGR/1570715141521/1/" UUID), &r->id),
        VG_EVENT_ID_FORM_OK);
    r->times = (struct vg_event_times){ .first_event = 1570715141521,
                                        .last_event = 1570715141521,
                                        .engine_persisted = 1570715141528,
                                        .published = 1570715141528,
                                        .last_updated = 1570715141528 };
    r->severity = VG_EVENT_SEVERITY_LOW;
    r->count = 1;
    r->signature = T("MySignature");
    f->values[0] = T("agent");
    f->values[1] = T("1570715141521");
    f->properties[0] = (struct vg_event_property){ T("agent.id"), &f->values[0], 1 };
    f->properties[1] = (struct vg_event_property){ T("agent.timestamp"), &f->values[1], 1 };
    f->properties[2] = (struct vg_event_property){ T("engine.timestamp"), &f->values[1], 1 };
    r->properties = f->properties;
    r->property_count = 3;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    vg_event_fixture_close(&f->events);
    free(f);
    return 0;
}

/* ------------------------------------------------------------------------------- two views */

static Vigil__Events__V1__AggregatedEvent *aggregated(struct fixture *f)
{
    Vigil__Events__V1__AggregatedEvent *event = NULL;
    assert_int_equal(vg_event_view_aggregated(&f->view, &f->record, &event, NULL), VG_OK);
    return event;
}

static Vigil__Events__V1__RawEvent *raw(struct fixture *f)
{
    Vigil__Events__V1__RawEvent *event = NULL;
    f->record.id.type = VG_EVENT_TYPE_RAW;
    assert_int_equal(vg_event_view_raw(&f->view, &f->record, &event, NULL), VG_OK);
    return event;
}

static Vigil__Events__V2__Event *shown(
    struct fixture *f,
    const struct vg_event_view_members *members)
{
    struct vg_event_head head;
    assert_int_equal(
        vg_event_record_pack(&f->record, &limits, &f->events.arena, &head, NULL),
        VG_OK);
    struct vg_bytes stored =
        vg_event_record_finish(&head, &f->record.id, &f->record.times, f->record.revision);
    struct vg_bytes wire;
    assert_int_equal(
        vg_event_view_wire(&f->view, &f->record.id, stored, members, &wire, NULL),
        VG_OK);
    Vigil__Events__V2__Event *event = vigil__events__v2__event__unpack(NULL, wire.size, wire.data);
    assert_non_null(event);
    /* Nothing internal leaves the server. */
    assert_int_equal(event->base.n_unknown_fields, 0);
    return event;
}

static const struct vg_event_view_members nothing_more = { 0 };

/* -------------------------------------------------------------------- the documented examples */

/* `data` of an answer, without blanks; NULL when the file is not there. */
static char *documented(const char *name)
{
    const char *shared = getenv("VIGIL_SHARED");
    char path[512];
    snprintf(
        path,
        sizeof(path),
        "%s/fixtures/%s",
        shared != NULL ? shared : VG_SOURCE_DIR "/../shared",
        name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        print_message("%s is not there: skipped\n", path);
        return NULL;
    }
    static char text[64 * 1024];
    size_t size = 0;
    bool quoted = false;
    for (int c; (c = fgetc(file)) != EOF && size < sizeof(text) - 1;) {
        quoted = c == '"' ? !quoted : quoted;
        if (quoted || (c != ' ' && c != '\n')) {
            text[size++] = (char)c;
        }
    }
    text[size] = 0;
    (void)fclose(file);
    char *data = strstr(text, "\"data\":");
    assert_non_null(data);
    char *end = strstr(data, ",\"size\":");
    assert_non_null(end);
    *end = 0;
    return data + strlen("\"data\":");
}

static void assert_text(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const char *expected)
{
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, 64u * 1024u);
    assert_true(vg_json_write(table, message, &vg_json_documented, &buffer));
    vg_buffer_append_byte(&buffer, 0);
    assert_string_equal((const char *)buffer.data, expected);
    vg_buffer_dispose(&buffer);
}

/* The directory of the documented answers: customer 1 of the domain MNEMONIC. */
static void open_documented(struct fixture *f, struct vg_directory_fixture *directory)
{
    static char short_name[] = "demo";
    static char name[] = "Demo";
    static char domain[] = "MNEMONIC";
    vg_directory_fixture_open(directory);
    Vigil__Record__V1__Customer record = VIGIL__RECORD__V1__CUSTOMER__INIT;
    record.has_id = true;
    record.id = 1;
    record.short_name = short_name;
    record.name = name;
    record.has_domain_id = true;
    record.domain_id = 1;
    record.domain_name = domain;
    assert_int_equal(
        vg_directory_fixture_add(directory, VG_DIRECTORY_CUSTOMER, &record.base),
        VG_OK);
    f->view.directory = vg_directory_snapshot(directory->directory);
}

static void close_documented(struct fixture *f, struct vg_directory_fixture *directory)
{
    vg_directory_snapshot_unref(f->view.directory);
    vg_directory_fixture_close(directory);
}

static void test_documented_v1(void **state)
{
    struct fixture *f = *state;
    const char *expected = documented("events_v1_get_event.minimal.made.json");
    if (expected == NULL) {
        skip();
    }
    struct vg_directory_fixture directory;
    open_documented(f, &directory);
    assert_text(&vg_table_vigil_events_v1_aggregated_event, &aggregated(f)->base, expected);
    close_documented(f, &directory);
}

static void test_documented_v2(void **state)
{
    struct fixture *f = *state;
    const char *expected = documented("events_v2_get_event.minimal.made.json");
    if (expected == NULL) {
        skip();
    }
    struct vg_directory_fixture directory;
    open_documented(f, &directory);
    Vigil__Events__V2__Event *event = shown(f, &nothing_more);
    assert_text(&vg_table_vigil_events_v2_event, &event->base, expected);
    vigil__events__v2__event__free_unpacked(event, NULL);
    close_documented(f, &directory);
}

/* ---------------------------------------------------------------------------- rules of both */

static void test_protocols(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int32_t number;
        const char *v1;
        int v2;
    } rows[] = {
        { VG_EVENT_NO_PROTOCOL, NULL, VIGIL__EVENTS__V2__PROTOCOL__PROTOCOL_UNKNOWN },
        { 0, "0", VIGIL__EVENTS__V2__PROTOCOL__PROTOCOL_IP },
        { 1, "icmp", VIGIL__EVENTS__V2__PROTOCOL__PROTOCOL_ICMP },
        { 6, "tcp", VIGIL__EVENTS__V2__PROTOCOL__PROTOCOL_TCP },
        { 17, "udp", VIGIL__EVENTS__V2__PROTOCOL__PROTOCOL_UDP },
        { 50, "esp", VIGIL__EVENTS__V2__PROTOCOL__PROTOCOL_ESP },
        { 51, "ah", VIGIL__EVENTS__V2__PROTOCOL__PROTOCOL_UNKNOWN },
        { 132, "132", VIGIL__EVENTS__V2__PROTOCOL__PROTOCOL_UNKNOWN },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        f->record.id.type = VG_EVENT_TYPE_AGGREGATED;
        f->record.protocol = rows[i].number;
        const char *text = aggregated(f)->protocol;
        assert_true(text == rows[i].v1 || strcmp(text, rows[i].v1) == 0);
        Vigil__Events__V2__Event *event = shown(f, &nothing_more);
        assert_int_equal(event->protocol, rows[i].v2);
        vigil__events__v2__event__free_unpacked(event, NULL);
        Vigil__Events__V1__RawEvent *single = raw(f);
        assert_true(single->has_protocol_id == (rows[i].number >= 0));
        assert_true(rows[i].number < 0 || single->protocol_id == rows[i].number);
    }
}

static void test_endpoints(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *stored;
        bool host, ipv6;
        int bits;
        bool multicast, public;
        const char *address;
    } rows[] = {
        { "10.5.97.201", true, false, 32, false, false, "10.5.97.201" },
        { "94.127.56.1", true, false, 32, false, true, "94.127.56.1" },
        { "10.1.2.0/24", false, false, 24, false, false, "10.1.2.0" },
        { "224.0.0.1", true, false, 32, true, false, "224.0.0.1" },
        { "2001:4860::8888", true, true, 128, false, true, "2001:4860::8888" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(vg_network_parse(T(rows[i].stored), &f->record.source.network));
        f->record.source.port = 80;
        Vigil__Events__V1__AggregatedEvent *event = aggregated(f);
        const Vigil__Events__V1__NetworkAddress *network = event->source->network_address;
        assert_true(network->host == rows[i].host && network->ipv6 == rows[i].ipv6);
        assert_int_equal(network->mask_bits, rows[i].bits);
        assert_true(network->multicast == rows[i].multicast);
        assert_true(network->public_ == rows[i].public);
        assert_string_equal(network->address, rows[i].address);
        assert_string_equal(event->source_address, rows[i].stored);
        assert_true(event->has_source_port && event->source_port == 80);
        assert_true(event->source->port == 80);
        assert_false(event->has_destination_port);
        assert_null(event->destination_address);
        Vigil__Events__V2__Event *second = shown(f, &nothing_more);
        assert_string_equal(second->source->address, rows[i].stored);
        assert_int_equal(second->source->port, 80);
        assert_non_null(second->destination);
        vigil__events__v2__event__free_unpacked(second, NULL);
    }
}

static void test_geography(void **state)
{
    struct fixture *f = *state;
    f->record.destination.geo = (struct vg_event_geo){
        .present = true,
        .country = { 'N', 'O' },
        .has_latitude = true,
        .latitude = 52.5,
    };
    Vigil__Events__V1__AggregatedEvent *event = aggregated(f);
    assert_null(event->source->geo_location);
    const Vigil__Events__V1__GeoInfo *geo = event->destination->geo_location;
    assert_string_equal(geo->country_code, "NO");
    assert_null(geo->country_name);
    assert_string_equal(geo->location_name, "");
    assert_true(geo->has_latitude && geo->latitude == 52.5 && !geo->has_longitude);
    Vigil__Events__V2__Event *second = shown(f, &nothing_more);
    assert_null(second->source->geo_info);
    assert_string_equal(second->destination->geo_info->country_code, "NO");
    assert_null(second->destination->geo_info->country_name);
    assert_string_equal(second->destination->geo_info->location_name, "");
    vigil__events__v2__event__free_unpacked(second, NULL);
}

static void test_flags(void **state)
{
    struct fixture *f = *state;
    vg_event_flags_set(&f->record.flags, VG_EVENT_FLAG_FAILURE);
    vg_event_flags_set(&f->record.flags, VG_EVENT_FLAG_BLOCKED);
    vg_event_flags_set(&f->record.flags, VG_EVENT_FLAG_SOURCE_IS_CUSTOMERNET);
    vg_event_flags_set(&f->record.flags, VG_EVENT_FLAG_VICTIM_IS_CUSTOMERNET);
    Vigil__Events__V1__AggregatedEvent *event = aggregated(f);
    assert_int_equal(event->n_flags, 4);
    assert_int_equal(event->flags[0], VIGIL__EVENTS__V1__EVENT_FLAG__EVENT_FLAG_BLOCKED);
    assert_int_equal(
        event->flags[1],
        VIGIL__EVENTS__V1__EVENT_FLAG__EVENT_FLAG_SOURCE_IS_CUSTOMERNET);
    assert_int_equal(event->flags[3], VIGIL__EVENTS__V1__EVENT_FLAG__EVENT_FLAG_FAILURE);
    Vigil__Events__V2__Event *second = shown(f, &nothing_more);
    assert_int_equal(second->n_flags, 2);
    assert_int_equal(second->flags[1], VIGIL__EVENTS__V2__EVENT_FLAG__EVENT_FLAG_FAILURE);
    assert_int_equal(second->source->n_flags, 1);
    assert_int_equal(
        second->source->flags[0],
        VIGIL__EVENTS__V2__ENDPOINT_FLAG__ENDPOINT_FLAG_IS_CUSTOMER_NET);
    assert_int_equal(second->destination->n_flags, 0);
    vigil__events__v2__event__free_unpacked(second, NULL);
}

static void test_location(void **state)
{
    struct fixture *f = *state;
    f->record.location_id = 21;
    Vigil__Events__V1__AggregatedEvent *event = aggregated(f);
    assert_string_equal(event->location->short_name, "oslo");
    assert_string_equal(event->location->time_zone, "Europe/Berlin");
    assert_int_equal(event->location->id, 21);
    Vigil__Events__V2__Event *second = shown(f, &nothing_more);
    assert_int_equal(second->location->id, 21);
    assert_string_equal(second->location->short_name, "oslo");
    vigil__events__v2__event__free_unpacked(second, NULL);
}

static void test_alarm(void **state)
{
    struct fixture *f = *state;
    f->record.has_alarm = true;
    f->record.alarm_id = 41;
    f->record.alarm_short_name = T("alarm");
    f->record.alarm_description = T("An alarm");
    f->record.category_id = 42;
    f->record.category_name = T("A category");
    Vigil__Events__V1__AggregatedEvent *event = aggregated(f);
    assert_int_equal(event->attack_info->alarm_id, 41);
    assert_string_equal(event->attack_info->alarm_description, "An alarm");
    assert_int_equal(event->attack_info->attack_category_id, 42);
    Vigil__Events__V2__Event *second = shown(f, &nothing_more);
    assert_int_equal(second->alarm->id, 41);
    assert_string_equal(second->alarm->short_name, "alarm");
    assert_string_equal(second->alarm->description, "An alarm");
    assert_string_equal(second->attack_category->name, "A category");
    assert_null(second->attack_category->short_name);
    vigil__events__v2__event__free_unpacked(second, NULL);
}

/* Cases 33 and 31 of the event; the viewer reads 31 only. */
static void test_cases(void **state)
{
    struct fixture *f = *state;
    static const int64_t cases[] = { 33, 31 };
    f->record.cases = cases;
    f->record.case_count = 2;
    Vigil__Events__V1__AggregatedEvent *event = aggregated(f);
    assert_int_equal(event->n_associated_cases, 2);
    assert_int_equal(event->associated_case->id, 33);
    const Vigil__Events__V1__AssociatedCase *first = event->associated_cases[0];
    assert_string_equal(first->subject, "Infected host");
    assert_string_equal(first->description, "It is");
    assert_string_equal(first->category_name, "Malware");
    assert_string_equal(first->service, "ids");
    assert_int_equal(first->status, VIGIL__EVENTS__V1__CASE_STATUS__CASE_STATUS_ATTACHMENT_ADDED);
    assert_int_equal(first->priority, VIGIL__EVENTS__V1__PRIORITY__PRIORITY_HIGH);

    f->view.principal = &f->events.viewer;
    event = aggregated(f);
    assert_int_equal(event->n_associated_cases, 1);
    assert_int_equal(event->associated_case->id, 31);
    Vigil__Events__V2__Event *second = shown(f, &nothing_more);
    assert_int_equal(second->associated_cases->n_items, 1);
    const Vigil__Events__V2__AssociatedCase *item = second->associated_cases->items[0];
    assert_int_equal(item->id, 31);
    assert_int_equal(item->category_id, 7);
    assert_int_equal(item->service_id, 8);
    assert_string_equal(item->service_name, "ids");
    assert_int_equal(item->status, VIGIL__EVENTS__V2__CASE_STATUS__CASE_STATUS_WORKING_SOC);
    vigil__events__v2__event__free_unpacked(second, NULL);

    struct vg_principal nobody = { .user_id = 99 };
    f->view.principal = &nobody;
    event = aggregated(f);
    assert_null(event->associated_case);
    second = shown(f, &nothing_more);
    assert_int_equal(second->associated_cases->n_items, 0);
    vigil__events__v2__event__free_unpacked(second, NULL);
}

static void test_values_are_joined_in_v1(void **state)
{
    struct fixture *f = *state;
    f->properties[1].values = f->values;
    f->properties[1].value_count = 2;
    Vigil__Events__V1__AggregatedEvent *event = aggregated(f);
    assert_string_equal(event->properties[1]->key, "agent.timestamp");
    assert_string_equal(event->properties[1]->value, "agent,1570715141521");
    f->view.separator = "\n";
    assert_string_equal(aggregated(f)->properties[1]->value, "agent\n1570715141521");
}

/* ------------------------------------------------------------------------------- rules of v2 */

static void test_members_that_are_asked_for(void **state)
{
    struct fixture *f = *state;
    struct vg_bytes sub_event = T("RAW/1/1/" UUID);
    f->record.sub_events = &sub_event;
    f->record.sub_event_count = 1;
    Vigil__Events__V2__Event *event = shown(f, &nothing_more);
    assert_null(event->properties);
    assert_null(event->sub_events);
    assert_null(event->comments);
    vigil__events__v2__event__free_unpacked(event, NULL);

    struct vg_event_view_members all = { true, true, true, NULL, 0 };
    event = shown(f, &all);
    assert_int_equal(event->properties->n_items, 3);
    assert_string_equal(event->properties->items[0]->key, "agent.id");
    assert_int_equal(event->sub_events->n_items, 1);
    assert_int_equal(event->comments->n_items, 0);
    vigil__events__v2__event__free_unpacked(event, NULL);

    char names[][20] = { "engine.timestamp", "unknown", "agent.id" };
    char *const asked[] = { names[0], names[1], names[2] };
    struct vg_event_view_members some = { .properties = asked, .property_count = 3 };
    event = shown(f, &some);
    assert_int_equal(event->properties->n_items, 2);
    assert_string_equal(event->properties->items[0]->key, "agent.id");
    assert_string_equal(event->properties->items[1]->key, "engine.timestamp");
    vigil__events__v2__event__free_unpacked(event, NULL);

    f->record.property_count = 0;
    f->record.sub_event_count = 0;
    event = shown(f, &all);
    assert_int_equal(event->properties->n_items, 0);
    assert_int_equal(event->sub_events->n_items, 0);
    vigil__events__v2__event__free_unpacked(event, NULL);
}

static void test_raw_events_in_v2(void **state)
{
    struct fixture *f = *state;
    static const struct vg_event_view_members all = { true, true, true, NULL, 0 };
    f->record.id.type = VG_EVENT_TYPE_RAW;
    Vigil__Events__V2__Event *event = shown(f, &all);
    assert_string_equal(event->id, "RAW/1570715141521/1/" UUID);
    assert_int_equal(event->type, VIGIL__EVENTS__V2__EVENT_TYPE__EVENT_TYPE_RAW);
    assert_null(event->associated_cases);
    assert_null(event->sub_events);
    assert_false(event->timestamps->has_first_event);
    assert_false(event->timestamps->has_last_event);
    assert_false(event->timestamps->has_last_updated);
    assert_true(event->timestamps->created == 1570715141521);
    vigil__events__v2__event__free_unpacked(event, NULL);
}

static void test_raw_events_in_v1(void **state)
{
    struct fixture *f = *state;
    Vigil__Events__V1__RawEvent *event = raw(f);
    assert_string_equal(event->id, "RAW/1570715141521/1/" UUID);
    assert_true(event->engine_timestamp == 1570715141528);
    assert_int_equal(event->count, 1);
    assert_null(event->sensor);
    assert_int_equal(event->n_properties, 3);
}

static void test_damaged_records_are_errors(void **state)
{
    struct fixture *f = *state;
    static const uint8_t broken[] = { 0x3A, 0x7F };
    struct vg_bytes wire;
    assert_int_equal(
        vg_event_view_wire(
            &f->view,
            &f->record.id,
            vg_bytes(broken, sizeof(broken)),
            &nothing_more,
            &wire,
            NULL),
        VG_STORE_CORRUPT);
}

static void test_a_full_arena_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct vg_arena small;
    struct vg_event_view view = f->view;
    view.arena = &small;
    enum vg_reason reason = VG_REQUEST_MEMORY;
    for (size_t bytes = 0; reason != VG_OK; bytes += 256) {
        Vigil__Events__V1__AggregatedEvent *event = NULL;
        vg_arena_init(&small, bytes);
        reason = vg_event_view_aggregated(&view, &f->record, &event, NULL);
        assert_true(reason == VG_OK || reason == VG_REQUEST_MEMORY);
        vg_arena_dispose(&small);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_documented_v1),
        TEST(test_documented_v2),
        TEST(test_protocols),
        TEST(test_endpoints),
        TEST(test_geography),
        TEST(test_flags),
        TEST(test_location),
        TEST(test_alarm),
        TEST(test_cases),
        TEST(test_values_are_joined_in_v1),
        TEST(test_members_that_are_asked_for),
        TEST(test_raw_events_in_v2),
        TEST(test_raw_events_in_v1),
        TEST(test_damaged_records_are_errors),
        TEST(test_a_full_arena_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
