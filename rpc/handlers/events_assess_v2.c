/* vigil.events.v2.EventService: assessment of one event, and of those that a search finds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/settings.h"
#include "core/base/utf8.h"
#include "core/events/event_access.h"
#include "core/node/node.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/answer_text.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_criteria_v2.h"
#include "rpc/handlers/events_assess.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

#include "vigil/events/v2/assessment.pb-c.h"

/* Events that one bulk assesses at most: their ids are in the answer. */
#define VG_ASSESS_RESULT_MAX 1000000u

/* Bytes of one id in a gRPC answer, about. */
#define VG_ASSESS_RESULT_BYTES 96u

/* The request for one event has the members of an assessment first. */
_Static_assert(
    offsetof(Vigil__Events__V2__AssessEventRequest, trigger) ==
            offsetof(Vigil__Events__V2__Assessment, trigger) &&
        offsetof(Vigil__Events__V2__AssessEventRequest, new_severity) ==
            offsetof(Vigil__Events__V2__Assessment, new_severity),
    "AssessEventRequest declares the members of Assessment in the same order");

/* ---------------------------------------------------------------------------------- assessment */

static int compare_properties(const void *a, const void *b)
{
    const struct vg_event_property *one = a;
    const struct vg_event_property *other = b;
    int order = vg_bytes_compare(one->key, other->key);
    /* Of equal keys the later one counts; both come from one array. */
    return order != 0 ? order : (one->values < other->values ? -1 : 1);
}

/* Values of one property: cut as those of submissions are, so that they fit the columns. */
static bool read_values(
    const Vigil__Events__V2__AssessmentProperty *from,
    struct vg_bytes *values,
    struct vg_event_property *property)
{
    property->values = values;
    for (size_t i = 0; i < from->n_values; i++) {
        values[i] = vg_utf8_cut(vg_bytes_text(from->values[i]), VG_EVENT_VALUE_LENGTH_MAX);
    }
    property->value_count = (uint32_t)from->n_values;
    return true;
}

static enum vg_reason read_properties(
    struct vg_call *call,
    const Vigil__Events__V2__Assessment *from,
    struct vg_events_assess_input *input)
{
    size_t count = from->n_assessment_property;
    size_t value_count = 0;
    for (size_t i = 0; i < count; i++) {
        value_count += from->assessment_property[i]->n_values;
    }
    struct vg_event_property *properties =
        vg_arena_calloc(&call->arena, count, sizeof(*properties));
    struct vg_bytes *values = vg_arena_calloc(&call->arena, value_count, sizeof(*values));
    if (properties == NULL || values == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        const Vigil__Events__V2__AssessmentProperty *one = from->assessment_property[i];
        if (!vg_event_assessment_is_key(vg_bytes_text(one->key))) {
            char path[64];
            (void)snprintf(path, sizeof(path), "assessmentProperty[%zu].key", i);
            vg_events_assess_blame(
                call,
                VG_INVALID_FIELD_VALUE,
                input->prefix,
                path,
                "The key is not names that begin in lower case, separated by dots");
        }
        const char *key =
            vg_arena_printf(&call->arena, "%s%s", VG_EVENT_ASSESSMENT_PREFIX, one->key);
        if (key == NULL || !read_values(one, values, &properties[i])) {
            return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
        }
        properties[i].key = vg_bytes_text(key);
        values += one->n_values;
    }
    qsort(properties, count, sizeof(*properties), compare_properties);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || !vg_bytes_equal(properties[i].key, properties[i + 1].key)) {
            properties[kept++] = properties[i];
        }
    }
    input->properties = properties;
    input->property_count = (uint32_t)kept;
    return VG_OK;
}

static void add_flags(
    const Vigil__Events__V2__AssessmentFlag *items,
    size_t count,
    struct vg_event_flags *flags)
{
    for (size_t i = 0; i < count; i++) {
        vg_event_flags_set(flags, (unsigned)items[i]);
    }
}

/* Read and begin; violations of the form are told here. */
static enum vg_reason begin(
    struct vg_call *call,
    const Vigil__Events__V2__Assessment *from,
    const char *prefix,
    struct vg_events_assess *out_assess)
{
    struct vg_events_assess_input input = {
        .prefix = prefix,
        .comment = from->comment,
        .disable_name = "disableFlag",
        .associate_name = "associateCase",
        .dissociate_name = "disassociateCase",
        .associate = from->associate_case,
        .associate_count = from->n_associate_case,
        .dissociate = from->disassociate_case,
        .dissociate_count = from->n_disassociate_case,
        .severity = from->has_new_severity ? (int32_t)from->new_severity : 0,
        .acknowledge = !from->has_auto_acknowledge || from->auto_acknowledge,
        .handled_by_analyst = from->has_handled_by_analyst && from->handled_by_analyst,
        .publish = from->has_publish_if_unpublished && from->publish_if_unpublished,
    };
    add_flags(from->enable_flag, from->n_enable_flag, &input.enable);
    add_flags(from->disable_flag, from->n_disable_flag, &input.disable);
    enum vg_reason reason = read_properties(call, from, &input);
    if (reason == VG_OK) {
        reason = vg_events_assess_begin(call, &input, out_assess);
    }
    return reason == VG_OK ? vg_error_from_violations(&call->error) : reason;
}

