/* Every row of the mapping table of docs/suricata.md, and that real alerts become what a server
 * takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "tools/suricata/eve_event.h"
#include "tools/suricata/eve_property.h"
#include "tools/suricata/eve_read.h"

#define HEAD                                                                                       \
    "\"timestamp\":\"2026-01-02T03:04:05.678901+0100\",\"event_type\":\"alert\","                  \
    "\"alert\":{\"signature_id\":9000001,\"severity\":2}"

#define ARENA_MAX (4u * 1024u * 1024u)

struct made {
    struct vg_arena arena;
    struct vg_error error;
    enum vg_reason reason;
    Vigil__Events__V2__SubmitRequest *request;
};

static const struct vg_eve_event_options plain = { .customer = NULL };

static void make(
    const char *text,
    const struct vg_eve_event_options *options,
    uint32_t occurrence,
    struct made *made)
{
    struct vg_eve_alert alert;
    cJSON *record = cJSON_Parse(text);
    assert_non_null(record);
    made->request = NULL;
    vg_arena_init(&made->arena, ARENA_MAX);
    vg_error_init(&made->error, NULL);
    made->reason = vg_eve_alert_parse(record, &alert, &made->error);
    assert_int_equal(made->reason, VG_OK);
    made->reason =
        vg_eve_event_make(&alert, options, occurrence, &made->arena, &made->request, &made->error);
    cJSON_Delete(record); /* nothing of the request may point into it */
}

/* The values of a property, joined by "|"; "" when it is not there. */
static const char *property(const Vigil__Events__V2__SubmitRequest *request, const char *key)
{
    static char joined[512];
    joined[0] = '\0';
    for (size_t i = 0; i < request->n_properties; i++) {
        const Vigil__Events__V2__TextEntry *entry = request->properties[i];
        for (size_t j = 0; strcmp(entry->key, key) == 0 && j < entry->n_values; j++) {
            size_t at = strlen(joined);
            (void)snprintf(
                joined + at,
                sizeof(joined) - at,
                "%s%s",
                j == 0 ? "" : "|",
                entry->values[j]);
        }
    }
    return joined;
}

static void test_eve_event__identity_defaults_and_options(void **state)
{
    (void)state;
    struct made made;
    make("{" HEAD "}", &plain, 0, &made);
    const Vigil__Events__V2__SubmitIdParts *id = made.request->id->parts;
    assert_null(made.request->id->text);
    assert_int_equal(id->type, VIGIL__EVENTS__V2__EVENT_TYPE__EVENT_TYPE_AGGREGATED);
    assert_string_equal(id->timestamp, "1767319445678");
    assert_null(id->customer);
    assert_string_equal(made.request->signature, "SURICATA-1:9000001");
    assert_true(made.request->has_finalized && made.request->finalized);
    assert_null(made.request->source);
    assert_null(made.request->destination);
    assert_null(made.request->protocol);
    assert_null(made.request->fqdn);
    assert_null(made.request->uri);
    assert_null(made.request->payload);
    assert_null(made.request->location);
    assert_int_equal(made.request->n_flags, 0);
    vg_arena_dispose(&made.arena);

    struct vg_eve_event_options options = { .customer = "acme",
                                            .location = "oslo",
                                            .keep_open = true,
                                            .shift_ms = 1000 };
    make("{" HEAD "}", &options, 0, &made);
    assert_string_equal(made.request->id->parts->customer, "acme");
    assert_string_equal(made.request->id->parts->timestamp, "1767319446678");
    assert_string_equal(made.request->location, "oslo");
    assert_false(made.request->has_finalized);
    vg_arena_dispose(&made.arena);

    options.shift_ms = VG_TIME_MAX;
    make("{" HEAD "}", &options, 0, &made);
    assert_int_equal(made.reason, VG_INVALID_FIELD_VALUE);
    vg_arena_dispose(&made.arena);
}

static void test_eve_event__duplicates_are_events_of_their_own_and_always_the_same(void **state)
{
    (void)state;
    char uuids[4][VG_UUID_TEXT_SIZE];
    static const uint32_t occurrences[] = { 0, 1, 2, 1 };
    for (size_t i = 0; i < VG_ARRAY_COUNT(uuids); i++) {
        struct made made;
        make("{" HEAD "}", &plain, occurrences[i], &made);
        memcpy(uuids[i], made.request->id->parts->uuid, VG_UUID_TEXT_SIZE);
        vg_arena_dispose(&made.arena);
    }
    assert_string_not_equal(uuids[0], uuids[1]);
    assert_string_not_equal(uuids[1], uuids[2]);
    assert_string_equal(uuids[1], uuids[3]);
}

