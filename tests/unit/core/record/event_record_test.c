/* The packed event against protobuf-c, and back; what it keeps, and its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/record/event_record.h"
#include "core/record/event_record_field.h"

#include "vigil/events/v2/event.pb-c.h"
#include "vigil/record/v1/event.pb-c.h"

#define UUID    "1679fbfc-1792-4992-8428-3cb4df642fa8"
#define T(text) vg_bytes_text(text)

static const struct vg_event_limits limits = { .record_bytes_max = 4u << 20,
                                               .property_bytes_max = 1u << 20 };

struct fixture {
    struct vg_arena arena;
    struct vg_event_record record;
    struct vg_bytes values[2];
    struct vg_event_property properties[2];
    struct vg_bytes sub_events[2];
    int64_t cases[2];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    vg_arena_init(&f->arena, 64u << 20);
    struct vg_event_record *r = &f->record;
    vg_event_record_init(r);
    assert_int_equal(vg_event_id_parse(T("AGGR/1000/7/" UUID), &r->id), VG_EVENT_ID_FORM_OK);
    r->times = (struct vg_event_times){ .first_event = 900,
                                        .last_event = 1100,
                                        .engine_persisted = 1200,
                                        .published = 1201,
                                        .last_updated = 1300,
                                        .first_notified = 1250 };
    vg_event_flags_set(&r->flags, VG_EVENT_FLAG_BLOCKED);
    vg_event_flags_set(&r->flags, VG_EVENT_FLAG_SOURCE_IS_CUSTOMERNET);
    vg_event_flags_set(&r->flags, VG_EVENT_FLAG_DESTINATION_IS_MANAGED_BY_SOC);
    vg_event_flags_set(&r->flags, VG_EVENT_FLAG_VICTIM_IS_CUSTOMERNET);
    vg_event_flags_set(&r->flags, VG_EVENT_FLAG_FAILURE);
    r->severity = VG_EVENT_SEVERITY_HIGH;
    r->count = 3;
    r->protocol = 51;
    r->signature = T("SNORT-1:41336");
    r->has_alarm = true;
    r->alarm_id = 58129;
    r->alarm_description = T("MALWARE");
    r->category_id = 363;
    r->category_name = T("Callback");
    r->uri = T("/a");
    r->domain = T("example.org");
    r->aggregation_key = T("key");
    r->location_id = 12;
    assert_true(vg_network_parse(T("10.1.2.0/24"), &r->source.network));
    r->source.port = 0;
    r->source.host = T("");
    r->source.geo = (struct vg_event_geo){ .present = true,
                                           .has_latitude = true,
                                           .latitude = 52.3824,
                                           .has_geo_location_id = true,
                                           .geo_location_id = 5,
                                           .country = { 'N', 'O' } };
    assert_true(vg_network_parse(T("2001:db8::1"), &r->destination.network));
    r->destination.port = 65535;
    r->destination.user = T("root");
    f->values[0] = T("val1");
    f->values[1] = T("val2");
    f->properties[0] = (struct vg_event_property){ T("a"), f->values, 2 };
    f->properties[1] = (struct vg_event_property){ T("b"), f->values, 1 };
    r->properties = f->properties;
    r->property_count = 2;
    f->sub_events[0] = T("RAW/1/7/" UUID);
    f->sub_events[1] = T("RAW/2/7/" UUID);
    r->sub_events = f->sub_events;
    r->sub_event_count = 2;
    f->cases[0] = 300;
    f->cases[1] = 2;
    r->cases = f->cases;
    r->case_count = 2;
    r->payload_type = VG_EVENT_PAYLOAD_PCAP;
    r->created_by_user_id = 42;
    r->revision = 77;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    vg_arena_dispose(&f->arena);
    free(f);
    return 0;
}

static struct vg_bytes pack(struct fixture *f, const struct vg_event_record *record)
{
    struct vg_event_head head;
    assert_int_equal(vg_event_record_pack(record, &limits, &f->arena, &head, NULL), VG_OK);
    return vg_event_record_finish(&head, &record->id, &record->times, record->revision);
}

static void assert_endpoint(const Vigil__Record__V1__EventEndpoint *got, const char *address)
{
    assert_non_null(got);
    assert_string_equal(got->address, address);
}

static void test_is_the_message_of_the_contract(void **state)
{
    struct fixture *f = *state;
    struct vg_bytes bytes = pack(f, &f->record);
    Vigil__Record__V1__Event *e = vigil__record__v1__event__unpack(NULL, bytes.size, bytes.data);
    assert_non_null(e);
    assert_int_equal(e->base.n_unknown_fields, 0);
    assert_int_equal(e->alarm->id, 58129);
    assert_string_equal(e->alarm->description, "MALWARE");
    assert_null(e->alarm->short_name);
    assert_int_equal(e->attack_category->id, 363);
    assert_string_equal(e->attack_category->name, "Callback");
    assert_string_equal(e->signature->name, "SNORT-1:41336");
    assert_int_equal(e->properties->n_items, 2);
    assert_string_equal(e->properties->items[0]->values[1], "val2");
    assert_int_equal(
        e->properties->items[0]->type,
        VIGIL__RECORD__V1__PROPERTY_TYPE__PROPERTY_TYPE_STRING);
    assert_int_equal(e->sub_events->n_items, 2);
    assert_int_equal(e->count, 3);
    assert_int_equal(e->severity, VIGIL__RECORD__V1__SEVERITY__SEVERITY_HIGH);
    assert_string_equal(e->uri, "/a");
    assert_string_equal(e->domain, "example.org");
    assert_endpoint(e->source, "10.1.2.0/24");
    assert_true(e->source->has_port && e->source->port == 0);
    assert_string_equal(e->source->host, "");
    assert_null(e->source->user);
    assert_string_equal(e->source->geo_info->country_code, "NO");
    assert_string_equal(e->source->geo_info->location_name, "");
    assert_true(e->source->geo_info->latitude == 52.3824);
    assert_false(e->source->geo_info->has_longitude);
    assert_int_equal(e->source->n_flags, 1);
    assert_int_equal(
        e->source->flags[0],
        VIGIL__RECORD__V1__ENDPOINT_FLAG__ENDPOINT_FLAG_IS_CUSTOMER_NET);
    assert_endpoint(e->destination, "2001:db8::1");
    assert_null(e->destination->geo_info);
    assert_int_equal(e->destination->port, 65535);
    assert_int_equal(e->destination->n_flags, 1);
    assert_int_equal(
        e->destination->flags[0],
        VIGIL__RECORD__V1__ENDPOINT_FLAG__ENDPOINT_FLAG_IS_MANAGED_BY_SOC);
    assert_int_equal(e->protocol, VIGIL__RECORD__V1__PROTOCOL__PROTOCOL_UNKNOWN);
    assert_int_equal(e->n_flags, 2);
    assert_int_equal(e->flags[0], VG_EVENT_FLAG_BLOCKED);
    assert_int_equal(e->flags[1], VG_EVENT_FLAG_FAILURE);
    const Vigil__Record__V1__EventTimestamps *t = e->timestamps;
    assert_true(t->created == 1000 && t->first_event == 900 && t->last_event == 1100);
    assert_true(t->engine_persisted == 1200 && t->published == 1201 && t->last_updated == 1300);
    assert_true(!t->has_first_assessed && t->first_notified == 1250);
    assert_int_equal(e->event_class, VIGIL__RECORD__V1__EVENT_CLASS__EVENT_CLASS_AGGREGATED);
    assert_int_equal(e->customer_id, 7);
    assert_true(e->flag_bits_low == f->record.flags.bits[0]);
    assert_true(e->flag_bits_high == f->record.flags.bits[1]);
    assert_int_equal(e->protocol_number, 51);
    assert_int_equal(e->location_id, 12);
    assert_int_equal(e->n_associated_case_ids, 2);
    assert_int_equal(e->associated_case_ids[0], 300);
    assert_string_equal(e->aggregation_key, "key");
    assert_int_equal(e->payload_type, VG_EVENT_PAYLOAD_PCAP);
    assert_true(e->has_source_geo_location_id && e->source_geo_location_id == 5);
    assert_false(e->has_destination_geo_location_id);
    assert_false(e->has_last_updated_timestamp);
    assert_int_equal(e->revision, 77);
    assert_int_equal(e->created_by_user_id, 42);
    vigil__record__v1__event__free_unpacked(e, NULL);
}

/* The same bytes as an answer of v2: the internal fields are unknown to it, the others its own. */
static void test_reads_as_a_v2_event(void **state)
{
    struct fixture *f = *state;
    struct vg_bytes bytes = pack(f, &f->record);
    Vigil__Events__V2__Event *e = vigil__events__v2__event__unpack(NULL, bytes.size, bytes.data);
    assert_non_null(e);
    for (unsigned i = 0; i < e->base.n_unknown_fields; i++) {
        assert_true(e->base.unknown_fields[i].tag > VG_EVENT_FIELD_PUBLIC_LAST);
    }
    assert_string_equal(e->destination->user, "root");
    assert_int_equal(e->protocol, VIGIL__EVENTS__V2__PROTOCOL__PROTOCOL_UNKNOWN);
    assert_true(e->timestamps->last_updated == 1300);
    vigil__events__v2__event__free_unpacked(e, NULL);
}

