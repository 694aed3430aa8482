/* The form of a submission: what can be said without looking anything up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/base64.h"
#include "core/base/text_number.h"
#include "core/base/utf8.h"
#include "core/events/event_submission.h"

#define VG_FIELD_PATH_MAX 128u
#define VG_PROTOCOL_MAX   255u

/* Up to so many values are compared each with each; more are sorted. */
#define VG_FEW_VALUES 16u

struct reading {
    struct vg_event_submission *submission;
    const struct vg_event_input *input;
    struct vg_arena *arena;
    size_t index;
    struct vg_violations *violations;
    bool failed;
};

static void blame(
    struct reading *reading,
    enum vg_reason reason,
    const char *field,
    const char *parameter,
    const char *message)
{
    char path[VG_FIELD_PATH_MAX];
    if (reading->index == VG_EVENT_SUBMISSION_ALONE) {
        (void)snprintf(path, sizeof(path), "%s", field);
    } else {
        (void)snprintf(path, sizeof(path), "events[%zu].%s", reading->index, field);
    }
    struct vg_violation violation = {
        .reason = reason,
        .field = path[0] == '\0' ? NULL : path,
        .parameter = parameter,
        .message = message,
    };
    vg_violations_add(reading->violations, &violation);
    reading->failed = true;
}

static void blame_value(struct reading *reading, const char *field, const char *value)
{
    blame(reading, VG_INVALID_FIELD_VALUE, field, value, NULL);
}

/* Memory of the call; NULL is told once and ends the reading. */
static void *take(struct reading *reading, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(reading->arena, count, size);
    if (memory == NULL) {
        blame(reading, VG_REQUEST_MEMORY, "", NULL, NULL);
    }
    return memory;
}

static struct vg_bytes optional_text(const char *text)
{
    return text == NULL ? vg_bytes(NULL, 0) : vg_bytes_text(text);
}

/* ------------------------------------------------------------------------------------ identity */

static void read_id(struct reading *reading)
{
    const struct vg_event_input *input = reading->input;
    struct vg_event_submission *submission = reading->submission;
    struct vg_event_id *id = &submission->part.id;
    if (input->id_text != NULL) {
        if (vg_event_id_parse(vg_bytes_text(input->id_text), id) != VG_EVENT_ID_FORM_OK) {
            blame_value(reading, "id", input->id_text);
            return;
        }
        submission->has_timestamp = true;
        submission->has_uuid = true;
        return;
    }
    id->type = input->id_type == VG_EVENT_TYPE_UNSET ? VG_EVENT_TYPE_AGGREGATED : input->id_type;
    submission->has_timestamp = input->has_timestamp;
    id->timestamp = input->timestamp;
    if (input->id_uuid != NULL) {
        submission->has_uuid = true;
        if (!vg_uuid_parse(vg_bytes_text(input->id_uuid), &id->uuid)) {
            blame_value(reading, "id.uuid", input->id_uuid);
        }
    }
}

static void read_times(struct reading *reading)
{
    const struct vg_event_input *input = reading->input;
    struct vg_event_submission *submission = reading->submission;
    if (input->has_start && input->has_end && input->start > input->end) {
        blame(
            reading,
            VG_INVALID_FIELD_VALUE,
            "startTimestamp",
            NULL,
            "startTimestamp is later than endTimestamp");
        return;
    }
    /* The first and last observation of a raw event are its timestamp. */
    bool raw = submission->part.id.type == VG_EVENT_TYPE_RAW;
    submission->has_start = input->has_start && !raw;
    submission->has_end = input->has_end && !raw;
    submission->part.times.first_event = input->start;
    submission->part.times.last_event = input->end;
}

/* ------------------------------------------------------------------------------ scalar members */

static void read_protocol(struct reading *reading)
{
    static const struct {
        const char *name;
        uint8_t number;
    } rows[] = { { "tcp", 6 }, { "udp", 17 }, { "icmp", 1 },
                 { "ip", 0 },  { "esp", 50 }, { "ah", 51 } };
    const char *text = reading->input->protocol;
    if (text == NULL) {
        return;
    }
    uint64_t number;
    if (vg_text_number_parse_uint64(vg_bytes_text(text), &number)) {
        if (number <= VG_PROTOCOL_MAX) {
            reading->submission->part.protocol = (int32_t)number;
            return;
        }
    } else {
        for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
            if (strcasecmp(text, rows[i].name) == 0) {
                reading->submission->part.protocol = rows[i].number;
                return;
            }
        }
    }
    blame_value(reading, "protocol", text);
}

