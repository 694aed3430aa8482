#include "rpc/handlers/event_input.h"

#include "core/wire/validate.h"

static void read_time(const char *text, bool *out_has, vg_time *out_time)
{
    *out_has = text != NULL;
    *out_time = text == NULL ? 0 : vg_wire_time(text);
}

/* The numbers of the enumerations are those of the domain; a test compares them. */
static void read_id(const Vigil__Events__V2__SubmitId *id, struct vg_event_input *input)
{
    if (id == NULL) {
        return;
    }
    input->id_text = id->text;
    const Vigil__Events__V2__SubmitIdParts *parts = id->parts;
    if (parts == NULL) {
        return;
    }
    input->id_type = parts->has_type ? (enum vg_event_type)parts->type : VG_EVENT_TYPE_UNSET;
    input->id_customer = parts->customer;
    input->id_customer_domain = parts->customer_domain;
    input->id_uuid = parts->uuid;
    read_time(parts->timestamp, &input->has_timestamp, &input->timestamp);
}

static void read_geo(
    const Vigil__Events__V2__SubmitGeoLocation *geo,
    struct vg_event_input_geo *input)
{
    if (geo == NULL) {
        return;
    }
    input->present = true;
    input->country_code = geo->country_code;
    input->has_geo_location_id = geo->has_geo_location_id != 0;
    input->geo_location_id = geo->geo_location_id;
    input->has_latitude = geo->has_latitude != 0;
    input->latitude = geo->latitude;
    input->has_longitude = geo->has_longitude != 0;
    input->longitude = geo->longitude;
}

static void read_endpoint(
    const Vigil__Events__V2__SubmitEndpoint *endpoint,
    struct vg_event_input_endpoint *input)
{
    input->port = VG_EVENT_NO_PORT;
    if (endpoint == NULL) {
        return;
    }
    input->ip = endpoint->ip;
    input->host = endpoint->host;
    input->user = endpoint->user;
    if (endpoint->has_port) {
        input->port = endpoint->port;
    }
    read_geo(endpoint->geo_location, &input->geo);
}

static bool read_properties(
    const Vigil__Events__V2__SubmitRequest *request,
    struct vg_arena *arena,
    struct vg_event_input *input)
{
    if (request->n_properties == 0) {
        return true;
    }
    struct vg_event_input_property *properties =
        vg_arena_alloc(arena, request->n_properties * sizeof(*properties));
    if (properties == NULL) {
        return false;
    }
    for (size_t i = 0; i < request->n_properties; i++) {
        const Vigil__Events__V2__TextEntry *entry = request->properties[i];
        properties[i] = (struct vg_event_input_property){
            .key = entry->key,
            .values = entry->values,
            .value_count = entry->n_values,
        };
    }
    input->properties = properties;
    input->property_count = request->n_properties;
    return true;
}

bool vg_event_input_read(
    const Vigil__Events__V2__SubmitRequest *request,
    struct vg_arena *arena,
    struct vg_event_input *out_input)
{
    struct vg_event_input input = {
        .finalized = request->has_finalized && request->finalized,
        .severity = request->has_severity ? (int32_t)request->severity : 0,
        .count = request->has_count ? request->count : 0,
        .signature = request->signature,
        .location = request->location,
        .protocol = request->protocol,
        .uri = request->uri,
        .fqdn = request->fqdn,
        .aggregation_key = request->aggregation_key,
        .sub_events = request->sub_events,
        .sub_event_count = request->n_sub_events,
        .has_case = request->has_associated_case_id != 0,
        .case_id = request->associated_case_id,
        .case_ids = request->associated_case_ids,
        .case_count = request->n_associated_case_ids,
    };
    read_id(request->id, &input);
    read_time(request->start_timestamp, &input.has_start, &input.start);
    read_time(request->end_timestamp, &input.has_end, &input.end);
    read_endpoint(request->source, &input.source);
    read_endpoint(request->destination, &input.destination);
    for (size_t i = 0; i < request->n_flags; i++) {
        vg_event_flags_set(&input.flags, (unsigned)request->flags[i]);
    }
    if (request->payload != NULL) {
        input.payload = request->payload->payload;
        input.payload_type = (int32_t)request->payload->payload_type;
    }
    if (!read_properties(request, arena, &input)) {
        return false;
    }
    *out_input = input;
    return true;
}