static void test_comes_back_the_same(void **state)
{
    struct fixture *f = *state;
    struct vg_bytes bytes = pack(f, &f->record);
    struct vg_event_record back;
    assert_int_equal(vg_event_record_unpack(&f->record.id, bytes, &f->arena, &back, NULL), VG_OK);
    assert_memory_equal(&back.times, &f->record.times, sizeof(back.times));
    assert_memory_equal(&back.flags, &f->record.flags, sizeof(back.flags));
    assert_int_equal(back.revision, 77);
    back.revision = f->record.revision;
    assert_true(vg_bytes_equal(pack(f, &back), bytes));
}

static void test_empty_record_comes_back(void **state)
{
    struct fixture *f = *state;
    struct vg_event_record empty;
    struct vg_event_record back;
    vg_event_record_init(&empty);
    empty.id = f->record.id;
    struct vg_bytes bytes = pack(f, &empty);
    assert_int_equal(vg_event_record_unpack(&empty.id, bytes, &f->arena, &back, NULL), VG_OK);
    assert_null(back.uri.data);
    assert_int_equal(back.protocol, VG_EVENT_NO_PROTOCOL);
    assert_int_equal(back.source.port, VG_EVENT_NO_PORT);
    assert_int_equal(back.source.network.family, VG_NETWORK_NONE);
    assert_false(back.source.geo.present);
    assert_true(vg_bytes_equal(pack(f, &back), bytes));
}