static uint8_t upper_ascii(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

static uint8_t lower_ascii(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static void read_domain(struct reading *reading)
{
    const char *fqdn = reading->input->fqdn;
    if (fqdn == NULL) {
        return;
    }
    size_t size = strlen(fqdn);
    if (size > 0 && fqdn[size - 1] == '.') {
        size--;
    }
    uint8_t *lower = take(reading, size + 1, 1);
    if (lower == NULL) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        lower[i] = lower_ascii((uint8_t)fqdn[i]);
    }
    reading->submission->part.domain = vg_bytes(lower, size);
}

static void read_geo(
    struct reading *reading,
    const struct vg_event_input_geo *input,
    struct vg_event_geo *geo,
    const char *country_field)
{
    if (!input->present) {
        return;
    }
    geo->present = true;
    geo->has_latitude = input->has_latitude;
    geo->has_longitude = input->has_longitude;
    geo->has_geo_location_id = input->has_geo_location_id;
    geo->latitude = input->latitude;
    geo->longitude = input->longitude;
    geo->geo_location_id = input->geo_location_id;
    if (input->country_code == NULL) {
        return;
    }
    if (strlen(input->country_code) != sizeof(geo->country)) {
        blame_value(reading, country_field, input->country_code);
        return;
    }
    for (size_t i = 0; i < sizeof(geo->country); i++) {
        geo->country[i] = (char)upper_ascii((uint8_t)input->country_code[i]);
    }
}

static void read_endpoint(
    struct reading *reading,
    const struct vg_event_input_endpoint *input,
    struct vg_event_endpoint *endpoint,
    bool destination)
{
    if (input->ip != NULL && !vg_network_parse(vg_bytes_text(input->ip), &endpoint->network)) {
        blame_value(reading, destination ? "destination.ip" : "source.ip", input->ip);
    }
    endpoint->port = input->port;
    endpoint->host = optional_text(input->host);
    endpoint->user = optional_text(input->user);
    read_geo(
        reading,
        &input->geo,
        &endpoint->geo,
        destination ? "destination.geoLocation.countryCode" : "source.geoLocation.countryCode");
}

/* ---------------------------------------------------------------------------------- properties */

struct numbered_text {
    struct vg_bytes text;
    uint32_t index;
};

static int compare_numbered(const void *left, const void *right)
{
    const struct numbered_text *a = left;
    const struct numbered_text *b = right;
    int order = vg_bytes_compare(a->text, b->text);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* Keep the first of equal values; `values` is compacted in place. */
static uint32_t drop_equal_many(struct reading *reading, struct vg_bytes *values, uint32_t count)
{
    struct numbered_text *sorted = take(reading, count, sizeof(*sorted));
    if (sorted == NULL) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = (struct numbered_text){ .text = values[i], .index = i };
    }
    qsort(sorted, count, sizeof(*sorted), compare_numbered);
    for (uint32_t i = 1; i < count; i++) {
        if (vg_bytes_equal(sorted[i].text, sorted[i - 1].text)) {
            values[sorted[i].index].data = NULL;
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].data != NULL) {
            values[kept++] = values[i];
        }
    }
    return kept;
}

static uint32_t drop_equal(struct reading *reading, struct vg_bytes *values, uint32_t count)
{
    if (count > VG_FEW_VALUES) {
        return drop_equal_many(reading, values, count);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t before = 0;
        while (before < kept && !vg_bytes_equal(values[before], values[i])) {
            before++;
        }
        if (before == kept) {
            values[kept++] = values[i];
        }
    }
    return kept;
}

static int compare_properties(const void *left, const void *right)
{
    const struct vg_event_property *a = *(const struct vg_event_property *const *)left;
    const struct vg_event_property *b = *(const struct vg_event_property *const *)right;
    int order = vg_bytes_compare(a->key, b->key);
    return order != 0 ? order : (a > b) - (a < b);
}

