/* The v1 views of an event: aggregated and raw. */
#include <string.h>

#include "core/events/event_access.h"
#include "core/wire/wire_decode.h"
#include "proto/contract_json.h"
#include "rpc/handlers/event_user.h"
#include "rpc/handlers/event_view.h"

/* What it takes to make one view. A failure is noted and checked once, at the end. */
struct making {
    const struct vg_event_view *view;
    const struct vg_event_record *record;
    bool failed; /* the arena is full */
};

/* Messages that every event has, whatever its class. */
struct parts {
    Vigil__Events__V1__EventCustomer customer;
    Vigil__Events__V1__LocationInfo location;
    Vigil__Events__V1__AttackInfo attack;
    Vigil__Events__V1__DomainName domain;
    struct endpoint_parts {
        Vigil__Events__V1__IpEndpoint endpoint;
        Vigil__Events__V1__GeoInfo geo;
        Vigil__Events__V1__NetworkAddress network;
        char *address; /* with bits when it is a network */
    } source, destination;
};

static void *take(struct making *making, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(making->view->arena, count, size);
    if (memory == NULL) {
        making->failed = true;
    }
    return memory;
}

/* A copy of a text; NULL for none. */
static char *text(struct making *making, struct vg_bytes bytes)
{
    if (bytes.data == NULL) {
        return NULL;
    }
    char *copy = vg_arena_text(making->view->arena, bytes);
    if (copy == NULL) {
        making->failed = true;
    }
    return copy;
}

/* Texts of the directory live as long as its snapshot; they are copied all the same, because an
 * answer may outlive the handler. */
static char *directory_text(struct making *making, const char *from)
{
    return from == NULL ? NULL : text(making, vg_bytes_text(from));
}

/* -------------------------------------------------------------------------------- shared parts */

static void make_customer(struct making *making, Vigil__Events__V1__EventCustomer *customer)
{
    vigil__events__v1__event_customer__init(customer);
    customer->has_id = true;
    customer->id = making->record->id.customer_id;
    const struct vg_customer *found = vg_directory_customer(making->view->directory, customer->id);
    if (found != NULL) {
        customer->short_name = directory_text(making, found->short_name);
        customer->name = directory_text(making, found->name);
    }
}

/* Never null: without a location it has id 0 and the zone of the server. */
static void make_location(struct making *making, Vigil__Events__V1__LocationInfo *location)
{
    vigil__events__v1__location_info__init(location);
    location->has_id = true;
    location->id = making->record->location_id;
    const struct vg_location *found =
        location->id == 0 ? NULL : vg_directory_location(making->view->directory, location->id);
    const char *zone = making->view->location_zone;
    if (found != NULL) {
        location->short_name = directory_text(making, found->short_name);
        location->name = directory_text(making, found->name);
        zone = found->time_zone != NULL ? found->time_zone : zone;
    }
    location->time_zone = directory_text(making, zone);
}

/* Never null: clients read the signature unchecked. */
static void make_attack(struct making *making, Vigil__Events__V1__AttackInfo *attack)
{
    const struct vg_event_record *record = making->record;
    vigil__events__v1__attack_info__init(attack);
    attack->has_alarm_id = true;
    attack->alarm_id = record->alarm_id;
    attack->alarm_description = text(making, record->alarm_description);
    attack->has_attack_category_id = true;
    attack->attack_category_id = record->category_id;
    attack->attack_category_name = text(making, record->category_name);
    attack->signature = text(making, record->signature);
}

static void make_geo(
    struct making *making,
    const struct vg_event_geo *geo,
    Vigil__Events__V1__GeoInfo *info)
{
    vigil__events__v1__geo_info__init(info);
    if (geo->country[0] != 0) {
        info->country_code = text(making, vg_bytes(geo->country, sizeof(geo->country)));
    }
    info->location_name = directory_text(making, "");
    info->has_latitude = geo->has_latitude;
    info->latitude = geo->latitude;
    info->has_longitude = geo->has_longitude;
    info->longitude = geo->longitude;
}

