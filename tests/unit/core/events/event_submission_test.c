/* What a submission must be (events-api.md 3.1, 3.3, 3.4), and what it refers to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

/* -------------------------------------------------------------------------------------- form */

/* Reads `input` and expects one violation of the field, or none. */
static struct vg_event_submission read_form(
    struct vg_event_fixture *f,
    const struct vg_event_input *input,
    const char *field)
{
    struct vg_event_submission submission;
    struct vg_event_submit_context context = vg_event_fixture_context(f, &f->agent);
    struct vg_error error;
    vg_error_init(&error, &f->arena);
    bool fine = vg_event_submission_read(&submission, input, &context, 2, &error.violations);
    if (field == NULL) {
        if (!fine) {
            fail_msg("refused: %s", error.violations.items[0].field);
        }
        return submission;
    }
    assert_false(fine);
    assert_int_equal(error.violations.count, 1);
    assert_int_equal(error.violations.items[0].reason, VG_INVALID_FIELD_VALUE);
    char path[128];
    snprintf(path, sizeof(path), "events[2].%s", field);
    assert_string_equal(error.violations.items[0].field, path);
    return submission;
}

static void test_form_of_ids(void **state)
{
    static const struct {
        const char *text;
        const char *field;
    } rows[] = {
        { "AGGR/1/1/" UUID, NULL },
        { "NIDS/1/1/" UUID, NULL },
        { "AGGR/1/1/abc", "id" },
        { "AGGR /1/1/" UUID, "id" },
        { "", "id" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_event_input input;
        vg_event_fixture_input(&input);
        input.id_text = rows[i].text;
        (void)read_form(*state, &input, rows[i].field);
    }
}

static void test_form_of_protocols(void **state)
{
    static const struct {
        const char *text;
        int number; /* -2 = refused */
    } rows[] = {
        { "tcp", 6 },  { "TCP", 6 },   { "udp", 17 }, { "icmp", 1 }, { "ip", 0 },    { "IP", 0 },
        { "esp", 50 }, { "ah", 51 },   { "0", 0 },    { "6", 6 },    { "255", 255 }, { "256", -2 },
        { "-1", -2 },  { "sctp", -2 }, { "", -2 },    { "6 ", -2 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_event_input input;
        vg_event_fixture_input(&input);
        input.protocol = rows[i].text;
        struct vg_event_submission s =
            read_form(*state, &input, rows[i].number == -2 ? "protocol" : NULL);
        if (rows[i].number != -2) {
            assert_int_equal(s.part.protocol, rows[i].number);
        }
    }
}

static void test_form_of_endpoints(void **state)
{
    static const struct {
        const char *ip;
        const char *stored; /* NULL = refused */
    } rows[] = {
        { "10.1.2.3", "10.1.2.3" },
        { "10.1.2.3/24", "10.1.2.0/24" },
        { "2001:DB8::1", "2001:db8::1" },
        { "::ffff:10.1.2.3", "10.1.2.3" },
        { "0.0.0.0/0", "0.0.0.0/0" },
        { "10.1.2", NULL },
        { "10.1.2.3/33", NULL },
        { "host", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_event_input input;
        vg_event_fixture_input(&input);
        input.source.ip = rows[i].ip;
        struct vg_event_submission s =
            read_form(*state, &input, rows[i].stored == NULL ? "source.ip" : NULL);
        if (rows[i].stored != NULL) {
            char text[VG_NETWORK_TEXT_SIZE];
            (void)vg_network_print(&s.part.source.network, text);
            assert_string_equal(text, rows[i].stored);
        }
        input.source.ip = NULL;
        input.destination.ip = rows[i].ip;
        (void)read_form(*state, &input, rows[i].stored == NULL ? "destination.ip" : NULL);
    }
}

static void test_country_is_stored_in_upper_case(void **state)
{
    struct vg_event_input input;
    vg_event_fixture_input(&input);
    input.source.geo.present = true;
    input.source.geo.country_code = "no";
    struct vg_event_submission s = read_form(*state, &input, NULL);
    assert_memory_equal(s.part.source.geo.country, "NO", 2);
    input.source.geo.country_code = "nor";
    (void)read_form(*state, &input, "source.geoLocation.countryCode");
}

static void test_domain_is_stored_in_lower_case(void **state)
{
    static const char *const rows[][2] = {
        { "WWW.Example.ORG.", "www.example.org" },
        { "example.org", "example.org" },
        { "example.org..", "example.org." },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_event_input input;
        vg_event_fixture_input(&input);
        input.fqdn = rows[i][0];
        struct vg_event_submission s = read_form(*state, &input, NULL);
        assert_true(vg_bytes_equal(s.part.domain, T(rows[i][1])));
    }
}

static void test_inverted_times_are_refused(void **state)
{
    struct vg_event_input input;
    vg_event_fixture_input(&input);
    input.has_start = input.has_end = true;
    input.start = input.end = 5;
    (void)read_form(*state, &input, NULL);
    input.start = 6;
    (void)read_form(*state, &input, "startTimestamp");
}

static void test_payloads(void **state)
{
    static const struct {
        const char *text;
        int type;
        const char *field;
        const char *stored;
    } rows[] = {
        { "aGk=", VG_EVENT_PAYLOAD_BINARY, NULL, "hi" },
        { "aGk=", VG_EVENT_PAYLOAD_STRING, NULL, "aGk=" },
        { "aGk", VG_EVENT_PAYLOAD_BINARY, "payload.payload", NULL },
        { "a_==", VG_EVENT_PAYLOAD_PCAP, "payload.payload", NULL },
        { "", VG_EVENT_PAYLOAD_ETHERNET, NULL, "" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_event_input input;
        vg_event_fixture_input(&input);
        input.payload = rows[i].text;
        input.payload_type = rows[i].type;
        struct vg_event_submission s = read_form(*state, &input, rows[i].field);
        if (rows[i].field == NULL) {
            assert_true(vg_bytes_equal(s.payload, T(rows[i].stored)));
        }
    }
}

static void test_flags_that_follow(void **state)
{
    static const struct {
        int payload_type;
        bool payload, pcap, string;
    } rows[] = {
        { VG_EVENT_PAYLOAD_NONE, false, false, false },
        { VG_EVENT_PAYLOAD_ETHERNET, true, true, false },
        { VG_EVENT_PAYLOAD_PCAP, true, true, false },
        { VG_EVENT_PAYLOAD_BINARY, true, false, false },
        { VG_EVENT_PAYLOAD_STRING, true, false, true },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_event_input input;
        vg_event_fixture_input(&input);
        input.payload = rows[i].payload_type == VG_EVENT_PAYLOAD_NONE ? NULL : "aGk=";
        input.payload_type = rows[i].payload_type;
        input.finalized = i == 0;
        struct vg_event_submission s = read_form(*state, &input, NULL);
        const struct vg_event_flags *flags = &s.part.flags;
        assert_true(vg_event_flags_has(flags, VG_EVENT_FLAG_HAS_PAYLOAD) == rows[i].payload);
        assert_true(vg_event_flags_has(flags, VG_EVENT_FLAG_HAS_PCAP) == rows[i].pcap);
        assert_true(vg_event_flags_has(flags, VG_EVENT_FLAG_HAS_STRING_PAYLOAD) == rows[i].string);
        assert_true(vg_event_flags_has(flags, VG_EVENT_FLAG_FINALIZED) == (i == 0));
    }
}

static void test_raw_events_take_neither_cases_nor_sub_events(void **state)
{
    static const int64_t one = 31;
    struct vg_event_fixture *f = *state;
    struct vg_event_input input;
    vg_event_fixture_input(&input);
    input.id_type = VG_EVENT_TYPE_RAW;
    (void)read_form(f, &input, NULL);
    input.has_case = true;
    (void)read_form(f, &input, "associatedCaseID");
    input.has_case = false;
    input.case_ids = &one;
    input.case_count = 1;
    (void)read_form(f, &input, "associatedCaseIDs");
    input.case_count = 0;
    char *id = vg_arena_text(&f->arena, T("RAW/1/1/" UUID));
    input.sub_events = &id;
    input.sub_event_count = 1;
    (void)read_form(f, &input, "subEvents");
    input.id_type = VG_EVENT_TYPE_AGGREGATED;
    (void)read_form(f, &input, NULL);
    id = vg_arena_text(&f->arena, T("RAW/1/1/x"));
    (void)read_form(f, &input, "subEvents[0]");
}

static void test_all_violations_are_told(void **state)
{
    struct vg_event_fixture *f = *state;
    char one[] = "1";
    char *values[] = { one };
    struct vg_event_input_property property = { "", values, 1 };
    struct vg_event_input input;
    vg_event_fixture_input(&input);
    input.id_text = "x";
    input.protocol = "x";
    input.source.ip = "x";
    input.destination.ip = "x";
    input.properties = &property;
    input.property_count = 1;
    input.payload = "x";
    input.payload_type = VG_EVENT_PAYLOAD_PCAP;
    struct vg_event_submission s;
    struct vg_event_submit_context context = vg_event_fixture_context(f, &f->agent);
    struct vg_error error;
    vg_error_init(&error, &f->arena);
    assert_false(vg_event_submission_read(
        &s,
        &input,
        &context,
        VG_EVENT_SUBMISSION_ALONE,
        &error.violations));
    static const char *const fields[] = { "id",         "protocol",
                                          "source.ip",  "destination.ip",
                                          "properties", "payload.payload" };
    assert_int_equal(error.violations.count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(error.violations.items[i].field, fields[i]);
    }
}

/* ---------------------------------------------------------------------------------- properties */

static char *repeat(struct vg_event_fixture *f, const char *letter, size_t count)
{
    size_t size = strlen(letter);
    char *text = vg_arena_alloc(&f->arena, size * count + 1);
    for (size_t i = 0; i < count; i++) {
        memcpy(text + i * size, letter, size);
    }
    text[size * count] = 0;
    return text;
}

static void test_keys_and_values_are_cut(void **state)
{
    struct vg_event_fixture *f = *state;
    char *values[] = { repeat(f, "\xC3\xA6", 1024), repeat(f, "\xC3\xA6", 1025) };
    struct vg_event_input_property properties[] = {
        { repeat(f, "\xC3\xA5", 50), values, 1 },
        { repeat(f, "\xC3\xA6", 51), values, 2 },
    };
    struct vg_event_input input;
    vg_event_fixture_input(&input);
    input.properties = properties;
    input.property_count = 2;
    struct vg_event_submission s = read_form(f, &input, NULL);
    assert_int_equal(s.part.property_count, 2);
    assert_int_equal(s.part.properties[0].key.size, 100);
    assert_int_equal(s.part.properties[1].key.size, 100);
    /* The longer value becomes the shorter one, which is kept once. */
    assert_int_equal(s.part.properties[1].value_count, 1);
    assert_int_equal(s.part.properties[1].values[0].size, 2048);
}

static void test_of_equal_keys_the_last_wins(void **state)
{
    struct vg_event_fixture *f = *state;
    char *first[] = { repeat(f, "1", 1) };
    char *second[] = { repeat(f, "2", 1) };
    char *none[] = { NULL };
    struct vg_event_input_property properties[] = {
        { repeat(f, "k", 51), first, 1 },
        { "b", first, 1 },
        { repeat(f, "k", 52), second, 1 },
        { "a", first, 1 },
        { "b", second, 1 },
        { "c", none, 0 },
    };
    struct vg_event_input input;
    vg_event_fixture_input(&input);
    input.properties = properties;
    input.property_count = 6;
    struct vg_event_submission s = read_form(f, &input, NULL);
    static const char *const keys[] = { "a", "b" };
    assert_int_equal(s.part.property_count, 3);
    for (size_t i = 0; i < 2; i++) {
        assert_true(vg_bytes_equal(s.part.properties[i].key, T(keys[i])));
    }
    assert_true(vg_bytes_equal(s.part.properties[1].values[0], T("2")));
    assert_true(vg_bytes_equal(s.part.properties[2].values[0], T("2")));
}

static void test_an_empty_key_is_refused(void **state)
{
    struct vg_event_fixture *f = *state;
    char *values[] = { repeat(f, "1", 1) };
    static const char *const keys[] = { "", NULL };
    for (size_t i = 0; i < 2; i++) {
        struct vg_event_input_property property = { keys[i], values, 1 };
        struct vg_event_input input;
        vg_event_fixture_input(&input);
        input.properties = &property;
        input.property_count = 1;
        (void)read_form(f, &input, "properties");
    }
}

/* The same few and many: one way compares, the other sorts. */
static void test_equal_values_are_kept_once_at_their_first_place(void **state)
{
    struct vg_event_fixture *f = *state;
    static const size_t counts[] = { 6, 600 };
    for (size_t c = 0; c < 2; c++) {
        char **values = vg_arena_alloc(&f->arena, counts[c] * sizeof(*values));
        for (size_t i = 0; i < counts[c]; i++) {
            values[i] = repeat(f, i % 3 == 0 ? "c" : i % 3 == 1 ? "a" : "b", 1);
        }
        struct vg_event_input_property property = { "k", values, counts[c] };
        struct vg_event_input input;
        vg_event_fixture_input(&input);
        input.properties = &property;
        input.property_count = 1;
        struct vg_event_submission s = read_form(f, &input, NULL);
        assert_int_equal(s.part.properties[0].value_count, 3);
        assert_true(vg_bytes_equal(s.part.properties[0].values[0], T("c")));
        assert_true(vg_bytes_equal(s.part.properties[0].values[1], T("a")));
        assert_true(vg_bytes_equal(s.part.properties[0].values[2], T("b")));
    }
}

static void test_own_default_properties_are_kept(void **state)
{
    struct vg_event_fixture *f = *state;
    char *values[] = { repeat(f, "mine", 1) };
    struct vg_event_input_property properties[] = { { "agent.id", values, 1 }, { "z", values, 1 } };
    struct vg_event_input input;
    vg_event_fixture_input(&input);
    input.properties = properties;
    input.property_count = 2;
    struct vg_event_id id = vg_event_fixture_submit(f, &input);
    struct vg_event_record record;
    assert_true(vg_event_fixture_read(f, &id, &record));
    static const char *const keys[] = { "agent.id", "agent.timestamp", "engine.timestamp", "z" };
    assert_int_equal(record.property_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(vg_bytes_equal(record.properties[i].key, T(keys[i])));
    }
    assert_true(vg_bytes_equal(record.properties[0].values[0], T("mine")));
}

/* ---------------------------------------------------------------------------------- references */

struct reference {
    const char *what;
    struct vg_event_input input;
    enum vg_reason reason;
    const char *message;
    const char *field;
};

static void check_reference(
    struct vg_event_fixture *f,
    const struct vg_principal *principal,
    const struct reference *row)
{
    struct vg_event_submission s;
    enum vg_reason reason = vg_event_fixture_prepare(f, principal, &row->input, &s);
    if (reason != row->reason) {
        fail_msg("%s: reason %d", row->what, reason);
    }
    if (reason != VG_OK) {
        assert_int_equal(s.reason, reason);
        assert_string_equal(s.message, row->message);
        assert_string_equal(s.field, row->field);
    }
}

#define INPUT(...)                                                                                 \
    {                                                                                              \
        .source = { .port = VG_EVENT_NO_PORT }, .destination = { .port = VG_EVENT_NO_PORT },       \
        __VA_ARGS__                                                                                \
    }

static void test_references(void **state)
{
    struct vg_event_fixture *f = *state;
    static const int64_t cases[] = { 31, 33, 31 };
    static const int64_t wrong[] = { 31, 99 };
    char *foreign = vg_arena_text(&f->arena, T("RAW/1/2/" UUID));
    char *own = vg_arena_text(&f->arena, T("NIDS/1/1/" UUID));
    const struct reference rows[] = {
        { "own customer", INPUT(.finalized = false), VG_OK, NULL, NULL },
        { "by id", INPUT(.id_customer = "1"), VG_OK, NULL, NULL },
        { "by name", INPUT(.id_customer = "DEMO"), VG_OK, NULL, NULL },
        { "sub-customer", INPUT(.id_customer = "sub"), VG_OK, NULL, NULL },
        { "unknown customer",
          INPUT(.id_customer = "nobody"),
          VG_INVALID_REFERENCE,
          "Invalid customer: nobody",
          "id.customer" },
        { "not covered",
          INPUT(.id_customer = "other"),
          VG_INVALID_REFERENCE,
          "Invalid customer: other",
          "id.customer" },
        { "not covered, in the text",
          INPUT(.id_text = "AGGR/1/2/" UUID),
          VG_INVALID_REFERENCE,
          "Invalid customer: 2",
          "id" },
        { "unknown, in the text",
          INPUT(.id_text = "AGGR/1/77/" UUID),
          VG_INVALID_REFERENCE,
          "Invalid customer: 77",
          "id" },
        { "foreign domain",
          INPUT(.id_customer = "demo", .id_customer_domain = "nowhere"),
          VG_INVALID_REFERENCE,
          "Invalid customerDomain: nowhere",
          "id.customerDomain" },
        { "own location", INPUT(.location = "oslo"), VG_OK, NULL, NULL },
        { "own location by id", INPUT(.location = "21"), VG_OK, NULL, NULL },
        { "global location", INPUT(.location = "everywhere"), VG_OK, NULL, NULL },
        { "location of another customer",
          INPUT(.location = "elsewhere"),
          VG_INVALID_REFERENCE,
          "Invalid location: elsewhere",
          "location" },
        { "location of the parent",
          INPUT(.id_customer = "sub", .location = "oslo"),
          VG_INVALID_REFERENCE,
          "Invalid location: oslo",
          "location" },
        { "unknown location",
          INPUT(.location = "invalid"),
          VG_INVALID_REFERENCE,
          "Invalid location: invalid",
          "location" },
        { "cases", INPUT(.case_ids = cases, .case_count = 3), VG_OK, NULL, NULL },
        { "case of another customer",
          INPUT(.has_case = true, .case_id = 32),
          VG_INVALID_REFERENCE,
          "Invalid case: 32",
          "associatedCaseID" },
        { "unknown case",
          INPUT(.case_ids = wrong, .case_count = 2),
          VG_INVALID_REFERENCE,
          "Invalid case: 99",
          "associatedCaseIDs[1]" },
        { "sub-event", INPUT(.sub_events = &own, .sub_event_count = 1), VG_OK, NULL, NULL },
        { "sub-event of another customer",
          INPUT(.sub_events = &foreign, .sub_event_count = 1),
          VG_INVALID_REFERENCE,
          "Invalid subEvent: RAW/1/2/" UUID,
          "subEvents[0]" },
        { "the first of several",
          INPUT(.location = "invalid", .has_case = true, .case_id = 99),
          VG_INVALID_REFERENCE,
          "Invalid location: invalid",
          "location" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_reference(f, &f->agent, &rows[i]);
    }
    const struct reference denied = {
        "no right to submit", INPUT(.id_customer = "demo"),
        VG_ACCESS_DENIED,     "Access denied to customer: demo",
        "id.customer",
    };
    check_reference(f, &f->viewer, &denied);
}

static void test_cases_are_united_and_read_by_name(void **state)
{
    struct vg_event_fixture *f = *state;
    static const int64_t cases[] = { 33, 31 };
    struct vg_event_input input;
    vg_event_fixture_input(&input);
    input.has_case = true;
    input.case_id = 31;
    input.case_ids = cases;
    input.case_count = 2;
    struct vg_event_submission s;
    assert_int_equal(vg_event_fixture_prepare(f, &f->agent, &input, &s), VG_OK);
    assert_int_equal(s.part.case_count, 2);
    assert_int_equal(s.part.cases[0], 31);
    assert_int_equal(s.part.cases[1], 33);
    assert_true(s.notified);

    /* A reader of the case need not hold viewEventsByCase. */
    struct vg_principal reader = { .user_id = 11, .user_name = "analyst", .customer_id = 1 };
    reader.functions = UINT64_C(1) << 3; /* submitEvent */
    reader.customers = f->agent.customers;
    reader.customer_count = 1;
    input.case_count = 0;
    assert_int_equal(vg_event_fixture_prepare(f, &reader, &input, &s), VG_OK);
    input.case_id = 33;
    assert_int_equal(vg_event_fixture_prepare(f, &reader, &input, &s), VG_INVALID_REFERENCE);
}

static void test_a_full_arena_is_an_error(void **state)
{
    struct vg_event_fixture *f = *state;
    struct vg_event_input input;
    vg_event_fixture_input(&input);
    input.fqdn = "example.org";
    struct vg_arena small;
    struct vg_event_submission s;
    struct vg_event_submit_context context = vg_event_fixture_context(f, &f->agent);
    for (size_t bytes = 0; bytes < 8192; bytes += 64) {
        vg_arena_init(&small, bytes);
        context.arena = &small;
        struct vg_error error;
        vg_error_init(&error, &f->arena);
        if (vg_event_submission_read(
                &s,
                &input,
                &context,
                VG_EVENT_SUBMISSION_ALONE,
                &error.violations)) {
            enum vg_reason reason = vg_event_submission_resolve(&s, &input, &context);
            if (reason == VG_OK) {
                reason = vg_event_submission_prepare(&s, &context);
            }
            assert_true(reason == VG_OK || reason == VG_REQUEST_MEMORY);
        } else {
            assert_int_equal(error.violations.items[0].reason, VG_REQUEST_MEMORY);
        }
        vg_arena_dispose(&small);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_form_of_ids),
        TEST(test_form_of_protocols),
        TEST(test_form_of_endpoints),
        TEST(test_country_is_stored_in_upper_case),
        TEST(test_domain_is_stored_in_lower_case),
        TEST(test_inverted_times_are_refused),
        TEST(test_payloads),
        TEST(test_flags_that_follow),
        TEST(test_raw_events_take_neither_cases_nor_sub_events),
        TEST(test_all_violations_are_told),
        TEST(test_keys_and_values_are_cut),
        TEST(test_of_equal_keys_the_last_wins),
        TEST(test_an_empty_key_is_refused),
        TEST(test_equal_values_are_kept_once_at_their_first_place),
        TEST(test_own_default_properties_are_kept),
        TEST(test_references),
        TEST(test_cases_are_united_and_read_by_name),
        TEST(test_a_full_arena_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
