/*
 * vigil.events.v2.EventService: submission, single and in bulk.
 *
 * A call is read and resolved on the caller's threads, queued as one submission, and completed by
 * the writer. Everything of it is in the call's arena; the directory is held until it is answered,
 * because submissions borrow from it.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/settings.h"
#include "core/events/event_ingest.h"
#include "core/node/node.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_input.h"
#include "rpc/handlers/idempotent_call.h"
#include "rpc/service/admission.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"

/* A bulk of more events is resolved on an executor thread. */
#define VG_SUBMIT_INLINE_MAX 16u

/* Memory that resolving, packing and answering one event takes beside its texts, about. */
#define VG_SUBMIT_EVENT_BYTES 4096u

/* Where the writer's part of a single submission is packed: its texts once more, and base64. */
#define VG_SUBMIT_TEXT_FACTOR 4u

struct submit_work {
    struct vg_ingest_submission group;
    struct vg_call *call;
    struct vg_idempotent_call idempotent;
    struct vg_event_submit_frame frame;
    struct vg_event_submission *events;
    Vigil__Events__V2__SubmitStatus *statuses;
    size_t count;
    bool drop_invalid;
    Vigil__Events__V2__BulkSubmitStatus *bulk; /* NULL = a single event */
};

/* ------------------------------------------------------------------------------------- answers */

static bool set_accepted(struct submit_work *work, size_t index)
{
    Vigil__Events__V2__SubmitStatus *status = &work->statuses[index];
    char text[VG_EVENT_ID_TEXT_SIZE];
    size_t size = vg_event_id_print(&work->events[index].part.id, text);
    status->id = vg_arena_text(&work->call->arena, vg_bytes(text, size));
    status->has_status = true;
    status->status = VIGIL__EVENTS__V2__SUBMIT_OUTCOME__SUBMIT_OUTCOME_ACCEPTED;
    return status->id != NULL;
}

static void set_rejected(struct submit_work *work, size_t index, enum vg_reason reason)
{
    const struct vg_event_submission *event = &work->events[index];
    Vigil__Events__V2__SubmitStatus *status = &work->statuses[index];
    const char *message = event->message != NULL ? event->message : vg_reason_row(reason)->text;
    status->id = NULL;
    status->has_status = true;
    status->status = VIGIL__EVENTS__V2__SUBMIT_OUTCOME__SUBMIT_OUTCOME_REJECTED;
    status->message = vg_arena_text(&work->call->arena, vg_bytes_text(message));
}

static void count_statuses(struct submit_work *work)
{
    Vigil__Events__V2__BulkSubmitStatus *bulk = work->bulk;
    bulk->has_accepted = bulk->has_rejected = true;
    bulk->accepted = bulk->rejected = 0;
    for (size_t i = 0; i < work->count; i++) {
        if (work->statuses[i].status ==
            VIGIL__EVENTS__V2__SUBMIT_OUTCOME__SUBMIT_OUTCOME_ACCEPTED) {
            bulk->accepted++;
        } else {
            bulk->rejected++;
        }
    }
}

/* Tell that event `index` cannot be taken, as a violation of the request. */
static void blame_event(struct submit_work *work, size_t index, enum vg_reason reason)
{
    const struct vg_event_submission *event = &work->events[index];
    char path[128];
    if (work->bulk == NULL) {
        (void)snprintf(path, sizeof(path), "%s", event->field == NULL ? "" : event->field);
    } else if (event->field == NULL) {
        (void)snprintf(path, sizeof(path), "events[%zu]", index);
    } else {
        (void)snprintf(path, sizeof(path), "events[%zu].%s", index, event->field);
    }
    struct vg_violation violation = {
        .reason = reason,
        .field = path[0] == '\0' ? NULL : path,
        .parameter = reason == VG_ACCESS_DENIED ? "submitEvent" : event->parameter,
        .message = event->message,
    };
    vg_violations_add(&work->call->error.violations, &violation);
}

/* ---------------------------------------------------------------------------------- completion */

static void release(struct submit_work *work)
{
    vg_event_calls_end_submit(&work->frame);
}

/* What the writer has refused. */
static enum vg_reason settle_items(struct submit_work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        struct vg_event_submission *event = &work->events[i];
        if (event->reason != VG_OK || event->item.reason == VG_OK) {
            continue;
        }
        if (work->drop_invalid) {
            set_rejected(work, i, event->item.reason);
        } else {
            blame_event(work, i, event->item.reason);
        }
    }
    return vg_error_from_violations(&work->call->error);
}