/* ----------------------------------------------------------------------------------- one event */

/* The event as it is now, with comments and without properties. */
static enum vg_reason answer_event(struct vg_call *call, const struct vg_event_id *id)
{
    const struct vg_event_view_members members = { .comments = true };
    struct vg_event_reading reading = { 0 };
    struct vg_bytes wire = { 0 };
    enum vg_reason reason = vg_event_calls_read(call, id, &reading);
    if (reason == VG_OK) {
        vg_arena_set_max(&call->arena, call->arena.bytes_max + 4 * reading.record.size);
        struct vg_event_view view = vg_event_calls_view(call, &call->arena);
        reason = vg_event_view_wire(&view, id, reading.record, &members, &wire, &call->error);
        call->reply.revision = vg_event_record_revision(reading.record);
        vg_event_calls_release_view(&view);
    }
    vg_event_reading_release(&reading);
    return reason == VG_OK ? vg_event_calls_reply(call, wire) : reason;
}

static enum vg_reason assess_one(struct vg_events_assess *assess, struct vg_event_id *id)
{
    struct vg_call *call = assess->call;
    struct vg_event_reading reading = { 0 };
    enum vg_reason reason = vg_event_calls_read_either(call, id, &reading);
    vg_event_reading_release(&reading);
    if (reason == VG_OK) {
        reason = vg_events_assess_check_cases(assess, id->customer_id);
    }
    if (reason == VG_OK && assess->what.associate_count != 0 && id->type == VG_EVENT_TYPE_RAW) {
        reason = vg_events_assess_refuse_case(assess, vg_events_assess_wrong_case(assess, id));
    }
    if (reason == VG_OK) {
        const struct vg_events_assess_target target = {
            .id = *id,
            .revisions = call->revisions,
            .revision_count = call->revision_count,
        };
        reason = vg_events_assess_all(assess, &target, 1);
    }
    return reason == VG_OK ? answer_event(call, id) : reason;
}

static int assess_event(struct vg_call *call)
{
    const Vigil__Events__V2__AssessEventRequest *request =
        (const Vigil__Events__V2__AssessEventRequest *)call->request;
    Vigil__Events__V2__Assessment from;
    memcpy(&from, request, sizeof(from));
    struct vg_events_assess assess = { 0 };
    struct vg_event_id id = {
        .timestamp = request->timestamp,
        .customer_id = request->customer_id,
    };
    enum vg_reason reason = begin(call, &from, "", &assess);
    if (reason == VG_OK &&
        !vg_principal_may(call->principal, VG_FUNCTION_ASSESS_EVENTS, request->customer_id)) {
        (void)vg_error_set(&call->error, VG_ACCESS_DENIED, NULL);
        reason = vg_error_field(&call->error, NULL, "assessEvents");
    }
    if (reason == VG_OK && !vg_uuid_parse(vg_bytes_text(request->event_id), &id.uuid)) {
        (void)vg_error_set(&call->error, VG_INVALID_URL_PARAMETER, NULL);
        reason = vg_error_field(&call->error, "eventID", request->event_id);
    }
    if (reason == VG_OK) {
        reason = assess_one(&assess, &id);
    }
    vg_events_assess_end(&assess);
    return (int)reason;
}

int vg_events_v2_assess_event(
    struct vg_call *call,
    const Vigil__Events__V2__AssessEventRequest *request,
    Vigil__Events__V2__Event *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, assess_event);
}

/* ------------------------------------------------------------------------- what a search finds */

/* Lists of the answer, which grow. */
struct results {
    struct vg_call *call;
    Vigil__Events__V2__AssessmentResult *answer;
    size_t success_room;
    size_t failure_room;
};

/* Room for one more pointer in a list of `count`; NULL when the arena is full. */
static void *make_room(struct vg_arena *arena, void *list, size_t count, size_t *room)
{
    if (count < *room) {
        return list;
    }
    size_t more = *room == 0 ? 64 : 2 * *room;
    void **bigger = vg_arena_alloc(arena, more * sizeof(*bigger));
    if (bigger != NULL && count != 0) {
        memcpy(bigger, list, count * sizeof(*bigger));
    }
    *room = more;
    return bigger;
}

static bool add_success(struct results *results, const char *id)
{
    Vigil__Events__V2__AssessmentResult *answer = results->answer;
    char **list = make_room(
        &results->call->arena,
        answer->successes,
        answer->n_successes,
        &results->success_room);
    char *copy = vg_arena_text(&results->call->arena, vg_bytes_text(id));
    if (list == NULL || copy == NULL) {
        return false;
    }
    answer->successes = list;
    answer->successes[answer->n_successes++] = copy;
    return true;
}

