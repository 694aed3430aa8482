/* vigil.events.v2.EventService: reading events in the shapes of v2. Submission: events_submit.c. */
#include "core/wire/validate.h"
#include "core/wire/wire_decode.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_criteria_v2.h"
#include "rpc/handlers/event_pages.h"
#include "rpc/handlers/event_view.h"
#include "rpc/service/call.h"

static int get_large_event(struct vg_call *call);

static int get_event(struct vg_call *call, size_t bytes_max)
{
    const Vigil__Events__V2__GetEventRequest *request =
        (const Vigil__Events__V2__GetEventRequest *)call->request;
    enum vg_reason reason = vg_event_calls_allow(call, request->customer_id);
    struct vg_event_id id = {
        .timestamp = request->timestamp,
        .customer_id = request->customer_id,
    };
    if (reason == VG_OK && !vg_uuid_parse(vg_bytes_text(request->event_id), &id.uuid)) {
        (void)vg_error_set(&call->error, VG_INVALID_URL_PARAMETER, NULL);
        reason = vg_error_field(&call->error, "eventID", request->event_id);
    }
    if (reason != VG_OK) {
        return (int)reason;
    }
    const struct vg_event_view_members members = {
        .comments = request->has_include_comments && request->include_comments,
        .sub_events = request->has_include_sub_events && request->include_sub_events,
        .all_properties = request->has_include_all_properties && request->include_all_properties,
        .properties = request->include_properties,
        .property_count = request->n_include_properties,
    };
    struct vg_event_reading reading;
    struct vg_bytes wire = { 0 };
    reason = vg_event_calls_read_either(call, &id, &reading);
    if (reason == VG_OK && reading.record.size > bytes_max) {
        vg_event_reading_release(&reading);
        return vg_call_defer(call, get_large_event);
    }
    if (reason == VG_OK) {
        struct vg_event_view view = vg_event_calls_view(call, &call->arena);
        reason = vg_event_view_wire(&view, &id, reading.record, &members, &wire, &call->error);
        call->reply.revision = vg_event_record_revision(reading.record);
        vg_event_calls_release_view(&view);
    }
    vg_event_reading_release(&reading);
    return (int)(reason == VG_OK ? vg_event_calls_reply(call, wire) : reason);
}

static int get_large_event(struct vg_call *call)
{
    return get_event(call, SIZE_MAX);
}

int vg_events_v2_get_event(
    struct vg_call *call,
    const Vigil__Events__V2__GetEventRequest *request,
    Vigil__Events__V2__Event *answer)
{
    (void)request;
    (void)answer;
    return get_event(call, VG_EVENT_CALLS_INLINE_BYTES);
}

/* ----------------------------------------------------------------------------------- many events
 */

static const uint8_t sort_fields[] = {
    [VIGIL__EVENTS__V2__SORT_BY__SORT_BY_CUSTOMER_ID >> 1] = VG_EVENT_SORT_CUSTOMER,
    [VIGIL__EVENTS__V2__SORT_BY__SORT_BY_EVENT_ID >> 1] = VG_EVENT_SORT_UUID,
    [VIGIL__EVENTS__V2__SORT_BY__SORT_BY_CREATED_TIMESTAMP >> 1] = VG_EVENT_SORT_TIMESTAMP,
    [VIGIL__EVENTS__V2__SORT_BY__SORT_BY_LAST_UPDATED_TIMESTAMP >> 1] = VG_EVENT_SORT_LAST_UPDATED,
    [VIGIL__EVENTS__V2__SORT_BY__SORT_BY_FIRST_EVENT_TIMESTAMP >> 1] = VG_EVENT_SORT_FIRST_EVENT,
    [VIGIL__EVENTS__V2__SORT_BY__SORT_BY_LAST_EVENT_TIMESTAMP >> 1] = VG_EVENT_SORT_LAST_EVENT,
};

