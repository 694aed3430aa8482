/* Reading packed events back: the other half of event_record.c. */
#include <string.h>

#include "core/record/event_record.h"
#include "core/record/event_record_field.h"
#include "core/wire/wire_field.h"

/* The fields that this program reads and makes anew, those below 64 and those from 64 on. */
#define VG_BIT(number) (UINT64_C(1) << ((number) % 64))
#define VG_KNOWN_LOW                                                                               \
    (VG_BIT(VG_EVENT_FIELD_ALARM) | VG_BIT(VG_EVENT_FIELD_ATTACK_CATEGORY) |                       \
     VG_BIT(VG_EVENT_FIELD_SIGNATURE) | VG_BIT(VG_EVENT_FIELD_COMMENTS) |                          \
     VG_BIT(VG_EVENT_FIELD_PROPERTIES) | VG_BIT(VG_EVENT_FIELD_SUB_EVENTS) |                       \
     VG_BIT(VG_EVENT_FIELD_COUNT) | VG_BIT(VG_EVENT_FIELD_SEVERITY) | VG_BIT(VG_EVENT_FIELD_URI) | \
     VG_BIT(VG_EVENT_FIELD_DOMAIN) | VG_BIT(VG_EVENT_FIELD_SOURCE) |                               \
     VG_BIT(VG_EVENT_FIELD_DESTINATION) | VG_BIT(VG_EVENT_FIELD_PROTOCOL) |                        \
     VG_BIT(VG_EVENT_FIELD_FLAGS) | VG_BIT(VG_EVENT_FIELD_TIMESTAMPS))
#define VG_KNOWN_HIGH                                                                              \
    (VG_BIT(VG_EVENT_FIELD_CLASS) | VG_BIT(VG_EVENT_FIELD_CUSTOMER_ID) |                           \
     VG_BIT(VG_EVENT_FIELD_FLAG_BITS_LOW) | VG_BIT(VG_EVENT_FIELD_FLAG_BITS_HIGH) |                \
     VG_BIT(VG_EVENT_FIELD_PROTOCOL_NUMBER) | VG_BIT(VG_EVENT_FIELD_LOCATION_ID) |                 \
     VG_BIT(VG_EVENT_FIELD_CASE_IDS) | VG_BIT(VG_EVENT_FIELD_AGGREGATION_KEY) |                    \
     VG_BIT(VG_EVENT_FIELD_PAYLOAD_TYPE) | VG_BIT(VG_EVENT_FIELD_SOURCE_GEO_LOCATION_ID) |         \
     VG_BIT(VG_EVENT_FIELD_DESTINATION_GEO_LOCATION_ID) | VG_BIT(VG_EVENT_FIELD_LAST_UPDATED) |    \
     VG_BIT(VG_EVENT_FIELD_REVISION) | VG_BIT(VG_EVENT_FIELD_CREATED_BY) |                         \
     VG_BIT(VG_EVENT_FIELD_CREATED_IN) | VG_BIT(VG_EVENT_FIELD_FIRST_REVISION))

static bool is_known(uint32_t number)
{
    if (number < 64) {
        return (VG_KNOWN_LOW & VG_BIT(number)) != 0;
    }
    return number < 128 && (VG_KNOWN_HIGH & VG_BIT(number)) != 0;
}

struct reading {
    struct vg_event_record *record;
    struct vg_arena *arena;
    size_t extra_size;
};

/* Take the next field off `rest`; false at the end, and when the bytes are no message, which
 * *reason then says. */
static bool next_field(struct vg_bytes *rest, struct vg_wire_field *field, enum vg_reason *reason)
{
    enum vg_wire_step step = vg_wire_next(rest, field);
    if (step == VG_WIRE_STEP_BROKEN) {
        *reason = VG_STORE_CORRUPT;
    }
    return step == VG_WIRE_STEP_FIELD;
}