static bool add_failure(struct results *results, const char *id, const char *why)
{
    struct vg_arena *arena = &results->call->arena;
    Vigil__Events__V2__AssessmentResult *answer = results->answer;
    Vigil__Events__V2__AssessmentFailure **list =
        make_room(arena, answer->failures, answer->n_failures, &results->failure_room);
    Vigil__Events__V2__AssessmentFailure *failure = vg_arena_alloc(arena, sizeof(*failure));
    if (list == NULL || failure == NULL) {
        return false;
    }
    vigil__events__v2__assessment_failure__init(failure);
    failure->event_id = vg_arena_text(arena, vg_bytes_text(id));
    failure->reason = vg_answer_text(why);
    answer->failures = list;
    answer->failures[answer->n_failures++] = failure;
    return failure->event_id != NULL;
}

static enum vg_reason tell(
    void *owner,
    const struct vg_event_id *id,
    enum vg_reason reason,
    const char *message)
{
    struct results *results = owner;
    struct vg_call *call = results->call;
    char text[VG_EVENT_ID_TEXT_SIZE];
    (void)vg_event_id_print(id, text);
    /* Text, message and two pointers of a list that doubles. */
    vg_arena_set_max(&call->arena, call->arena.bytes_max + 2 * VG_ASSESS_RESULT_BYTES);
    const char *why = message != NULL ? message : vg_reason_row(reason)->text;
    return (reason == VG_OK ? add_success(results, text) : add_failure(results, text, why))
               ? VG_OK
               : vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
}

/* Fields by the numbers of SortBy, halved. */
static const uint8_t sort_fields[] = {
    [VIGIL__EVENTS__V2__SORT_BY__SORT_BY_CUSTOMER_ID >> 1] = VG_EVENT_SORT_CUSTOMER,
    [VIGIL__EVENTS__V2__SORT_BY__SORT_BY_EVENT_ID >> 1] = VG_EVENT_SORT_UUID,
    [VIGIL__EVENTS__V2__SORT_BY__SORT_BY_CREATED_TIMESTAMP >> 1] = VG_EVENT_SORT_TIMESTAMP,
    [VIGIL__EVENTS__V2__SORT_BY__SORT_BY_LAST_UPDATED_TIMESTAMP >> 1] = VG_EVENT_SORT_LAST_UPDATED,
    [VIGIL__EVENTS__V2__SORT_BY__SORT_BY_FIRST_EVENT_TIMESTAMP >> 1] = VG_EVENT_SORT_FIRST_EVENT,
    [VIGIL__EVENTS__V2__SORT_BY__SORT_BY_LAST_EVENT_TIMESTAMP >> 1] = VG_EVENT_SORT_LAST_EVENT,
};

/* The answer has to fit what the face sends as one message, or nothing is begun. */
static uint64_t most_results(const struct vg_call *call)
{
    uint64_t fit = call->service->settings->grpc_reply_bytes_max / VG_ASSESS_RESULT_BYTES;
    return call->face->takes_wire && fit < VG_ASSESS_RESULT_MAX ? fit : VG_ASSESS_RESULT_MAX;
}

static enum vg_reason assess_found(
    struct vg_events_assess *assess,
    const Vigil__Events__V2__AssessmentSearch *asked)
{
    struct vg_call *call = assess->call;
    struct vg_event_criteria criteria;
    struct vg_event_sort *sort = vg_arena_alloc(&call->arena, asked->n_sort_by * sizeof(*sort));
    if (sort == NULL || !vg_event_criteria_v2_read(&asked->base, &call->arena, &criteria)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    vg_event_criteria_v2_read_index(&asked->base, &criteria);
    for (size_t i = 0; i < asked->n_sort_by; i++) {
        sort[i].field = (enum vg_event_sort_field)sort_fields[(unsigned)asked->sort_by[i] >> 1];
        sort[i].descending = (asked->sort_by[i] & 1) != 0;
    }
    struct results results = {
        .call = call,
        .answer = (Vigil__Events__V2__AssessmentResult *)call->reply.answer,
    };
    const struct vg_events_assess_search search = {
        .criteria = &criteria,
        .sort = sort,
        .sort_count = asked->n_sort_by,
        .limit = asked->has_limit ? asked->limit : VG_EVENT_LIMIT_DEFAULT,
        .offset = asked->offset,
        .match_max = most_results(call),
        .told = tell,
        .owner = &results,
    };
    uint64_t found = 0;
    uint64_t assessed = 0;
    return vg_events_assess_matching(assess, &search, &found, &assessed);
}

static int assess_events(struct vg_call *call)
{
    const Vigil__Events__V2__AssessEventsRequest *request =
        (const Vigil__Events__V2__AssessEventsRequest *)call->request;
    struct vg_events_assess assess = { 0 };
    enum vg_reason reason = begin(call, request->assessment, "assessment.", &assess);
    if (reason == VG_OK) {
        reason = assess_found(&assess, request->search);
    }
    vg_events_assess_end(&assess);
    return (int)reason;
}

int vg_events_v2_assess_events(
    struct vg_call *call,
    const Vigil__Events__V2__AssessEventsRequest *request,
    Vigil__Events__V2__AssessmentResult *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, assess_events);
}
