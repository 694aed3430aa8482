/* What an assessment makes of an event (events-api.md 3.8, 3.9), rule by rule, and by the writer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/events/event_assessment.h"
#include "core/events/event_ingest.h"
#include "core/events/event_merge.h"
#include "core/ingest/ingest_wait.h"
#include "core/keyspace/keyspace.h"
#include "tests/support/event_fixture.h"

#include "vigil/record/v1/event.pb-c.h"

#define UUID    "1679fbfc-1792-4992-8428-3cb4df642fa8"
#define ID      "AGGR/1570715141521/1/" UUID
#define T(text) vg_bytes_text(text)
#define NOW     INT64_C(1600000000000)

struct fixture {
    struct vg_event_fixture events;
    struct vg_event_record record;
    struct vg_event_assessment what;
    uint8_t author[64];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    vg_event_fixture_open(&f->events);
    vg_event_record_init(&f->record);
    assert_int_equal(vg_event_id_parse(T(ID), &f->record.id), VG_EVENT_ID_FORM_OK);
    f->record.severity = VG_EVENT_SEVERITY_LOW;
    Vigil__Record__V1__EventUser user = VIGIL__RECORD__V1__EVENT_USER__INIT;
    user.has_id = true;
    user.id = 11;
    f->what.author_wire =
        vg_bytes(f->author, vigil__record__v1__event_user__pack(&user, f->author));
    f->what.author = (struct vg_event_author){
        .user_id = 11,
        .type = VG_EVENT_LINEAGE_ASSESSED,
        .description = T("Assessed"),
        .data_center = T("osl"),
        .secret = f->events.rules.secret,
    };
    f->what.rules = &f->events.rules;
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

static void apply(struct fixture *f, vg_time now)
{
    assert_int_equal(vg_event_assessment_apply(&f->record, &f->what, now, &f->events.arena), VG_OK);
}

static bool has(const struct fixture *f, unsigned flag)
{
    return vg_event_flags_has(&f->record.flags, flag);
}

static const char *property(struct fixture *f, const char *key)
{
    for (uint32_t i = 0; i < f->record.property_count; i++) {
        const struct vg_event_property *one = &f->record.properties[i];
        if (i > 0) {
            assert_true(vg_bytes_compare(one[-1].key, one->key) < 0);
        }
        if (vg_bytes_equal(one->key, T(key))) {
            return vg_arena_text(&f->events.arena, one->values[0]);
        }
    }
    return NULL;
}

/* --------------------------------------------------------------------------- who, when, how often
 */

static void test_every_assessment_notes_who_and_when(void **state)
{
    struct fixture *f = *state;
    apply(f, NOW);
    assert_string_equal(property(f, "argus.assessed.by.userid"), "11");
    assert_string_equal(property(f, "argus.assessed.timestamp"), "1600000000000");
    assert_true(f->record.times.first_assessed == NOW);
    assert_false(has(f, VG_EVENT_FLAG_REASSESSED));
    assert_false(has(f, VG_EVENT_FLAG_ACKNOWLEDGED));
    f->what.author.user_id = 12;
    apply(f, NOW + 5);
    assert_string_equal(property(f, "argus.assessed.by.userid"), "12");
    assert_string_equal(property(f, "argus.assessed.timestamp"), "1600000000005");
    assert_true(f->record.times.first_assessed == NOW);
    assert_true(has(f, VG_EVENT_FLAG_REASSESSED));
    assert_int_equal(f->record.property_count, 2);
}

/* --------------------------------------------------------------------------------------- flags */

