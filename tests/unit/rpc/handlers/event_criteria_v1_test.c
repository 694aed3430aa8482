/* Criteria of v1 as criteria of the domain: every member arrives in its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/network.h"
#include "core/events/event_search.h"
#include "core/record/event_record.h"
#include "gateway/json/json_read.h"
#include "proto/contract_json.h"
#include "rpc/handlers/event_criteria_v1.h"

static struct vg_arena arena;

static int set_up(void **state)
{
    (void)state;
    vg_arena_init(&arena, 1u << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    vg_arena_dispose(&arena);
    return 0;
}

/* The criteria a client writes as `json`, its times being milliseconds already. */
static struct vg_event_criteria read_json(const char *json)
{
    ProtobufCMessage *message = NULL;
    struct vg_error error;
    vg_error_init(&error, &arena);
    enum vg_reason reason = vg_json_read(
        &vg_table_vigil_events_v1_search_criteria,
        vg_bytes_text(json),
        &vg_json_documented,
        &arena,
        &message,
        &error);
    if (reason != VG_OK) {
        fail_msg("%s: %s", json, error.message);
    }
    struct vg_event_criteria criteria;
    assert_true(vg_event_criteria_v1_read(
        (const Vigil__Events__V1__SearchCriteria *)message,
        &arena,
        &criteria));
    return criteria;
}

static void assert_texts(const struct vg_text_list *list, const char *only)
{
    assert_int_equal(list->count, 1);
    assert_string_equal(list->items[0], only);
}

static void assert_number(const struct vg_number_list *list, int64_t only)
{
    assert_int_equal(list->count, 1);
    assert_int_equal(list->items[0], only);
}

static void test_no_member(void **state)
{
    (void)state;
    struct vg_event_criteria empty;
    vg_event_criteria_init(&empty);
    struct vg_event_criteria criteria = read_json("{}");
    criteria.sub_criteria = NULL;
    criteria.ids = NULL;
    criteria.properties = NULL;
    assert_memory_equal(&criteria, &empty, sizeof(criteria));
    assert_int_equal(criteria.min_bits[0], VG_NETWORK_BITS_ANY);
}

static void test_times(void **state)
{
    (void)state;
    struct vg_event_criteria c =
        read_json("{\"startTimestamp\":1,\"endTimestamp\":2,\"lastUpdatedTimestamp\":3,"
                  "\"indexStartTime\":4,\"indexEndTimestamp\":5,\"skipFutureEvents\":true,"
                  "\"timeFieldStrategy\":[\"timestamp\",\"all\"],\"includeUnpublished\":false}");
    assert_true(c.has_start && c.start == 1 && c.has_end && c.end == 2);
    assert_true(c.has_last_updated && c.last_updated == 3);
    assert_true(c.has_index_start && c.index_start == 4 && c.has_index_end && c.index_end == 5);
    assert_true(c.skip_future && c.unpublished_excluded);
    assert_int_equal(
        c.time_fields,
        VG_EVENT_TIME_BIT(VG_EVENT_TIME_TIMESTAMP) | VG_EVENT_TIME_BIT(VG_EVENT_TIME_FIRST) |
            VG_EVENT_TIME_BIT(VG_EVENT_TIME_LAST) | VG_EVENT_TIME_BIT(VG_EVENT_TIME_PUBLISHED));
    assert_int_equal(c.time_default, 0);
    static const struct {
        const char *word;
        enum vg_event_time_field field;
    } rows[] = {
        { "startTimestamp", VG_EVENT_TIME_FIRST },
        { "endTimestamp", VG_EVENT_TIME_LAST },
        { "publicationTimestamp", VG_EVENT_TIME_PUBLISHED },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        c = read_json(vg_arena_printf(&arena, "{\"timeFieldStrategy\":\"%s\"}", rows[i].word));
        assert_int_equal(c.time_fields, VG_EVENT_TIME_BIT(rows[i].field));
    }
}