static enum vg_reason read_named(
    struct vg_bytes rest,
    int64_t *id,
    struct vg_bytes *short_name,
    struct vg_bytes *text)
{
    struct vg_wire_field field;
    enum vg_reason reason = VG_OK;
    while (next_field(&rest, &field, &reason)) {
        if (field.number == VG_ALARM_FIELD_ID) {
            *id = (int64_t)field.value;
        } else if (field.number == VG_ALARM_FIELD_SHORT_NAME) {
            *short_name = field.bytes;
        } else if (field.number == VG_ALARM_FIELD_TEXT) {
            *text = field.bytes;
        }
    }
    return reason;
}

static enum vg_reason read_signature(struct vg_bytes rest, struct vg_bytes *name)
{
    struct vg_wire_field field;
    enum vg_reason reason = VG_OK;
    while (next_field(&rest, &field, &reason)) {
        if (field.number == VG_SIGNATURE_FIELD_NAME) {
            *name = field.bytes;
        }
    }
    return reason;
}

/* How many fields numbered `number` there are in `rest`. */
static enum vg_reason count_fields(struct vg_bytes rest, uint32_t number, uint32_t *out_count)
{
    struct vg_wire_field field;
    enum vg_reason reason = VG_OK;
    uint32_t count = 0;
    while (next_field(&rest, &field, &reason)) {
        count += field.number == number;
    }
    *out_count = count;
    return reason;
}

static enum vg_reason read_texts(
    struct vg_arena *arena,
    struct vg_bytes rest,
    uint32_t number,
    const struct vg_bytes **out_texts,
    uint32_t *out_count)
{
    uint32_t count;
    enum vg_reason reason = count_fields(rest, number, &count);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_bytes *texts = vg_arena_alloc(arena, count * sizeof(*texts));
    if (texts == NULL) {
        return VG_REQUEST_MEMORY;
    }
    uint32_t filled = 0;
    struct vg_wire_field field;
    while (next_field(&rest, &field, &reason)) {
        if (field.number == number) {
            texts[filled++] = field.bytes;
        }
    }
    *out_texts = texts;
    *out_count = count;
    return reason;
}

/* Values of properties are put one behind the other into runs of this many, or more. */
#define VG_VALUE_RUN 64u

struct value_run {
    struct vg_bytes *values;
    uint32_t used;
    uint32_t size;
};

/* Add a value to the last property of the run; its values stay together. */
static bool add_value(
    struct vg_arena *arena,
    struct value_run *run,
    struct vg_event_property *property,
    struct vg_bytes value)
{
    if (run->used == run->size) {
        uint32_t size =
            property->value_count < VG_VALUE_RUN / 2 ? VG_VALUE_RUN : 2 * property->value_count;
        struct vg_bytes *values = vg_arena_alloc(arena, size * sizeof(*values));
        if (values == NULL) {
            return false;
        }
        if (property->value_count != 0) {
            memcpy(values, property->values, property->value_count * sizeof(*values));
        }
        *run = (struct value_run){ values, property->value_count, size };
        property->values = values;
    } else if (property->value_count == 0) {
        property->values = &run->values[run->used];
    }
    run->values[run->used++] = value;
    property->value_count++;
    return true;
}

static enum vg_reason read_property(
    struct vg_arena *arena,
    struct vg_bytes rest,
    struct value_run *run,
    struct vg_event_property *property)
{
    struct vg_wire_field field;
    enum vg_reason reason = VG_OK;
    while (next_field(&rest, &field, &reason)) {
        if (field.number == VG_PROPERTY_FIELD_KEY) {
            property->key = field.bytes;
        } else if (
            field.number == VG_PROPERTY_FIELD_VALUES &&
            !add_value(arena, run, property, field.bytes)) {
            return VG_REQUEST_MEMORY;
        }
    }
    return reason;
}

