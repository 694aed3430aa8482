#include "tools/suricata/eve_event.h"

#include <stdio.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/buffer.h"
#include "core/base/digest.h"
#include "core/base/utf8.h"
#include "tools/suricata/eve_property.h"

/* Limits of a submission, in code points (docs/contract.md: length_max of submit.proto). */
#define URI_MAX         8192u
#define FQDN_MAX        255u
#define PAYLOAD_MAX     1048576u
#define DESCRIPTION_MAX 1024u

/* A payload is decoded only to be checked; it is at most as large as its record. */
#define PAYLOAD_BYTES_MAX (vg_base64_decoded_max(PAYLOAD_MAX))

/* Ids of alarms: the sid alone for the detection engine's own rules, the generator before it for
 * others. sids have at most ten digits. */
#define GENERATOR_FACTOR INT64_C(10000000000)

/* The member whose text is the event's domain: the first that is there. */
static const char *const domain_paths[] = {
    "http.hostname", "tls.sni", "quic.sni", "dns.rrname", "dns.query.rrname", "dns.queries.rrname",
};

static enum vg_reason no_memory(struct vg_error *error)
{
    return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
}

static enum vg_reason refuse(struct vg_error *error, const char *field, const char *what)
{
    (void)vg_error_set(error, VG_INVALID_FIELD_VALUE, "%s %s", field, what);
    return vg_error_field(error, field, NULL);
}

void vg_eve_event_signature(const struct vg_eve_alert *alert, char out_name[VG_EVE_SIGNATURE_SIZE])
{
    (void)snprintf(
        out_name,
        VG_EVE_SIGNATURE_SIZE,
        "SURICATA-%lld:%lld",
        (long long)alert->generator_id,
        (long long)alert->signature_id);
}

/* The identity itself for the first of its kind in a file, so that the number of an event that has
 * no twin depends on nothing but the alert. */
static char *make_uuid(
    const struct vg_eve_alert *alert,
    uint32_t occurrence,
    struct vg_arena *arena)
{
    char text[VG_UUID_TEXT_SIZE];
    struct vg_uuid uuid = alert->identity;
    if (occurrence > 0) {
        char name[16];
        (void)snprintf(name, sizeof(name), "%u", occurrence);
        uuid = vg_uuid_from_name(&alert->identity, vg_bytes_text(name));
    }
    vg_uuid_print(&uuid, text);
    return vg_arena_text(arena, vg_bytes_text(text));
}

static enum vg_reason fill_id(
    const struct vg_eve_alert *alert,
    const struct vg_eve_event_options *options,
    uint32_t occurrence,
    struct vg_arena *arena,
    Vigil__Events__V2__SubmitRequest *request,
    struct vg_error *error)
{
    vg_time time = alert->time + options->shift_ms;
    if (time < 0 || time > VG_TIME_MAX) {
        return refuse(error, "timestamp", "is moved out of range");
    }
    Vigil__Events__V2__SubmitId *id = vg_arena_alloc(arena, sizeof(*id));
    Vigil__Events__V2__SubmitIdParts *parts = vg_arena_alloc(arena, sizeof(*parts));
    if (id == NULL || parts == NULL) {
        return no_memory(error);
    }
    *id = (Vigil__Events__V2__SubmitId)VIGIL__EVENTS__V2__SUBMIT_ID__INIT;
    *parts = (Vigil__Events__V2__SubmitIdParts)VIGIL__EVENTS__V2__SUBMIT_ID_PARTS__INIT;
    id->parts = parts;
    request->id = id;
    parts->has_type = true;
    parts->type = VIGIL__EVENTS__V2__EVENT_TYPE__EVENT_TYPE_AGGREGATED;
    parts->timestamp = vg_arena_printf(arena, "%lld", (long long)time);
    parts->uuid = make_uuid(alert, occurrence, arena);
    if (options->customer != NULL) {
        parts->customer = vg_arena_text(arena, vg_bytes_text(options->customer));
    }
    bool complete = parts->timestamp != NULL && parts->uuid != NULL &&
                    (options->customer == NULL || parts->customer != NULL);
    return complete ? VG_OK : no_memory(error);
}

