/* EVE alerts: what is taken, what is refused and which member is blamed, and what makes identity.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "tools/suricata/eve_alert.h"

#define TIME "\"timestamp\":\"2026-01-02T03:04:05.678901+0100\""
#define FLOW                                                                                       \
    "\"flow_id\":77,\"src_ip\":\"192.0.2.1\",\"src_port\":1024,\"dest_ip\":\"2001:db8::5\","       \
    "\"dest_port\":53"
#define SIGNED "\"alert\":{\"gid\":1,\"signature_id\":9000001,\"rev\":3,\"severity\":2}"

static enum vg_reason parse(
    const char *text,
    struct vg_eve_alert *out_alert,
    struct vg_error *error)
{
    cJSON *record = cJSON_Parse(text);
    assert_non_null(record);
    vg_error_init(error, NULL);
    enum vg_reason reason = vg_eve_alert_parse(record, out_alert, error);
    cJSON_Delete(record);
    return reason;
}

static void test_eve_alert__only_alerts_are_alerts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is;
    } rows[] = {
        { "{\"event_type\":\"alert\"}", true },   { "{\"event_type\":\"flow\"}", false },
        { "{\"event_type\":7}", false },          { "{}", false },
        { "{\"event_type\":\"alerts\"}", false },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        cJSON *record = cJSON_Parse(rows[i].text);
        assert_int_equal(vg_eve_alert_is(record), rows[i].is);
        cJSON_Delete(record);
    }
}

static void test_eve_alert__members_are_taken(void **state)
{
    (void)state;
    struct vg_eve_alert alert;
    struct vg_error error;
    char text[VG_NETWORK_TEXT_SIZE];
    assert_int_equal(
        parse("{" TIME "," FLOW "," SIGNED ",\"proto\":\"UDP\"}", &alert, &error),
        VG_OK);
    assert_int_equal(alert.time, INT64_C(1767319445678));
    assert_int_equal(alert.generator_id, 1);
    assert_int_equal(alert.signature_id, 9000001);
    assert_int_equal(alert.revision, 3);
    assert_int_equal(alert.severity, 2);
    assert_int_equal(alert.protocol, 17);
    assert_int_equal(alert.source.port, 1024);
    assert_int_equal(alert.destination.port, 53);
    (void)vg_network_print(&alert.destination.address, text);
    assert_string_equal(text, "2001:db8::5");
    assert_false(alert.blocked);
}

static void test_eve_alert__what_a_record_does_not_tell_is_none(void **state)
{
    (void)state;
    struct vg_eve_alert alert;
    struct vg_error error;
    assert_int_equal(
        parse(
            "{" TIME ",\"src_ip\":null,\"dest_ip\":\"\",\"alert\":{\"signature_id\":5}}",
            &alert,
            &error),
        VG_OK);
    assert_int_equal(alert.generator_id, 1);
    assert_int_equal(alert.revision, 0);
    assert_int_equal(alert.severity, 0);
    assert_int_equal(alert.protocol, VG_EVE_NONE);
    assert_int_equal(alert.source.port, VG_EVE_NONE);
    assert_int_equal(alert.source.address.family, VG_NETWORK_NONE);
    assert_int_equal(alert.destination.address.family, VG_NETWORK_NONE);
}

static void test_eve_alert__protocols(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int number;
    } rows[] = {
        { "\"TCP\"", 6 },
        { "\"tcp\"", 6 },
        { "\"IPv6-ICMP\"", 58 },
        { "\"ICMP\"", 1 },
        { "\"089\"", 89 },
        { "\"255\"", 255 },
        { "\"256\"", VG_EVE_NONE },
        { "47", 47 },
        { "300", VG_EVE_NONE },
        { "-1", VG_EVE_NONE },
        { "\"unheard-of\"", VG_EVE_NONE },
        { "[6]", VG_EVE_NONE },
        { "\"SCTP\"", 132 },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        char text[256];
        struct vg_eve_alert alert;
        struct vg_error error;
        (void)snprintf(text, sizeof(text), "{" TIME "," SIGNED ",\"proto\":%s}", rows[i].json);
        assert_int_equal(parse(text, &alert, &error), VG_OK);
        assert_int_equal(alert.protocol, rows[i].number);
    }
}

static void test_eve_alert__what_suricata_stopped_is_blocked(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        bool blocked;
    } rows[] = {
        { "\"alert\":{\"signature_id\":1,\"action\":\"allowed\"}", false },
        { "\"alert\":{\"signature_id\":1,\"action\":\"blocked\"}", true },
        { "\"alert\":{\"signature_id\":1,\"action\":\"drop\"}", true },
        { "\"alert\":{\"signature_id\":1},\"verdict\":{\"action\":\"reject\"}", true },
        { "\"alert\":{\"signature_id\":1},\"verdict\":{\"action\":\"alert\"}", false },
        { "\"alert\":{\"signature_id\":1,\"action\":7}", false },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        char text[256];
        struct vg_eve_alert alert;
        struct vg_error error;
        (void)snprintf(text, sizeof(text), "{" TIME ",%s}", rows[i].members);
        assert_int_equal(parse(text, &alert, &error), VG_OK);
        assert_int_equal(alert.blocked, rows[i].blocked);
    }
}

static void test_eve_alert__what_cannot_be_is_refused_and_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum vg_reason reason;
        const char *field;
    } rows[] = {
        { "{" SIGNED "}", VG_REQUIRED_FIELD, "timestamp" },
        { "{\"timestamp\":1767319445678," SIGNED "}", VG_REQUIRED_FIELD, "timestamp" },
        { "{\"timestamp\":\"yesterday\"," SIGNED "}", VG_INVALID_FIELD_VALUE, "timestamp" },
        { "{\"timestamp\":\"1969-12-31T23:59:59Z\"," SIGNED "}",
          VG_INVALID_FIELD_VALUE,
          "timestamp" },
        { "{" TIME "}", VG_REQUIRED_FIELD, "alert" },
        { "{" TIME ",\"alert\":[]}", VG_REQUIRED_FIELD, "alert" },
        { "{" TIME ",\"alert\":{}}", VG_REQUIRED_FIELD, "alert.signature_id" },
        { "{" TIME ",\"alert\":{\"signature_id\":\"1\"}}",
          VG_INVALID_FIELD_VALUE,
          "alert.signature_id" },
        { "{" TIME ",\"alert\":{\"signature_id\":1.5}}",
          VG_INVALID_FIELD_VALUE,
          "alert.signature_id" },
        { "{" TIME ",\"alert\":{\"signature_id\":4294967296}}",
          VG_INVALID_FIELD_VALUE,
          "alert.signature_id" },
        { "{" TIME ",\"alert\":{\"signature_id\":1,\"gid\":-1}}",
          VG_INVALID_FIELD_VALUE,
          "alert.gid" },
        { "{" TIME ",\"alert\":{\"signature_id\":1,\"rev\":true}}",
          VG_INVALID_FIELD_VALUE,
          "alert.rev" },
        { "{" TIME ",\"alert\":{\"signature_id\":1,\"severity\":1e300}}",
          VG_INVALID_FIELD_VALUE,
          "alert.severity" },
        { "{" TIME "," SIGNED ",\"src_ip\":\"300.1.1.1\"}", VG_INVALID_FIELD_VALUE, "src_ip" },
        { "{" TIME "," SIGNED ",\"dest_ip\":\"10.0.0.0/8\"}", VG_INVALID_FIELD_VALUE, "dest_ip" },
        { "{" TIME "," SIGNED ",\"dest_ip\":5}", VG_INVALID_FIELD_VALUE, "dest_ip" },
        { "{" TIME "," SIGNED ",\"src_port\":65536}", VG_INVALID_FIELD_VALUE, "src_port" },
        { "{" TIME "," SIGNED ",\"dest_port\":\"80\"}", VG_INVALID_FIELD_VALUE, "dest_port" },
        { "{" TIME "," SIGNED ",\"flow_id\":-5}", VG_INVALID_FIELD_VALUE, "flow_id" },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        struct vg_eve_alert alert = { .signature_id = 42 };
        struct vg_error error;
        print_message("%s\n", rows[i].text);
        assert_int_equal(parse(rows[i].text, &alert, &error), rows[i].reason);
        assert_string_equal(error.field, rows[i].field);
        assert_int_equal(alert.signature_id, 42);
    }
}

static void identity_of(const char *text, char out_text[VG_UUID_TEXT_SIZE])
{
    struct vg_eve_alert alert;
    struct vg_error error;
    assert_int_equal(parse(text, &alert, &error), VG_OK);
    vg_uuid_print(&alert.identity, out_text);
}

static void test_eve_alert__identity_is_made_of_what_the_sensor_saw(void **state)
{
    (void)state;
    static const char base[] = "{" TIME "," FLOW "," SIGNED ",\"proto\":\"UDP\",\"tx_id\":0}";
    static const char *const same[] = {
        /* another zone and spelling of the same instant, another order, members that tell nothing
           new */
        "{\"timestamp\":\"2026-01-02T02:04:05.67890100Z\"," FLOW "," SIGNED
        ",\"proto\":\"17\",\"tx_id\":0}",
        "{\"proto\":\"udp\",\"tx_id\":0," SIGNED "," FLOW "," TIME ",\"in_iface\":\"eth9\"}",
    };
    static const char *const other[] = {
        "{\"timestamp\":\"2026-01-02T03:04:05.678902+0100\"," FLOW "," SIGNED
        ",\"proto\":\"UDP\",\"tx_id\":0}",
        "{\"timestamp\":\"2026-01-02T03:04:05.679901+0100\"," FLOW "," SIGNED
        ",\"proto\":\"UDP\",\"tx_id\":0}",
        "{" TIME "," FLOW "," SIGNED ",\"proto\":\"TCP\",\"tx_id\":0}",
        "{" TIME "," FLOW "," SIGNED ",\"proto\":\"UDP\",\"tx_id\":1}",
        "{" TIME "," FLOW "," SIGNED ",\"proto\":\"UDP\"}",
        "{" TIME "," FLOW
        ",\"alert\":{\"gid\":2,\"signature_id\":9000001,\"rev\":3},\"proto\":\"UDP\",\"tx_id\":0}",
        "{" TIME "," FLOW
        ",\"alert\":{\"gid\":1,\"signature_id\":9000002,\"rev\":3},\"proto\":\"UDP\",\"tx_id\":0}",
        "{" TIME "," FLOW
        ",\"alert\":{\"gid\":1,\"signature_id\":9000001,\"rev\":4},\"proto\":\"UDP\",\"tx_id\":0}",
        "{" TIME "," SIGNED ",\"proto\":\"UDP\",\"tx_id\":0}",
    };
    char expected[VG_UUID_TEXT_SIZE];
    char actual[VG_UUID_TEXT_SIZE];
    identity_of(base, expected);
    /* What is promised: another text here would make new events of every alert that is known. */
    assert_string_equal(expected, "ada01d00-f282-5f9e-b0b5-89d03d866467");
    for (size_t i = 0; i < VG_ARRAY_COUNT(same); i++) {
        identity_of(same[i], actual);
        assert_string_equal(actual, expected);
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(other); i++) {
        identity_of(other[i], actual);
        assert_string_not_equal(actual, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eve_alert__only_alerts_are_alerts),
        cmocka_unit_test(test_eve_alert__members_are_taken),
        cmocka_unit_test(test_eve_alert__what_a_record_does_not_tell_is_none),
        cmocka_unit_test(test_eve_alert__protocols),
        cmocka_unit_test(test_eve_alert__what_suricata_stopped_is_blocked),
        cmocka_unit_test(test_eve_alert__what_cannot_be_is_refused_and_named),
        cmocka_unit_test(test_eve_alert__identity_is_made_of_what_the_sensor_saw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