static int search_events(struct vg_call *call)
{
    const Vigil__Events__V2__SearchRequest *request =
        (const Vigil__Events__V2__SearchRequest *)call->request;
    struct vg_event_criteria criteria;
    const struct vg_event_pages pages = {
        .shape = VG_EVENT_PAGES_V2,
        .criteria = &criteria,
        .sort = vg_event_pages_sort(call, request->sort_by, request->n_sort_by, sort_fields),
        .sort_count = request->n_sort_by,
        .limit = request->has_limit ? request->limit : VG_EVENT_LIMIT_DEFAULT,
        .offset = request->offset,
        .members = {
            .comments = request->has_include_comments && request->include_comments,
            .sub_events = request->has_include_sub_events && request->include_sub_events,
            .all_properties =
                request->has_include_all_properties && request->include_all_properties,
            .properties = request->include_properties,
            .property_count = request->n_include_properties,
        },
    };
    if (pages.sort == NULL || !vg_event_criteria_v2_read(&request->base, &call->arena, &criteria)) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    vg_event_criteria_v2_read_index(&request->base, &criteria);
    return (int)vg_event_pages_answer(call, &pages);
}

int vg_events_v2_search_events(
    struct vg_call *call,
    const Vigil__Events__V2__SearchRequest *request,
    Vigil__Events__V2__EventList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, search_events);
}

static int list_events(struct vg_call *call)
{
    const Vigil__Events__V2__ListEventsRequest *request =
        (const Vigil__Events__V2__ListEventsRequest *)call->request;
    struct vg_event_criteria criteria;
    vg_event_criteria_init(&criteria);
    criteria.has_start = request->start_timestamp != NULL;
    criteria.start = criteria.has_start ? vg_wire_time(request->start_timestamp) : 0;
    criteria.has_end = request->end_timestamp != NULL;
    criteria.end = criteria.has_end ? vg_wire_time(request->end_timestamp) : 0;
    criteria.time_default = VG_EVENT_TIME_BIT(VG_EVENT_TIME_TIMESTAMP);
    criteria.types = vg_event_criteria_v2_types(request->type, request->n_type);
    criteria.customers = (struct vg_text_list){ request->customer, request->n_customer };
    criteria.signatures = (struct vg_text_list){ request->signature, request->n_signature };
    const struct vg_event_pages pages = {
        .shape = VG_EVENT_PAGES_V2,
        .criteria = &criteria,
        .limit = request->has_limit ? request->limit : VG_EVENT_LIMIT_DEFAULT,
        .offset = request->offset,
    };
    return (int)vg_event_pages_answer(call, &pages);
}

int vg_events_v2_list_events(
    struct vg_call *call,
    const Vigil__Events__V2__ListEventsRequest *request,
    Vigil__Events__V2__EventList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, list_events);
}

/* Only aggregated events have cases. Beside the case, the caller must hold eventLookup on the
 * customer of an event. */
static int list_events_by_case(struct vg_call *call)
{
    const Vigil__Events__V2__ListEventsByCaseRequest *request =
        (const Vigil__Events__V2__ListEventsByCaseRequest *)call->request;
    struct vg_event_criteria criteria;
    vg_event_criteria_init(&criteria);
    const struct vg_event_pages pages = {
        .shape = VG_EVENT_PAGES_V2,
        .type = VG_EVENT_TYPE_AGGREGATED,
        .criteria = &criteria,
        .sort = vg_event_pages_sort(call, request->sort_by, request->n_sort_by, sort_fields),
        .sort_count = request->n_sort_by,
        .limit = request->has_limit ? request->limit : VG_EVENT_LIMIT_DEFAULT,
        .offset = request->offset,
        .members = {
            .comments = request->has_include_comments && request->include_comments,
            .sub_events = request->has_include_sub_events && request->include_sub_events,
            .all_properties =
                request->has_include_all_properties && request->include_all_properties,
            .properties = request->include_properties,
            .property_count = request->n_include_properties,
        },
        .case_id = request->case_id,
    };
    return (
        int)(pages.sort == NULL ? vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL) : vg_event_pages_answer(call, &pages));
}

int vg_events_v2_list_events_by_case(
    struct vg_call *call,
    const Vigil__Events__V2__ListEventsByCaseRequest *request,
    Vigil__Events__V2__EventList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, list_events_by_case);
}