/* False past the arena's cap. A record without address and port has no endpoint. */
static bool make_endpoint(
    const struct vg_eve_endpoint *from,
    struct vg_arena *arena,
    Vigil__Events__V2__SubmitEndpoint **out_endpoint)
{
    if (from->address.family == VG_NETWORK_NONE && from->port == VG_EVE_NONE) {
        return true;
    }
    Vigil__Events__V2__SubmitEndpoint *endpoint = vg_arena_alloc(arena, sizeof(*endpoint));
    if (endpoint == NULL) {
        return false;
    }
    *endpoint = (Vigil__Events__V2__SubmitEndpoint)VIGIL__EVENTS__V2__SUBMIT_ENDPOINT__INIT;
    *out_endpoint = endpoint;
    if (from->port != VG_EVE_NONE) {
        endpoint->has_port = true;
        endpoint->port = from->port;
    }
    if (from->address.family != VG_NETWORK_NONE) {
        char text[VG_NETWORK_TEXT_SIZE];
        (void)vg_network_print(&from->address, text);
        endpoint->ip = vg_arena_text(arena, vg_bytes_text(text));
        return endpoint->ip != NULL;
    }
    return true;
}

/* 1 is Suricata's highest; what is not told, or has a number of its own making, is low. */
static Vigil__Events__V2__Severity severity_of(const struct vg_eve_alert *alert)
{
    switch (alert->severity) {
    case 1:
        return VIGIL__EVENTS__V2__SEVERITY__SEVERITY_HIGH;
    case 2:
        return VIGIL__EVENTS__V2__SEVERITY__SEVERITY_MEDIUM;
    default:
        return VIGIL__EVENTS__V2__SEVERITY__SEVERITY_LOW;
    }
}

static enum vg_reason fill_payload(
    const cJSON *record,
    struct vg_arena *arena,
    Vigil__Events__V2__SubmitRequest *request,
    struct vg_error *error)
{
    const char *binary = vg_eve_property_text(record, "payload");
    const char *text = binary != NULL ? binary : vg_eve_property_text(record, "payload_printable");
    if (text == NULL) {
        return VG_OK;
    }
    struct vg_bytes content = vg_bytes_text(text);
    if (binary != NULL) {
        struct vg_buffer scratch;
        size_t size = 0;
        vg_buffer_init(&scratch, PAYLOAD_BYTES_MAX);
        bool good = content.size <= PAYLOAD_MAX &&
                    vg_buffer_reserve(&scratch, vg_base64_decoded_max(content.size)) &&
                    vg_base64_decode(content, VG_BASE64_STANDARD, scratch.data, &size);
        vg_buffer_dispose(&scratch);
        if (!good) {
            return refuse(error, "payload", "is not base64");
        }
    } else {
        content = vg_utf8_cut(content, PAYLOAD_MAX);
    }
    Vigil__Events__V2__SubmitPayload *payload = vg_arena_alloc(arena, sizeof(*payload));
    char *copy = vg_arena_text(arena, content);
    if (payload == NULL || copy == NULL) {
        return no_memory(error);
    }
    *payload = (Vigil__Events__V2__SubmitPayload)VIGIL__EVENTS__V2__SUBMIT_PAYLOAD__INIT;
    payload->payload = copy;
    payload->has_payload_type = true;
    payload->payload_type = binary != NULL ? VIGIL__EVENTS__V2__PAYLOAD_TYPE__PAYLOAD_TYPE_BINARY
                                           : VIGIL__EVENTS__V2__PAYLOAD_TYPE__PAYLOAD_TYPE_STRING;
    request->payload = payload;
    return VG_OK;
}

/* A text of at most `code_points_max`; NULL for NULL. */
static bool copy_text(
    const char *text,
    size_t code_points_max,
    struct vg_arena *arena,
    char **out_text)
{
    if (text != NULL) {
        *out_text = vg_arena_text(arena, vg_utf8_cut(vg_bytes_text(text), code_points_max));
        return *out_text != NULL;
    }
    return true;
}

/* The first name that fits: part of a name would be another name. */
static const char *domain_of(const cJSON *record)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(domain_paths); i++) {
        const char *text = vg_eve_property_text(record, domain_paths[i]);
        if (text != NULL && vg_utf8_count(vg_bytes_text(text)) <= FQDN_MAX) {
            return text;
        }
    }
    return NULL;
}