/* Never null, also without an address: clients look inside unchecked. */
static void make_network(
    struct making *making,
    const struct vg_network *network,
    struct endpoint_parts *parts)
{
    Vigil__Events__V1__NetworkAddress *address = &parts->network;
    vigil__events__v1__network_address__init(address);
    address->has_host = address->has_ipv6 = address->has_mask_bits = true;
    address->has_multicast = address->has_public_ = true;
    if (network->family == VG_NETWORK_NONE) {
        return;
    }
    address->host = vg_network_is_host(network);
    address->ipv6 = network->family == VG_NETWORK_IPV6;
    address->mask_bits = network->bits;
    address->multicast = vg_network_is_multicast(network);
    address->public_ = vg_network_is_public(network);
    char printed[VG_NETWORK_TEXT_SIZE];
    size_t size = vg_network_print_address(network, printed);
    address->address = text(making, vg_bytes(printed, size));
    size = vg_network_print(network, printed);
    parts->address = text(making, vg_bytes(printed, size));
}

static void make_endpoint(
    struct making *making,
    const struct vg_event_endpoint *endpoint,
    struct endpoint_parts *parts)
{
    vigil__events__v1__ip_endpoint__init(&parts->endpoint);
    parts->endpoint.has_port = endpoint->port != VG_EVENT_NO_PORT;
    parts->endpoint.port = parts->endpoint.has_port ? endpoint->port : 0;
    if (endpoint->geo.present) {
        make_geo(making, &endpoint->geo, &parts->geo);
        parts->endpoint.geo_location = &parts->geo;
    }
    make_network(making, &endpoint->network, parts);
    parts->endpoint.network_address = &parts->network;
}

static struct parts *make_parts(struct making *making)
{
    struct parts *parts = take(making, 1, sizeof(*parts));
    if (parts == NULL) {
        return NULL;
    }
    make_customer(making, &parts->customer);
    make_location(making, &parts->location);
    make_attack(making, &parts->attack);
    make_endpoint(making, &making->record->source, &parts->source);
    make_endpoint(making, &making->record->destination, &parts->destination);
    if (making->record->domain.data != NULL) {
        vigil__events__v1__domain_name__init(&parts->domain);
        parts->domain.fqdn = text(making, making->record->domain);
    }
    return parts;
}

/* Stored comments are those of v2. */
static Vigil__Events__V1__Comment **make_comments(struct making *making, size_t *out_count)
{
    struct vg_arena *arena = making->view->arena;
    ProtobufCMessage *decoded = NULL;
    *out_count = 0;
    if (making->record->comments.size == 0) {
        return NULL;
    }
    if (vg_wire_decode(
            &vg_table_vigil_events_v2_comment_list,
            making->record->comments,
            &vg_wire_policy_request,
            arena,
            &decoded,
            NULL) != VG_OK) {
        making->failed = true;
        return NULL;
    }
    const Vigil__Events__V2__CommentList *from = (const Vigil__Events__V2__CommentList *)decoded;
    Vigil__Events__V1__Comment **list = take(making, from->n_items, sizeof(*list));
    Vigil__Events__V1__Comment *comments = take(making, from->n_items, sizeof(*comments));
    for (size_t i = 0; comments != NULL && list != NULL && i < from->n_items; i++) {
        const Vigil__Events__V2__Comment *comment = from->items[i];
        vigil__events__v1__comment__init(&comments[i]);
        comments[i].has_timestamp = comment->has_timestamp;
        comments[i].timestamp = comment->timestamp;
        comments[i].comment = comment->comment;
        if (comment->user != NULL) {
            comments[i].user = vg_event_user_v1(comment->user, arena);
            making->failed |= comments[i].user == NULL;
        }
        list[i] = &comments[i];
    }
    *out_count = list == NULL || comments == NULL ? 0 : from->n_items;
    return list;
}

static char *make_id(struct making *making)
{
    char printed[VG_EVENT_ID_TEXT_SIZE];
    size_t size = vg_event_id_print(&making->record->id, printed);
    return text(making, vg_bytes(printed, size));
}

/* Both enums have the numbers of the stored flags. */
static Vigil__Events__V1__EventFlag *make_flags(struct making *making, size_t *out_count)
{
    static const struct vg_event_flags all = { { UINT64_MAX, UINT64_MAX } };
    uint8_t numbers[VG_EVENT_FLAG_LAST];
    unsigned count = vg_event_flags_list(&making->record->flags, &all, numbers);
    Vigil__Events__V1__EventFlag *flags = take(making, count, sizeof(*flags));
    for (unsigned i = 0; flags != NULL && i < count; i++) {
        flags[i] = (Vigil__Events__V1__EventFlag)numbers[i];
    }
    *out_count = flags == NULL ? 0 : count;
    return flags;
}