/* On the writer thread, before the commit: the answer to be remembered. */
static void complete_answer(struct vg_ingest_submission *group)
{
    struct submit_work *work = VG_CONTAINER_OF(group, struct submit_work, group);
    for (size_t i = 0; i < work->count; i++) {
        const struct vg_event_submission *event = &work->events[i];
        if (event->reason == VG_OK && event->item.reason != VG_OK) {
            set_rejected(work, i, event->item.reason);
        }
    }
    if (work->bulk != NULL) {
        count_statuses(work);
    }
}

/* On the writer thread: the events are durable and visible, or not stored. */
static void complete(struct vg_task *task)
{
    struct vg_ingest_submission *group = VG_CONTAINER_OF(task, struct vg_ingest_submission, done);
    struct submit_work *work = VG_CONTAINER_OF(group, struct submit_work, group);
    struct vg_call *call = work->call;
    enum vg_reason reason = group->recalled ? VG_OK : settle_items(work);
    if (reason == VG_OK && group->reason != VG_OK) {
        reason = vg_error_set(&call->error, group->reason, "%s", group->message);
    }
    if (reason == VG_OK && work->bulk != NULL && !group->recalled) {
        count_statuses(work);
    }
    if (reason == VG_OK) {
        reason = vg_idempotent_call_finish(&work->idempotent);
    }
    release(work);
    vg_call_complete(call, reason);
}

/* -------------------------------------------------------------------------------------- stages */

/* Read the form of all events; every violation of every event is told. */
static enum vg_reason read_events(
    struct submit_work *work,
    Vigil__Events__V2__SubmitRequest *const *requests,
    struct vg_event_input *inputs)
{
    struct vg_call *call = work->call;
    for (size_t i = 0; i < work->count; i++) {
        if (!vg_event_input_read(requests[i], &call->arena, &inputs[i])) {
            return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
        }
        if (!vg_event_submission_read(
                &work->events[i],
                &inputs[i],
                &work->frame.context,
                work->bulk == NULL ? VG_EVENT_SUBMISSION_ALONE : i,
                &call->error.violations) &&
            call->error.violations.found >= VG_VIOLATIONS_MAX) {
            break;
        }
    }
    return vg_error_from_violations(&call->error);
}

/* Resolve what they refer to and make their records. */
static enum vg_reason resolve_events(struct submit_work *work, const struct vg_event_input *inputs)
{
    struct vg_call *call = work->call;
    for (size_t i = 0; i < work->count; i++) {
        struct vg_event_submission *event = &work->events[i];
        enum vg_reason reason =
            vg_event_submission_resolve(event, &inputs[i], &work->frame.context);
        if (reason == VG_OK) {
            reason = vg_event_submission_prepare(event, &work->frame.context);
        }
        if (reason == VG_REQUEST_MEMORY || (reason == VG_OK && !set_accepted(work, i))) {
            return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
        }
        if (reason == VG_OK) {
            vg_event_ingest_add(&work->group, event);
        } else if (work->drop_invalid) {
            set_rejected(work, i, reason);
        } else {
            blame_event(work, i, reason);
        }
    }
    return vg_error_from_violations(&call->error);
}

/* Hand over to the writer, or answer at once when nothing is left to store. */
static int queue_events(struct submit_work *work)
{
    struct vg_call *call = work->call;
    if (work->group.first == NULL) {
        count_statuses(work);
        release(work);
        return VG_OK;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < work->count; i++) {
        bytes += work->events[i].item.bytes;
    }
    if (bytes > VG_INGEST_SUBMISSION_BYTES_MAX) {
        release(work);
        return (int)vg_error_set(&call->error, VG_REQUEST_TOO_LARGE, NULL);
    }
    work->group.done.run = complete;
    /* What is refused as a whole is not remembered: it may be sent again. */
    work->group.all_or_nothing =
        !work->drop_invalid && (work->count > 1 || call->idempotency_key.data != NULL);
    vg_idempotent_call_protect(&work->idempotent, &work->group, complete_answer);
    enum vg_reason reason =
        vg_ingest_submit(call->service->node->ingest, &work->group, &call->error);
    if (reason != VG_OK) {
        release(work);
        return (int)reason;
    }
    return VG_CALL_PENDING; /* the call is the writer's now */
}

