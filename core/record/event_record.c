#include "core/record/event_record.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/text_number.h"
#include "core/record/event_record_field.h"
#include "core/record/record_writer.h"

/* Bytes of all fields of fixed size, heads of the nested ones and both flag lists included. */
#define VG_RECORD_FIXED_MAX 1024u

void vg_event_record_init(struct vg_event_record *record)
{
    *record = (struct vg_event_record){
        .protocol = VG_EVENT_NO_PROTOCOL,
        .source = { .port = VG_EVENT_NO_PORT },
        .destination = { .port = VG_EVENT_NO_PORT },
    };
}

int32_t vg_event_protocol_shown(int32_t number)
{
    static const struct {
        int16_t number;
        int8_t shown;
    } rows[] = { { 6, 1 }, { 17, 2 }, { 1, 3 }, { 0, 4 }, { 50, 5 } };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        if (rows[i].number == number) {
            return rows[i].shown;
        }
    }
    return 6; /* unknown */
}

/* The number of ip is shown as such (the guide's example). */
size_t vg_event_protocol_print(int32_t number, char out_text[VG_EVENT_PROTOCOL_TEXT_SIZE])
{
    static const struct {
        int16_t number;
        const char *name;
    } rows[] = { { 1, "icmp" }, { 6, "tcp" }, { 17, "udp" }, { 50, "esp" }, { 51, "ah" } };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        if (rows[i].number == number) {
            size_t size = strlen(rows[i].name);
            memcpy(out_text, rows[i].name, size + 1);
            return size;
        }
    }
    return vg_text_number_print_int64(number, out_text);
}

/* ------------------------------------------------------------------------------------ its size */

static size_t property_bound(const struct vg_event_property *property)
{
    size_t bound =
        VG_RECORD_BYTES_MAX(0) + VG_RECORD_BYTES_MAX(property->key.size) + VG_RECORD_NUMBER_MAX;
    for (uint32_t i = 0; i < property->value_count; i++) {
        bound += VG_RECORD_BYTES_MAX(property->values[i].size);
    }
    return bound;
}

static size_t endpoint_bound(const struct vg_event_endpoint *endpoint)
{
    return VG_RECORD_BYTES_MAX(endpoint->host.size) + VG_RECORD_BYTES_MAX(endpoint->user.size);
}

static size_t record_bound(const struct vg_event_record *record)
{
    size_t bound = VG_RECORD_FIXED_MAX + record->signature.size + record->alarm_short_name.size +
                   record->category_short_name.size + record->alarm_description.size +
                   record->category_name.size + record->uri.size + record->domain.size +
                   record->aggregation_key.size + record->comments.size + record->extra.size +
                   endpoint_bound(&record->source) + endpoint_bound(&record->destination) +
                   (size_t)record->case_count * VG_WIRE_VARINT_MAX;
    for (uint32_t i = 0; i < record->property_count; i++) {
        bound += property_bound(&record->properties[i]);
    }
    for (uint32_t i = 0; i < record->sub_event_count; i++) {
        bound += VG_RECORD_BYTES_MAX(record->sub_events[i].size);
    }
    return bound;
}

static bool within_counts(const struct vg_event_record *record)
{
    size_t hashes = record->property_count;
    for (uint32_t i = 0; i < record->property_count; i++) {
        hashes += record->properties[i].value_count;
    }
    return hashes <= VG_LIMIT_PROPERTY_TEXTS && record->sub_event_count <= VG_LIMIT_SUB_EVENTS &&
           record->case_count <= VG_LIMIT_EVENT_CASES;
}

/* --------------------------------------------------------- its parts, each from last to first */