/* The values of one property as one text; a separator in a value is not told apart. */
static char *join_values(struct making *making, const struct vg_event_property *property)
{
    size_t separator_size = strlen(making->view->separator);
    size_t size = 0;
    for (uint32_t i = 0; i < property->value_count; i++) {
        size += property->values[i].size + (i == 0 ? 0 : separator_size);
    }
    char *joined = take(making, size + 1, 1);
    char *end = joined;
    for (uint32_t i = 0; joined != NULL && i < property->value_count; i++) {
        if (i != 0) {
            memcpy(end, making->view->separator, separator_size);
            end += separator_size;
        }
        if (property->values[i].size != 0) {
            memcpy(end, property->values[i].data, property->values[i].size);
        }
        end += property->values[i].size;
    }
    return joined;
}

/* --------------------------------------------------------------------------- aggregated events */

static void make_aggregated_properties(
    struct making *making,
    Vigil__Events__V1__AggregatedEvent *event)
{
    uint32_t count = making->record->property_count;
    Vigil__Events__V1__AggregatedEvent__PropertiesEntry **list = take(making, count, sizeof(*list));
    Vigil__Events__V1__AggregatedEvent__PropertiesEntry *entries =
        take(making, count, sizeof(*entries));
    if (list == NULL || entries == NULL) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        vigil__events__v1__aggregated_event__properties_entry__init(&entries[i]);
        entries[i].key = text(making, making->record->properties[i].key);
        entries[i].value = join_values(making, &making->record->properties[i]);
        list[i] = &entries[i];
    }
    event->n_properties = count;
    event->properties = list;
}

static void make_case(
    struct making *making,
    const struct vg_case *subject,
    Vigil__Events__V1__AssociatedCase *shown)
{
    vigil__events__v1__associated_case__init(shown);
    shown->has_id = true;
    shown->id = subject->id;
    shown->subject = directory_text(making, subject->subject);
    shown->has_category_id = true;
    shown->category_id = subject->category_id;
    shown->category_name = directory_text(making, subject->category_name);
    shown->service = directory_text(making, subject->service);
    shown->has_status = subject->status != 0;
    shown->status = (Vigil__Events__V1__CaseStatus)subject->status;
    shown->has_priority = subject->priority != 0;
    shown->priority = (Vigil__Events__V1__Priority)subject->priority;
    shown->description = directory_text(making, subject->description);
}

/* Cases that the caller may not read are left out. */
static void make_cases(struct making *making, Vigil__Events__V1__AggregatedEvent *event)
{
    const struct vg_event_record *record = making->record;
    if (record->case_count == 0) {
        return;
    }
    Vigil__Events__V1__AssociatedCase **list = take(making, record->case_count, sizeof(*list));
    Vigil__Events__V1__AssociatedCase *cases = take(making, record->case_count, sizeof(*cases));
    if (list == NULL || cases == NULL) {
        return;
    }
    size_t count = 0;
    for (uint32_t i = 0; i < record->case_count; i++) {
        const struct vg_case *subject =
            vg_directory_case(making->view->directory, record->cases[i]);
        if (subject != NULL && vg_event_access_reads_case(making->view->principal, subject)) {
            make_case(making, subject, &cases[count]);
            list[count] = &cases[count];
            count++;
        }
    }
    event->n_associated_cases = count;
    event->associated_cases = list;
    event->associated_case = count == 0 ? NULL : list[0];
}

static char *make_protocol(struct making *making)
{
    if (making->record->protocol == VG_EVENT_NO_PROTOCOL) {
        return NULL;
    }
    char printed[VG_EVENT_PROTOCOL_TEXT_SIZE];
    size_t size = vg_event_protocol_print(making->record->protocol, printed);
    return text(making, vg_bytes(printed, size));
}

static void make_sub_events(struct making *making, Vigil__Events__V1__AggregatedEvent *event)
{
    uint32_t count = making->record->sub_event_count;
    char **list = take(making, count, sizeof(*list));
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        list[i] = text(making, making->record->sub_events[i]);
    }
    event->n_detailed_event_ids = list == NULL ? 0 : count;
    event->detailed_event_ids = list;
}

