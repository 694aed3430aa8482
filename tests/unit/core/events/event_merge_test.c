/* The rules of creation and update (events-api.md 3.2, 3.5), row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/events/event_merge.h"

#define T(text) vg_bytes_text(text)
#define NOW     5000

static const struct vg_event_rules rules = { .secret = { 7 } };

static const struct vg_event_limits limits = { .record_bytes_max = 4u << 20,
                                               .property_bytes_max = 1u << 20 };

struct fixture {
    struct vg_arena arena;
    struct vg_event_submission first;  /* creates */
    struct vg_event_submission second; /* updates */
};

static void empty_submission(struct vg_event_submission *submission)
{
    *submission = (struct vg_event_submission){ .rules = &rules };
    vg_event_record_init(&submission->part);
    submission->part.id = (struct vg_event_id){
        .type = VG_EVENT_TYPE_AGGREGATED,
        .timestamp = 1000,
        .customer_id = 1,
    };
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    vg_arena_init(&f->arena, 16u << 20);
    empty_submission(&f->first);
    empty_submission(&f->second);
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

static struct vg_event_record create(struct fixture *f)
{
    struct vg_event_record record;
    vg_event_merge_create(&f->first, &record);
    return record;
}

static struct vg_event_record update(struct fixture *f)
{
    struct vg_event_record record = create(f);
    assert_int_equal(vg_event_merge_update(&record, &f->second, NOW, &f->arena), VG_OK);
    return record;
}

/* ----------------------------------------------------------------------------- partial flags */

enum have { NEITHER, PARTIAL, BASE, BOTH };

static struct vg_event_flags flags_of(const struct vg_event_flag_pair *pair, enum have have)
{
    struct vg_event_flags flags = { 0 };
    if (have == BASE || have == BOTH) {
        vg_event_flags_set(&flags, pair->base);
    }
    if (have == PARTIAL || have == BOTH) {
        vg_event_flags_set(&flags, pair->partial);
    }
    return flags;
}

static void test_pairs(void **state)
{
    (void)state;
    static const struct {
        enum have before;
        bool created;
        enum have submitted;
        enum have after;
    } rows[] = {
        { NEITHER, true, BASE, BASE },        { NEITHER, true, PARTIAL, PARTIAL },
        { NEITHER, true, NEITHER, NEITHER },  { NEITHER, true, BOTH, BASE },
        { NEITHER, false, BASE, PARTIAL },    { NEITHER, false, PARTIAL, PARTIAL },
        { NEITHER, false, NEITHER, NEITHER }, { NEITHER, false, BOTH, PARTIAL },
        { PARTIAL, false, BASE, BASE },       { PARTIAL, false, PARTIAL, PARTIAL },
        { PARTIAL, false, NEITHER, PARTIAL }, { PARTIAL, false, BOTH, BASE },
        { BASE, false, BASE, BASE },          { BASE, false, PARTIAL, BASE },
        { BASE, false, NEITHER, BASE },       { BASE, false, BOTH, BASE },
    };
    for (size_t p = 0; p < VG_EVENT_FLAG_PAIR_COUNT; p++) {
        const struct vg_event_flag_pair *pair = &vg_event_flag_pairs[p];
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct vg_event_flags flags = flags_of(pair, rows[i].before);
            struct vg_event_flags submitted = flags_of(pair, rows[i].submitted);
            struct vg_event_flags expected = flags_of(pair, rows[i].after);
            vg_event_merge_pair(&flags, &submitted, pair, rows[i].created);
            if (memcmp(&flags, &expected, sizeof(flags)) != 0) {
                fail_msg("pair %zu, row %zu", p, i);
            }
        }
    }
}

static void test_the_six_pairs(void **state)
{
    (void)state;
    static const uint8_t documented[][2] = {
        { VG_EVENT_FLAG_SOURCE_IS_CUSTOMERNET, VG_EVENT_FLAG_SOURCE_IS_PARTIAL_CUSTOMERNET },
        { VG_EVENT_FLAG_DESTINATION_IS_CUSTOMERNET,
          VG_EVENT_FLAG_DESTINATION_IS_PARTIAL_CUSTOMERNET },
        { VG_EVENT_FLAG_BLOCKED, VG_EVENT_FLAG_PARTIALLY_BLOCKED },
        { VG_EVENT_FLAG_NOTIFIED, VG_EVENT_FLAG_PARTIALLY_NOTIFIED },
        { VG_EVENT_FLAG_ACKNOWLEDGED, VG_EVENT_FLAG_PARTIALLY_ACKNOWLEDGED },
        { VG_EVENT_FLAG_SSL_TERMINATED, VG_EVENT_FLAG_PARTIAL_SSL_TERMINATED },
    };
    assert_int_equal(sizeof(documented), sizeof(vg_event_flag_pairs));
    assert_memory_equal(documented, vg_event_flag_pairs, sizeof(documented));
}

