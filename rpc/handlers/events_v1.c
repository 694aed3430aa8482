/* vigil.events.v1.EventService: events in the shapes of v1. */
#include <string.h>

#include "core/wire/validate.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_criteria_v1.h"
#include "rpc/handlers/event_pages.h"
#include "rpc/handlers/event_view.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

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

static int get_large_event(struct vg_call *call);

static int get_event(struct vg_call *call, size_t bytes_max)
{
    const Vigil__Events__V1__GetEventRequest *request =
        (const Vigil__Events__V1__GetEventRequest *)call->request;
    Vigil__Events__V1__Event *answer = (Vigil__Events__V1__Event *)call->reply.answer;
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
    if (reason == VG_OK && reading.record.size > bytes_max) {
        vg_event_reading_release(&reading);
        return vg_call_defer(call, get_large_event);
    }
    if (reason == VG_OK) {
        reason = vg_event_record_unpack(&id, reading.record, &call->arena, &record, &call->error);
    }
    if (reason == VG_OK) {
        call->reply.revision = record.revision;
        reason = show(call, &record, answer);
    }
    vg_event_reading_release(&reading);
    return (int)reason;
}

static int get_large_event(struct vg_call *call)
{
    return get_event(call, SIZE_MAX);
}

int vg_events_v1_get_event(
    struct vg_call *call,
    const Vigil__Events__V1__GetEventRequest *request,
    Vigil__Events__V1__Event *answer)
{
    (void)request;
    (void)answer;
    return get_event(call, VG_EVENT_CALLS_INLINE_BYTES);
}

/* ----------------------------------------------------------------------------------- searches */

/* Fields by the numbers of SortBy and of those that share them, halved. */
static const uint8_t sort_fields[] = {
    [VIGIL__EVENTS__V1__SORT_BY__SORT_BY_TIMESTAMP >> 1] = VG_EVENT_SORT_TIMESTAMP,
    [VIGIL__EVENTS__V1__SORT_BY__SORT_BY_START_TIMESTAMP >> 1] = VG_EVENT_SORT_FIRST_EVENT,
    [VIGIL__EVENTS__V1__SORT_BY__SORT_BY_END_TIMESTAMP >> 1] = VG_EVENT_SORT_LAST_EVENT,
    [VIGIL__EVENTS__V1__SORT_BY__SORT_BY_LAST_UPDATED_TIMESTAMP >> 1] = VG_EVENT_SORT_LAST_UPDATED,
    [VIGIL__EVENTS__V1__SORT_BY__SORT_BY_SEVERITY >> 1] = VG_EVENT_SORT_SEVERITY,
    [VIGIL__EVENTS__V1__SORT_BY__SORT_BY_COUNT >> 1] = VG_EVENT_SORT_COUNT,
    [VIGIL__EVENTS__V1__SORT_BY__SORT_BY_CUSTOMER >> 1] = VG_EVENT_SORT_CUSTOMER,
    [VIGIL__EVENTS__V1__SORT_BY__SORT_BY_SIGNATURE >> 1] = VG_EVENT_SORT_SIGNATURE,
    [VIGIL__EVENTS__V1__SORT_BY__SORT_BY_PROTOCOL >> 1] = VG_EVENT_SORT_PROTOCOL,
    [VIGIL__EVENTS__V1__SORT_BY__SORT_BY_ID >> 1] = VG_EVENT_SORT_ID,
    [VIGIL__EVENTS__V1__NIDS_SORT_BY__NIDS_SORT_BY_ENGINE_TIMESTAMP >> 1] =
        VG_EVENT_SORT_ENGINE_PERSISTED,
};

static const char *read_separator(bool has_separator, Vigil__Events__V1__Separator separator)
{
    if (!has_separator) {
        return NULL;
    }
    return separator == VIGIL__EVENTS__V1__SEPARATOR__SEPARATOR_NEWLINE ? "\n" : ",";
}