static void test_raw_events_keep_their_times_inside(void **state)
{
    struct fixture *f = *state;
    f->record.id.type = VG_EVENT_TYPE_RAW;
    struct vg_bytes bytes = pack(f, &f->record);
    Vigil__Record__V1__Event *e = vigil__record__v1__event__unpack(NULL, bytes.size, bytes.data);
    assert_false(e->timestamps->has_first_event);
    assert_false(e->timestamps->has_last_event);
    assert_false(e->timestamps->has_last_updated);
    assert_true(e->last_updated_timestamp == 1300);
    vigil__record__v1__event__free_unpacked(e, NULL);
    struct vg_event_record back;
    assert_int_equal(vg_event_record_unpack(&f->record.id, bytes, &f->arena, &back, NULL), VG_OK);
    assert_true(back.times.last_updated == 1300);
    assert_true(back.times.first_event == 1000 && back.times.last_event == 1000);
}

static void test_keeps_what_it_does_not_know(void **state)
{
    struct fixture *f = *state;
    struct vg_bytes bytes = pack(f, &f->record);
    static const uint8_t later[] = { 0x98, 0x08, 0x05 };                /* field 131, varint */
    static const uint8_t later_text[] = { 0xAA, 0x04, 0x02, 'h', 'i' }; /* field 69, text */
    uint8_t *longer = vg_arena_alloc(&f->arena, bytes.size + sizeof(later) + sizeof(later_text));
    memcpy(longer, later, sizeof(later));
    memcpy(longer + sizeof(later), bytes.data, bytes.size);
    memcpy(longer + sizeof(later) + bytes.size, later_text, sizeof(later_text));
    struct vg_event_record back;
    assert_int_equal(
        vg_event_record_unpack(
            &f->record.id,
            vg_bytes(longer, bytes.size + sizeof(later) + sizeof(later_text)),
            &f->arena,
            &back,
            NULL),
        VG_OK);
    assert_int_equal(back.extra.size, sizeof(later) + sizeof(later_text));
    struct vg_bytes again = pack(f, &back);
    Vigil__Record__V1__Event *e = vigil__record__v1__event__unpack(NULL, again.size, again.data);
    assert_int_equal(e->base.n_unknown_fields, 2);
    assert_int_equal(e->base.unknown_fields[0].tag, 131);
    assert_int_equal(e->base.unknown_fields[1].tag, 69);
    vigil__record__v1__event__free_unpacked(e, NULL);
}