static bool fill_texts(
    const struct vg_eve_alert *alert,
    const struct vg_eve_event_options *options,
    struct vg_arena *arena,
    Vigil__Events__V2__SubmitRequest *request)
{
    char signature[VG_EVE_SIGNATURE_SIZE];
    vg_eve_event_signature(alert, signature);
    request->signature = vg_arena_text(arena, vg_bytes_text(signature));
    if (alert->protocol != VG_EVE_NONE) {
        request->protocol = vg_arena_printf(arena, "%d", alert->protocol);
        if (request->protocol == NULL) {
            return false;
        }
    }
    if (options->location != NULL) {
        request->location = vg_arena_text(arena, vg_bytes_text(options->location));
        if (request->location == NULL) {
            return false;
        }
    }
    return request->signature != NULL &&
           copy_text(domain_of(alert->record), FQDN_MAX, arena, &request->fqdn) &&
           copy_text(
               vg_eve_property_text(alert->record, "http.url"),
               URI_MAX,
               arena,
               &request->uri);
}

static bool fill_flags(
    const struct vg_eve_alert *alert,
    struct vg_arena *arena,
    Vigil__Events__V2__SubmitRequest *request)
{
    if (alert->blocked) {
        request->flags = vg_arena_calloc(arena, 1, sizeof(*request->flags));
        if (request->flags == NULL) {
            return false;
        }
        request->flags[0] = VIGIL__EVENTS__V2__SUBMIT_FLAG__SUBMIT_FLAG_BLOCKED;
        request->n_flags = 1;
    }
    return true;
}

enum vg_reason vg_eve_event_make(
    const struct vg_eve_alert *alert,
    const struct vg_eve_event_options *options,
    uint32_t occurrence,
    struct vg_arena *arena,
    Vigil__Events__V2__SubmitRequest **out_request,
    struct vg_error *error)
{
    Vigil__Events__V2__SubmitRequest *request = vg_arena_alloc(arena, sizeof(*request));
    if (request == NULL) {
        return no_memory(error);
    }
    *request = (Vigil__Events__V2__SubmitRequest)VIGIL__EVENTS__V2__SUBMIT_REQUEST__INIT;
    request->has_severity = true;
    request->severity = severity_of(alert);
    if (!options->keep_open) {
        request->has_finalized = true;
        request->finalized = true;
    }
    enum vg_reason reason = fill_id(alert, options, occurrence, arena, request, error);
    if (reason == VG_OK) {
        reason = fill_payload(alert->record, arena, request, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    if (!make_endpoint(&alert->source, arena, &request->source) ||
        !make_endpoint(&alert->destination, arena, &request->destination) ||
        !fill_texts(alert, options, arena, request) || !fill_flags(alert, arena, request) ||
        !vg_eve_property_fill(alert->record, arena, request)) {
        return no_memory(error);
    }
    *out_request = request;
    return VG_OK;
}

/* Categories of Suricata have names only: the id is the start of the name's digest, from 1. */
static int64_t category_id(const char *name)
{
    uint8_t digest[VG_SHA256_SIZE];
    vg_digest_sha256(vg_bytes_text(name), digest);
    uint32_t id = ((uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
                   (uint32_t)digest[2] << 8 | digest[3]) &
                  INT32_MAX;
    return id == 0 ? 1 : (int64_t)id;
}

enum vg_reason vg_eve_event_make_signature(
    const struct vg_eve_alert *alert,
    struct vg_arena *arena,
    Vigil__Admin__V1__AddSignatureRequest **out_request,
    struct vg_error *error)
{
    char name[VG_EVE_SIGNATURE_SIZE];
    vg_eve_event_signature(alert, name);
    const char *description = vg_eve_property_text(alert->record, "alert.signature");
    const char *category = vg_eve_property_text(alert->record, "alert.category");
    if (category == NULL) {
        category = "Unclassified";
    }
    Vigil__Admin__V1__AddSignatureRequest *request = vg_arena_alloc(arena, sizeof(*request));
    if (request == NULL) {
        return no_memory(error);
    }
    *request = (Vigil__Admin__V1__AddSignatureRequest)VIGIL__ADMIN__V1__ADD_SIGNATURE_REQUEST__INIT;
    request->has_alarm_id = true;
    request->alarm_id = alert->signature_id == 0 ? 1 : alert->signature_id;
    if (alert->generator_id != 1) {
        request->alarm_id += alert->generator_id * GENERATOR_FACTOR;
    }
    if (!copy_text(name, DESCRIPTION_MAX, arena, &request->name) ||
        !copy_text(
            description == NULL ? name : description,
            DESCRIPTION_MAX,
            arena,
            &request->alarm_description) ||
        !copy_text(category, DESCRIPTION_MAX, arena, &request->category_name)) {
        return no_memory(error);
    }
    request->has_category_id = true;
    request->category_id = category_id(request->category_name);
    *out_request = request;
    return VG_OK;
}