static void test_flags(void **state)
{
    struct fixture *f = *state;
    const unsigned ack = VG_EVENT_FLAG_ACKNOWLEDGED;
    const unsigned part = VG_EVENT_FLAG_PARTIALLY_ACKNOWLEDGED;
    const unsigned follow = VG_EVENT_FLAG_FOLLOWUP;
    const unsigned final = VG_EVENT_FLAG_FINALIZED;
    const struct {
        unsigned before;
        unsigned enable;
        unsigned more; /* enabled too */
        unsigned disable;
        bool acknowledge;
        unsigned has;
        unsigned has_not;
    } rows[] = {
        { 0, follow, 0, 0, false, follow, ack }, { follow, 0, 0, follow, false, 0, follow },
        { follow, 0, 0, 0, false, follow, ack }, { final, 0, 0, final, false, 0, final },
        { 0, 0, 0, 0, true, ack, part },         { part, 0, 0, 0, true, ack, part },
        { 0, 0, 0, ack, true, 0, ack },          { ack, 0, 0, ack, true, 0, ack },
        { part, ack, 0, 0, false, ack, part },   { ack, part, 0, 0, false, part, ack },
        { 0, part, ack, 0, false, ack, part },   { 0, part, 0, 0, true, ack, part },
        { 0, part, 0, 0, false, part, ack },     { ack, 0, 0, part, false, ack, part },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        f->record.flags = f->what.enable = f->what.disable = (struct vg_event_flags){ 0 };
        f->record.times.first_assessed = 0;
        const struct {
            struct vg_event_flags *flags;
            unsigned flag;
        } sets[] = { { &f->record.flags, rows[i].before },
                     { &f->what.enable, rows[i].enable },
                     { &f->what.enable, rows[i].more },
                     { &f->what.disable, rows[i].disable } };
        for (size_t s = 0; s < 4; s++) {
            if (sets[s].flag != 0) {
                vg_event_flags_set(sets[s].flags, sets[s].flag);
            }
        }
        f->what.acknowledge = rows[i].acknowledge;
        apply(f, NOW);
        assert_true(rows[i].has == 0 || has(f, rows[i].has));
        assert_false(has(f, rows[i].has_not));
    }
}

static void test_severity_and_analyst(void **state)
{
    struct fixture *f = *state;
    f->what.severity = VG_EVENT_SEVERITY_LOW;
    apply(f, NOW);
    assert_false(has(f, VG_EVENT_FLAG_SEVERITY_ADJUSTED));
    assert_false(has(f, VG_EVENT_FLAG_HANDLED_BY_ANALYST));
    f->what.severity = VG_EVENT_SEVERITY_CRITICAL;
    f->what.handled_by_analyst = true;
    apply(f, NOW);
    assert_int_equal(f->record.severity, VG_EVENT_SEVERITY_CRITICAL);
    assert_true(has(f, VG_EVENT_FLAG_SEVERITY_ADJUSTED));
    assert_true(has(f, VG_EVENT_FLAG_HANDLED_BY_ANALYST));
    f->what.severity = VG_EVENT_SEVERITY_UNSET;
    apply(f, NOW);
    assert_int_equal(f->record.severity, VG_EVENT_SEVERITY_CRITICAL);
}

static void test_publication(void **state)
{
    struct fixture *f = *state;
    f->record.times.published = NOW + 1;
    apply(f, NOW);
    assert_true(f->record.times.published == NOW + 1);
    f->what.publish = true;
    apply(f, NOW);
    assert_true(f->record.times.published == NOW);
    apply(f, NOW + 50);
    assert_true(f->record.times.published == NOW);
}

/* ------------------------------------------------------------------------------------ comments */

static Vigil__Record__V1__EventCommentList *comments(struct fixture *f)
{
    Vigil__Record__V1__EventCommentList *list = vigil__record__v1__event_comment_list__unpack(
        NULL,
        f->record.comments.size,
        f->record.comments.data);
    assert_non_null(list);
    return list;
}

static size_t comment_count(struct fixture *f)
{
    Vigil__Record__V1__EventCommentList *list = comments(f);
    size_t count = list->n_items;
    vigil__record__v1__event_comment_list__free_unpacked(list, NULL);
    return count;
}

static void test_comments_are_appended(void **state)
{
    struct fixture *f = *state;
    apply(f, NOW);
    assert_int_equal(f->record.comments.size, 0);
    assert_false(has(f, VG_EVENT_FLAG_COMMENTED));
    f->what.comment = T("one");
    apply(f, NOW);
    f->what.comment = T("two \xc3\xb8");
    apply(f, NOW + 1);
    assert_true(has(f, VG_EVENT_FLAG_COMMENTED));
    Vigil__Record__V1__EventCommentList *list = comments(f);
    assert_int_equal(list->n_items, 2);
    assert_string_equal(list->items[0]->comment, "one");
    assert_string_equal(list->items[1]->comment, "two \xc3\xb8");
    assert_true(list->items[1]->timestamp == NOW + 1);
    assert_int_equal(list->items[1]->user->id, 11);
    vigil__record__v1__event_comment_list__free_unpacked(list, NULL);
}