static void test_damage_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct vg_bytes bytes = pack(f, &f->record);
    struct vg_event_record back;
    vg_event_record_init(&back);
    struct vg_event_id other = f->record.id;
    other.customer_id = 8;
    assert_int_equal(
        vg_event_record_unpack(&other, bytes, &f->arena, &back, NULL),
        VG_STORE_CORRUPT);
    uint8_t *copy = vg_arena_alloc(&f->arena, bytes.size);
    for (size_t size = 0; size < bytes.size; size++) {
        /* Cut anywhere: an error, or a message that lacks the rest; never more than that. */
        (void)!vg_event_record_unpack(
            &f->record.id,
            vg_bytes(bytes.data, size),
            &f->arena,
            &back,
            NULL);
        memcpy(copy, bytes.data, bytes.size);
        copy[size] ^= 0x5A;
        (void)!vg_event_record_unpack(
            &f->record.id,
            vg_bytes(copy, bytes.size),
            &f->arena,
            &back,
            NULL);
    }
    static const uint8_t broken[] = { 0x3A, 0x7F };
    assert_int_equal(
        vg_event_record_unpack(
            &f->record.id,
            vg_bytes(broken, sizeof(broken)),
            &f->arena,
            &back,
            NULL),
        VG_STORE_CORRUPT);
}

/* One property whose value makes the packed list `size` bytes long. */
static enum vg_reason pack_properties_of(struct fixture *f, size_t size)
{
    /* Head of the item (1 + 3), key "k" (3), type (2), head of the value (1 + 3). */
    size_t value_size = size - 13;
    uint8_t *text = vg_arena_calloc(&f->arena, value_size, 1);
    memset(text, 'x', value_size);
    struct vg_bytes value = vg_bytes(text, value_size);
    struct vg_event_property property = { T("k"), &value, 1 };
    f->record.properties = &property;
    f->record.property_count = 1;
    struct vg_event_head head = { 0 };
    enum vg_reason reason = vg_event_record_pack(&f->record, &limits, &f->arena, &head, NULL);
    if (reason == VG_OK) {
        assert_int_equal(head.property_bytes, size);
    }
    return reason;
}

static void test_limit_of_property_bytes(void **state)
{
    assert_int_equal(pack_properties_of(*state, (1u << 20)), VG_OK);
    assert_int_equal(pack_properties_of(*state, (1u << 20) + 1), VG_EVENT_TOO_LARGE);
}