static void test_update_goes_from_none_to_part_to_whole(void **state)
{
    struct fixture *f = *state;
    vg_event_flags_set(&f->second.part.flags, VG_EVENT_FLAG_SOURCE_IS_CUSTOMERNET);
    struct vg_event_record record = update(f);
    assert_true(vg_event_flags_has(&record.flags, VG_EVENT_FLAG_SOURCE_IS_PARTIAL_CUSTOMERNET));
    assert_false(vg_event_flags_has(&record.flags, VG_EVENT_FLAG_SOURCE_IS_CUSTOMERNET));
    assert_int_equal(vg_event_merge_update(&record, &f->second, NOW, &f->arena), VG_OK);
    assert_false(vg_event_flags_has(&record.flags, VG_EVENT_FLAG_SOURCE_IS_PARTIAL_CUSTOMERNET));
    assert_true(vg_event_flags_has(&record.flags, VG_EVENT_FLAG_SOURCE_IS_CUSTOMERNET));
}

/* ------------------------------------------------------------------------------------- creation */

static void test_defaults(void **state)
{
    struct vg_event_record record = create(*state);
    assert_int_equal(record.severity, VG_EVENT_SEVERITY_LOW);
    assert_int_equal(record.count, 1);
    assert_true(record.times.first_event == 1000 && record.times.last_event == 1000);
    assert_int_equal(record.protocol, VG_EVENT_NO_PROTOCOL);
    assert_null(record.signature.data);
    assert_null(record.uri.data);
    assert_int_equal(record.location_id, 0);
    assert_int_equal(record.flags.bits[0] | record.flags.bits[1], 0);
}

static void test_times_of_a_new_event(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int start, end; /* 0 = absent */
        int first, last;
    } rows[] = {
        { 0, 0, 1000, 1000 },       { 900, 0, 900, 1000 },  { 0, 1200, 1000, 1200 },
        { 900, 1200, 900, 1200 },   { 0, 800, 800, 800 },   { 1300, 0, 1300, 1300 },
        { 1300, 1400, 1300, 1400 }, { 700, 800, 700, 800 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        f->first.has_start = rows[i].start != 0;
        f->first.has_end = rows[i].end != 0;
        f->first.part.times.first_event = rows[i].start;
        f->first.part.times.last_event = rows[i].end;
        struct vg_event_record record = create(f);
        assert_int_equal(record.times.first_event, rows[i].first);
        assert_int_equal(record.times.last_event, rows[i].last);
    }
}

static void test_raw_events_count_once(void **state)
{
    struct fixture *f = *state;
    f->first.part.id.type = VG_EVENT_TYPE_RAW;
    f->first.part.count = 5;
    f->second.part.count = 7;
    struct vg_event_record record = create(f);
    assert_int_equal(record.count, 1);
    record = update(f);
    assert_int_equal(record.count, 1);
}

static void test_a_case_notifies(void **state)
{
    struct fixture *f = *state;
    static const int64_t cases[] = { 4, 9 };
    f->first.part.cases = cases;
    f->first.part.case_count = 2;
    vg_event_flags_set(&f->first.part.flags, VG_EVENT_FLAG_PARTIALLY_NOTIFIED);
    struct vg_event_record record = create(f);
    assert_true(vg_event_flags_has(&record.flags, VG_EVENT_FLAG_NOTIFIED));
    assert_false(vg_event_flags_has(&record.flags, VG_EVENT_FLAG_PARTIALLY_NOTIFIED));
}

/* --------------------------------------------------------------------------------------- update */

/* A submission with every member, all of them different with another `n`. */
static void fill(struct fixture *f, struct vg_event_submission *s, int n)
{
    char *text = vg_arena_printf(&f->arena, "text%d", n);
    struct vg_event_record *part = &s->part;
    part->signature = T(text);
    part->has_alarm = true;
    part->alarm_id = n;
    part->category_id = n + 1;
    part->severity = n;
    part->count = n;
    part->protocol = n;
    part->location_id = n;
    part->uri = T(text);
    part->domain = T(text);
    part->aggregation_key = T(text);
    part->payload_type = n;
    part->source = (struct vg_event_endpoint){ .port = n, .host = T(text), .user = T(text) };
    part->source.geo = (struct vg_event_geo){ .present = true, .country = { 'A', 'A' } };
    part->source.geo.country[1] = (char)('A' + n);
    assert_true(
        vg_network_parse(T(vg_arena_printf(&f->arena, "10.0.0.%d", n)), &part->source.network));
    part->destination = part->source;
}