/* Submit `count` events. `work` has its answer set. */
static int submit(
    struct submit_work *work,
    Vigil__Events__V2__SubmitRequest *const *requests,
    size_t count)
{
    struct vg_call *call = work->call;
    bool answered = false;
    enum vg_reason reason = vg_idempotent_call_begin(call, &work->idempotent, &answered);
    if (reason == VG_OK && !answered) { /* what was answered before costs nothing again */
        reason = vg_admission_take_events(call, call->principal, count, &call->error);
    }
    if (reason != VG_OK || answered) {
        return (int)reason;
    }
    vg_arena_set_max(
        &call->arena,
        call->arena.bytes_max + count * VG_SUBMIT_EVENT_BYTES +
            call->body.size * VG_SUBMIT_TEXT_FACTOR);
    struct vg_event_input *inputs = vg_arena_alloc(&call->arena, count * sizeof(*inputs));
    work->events = vg_arena_alloc(&call->arena, count * sizeof(*work->events));
    work->count = count;
    if (inputs == NULL || work->events == NULL) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    vg_ingest_submission_init(&work->group);
    vg_event_calls_begin_submit(call, &call->arena, call->now, &work->frame);
    reason = read_events(work, requests, inputs);
    if (reason == VG_OK) {
        reason = resolve_events(work, inputs);
    }
    if (reason != VG_OK) {
        release(work);
        return (int)reason;
    }
    return queue_events(work);
}

static struct submit_work *create_work(struct vg_call *call)
{
    struct submit_work *work = vg_arena_calloc(&call->arena, 1, sizeof(*work));
    if (work == NULL) {
        (void)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
        return NULL;
    }
    work->call = call;
    return work;
}

/* ------------------------------------------------------------------------------------ handlers */

int vg_events_v2_submit_event(
    struct vg_call *call,
    const Vigil__Events__V2__SubmitRequest *request,
    Vigil__Events__V2__SubmitStatus *answer)
{
    (void)request;
    struct submit_work *work = create_work(call);
    if (work == NULL) {
        return VG_REQUEST_MEMORY;
    }
    work->statuses = answer;
    Vigil__Events__V2__SubmitRequest *requests[] = {
        (Vigil__Events__V2__SubmitRequest *)call->request,
    };
    return submit(work, requests, 1);
}

/* The statuses of a bulk, empty; false when the arena is full. */
static bool make_statuses(struct submit_work *work, size_t count)
{
    struct vg_arena *arena = &work->call->arena;
    vg_arena_set_max(arena, arena->bytes_max + count * VG_SUBMIT_EVENT_BYTES);
    Vigil__Events__V2__SubmitStatus **list = vg_arena_alloc(arena, count * sizeof(*list));
    work->statuses = vg_arena_alloc(arena, count * sizeof(*work->statuses));
    if (list == NULL || work->statuses == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        vigil__events__v2__submit_status__init(&work->statuses[i]);
        list[i] = &work->statuses[i];
    }
    work->bulk->n_events = count;
    work->bulk->events = list;
    return true;
}

static int submit_events(struct vg_call *call)
{
    const Vigil__Events__V2__BulkSubmitRequest *request =
        (const Vigil__Events__V2__BulkSubmitRequest *)call->request;
    size_t count = request->events->n_items;
    if (count > call->service->settings->bulk_events_max) {
        (void)vg_error_set(
            &call->error,
            VG_INVALID_FIELD_VALUE,
            "More than %u events",
            call->service->settings->bulk_events_max);
        return (int)vg_error_field(&call->error, "events", "");
    }
    struct submit_work *work = create_work(call);
    if (work == NULL) {
        return VG_REQUEST_MEMORY;
    }
    work->drop_invalid = request->has_on_error &&
                         request->on_error == VIGIL__EVENTS__V2__ON_ERROR__ON_ERROR_DROP_INVALID;
    work->bulk = (Vigil__Events__V2__BulkSubmitStatus *)call->reply.answer;
    if (!make_statuses(work, count)) {
        return (int)vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    return submit(work, request->events->items, count);
}

int vg_events_v2_submit_events(
    struct vg_call *call,
    const Vigil__Events__V2__BulkSubmitRequest *request,
    Vigil__Events__V2__BulkSubmitStatus *answer)
{
    (void)answer;
    return request->events->n_items > VG_SUBMIT_INLINE_MAX ? vg_call_defer(call, submit_events)
                                                           : submit_events(call);
}
