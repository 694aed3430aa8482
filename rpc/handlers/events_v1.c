/* vigil.events.v1.EventService: events in the shapes of v1. */
#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/settings.h"
#include "core/events/event_access.h"
#include "core/node/node.h"
#include "core/wire/validate.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_criteria_v1.h"
#include "rpc/handlers/event_view.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

/* A simple list looks back so far. */
#define VG_LIST_SPAN_MS (24 * 60 * 60 * INT64_C(1000))

/* More rows than these are an export, which may hold its snapshot as long as a stream. */
#define VG_PAGE_MAX 1000

/* -------------------------------------------------------------------------------- one event */

static enum vg_reason show(
    struct vg_call *call,
    const struct vg_event_record *record,
    Vigil__Events__V1__Event *answer)
{
    struct vg_event_view view = vg_event_calls_view(call, &call->arena);
    enum vg_reason reason =
        record->id.type == VG_EVENT_TYPE_RAW
            ? vg_event_view_raw(&view, record, &answer->raw, &call->error)
            : vg_event_view_aggregated(&view, record, &answer->aggregated, &call->error);
    vg_event_calls_release_view(&view);
    return reason;
}

int vg_events_v1_get_event(
    struct vg_call *call,
    const Vigil__Events__V1__GetEventRequest *request,
    Vigil__Events__V1__Event *answer)
{
    enum vg_reason reason = vg_event_calls_allow(call, request->customer_id);
    if (reason != VG_OK) {
        return (int)reason;
    }
    struct vg_event_id id = {
        .type = (enum vg_event_type)request->type,
        .timestamp = request->timestamp,
        .customer_id = request->customer_id,
    };
    if (!vg_uuid_parse(vg_bytes_text(request->event_id), &id.uuid)) {
        (void)vg_error_set(&call->error, VG_EVENT_NOT_FOUND, NULL);
        return (int)vg_error_field(&call->error, NULL, request->event_id);
    }
    struct vg_event_reading reading;
    struct vg_event_record record;
    reason = vg_event_calls_read(call, &id, &reading);
    if (reason == VG_OK) {
        reason = vg_event_record_unpack(&id, reading.record, &call->arena, &record, &call->error);
    }
    if (reason == VG_OK) {
        reason = show(call, &record, answer);
    }
    vg_event_reading_release(&reading);
    return (int)reason;
}

/* ----------------------------------------------------------------------------------- searches */

/* The rows of one answer. Lives in the arena of its call. */
struct event_rows {
    struct vg_rows rows;
    struct vg_event_cursor cursor;
    struct vg_event_view view;
};

static enum vg_reason next_row(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    struct event_rows *events = VG_CONTAINER_OF(rows, struct event_rows, rows);
    struct vg_event_id id;
    struct vg_bytes bytes;
    enum vg_reason reason = vg_event_cursor_next(&events->cursor, &id, &bytes, out_end, error);
    if (reason != VG_OK || *out_end) {
        return reason;
    }
    struct vg_event_record record;
    reason = vg_event_record_unpack(&id, bytes, arena, &record, error);
    if (reason != VG_OK) {
        return reason;
    }
    Vigil__Events__V1__AggregatedEvent *event = NULL;
    events->view.arena = arena;
    reason = vg_event_view_aggregated(&events->view, &record, &event, error);
    if (reason == VG_OK) {
        *out_row = (struct vg_reply_row){ .message = &event->base };
    }
    return reason;
}

static void close_rows(struct vg_rows *rows)
{
    struct event_rows *events = VG_CONTAINER_OF(rows, struct event_rows, rows);
    vg_event_cursor_close(&events->cursor);
    vg_event_calls_release_view(&events->view);
}

static const struct vg_rows_class event_rows_class = { .next = next_row, .close = close_rows };

static enum vg_reason check_call(void *owner, struct vg_error *error)
{
    struct vg_call *call = owner;
    VG_ASSERT(error == &call->error);
    return vg_call_check(call);
}