static void test_a_repeated_comment_is_stored_once(void **state)
{
    struct fixture *f = *state;
    f->what.comment = T("same");
    apply(f, NOW);
    apply(f, NOW + VG_EVENT_COMMENT_REPEAT_MS);
    assert_int_equal(comment_count(f), 1);
    apply(f, NOW - 10); /* the clock went back */
    assert_int_equal(comment_count(f), 1);
    f->what.author.user_id = 12; /* another user: the stored id is that of the wire */
    apply(f, NOW + 1);
    assert_int_equal(comment_count(f), 2);
    f->what.author.user_id = 11;
    f->what.comment = T("other");
    apply(f, NOW + 2);
    assert_int_equal(comment_count(f), 3);
    f->what.comment = T("same");
    apply(f, NOW + 1 + VG_EVENT_COMMENT_REPEAT_MS + 1);
    assert_int_equal(comment_count(f), 4);
}

static void test_comments_that_are_none_are_told(void **state)
{
    struct fixture *f = *state;
    f->record.comments = T("\x0a\xff");
    f->what.comment = T("one");
    assert_int_equal(
        vg_event_assessment_apply(&f->record, &f->what, NOW, &f->events.arena),
        VG_STORE_CORRUPT);
}

/* --------------------------------------------------------------------------------------- cases */

static void test_cases(void **state)
{
    struct fixture *f = *state;
    static const int64_t old[] = { 1, 2, 3 };
    static const struct {
        uint32_t before;
        int64_t associate[2];
        uint32_t associate_count;
        int64_t dissociate[2];
        uint32_t dissociate_count;
        bool all;
        int64_t after[5];
        uint32_t after_count;
        bool notified;
    } rows[] = {
        { 0, { 7 }, 1, { 0 }, 0, false, { 7 }, 1, true },
        { 0, { 7, 8 }, 2, { 0 }, 0, false, { 7, 8 }, 2, true },
        { 0, { 7, 7 }, 2, { 0 }, 0, false, { 7 }, 1, true },
        { 0, { 0 }, 0, { 7 }, 1, false, { 0 }, 0, false },
        { 0, { 0 }, 0, { 0 }, 0, true, { 0 }, 0, false },
        { 3, { 7 }, 1, { 0 }, 0, false, { 7, 1, 2, 3 }, 4, true },
        { 3, { 2 }, 1, { 0 }, 0, false, { 1, 2, 3 }, 3, false },
        { 3, { 0 }, 0, { 2 }, 1, false, { 1, 3 }, 2, false },
        { 3, { 0 }, 0, { 1, 9 }, 2, false, { 2, 3 }, 2, false },
        { 3, { 0 }, 0, { 0 }, 0, true, { 0 }, 0, false },
        { 3, { 7 }, 1, { 0 }, 0, true, { 7 }, 1, true },
        { 3, { 7 }, 1, { 1 }, 1, false, { 7, 2, 3 }, 3, true },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        f->record.cases = old;
        f->record.case_count = rows[i].before;
        f->record.flags = (struct vg_event_flags){ 0 };
        f->record.times.first_notified = 0;
        f->what.associate = rows[i].associate;
        f->what.associate_count = rows[i].associate_count;
        f->what.dissociate = rows[i].dissociate;
        f->what.dissociate_count = rows[i].dissociate_count;
        f->what.dissociate_all = rows[i].all;
        apply(f, NOW);
        assert_int_equal(f->record.case_count, rows[i].after_count);
        for (uint32_t c = 0; c < rows[i].after_count; c++) {
            assert_true(f->record.cases[c] == rows[i].after[c]);
        }
        assert_true(has(f, VG_EVENT_FLAG_NOTIFIED) == rows[i].notified);
        assert_true((f->record.times.first_notified == NOW) == rows[i].notified);
    }
}

