/* vigil.events.v1.EventService: assessment of listed events, and of what criteria find. */
#include <stdio.h>
#include <string.h>

#include "core/base/digest.h"
#include "core/base/settings.h"
#include "core/events/event_access.h"
#include "core/node/node.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_criteria_v1.h"
#include "rpc/handlers/event_pages.h"
#include "rpc/handlers/events_assess.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

#include "vigil/events/v1/assessment.pb-c.h"

static void add_flags(
    const Vigil__Events__V1__EventFlag *items,
    size_t count,
    struct vg_event_flags *flags)
{
    for (size_t i = 0; i < count; i++) {
        vg_event_flags_set(flags, (unsigned)items[i]);
    }
}

/* v1 does not acknowledge by itself. */
static enum vg_reason begin(
    struct vg_call *call,
    const Vigil__Events__V1__EventUpdate *update,
    struct vg_events_assess *out_assess)
{
    struct vg_events_assess_input input = {
        .prefix = "update.",
        .comment = update->comment,
        .disable_name = "flagsToDisable",
        .associate_name = "associateCases",
        .dissociate_name = "unassociateCases",
        .has_single = update->has_associate_to_case != 0,
        .single = update->associate_to_case,
        .associate = update->associate_cases,
        .associate_count = update->n_associate_cases,
        .dissociate = update->unassociate_cases,
        .dissociate_count = update->n_unassociate_cases,
        .severity = update->has_new_severity ? (int32_t)update->new_severity : 0,
        .handled_by_analyst = update->has_handled_by_analyst && update->handled_by_analyst,
    };
    add_flags(update->flags_to_enable, update->n_flags_to_enable, &input.enable);
    add_flags(update->flags_to_disable, update->n_flags_to_disable, &input.disable);
    enum vg_reason reason = vg_events_assess_begin(call, &input, out_assess);
    out_assess->recursive = update->has_recursive_annotation && update->recursive_annotation;
    return reason;
}

/* -------------------------------------------------------------------------------- listed events */

/* Events in the order of their coming, each once. */
struct id_list {
    struct vg_events_assess_target *targets;
    bool *is_shown;
    size_t count;
    size_t room;
    uint32_t *slots; /* index + 1, 0 = free */
    uint32_t mask;
    const uint8_t *secret;
    struct vg_arena *arena;
};

static bool is_same(const struct vg_event_id *a, const struct vg_event_id *b)
{
    return a->timestamp == b->timestamp && a->customer_id == b->customer_id && a->type == b->type &&
           memcmp(a->uuid.bytes, b->uuid.bytes, sizeof(a->uuid.bytes)) == 0;
}

static uint32_t *find_slot(const struct id_list *list, const struct vg_event_id *id)
{
    struct vg_key key;
    vg_event_id_key(id, &key);
    uint32_t at = (uint32_t)vg_siphash(list->secret, vg_key_bytes(&key)) & list->mask;
    while (list->slots[at] != 0 && !is_same(&list->targets[list->slots[at] - 1].id, id)) {
        at = (at + 1) & list->mask;
    }
    return &list->slots[at];
}

/* Twice the room, and four slots for each place. */
static bool grow(struct id_list *list, size_t room)
{
    struct id_list bigger = *list;
    uint32_t slot_count = 16;
    while (slot_count < 4 * room) {
        slot_count *= 2;
    }
    bigger.room = room;
    bigger.mask = slot_count - 1;
    size_t bytes = room * (sizeof(*bigger.targets) + sizeof(*bigger.is_shown)) +
                   slot_count * sizeof(*bigger.slots);
    vg_arena_set_max(list->arena, list->arena->bytes_max + bytes);
    bigger.targets = vg_arena_calloc(list->arena, room, sizeof(*bigger.targets));
    bigger.is_shown = vg_arena_calloc(list->arena, room, sizeof(*bigger.is_shown));
    bigger.slots = vg_arena_calloc(list->arena, slot_count, sizeof(*bigger.slots));
    if (bigger.targets == NULL || bigger.is_shown == NULL || bigger.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < list->count; i++) {
        bigger.targets[i] = list->targets[i];
        bigger.is_shown[i] = list->is_shown[i];
        *find_slot(&bigger, &list->targets[i].id) = (uint32_t)i + 1;
    }
    *list = bigger;
    return true;
}