static enum vg_reason read_properties(struct reading *reading, struct vg_bytes rest)
{
    uint32_t count;
    enum vg_reason reason = count_fields(rest, VG_LIST_FIELD_ITEMS, &count);
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_event_property *properties =
        vg_arena_calloc(reading->arena, count, sizeof(*properties));
    if (properties == NULL) {
        return VG_REQUEST_MEMORY;
    }
    struct value_run run = { 0 };
    uint32_t filled = 0;
    struct vg_wire_field field;
    while (reason == VG_OK && next_field(&rest, &field, &reason)) {
        if (field.number == VG_LIST_FIELD_ITEMS) {
            reason = read_property(reading->arena, field.bytes, &run, &properties[filled++]);
        }
    }
    reading->record->properties = properties;
    reading->record->property_count = count;
    return reason;
}

static enum vg_reason read_geo(struct vg_bytes rest, struct vg_event_geo *geo)
{
    struct vg_wire_field field;
    enum vg_reason reason = VG_OK;
    geo->present = true;
    while (next_field(&rest, &field, &reason)) {
        if (field.number == VG_GEO_FIELD_COUNTRY && field.bytes.size == 2) {
            memcpy(geo->country, field.bytes.data, 2);
        } else if (field.number == VG_GEO_FIELD_LATITUDE) {
            geo->has_latitude = true;
            memcpy(&geo->latitude, &field.value, sizeof(geo->latitude));
        } else if (field.number == VG_GEO_FIELD_LONGITUDE) {
            geo->has_longitude = true;
            memcpy(&geo->longitude, &field.value, sizeof(geo->longitude));
        }
    }
    return reason;
}

static enum vg_reason read_endpoint_field(
    const struct vg_wire_field *field,
    struct vg_event_endpoint *endpoint)
{
    switch (field->number) {
    case VG_ENDPOINT_FIELD_ADDRESS:
        return vg_network_parse(field->bytes, &endpoint->network) ? VG_OK : VG_STORE_CORRUPT;
    case VG_ENDPOINT_FIELD_HOST:
        endpoint->host = field->bytes;
        return VG_OK;
    case VG_ENDPOINT_FIELD_USER:
        endpoint->user = field->bytes;
        return VG_OK;
    case VG_ENDPOINT_FIELD_PORT:
        endpoint->port = (int32_t)field->value;
        return VG_OK;
    case VG_ENDPOINT_FIELD_GEO:
        return read_geo(field->bytes, &endpoint->geo);
    default: /* the flags are read from the flag bits */
        return VG_OK;
    }
}

static enum vg_reason read_endpoint(struct vg_bytes rest, struct vg_event_endpoint *endpoint)
{
    struct vg_wire_field field;
    enum vg_reason reason = VG_OK;
    while (reason == VG_OK && next_field(&rest, &field, &reason)) {
        reason = read_endpoint_field(&field, endpoint);
    }
    return reason;
}

static enum vg_reason read_times(struct vg_bytes rest, struct vg_event_times *times)
{
    vg_time *const places[VG_TIME_FIELD_PUBLISHED + 1] = {
        [VG_TIME_FIELD_ENGINE_PERSISTED] = &times->engine_persisted,
        [VG_TIME_FIELD_FIRST_ASSESSED] = &times->first_assessed,
        [VG_TIME_FIELD_FIRST_EVENT] = &times->first_event,
        [VG_TIME_FIELD_FIRST_NOTIFIED] = &times->first_notified,
        [VG_TIME_FIELD_LAST_EVENT] = &times->last_event,
        [VG_TIME_FIELD_LAST_UPDATED] = &times->last_updated,
        [VG_TIME_FIELD_PUBLISHED] = &times->published,
    };
    struct vg_wire_field field;
    enum vg_reason reason = VG_OK;
    while (next_field(&rest, &field, &reason)) {
        if (field.number <= VG_TIME_FIELD_PUBLISHED && places[field.number] != NULL) {
            *places[field.number] = (vg_time)field.value;
        }
    }
    return reason;
}