static void write_internal(struct vg_record_writer *writer, const struct vg_event_record *record)
{
    vg_record_write_raw(writer, record->extra);
    if (record->first_revision != 0) {
        vg_record_write_varint(writer, record->first_revision);
        vg_record_write_key(writer, VG_EVENT_FIELD_FIRST_REVISION, VG_WIRE_VARINT);
    }
    if (record->created_in != 0) {
        vg_record_write_number(writer, VG_EVENT_FIELD_CREATED_IN, record->created_in);
    }
    vg_record_write_number(writer, VG_EVENT_FIELD_CREATED_BY, record->created_by_user_id);
    if (record->destination.geo.has_geo_location_id) {
        vg_record_write_number(
            writer,
            VG_EVENT_FIELD_DESTINATION_GEO_LOCATION_ID,
            record->destination.geo.geo_location_id);
    }
    if (record->source.geo.has_geo_location_id) {
        vg_record_write_number(
            writer,
            VG_EVENT_FIELD_SOURCE_GEO_LOCATION_ID,
            record->source.geo.geo_location_id);
    }
    if (record->payload_type != VG_EVENT_PAYLOAD_NONE) {
        vg_record_write_number(writer, VG_EVENT_FIELD_PAYLOAD_TYPE, record->payload_type);
    }
    vg_record_write_optional(writer, VG_EVENT_FIELD_AGGREGATION_KEY, record->aggregation_key);
    if (record->case_count != 0) {
        const uint8_t *end = writer->next;
        for (uint32_t i = record->case_count; i-- > 0;) {
            vg_record_write_varint(writer, (uint64_t)record->cases[i]);
        }
        vg_record_write_head(writer, VG_EVENT_FIELD_CASE_IDS, end);
    }
    if (record->location_id != 0) {
        vg_record_write_number(writer, VG_EVENT_FIELD_LOCATION_ID, record->location_id);
    }
    if (record->protocol != VG_EVENT_NO_PROTOCOL) {
        vg_record_write_number(writer, VG_EVENT_FIELD_PROTOCOL_NUMBER, record->protocol);
    }
    if (record->flags.bits[1] != 0) {
        vg_record_write_varint(writer, record->flags.bits[1]);
        vg_record_write_key(writer, VG_EVENT_FIELD_FLAG_BITS_HIGH, VG_WIRE_VARINT);
    }
    if (record->flags.bits[0] != 0) {
        vg_record_write_varint(writer, record->flags.bits[0]);
        vg_record_write_key(writer, VG_EVENT_FIELD_FLAG_BITS_LOW, VG_WIRE_VARINT);
    }
    vg_record_write_number(writer, VG_EVENT_FIELD_CUSTOMER_ID, record->id.customer_id);
    vg_record_write_number(writer, VG_EVENT_FIELD_CLASS, record->id.type);
}

static void write_geo(struct vg_record_writer *writer, const struct vg_event_geo *geo)
{
    const uint8_t *end = writer->next;
    if (geo->has_longitude) {
        vg_record_write_double(writer, VG_GEO_FIELD_LONGITUDE, geo->longitude);
    }
    if (geo->has_latitude) {
        vg_record_write_double(writer, VG_GEO_FIELD_LATITUDE, geo->latitude);
    }
    vg_record_write_bytes(writer, VG_GEO_FIELD_LOCATION_NAME, vg_bytes(NULL, 0));
    if (geo->country[0] != 0) {
        vg_record_write_bytes(writer, VG_GEO_FIELD_COUNTRY, vg_bytes(geo->country, 2));
    }
    vg_record_write_head(writer, VG_ENDPOINT_FIELD_GEO, end);
}

static void write_endpoint(
    struct vg_record_writer *writer,
    uint32_t number,
    const struct vg_event_endpoint *endpoint,
    const struct vg_event_flags *flags)
{
    const uint8_t *end = writer->next;
    bool destination = number == VG_EVENT_FIELD_DESTINATION;
    for (size_t i = VG_EVENT_ENDPOINT_FLAG_COUNT; i-- > 0;) {
        const struct vg_event_endpoint_flag *row = &vg_event_endpoint_flags[i];
        if (row->destination == destination && vg_event_flags_has(flags, row->flag)) {
            vg_record_write_varint(writer, row->endpoint_flag);
        }
    }
    if (writer->next != end) {
        vg_record_write_head(writer, VG_ENDPOINT_FIELD_FLAGS, end);
    }
    if (endpoint->geo.present) {
        write_geo(writer, &endpoint->geo);
    }
    if (endpoint->port != VG_EVENT_NO_PORT) {
        vg_record_write_number(writer, VG_ENDPOINT_FIELD_PORT, endpoint->port);
    }
    vg_record_write_optional(writer, VG_ENDPOINT_FIELD_USER, endpoint->user);
    vg_record_write_optional(writer, VG_ENDPOINT_FIELD_HOST, endpoint->host);
    if (endpoint->network.family != VG_NETWORK_NONE) {
        char text[VG_NETWORK_TEXT_SIZE];
        size_t size = vg_network_print(&endpoint->network, text);
        vg_record_write_bytes(writer, VG_ENDPOINT_FIELD_ADDRESS, vg_bytes(text, size));
    }
    vg_record_write_head(writer, number, end);
}

