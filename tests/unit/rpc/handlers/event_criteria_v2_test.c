/* Criteria of v2, from the JSON a client writes to the events found (events-api.md 4.2 to 4.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/events/criteria_id.h"
#include "core/events/event_search.h"
#include "gateway/json/json_read.h"
#include "proto/contract_json.h"
#include "rpc/handlers/event_criteria_v1.h"
#include "rpc/handlers/event_criteria_v2.h"
#include "tests/support/event_fixture.h"

#define UUID_OF(n) "1679fbfc-1792-4992-8428-3cb4df642f0" #n
#define DAY        "1570665600000" /* the day everything is stored on, in UTC */

#define ENDPOINT(ip_, port_, country_)                                                             \
    {                                                                                              \
        .ip = (ip_), .port = (port_), .geo = {                                                     \
            .present = (country_) != NULL,                                                         \
            .country_code = (country_)                                                             \
        }                                                                                          \
    }
#define NO_ENDPOINT ENDPOINT(NULL, VG_EVENT_NO_PORT, NULL)
#define FLAG(flag)                                                                                 \
    {                                                                                              \
        {                                                                                          \
            UINT64_C(1) << (VG_EVENT_FLAG_##flag - 1), 0                                           \
        }                                                                                          \
    }

static const int64_t case_31[] = { 31 };
static const int64_t case_33[] = { 33 };
static char *const values_xy[] = { (char[]){ "x" }, (char[]){ "y" } };
static char *const value_x[] = { (char[]){ "x" } };
static char *const value_words[] = { (char[]){ "Hello, World of-words" } };
static const struct vg_event_input_property properties_d[] = {
    { "k", values_xy, 2 },
    { "text", value_words, 1 },
};
static const struct vg_event_input_property property_e = { "k", value_x, 1 };
static const struct vg_event_input_property property_g = { "q", value_x, 1 };

/*
 * The events, by the letter the tests call them:
 *   a  plain                                        1000
 *   b  10.1.2.3:1024 NO (customer) → 10.9.0.1:443 SE   2000, observed 1900 to 2500
 *   c  10.9.0.1:443 NO → 10.1.2.0/24 (customer), KNOWN, blocked  3000
 *   d  IPv6 host, critical, properties k: x, y and text  4000
 *   e  of case 31, domain, k: x                     5000
 *   f  of customer sub                              6000
 *   g  raw, q: x                                    7000
 *   h  of case 33                                   8000
 */
static const struct vg_event_input events[] = {
    { .id_text = "AGGR/1000/1/" UUID_OF(1), .source = NO_ENDPOINT, .destination = NO_ENDPOINT },
    { .id_text = "AGGR/2000/1/" UUID_OF(2),
      .has_start = true,
      .start = 1900,
      .has_end = true,
      .end = 2500,
      .severity = VG_EVENT_SEVERITY_HIGH,
      .signature = "B",
      .flags = FLAG(SOURCE_IS_CUSTOMERNET),
      .source = ENDPOINT("10.1.2.3", 1024, "no"),
      .destination = ENDPOINT("10.9.0.1", 443, "se") },
    { .id_text = "AGGR/3000/1/" UUID_OF(3),
      .signature = "KNOWN",
      .flags = { { UINT64_C(1) << (VG_EVENT_FLAG_BLOCKED - 1) |
                       UINT64_C(1) << (VG_EVENT_FLAG_DESTINATION_IS_CUSTOMERNET - 1),
                   0 } },
      .source = ENDPOINT("10.9.0.1", 443, "no"),
      .destination = ENDPOINT("10.1.2.0/24", 80, NULL) },
    { .id_text = "AGGR/4000/1/" UUID_OF(4),
      .severity = VG_EVENT_SEVERITY_CRITICAL,
      .properties = properties_d,
      .property_count = 2,
      .source = ENDPOINT("2001:db8::1", 65535, NULL),
      .destination = NO_ENDPOINT },
    { .id_text = "AGGR/5000/1/" UUID_OF(5),
      .case_ids = case_31,
      .case_count = 1,
      .fqdn = "WWW.Example.org.",
      .properties = &property_e,
      .property_count = 1,
      .source = NO_ENDPOINT,
      .destination = NO_ENDPOINT },
    { .id_text = "AGGR/6000/3/" UUID_OF(6), .source = NO_ENDPOINT, .destination = NO_ENDPOINT },
    { .id_text = "RAW/7000/1/" UUID_OF(7),
      .properties = &property_g,
      .property_count = 1,
      .source = NO_ENDPOINT,
      .destination = NO_ENDPOINT },
    { .id_text = "AGGR/8000/1/" UUID_OF(8),
      .case_ids = case_33,
      .case_count = 1,
      .source = NO_ENDPOINT,
      .destination = NO_ENDPOINT },
};

static int set_up(void **state)
{
    struct vg_event_fixture *f = calloc(1, sizeof(*f));
    vg_event_fixture_open(f);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        vg_clock_manual_set(&f->clock, VG_EVENT_FIXTURE_NOW + (int64_t)i * 10);
        (void)vg_event_fixture_submit(f, &events[i]);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    vg_event_fixture_close(*state);
    free(*state);
    return 0;
}

/* ------------------------------------------------------------------------------------ searching */

static ProtobufCMessage *read_message(
    struct vg_event_fixture *f,
    const struct vg_table *table,
    const char *json)
{
    ProtobufCMessage *message = NULL;
    struct vg_error error;
    vg_error_init(&error, &f->arena);
    enum vg_reason reason =
        vg_json_read(table, vg_bytes_text(json), &vg_json_documented, &f->arena, &message, &error);
    if (reason != VG_OK) {
        fail_msg("%s: %s", json, error.message);
    }
    return message;
}

static void read_v2(
    struct vg_event_fixture *f,
    const char *json,
    struct vg_event_criteria *out_criteria)
{
    const ProtobufCMessage *message =
        read_message(f, &vg_table_vigil_events_v2_search_request, json);
    assert_true(vg_event_criteria_v2_read(message, &f->arena, out_criteria));
    vg_event_criteria_v2_read_index(message, out_criteria);
}

static enum vg_reason find(
    struct vg_event_fixture *f,
    const struct vg_principal *principal,
    const struct vg_event_criteria *criteria,
    char found[32],
    struct vg_error *error)
{
    static const struct vg_event_sort oldest_first = { VG_EVENT_SORT_TIMESTAMP, false };
    const struct vg_event_criteria_context context = {
        .directory = f->snapshot,
        .principal = principal,
        .secret = f->rules.secret,
        .now = vg_clock_now(&f->clock.clock),
        .function = UINT64_C(1) << 1,
        .arena = &f->arena,
    };
    struct vg_event_search asked = { .sort = &oldest_first, .sort_count = 1, .limit = 25 };
    struct vg_event_cursor cursor;
    vg_error_init(error, &f->arena);
    enum vg_reason reason = vg_event_criteria_compile(criteria, &context, &asked.where, error);
    if (reason == VG_OK) {
        reason = vg_event_search_run(&f->source, &asked, &f->arena, &cursor, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    size_t used = 0;
    bool end = false;
    while (!end) {
        struct vg_event_id id;
        struct vg_bytes record;
        assert_int_equal(vg_event_cursor_next(&cursor, &id, &record, &end, error), VG_OK);
        if (!end) {
            found[used++] = (char)('a' + (id.uuid.bytes[15] & 0xF) - 1);
        }
    }
    found[used] = 0;
    assert_int_equal(cursor.match_count, used);
    vg_event_cursor_close(&cursor);
    return VG_OK;
}

struct row {
    const char *json;
    const char *expected;
};

static void check_rows(
    struct vg_event_fixture *f,
    const struct vg_principal *principal,
    const struct row *rows,
    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vg_event_criteria criteria;
        struct vg_error error;
        char found[32];
        read_v2(f, rows[i].json, &criteria);
        enum vg_reason reason = find(f, principal, &criteria, found, &error);
        if (reason != VG_OK) {
            fail_msg("%s: reason %d, %s", rows[i].json, reason, error.message);
        }
        if (strcmp(found, rows[i].expected) != 0) {
            fail_msg("%s: found %s, expected %s", rows[i].json, found, rows[i].expected);
        }
    }
}

#define CHECK(rows)                                                                                \
    check_rows(                                                                                    \
        *state,                                                                                    \
        &((struct vg_event_fixture *)*state)->admin,                                               \
        rows,                                                                                      \
        sizeof(rows) / sizeof((rows)[0]))

static void test_members(void **state)
{
    static const struct row rows[] = {
        { "{}", "abcdefgh" },
        { "{\"type\":[],\"customer\":null,\"attack\":[],\"endpoint\":[],\"property\":[]}",
          "abcdefgh" },
        { "{\"type\":\"raw\"}", "g" },
        { "{\"type\":[\"aggregated\"]}", "abcdefh" },
        { "{\"type\":[\"aggregated\",\"raw\"]}", "abcdefgh" },
        { "{\"customer\":3}", "f" },
        { "{\"customer\":[\"SUB\",\"nobody\"]}", "f" },
        { "{\"customer\":[\"nobody\"]}", "" },
        { "{\"productionCustomers\":false}", "" },
        { "{\"productionCustomers\":true}", "abcdefgh" },
        { "{\"eventIdentifier\":[\"AGGR/2000/1/" UUID_OF(2) "\",\"NIDS/7000/1/" UUID_OF(7) "\"]}",
          "bg" },
        { "{\"eventIdentifier\":[\"RAW/2000/1/" UUID_OF(2) "\"]}", "" },
        { "{\"severity\":[\"high\",\"critical\"]}", "bd" },
        { "{\"associatedCase\":[31]}", "e" },
        { "{\"associatedCase\":[0,33]}", "abcdfgh" },
        { "{\"domain\":[\"www.EXAMPLE.org\"]}", "e" },
        { "{\"includeFlag\":[\"blocked\"]}", "c" },
        { "{\"includeFlag\":[\"blocked\",\"followup\"]}", "" },
        { "{\"excludeFlag\":[\"blocked\",\"followup\",\"notified\"]}", "abdfg" },
        { "{\"includeUnpublished\":false}", "abcdefgh" },
    };
    CHECK(rows);
}

static void test_times(void **state)
{
    static const struct row rows[] = {
        { "{\"startTimestamp\":2000,\"endTimestamp\":3000}", "bc" },
        { "{\"startTimestamp\":2001,\"endTimestamp\":2999}", "" },
        { "{\"startTimestamp\":7000}", "gh" },
        { "{\"endTimestamp\":1000}", "a" },
        { "{\"startTimestamp\":3000,\"endTimestamp\":2000}", "" },
        { "{\"timeFieldStrategy\":[],\"startTimestamp\":2400,\"endTimestamp\":2600}", "" },
        { "{\"timeFieldStrategy\":\"lastEvent\",\"startTimestamp\":2400,\"endTimestamp\":2600}",
          "b" },
        { "{\"timeFieldStrategy\":\"firstEvent\",\"startTimestamp\":1900,\"endTimestamp\":1999}",
          "b" },
        { "{\"timeFieldStrategy\":[\"created\",\"lastEvent\"],\"startTimestamp\":2500,"
          "\"endTimestamp\":3000}",
          "bc" },
        { "{\"timeFieldStrategy\":[\"created\",\"lastEvent\"],\"timeMatchStrategy\":\"all\","
          "\"startTimestamp\":2500,\"endTimestamp\":3000}",
          "c" },
        { "{\"timeFieldStrategy\":[\"created\",\"firstAssessment\"],\"timeMatchStrategy\":\"all\","
          "\"endTimestamp\":2000}",
          "ab" },
        { "{\"timeFieldStrategy\":\"firstAssessment\",\"startTimestamp\":0}", "" },
        { "{\"timeFieldStrategy\":\"firstAssessment\",\"timeMatchStrategy\":\"all\","
          "\"startTimestamp\":0}",
          "" },
        { "{\"timeFieldStrategy\":\"firstAssessment\",\"timeMatchStrategy\":\"all\"}", "abcdefgh" },
        { "{\"timeFieldStrategy\":\"enginePersisted\",\"startTimestamp\":1570715141521,"
          "\"endTimestamp\":1570715141531}",
          "ab" },
        { "{\"timeFieldStrategy\":\"lastUpdated\",\"startTimestamp\":1570715141591}", "h" },
        { "{\"timeFieldStrategy\":\"published\",\"endTimestamp\":1570715141521}", "a" },
        { "{\"timeFieldStrategy\":\"all\",\"endTimestamp\":1000}", "a" },
        { "{\"timeFieldStrategy\":\"all\",\"timeMatchStrategy\":\"all\",\"endTimestamp\":1000}",
          "" },
        { "{\"indexStartTimestamp\":" DAY ",\"indexEndTimestamp\":" DAY "}", "abcdefgh" },
        { "{\"indexStartTimestamp\":1570752000000}", "" },
        { "{\"indexEndTimestamp\":1570665599999}", "" },
    };
    CHECK(rows);
}

static void test_attack(void **state)
{
    static const struct row rows[] = {
        { "{\"attack\":[{\"signature\":[\"B\",\"none\"]}]}", "b" },
        { "{\"attack\":{\"alarm\":41}}", "c" },
        { "{\"attack\":{\"alarm\":[\"ALARM\",\"99\"]}}", "c" },
        { "{\"attack\":{\"alarm\":\"unknown\"}}", "" },
        { "{\"attack\":{\"attackCategory\":[\"category\"]}}", "c" },
        { "{\"attack\":{\"attackCategory\":[42]}}", "c" },
        { "{\"attack\":{\"attackCategory\":[42],\"signature\":[\"B\"]}}", "" },
        { "{\"attack\":[{\"signature\":[\"B\"]},{\"alarm\":[41]}]}", "bc" },
        { "{\"attack\":[{\"signature\":[\"B\"]},{\"alarm\":[41],\"required\":true}]}", "" },
        { "{\"attack\":[{\"signature\":[\"B\",\"KNOWN\"],\"required\":true},"
          "{\"alarm\":[41],\"exclude\":true}]}",
          "b" },
        { "{\"attack\":[{\"alarm\":[41],\"exclude\":true}]}", "abdefgh" },
        { "{\"attack\":[{\"alarm\":[41],\"exclude\":true,\"required\":true}]}", "abdefgh" },
        { "{\"attack\":[{\"exclude\":true},{\"alarm\":null,\"exclude\":true}]}", "abcdefgh" },
        { "{\"attack\":[{},{\"signature\":[\"B\"]}]}", "b" },
    };
    CHECK(rows);
}

static void test_endpoint(void **state)
{
    static const struct row rows[] = {
        { "{\"endpoint\":[{\"ip\":[\"10.1.2.0/24\"]}]}", "bc" },
        { "{\"endpoint\":[{\"ip\":\"10.1.2.3\"}]}", "bc" },
        { "{\"endpoint\":[{\"ip\":\"10.1.2.3\",\"minMaskBits\":25}]}", "b" },
        { "{\"endpoint\":[{\"ip\":\"10.1.2.0/24\",\"minMaskBits\":25}]}", "bc" },
        { "{\"endpoint\":[{\"ip\":\"10.1.2.0/24\",\"endpointFieldStrategy\":\"source\"}]}", "b" },
        { "{\"endpoint\":[{\"ip\":\"10.1.2.0/24\",\"endpointFieldStrategy\":\"destination\"}]}",
          "c" },
        { "{\"endpoint\":[{\"ip\":\"10.1.2.0/24\",\"endpointFieldStrategy\":\"all\"}]}", "bc" },
        { "{\"endpoint\":[{\"port\":[443]}]}", "bc" },
        /* All members by one endpoint: b has this port and this country on two. */
        { "{\"endpoint\":[{\"port\":[\"443\"],\"countryCode\":[\"NO\"]}]}", "c" },
        { "{\"endpoint\":[{\"port\":[443],\"countryCode\":[\"se\"]}]}", "b" },
        { "{\"endpoint\":[{\"port\":[443],\"ip\":\"10.1.2.0/24\"}]}", "" },
        { "{\"endpoint\":[{\"includeFlag\":[\"isCustomerNet\"]}]}", "bc" },
        { "{\"endpoint\":[{\"includeFlag\":[\"isCustomerNet\"],\"port\":[443]}]}", "" },
        { "{\"endpoint\":[{\"excludeFlag\":[\"isCustomerNet\"],\"port\":[443]}]}", "bc" },
        { "{\"endpoint\":[{\"excludeFlag\":[\"isCustomerNet\"],\"countryCode\":[\"NO\"]}]}", "c" },
        { "{\"endpoint\":[{\"includeFlag\":[\"isCustomerNet\"],"
          "\"endpointFieldStrategy\":\"destination\"}]}",
          "c" },
        { "{\"endpoint\":[{\"includeFlag\":[\"isCustomerNet\",\"isManagedBySoc\"]}]}", "" },
        { "{\"endpoint\":[{\"ip\":\"::/0\"}]}", "d" },
        { "{\"endpoint\":[{\"minMaskBits\":0}]}", "bcd" },
        { "{\"endpoint\":[{\"minMaskBits\":25,\"endpointFieldStrategy\":\"destination\"}]}", "b" },
        { "{\"endpoint\":[{\"minMaskBits\":128}]}", "d" },
        { "{\"endpoint\":[{\"port\":[443],\"exclude\":true}]}", "adefgh" },
        { "{\"endpoint\":[{\"exclude\":true,\"endpointFieldStrategy\":\"source\"}]}", "abcdefgh" },
        { "{\"endpoint\":[{\"port\":[1024]},{\"port\":[80]}]}", "bc" },
        { "{\"endpoint\":[{\"port\":[1024],\"required\":true},{\"port\":[443],\"required\":true}]}",
          "b" },
    };
    CHECK(rows);
}

static void test_property(void **state)
{
    static const struct row rows[] = {
        { "{\"property\":[{\"key\":\"k\"}]}", "de" },
        { "{\"property\":[{\"key\":\"k\",\"value\":[\"y\",\"no\"]}]}", "d" },
        { "{\"property\":[{\"key\":\"k\",\"value\":[\"X\"]}]}", "" },
        { "{\"property\":[{\"key\":\"k\",\"value\":[\"x\",\"y\"]}]}", "de" },
        { "{\"property\":[{\"key\":\"k\",\"value\":[\"x\",\"y\"],\"valueMatchStrategy\":\"all\"}]}",
          "d" },
        { "{\"property\":[{\"value\":[\"x\"],\"valueMatchStrategy\":\"any\","
          "\"valueSearchStrategy\":\"exact\"}]}",
          "deg" },
        { "{\"property\":[{\"value\":[\"x\",\"Hello, World of-words\"],"
          "\"valueMatchStrategy\":\"all\"}]}",
          "d" },
        { "{\"property\":[{\"value\":[\"Hello\"]}]}", "" },
        { "{\"property\":[{\"value\":[\"WORLD hello\"],\"valueSearchStrategy\":\"tokenized\"}]}",
          "d" },
        { "{\"property\":[{\"key\":\"text\",\"value\":[\"of\",\"nothing\"],"
          "\"valueSearchStrategy\":\"tokenized\"}]}",
          "d" },
        { "{\"property\":[{\"key\":\"text\",\"value\":[\"of\",\"nothing\"],"
          "\"valueMatchStrategy\":\"all\",\"valueSearchStrategy\":\"tokenized\"}]}",
          "" },
        { "{\"property\":[{\"key\":\"k\",\"value\":[\"of\"],"
          "\"valueSearchStrategy\":\"tokenized\"}]}",
          "" },
        { "{\"property\":[{\"value\":[\"words\"],\"valueSearchStrategy\":\"tokenized\","
          "\"exclude\":true}]}",
          "abcefgh" },
        { "{\"property\":[{\"key\":\"k\",\"exclude\":true},{\"key\":\"q\"}]}", "g" },
    };
    CHECK(rows);
}

static void test_sub_criteria(void **state)
{
    static const struct row rows[] = {
        { "{\"subCriteria\":[{\"severity\":\"high\"},{\"customer\":\"sub\"}]}", "bf" },
        { "{\"subCriteria\":[{\"severity\":\"high\"},{\"customer\":\"sub\",\"required\":true}]}",
          "" },
        { "{\"subCriteria\":[{\"type\":\"raw\",\"exclude\":true}]}", "abcdefh" },
        { "{\"subCriteria\":[{\"exclude\":true,\"customer\":null}]}", "abcdefgh" },
        { "{\"customer\":\"demo\",\"subCriteria\":[{\"endpoint\":[{\"port\":443}],"
          "\"exclude\":\"true\"},{\"startTimestamp\":4000}]}",
          "degh" },
        { "{\"subCriteria\":[{\"attack\":[{\"alarm\":41,\"exclude\":true}],\"required\":true},"
          "{\"startTimestamp\":2000,\"endTimestamp\":3000}]}",
          "b" },
    };
    CHECK(rows);
}

/* Access comes first: what the caller may not see is not found, whatever he asks. */
static void test_access(void **state)
{
    struct vg_event_fixture *f = *state;
    static const struct row agent[] = { { "{}", "abcdefgh" } };
    static const struct row viewer[] = {
        { "{}", "abcdegh" },
        { "{\"customer\":\"sub\"}", "" },
        { "{\"associatedCase\":[31,33]}", "e" },
        { "{\"subCriteria\":[{\"associatedCase\":[33],\"exclude\":true}]}", "abcdegh" },
    };
    check_rows(f, &f->agent, agent, 1);
    check_rows(f, &f->viewer, viewer, sizeof(viewer) / sizeof(viewer[0]));
}

static void test_violations(void **state)
{
    struct vg_event_fixture *f = *state;
    static const struct {
        const char *json;
        const char *field;
        enum vg_reason reason;
        uint32_t found;
    } rows[] = {
        { "{\"property\":[{\"key\":\"k\"},{\"required\":true}]}",
          "property[1].key",
          VG_REQUIRED_FIELD,
          1 },
        { "{\"endpoint\":[{\"ip\":[\"10.0.0.0/8\",\"10.0.0.0/33\"]}]}",
          "endpoint[0].ip[1]",
          VG_INVALID_FIELD_VALUE,
          1 },
        { "{\"subCriteria\":[{},{\"endpoint\":[{\"countryCode\":[\"NOR\"]}]}]}",
          "subCriteria[1].endpoint[0].countryCode[0]",
          VG_INVALID_FIELD_VALUE,
          1 },
        { "{\"eventIdentifier\":[\"AGGR /1/1/x\"]}",
          "eventIdentifier[0]",
          VG_INVALID_FIELD_VALUE,
          1 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_event_criteria criteria;
        struct vg_error error;
        char found[32];
        read_v2(f, rows[i].json, &criteria);
        assert_int_equal(find(f, &f->admin, &criteria, found, &error), rows[i].reason);
        assert_int_equal(error.violations.found, rows[i].found);
        assert_string_equal(error.violations.items[0].field, rows[i].field);
    }
}

/* Many whole identities are looked up as a set: the same event found, and none that has a part of
 * one and a part of another. At the number that is a few, and one past it; and at the most. */
static void test_many_ids(void **state)
{
    struct vg_event_fixture *f = *state;
    static const unsigned counts[] = { VG_CRITERIA_ID_FEW, VG_CRITERIA_ID_FEW + 1, 10000 };
    static const char *const rows[][2] = {
        { "AGGR/2000/1/" UUID_OF(2), "b" },
        { "RAW/2000/1/" UUID_OF(2), "" },
        { "AGGR/2000/3/" UUID_OF(2), "" },
        { "NIDS/7000/1/" UUID_OF(7), "g" },
        { "AGGR/3000/1/" UUID_OF(2) "\",\"AGGR/2000/1/" UUID_OF(3), "" },
        { "AGGR/3000/1/" UUID_OF(3) "\",\"AGGR/2000/1/" UUID_OF(3), "c" },
        { "AGGR/1/1/foreign", "" },
    };
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        size_t size = 128u * counts[i] + 256;
        char *json = calloc(1, size);
        for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
            size_t used =
                (size_t)snprintf(json, size, "{\"eventIdentifier\":[\"%s\"", rows[row][0]);
            unsigned named = strchr(rows[row][0], ',') == NULL ? 1 : 2;
            for (unsigned other = named; other < counts[i]; other++) {
                used += (size_t)snprintf(
                    json + used,
                    size - used,
                    ",\"AGGR/%u/1/1679fbfc-1792-4992-8428-%012u\"",
                    9000 + other,
                    other);
            }
            (void)snprintf(json + used, size - used, "]}");
            const struct row asked = { json, rows[row][1] };
            check_rows(f, &f->admin, &asked, 1);
        }
        free(json);
    }
}

/* Criteria of raw events are those of v1 without what such events do not have. */
static void test_nids(void **state)
{
    struct vg_event_fixture *f = *state;
    static const struct row rows[] = {
        { "{}", "abcdefgh" },
        { "{\"startTimestamp\":2001,\"endTimestamp\":2499}", "" },
        { "{\"startTimestamp\":7000,\"endTimestamp\":7000,\"lastUpdatedTimestamp\":5}", "g" },
        { "{\"timeFieldStrategy\":[\"endTimestamp\"],\"startTimestamp\":2001,"
          "\"endTimestamp\":2500}",
          "b" },
        { "{\"sensorID\":[1]}", "" },
        { "{\"sensorID\":[]}", "abcdefgh" },
        { "{\"subCriteria\":[{\"sensorID\":1},{\"properties\":{\"q\":\"x\"}}]}", "g" },
        { "{\"subCriteria\":[{\"sensorID\":1,\"exclude\":true},"
          "{\"customerID\":[3],\"required\":true}]}",
          "f" },
        { "{\"includeFlag\":\"BLOCKED\"}", "c" },
        { "{\"excludeFlags\":[\"BLOCKED\"],\"minSeverity\":\"high\"}", "bd" },
        { "{\"excludeFlag\":{\"sourceIP\":[\"10.0.0.0/8\"],\"minSeverity\":\"high\"}}", "acdefgh" },
        { "{\"includeFlag\":{\"destinationPort\":\"1-500\",\"signature\":[\"B\"]}}", "b" },
        { "{\"eventIdentifier\":[{\"timestamp\":7000},{\"type\":\"NIDS\"}]}", "g" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_event_criteria criteria;
        struct vg_error error;
        char found[32];
        const ProtobufCMessage *message =
            read_message(f, &vg_table_vigil_events_v1_nids_search_criteria, rows[i].json);
        assert_true(vg_event_criteria_v1_read_nids(
            (const Vigil__Events__V1__NidsSearchCriteria *)message,
            &f->arena,
            &criteria));
        assert_int_equal(find(f, &f->admin, &criteria, found, &error), VG_OK);
        if (strcmp(found, rows[i].expected) != 0) {
            fail_msg("%s: found %s, expected %s", rows[i].json, found, rows[i].expected);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),  cmocka_unit_test(test_times),
        cmocka_unit_test(test_attack),   cmocka_unit_test(test_endpoint),
        cmocka_unit_test(test_property), cmocka_unit_test(test_sub_criteria),
        cmocka_unit_test(test_access),   cmocka_unit_test(test_violations),
        cmocka_unit_test(test_nids),     cmocka_unit_test(test_many_ids),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
