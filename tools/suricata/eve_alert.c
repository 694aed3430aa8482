#include "tools/suricata/eve_alert.h"

#include <string.h>
#include <strings.h>

#include "core/base/buffer.h"
#include "core/base/text_number.h"
#include "core/base/time_text.h"

/* Texts of an identity are short; what a hostile record makes longer is cut off with its digest's
 * input, never with its meaning, since every member is checked before. */
#define IDENTITY_BYTES_MAX 1024u

/* Ids of Suricata are 32 bit numbers. */
#define ID_MAX INT64_C(4294967295)

/* The name space of identities; made at random once. */
static const struct vg_uuid name_space = { { 0x67,
                                             0x06,
                                             0xc2,
                                             0x6c,
                                             0xce,
                                             0x08,
                                             0x40,
                                             0x33, //
                                             0xb1,
                                             0x37,
                                             0x41,
                                             0xf8,
                                             0xf9,
                                             0x5d,
                                             0xff,
                                             0x90 } };

static const struct protocol_row {
    const char *name;
    int number;
} protocols[] = {
#define X(name, number) { name, number },
#include "tools/suricata/eve_protocols.def"
#undef X
};

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(member(object, name));
}

bool vg_eve_alert_is(const cJSON *record)
{
    const char *type = text_of(record, "event_type");
    return type != NULL && strcmp(type, "alert") == 0;
}

static enum vg_reason refuse(struct vg_error *error, const char *field, const char *what)
{
    (void)vg_error_set(error, VG_INVALID_FIELD_VALUE, "%s %s", field, what);
    return vg_error_field(error, field, NULL);
}

/* A whole number from 0 to `max`; absent leaves *out_value alone. cJSON keeps numbers as doubles,
 * which hold all of these. */
static enum vg_reason take_number(
    const cJSON *item,
    const char *field,
    int64_t max,
    int64_t *out_value,
    struct vg_error *error)
{
    if (item == NULL || cJSON_IsNull(item)) {
        return VG_OK;
    }
    double value = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(value >= 0 && value <= (double)max) || (double)(int64_t)value != value) {
        return refuse(error, field, "is not a whole number in its range");
    }
    *out_value = (int64_t)value;
    return VG_OK;
}

static enum vg_reason take_endpoint(
    const cJSON *record,
    const char *address_name,
    const char *port_name,
    struct vg_eve_endpoint *out_endpoint,
    struct vg_error *error)
{
    struct vg_eve_endpoint endpoint = { .port = VG_EVE_NONE };
    const cJSON *address = member(record, address_name);
    if (cJSON_IsString(address) && address->valuestring[0] != '\0') {
        if (!vg_network_parse(vg_bytes_text(address->valuestring), &endpoint.address) ||
            !vg_network_is_host(&endpoint.address)) {
            return refuse(error, address_name, "is not an IP address");
        }
    } else if (address != NULL && !cJSON_IsString(address) && !cJSON_IsNull(address)) {
        return refuse(error, address_name, "is not a text");
    }
    int64_t port = VG_EVE_NONE;
    enum vg_reason reason = take_number(member(record, port_name), port_name, 65535, &port, error);
    if (reason == VG_OK) {
        endpoint.port = (int32_t)port;
        *out_endpoint = endpoint;
    }
    return reason;
}

/* A name of the table, or the number itself, as text ("089") or not. A name we do not know is none:
 * the alert is worth having all the same, and its property keeps the name. */
static int protocol_of(const cJSON *record)
{
    const cJSON *item = member(record, "proto");
    uint64_t number = UINT64_MAX;
    if (cJSON_IsNumber(item)) {
        double value = item->valuedouble;
        number = value >= 0 && value <= 255 ? (uint64_t)value : UINT64_MAX;
    } else if (cJSON_IsString(item)) {
        for (size_t i = 0; i < VG_ARRAY_COUNT(protocols); i++) {
            if (strcasecmp(protocols[i].name, item->valuestring) == 0) {
                return protocols[i].number;
            }
        }
        if (!vg_text_number_parse_uint64(vg_bytes_text(item->valuestring), &number)) {
            return VG_EVE_NONE;
        }
    }
    return number <= 255 ? (int)number : VG_EVE_NONE;
}

