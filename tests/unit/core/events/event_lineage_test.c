/* What stored changes of events leave in their lineage, and what leaves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/events/event_lineage.h"
#include "core/keyspace/keyspace.h"
#include "tests/support/event_fixture.h"

#include "vigil/record/v1/event.pb-c.h"

#define UUID    "1679fbfc-1792-4992-8428-3cb4df642fa8"
#define ID      "AGGR/1570715141521/1/" UUID
#define T(text) vg_bytes_text(text)

#define ENTRIES_MAX 16

struct found {
    struct vg_event_fixture *fixture;
    struct vg_event_lineage entries[ENTRIES_MAX];
    uint32_t numbers[ENTRIES_MAX];
    size_t count;
};

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

static bool note_entry(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct found *found = owner;
    struct vg_event_identity identity;
    uint64_t revision;
    assert_true(found->count < ENTRIES_MAX);
    assert_true(vg_key_parse_lineage(key, &identity, &revision, &found->numbers[found->count]));
    struct vg_event_lineage *entry = &found->entries[found->count++];
    char *copy = vg_arena_text(&found->fixture->arena, value);
    assert_int_equal(vg_event_lineage_unpack(vg_bytes(copy, value.size), entry, NULL), VG_OK);
    return true;
}

static struct found lineage_of(struct vg_event_fixture *f, const struct vg_event_id *id)
{
    struct found found = { .fixture = f };
    struct vg_key prefix;
    vg_event_id_lineage_prefix(id, &prefix);
    const struct vg_store_range range = { .prefix = vg_key_bytes(&prefix) };
    assert_int_equal(vg_store_scan(f->base.store, &range, note_entry, &found, NULL, NULL), VG_OK);
    return found;
}

static void test_a_creation_leaves_none(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_input input = input_of(ID);
    struct vg_event_id id = vg_event_fixture_submit(f, &input);
    assert_int_equal(lineage_of(f, &id).count, 0);
    struct vg_event_record record;
    assert_true(vg_event_fixture_read(f, &id, &record));
    struct vg_event_lineage created =
        vg_event_lineage_creation(&record, record.times.last_updated, f->rules.secret, T("osl"));
    assert_int_equal(created.type, VG_EVENT_LINEAGE_CREATED);
    assert_int_equal(created.user_id, 10);
    assert_true(created.created == VG_EVENT_FIXTURE_NOW);
    assert_true(created.last_updated == record.times.last_updated);
}

static void test_an_update_leaves_one(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_input input = input_of(ID);
    struct vg_event_id id = vg_event_fixture_submit(f, &input);
    struct vg_event_record before;
    assert_true(vg_event_fixture_read(f, &id, &before));
    vg_clock_manual_set(&f->clock, VG_EVENT_FIXTURE_NOW + 7);
    (void)vg_event_fixture_submit(f, &input);
    struct found found = lineage_of(f, &id);
    assert_int_equal(found.count, 1);
    const struct vg_event_lineage *entry = &found.entries[0];
    assert_int_equal(entry->type, VG_EVENT_LINEAGE_UPDATED);
    assert_int_equal(entry->user_id, 10);
    assert_true(entry->created == VG_EVENT_FIXTURE_NOW + 7);
    assert_true(entry->last_updated == VG_EVENT_FIXTURE_NOW + 7);
    assert_true(entry->previous_updated == before.times.last_updated);
    assert_true(vg_bytes_equal(entry->data_center, T("osl")));
    assert_true(vg_bytes_equal(entry->description, T("Updated by submission")));
    assert_int_equal(entry->id.bytes[6] >> 4, 8);
    struct vg_event_record after;
    assert_true(vg_event_fixture_read(f, &id, &after));
    struct vg_event_lineage created =
        vg_event_lineage_creation(&after, entry->previous_updated, f->rules.secret, T("osl"));
    assert_true(created.last_updated == before.times.last_updated);
    assert_memory_not_equal(&created.id, &entry->id, sizeof(created.id));
}

static void test_changes_in_one_batch_leave_one_each(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_input input = input_of(ID);
    struct vg_event_submission three[3];
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(vg_event_fixture_prepare(f, &f->agent, &input, &three[i]), VG_OK);
    }
    assert_int_equal(vg_event_fixture_store(f, three, 3, true), VG_OK);
    struct found found = lineage_of(f, &three[0].part.id);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.numbers[0], 1);
    assert_int_equal(found.numbers[1], 2);
    assert_memory_not_equal(&found.entries[0].id, &found.entries[1].id, 16);
}

static void test_what_is_not_stored_leaves_none(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_input input = input_of(ID);
    struct vg_event_id id = vg_event_fixture_submit(f, &input);
    /* Refused: past the limit. */
    struct vg_event_submission big;
    assert_int_equal(vg_event_fixture_prepare(f, &f->agent, &input, &big), VG_OK);
    f->rules.limits.property_bytes_max = 10;
    assert_int_equal(vg_event_fixture_store(f, &big, 1, false), VG_OK);
    assert_int_equal(big.item.reason, VG_EVENT_TOO_LARGE);
    f->rules.limits.property_bytes_max = 1u << 20;
    assert_int_equal(lineage_of(f, &id).count, 0);
    /* Ignored: the event is final. */
    input.finalized = true;
    (void)vg_event_fixture_submit(f, &input);
    assert_int_equal(lineage_of(f, &id).count, 1);
    (void)vg_event_fixture_submit(f, &input);
    assert_int_equal(lineage_of(f, &id).count, 1);
}

