/* Cells and lines: every kind of member, what is not set, and texts that would steer a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tools/vigil/cell.h"

#include "contract_json.h"
#include "vigil/admin/v1/key.pb-c.h"
#include "vigil/events/v1/event.pb-c.h"
#include "vigil/events/v2/event.pb-c.h"

#define TEXT_MAX 4096u

static const char *text_of(struct vg_buffer *buffer)
{
    vg_buffer_append_byte(buffer, '\0');
    assert_false(buffer->failed);
    return (const char *)buffer->data;
}

static void check_cell(
    const struct vg_table *table,
    const ProtobufCMessage *message,
    const char *path,
    const char *expected)
{
    struct vg_buffer out;
    vg_buffer_init(&out, TEXT_MAX);
    vg_cell_append(table, message, path, &out);
    assert_string_equal(text_of(&out), expected);
    vg_buffer_dispose(&out);
}

static void test_cell__members_of_every_kind(void **state)
{
    (void)state;
    char name[] = "bob";
    char demo[] = "demo";
    char lab[] = "lab";
    char source[] = "10.0.0.0/8";
    char *sources[] = { source };
    Vigil__Admin__V1__Role roles[] = { VIGIL__ADMIN__V1__ROLE__ROLE_ADMIN,
                                       VIGIL__ADMIN__V1__ROLE__ROLE_EVENT_VIEWER };
    Vigil__Admin__V1__CustomerReference a = VIGIL__ADMIN__V1__CUSTOMER_REFERENCE__INIT;
    Vigil__Admin__V1__CustomerReference b = VIGIL__ADMIN__V1__CUSTOMER_REFERENCE__INIT;
    Vigil__Admin__V1__CustomerReference *customers[] = { &a, &b };
    Vigil__Admin__V1__SubjectReference user = VIGIL__ADMIN__V1__SUBJECT_REFERENCE__INIT;
    Vigil__Admin__V1__Key key = VIGIL__ADMIN__V1__KEY__INIT;
    a.short_name = demo;
    b.short_name = lab;
    b.has_id = true;
    b.id = INT64_C(9007199254740993);
    user.short_name = name;
    key.user = &user;
    key.n_roles = 2;
    key.roles = roles;
    key.n_customers = 2;
    key.customers = customers;
    key.n_sources = 1;
    key.sources = sources;
    key.has_all_customers = true;
    key.has_created_timestamp = true;
    key.created_timestamp = INT64_C(1767319445678);
    key.has_expires_timestamp = true;
    static const struct {
        const char *path;
        const char *expected;
    } rows[] = {
        { "id", "" },
        { "user.shortName", "bob" },
        { "user.id", "" },
        { "roles", "ADMIN,EVENT-VIEWER" },
        { "customers.shortName", "demo,lab" },
        { "customers.id", ",9007199254740993" },
        { "sources", "10.0.0.0/8" },
        { "allCustomers", "false" },
        { "createdTimestamp", "2026-01-02T02:04:05.678Z" },
        { "expiresTimestamp", "" }, /* 0: never */
        { "revokedTimestamp", "" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        check_cell(&vg_table_vigil_admin_v1_key, &key.base, rows[i].path, rows[i].expected);
    }
}

static void test_cell__lines_show_what_is_set(void **state)
{
    (void)state;
    char id[] = "AGGR/1/2/3";
    char key_name[] = "k";
    char one[] = "v1";
    char two[] = "v2";
    char *values[] = { one, two };
    Vigil__Events__V2__Property property = VIGIL__EVENTS__V2__PROPERTY__INIT;
    Vigil__Events__V2__Property *items[] = { &property };
    Vigil__Events__V2__PropertyList properties = VIGIL__EVENTS__V2__PROPERTY_LIST__INIT;
    Vigil__Events__V2__AssociatedCase case_one = VIGIL__EVENTS__V2__ASSOCIATED_CASE__INIT;
    Vigil__Events__V2__AssociatedCase *case_items[] = { &case_one };
    Vigil__Events__V2__AssociatedCaseList cases = VIGIL__EVENTS__V2__ASSOCIATED_CASE_LIST__INIT;
    Vigil__Events__V2__TimestampInfo timestamps = VIGIL__EVENTS__V2__TIMESTAMP_INFO__INIT;
    Vigil__Events__V2__EventFlag flags[] = { VIGIL__EVENTS__V2__EVENT_FLAG__EVENT_FLAG_FINALIZED };
    Vigil__Events__V2__Event event = VIGIL__EVENTS__V2__EVENT__INIT;
    property.key = key_name;
    property.n_values = 2;
    property.values = values;
    properties.n_items = 1;
    properties.items = items;
    case_one.has_id = true;
    case_one.id = 7;
    cases.n_items = 1;
    cases.items = case_items;
    timestamps.has_created = true;
    timestamps.created = INT64_C(1767319445678);
    event.id = id;
    event.properties = &properties;
    event.associated_cases = &cases;
    event.timestamps = &timestamps;
    event.n_flags = 1;
    event.flags = flags;
    event.has_count = true;
    event.count = 3;
    struct vg_buffer out;
    vg_buffer_init(&out, TEXT_MAX);
    vg_cell_append_lines(&vg_table_vigil_events_v2_event, &event.base, &out);
    assert_string_equal(
        text_of(&out),
        "id: AGGR/1/2/3\n"
        "associatedCases[0].id: 7\n"
        "properties.k: v1,v2\n"
        "count: 3\n"
        "flags: finalized\n"
        "timestamps.created: 2026-01-02T02:04:05.678Z\n");
    vg_buffer_dispose(&out);
}

static void test_cell__texts_cannot_steer_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *shown;
    } rows[] = {
        { "plain \xC3\xA9\xE2\x82\xAC", "plain \xC3\xA9\xE2\x82\xAC" },
        { "\x1B[2J", "\xEF\xBF\xBD[2J" },
        { "a\tb\r\nc",
          "a\xEF\xBF\xBD"
          "b\xEF\xBF\xBD\xEF\xBF\xBD"
          "c" },
        { "\x7F", "\xEF\xBF\xBD" },
        { "\xC2\x9B"
          "1m",
          "\xEF\xBF\xBD"
          "1m" },
        { "\xC2\x9F\xC2\xA0", "\xEF\xBF\xBD\xC2\xA0" },
        { "latin-\xE9", "latin-\xEF\xBF\xBD" },
        { "\x9B"
          "2J",
          "\xEF\xBF\xBD"
          "2J" },
        { "\xC2", "\xEF\xBF\xBD" },
        { "\xE2\x82 \xE2\x82\xAC", "\xEF\xBF\xBD\xEF\xBF\xBD \xE2\x82\xAC" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_buffer out;
        vg_buffer_init(&out, TEXT_MAX);
        vg_cell_append_text(vg_bytes_text(rows[i].text), &out);
        assert_string_equal(text_of(&out), rows[i].shown);
        vg_buffer_dispose(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cell__members_of_every_kind),
        cmocka_unit_test(test_cell__lines_show_what_is_set),
        cmocka_unit_test(test_cell__texts_cannot_steer_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