/* Add an event, or find it; NULL when the arena is full. */
static bool add_id(
    struct id_list *list,
    const struct vg_event_id *id,
    bool is_optional,
    bool is_shown)
{
    if (list->count == list->room && !grow(list, list->room * 2)) {
        return false;
    }
    uint32_t *slot = find_slot(list, id);
    if (*slot == 0) {
        list->targets[list->count] =
            (struct vg_events_assess_target){ .id = *id, .is_optional = is_optional };
        *slot = (uint32_t)++list->count;
    }
    struct vg_events_assess_target *target = &list->targets[*slot - 1];
    target->is_optional = target->is_optional && is_optional;
    list->is_shown[*slot - 1] = list->is_shown[*slot - 1] || is_shown;
    return true;
}

static enum vg_reason refuse_id(struct vg_call *call, const char *text)
{
    (void)vg_error_set(&call->error, VG_EVENT_NOT_FOUND, NULL);
    return vg_error_field(&call->error, NULL, text);
}

/* Read the texts; those that are no ids are violations. An id that no event can have is told as
 * unknown, but after what the caller may not do. */
static enum vg_reason read_ids(
    struct vg_call *call,
    const Vigil__Events__V1__UpdateAggregatedRequest *request,
    struct id_list *list)
{
    const char *foreign = NULL;
    for (size_t i = 0; i < request->n_event_identifiers; i++) {
        const char *text = request->event_identifiers[i];
        struct vg_event_id id;
        char path[64];
        switch (vg_event_id_parse(vg_bytes_text(text), &id)) {
        case VG_EVENT_ID_FORM_OK:
            if (!add_id(list, &id, false, true)) {
                return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
            }
            break;
        case VG_EVENT_ID_FORM_FOREIGN:
            foreign = foreign == NULL ? text : foreign;
            break;
        case VG_EVENT_ID_FORM_WRONG:
            (void)snprintf(path, sizeof(path), "eventIdentifiers[%zu]", i);
            vg_events_assess_blame(
                call,
                VG_INVALID_FIELD_VALUE,
                "",
                path,
                "This is not the ID of an event");
            break;
        }
    }
    enum vg_reason reason = vg_error_from_violations(&call->error);
    for (size_t i = 0; i < list->count && reason == VG_OK; i++) {
        if (!vg_principal_may(
                call->principal,
                VG_FUNCTION_ASSESS_EVENTS,
                list->targets[i].id.customer_id)) {
            (void)vg_error_set(&call->error, VG_ACCESS_DENIED, NULL);
            return vg_error_field(&call->error, NULL, "assessEvents");
        }
    }
    return reason == VG_OK && foreign != NULL ? refuse_id(call, foreign) : reason;
}

/* All of them have to be there; their sub-events are added if they are wanted. */
static enum vg_reason find_events(
    struct vg_call *call,
    const struct vg_event_store *source,
    bool with_sub_events,
    bool shows_sub_events,
    struct id_list *list)
{
    struct vg_snapshot snapshot = { 0 };
    struct vg_arena scratch;
    vg_arena_init(&scratch, call->arena.bytes_max);
    enum vg_reason reason =
        vg_snapshot_acquire(source->table, source->snapshot_age_ms, &snapshot, &call->error);
    size_t named = list->count;
    for (size_t i = 0; i < named && reason == VG_OK; i++) {
        struct vg_event_id id = list->targets[i].id;
        struct vg_store_value value = { 0 };
        struct vg_event_record record = { 0 };
        vg_arena_reset(&scratch);
        reason = vg_event_read_packed(source, &snapshot, &id, &value, &call->error);
        if (reason == VG_OK && !value.found) {
            char text[VG_EVENT_ID_TEXT_SIZE];
            (void)vg_event_id_print(&id, text);
            reason = refuse_id(call, text);
        }
        if (reason == VG_OK && with_sub_events) {
            reason = vg_event_record_unpack(&id, value.bytes, &scratch, &record, &call->error);
        }
        for (uint32_t s = 0; reason == VG_OK && s < record.sub_event_count; s++) {
            struct vg_event_id sub;
            if (vg_event_id_parse(record.sub_events[s], &sub) == VG_EVENT_ID_FORM_OK &&
                sub.customer_id == id.customer_id && !add_id(list, &sub, true, shows_sub_events)) {
                reason = vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
            }
        }
        vg_store_value_release(&value);
    }
    vg_snapshot_release(&snapshot);
    vg_arena_dispose(&scratch);
    return reason;
}

static enum vg_reason check_cases(struct vg_events_assess *assess, const struct id_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct vg_events_assess_target *target = &list->targets[i];
        enum vg_reason reason = VG_OK;
        if (!target->is_optional) {
            reason = vg_events_assess_check_cases(assess, target->id.customer_id);
        }
        if (reason == VG_OK && !target->is_optional && assess->what.associate_count != 0) {
            const struct vg_events_assess_case *wrong =
                vg_events_assess_wrong_case(assess, &target->id);
            reason = wrong == NULL ? VG_OK : vg_events_assess_refuse_case(assess, wrong);
        }
        if (reason != VG_OK) {
            return reason;
        }
    }
    return VG_OK;
}