static void test_the_first_notification_stays(void **state)
{
    struct fixture *f = *state;
    static const int64_t first = 5;
    static const int64_t second = 6;
    f->what.associate = &first;
    f->what.associate_count = 1;
    apply(f, NOW);
    f->what.associate = &second;
    f->what.dissociate_all = true;
    apply(f, NOW + 9);
    assert_true(f->record.times.first_notified == NOW);
    f->what.associate_count = 0;
    apply(f, NOW + 10);
    assert_int_equal(f->record.case_count, 0);
    assert_true(has(f, VG_EVENT_FLAG_NOTIFIED));
    assert_true(f->record.times.first_notified == NOW);
}

static void test_raw_events_have_no_cases(void **state)
{
    struct fixture *f = *state;
    static const int64_t one = 5;
    f->record.id.type = VG_EVENT_TYPE_RAW;
    f->what.associate = &one;
    f->what.associate_count = 1;
    apply(f, NOW);
    assert_int_equal(f->record.case_count, 0);
    assert_false(has(f, VG_EVENT_FLAG_NOTIFIED));
}

/* ---------------------------------------------------------------------------------- properties */

static void test_properties(void **state)
{
    struct fixture *f = *state;
    const struct vg_bytes values[2] = { T("a"), T("b") };
    const struct vg_event_property own = { T("zone"), &values[0], 1 };
    const struct vg_event_property added = { T("meta.argus.assessment.x"), values, 2 };
    f->record.properties = &own;
    f->record.property_count = 1;
    f->what.properties = &added;
    f->what.property_count = 1;
    apply(f, NOW);
    assert_int_equal(f->record.property_count, 4);
    assert_string_equal(property(f, "meta.argus.assessment.x"), "a");
    assert_string_equal(property(f, "zone"), "a");
}