static void test_lists(void **state)
{
    (void)state;
    struct vg_event_criteria c = read_json(
        "{\"customer\":\"a\",\"customerID\":1,\"productionCustomers\":false,\"signature\":\"b\","
        "\"alarmID\":2,\"attackCategoryID\":3,\"locationID\":4,\"severity\":\"high\","
        "\"minSeverity\":\"low\",\"maxSeverity\":\"critical\",\"domain\":\"c\","
        "\"associatedCaseID\":0,\"minCount\":5,\"properties\":{\"k\":[\"v\",\"w\"]},"
        "\"exactMatchProperties\":false}");
    assert_texts(&c.customers, "a");
    assert_number(&c.customer_ids, 1);
    assert_true(c.has_production && !c.production);
    assert_texts(&c.signatures, "b");
    assert_number(&c.alarms, 2);
    assert_number(&c.categories, 3);
    assert_number(&c.locations, 4);
    assert_int_equal(c.severities.count, 1);
    assert_int_equal(c.severities.items[0], VG_EVENT_SEVERITY_HIGH);
    assert_int_equal(c.min_severity, VG_EVENT_SEVERITY_LOW);
    assert_int_equal(c.max_severity, VG_EVENT_SEVERITY_CRITICAL);
    assert_texts(&c.domains, "c");
    assert_number(&c.cases, 0);
    assert_true(c.has_min_count && c.min_count == 5);
    assert_true(c.properties_tokenized);
    assert_int_equal(c.property_count, 1);
    assert_string_equal(c.properties[0].key, "k");
    assert_int_equal(c.properties[0].values.count, 2);
}

static void test_sides(void **state)
{
    (void)state;
    struct vg_event_criteria c = read_json(
        "{\"ip\":\"0\",\"sourceIP\":\"1\",\"destinationIP\":\"2\",\"port\":\"3\","
        "\"sourcePort\":\"4\",\"destinationPort\":\"5\",\"geoCountry\":\"6\","
        "\"sourceGeoCountry\":\"7\",\"destinationGeoCountry\":\"8\",\"sourceIPMinBits\":9,"
        "\"destinationIPMinBits\":10}");
    assert_texts(&c.networks[0], "0");
    assert_texts(&c.networks[1], "1");
    assert_texts(&c.networks[2], "2");
    assert_texts(&c.ports[0], "3");
    assert_texts(&c.ports[1], "4");
    assert_texts(&c.ports[2], "5");
    assert_texts(&c.countries[0], "6");
    assert_texts(&c.countries[1], "7");
    assert_texts(&c.countries[2], "8");
    assert_int_equal(c.min_bits[0], 9);
    assert_int_equal(c.min_bits[1], 10);
}

static void test_identifiers(void **state)
{
    (void)state;
    struct vg_event_criteria c =
        read_json("{\"eventIdentifier\":[\"AGGR/1/1/x\",{\"type\":\"NIDS\",\"timestamp\":7,"
                  "\"customerID\":8,\"eventID\":\"u\"},{}]}");
    assert_int_equal(c.id_count, 3);
    assert_string_equal(c.ids[0].text, "AGGR/1/1/x");
    assert_null(c.ids[1].text);
    assert_int_equal(c.ids[1].type, VG_EVENT_TYPE_RAW);
    assert_true(c.ids[1].has_timestamp && c.ids[1].timestamp == 7);
    assert_true(c.ids[1].has_customer && c.ids[1].customer_id == 8);
    assert_string_equal(c.ids[1].uuid, "u");
    assert_int_equal(c.ids[2].type, VG_EVENT_TYPE_UNSET);
    assert_false(c.ids[2].has_timestamp || c.ids[2].has_customer);
}

static void test_flags(void **state)
{
    (void)state;
    struct vg_event_criteria c =
        read_json("{\"includeFlags\":[\"BLOCKED\"],\"excludeFlags\":\"FAILURE\","
                  "\"includeFlag\":[\"NOTIFIED\"],\"excludeFlag\":\"FINALIZED\"}");
    assert_true(vg_event_flags_has(&c.flags_all, VG_EVENT_FLAG_BLOCKED));
    assert_true(vg_event_flags_has(&c.flags_all, VG_EVENT_FLAG_NOTIFIED));
    assert_true(vg_event_flags_has(&c.flags_none, VG_EVENT_FLAG_FAILURE));
    assert_true(vg_event_flags_has(&c.flags_none, VG_EVENT_FLAG_FINALIZED));
    assert_int_equal(c.sub_criteria_count, 0);
}