static enum vg_reason read_cases(struct reading *reading, struct vg_bytes packed)
{
    if (packed.size == 0) {
        return VG_OK;
    }
    int64_t *cases = vg_arena_alloc(reading->arena, packed.size * sizeof(*cases));
    if (cases == NULL) {
        return VG_REQUEST_MEMORY;
    }
    const uint8_t *end = packed.data + packed.size;
    uint32_t count = 0;
    for (const uint8_t *next = packed.data; next != end; count++) {
        uint64_t value;
        next = vg_wire_read_varint(next, end, &value);
        if (next == NULL) {
            return VG_STORE_CORRUPT;
        }
        cases[count] = (int64_t)value;
    }
    reading->record->cases = cases;
    reading->record->case_count = count;
    return VG_OK;
}

static enum vg_reason read_public(struct reading *reading, const struct vg_wire_field *field)
{
    struct vg_event_record *record = reading->record;
    switch (field->number) {
    case VG_EVENT_FIELD_ALARM:
        record->has_alarm = true;
        return read_named(
            field->bytes,
            &record->alarm_id,
            &record->alarm_short_name,
            &record->alarm_description);
    case VG_EVENT_FIELD_ATTACK_CATEGORY:
        return read_named(
            field->bytes,
            &record->category_id,
            &record->category_short_name,
            &record->category_name);
    case VG_EVENT_FIELD_SIGNATURE:
        return read_signature(field->bytes, &record->signature);
    case VG_EVENT_FIELD_COMMENTS:
        record->comments = field->bytes;
        return VG_OK;
    case VG_EVENT_FIELD_PROPERTIES:
        return read_properties(reading, field->bytes);
    case VG_EVENT_FIELD_SUB_EVENTS:
        return read_texts(
            reading->arena,
            field->bytes,
            VG_LIST_FIELD_ITEMS,
            &record->sub_events,
            &record->sub_event_count);
    case VG_EVENT_FIELD_COUNT:
        record->count = (int32_t)field->value;
        return VG_OK;
    case VG_EVENT_FIELD_SEVERITY:
        record->severity = (int32_t)field->value;
        return VG_OK;
    case VG_EVENT_FIELD_URI:
        record->uri = field->bytes;
        return VG_OK;
    case VG_EVENT_FIELD_DOMAIN:
        record->domain = field->bytes;
        return VG_OK;
    case VG_EVENT_FIELD_SOURCE:
        return read_endpoint(field->bytes, &record->source);
    case VG_EVENT_FIELD_DESTINATION:
        return read_endpoint(field->bytes, &record->destination);
    case VG_EVENT_FIELD_TIMESTAMPS:
        return read_times(field->bytes, &record->times);
    default: /* protocol and flags are made from what is internal */
        return VG_OK;
    }
}