static void test_eve_event__severity(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        Vigil__Events__V2__Severity severity;
    } rows[] = {
        { "1", VIGIL__EVENTS__V2__SEVERITY__SEVERITY_HIGH },
        { "2", VIGIL__EVENTS__V2__SEVERITY__SEVERITY_MEDIUM },
        { "3", VIGIL__EVENTS__V2__SEVERITY__SEVERITY_LOW },
        { "4", VIGIL__EVENTS__V2__SEVERITY__SEVERITY_LOW },
        { "255", VIGIL__EVENTS__V2__SEVERITY__SEVERITY_LOW },
        { "0", VIGIL__EVENTS__V2__SEVERITY__SEVERITY_LOW },
        { "null", VIGIL__EVENTS__V2__SEVERITY__SEVERITY_LOW },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        char text[256];
        struct made made;
        (void)snprintf(
            text,
            sizeof(text),
            "{\"timestamp\":\"2026-01-02T03:04:05Z\",\"alert\":{\"signature_id\":1,\"severity\":%s}"
            "}",
            rows[i].json);
        make(text, &plain, 0, &made);
        assert_true(made.request->has_severity);
        assert_int_equal(made.request->severity, rows[i].severity);
        vg_arena_dispose(&made.arena);
    }
}

static void test_eve_event__endpoints_protocol_and_flag(void **state)
{
    (void)state;
    struct made made;
    make(
        "{\"timestamp\":\"2026-01-02T03:04:05Z\",\"alert\":{\"gid\":3,\"signature_id\":7,"
        "\"action\":\"blocked\"},"
        "\"src_ip\":\"::ffff:192.0.2.9\",\"src_port\":0,\"dest_ip\":\"2001:DB8:0:0::1\",\"proto\":"
        "\"IPv6-ICMP\"}",
        &plain,
        0,
        &made);
    assert_string_equal(made.request->signature, "SURICATA-3:7");
    assert_string_equal(made.request->source->ip, "192.0.2.9");
    assert_true(made.request->source->has_port);
    assert_int_equal(made.request->source->port, 0);
    assert_string_equal(made.request->destination->ip, "2001:db8::1");
    assert_false(made.request->destination->has_port);
    assert_string_equal(made.request->protocol, "58");
    assert_int_equal(made.request->n_flags, 1);
    assert_int_equal(made.request->flags[0], VIGIL__EVENTS__V2__SUBMIT_FLAG__SUBMIT_FLAG_BLOCKED);
    vg_arena_dispose(&made.arena);
}

static void test_eve_event__domain_is_the_first_name_there_is(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        const char *domain;
    } rows[] = {
        { "\"http\":{\"hostname\":\"a.example\"},\"tls\":{\"sni\":\"b.example\"}", "a.example" },
        { "\"tls\":{\"sni\":\"b.example\"},\"dns\":{\"rrname\":\"c.example\"}", "b.example" },
        { "\"quic\":{\"sni\":\"q.example\"}", "q.example" },
        { "\"dns\":{\"rrname\":\"c.example\"}", "c.example" },
        { "\"dns\":{\"query\":[{\"type\":\"query\"},{\"rrname\":\"d.example\"}]}", "d.example" },
        { "\"dns\":{\"queries\":[{\"rrname\":\"e.example\"}]}", "e.example" },
        { "\"http\":{\"hostname\":7}", NULL },
        { "\"http\":{\"hostname\":\"\"}", NULL },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        char text[512];
        struct made made;
        (void)snprintf(text, sizeof(text), "{" HEAD ",%s}", rows[i].members);
        make(text, &plain, 0, &made);
        if (rows[i].domain == NULL) {
            assert_null(made.request->fqdn);
        } else {
            assert_string_equal(made.request->fqdn, rows[i].domain);
        }
        vg_arena_dispose(&made.arena);
    }
}

