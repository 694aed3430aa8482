/* Events from the request to the store and back: submissions, updates, answers of the writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/events/event_merge.h"
#include "tests/support/event_fixture.h"

#include "vigil/record/v1/event.pb-c.h"

#define UUID    "1679fbfc-1792-4992-8428-3cb4df642fa8"
#define ID      "AGGR/1570715141521/1/" UUID
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

static struct vg_event_input input_of(const char *id)
{
    struct vg_event_input input;
    vg_event_fixture_input(&input);
    input.id_text = id;
    return input;
}

static struct vg_event_record read_event(struct vg_event_fixture *f, const struct vg_event_id *id)
{
    struct vg_event_record record;
    assert_true(vg_event_fixture_read(f, id, &record));
    return record;
}

static void assert_property(
    const struct vg_event_record *record,
    const char *key,
    const char *value)
{
    for (uint32_t i = 0; i < record->property_count; i++) {
        if (vg_bytes_equal(record->properties[i].key, T(key))) {
            assert_true(vg_bytes_equal(record->properties[i].values[0], T(value)));
            return;
        }
    }
    fail_msg("no property %s", key);
}

static void test_an_empty_event_has_the_defaults(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_input input = input_of(NULL);
    struct vg_event_id id = vg_event_fixture_submit(f, &input);
    assert_int_equal(id.type, VG_EVENT_TYPE_AGGREGATED);
    assert_true(id.timestamp == VG_EVENT_FIXTURE_NOW);
    assert_int_equal(id.customer_id, 1);
    struct vg_event_record record = read_event(f, &id);
    assert_int_equal(record.count, 1);
    assert_int_equal(record.severity, VG_EVENT_SEVERITY_LOW);
    assert_int_equal(record.created_by_user_id, 10);
    assert_true(record.times.first_event == VG_EVENT_FIXTURE_NOW);
    assert_true(record.times.engine_persisted == VG_EVENT_FIXTURE_NOW);
    assert_true(record.times.published == VG_EVENT_FIXTURE_NOW);
    assert_true(record.times.last_updated >= VG_EVENT_FIXTURE_NOW);
    assert_true(record.times.first_notified == 0);
    assert_int_equal(record.property_count, 3);
    assert_property(&record, "agent.id", "agent");
    assert_property(&record, "agent.timestamp", "1570715141521");
    assert_property(&record, "engine.timestamp", "1570715141521");
}

static void test_a_uuid_without_timestamp_is_a_new_event_each_time(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_input input = input_of(NULL);
    input.id_uuid = UUID;
    struct vg_event_id first = vg_event_fixture_submit(f, &input);
    vg_clock_manual_set(&f->clock, VG_EVENT_FIXTURE_NOW + 1);
    struct vg_event_id second = vg_event_fixture_submit(f, &input);
    assert_true(second.timestamp == first.timestamp + 1);
    assert_memory_equal(&first.uuid, &second.uuid, sizeof(first.uuid));
}

static void test_an_update_applies_and_moves_last_updated(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_input input = input_of(ID);
    input.severity = VG_EVENT_SEVERITY_HIGH;
    input.signature = "KNOWN";
    struct vg_event_id id = vg_event_fixture_submit(f, &input);
    struct vg_event_record before = read_event(f, &id);
    assert_int_equal(before.alarm_id, 41);
    vg_clock_manual_set(&f->clock, VG_EVENT_FIXTURE_NOW + 1000);
    input = input_of(ID);
    input.count = 2;
    (void)vg_event_fixture_submit(f, &input);
    struct vg_event_record after = read_event(f, &id);
    assert_int_equal(after.count, 2);
    assert_int_equal(after.severity, VG_EVENT_SEVERITY_HIGH);
    assert_true(after.times.last_updated >= VG_EVENT_FIXTURE_NOW + 1000);
    assert_true(after.times.engine_persisted == before.times.engine_persisted);
    assert_true(after.times.published == before.times.published);
    assert_int_equal(after.created_by_user_id, 10);
    assert_int_equal(after.property_count, 3);
    assert_property(&after, "engine.timestamp", "1570715141521");
}

static void test_an_update_without_change_moves_last_updated(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_input input = input_of(ID);
    struct vg_event_id id = vg_event_fixture_submit(f, &input);
    vg_clock_manual_set(&f->clock, VG_EVENT_FIXTURE_NOW + 7);
    (void)vg_event_fixture_submit(f, &input);
    assert_true(read_event(f, &id).times.last_updated == VG_EVENT_FIXTURE_NOW + 7);
}

static void test_a_final_event_ignores_submissions(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_input input = input_of(ID);
    input.finalized = true;
    input.count = 2;
    struct vg_event_id id = vg_event_fixture_submit(f, &input);
    struct vg_event_record before = read_event(f, &id);
    assert_true(vg_event_merge_is_final(&before));
    vg_clock_manual_set(&f->clock, VG_EVENT_FIXTURE_NOW + 1000);
    input.count = 9;
    struct vg_event_submission again;
    assert_int_equal(vg_event_fixture_prepare(f, &f->agent, &input, &again), VG_OK);
    assert_int_equal(vg_event_fixture_store(f, &again, 1, true), VG_OK);
    assert_int_equal(again.item.reason, VG_OK);
    assert_int_equal(again.item.verdict, VG_INGEST_UNCHANGED);
    struct vg_event_record after = read_event(f, &id);
    assert_int_equal(after.count, 2);
    assert_true(after.times.last_updated == before.times.last_updated);
}

static void test_one_bulk_may_change_one_event_twice(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_submission two[2];
    struct vg_event_input input = input_of(ID);
    char *value = vg_arena_text(&f->arena, T("v"));
    struct vg_event_input_property property = { "k", &value, 1 };
    input.properties = &property;
    input.property_count = 1;
    assert_int_equal(vg_event_fixture_prepare(f, &f->agent, &input, &two[0]), VG_OK);
    input = input_of(ID);
    input.count = 5;
    assert_int_equal(vg_event_fixture_prepare(f, &f->agent, &input, &two[1]), VG_OK);
    assert_int_equal(vg_event_fixture_store(f, two, 2, true), VG_OK);
    struct vg_event_record record = read_event(f, &two[0].part.id);
    assert_int_equal(record.count, 5);
    assert_property(&record, "k", "v");
    assert_property(&record, "agent.id", "agent");
}

static void test_a_payload_is_stored_apart(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_input input = input_of(ID);
    input.payload = "aGk=";
    input.payload_type = VG_EVENT_PAYLOAD_PCAP;
    struct vg_event_id id = vg_event_fixture_submit(f, &input);
    struct vg_event_record record = read_event(f, &id);
    assert_int_equal(record.payload_type, VG_EVENT_PAYLOAD_PCAP);
    assert_true(vg_event_flags_has(&record.flags, VG_EVENT_FLAG_HAS_PAYLOAD));
    assert_true(vg_event_flags_has(&record.flags, VG_EVENT_FLAG_HAS_PCAP));
    struct vg_key key;
    vg_event_id_payload_key(&id, &key);
    struct vg_store_value value;
    assert_int_equal(
        vg_store_get_one(f->base.store, NULL, 0, vg_key_bytes(&key), &value, NULL),
        VG_OK);
    assert_true(value.found);
    Vigil__Record__V1__EventPayload *payload =
        vigil__record__v1__event_payload__unpack(NULL, value.bytes.size, value.bytes.data);
    assert_non_null(payload);
    assert_int_equal(payload->type, VG_EVENT_PAYLOAD_PCAP);
    assert_int_equal(payload->data.len, 2);
    assert_memory_equal(payload->data.data, "hi", 2);
    vigil__record__v1__event_payload__free_unpacked(payload, NULL);
    vg_store_value_release(&value);
}

static void test_an_update_past_the_limit_is_refused_alone(void **state)
{
    struct vg_event_fixture *f = *state;
    f->rules.limits.property_bytes_max = 400;
    char text[301];
    memset(text, 'x', 300);
    text[300] = 0;
    char *value = text;
    struct vg_event_input_property property = { "a", &value, 1 };
    struct vg_event_input input = input_of(ID);
    input.properties = &property;
    input.property_count = 1;
    input.id_text = "AGGR/1/1/" UUID;
    struct vg_event_submission two[2];
    struct vg_event_input plain = input_of(ID);
    (void)vg_event_fixture_submit(f, &plain);
    f->rules.limits.property_bytes_max = 400;
    plain.count = 3;
    input.id_text = ID;
    f->rules.limits.property_bytes_max = 500;
    assert_int_equal(vg_event_fixture_prepare(f, &f->agent, &input, &two[0]), VG_OK);
    assert_int_equal(vg_event_fixture_prepare(f, &f->agent, &plain, &two[1]), VG_OK);
    f->rules.limits.property_bytes_max = 350;
    assert_int_equal(vg_event_fixture_store(f, two, 2, false), VG_OK);
    assert_int_equal(two[0].item.reason, VG_EVENT_TOO_LARGE);
    assert_int_equal(two[1].item.reason, VG_OK);
    struct vg_event_record record = read_event(f, &two[0].part.id);
    assert_int_equal(record.count, 3);
    assert_int_equal(record.property_count, 3);

    assert_int_equal(vg_event_fixture_store(f, two, 2, true), VG_EVENT_TOO_LARGE);
}

static void test_a_thousand_changes_are_told_apart(void **state)
{
    struct vg_event_fixture *f = *state;
    enum { COUNT = 1000 };
    struct vg_event_submission *many = calloc(COUNT, sizeof(*many));
    struct vg_event_input input = input_of(NULL);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(vg_event_fixture_prepare(f, &f->agent, &input, &many[i]), VG_OK);
    }
    assert_int_equal(vg_event_fixture_store(f, many, COUNT, true), VG_OK);
    vg_time last = 0;
    unsigned same = 0;
    for (size_t i = 0; i < COUNT; i++) {
        struct vg_event_record record = read_event(f, &many[i].part.id);
        assert_true(record.times.last_updated >= last);
        same = record.times.last_updated == last ? same + 1 : 1;
        assert_true(same <= 200);
        last = record.times.last_updated;
    }
    free(many);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_empty_event_has_the_defaults),
        TEST(test_a_uuid_without_timestamp_is_a_new_event_each_time),
        TEST(test_an_update_applies_and_moves_last_updated),
        TEST(test_an_update_without_change_moves_last_updated),
        TEST(test_a_final_event_ignores_submissions),
        TEST(test_one_bulk_may_change_one_event_twice),
        TEST(test_a_payload_is_stored_apart),
        TEST(test_an_update_past_the_limit_is_refused_alone),
        TEST(test_a_thousand_changes_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