static void write_sub_events(struct vg_record_writer *writer, const struct vg_event_record *record)
{
    if (record->sub_event_count == 0) {
        return;
    }
    const uint8_t *end = writer->next;
    for (uint32_t i = record->sub_event_count; i-- > 0;) {
        vg_record_write_bytes(writer, VG_LIST_FIELD_ITEMS, record->sub_events[i]);
    }
    vg_record_write_head(writer, VG_EVENT_FIELD_SUB_EVENTS, end);
}

/* Returns the size of the packed list. */
static size_t write_properties(
    struct vg_record_writer *writer,
    const struct vg_event_record *record)
{
    if (record->property_count == 0) {
        return 0;
    }
    const uint8_t *list_end = writer->next;
    for (uint32_t i = record->property_count; i-- > 0;) {
        const struct vg_event_property *property = &record->properties[i];
        const uint8_t *end = writer->next;
        for (uint32_t v = property->value_count; v-- > 0;) {
            vg_record_write_bytes(writer, VG_PROPERTY_FIELD_VALUES, property->values[v]);
        }
        vg_record_write_number(writer, VG_PROPERTY_FIELD_TYPE, VG_PROPERTY_TYPE_STRING);
        vg_record_write_bytes(writer, VG_PROPERTY_FIELD_KEY, property->key);
        vg_record_write_head(writer, VG_LIST_FIELD_ITEMS, end);
    }
    size_t size = (size_t)(list_end - writer->next);
    vg_record_write_head(writer, VG_EVENT_FIELD_PROPERTIES, list_end);
    return size;
}

/* An alarm or a category: id, and a text where there is one. */
static void write_named(
    struct vg_record_writer *writer,
    uint32_t number,
    int64_t id,
    struct vg_bytes short_name,
    struct vg_bytes text)
{
    const uint8_t *end = writer->next;
    vg_record_write_optional(writer, VG_ALARM_FIELD_TEXT, text);
    vg_record_write_optional(writer, VG_ALARM_FIELD_SHORT_NAME, short_name);
    vg_record_write_number(writer, VG_ALARM_FIELD_ID, id);
    vg_record_write_head(writer, number, end);
}

static void write_attack(struct vg_record_writer *writer, const struct vg_event_record *record)
{
    if (record->signature.data != NULL) {
        const uint8_t *end = writer->next;
        vg_record_write_bytes(writer, VG_SIGNATURE_FIELD_NAME, record->signature);
        vg_record_write_head(writer, VG_EVENT_FIELD_SIGNATURE, end);
    }
    if (record->has_alarm) {
        write_named(
            writer,
            VG_EVENT_FIELD_ATTACK_CATEGORY,
            record->category_id,
            record->category_short_name,
            record->category_name);
        write_named(
            writer,
            VG_EVENT_FIELD_ALARM,
            record->alarm_id,
            record->alarm_short_name,
            record->alarm_description);
    }
}

static void write_flags(struct vg_record_writer *writer, const struct vg_event_flags *flags)
{
    uint8_t numbers[VG_EVENT_FLAG_LAST];
    unsigned count = vg_event_flags_list(flags, &vg_event_flags_shown, numbers);
    if (count != 0) {
        /* Numbers below 128 are varints of one byte as they stand. */
        vg_record_write_bytes(writer, VG_EVENT_FIELD_FLAGS, vg_bytes(numbers, count));
    }
}