static void test_eve_event__texts_are_kept_within_their_limits(void **state)
{
    (void)state;
    char *text = malloc(64u * 1024u);
    assert_non_null(text);
    for (int more = 0; more <= 1; more++) {
        struct made made;
        int size = snprintf(
            text,
            64u * 1024u,
            "{" HEAD ",\"http\":{\"hostname\":\"%0*d\",",
            255 + more,
            0);
        (void)
            snprintf(text + size, 64u * 1024u - (size_t)size, "\"url\":\"%0*d\"}}", 8192 + more, 0);
        make(text, &plain, 0, &made);
        if (more == 0) {
            assert_int_equal(strlen(made.request->fqdn), 255);
        } else {
            assert_null(made.request->fqdn);
        }
        assert_int_equal(strlen(made.request->uri), 8192);
        vg_arena_dispose(&made.arena);
    }
    free(text);
}

static void test_eve_event__properties(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        const char *key;
        const char *values;
    } rows[] = {
        { "\"flow_id\":1959620435402694", "suricata.flow_id", "1959620435402694" },
        { "\"app_proto\":\"tls\"", "suricata.app_proto", "tls" },
        { "\"in_iface\":\"eth0\"", "suricata.in_iface", "eth0" },
        { "\"vlan\":[100,200]", "suricata.vlan", "100|200" },
        { "\"vlan\":100", "suricata.vlan", "100" },
        { "\"community_id\":\"1:abc=\"", "suricata.community_id", "1:abc=" },
        { "\"proto\":\"unheard-of\"", "suricata.proto", "unheard-of" },
        { "\"http\":{\"http_method\":\"GET\"}", "suricata.http.http_method", "GET" },
        { "\"http\":{\"http_user_agent\":\"curl/8\"}", "suricata.http.http_user_agent", "curl/8" },
        { "\"http\":{\"status\":404}", "suricata.http.status", "404" },
        { "\"dns\":{\"query\":[{\"rrname\":\"a\"},{\"rrname\":\"b\"}]}",
          "suricata.dns.query.rrname",
          "a|b" },
        { "\"tls\":{\"sni\":\"x.example\"}", "suricata.tls.sni", "x.example" },
        { "\"tls\":{\"subject\":\"CN=x\"}", "suricata.tls.subject", "CN=x" },
        { "\"tls\":{\"fingerprint\":\"aa:bb\"}", "suricata.tls.fingerprint", "aa:bb" },
        { "\"flow\":{\"bytes_toclient\":4091}", "suricata.flow.bytes_toclient", "4091" },
        { "\"flow\":{\"start\":\"2026-01-02T03:04:05Z\"}",
          "suricata.flow.start",
          "2026-01-02T03:04:05Z" },
        { "\"vars\":{\"flowbits\":{\"ET.Evil\":true,\"ET.TorIP\":true}}",
          "suricata.vars.flowbits",
          "ET.Evil|ET.TorIP" },
        { "\"vars\":{\"flowints\":{\"x.count\":3}}", "suricata.vars.flowints.x.count", "3" },
        { "\"metadata\":{\"flowbits\":[\"a\",\"b\"]}", "suricata.metadata.flowbits", "a|b" },
        { "\"http\":{\"http_method\":true}", "suricata.http.http_method", "true" },
        { "\"http\":{\"http_method\":null}", "suricata.http.http_method", "" },
        { "\"http\":{\"http_method\":{\"a\":1}}", "suricata.http.http_method", "" },
        { "\"http\":[]", "suricata.http.http_method", "" },
        { "\"unknown\":1", "suricata.unknown", "" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        char text[512];
        struct made made;
        print_message("%s\n", rows[i].members);
        (void)snprintf(text, sizeof(text), "{" HEAD ",%s}", rows[i].members);
        make(text, &plain, 0, &made);
        assert_int_equal(made.reason, VG_OK);
        assert_string_equal(property(made.request, rows[i].key), rows[i].values);
        vg_arena_dispose(&made.arena);
    }
    struct made made;
    make(
        "{\"timestamp\":\"2026-01-02T03:04:05Z\",\"alert\":{\"signature_id\":1,\"signature\":"
        "\"VIGIL test\","
        "\"category\":\"Misc\",\"rev\":4,\"metadata\":{\"mitre\":[\"T1\",\"T2\"],\"\":[\"x\"]}}}",
        &plain,
        0,
        &made);
    assert_string_equal(property(made.request, "suricata.alert.signature"), "VIGIL test");
    assert_string_equal(property(made.request, "suricata.alert.category"), "Misc");
    assert_string_equal(property(made.request, "suricata.alert.rev"), "4");
    assert_string_equal(property(made.request, "suricata.alert.metadata.mitre"), "T1|T2");
    vg_arena_dispose(&made.arena);
}