static enum vg_reason pack_property_texts(struct fixture *f, uint32_t values)
{
    struct vg_bytes *list = vg_arena_alloc(&f->arena, values * sizeof(*list));
    for (uint32_t i = 0; i < values; i++) {
        list[i] = T("v");
    }
    struct vg_event_property property = { T("k"), list, values };
    f->record.properties = &property;
    f->record.property_count = 1;
    struct vg_event_head head;
    return vg_event_record_pack(&f->record, &limits, &f->arena, &head, NULL);
}

static void test_limit_of_property_texts(void **state)
{
    assert_int_equal(pack_property_texts(*state, VG_LIMIT_PROPERTY_TEXTS - 1), VG_OK);
    assert_int_equal(pack_property_texts(*state, VG_LIMIT_PROPERTY_TEXTS), VG_EVENT_TOO_LARGE);
}

static enum vg_reason pack_counts(struct fixture *f, uint32_t sub_events, uint32_t cases)
{
    struct vg_bytes *texts = vg_arena_alloc(&f->arena, (sub_events + 1) * sizeof(*texts));
    for (uint32_t i = 0; i < sub_events; i++) {
        texts[i] = f->sub_events[0];
    }
    f->record.sub_events = texts;
    f->record.sub_event_count = sub_events;
    f->record.cases = vg_arena_calloc(&f->arena, cases + 1, sizeof(int64_t));
    f->record.case_count = cases;
    struct vg_event_head head;
    return vg_event_record_pack(&f->record, &limits, &f->arena, &head, NULL);
}

static void test_limits_of_lists(void **state)
{
    assert_int_equal(pack_counts(*state, VG_LIMIT_SUB_EVENTS, VG_LIMIT_EVENT_CASES), VG_OK);
    assert_int_equal(pack_counts(*state, VG_LIMIT_SUB_EVENTS + 1, 0), VG_EVENT_TOO_LARGE);
    assert_int_equal(pack_counts(*state, 0, VG_LIMIT_EVENT_CASES + 1), VG_EVENT_TOO_LARGE);
}

static void test_limit_of_the_event(void **state)
{
    struct fixture *f = *state;
    struct vg_event_head head;
    assert_int_equal(vg_event_record_pack(&f->record, &limits, &f->arena, &head, NULL), VG_OK);
    size_t room = (4u << 20) - VG_EVENT_TAIL_MAX - head.size;
    uint8_t *text = vg_arena_calloc(&f->arena, room + 1, 1);
    /* Three bytes of length instead of one come with it. */
    f->record.uri = vg_bytes(text, room + 2 - 3);
    assert_int_equal(vg_event_record_pack(&f->record, &limits, &f->arena, &head, NULL), VG_OK);
    assert_int_equal(head.size, (4u << 20) - VG_EVENT_TAIL_MAX);
    f->record.uri.size++;
    assert_int_equal(
        vg_event_record_pack(&f->record, &limits, &f->arena, &head, NULL),
        VG_EVENT_TOO_LARGE);
}

static void test_a_full_arena_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct vg_bytes bytes = pack(f, &f->record);
    struct vg_arena small;
    vg_arena_init(&small, 8);
    struct vg_event_head head;
    assert_int_equal(
        vg_event_record_pack(&f->record, &limits, &small, &head, NULL),
        VG_REQUEST_MEMORY);
    struct vg_event_record back;
    assert_int_equal(
        vg_event_record_unpack(&f->record.id, bytes, &small, &back, NULL),
        VG_REQUEST_MEMORY);
    vg_arena_dispose(&small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_is_the_message_of_the_contract),
        TEST(test_reads_as_a_v2_event),
        TEST(test_comes_back_the_same),
        TEST(test_empty_record_comes_back),
        TEST(test_raw_events_keep_their_times_inside),
        TEST(test_keeps_what_it_does_not_know),
        TEST(test_damage_is_an_error),
        TEST(test_limit_of_property_bytes),
        TEST(test_limit_of_property_texts),
        TEST(test_limits_of_lists),
        TEST(test_limit_of_the_event),
        TEST(test_a_full_arena_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