/* Sort by key; of equal keys the one that came last wins. */
static void sort_properties(
    struct reading *reading,
    struct vg_event_property *properties,
    uint32_t count)
{
    bool sorted = true;
    for (uint32_t i = 1; i < count && sorted; i++) {
        sorted = vg_bytes_compare(properties[i - 1].key, properties[i].key) < 0;
    }
    if (sorted) {
        reading->submission->part.properties = properties;
        reading->submission->part.property_count = count;
        return;
    }
    const struct vg_event_property **order = take(reading, count, sizeof(*order));
    struct vg_event_property *result = take(reading, count, sizeof(*result));
    if (order == NULL || result == NULL) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        order[i] = &properties[i];
    }
    qsort(order, count, sizeof(const struct vg_event_property *), compare_properties);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept > 0 && vg_bytes_equal(result[kept - 1].key, order[i]->key)) {
            kept--;
        }
        result[kept++] = *order[i];
    }
    reading->submission->part.properties = result;
    reading->submission->part.property_count = kept;
}

static bool read_values(
    struct reading *reading,
    const struct vg_event_input_property *input,
    struct vg_event_property *property)
{
    struct vg_bytes *values = take(reading, input->value_count, sizeof(*values));
    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; i < input->value_count; i++) {
        struct vg_bytes text = vg_bytes_text(input->values[i]);
        values[i] = text.size <= VG_EVENT_VALUE_LENGTH_MAX
                        ? text
                        : vg_utf8_cut(text, VG_EVENT_VALUE_LENGTH_MAX);
    }
    property->values = values;
    property->value_count = drop_equal(reading, values, (uint32_t)input->value_count);
    return property->value_count != 0;
}

static void read_properties(struct reading *reading)
{
    const struct vg_event_input *input = reading->input;
    if (input->property_count == 0) {
        return;
    }
    struct vg_event_property *properties =
        take(reading, input->property_count, sizeof(*properties));
    if (properties == NULL) {
        return;
    }
    bool fine = true;
    uint32_t count = 0;
    for (size_t i = 0; i < input->property_count && fine; i++) {
        const struct vg_event_input_property *entry = &input->properties[i];
        struct vg_bytes key = optional_text(entry->key);
        if (key.size == 0) {
            blame(reading, VG_INVALID_FIELD_VALUE, "properties", "", "A property has an empty key");
            return;
        }
        if (entry->value_count == 0) {
            continue;
        }
        properties[count].key =
            key.size <= VG_EVENT_KEY_LENGTH_MAX ? key : vg_utf8_cut(key, VG_EVENT_KEY_LENGTH_MAX);
        fine = read_values(reading, entry, &properties[count++]);
    }
    if (fine) {
        sort_properties(reading, properties, count);
    }
}

/* ------------------------------------------------------------------------------ lists of others */

static void read_sub_events(struct reading *reading)
{
    const struct vg_event_input *input = reading->input;
    if (input->sub_event_count == 0) {
        return;
    }
    struct vg_bytes *texts = take(reading, input->sub_event_count, sizeof(*texts));
    if (texts == NULL) {
        return;
    }
    for (size_t i = 0; i < input->sub_event_count; i++) {
        struct vg_event_id id;
        if (vg_event_id_parse(vg_bytes_text(input->sub_events[i]), &id) != VG_EVENT_ID_FORM_OK) {
            char field[VG_FIELD_PATH_MAX];
            (void)snprintf(field, sizeof(field), "subEvents[%zu]", i);
            blame_value(reading, field, input->sub_events[i]);
            return;
        }
        char text[VG_EVENT_ID_TEXT_SIZE];
        size_t size = vg_event_id_print(&id, text);
        char *copy = vg_arena_text(reading->arena, vg_bytes(text, size));
        if (copy == NULL) {
            blame(reading, VG_REQUEST_MEMORY, "", NULL, NULL);
            return;
        }
        texts[i] = vg_bytes(copy, size);
    }
    struct vg_event_record *part = &reading->submission->part;
    part->sub_events = texts;
    part->sub_event_count = drop_equal(reading, texts, (uint32_t)input->sub_event_count);
}