static void test_absent_members_change_nothing(void **state)
{
    struct fixture *f = *state;
    fill(f, &f->first, 3);
    struct vg_event_record before = create(f);
    struct vg_event_record after = update(f);
    assert_memory_equal(&before, &after, sizeof(before));
}

static void test_given_members_replace(void **state)
{
    struct fixture *f = *state;
    fill(f, &f->first, 3);
    fill(f, &f->second, 2);
    struct vg_event_record record = update(f);
    assert_true(vg_bytes_equal(record.signature, T("text2")));
    assert_int_equal(record.alarm_id, 2);
    assert_int_equal(record.category_id, 3);
    assert_int_equal(record.severity, 2);
    assert_int_equal(record.count, 2);
    assert_int_equal(record.protocol, 2);
    assert_int_equal(record.location_id, 2);
    assert_int_equal(record.payload_type, 2);
    assert_true(vg_bytes_equal(record.uri, T("text2")));
    assert_true(vg_bytes_equal(record.domain, T("text2")));
    assert_true(vg_bytes_equal(record.aggregation_key, T("text2")));
    assert_memory_equal(&record.source, &f->second.part.source, sizeof(record.source));
    assert_memory_equal(
        &record.destination,
        &f->second.part.destination,
        sizeof(record.destination));
}

static void test_an_unknown_signature_takes_the_alarm_away(void **state)
{
    struct fixture *f = *state;
    fill(f, &f->first, 3);
    f->second.part.signature = T("nobody knows it");
    struct vg_event_record record = update(f);
    assert_false(record.has_alarm);
    assert_int_equal(record.alarm_id, 0);
}

static void test_endpoints_replace_member_by_member(void **state)
{
    struct fixture *f = *state;
    fill(f, &f->first, 3);
    f->second.part.source.port = 99;
    f->second.part.destination.host = T("other");
    struct vg_event_record record = update(f);
    assert_int_equal(record.source.port, 99);
    assert_true(vg_bytes_equal(record.source.host, T("text3")));
    assert_true(vg_bytes_equal(record.destination.host, T("other")));
    assert_int_equal(record.destination.port, 3);
    assert_true(record.source.geo.present);
}

static void test_times_of_an_update(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int start, end; /* 0 = absent; the event has 900 to 1100 */
        int first, last;
    } rows[] = {
        { 0, 0, 900, 1100 },     { 800, 0, 800, 1100 },   { 0, 1200, 900, 1200 },
        { 1000, 0, 1000, 1100 }, { 1500, 0, 1500, 1500 }, { 0, 500, 500, 500 },
        { 10, 20, 10, 20 },
    };
    f->first.has_start = f->first.has_end = true;
    f->first.part.times.first_event = 900;
    f->first.part.times.last_event = 1100;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        f->second.has_start = rows[i].start != 0;
        f->second.has_end = rows[i].end != 0;
        f->second.part.times.first_event = rows[i].start;
        f->second.part.times.last_event = rows[i].end;
        struct vg_event_record record = update(f);
        assert_int_equal(record.times.first_event, rows[i].first);
        assert_int_equal(record.times.last_event, rows[i].last);
    }
}

static void test_properties_accumulate_and_replace(void **state)
{
    struct fixture *f = *state;
    struct vg_bytes one[] = { T("1"), T("2") };
    struct vg_bytes two[] = { T("9") };
    struct vg_event_property old[] = { { T("b"), one, 2 }, { T("d"), one, 1 }, { T("e"), one, 1 } };
    struct vg_event_property new[] = { { T("a"), two, 1 }, { T("b"), two, 1 }, { T("f"), two, 1 } };
    f->first.part.properties = old;
    f->first.part.property_count = 3;
    f->second.part.properties = new;
    f->second.part.property_count = 3;
    struct vg_event_record record = update(f);
    static const char *const keys[] = { "a", "b", "d", "e", "f" };
    static const char *const values[] = { "9", "9", "1", "1", "9" };
    assert_int_equal(record.property_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_true(vg_bytes_equal(record.properties[i].key, T(keys[i])));
        assert_int_equal(record.properties[i].value_count, 1);
        assert_true(vg_bytes_equal(record.properties[i].values[0], T(values[i])));
    }
}