/* What SearchAggregated finds; `out_criteria` stays with the pages. */
static enum vg_reason read_search(
    struct vg_call *call,
    struct vg_event_criteria *out_criteria,
    struct vg_event_pages *out_pages)
{
    const Vigil__Events__V1__SearchCriteria *request =
        (const Vigil__Events__V1__SearchCriteria *)call->request;
    *out_pages = (struct vg_event_pages){
        .shape = VG_EVENT_PAGES_AGGREGATED,
        .type = VG_EVENT_TYPE_AGGREGATED,
        .criteria = out_criteria,
        .sort = vg_event_pages_sort(call, request->sort_by, request->n_sort_by, sort_fields),
        .sort_count = request->n_sort_by,
        .limit = request->has_limit ? request->limit : VG_EVENT_LIMIT_DEFAULT,
        .offset = request->offset,
        .separator = read_separator(
            request->has_multivalue_property_separator,
            request->multivalue_property_separator),
    };
    return out_pages->sort != NULL && vg_event_criteria_v1_read(request, &call->arena, out_criteria)
               ? VG_OK
               : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

static int search_aggregated(struct vg_call *call)
{
    struct vg_event_criteria criteria;
    struct vg_event_pages pages;
    enum vg_reason reason = read_search(call, &criteria, &pages);
    return (int)(reason == VG_OK ? vg_event_pages_answer(call, &pages) : reason);
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

static int64_t as_number(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static bool show_questions(
    struct vg_arena *arena,
    const struct vg_search_explanation *explanation,
    Vigil__Events__V1__Explanation *answer)
{
    size_t count = explanation->leaf_count;
    answer->questions = vg_arena_calloc(arena, count, sizeof(*answer->questions));
    Vigil__Events__V1__ExplainedQuestion *questions =
        vg_arena_calloc(arena, count, sizeof(*questions));
    for (size_t i = 0; questions != NULL && answer->questions != NULL && i < count; i++) {
        const struct vg_search_leaf *leaf = &explanation->leaves[i];
        Vigil__Events__V1__ExplainedQuestion *question = &questions[i];
        vigil__events__v1__explained_question__init(question);
        question->column = vg_arena_text(arena, vg_bytes_text(leaf->column));
        question->question =
            vg_arena_text(arena, vg_bytes_text(vg_predicate_kind_name(leaf->question)));
        if (question->column == NULL || question->question == NULL) {
            return false;
        }
        question->has_value_count = question->has_negated = true;
        question->has_rows_in = question->has_rows_out = question->has_spent_ns = true;
        question->value_count = leaf->value_count;
        question->negated = leaf->is_negated;
        question->rows_in = as_number(leaf->rows_in);
        question->rows_out = as_number(leaf->rows_out);
        question->spent_ns = as_number(leaf->spent_ns);
        answer->questions[i] = question;
    }
    answer->n_questions = count;
    return questions != NULL && answer->questions != NULL;
}

/* What is counted of matching rows only, all of them the caller's to see, and how long it took. */
static void show_own(
    const struct vg_search_explanation *explanation,
    Vigil__Events__V1__Explanation *answer)
{
    answer->has_rows_matched = answer->has_rows_offered = true;
    answer->has_records_fetched = answer->has_plan_ns = answer->has_evaluate_ns = true;
    answer->has_page_ns = answer->has_fetch_ns = true;
    answer->rows_matched = as_number(explanation->rows_matched);
    answer->rows_offered = as_number(explanation->rows_offered);
    answer->records_fetched = as_number(explanation->records_fetched);
    answer->plan_ns = as_number(explanation->plan_ns);
    answer->evaluate_ns = as_number(explanation->evaluate_ns);
    answer->page_ns = as_number(explanation->page_ns);
    answer->fetch_ns = as_number(explanation->fetch_ns);
}

/* What is counted over the rows of every customer. A question tells as much: how many rows have a
 * value, and by its absence that no row has it. */
static bool show_whole_table(
    struct vg_arena *arena,
    const struct vg_search_explanation *explanation,
    Vigil__Events__V1__Explanation *answer)
{
    answer->has_chunks = answer->has_chunks_skipped = answer->has_chunks_whole = true;
    answer->has_chunks_looked = answer->has_rows_looked = answer->has_records_confirmed = true;
    answer->chunks = as_number(explanation->chunks);
    answer->chunks_skipped = as_number(explanation->chunks_skipped);
    answer->chunks_whole = as_number(explanation->chunks_whole);
    answer->chunks_looked = as_number(explanation->chunks_looked);
    answer->rows_looked = as_number(explanation->rows_looked);
    answer->records_confirmed = as_number(explanation->records_confirmed);
    return show_questions(arena, explanation, answer);
}

static int explain_search(struct vg_call *call)
{
    struct vg_event_criteria criteria;
    struct vg_event_pages pages;
    struct vg_search_explanation explanation = { .clock = call->service->clock };
    Vigil__Events__V1__Explanation *answer = (Vigil__Events__V1__Explanation *)call->reply.answer;
    enum vg_reason reason = read_search(call, &criteria, &pages);
    if (reason == VG_OK) {
        reason = vg_event_pages_explain(call, &pages, &explanation);
    }
    if (reason != VG_OK) {
        return (int)reason;
    }
    show_own(&explanation, answer);
    if (call->principal->all_customers && !show_whole_table(&call->arena, &explanation, answer)) {
        reason = vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    return (int)reason;
}

int vg_events_v1_explain_search(
    struct vg_call *call,
    const Vigil__Events__V1__SearchCriteria *request,
    Vigil__Events__V1__Explanation *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, explain_search);
}

static int search_nids(struct vg_call *call)
{
    const Vigil__Events__V1__NidsSearchCriteria *request =
        (const Vigil__Events__V1__NidsSearchCriteria *)call->request;
    struct vg_event_criteria criteria;
    struct vg_event_pages pages = {
        .shape = VG_EVENT_PAGES_RAW,
        .type = VG_EVENT_TYPE_RAW,
        .criteria = &criteria,
        .sort = vg_event_pages_sort(call, request->sort_by, request->n_sort_by, sort_fields),
        .sort_count = request->n_sort_by,
        .limit = request->has_limit ? request->limit : VG_EVENT_LIMIT_DEFAULT,
        .offset = request->offset,
        .separator = read_separator(
            request->has_multivalue_property_separator,
            request->multivalue_property_separator),
    };
    if (pages.sort == NULL || !vg_event_criteria_v1_read_nids(request, &call->arena, &criteria)) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    return (int)vg_event_pages_answer(call, &pages);
}

int vg_events_v1_search_nids(
    struct vg_call *call,
    const Vigil__Events__V1__NidsSearchCriteria *request,
    Vigil__Events__V1__RawEventList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, search_nids);
}

/* -------------------------------------------------------------------------------------- lists */

/* The two requests have one layout, so one function reads both. */
_Static_assert(
    sizeof(Vigil__Events__V1__ListAggregatedRequest) ==
            sizeof(Vigil__Events__V1__ListNidsRequest) &&
        offsetof(Vigil__Events__V1__ListAggregatedRequest, offset) ==
            offsetof(Vigil__Events__V1__ListNidsRequest, offset),
    "ListAggregatedRequest and ListNidsRequest declare the same members in the same order");

static int list_events(
    struct vg_call *call,
    const Vigil__Events__V1__ListAggregatedRequest *request,
    enum vg_event_type type)
{
    struct vg_event_criteria criteria;
    vg_event_criteria_init(&criteria);
    criteria.has_start = true;
    criteria.start = request->start_timestamp != NULL ? vg_wire_time(request->start_timestamp)
                                                      : call->now - VG_EVENT_PAGES_LIST_SPAN_MS;
    criteria.has_end = true;
    criteria.end =
        request->end_timestamp != NULL ? vg_wire_time(request->end_timestamp) : call->now;
    criteria.time_default =
        type == VG_EVENT_TYPE_RAW ? VG_EVENT_TIME_BIT(VG_EVENT_TIME_TIMESTAMP) : 0;
    criteria.customer_ids = (struct vg_number_list){ request->customer_id, request->n_customer_id };
    criteria.signatures = (struct vg_text_list){ request->signature, request->n_signature };
    criteria.networks[0] = (struct vg_text_list){ request->ip, request->n_ip };
    const struct vg_event_pages pages = {
        .shape = type == VG_EVENT_TYPE_RAW ? VG_EVENT_PAGES_RAW : VG_EVENT_PAGES_AGGREGATED,
        .type = type,
        .criteria = &criteria,
        .limit = request->has_limit ? request->limit : VG_EVENT_LIMIT_DEFAULT,
        .offset = request->offset,
    };
    return (int)vg_event_pages_answer(call, &pages);
}

static int list_aggregated(struct vg_call *call)
{
    return list_events(
        call,
        (const Vigil__Events__V1__ListAggregatedRequest *)call->request,
        VG_EVENT_TYPE_AGGREGATED);
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

static int list_nids(struct vg_call *call)
{
    Vigil__Events__V1__ListAggregatedRequest request;
    memcpy(&request, call->request, sizeof(request));
    return list_events(call, &request, VG_EVENT_TYPE_RAW);
}

int vg_events_v1_list_nids(
    struct vg_call *call,
    const Vigil__Events__V1__ListNidsRequest *request,
    Vigil__Events__V1__RawEventList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, list_nids);
}

/* ------------------------------------------------------------------------------------- of a case
 */

static int list_events_by_case(struct vg_call *call)
{
    const Vigil__Events__V1__ListEventsByCaseRequest *request =
        (const Vigil__Events__V1__ListEventsByCaseRequest *)call->request;
    struct vg_event_criteria criteria;
    vg_event_criteria_init(&criteria);
    const struct vg_event_pages pages = {
        .shape = VG_EVENT_PAGES_EITHER,
        .type = VG_EVENT_TYPE_AGGREGATED,
        .criteria = &criteria,
        .sort = vg_event_pages_sort(call, request->sort_by, request->n_sort_by, sort_fields),
        .sort_count = request->n_sort_by,
        .limit = request->has_limit ? request->limit : VG_EVENT_LIMIT_DEFAULT,
        .offset = request->offset,
        .case_id = request->case_id,
        .with_details = request->has_include_raw_events && request->include_raw_events,
        .open = true,
    };
    return (
        int)(pages.sort == NULL ? vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL) : vg_event_pages_answer(call, &pages));
}

int vg_events_v1_list_events_by_case(
    struct vg_call *call,
    const Vigil__Events__V1__ListEventsByCaseRequest *request,
    Vigil__Events__V1__EventList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, list_events_by_case);
}