static void test_eve_event__a_list_of_values_has_a_largest_size(void **state)
{
    (void)state;
    for (unsigned count = VG_EVE_VALUES_MAX; count <= VG_EVE_VALUES_MAX + 1; count++) {
        char text[1024];
        struct made made;
        int at = snprintf(text, sizeof(text), "{" HEAD ",\"vlan\":[0");
        for (unsigned i = 1; i < count; i++) {
            at += snprintf(text + at, sizeof(text) - (size_t)at, ",%u", i);
        }
        (void)snprintf(text + at, sizeof(text) - (size_t)at, "]}");
        make(text, &plain, 0, &made);
        size_t found = 0;
        for (size_t i = 0; i < made.request->n_properties; i++) {
            if (strcmp(made.request->properties[i]->key, "suricata.vlan") == 0) {
                found = made.request->properties[i]->n_values;
            }
        }
        assert_int_equal(found, VG_EVE_VALUES_MAX);
        vg_arena_dispose(&made.arena);
    }
}

static void test_eve_event__payload(void **state)
{
    (void)state;
    struct made made;
    make("{" HEAD ",\"payload\":\"aGVsbG8=\",\"payload_printable\":\"hello\"}", &plain, 0, &made);
    assert_string_equal(made.request->payload->payload, "aGVsbG8=");
    assert_int_equal(
        made.request->payload->payload_type,
        VIGIL__EVENTS__V2__PAYLOAD_TYPE__PAYLOAD_TYPE_BINARY);
    vg_arena_dispose(&made.arena);

    make("{" HEAD ",\"payload\":\"\",\"payload_printable\":\"hello\"}", &plain, 0, &made);
    assert_string_equal(made.request->payload->payload, "hello");
    assert_int_equal(
        made.request->payload->payload_type,
        VIGIL__EVENTS__V2__PAYLOAD_TYPE__PAYLOAD_TYPE_STRING);
    vg_arena_dispose(&made.arena);

    make("{" HEAD ",\"payload\":\"no base64!\"}", &plain, 0, &made);
    assert_int_equal(made.reason, VG_INVALID_FIELD_VALUE);
    assert_string_equal(made.error.field, "payload");
    assert_null(made.request);
    vg_arena_dispose(&made.arena);
}

static void test_eve_event__signatures_name_their_alarm_and_category(void **state)
{
    (void)state;
    static const struct {
        const char *alert;
        const char *name;
        int64_t alarm_id;
        const char *description;
        const char *category;
    } rows[] = {
        { "{\"signature_id\":9000001,\"signature\":\"VIGIL a\",\"category\":\"Misc activity\"}",
          "SURICATA-1:9000001",
          9000001,
          "VIGIL a",
          "Misc activity" },
        { "{\"gid\":3,\"signature_id\":7}",
          "SURICATA-3:7",
          INT64_C(30000000007),
          "SURICATA-3:7",
          "Unclassified" },
        { "{\"signature_id\":0}", "SURICATA-1:0", 1, "SURICATA-1:0", "Unclassified" },
    };
    int64_t categories[VG_ARRAY_COUNT(rows)];
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        char text[512];
        struct vg_eve_alert alert;
        struct vg_error error;
        struct vg_arena arena;
        Vigil__Admin__V1__AddSignatureRequest *request = NULL;
        (void)snprintf(
            text,
            sizeof(text),
            "{\"timestamp\":\"2026-01-02T03:04:05Z\",\"alert\":%s}",
            rows[i].alert);
        cJSON *record = cJSON_Parse(text);
        vg_error_init(&error, NULL);
        vg_arena_init(&arena, ARENA_MAX);
        assert_int_equal(vg_eve_alert_parse(record, &alert, &error), VG_OK);
        assert_int_equal(vg_eve_event_make_signature(&alert, &arena, &request, &error), VG_OK);
        cJSON_Delete(record);
        assert_string_equal(request->name, rows[i].name);
        assert_int_equal(request->alarm_id, rows[i].alarm_id);
        assert_string_equal(request->alarm_description, rows[i].description);
        assert_string_equal(request->category_name, rows[i].category);
        assert_true(request->category_id > 0);
        categories[i] = request->category_id;
        vg_arena_dispose(&arena);
    }
    assert_int_equal(categories[1], categories[2]);
    assert_int_not_equal(categories[0], categories[1]);
}