static void test_flags_accumulate(void **state)
{
    struct fixture *f = *state;
    vg_event_flags_set(&f->first.part.flags, VG_EVENT_FLAG_ESTABLISHED);
    vg_event_flags_set(&f->first.part.flags, VG_EVENT_FLAG_FAILURE);
    vg_event_flags_set(&f->second.part.flags, VG_EVENT_FLAG_SNAPSHOT);
    struct vg_event_record record = update(f);
    assert_true(vg_event_flags_has(&record.flags, VG_EVENT_FLAG_ESTABLISHED));
    assert_true(vg_event_flags_has(&record.flags, VG_EVENT_FLAG_FAILURE));
    assert_true(vg_event_flags_has(&record.flags, VG_EVENT_FLAG_SNAPSHOT));
}

static void test_sub_events_accumulate(void **state)
{
    struct fixture *f = *state;
    struct vg_bytes old[] = { T("RAW/2"), T("RAW/1") };
    struct vg_bytes new[] = { T("RAW/3"), T("RAW/1") };
    f->first.part.sub_events = old;
    f->first.part.sub_event_count = 2;
    f->second.part.sub_events = new;
    f->second.part.sub_event_count = 2;
    struct vg_event_record record = update(f);
    assert_int_equal(record.sub_event_count, 3);
    assert_true(vg_bytes_equal(record.sub_events[0], T("RAW/2")));
    assert_true(vg_bytes_equal(record.sub_events[2], T("RAW/3")));
}

static void test_cases_accumulate_newest_first(void **state)
{
    struct fixture *f = *state;
    static const int64_t old[] = { 5 };
    static const int64_t new[] = { 5, 8 };
    f->second.part.cases = old;
    f->second.part.case_count = 1;
    struct vg_event_record record = update(f);
    assert_int_equal(record.case_count, 1);
    assert_true(record.times.first_notified == NOW);
    assert_true(vg_event_flags_has(&record.flags, VG_EVENT_FLAG_NOTIFIED));

    f->second.part.cases = new;
    f->second.part.case_count = 2;
    assert_int_equal(vg_event_merge_update(&record, &f->second, NOW + 1, &f->arena), VG_OK);
    assert_int_equal(record.case_count, 2);
    assert_int_equal(record.cases[0], 8);
    assert_int_equal(record.cases[1], 5);
    assert_true(record.times.first_notified == NOW);
}

static void test_finalizing_still_applies(void **state)
{
    struct fixture *f = *state;
    vg_event_flags_set(&f->second.part.flags, VG_EVENT_FLAG_FINALIZED);
    f->second.part.count = 4;
    struct vg_event_record record = create(f);
    assert_false(vg_event_merge_is_final(&record));
    record = update(f);
    assert_true(vg_event_merge_is_final(&record));
    assert_int_equal(record.count, 4);
}

static void test_a_replay_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct vg_bytes values[] = { T("v") };
    struct vg_event_property property = { T("k"), values, 1 };
    static const int64_t cases[] = { 5, 6 };
    fill(f, &f->first, 3);
    vg_event_flags_set(&f->first.part.flags, VG_EVENT_FLAG_BLOCKED);
    f->first.part.properties = &property;
    f->first.part.property_count = 1;
    f->first.part.cases = cases;
    f->first.part.case_count = 2;
    struct vg_event_record once = create(f);
    once.times.first_notified = NOW;
    struct vg_event_record twice = once;
    assert_int_equal(vg_event_merge_update(&twice, &f->first, NOW + 1, &f->arena), VG_OK);
    struct vg_event_head a;
    struct vg_event_head b;
    assert_int_equal(vg_event_record_pack(&once, &limits, &f->arena, &a, NULL), VG_OK);
    assert_int_equal(vg_event_record_pack(&twice, &limits, &f->arena, &b, NULL), VG_OK);
    assert_true(vg_bytes_equal(vg_bytes(a.data, a.size), vg_bytes(b.data, b.size)));
    assert_memory_equal(&once.times, &twice.times, sizeof(once.times));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pairs),
        TEST(test_the_six_pairs),
        TEST(test_update_goes_from_none_to_part_to_whole),
        TEST(test_defaults),
        TEST(test_times_of_a_new_event),
        TEST(test_raw_events_count_once),
        TEST(test_a_case_notifies),
        TEST(test_absent_members_change_nothing),
        TEST(test_given_members_replace),
        TEST(test_an_unknown_signature_takes_the_alarm_away),
        TEST(test_endpoints_replace_member_by_member),
        TEST(test_times_of_an_update),
        TEST(test_properties_accumulate_and_replace),
        TEST(test_flags_accumulate),
        TEST(test_sub_events_accumulate),
        TEST(test_cases_accumulate_newest_first),
        TEST(test_finalizing_still_applies),
        TEST(test_a_replay_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
