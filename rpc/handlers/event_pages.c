#include "rpc/handlers/event_pages.h"

#include "core/base/assert.h"
#include "core/base/metrics.h"
#include "core/base/settings.h"
#include "core/base/trace_point.h"
#include "core/events/criteria_id.h"
#include "core/events/event_access.h"
#include "core/events/event_details.h"
#include "core/node/node.h"
#include "core/wire/wire_decode.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/search_explain.h"
#include "rpc/service/service.h"

/* More rows than these are an export, which may hold its snapshot as long as a stream. */
#define VG_PAGE_MAX 1000

/* The rows of one answer. Lives in the arena of its call. */
struct event_rows {
    struct vg_rows rows;
    const struct vg_table *element;
    enum vg_event_pages_shape shape;
    struct vg_event_view_members members;
    struct vg_event_cursor cursor;
    struct vg_event_view view;
};

/* ---------------------------------------------------------------------------------------- rows */

static enum vg_reason show_either(
    const struct vg_event_view *view,
    const struct vg_event_record *record,
    struct vg_reply_row *out_row,
    struct vg_error *error)
{
    Vigil__Events__V1__Event *event = vg_arena_alloc(view->arena, sizeof(*event));
    if (event == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    vigil__events__v1__event__init(event);
    out_row->message = &event->base;
    return record->id.type == VG_EVENT_TYPE_RAW
               ? vg_event_view_raw(view, record, &event->raw, error)
               : vg_event_view_aggregated(view, record, &event->aggregated, error);
}

static enum vg_reason show_v1(
    const struct event_rows *events,
    const struct vg_event_record *record,
    struct vg_reply_row *out_row,
    struct vg_error *error)
{
    enum vg_reason reason;
    if (events->shape == VG_EVENT_PAGES_EITHER) {
        return show_either(&events->view, record, out_row, error);
    }
    if (events->shape == VG_EVENT_PAGES_RAW) {
        Vigil__Events__V1__RawEvent *event = NULL;
        reason = vg_event_view_raw(&events->view, record, &event, error);
        out_row->message = reason == VG_OK ? &event->base : NULL;
        return reason;
    }
    Vigil__Events__V1__AggregatedEvent *event = NULL;
    reason = vg_event_view_aggregated(&events->view, record, &event, error);
    out_row->message = reason == VG_OK ? &event->base : NULL;
    return reason;
}

/* The stored bytes, completed; read again for a face that wants a message. */
static enum vg_reason show_v2(
    const struct event_rows *events,
    const struct vg_event_id *id,
    struct vg_bytes record,
    bool takes_wire,
    struct vg_reply_row *out_row,
    struct vg_error *error)
{
    struct vg_bytes wire;
    enum vg_reason reason =
        vg_event_view_wire(&events->view, id, record, &events->members, &wire, error);
    if (reason != VG_OK || takes_wire) {
        *out_row = (struct vg_reply_row){ .wire = wire };
        return reason;
    }
    ProtobufCMessage *event = NULL;
    reason = vg_wire_decode(
        events->element,
        wire,
        &vg_wire_policy_request,
        events->view.arena,
        &event,
        error);
    *out_row = (struct vg_reply_row){ .message = event };
    return reason;
}

static enum vg_reason next_row(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    struct event_rows *events = VG_CONTAINER_OF(rows, struct event_rows, rows);
    struct vg_event_id id;
    struct vg_bytes bytes;
    enum vg_reason reason = vg_event_cursor_next(&events->cursor, &id, &bytes, out_end, error);
    if (reason != VG_OK || *out_end) {
        return reason;
    }
    events->view.arena = arena;
    *out_row = (struct vg_reply_row){ .message = NULL };
    if (events->shape == VG_EVENT_PAGES_V2) {
        return show_v2(events, &id, bytes, takes_wire, out_row, error);
    }
    struct vg_event_record record;
    reason = vg_event_record_unpack(&id, bytes, arena, &record, error);
    return reason == VG_OK ? show_v1(events, &record, out_row, error) : reason;
}

static void close_rows(struct vg_rows *rows)
{
    struct event_rows *events = VG_CONTAINER_OF(rows, struct event_rows, rows);
    vg_event_cursor_close(&events->cursor);
    vg_event_calls_release_view(&events->view);
}

static const struct vg_rows_class event_rows_class = { .next = next_row, .close = close_rows };

/* -------------------------------------------------------------------------------------- search */

static enum vg_reason check_call(void *owner, struct vg_error *error)
{
    struct vg_call *call = owner;
    VG_ASSERT(error == &call->error);
    return vg_call_check(call);
}

/* The cases that stand for the one asked for. One that is unknown is answered as one that may not
 * be read, so that nothing is revealed. */
static enum vg_reason find_cases(
    struct vg_call *call,
    const struct vg_directory_snapshot *directory,
    const struct vg_event_pages *pages,
    struct vg_number_list *out_cases)
{
    const struct vg_case *subject = vg_directory_case(directory, pages->case_id);
    if (subject == NULL || !vg_event_access_reads_case(call->principal, subject)) {
        (void)vg_error_set(&call->error, VG_ACCESS_DENIED, NULL);
        return vg_error_field(&call->error, NULL, "viewEventsByCase");
    }
    enum vg_reason reason = pages->open ? VG_OK : vg_event_calls_allow(call, subject->customer_id);
    if (reason != VG_OK) {
        return reason;
    }
    return vg_event_access_merged_cases(
               directory,
               pages->case_id,
               &call->arena,
               &out_cases->items,
               &out_cases->count)
               ? VG_OK
               : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

static enum vg_reason compile(
    struct vg_call *call,
    const struct vg_event_pages *pages,
    const struct vg_directory_snapshot *directory,
    const struct vg_predicate **out_where)
{
    struct vg_number_list cases = { 0 };
    if (pages->case_id != 0) {
        enum vg_reason reason = find_cases(call, directory, pages, &cases);
        if (reason != VG_OK) {
            return reason;
        }
    }
    const struct vg_event_criteria_context context = {
        .directory = directory,
        .principal = call->principal,
        .secret = call->service->node->format.secret,
        .now = call->now,
        .function = VG_FUNCTION_EVENT_LOOKUP,
        .type = pages->type,
        .of_cases = pages->case_id == 0 ? NULL : &cases,
        .every_customer = pages->open,
        .arena = &call->arena,
    };
    return vg_event_criteria_compile(pages->criteria, &context, out_where, &call->error);
}

/* What `search` finds, and the raw events that consists of. Those linked from now on are told the
 * next time. */
static enum vg_reason add_details(
    struct vg_call *call,
    const struct vg_event_store *source,
    struct vg_event_search *search)
{
    struct vg_event_id *ids = NULL;
    size_t count = 0;
    enum vg_reason reason =
        vg_event_details_find(source, search, &call->arena, &ids, &count, &call->error);
    if (reason != VG_OK || count == 0) {
        return reason;
    }
    const struct vg_predicate *either[] = {
        search->where,
        vg_criteria_id_any(&call->arena, ids, count),
    };
    const struct vg_predicate *both = vg_predicate_or(&call->arena, either, VG_ARRAY_COUNT(either));
    if (both == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    search->where = both;
    return VG_OK;
}

static enum vg_reason find_page(
    struct vg_call *call,
    const struct vg_event_pages *pages,
    const struct vg_directory_snapshot *directory,
    struct vg_search_explanation *explanation,
    struct vg_event_cursor *out_cursor)
{
    const struct vg_node *node = call->service->node;
    struct vg_event_search search = {
        .sort = pages->sort,
        .sort_count = pages->sort_count,
        .limit = pages->limit,
        .offset = pages->offset,
        .is_unlimited = pages->shape == VG_EVENT_PAGES_V2,
        .explain = explanation != NULL ? explanation : vg_search_explain_begin(call),
        .check = check_call,
        .owner = call,
    };
    bool is_long = (call->method->flags & VG_METHOD_STREAMS) != 0 || pages->limit == 0 ||
                   pages->limit > VG_PAGE_MAX;
    struct vg_event_store source = vg_event_calls_store(
        call,
        is_long ? node->settings->stream_snapshot_age_ms : node->settings->snapshot_age_ms);
    enum vg_reason reason = compile(call, pages, directory, &search.where);
    if (reason == VG_OK && pages->with_details) {
        reason = add_details(call, &source, &search);
    }
    if (reason != VG_OK) {
        return reason;
    }
    uint64_t begun_ns = vg_clock_monotonic_ns(call->service->clock);
    reason = vg_event_search_run(&source, &search, &call->arena, out_cursor, &call->error);
    const uint64_t spent_ns = vg_clock_monotonic_ns(call->service->clock) - begun_ns;
    vg_metrics_observe(VG_METRIC_search_seconds, spent_ns);
    vg_trace_point_search(reason == VG_OK ? out_cursor->match_count : 0, spent_ns);
    return reason;
}

enum vg_reason vg_event_pages_answer(struct vg_call *call, const struct vg_event_pages *pages)
{
    struct event_rows *events = vg_arena_calloc(&call->arena, 1, sizeof(*events));
    if (events == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    events->rows.class = &event_rows_class;
    events->element = call->method->element;
    events->shape = pages->shape;
    events->members = pages->members;
    events->view = vg_event_calls_view(call, &call->arena);
    events->view.separator = pages->separator != NULL ? pages->separator : events->view.separator;
    enum vg_reason reason = find_page(call, pages, events->view.directory, NULL, &events->cursor);
    if (reason != VG_OK) {
        vg_event_calls_release_view(&events->view);
        return reason;
    }
    call->reply.rows = &events->rows;
    call->reply.limit = pages->limit;
    call->reply.offset = pages->offset;
    call->reply.count = (int64_t)events->cursor.match_count;
    return VG_OK;
}

enum vg_reason vg_event_pages_explain(
    struct vg_call *call,
    const struct vg_event_pages *pages,
    struct vg_search_explanation *explanation)
{
    struct vg_event_view view = vg_event_calls_view(call, &call->arena);
    struct vg_event_cursor cursor = { 0 };
    enum vg_reason reason = find_page(call, pages, view.directory, explanation, &cursor);
    bool end = reason != VG_OK;
    while (!end) {
        struct vg_event_id id;
        struct vg_bytes record;
        reason = vg_event_cursor_next(&cursor, &id, &record, &end, &call->error);
        end = end || reason != VG_OK;
    }
    vg_event_cursor_close(&cursor);
    vg_event_calls_release_view(&view);
    return reason;
}

struct vg_event_sort *vg_event_pages_sort(
    struct vg_call *call,
    const void *keys,
    size_t count,
    const uint8_t *fields)
{
    const int32_t *numbers = keys; /* every enumeration is as wide as an int */
    struct vg_event_sort *sort = vg_arena_alloc(&call->arena, count * sizeof(*sort));
    for (size_t i = 0; sort != NULL && i < count; i++) {
        sort[i].field = (enum vg_event_sort_field)fields[(unsigned)numbers[i] >> 1];
        sort[i].descending = (numbers[i] & 1) != 0;
    }
    return sort;
}