static void make_aggregated(
    struct making *making,
    struct parts *parts,
    Vigil__Events__V1__AggregatedEvent *event)
{
    const struct vg_event_record *record = making->record;
    event->customer_info = &parts->customer;
    make_aggregated_properties(making, event);
    event->comments = make_comments(making, &event->n_comments);
    make_cases(making, event);
    event->location = &parts->location;
    event->attack_info = &parts->attack;
    event->domain = record->domain.data == NULL ? NULL : &parts->domain;
    event->uri = text(making, record->uri);
    event->has_count = true;
    event->count = record->count;
    event->source = &parts->source.endpoint;
    event->destination = &parts->destination.endpoint;
    event->protocol = make_protocol(making);
    event->has_timestamp = event->has_start_timestamp = event->has_end_timestamp = true;
    event->timestamp = record->id.timestamp;
    event->start_timestamp = record->times.first_event;
    event->end_timestamp = record->times.last_event;
    event->has_last_updated_timestamp = true;
    event->last_updated_timestamp = record->times.last_updated;
    event->flags = make_flags(making, &event->n_flags);
    event->has_severity = true;
    event->severity = (Vigil__Events__V1__Severity)record->severity;
    make_sub_events(making, event);
    event->id = make_id(making);
    event->source_address = parts->source.address;
    event->destination_address = parts->destination.address;
    event->has_source_port = parts->source.endpoint.has_port;
    event->source_port = parts->source.endpoint.port;
    event->has_destination_port = parts->destination.endpoint.has_port;
    event->destination_port = parts->destination.endpoint.port;
}

enum vg_reason vg_event_view_aggregated(
    const struct vg_event_view *view,
    const struct vg_event_record *record,
    Vigil__Events__V1__AggregatedEvent **out_event,
    struct vg_error *error)
{
    struct making making = { .view = view, .record = record };
    Vigil__Events__V1__AggregatedEvent *event = take(&making, 1, sizeof(*event));
    struct parts *parts = make_parts(&making);
    if (event != NULL && parts != NULL) {
        vigil__events__v1__aggregated_event__init(event);
        make_aggregated(&making, parts, event);
    }
    if (making.failed) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_event = event;
    return VG_OK;
}

/* ---------------------------------------------------------------------------------- raw events */

static void make_raw_properties(struct making *making, Vigil__Events__V1__RawEvent *event)
{
    uint32_t count = making->record->property_count;
    Vigil__Events__V1__RawEvent__PropertiesEntry **list = take(making, count, sizeof(*list));
    Vigil__Events__V1__RawEvent__PropertiesEntry *entries = take(making, count, sizeof(*entries));
    if (list == NULL || entries == NULL) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        vigil__events__v1__raw_event__properties_entry__init(&entries[i]);
        entries[i].key = text(making, making->record->properties[i].key);
        entries[i].value = join_values(making, &making->record->properties[i]);
        list[i] = &entries[i];
    }
    event->n_properties = count;
    event->properties = list;
}

static void make_raw(struct making *making, struct parts *parts, Vigil__Events__V1__RawEvent *event)
{
    const struct vg_event_record *record = making->record;
    event->customer_info = &parts->customer;
    make_raw_properties(making, event);
    event->comments = make_comments(making, &event->n_comments);
    event->location = &parts->location;
    event->attack_info = &parts->attack;
    event->has_count = true;
    event->count = 1;
    event->has_engine_timestamp = true;
    event->engine_timestamp = record->times.engine_persisted;
    event->has_protocol_id = record->protocol != VG_EVENT_NO_PROTOCOL;
    event->protocol_id = event->has_protocol_id ? record->protocol : 0;
    event->domain = record->domain.data == NULL ? NULL : &parts->domain;
    event->uri = text(making, record->uri);
    event->source = &parts->source.endpoint;
    event->destination = &parts->destination.endpoint;
    event->has_timestamp = true;
    event->timestamp = record->id.timestamp;
    event->has_severity = true;
    event->severity = (Vigil__Events__V1__Severity)record->severity;
    event->flags = make_flags(making, &event->n_flags);
    event->id = make_id(making);
    event->source_address = parts->source.address;
    event->destination_address = parts->destination.address;
    event->has_source_port = parts->source.endpoint.has_port;
    event->source_port = parts->source.endpoint.port;
    event->has_destination_port = parts->destination.endpoint.has_port;
    event->destination_port = parts->destination.endpoint.port;
}

enum vg_reason vg_event_view_raw(
    const struct vg_event_view *view,
    const struct vg_event_record *record,
    Vigil__Events__V1__RawEvent **out_event,
    struct vg_error *error)
{
    struct making making = { .view = view, .record = record };
    Vigil__Events__V1__RawEvent *event = take(&making, 1, sizeof(*event));
    struct parts *parts = make_parts(&making);
    if (event != NULL && parts != NULL) {
        vigil__events__v1__raw_event__init(event);
        make_raw(&making, parts, event);
    }
    if (making.failed) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_event = event;
    return VG_OK;
}