/* Suricata says "blocked" for an alert it dropped or rejected; "verdict" (7.0) says how. */
static bool is_blocked(const cJSON *record, const cJSON *alert)
{
    static const char *const words[] = { "blocked", "drop", "dropped", "reject", "rejected" };
    const char *actions[] = { text_of(alert, "action"),
                              text_of(member(record, "verdict"), "action") };
    for (size_t i = 0; i < VG_ARRAY_COUNT(actions); i++) {
        for (size_t j = 0; actions[i] != NULL && j < VG_ARRAY_COUNT(words); j++) {
            if (strcasecmp(actions[i], words[j]) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* The digits of the fraction that a vg_time has no room for, without zeros at their end: the same
 * instant has the same digits however it is written. */
static struct vg_bytes fine_fraction(const char *timestamp)
{
    const char *point = strchr(timestamp, '.');
    if (point == NULL) {
        return vg_bytes(NULL, 0);
    }
    size_t digits = strspn(point + 1, "0123456789");
    while (digits > 0 && point[digits] == '0') {
        digits--;
    }
    return digits > 3 ? vg_bytes(point + 4, digits - 3) : vg_bytes(NULL, 0);
}

static void put_endpoint(struct vg_buffer *name, const struct vg_eve_endpoint *endpoint)
{
    char address[VG_NETWORK_TEXT_SIZE];
    (void)vg_network_print(&endpoint->address, address);
    vg_buffer_printf(name, "|%s|%d", address, (int)endpoint->port);
}

/* The name is part of what is promised: another text would make another event of every alert that
 * is imported again. */
static enum vg_reason make_identity(
    const char *timestamp,
    struct vg_eve_alert *alert,
    struct vg_error *error)
{
    int64_t flow_id = 0;
    int64_t transaction = VG_EVE_NONE;
    /* Suricata keeps flow ids to 51 bits, so that readers with doubles have them exactly. */
    enum vg_reason reason =
        take_number(member(alert->record, "flow_id"), "flow_id", INT64_MAX / 2, &flow_id, error);
    if (reason == VG_OK) {
        reason = take_number(
            member(alert->record, "tx_id"),
            "tx_id",
            INT64_MAX / 2,
            &transaction,
            error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_buffer name;
    struct vg_bytes fraction = fine_fraction(timestamp);
    vg_buffer_init(&name, IDENTITY_BYTES_MAX);
    vg_buffer_printf(&name, "%lld.", (long long)alert->time);
    vg_buffer_append(&name, fraction.data, fraction.size);
    vg_buffer_printf(
        &name,
        "|%lld|%lld:%lld:%lld",
        (long long)flow_id,
        (long long)alert->generator_id,
        (long long)alert->signature_id,
        (long long)alert->revision);
    put_endpoint(&name, &alert->source);
    put_endpoint(&name, &alert->destination);
    vg_buffer_printf(&name, "|%d|%lld", alert->protocol, (long long)transaction);
    alert->identity = vg_uuid_from_name(&name_space, vg_buffer_bytes(&name));
    if (name.failed) {
        reason = refuse(error, "timestamp", "has more digits than any clock");
    }
    vg_buffer_dispose(&name);
    return reason;
}

static enum vg_reason take_time(
    const cJSON *record,
    const char **out_text,
    vg_time *out_time,
    struct vg_error *error)
{
    const char *text = text_of(record, "timestamp");
    if (text == NULL) {
        (void)vg_error_set(error, VG_REQUIRED_FIELD, "the alert has no timestamp");
        return vg_error_field(error, "timestamp", NULL);
    }
    vg_time time;
    if (vg_time_text_parse_rfc3339(vg_bytes_text(text), &time, NULL) != VG_OK || time < 0 ||
        time > VG_TIME_MAX) {
        return refuse(error, "timestamp", "is not a time such as 2017-03-25T16:49:58.856335-0600");
    }
    *out_text = text;
    *out_time = time;
    return VG_OK;
}

static enum vg_reason take_signature(
    const cJSON *alert,
    struct vg_eve_alert *out_alert,
    struct vg_error *error)
{
    int64_t signature = VG_EVE_NONE;
    if (!cJSON_IsObject(alert)) {
        (void)vg_error_set(error, VG_REQUIRED_FIELD, "the record has no member alert");
        return vg_error_field(error, "alert", NULL);
    }
    enum vg_reason reason =
        take_number(member(alert, "signature_id"), "alert.signature_id", ID_MAX, &signature, error);
    if (reason == VG_OK && signature == VG_EVE_NONE) {
        (void)vg_error_set(error, VG_REQUIRED_FIELD, "the alert has no signature_id");
        reason = vg_error_field(error, "alert.signature_id", NULL);
    }
    if (reason == VG_OK) {
        out_alert->signature_id = signature;
        out_alert->generator_id = 1; /* the detection engine itself, when nothing is told */
        reason =
            take_number(member(alert, "gid"), "alert.gid", ID_MAX, &out_alert->generator_id, error);
    }
    if (reason == VG_OK) {
        reason =
            take_number(member(alert, "rev"), "alert.rev", ID_MAX, &out_alert->revision, error);
    }
    if (reason == VG_OK) {
        reason = take_number(
            member(alert, "severity"),
            "alert.severity",
            ID_MAX,
            &out_alert->severity,
            error);
    }
    return reason;
}

enum vg_reason vg_eve_alert_parse(
    const cJSON *record,
    struct vg_eve_alert *out_alert,
    struct vg_error *error)
{
    struct vg_eve_alert alert = { .record = record, .alert = member(record, "alert") };
    const char *timestamp = NULL;
    enum vg_reason reason = take_time(record, &timestamp, &alert.time, error);
    if (reason == VG_OK) {
        reason = take_signature(alert.alert, &alert, error);
    }
    if (reason == VG_OK) {
        reason = take_endpoint(record, "src_ip", "src_port", &alert.source, error);
    }
    if (reason == VG_OK) {
        reason = take_endpoint(record, "dest_ip", "dest_port", &alert.destination, error);
    }
    if (reason == VG_OK) {
        alert.protocol = protocol_of(record);
        alert.blocked = is_blocked(record, alert.alert);
        reason = make_identity(timestamp, &alert, error);
    }
    if (reason == VG_OK) {
        *out_alert = alert;
    }
    return reason;
}