enum vg_reason vg_event_record_pack(
    const struct vg_event_record *record,
    const struct vg_event_limits *limits,
    struct vg_arena *arena,
    struct vg_event_head *out_head,
    struct vg_error *error)
{
    if (!within_counts(record)) {
        return vg_error_set(error, VG_EVENT_TOO_LARGE, NULL);
    }
    size_t bound = record_bound(record);
    if (bound > 2 * limits->record_bytes_max + VG_RECORD_FIXED_MAX) {
        return vg_error_set(error, VG_EVENT_TOO_LARGE, NULL);
    }
    uint8_t *memory = vg_arena_alloc(arena, bound + VG_EVENT_TAIL_MAX);
    if (memory == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    struct vg_record_writer writer = { .floor = memory, .next = memory + bound };
    write_internal(&writer, record);
    write_flags(&writer, &record->flags);
    vg_record_write_number(
        &writer,
        VG_EVENT_FIELD_PROTOCOL,
        vg_event_protocol_shown(record->protocol));
    write_endpoint(&writer, VG_EVENT_FIELD_DESTINATION, &record->destination, &record->flags);
    write_endpoint(&writer, VG_EVENT_FIELD_SOURCE, &record->source, &record->flags);
    vg_record_write_optional(&writer, VG_EVENT_FIELD_DOMAIN, record->domain);
    vg_record_write_optional(&writer, VG_EVENT_FIELD_URI, record->uri);
    vg_record_write_number(&writer, VG_EVENT_FIELD_SEVERITY, record->severity);
    vg_record_write_number(&writer, VG_EVENT_FIELD_COUNT, record->count);
    write_sub_events(&writer, record);
    size_t property_bytes = write_properties(&writer, record);
    vg_record_write_optional(&writer, VG_EVENT_FIELD_COMMENTS, record->comments);
    write_attack(&writer, record);

    size_t size = (size_t)(memory + bound - writer.next);
    if (property_bytes > limits->property_bytes_max ||
        size + VG_EVENT_TAIL_MAX > limits->record_bytes_max) {
        return vg_error_set(error, VG_EVENT_TOO_LARGE, NULL);
    }
    *out_head = (struct vg_event_head){ .data = writer.next,
                                        .size = size,
                                        .property_bytes = property_bytes };
    return VG_OK;
}

/* ------------------------------------------------------------------------------------ the tail */

static void write_times(
    struct vg_record_writer *writer,
    const struct vg_event_id *id,
    const struct vg_event_times *times)
{
    const uint8_t *end = writer->next;
    bool raw = id->type == VG_EVENT_TYPE_RAW;
    vg_record_write_number(writer, VG_TIME_FIELD_PUBLISHED, times->published);
    if (!raw) {
        vg_record_write_number(writer, VG_TIME_FIELD_LAST_UPDATED, times->last_updated);
        vg_record_write_number(writer, VG_TIME_FIELD_LAST_EVENT, times->last_event);
    }
    if (times->first_notified != 0) {
        vg_record_write_number(writer, VG_TIME_FIELD_FIRST_NOTIFIED, times->first_notified);
    }
    if (!raw) {
        vg_record_write_number(writer, VG_TIME_FIELD_FIRST_EVENT, times->first_event);
    }
    if (times->first_assessed != 0) {
        vg_record_write_number(writer, VG_TIME_FIELD_FIRST_ASSESSED, times->first_assessed);
    }
    vg_record_write_number(writer, VG_TIME_FIELD_ENGINE_PERSISTED, times->engine_persisted);
    vg_record_write_number(writer, VG_TIME_FIELD_CREATED, id->timestamp);
    vg_record_write_head(writer, VG_EVENT_FIELD_TIMESTAMPS, end);
}

struct vg_bytes vg_event_record_finish(
    const struct vg_event_head *head,
    const struct vg_event_id *id,
    const struct vg_event_times *times,
    uint64_t revision)
{
    uint8_t tail[VG_EVENT_TAIL_MAX];
    struct vg_record_writer writer = { .floor = tail, .next = tail + sizeof(tail) };
    vg_record_write_varint(&writer, revision);
    vg_record_write_key(&writer, VG_EVENT_FIELD_REVISION, VG_WIRE_VARINT);
    if (id->type == VG_EVENT_TYPE_RAW) {
        vg_record_write_number(&writer, VG_EVENT_FIELD_LAST_UPDATED, times->last_updated);
    }
    write_times(&writer, id, times);
    size_t size = (size_t)(tail + sizeof(tail) - writer.next);
    memcpy(head->data + head->size, writer.next, size);
    return vg_bytes(head->data, head->size + size);
}