/* A class that has neither cases nor sub-events must not be given any. */
static void read_raw(struct reading *reading)
{
    const struct vg_event_input *input = reading->input;
    if (reading->submission->part.id.type != VG_EVENT_TYPE_RAW) {
        return;
    }
    const char *message = "Only aggregated events have cases and sub-events";
    if (input->has_case) {
        blame(reading, VG_INVALID_FIELD_VALUE, "associatedCaseID", NULL, message);
    } else if (input->case_count != 0) {
        blame(reading, VG_INVALID_FIELD_VALUE, "associatedCaseIDs", NULL, message);
    } else if (input->sub_event_count != 0) {
        blame(reading, VG_INVALID_FIELD_VALUE, "subEvents", NULL, message);
    }
}

static void read_payload(struct reading *reading)
{
    const struct vg_event_input *input = reading->input;
    if (input->payload == NULL) {
        return;
    }
    struct vg_event_submission *submission = reading->submission;
    struct vg_bytes text = vg_bytes_text(input->payload);
    submission->part.payload_type = input->payload_type;
    if (input->payload_type == VG_EVENT_PAYLOAD_STRING) {
        submission->payload = text;
        return;
    }
    uint8_t *bytes = vg_arena_alloc(reading->arena, vg_base64_decoded_max(text.size));
    size_t size = 0;
    if (bytes == NULL) {
        blame(reading, VG_REQUEST_MEMORY, "", NULL, NULL);
    } else if (!vg_base64_decode(text, VG_BASE64_STANDARD, bytes, &size)) {
        blame(
            reading,
            VG_INVALID_FIELD_VALUE,
            "payload.payload",
            NULL,
            "The payload is not valid base64");
    }
    submission->payload = vg_bytes(bytes, size);
}

/* Flags that follow from what is submitted (events-api.md 2.7). */
static void derive_flags(struct reading *reading)
{
    struct vg_event_record *part = &reading->submission->part;
    part->flags = reading->input->flags;
    if (reading->input->finalized) {
        vg_event_flags_set(&part->flags, VG_EVENT_FLAG_FINALIZED);
    }
    if (part->sub_event_count != 0) {
        vg_event_flags_set(&part->flags, VG_EVENT_FLAG_HAS_DETAILS);
    }
    if (part->payload_type == VG_EVENT_PAYLOAD_NONE) {
        return;
    }
    vg_event_flags_set(&part->flags, VG_EVENT_FLAG_HAS_PAYLOAD);
    if (part->payload_type == VG_EVENT_PAYLOAD_STRING) {
        vg_event_flags_set(&part->flags, VG_EVENT_FLAG_HAS_STRING_PAYLOAD);
    } else if (part->payload_type != VG_EVENT_PAYLOAD_BINARY) {
        vg_event_flags_set(&part->flags, VG_EVENT_FLAG_HAS_PCAP);
    }
}

bool vg_event_submission_read(
    struct vg_event_submission *submission,
    const struct vg_event_input *input,
    const struct vg_event_submit_context *context,
    size_t index,
    struct vg_violations *violations)
{
    *submission = (struct vg_event_submission){ .rules = context->rules };
    struct vg_event_record *part = &submission->part;
    vg_event_record_init(part);
    part->severity = input->severity;
    part->count = input->count;
    part->signature = optional_text(input->signature);
    part->uri = optional_text(input->uri);
    part->aggregation_key = optional_text(input->aggregation_key);

    struct reading reading = {
        .submission = submission,
        .input = input,
        .arena = context->arena,
        .index = index,
        .violations = violations,
    };
    read_id(&reading);
    read_times(&reading);
    read_protocol(&reading);
    read_endpoint(&reading, &input->source, &part->source, false);
    read_endpoint(&reading, &input->destination, &part->destination, true);
    read_properties(&reading);
    read_sub_events(&reading);
    read_domain(&reading);
    read_raw(&reading);
    read_payload(&reading);
    derive_flags(&reading);
    return !reading.failed;
}