/* ------------------------------------------------------------------------------------ the answer
 */

/* The events as they are after the assessment. Lives in the arena of its call. */
struct updated_rows {
    struct vg_rows rows;
    struct vg_event_store source;
    struct vg_snapshot snapshot;
    struct vg_event_view view;
    struct id_list list;
    size_t position;
    struct vg_store_value value;
};

static enum vg_reason show(
    struct updated_rows *updated,
    const struct vg_event_id *id,
    struct vg_reply_row *out_row,
    struct vg_error *error)
{
    struct vg_event_record record;
    struct vg_arena *arena = updated->view.arena;
    Vigil__Events__V1__Event *event = vg_arena_alloc(arena, sizeof(*event));
    if (event == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    vigil__events__v1__event__init(event);
    enum vg_reason reason = vg_event_record_unpack(id, updated->value.bytes, arena, &record, error);
    if (reason != VG_OK) {
        return reason;
    }
    *out_row = (struct vg_reply_row){ .message = &event->base };
    return id->type == VG_EVENT_TYPE_RAW
               ? vg_event_view_raw(&updated->view, &record, &event->raw, error)
               : vg_event_view_aggregated(&updated->view, &record, &event->aggregated, error);
}

static enum vg_reason next_row(
    struct vg_rows *rows,
    struct vg_arena *arena,
    bool takes_wire,
    struct vg_reply_row *out_row,
    bool *out_end,
    struct vg_error *error)
{
    (void)takes_wire;
    struct updated_rows *updated = VG_CONTAINER_OF(rows, struct updated_rows, rows);
    updated->view.arena = arena;
    vg_store_value_release(&updated->value);
    if (updated->position == updated->list.count) {
        *out_end = true;
        return VG_OK;
    }
    const struct vg_event_id *id = &updated->list.targets[updated->position++].id;
    enum vg_reason reason = vg_snapshot_check(&updated->snapshot, error);
    if (reason == VG_OK) {
        reason =
            vg_event_read_packed(&updated->source, &updated->snapshot, id, &updated->value, error);
    }
    if (reason == VG_OK && !updated->value.found) {
        reason = vg_error_set(error, VG_STORE_CORRUPT, NULL);
    }
    return reason == VG_OK ? show(updated, id, out_row, error) : reason;
}

static void close_rows(struct vg_rows *rows)
{
    struct updated_rows *updated = VG_CONTAINER_OF(rows, struct updated_rows, rows);
    vg_store_value_release(&updated->value);
    vg_snapshot_release(&updated->snapshot);
    vg_event_calls_release_view(&updated->view);
}

static const struct vg_rows_class updated_class = { .next = next_row, .close = close_rows };

/* Of what is shown, keep what exists: sub-events need not. */
static enum vg_reason keep_shown(struct vg_call *call, struct updated_rows *updated)
{
    size_t kept = 0;
    for (size_t i = 0; i < updated->list.count; i++) {
        const struct vg_events_assess_target target = updated->list.targets[i];
        bool is_there = updated->list.is_shown[i];
        if (is_there && target.is_optional) {
            enum vg_reason reason = vg_event_read_packed(
                &updated->source,
                &updated->snapshot,
                &target.id,
                &updated->value,
                &call->error);
            is_there = updated->value.found;
            vg_store_value_release(&updated->value);
            if (reason != VG_OK) {
                return reason;
            }
        }
        if (is_there) {
            updated->list.targets[kept++] = target;
        }
    }
    updated->list.count = kept;
    return VG_OK;
}

static enum vg_reason reply_events(
    struct vg_call *call,
    const struct vg_event_store *source,
    const struct id_list *list)
{
    struct updated_rows *updated = vg_arena_calloc(&call->arena, 1, sizeof(*updated));
    if (updated == NULL) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    updated->rows.class = &updated_class;
    updated->source = *source;
    updated->list = *list;
    enum vg_reason reason = vg_snapshot_acquire(
        source->table,
        source->snapshot_age_ms,
        &updated->snapshot,
        &call->error);
    if (reason == VG_OK) {
        reason = keep_shown(call, updated);
    }
    if (reason != VG_OK) {
        vg_snapshot_release(&updated->snapshot);
        return reason;
    }
    updated->view = vg_event_calls_view(call, &call->arena);
    call->reply.rows = &updated->rows;
    call->reply.limit = 0;
    call->reply.offset = 0;
    call->reply.count = (int64_t)updated->list.count;
    call->reply.is_done = true;
    return VG_OK;
}

static enum vg_reason assess_listed(
    struct vg_call *call,
    struct vg_events_assess *assess,
    const Vigil__Events__V1__UpdateAggregatedRequest *request)
{
    const struct vg_node *node = call->service->node;
    bool shows_sub_events =
        request->update->has_recursive_result && request->update->recursive_result;
    struct vg_event_store source =
        vg_event_calls_store(call, node->settings->stream_snapshot_age_ms);
    struct id_list list = { .secret = node->format.secret, .arena = &call->arena };
    if (!grow(&list, request->n_event_identifiers + 1)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    enum vg_reason reason = read_ids(call, request, &list);
    if (reason == VG_OK) {
        reason = find_events(call, &source, assess->recursive, shows_sub_events, &list);
    }
    if (reason == VG_OK) {
        reason = check_cases(assess, &list);
    }
    if (reason == VG_OK) {
        reason = vg_events_assess_all(assess, list.targets, list.count);
    }
    /* Told without being assessed. */
    if (reason == VG_OK && shows_sub_events && !assess->recursive) {
        reason = find_events(call, &source, true, true, &list);
    }
    return reason == VG_OK ? reply_events(call, &source, &list) : reason;
}

static int update_aggregated(struct vg_call *call)
{
    const Vigil__Events__V1__UpdateAggregatedRequest *request =
        (const Vigil__Events__V1__UpdateAggregatedRequest *)call->request;
    struct vg_events_assess assess = { 0 };
    enum vg_reason reason = begin(call, request->update, &assess);
    if (reason == VG_OK) {
        reason = assess_listed(call, &assess, request);
    }
    vg_events_assess_end(&assess);
    return (int)reason;
}

int vg_events_v1_update_aggregated(
    struct vg_call *call,
    const Vigil__Events__V1__UpdateAggregatedRequest *request,
    Vigil__Events__V1__EventList *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, update_aggregated);
}

/* --------------------------------------------------------------------------- what criteria find */

/* Without a limit all that match are assessed: this is for very many. */
static enum vg_reason assess_found(
    struct vg_call *call,
    struct vg_events_assess *assess,
    const Vigil__Events__V1__SearchCriteria *asked,
    uint64_t *out_assessed)
{
    struct vg_event_criteria criteria;
    struct vg_event_sort *sort = vg_arena_alloc(&call->arena, asked->n_sort_by * sizeof(*sort));
    if (sort == NULL || !vg_event_criteria_v1_read(asked, &call->arena, &criteria)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    for (size_t i = 0; i < asked->n_sort_by; i++) {
        /* Halved, the numbers of SortBy are those of the domain. */
        sort[i].field = (enum vg_event_sort_field)((unsigned)asked->sort_by[i] >> 1);
        sort[i].descending = (asked->sort_by[i] & 1) != 0;
    }
    const struct vg_events_assess_search search = {
        .criteria = &criteria,
        .type = VG_EVENT_TYPE_AGGREGATED,
        .sort = sort,
        .sort_count = asked->n_sort_by,
        .limit = asked->has_limit ? asked->limit : 0,
        .offset = asked->offset,
        .one_customer = true,
    };
    uint64_t found = 0;
    enum vg_reason reason = vg_events_assess_matching(assess, &search, &found, out_assessed);
    return reason == VG_OK && found == 0
               ? vg_error_set(&call->error, VG_EVENT_NOT_FOUND, "No event matches the criteria")
               : reason;
}

static int update_aggregated_bulk(struct vg_call *call)
{
    const Vigil__Events__V1__UpdateAggregatedBulkRequest *request =
        (const Vigil__Events__V1__UpdateAggregatedBulkRequest *)call->request;
    Vigil__Events__V1__AssessedCount *answer =
        (Vigil__Events__V1__AssessedCount *)call->reply.answer;
    struct vg_events_assess assess = { 0 };
    uint64_t assessed = 0;
    enum vg_reason reason = begin(call, request->update, &assess);
    if (reason == VG_OK) {
        reason = vg_error_from_violations(&call->error);
    }
    if (reason == VG_OK) {
        reason = assess_found(call, &assess, request->criteria, &assessed);
    }
    vg_events_assess_end(&assess);
    if (reason == VG_OK) {
        answer->has_count = true;
        answer->count = (int64_t)assessed;
    }
    return (int)reason;
}

int vg_events_v1_update_aggregated_bulk(
    struct vg_call *call,
    const Vigil__Events__V1__UpdateAggregatedBulkRequest *request,
    Vigil__Events__V1__AssessedCount *answer)
{
    (void)request;
    (void)answer;
    return vg_call_defer(call, update_aggregated_bulk);
}