static void test_sub_criteria(void **state)
{
    (void)state;
    struct vg_event_criteria c =
        read_json("{\"subCriteria\":[{\"signature\":\"a\",\"exclude\":true},{\"required\":true,"
                  "\"subCriteria\":[{\"minCount\":3}]}],\"includeFlag\":{\"minCount\":4},"
                  "\"excludeFlag\":{\"minCount\":5}}");
    assert_int_equal(c.sub_criteria_count, 4);
    assert_true(c.sub_criteria[0].exclude && !c.sub_criteria[0].required);
    assert_texts(&c.sub_criteria[0].criteria->signatures, "a");
    assert_string_equal(c.sub_criteria[0].name, "subCriteria");
    assert_true(c.sub_criteria[1].required && c.sub_criteria[1].index == 1);
    assert_int_equal(c.sub_criteria[1].criteria->sub_criteria[0].criteria->min_count, 3);
    assert_true(c.sub_criteria[2].required && c.sub_criteria[2].index == SIZE_MAX);
    assert_string_equal(c.sub_criteria[2].name, "includeFlag");
    assert_int_equal(c.sub_criteria[2].criteria->min_count, 4);
    assert_true(c.sub_criteria[3].exclude);
    assert_int_equal(c.sub_criteria[3].criteria->min_count, 5);
}

/* However deep a request is, reading it ends. */
static void test_deep_criteria_are_cut(void **state)
{
    (void)state;
    char json[1024];
    size_t used = 0;
    for (int i = 0; i < 25; i++) {
        used += (size_t)snprintf(json + used, sizeof(json) - used, "{\"subCriteria\":[");
    }
    used += (size_t)snprintf(json + used, sizeof(json) - used, "{}");
    for (int i = 0; i < 25; i++) {
        used += (size_t)snprintf(json + used, sizeof(json) - used, "]}");
    }
    struct vg_event_criteria criteria = read_json(json);
    unsigned depth = 0;
    for (const struct vg_event_criteria *at = &criteria; at->sub_criteria_count != 0; depth++) {
        at = at->sub_criteria[0].criteria;
    }
    assert_true(depth > 8 && depth <= 16);
}

/* A key is its word's place: even ascending, the odd one above it descending. */
static void test_sort_keys(void **state)
{
    (void)state;
    static const struct {
        int number;
        enum vg_event_sort_field field;
    } rows[] = {
        { VIGIL__EVENTS__V1__SORT_BY__SORT_BY_TIMESTAMP, VG_EVENT_SORT_TIMESTAMP },
        { VIGIL__EVENTS__V1__SORT_BY__SORT_BY_START_TIMESTAMP, VG_EVENT_SORT_FIRST_EVENT },
        { VIGIL__EVENTS__V1__SORT_BY__SORT_BY_END_TIMESTAMP, VG_EVENT_SORT_LAST_EVENT },
        { VIGIL__EVENTS__V1__SORT_BY__SORT_BY_LAST_UPDATED_TIMESTAMP, VG_EVENT_SORT_LAST_UPDATED },
        { VIGIL__EVENTS__V1__SORT_BY__SORT_BY_SEVERITY, VG_EVENT_SORT_SEVERITY },
        { VIGIL__EVENTS__V1__SORT_BY__SORT_BY_COUNT, VG_EVENT_SORT_COUNT },
        { VIGIL__EVENTS__V1__SORT_BY__SORT_BY_CUSTOMER, VG_EVENT_SORT_CUSTOMER },
        { VIGIL__EVENTS__V1__SORT_BY__SORT_BY_SIGNATURE, VG_EVENT_SORT_SIGNATURE },
        { VIGIL__EVENTS__V1__SORT_BY__SORT_BY_PROTOCOL, VG_EVENT_SORT_PROTOCOL },
        { VIGIL__EVENTS__V1__SORT_BY__SORT_BY_ID, VG_EVENT_SORT_ID },
        { VIGIL__EVENTS__V1__NIDS_SORT_BY__NIDS_SORT_BY_ENGINE_TIMESTAMP,
          VG_EVENT_SORT_ENGINE_PERSISTED },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(rows[i].number >> 1, rows[i].field);
        assert_int_equal(rows[i].number & 1, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_no_member),    TEST(test_times),
        TEST(test_lists),        TEST(test_sides),
        TEST(test_identifiers),  TEST(test_flags),
        TEST(test_sub_criteria), TEST(test_deep_criteria_are_cut),
        TEST(test_sort_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