/* Find the page that `search` and `criteria` ask for and make it the reply's rows. */
static enum vg_reason search_events(
    struct vg_call *call,
    const struct vg_event_criteria *criteria,
    struct vg_event_search *search,
    const char *separator)
{
    const struct vg_node *node = call->service->node;
    struct event_rows *events = vg_arena_calloc(&call->arena, 1, sizeof(*events));
    if (events == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    events->rows.class = &event_rows_class;
    events->view = vg_event_calls_view(call, &call->arena);
    events->view.separator = separator != NULL ? separator : events->view.separator;
    const struct vg_event_criteria_context context = {
        .directory = events->view.directory,
        .principal = call->principal,
        .secret = node->format.secret,
        .now = call->now,
        .function = VG_FUNCTION_EVENT_LOOKUP,
        .type = VG_EVENT_TYPE_AGGREGATED,
        .arena = &call->arena,
    };
    bool is_long = (call->method->flags & VG_METHOD_STREAMS) != 0 || search->limit == 0 ||
                   search->limit > VG_PAGE_MAX;
    struct vg_event_store source = vg_event_calls_store(
        call,
        is_long ? node->settings->stream_snapshot_age_ms : node->settings->snapshot_age_ms);
    search->check = check_call;
    search->owner = call;
    enum vg_reason reason =
        vg_event_criteria_compile(criteria, &context, &search->where, &call->error);
    if (reason == VG_OK) {
        uint64_t begun_ns = vg_clock_monotonic_ns(call->service->clock);
        reason = vg_event_search_run(&source, search, &call->arena, &events->cursor, &call->error);
        vg_metrics_observe(
            VG_METRIC_search_seconds,
            vg_clock_monotonic_ns(call->service->clock) - begun_ns);
    }
    if (reason != VG_OK) {
        vg_event_calls_release_view(&events->view);
        return reason;
    }
    call->reply.rows = &events->rows;
    call->reply.limit = search->limit;
    call->reply.offset = search->offset;
    call->reply.count = (int64_t)events->cursor.match_count;
    return VG_OK;
}

/* An even number sorts ascending, the odd one above it descending (contract.md 2.4). */
static struct vg_event_sort *read_sort(
    struct vg_call *call,
    const Vigil__Events__V1__SortBy *keys,
    size_t count)
{
    struct vg_event_sort *sort = vg_arena_alloc(&call->arena, count * sizeof(*sort));
    for (size_t i = 0; sort != NULL && i < count; i++) {
        sort[i].field = (enum vg_event_sort_field)((unsigned)keys[i] >> 1);
        sort[i].descending = (keys[i] & 1) != 0;
    }
    return sort;
}

static const char *read_separator(const Vigil__Events__V1__SearchCriteria *request)
{
    if (!request->has_multivalue_property_separator) {
        return NULL;
    }
    return request->multivalue_property_separator == VIGIL__EVENTS__V1__SEPARATOR__SEPARATOR_NEWLINE
               ? "\n"
               : ",";
}

static int search_aggregated(struct vg_call *call)
{
    const Vigil__Events__V1__SearchCriteria *request =
        (const Vigil__Events__V1__SearchCriteria *)call->request;
    struct vg_event_criteria criteria;
    struct vg_event_sort *sort = read_sort(call, request->sort_by, request->n_sort_by);
    if (sort == NULL || !vg_event_criteria_v1_read(request, &call->arena, &criteria)) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    struct vg_event_search search = {
        .sort = sort,
        .sort_count = request->n_sort_by,
        .limit = request->has_limit ? request->limit : VG_EVENT_LIMIT_DEFAULT,
        .offset = request->offset,
    };
    return (int)search_events(call, &criteria, &search, read_separator(request));
}

int vg_events_v1_search_aggregated(
    struct vg_call *call,
    const Vigil__Events__V1__SearchCriteria *request,
    Vigil__Events__V1__AggregatedEventList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, search_aggregated);
}

static int list_aggregated(struct vg_call *call)
{
    const Vigil__Events__V1__ListAggregatedRequest *request =
        (const Vigil__Events__V1__ListAggregatedRequest *)call->request;
    struct vg_event_criteria criteria;
    vg_event_criteria_init(&criteria);
    criteria.has_start = true;
    criteria.start = request->start_timestamp != NULL ? vg_wire_time(request->start_timestamp)
                                                      : call->now - VG_LIST_SPAN_MS;
    criteria.has_end = true;
    criteria.end =
        request->end_timestamp != NULL ? vg_wire_time(request->end_timestamp) : call->now;
    criteria.customer_ids = (struct vg_number_list){ request->customer_id, request->n_customer_id };
    criteria.signatures = (struct vg_text_list){ request->signature, request->n_signature };
    criteria.networks[0] = (struct vg_text_list){ request->ip, request->n_ip };
    struct vg_event_search search = {
        .limit = request->has_limit ? request->limit : VG_EVENT_LIMIT_DEFAULT,
        .offset = request->offset,
    };
    return (int)search_events(call, &criteria, &search, NULL);
}

int vg_events_v1_list_aggregated(
    struct vg_call *call,
    const Vigil__Events__V1__ListAggregatedRequest *request,
    Vigil__Events__V1__AggregatedEventList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, list_aggregated);
}