static void test_keys(void **state)
{
    (void)state;
    static const char *const good[] = { "a", "abc", "aB9", "a.b", "a1.bC.d", "z9.z9" };
    static const char *const bad[] = { "",    "A",   "1",   ".a",  "a.",       "a..b",
                                       "a.B", "a.1", "a b", "a-b", "\xc3\xb8", "a_b" };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(vg_event_assessment_is_key(T(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(vg_event_assessment_is_key(T(bad[i])));
    }
}

/* ------------------------------------------------------------------------------- by the writer */

struct assessed {
    struct vg_event_assessment_item items[2];
    enum vg_reason reason;
};

static void assess_two(
    struct fixture *f,
    const char *second,
    bool is_optional,
    bool all_or_nothing,
    struct assessed *out)
{
    const char *ids[] = { ID, second };
    struct vg_ingest_wait wait;
    vg_ingest_wait_init(&wait);
    wait.group.all_or_nothing = all_or_nothing;
    for (size_t i = 0; i < 2; i++) {
        struct vg_event_id id;
        assert_int_equal(vg_event_id_parse(T(ids[i]), &id), VG_EVENT_ID_FORM_OK);
        vg_event_ingest_assess(&wait.group, &out->items[i], &f->what, &id, is_optional);
    }
    bool refused = false;
    out->reason = vg_ingest_wait_run(f->events.ingest, &wait, &refused, NULL);
    assert_false(refused);
    vg_ingest_wait_dispose(&wait);
}

static struct vg_event_record stored(struct fixture *f)
{
    struct vg_event_record record;
    assert_true(vg_event_fixture_read(&f->events, &f->record.id, &record));
    return record;
}

static void submit(struct fixture *f, const char *id, bool finalized)
{
    struct vg_event_input input;
    vg_event_fixture_input(&input);
    input.id_text = id;
    input.finalized = finalized;
    (void)vg_event_fixture_submit(&f->events, &input);
}

static void test_a_final_event_is_assessed_and_searched_for(void **state)
{
    struct fixture *f = *state;
    submit(f, ID, true);
    submit(f, "AGGR/5/1/" UUID, false);
    vg_clock_manual_set(&f->events.clock, VG_EVENT_FIXTURE_NOW + 100);
    f->what.comment = T("seen");
    f->what.severity = VG_EVENT_SEVERITY_HIGH;
    struct assessed assessed;
    assess_two(f, "AGGR/5/1/" UUID, false, true, &assessed);
    assert_int_equal(assessed.reason, VG_OK);
    assert_int_equal(assessed.items[0].item.verdict, VG_INGEST_PUT);
    struct vg_event_record record = stored(f);
    assert_true(vg_event_merge_is_final(&record));
    assert_int_equal(record.severity, VG_EVENT_SEVERITY_HIGH);
    assert_true(record.times.last_updated >= VG_EVENT_FIXTURE_NOW + 100);
    assert_true(record.times.first_assessed == VG_EVENT_FIXTURE_NOW + 100);
    assert_true(record.comments.size > 0);
    /* Its lineage. */
    struct vg_event_reading reading;
    bool found = false;
    assert_int_equal(vg_event_read(&f->events.source, &record.id, &reading, &found, NULL), VG_OK);
    struct vg_event_lineage_list list;
    assert_int_equal(
        vg_event_lineage_find(
            &f->events.source,
            &reading.snapshot,
            &record,
            &f->events.arena,
            &list,
            NULL),
        VG_OK);
    assert_int_equal(list.count, 2);
    struct vg_store_value value;
    struct vg_event_lineage entry;
    assert_int_equal(
        vg_event_lineage_read(
            &f->events.source,
            &reading.snapshot,
            &record.id,
            &list.places[1],
            &value,
            &entry,
            NULL),
        VG_OK);
    assert_int_equal(entry.type, VG_EVENT_LINEAGE_ASSESSED);
    assert_int_equal(entry.user_id, 11);
    assert_true(entry.last_updated == record.times.last_updated);
    vg_store_value_release(&value);
    vg_event_reading_release(&reading);
}

static void test_all_or_none_and_each_alone(void **state)
{
    struct fixture *f = *state;
    submit(f, ID, false);
    f->what.severity = VG_EVENT_SEVERITY_HIGH;
    struct assessed assessed;
    assess_two(f, "AGGR/9/1/" UUID, false, true, &assessed);
    assert_int_equal(assessed.reason, VG_EVENT_NOT_FOUND);
    assert_int_equal(stored(f).severity, VG_EVENT_SEVERITY_LOW);
    assess_two(f, "AGGR/9/1/" UUID, false, false, &assessed);
    assert_int_equal(assessed.reason, VG_OK);
    assert_int_equal(assessed.items[0].item.reason, VG_OK);
    assert_int_equal(assessed.items[1].item.reason, VG_EVENT_NOT_FOUND);
    assert_int_equal(stored(f).severity, VG_EVENT_SEVERITY_HIGH);
    /* One that need not be there fails nothing, and is not made. */
    assess_two(f, "AGGR/9/1/" UUID, true, true, &assessed);
    assert_int_equal(assessed.reason, VG_OK);
    assert_int_equal(assessed.items[1].item.verdict, VG_INGEST_UNCHANGED);
    struct vg_event_id absent = assessed.items[1].identity.id;
    struct vg_event_record record;
    assert_false(vg_event_fixture_read(&f->events, &absent, &record));
}

static void test_an_event_past_its_limit_is_refused(void **state)
{
    struct fixture *f = *state;
    submit(f, ID, false);
    submit(f, "AGGR/5/1/" UUID, false);
    f->events.rules.limits.property_bytes_max = 10;
    struct assessed assessed;
    assess_two(f, "AGGR/5/1/" UUID, false, true, &assessed);
    assert_int_equal(assessed.reason, VG_EVENT_TOO_LARGE);
    assert_true(stored(f).times.first_assessed == 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_every_assessment_notes_who_and_when),
        TEST(test_flags),
        TEST(test_severity_and_analyst),
        TEST(test_publication),
        TEST(test_comments_are_appended),
        TEST(test_a_repeated_comment_is_stored_once),
        TEST(test_comments_that_are_none_are_told),
        TEST(test_cases),
        TEST(test_the_first_notification_stays),
        TEST(test_raw_events_have_no_cases),
        TEST(test_properties),
        TEST(test_keys),
        TEST(test_a_final_event_is_assessed_and_searched_for),
        TEST(test_all_or_none_and_each_alone),
        TEST(test_an_event_past_its_limit_is_refused),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