static void test_entries_of_another_event_are_not_found(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_input input = input_of(ID);
    struct vg_event_id id = vg_event_fixture_submit(f, &input);
    (void)vg_event_fixture_submit(f, &input);
    input = input_of("RAW/1570715141521/1/" UUID);
    struct vg_event_id raw = vg_event_fixture_submit(f, &input);
    assert_int_equal(lineage_of(f, &id).count, 1);
    assert_int_equal(lineage_of(f, &raw).count, 0);
}

/* The packed form is that of the .proto. */
static void test_the_packed_form(void **state)
{
    (void)state;
    uint8_t id[16] = { 1, 2, 3 };
    char description[] = "words";
    char place[] = "svg";
    Vigil__Record__V1__LineageEntry entry = VIGIL__RECORD__V1__LINEAGE_ENTRY__INIT;
    entry.has_id = true;
    entry.id = (ProtobufCBinaryData){ sizeof(id), id };
    entry.has_type = true;
    entry.type = VIGIL__RECORD__V1__LINEAGE_TYPE__LINEAGE_TYPE_ASSESSED;
    entry.has_created_timestamp = entry.has_created_by_user_id = true;
    entry.created_timestamp = 5;
    entry.created_by_user_id = 6;
    entry.has_event_last_updated_timestamp = entry.has_event_previous_updated_timestamp = true;
    entry.event_last_updated_timestamp = 7;
    entry.event_previous_updated_timestamp = 8;
    entry.description = description;
    entry.data_center = place;
    uint8_t packed[128];
    size_t size = vigil__record__v1__lineage_entry__pack(&entry, packed);
    struct vg_event_lineage read;
    assert_int_equal(vg_event_lineage_unpack(vg_bytes(packed, size), &read, NULL), VG_OK);
    assert_memory_equal(read.id.bytes, id, sizeof(id));
    assert_int_equal(read.type, VG_EVENT_LINEAGE_ASSESSED);
    assert_true(read.created == 5 && read.user_id == 6);
    assert_true(read.last_updated == 7 && read.previous_updated == 8);
    assert_true(vg_bytes_equal(read.description, T("words")));
    assert_true(vg_bytes_equal(read.data_center, T("svg")));
    assert_int_equal(
        vg_event_lineage_unpack(vg_bytes(packed, size - 1), &read, NULL),
        VG_STORE_CORRUPT);
    packed[1] = 15; /* an id that is none */
    assert_int_equal(vg_event_lineage_unpack(vg_bytes(packed, 17), &read, NULL), VG_STORE_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_creation_leaves_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_update_leaves_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_changes_in_one_batch_leave_one_each,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_stored_leaves_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_entries_of_another_event_are_not_found,
            set_up,
            tear_down),
        cmocka_unit_test(test_the_packed_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