static enum vg_reason read_internal(struct reading *reading, const struct vg_wire_field *field)
{
    struct vg_event_record *record = reading->record;
    switch (field->number) {
    case VG_EVENT_FIELD_CLASS:
        return field->value == (uint64_t)record->id.type ? VG_OK : VG_STORE_CORRUPT;
    case VG_EVENT_FIELD_CUSTOMER_ID:
        return field->value == (uint64_t)record->id.customer_id ? VG_OK : VG_STORE_CORRUPT;
    case VG_EVENT_FIELD_FLAG_BITS_LOW:
        record->flags.bits[0] = field->value;
        return VG_OK;
    case VG_EVENT_FIELD_FLAG_BITS_HIGH:
        record->flags.bits[1] = field->value;
        return VG_OK;
    case VG_EVENT_FIELD_PROTOCOL_NUMBER:
        record->protocol = (int32_t)field->value;
        return VG_OK;
    case VG_EVENT_FIELD_LOCATION_ID:
        record->location_id = (int64_t)field->value;
        return VG_OK;
    case VG_EVENT_FIELD_CASE_IDS:
        return read_cases(reading, field->bytes);
    case VG_EVENT_FIELD_AGGREGATION_KEY:
        record->aggregation_key = field->bytes;
        return VG_OK;
    case VG_EVENT_FIELD_PAYLOAD_TYPE:
        record->payload_type = (int32_t)field->value;
        return VG_OK;
    case VG_EVENT_FIELD_SOURCE_GEO_LOCATION_ID:
        record->source.geo.has_geo_location_id = true;
        record->source.geo.geo_location_id = (int64_t)field->value;
        return VG_OK;
    case VG_EVENT_FIELD_DESTINATION_GEO_LOCATION_ID:
        record->destination.geo.has_geo_location_id = true;
        record->destination.geo.geo_location_id = (int64_t)field->value;
        return VG_OK;
    case VG_EVENT_FIELD_LAST_UPDATED:
        record->times.last_updated = (vg_time)field->value;
        return VG_OK;
    case VG_EVENT_FIELD_REVISION:
        record->revision = field->value;
        return VG_OK;
    case VG_EVENT_FIELD_FIRST_REVISION:
        record->first_revision = field->value;
        return VG_OK;
    case VG_EVENT_FIELD_CREATED_BY:
        record->created_by_user_id = (int64_t)field->value;
        return VG_OK;
    case VG_EVENT_FIELD_CREATED_IN:
        record->created_in = (int32_t)field->value;
        return VG_OK;
    default:
        return VG_OK;
    }
}

/* Put what a newer program has written side by side, so that it is written back as it is. */
static enum vg_reason collect_extra(struct reading *reading, struct vg_bytes rest)
{
    uint8_t *extra = vg_arena_alloc(reading->arena, reading->extra_size);
    if (extra == NULL) {
        return VG_REQUEST_MEMORY;
    }
    size_t size = 0;
    struct vg_wire_field field;
    enum vg_reason reason = VG_OK;
    while (next_field(&rest, &field, &reason)) {
        if (!is_known(field.number)) {
            memcpy(extra + size, field.whole.data, field.whole.size);
            size += field.whole.size;
        }
    }
    reading->record->extra = vg_bytes(extra, size);
    return reason;
}

static enum vg_reason read_record(struct reading *reading, struct vg_bytes bytes)
{
    struct vg_bytes rest = bytes;
    struct vg_wire_field field;
    enum vg_reason reason = VG_OK;
    while (reason == VG_OK && next_field(&rest, &field, &reason)) {
        if (!is_known(field.number)) {
            reading->extra_size += field.whole.size;
        } else if (field.number <= VG_EVENT_FIELD_PUBLIC_LAST) {
            reason = read_public(reading, &field);
        } else {
            reason = read_internal(reading, &field);
        }
    }
    return reason != VG_OK || reading->extra_size == 0 ? reason : collect_extra(reading, bytes);
}

enum vg_reason vg_event_record_unpack(
    const struct vg_event_id *id,
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_event_record *out_record,
    struct vg_error *error)
{
    struct vg_event_record record;
    vg_event_record_init(&record);
    record.id = *id;
    /* A raw event stores neither: they are its timestamp. */
    record.times.first_event = id->timestamp;
    record.times.last_event = id->timestamp;
    struct reading reading = { .record = &record, .arena = arena };
    enum vg_reason reason = read_record(&reading, bytes);
    if (reason != VG_OK) {
        return vg_error_set(error, reason, NULL);
    }
    *out_record = record;
    return VG_OK;
}

uint64_t vg_event_record_revision(struct vg_bytes bytes)
{
    struct vg_wire_field field;
    enum vg_reason reason = VG_OK;
    uint64_t revision = 0;
    while (next_field(&bytes, &field, &reason)) {
        if (field.number == VG_EVENT_FIELD_REVISION) {
            revision = field.value;
        }
    }
    return revision;
}