static void test_eve_event__no_memory_is_an_answer(void **state)
{
    (void)state;
    static const char text[] = "{" HEAD ",\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"192.0.2.2\","
                               "\"proto\":\"TCP\",\"payload\":\"aGVsbG8=\","
                               "\"http\":{\"hostname\":\"a.example\",\"url\":\"/x\"}}";
    cJSON *record = cJSON_Parse(text);
    struct vg_eve_alert alert;
    struct vg_error error;
    bool made = false;
    assert_int_equal(vg_eve_alert_parse(record, &alert, &error), VG_OK);
    for (size_t bytes_max = 0; !made && bytes_max < ARENA_MAX; bytes_max += 512) {
        struct vg_arena arena;
        Vigil__Events__V2__SubmitRequest *request = NULL;
        vg_arena_init(&arena, bytes_max);
        vg_error_init(&error, NULL);
        enum vg_reason reason = vg_eve_event_make(&alert, &plain, 0, &arena, &request, &error);
        made = reason == VG_OK;
        assert_true(made || (reason == VG_REQUEST_MEMORY && request == NULL));
        vg_arena_dispose(&arena);
    }
    assert_true(made);
    cJSON_Delete(record);
}

/* Real alerts, read where they lie: all of them become events, each with an id of its own. */
static void test_eve_event__real_alerts(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned alerts;
    } files[] = { { "first-org-conf-2015.json", 136 }, { "wrccdc-2017.json", 161 } };
    const char *shared = secure_getenv("VIGIL_SHARED");
    for (size_t i = 0; i < VG_ARRAY_COUNT(files); i++) {
        char path[1024];
        struct vg_eve_reader reader;
        cJSON *record = NULL;
        unsigned alerts = 0;
        (void)snprintf(
            path,
            sizeof(path),
            "%s/data/suricata/%s",
            shared == NULL ? VG_SOURCE_DIR "/../shared" : shared,
            files[i].name);
        FILE *file = fopen(path, "rb");
        if (file == NULL) {
            print_message("skipped: %s is not there; VIGIL_SHARED names its folder\n", path);
            skip();
        }
        struct vg_error error;
        vg_error_init(&error, NULL);
        vg_eve_read_init(&reader, file);
        while (vg_eve_read_next(&reader, &record, &error) == VG_EVE_OUTCOME_RECORD) {
            struct vg_eve_alert alert;
            struct vg_arena arena;
            Vigil__Events__V2__SubmitRequest *request = NULL;
            vg_arena_init(&arena, ARENA_MAX);
            assert_true(vg_eve_alert_is(record));
            assert_int_equal(vg_eve_alert_parse(record, &alert, &error), VG_OK);
            assert_int_equal(vg_eve_event_make(&alert, &plain, 0, &arena, &request, &error), VG_OK);
            assert_true(request->n_properties > 8);
            assert_non_null(request->source->ip);
            vg_arena_dispose(&arena);
            cJSON_Delete(record);
            alerts++;
        }
        assert_int_equal(alerts, files[i].alerts);
        vg_eve_read_dispose(&reader);
        (void)fclose(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eve_event__identity_defaults_and_options),
        cmocka_unit_test(test_eve_event__duplicates_are_events_of_their_own_and_always_the_same),
        cmocka_unit_test(test_eve_event__severity),
        cmocka_unit_test(test_eve_event__endpoints_protocol_and_flag),
        cmocka_unit_test(test_eve_event__domain_is_the_first_name_there_is),
        cmocka_unit_test(test_eve_event__texts_are_kept_within_their_limits),
        cmocka_unit_test(test_eve_event__properties),
        cmocka_unit_test(test_eve_event__a_list_of_values_has_a_largest_size),
        cmocka_unit_test(test_eve_event__payload),
        cmocka_unit_test(test_eve_event__signatures_name_their_alarm_and_category),
        cmocka_unit_test(test_eve_event__no_memory_is_an_answer),
        cmocka_unit_test(test_eve_event__real_alerts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
