/*
 * vigil.events.v2.EventStream.Watch: events as they are added and changed.
 *
 *     woken (the watches' thread) → a step (executor): who is it still, what is new → told (worker)
 *
 * A watch is a position and criteria, no more. A step reads one part of what is behind the position
 * and gives its snapshot back; the next one begins when the client has taken it. So who does not
 * read holds one part of an answer, and nothing is looked at for him until he does.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/access/access.h"
#include "core/access/principal.h"
#include "core/base/assert.h"
#include "core/base/metrics.h"
#include "core/base/settings.h"
#include "core/events/event_access.h"
#include "core/events/event_watches.h"
#include "core/events/watch_pass.h"
#include "core/node/node.h"
#include "core/wire/validate.h"
#include "core/wire/wire_field.h"
#include "proto/contract_handlers.h"
#include "rpc/handlers/event_calls.h"
#include "rpc/handlers/event_criteria_v2.h"
#include "rpc/handlers/event_view.h"
#include "rpc/service/call_metadata.h"
#include "rpc/service/conversation.h"
#include "rpc/service/service.h"

_Static_assert(
    offsetof(Vigil__Events__V2__WatchRequest, index_end_timestamp) ==
            offsetof(Vigil__Events__V2__SearchRequest, index_end_timestamp) &&
        offsetof(Vigil__Events__V2__WatchRequest, sub_criteria) ==
            offsetof(Vigil__Events__V2__SearchRequest, sub_criteria),
    "WatchRequest and SearchRequest declare the same criteria in the same order");

/* A step ends when it has made so many bytes, or one event. */
#define VG_WATCH_PART_BYTES (128u * 1024u)
/* The next step begins when the client has not yet been given fewer than these. */
#define VG_WATCH_UNSAID_BYTES (64u * 1024u)
/* Criteria as the table is asked them, and one event while it is made. */
#define VG_WATCH_PREDICATE_BYTES (64u * 1024u * 1024u)
#define VG_WATCH_EVENT_BYTES     (64u * 1024u * 1024u)
#define VG_WATCH_HEARTBEAT_S     15
/* What could not be done now is tried again after so long. */
#define VG_WATCH_RETRY_NS UINT64_C(50000000)

struct watch {
    struct vg_intake intake;
    struct vg_call *call;
    struct vg_mailbox *home;
    struct vg_event_watch member;
    bool joined;
    bool gone; /* the call is over; freed by the message that is still on its way */
    /* The worker's, or while `steps` the executor's. */
    struct vg_task task;
    bool steps;
    bool waits;      /* to be woken */
    bool draining;   /* the server is going down */
    bool positioned; /* `position` says something */
    bool only_new;
    struct vg_event_criteria criteria;
    struct vg_event_view_members members;
    uint64_t heartbeat_ns;
    uint64_t told_ns; /* when it was last told anything */
    struct vg_watch_position position;
    vg_time new_from; /* with `since`: what was stored before is not new */
    struct vg_arena predicate_arena;
    const struct vg_predicate *where;
    /* What a step has found. */
    const struct vg_principal *principal;
    struct vg_buffer part; /* messages, each behind its length */
    struct vg_watch_position reached;
    enum vg_reason reason;
    bool complete; /* that was all */
    bool live;     /* it has waited since: what it is not told of is not for it */
    /* Set by the watches' thread. */
    struct vg_task woken;
    _Atomic bool is_woken; /* `woken` is on its way */
};

static struct watch *watch_of(struct vg_intake *intake)
{
    return VG_CONTAINER_OF(intake, struct watch, intake);
}

static struct vg_event_watches *watches_of(const struct watch *watch)
{
    return watch->call->service->node->watches;
}

/* ---- a step, on an executor thread */

static enum vg_reason check_step(void *owner, struct vg_error *error)
{
    const struct watch *watch = owner;
    bool cancelled = atomic_load_explicit(&watch->call->cancelled, memory_order_relaxed);
    return cancelled ? vg_error_set(error, VG_CANCELLED, NULL) : VG_OK;
}

/* The key is looked at anew: it may be revoked, or see less, while the watch goes on. */
static enum vg_reason authenticate(struct watch *watch, struct vg_error *error)
{
    const struct vg_call *call = watch->call;
    const struct vg_principal *principal = NULL;
    enum vg_reason reason = vg_access_authenticate(
        call->service->access,
        call->credential,
        call->identity,
        &call->peer,
        vg_clock_now(call->service->clock),
        &principal,
        error);
    if (reason == VG_OK && !vg_principal_has(principal, call->method->permissions)) {
        reason = vg_error_set(error, VG_ACCESS_DENIED, NULL);
    }
    if (reason != VG_OK) {
        vg_principal_unref(principal);
        return reason;
    }
    vg_principal_unref(watch->principal);
    watch->principal = principal;
    return VG_OK;
}

static enum vg_reason compile(
    struct watch *watch,
    const struct vg_event_view *view,
    struct vg_error *error)
{
    const struct vg_service *service = watch->call->service;
    vg_arena_reset(&watch->predicate_arena);
    const struct vg_event_criteria_context context = {
        .directory = view->directory,
        .principal = watch->principal,
        .secret = service->node->format.secret,
        .now = vg_clock_now(service->clock),
        .function = VG_FUNCTION_EVENT_LOOKUP,
        .arena = &watch->predicate_arena,
    };
    enum vg_reason reason =
        vg_event_criteria_compile(&watch->criteria, &context, &watch->where, error);
    return reason == VG_OK ? vg_event_search_check(watch->where, error) : reason;
}

/* Is this part of the criteria about the present moment, which moves? */
static bool asks_now(const struct vg_event_criteria *criteria)
{
    bool asks = criteria->skip_future || criteria->unpublished_excluded;
    for (size_t i = 0; i < criteria->sub_criteria_count; i++) {
        asks = asks || asks_now(criteria->sub_criteria[i].criteria);
    }
    return asks;
}

/* What the watches are to ask for us. */
static void describe(struct watch *watch, const struct vg_event_view *view)
{
    bool can_ask = !asks_now(&watch->criteria) && !vg_predicate_reads_records(watch->where);
    watch->member.where = can_ask ? watch->where : NULL;
    watch->member.directory_version = vg_directory_snapshot_version(view->directory);
}

/* Append an answer to the part. */
static enum vg_reason put_answer(
    struct watch *watch,
    const struct vg_watch_position *position,
    struct vg_bytes event,
    struct vg_error *error)
{
    struct vg_buffer *part = &watch->part;
    char token[VG_WATCH_TOKEN_SIZE];
    size_t token_size = vg_watch_position_print(position, token);
    uint32_t size = 0;
    const size_t start = part->size;
    vg_buffer_append(part, &size, sizeof(size));
    if (event.data != NULL) {
        vg_wire_put_bytes(part, 1, event);
    }
    vg_wire_put_bytes(part, 2, vg_bytes(token, token_size));
    if (event.data == NULL) {
        vg_wire_put_varint(part, 3, 1);
    }
    if (part->failed) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    size = (uint32_t)(part->size - start - sizeof(size));
    memcpy(part->data + start, &size, sizeof(size));
    return VG_OK;
}

/* Events of the pass, until the part is full. */
static enum vg_reason fill_part(
    struct watch *watch,
    struct vg_watch_pass *pass,
    struct vg_event_view *view,
    struct vg_error *error)
{
    struct vg_arena arena;
    enum vg_reason reason = VG_OK;
    vg_arena_init(&arena, VG_WATCH_EVENT_BYTES);
    view->arena = &arena;
    while (reason == VG_OK && watch->part.size < VG_WATCH_PART_BYTES) {
        struct vg_event_id id;
        struct vg_bytes record;
        struct vg_bytes event;
        bool end = false;
        vg_arena_clear(&arena);
        reason = check_step(watch, error);
        if (reason == VG_OK) {
            reason = vg_watch_pass_next(pass, &id, &record, &end, error);
        }
        if (reason != VG_OK || end) {
            watch->complete = end && !pass->is_full;
            break;
        }
        reason = vg_event_view_wire(view, &id, record, &watch->members, &event, error);
        if (reason == VG_OK) {
            reason = put_answer(watch, &pass->at, event, error);
        }
        vg_metrics_add(VG_METRIC_watch_events_total, reason == VG_OK);
    }
    vg_arena_dispose(&arena);
    if (reason == VG_OK) {
        watch->reached = pass->at;
    }
    return reason;
}

static enum vg_reason look(struct watch *watch, struct vg_event_view *view, struct vg_error *error)
{
    const struct vg_call *call = watch->call;
    const struct vg_settings *settings = call->service->settings;
    const struct vg_watch_question question = {
        .where = watch->where,
        .only_new = watch->only_new,
        .updated = vg_event_watches_updated(watches_of(watch)),
        .new_from = watch->new_from,
        .check = check_step,
        .owner = watch,
    };
    const struct vg_event_store source = vg_event_calls_store(call, settings->snapshot_age_ms);
    if (!watch->positioned) {
        watch->complete = true;
        return vg_watch_pass_here(&source, &question, &watch->reached, error);
    }
    vg_time behind = question.updated - watch->position.updated;
    /* Where nothing has been changed yet there is no time, and nothing behind it. */
    bool is_first = watch->position.updated == 0 && watch->position.revision != 0;
    if (!watch->live && !is_first && behind > (vg_time)settings->watch_behind_max_ms) {
        return vg_error_set(
            error,
            VG_WATCH_POSITION_GONE,
            "The place to go on is %lld ms behind, which is more than watch_behind_max_ms: search "
            "for what was changed since %lld, and watch from now on",
            (long long)behind,
            (long long)watch->position.updated);
    }
    struct vg_watch_pass pass;
    enum vg_reason reason = vg_watch_pass_open(&pass, &source, &watch->position, &question, error);
    if (reason == VG_OK) {
        reason = fill_part(watch, &pass, view, error);
        vg_watch_pass_close(&pass);
    }
    return reason;
}

static void stepped(struct vg_task *task);

static void step(struct vg_task *task)
{
    struct watch *watch = VG_CONTAINER_OF(task, struct watch, task);
    struct vg_call *call = watch->call;
    struct vg_error *error = &call->error;
    vg_error_init(error, &call->arena);
    watch->complete = false;
    watch->reached = watch->position;
    enum vg_reason reason = authenticate(watch, error);
    if (reason == VG_OK) {
        struct vg_event_view view = vg_event_calls_view(call, NULL);
        view.principal = watch->principal;
        reason = compile(watch, &view, error);
        if (reason == VG_OK) {
            describe(watch, &view);
            reason = look(watch, &view, error);
        }
        vg_event_calls_release_view(&view);
    }
    watch->reason = reason;
    watch->task.run = stepped;
    vg_mailbox_post(watch->home, &watch->task);
}

/* ---- the worker's side */

static void go_on(struct watch *watch);

static uint64_t now_ns(const struct watch *watch)
{
    return vg_clock_monotonic_ns(watch->call->service->clock);
}

/* When to look again though nothing has changed: something is to be said, or the key expires. */
static uint64_t due_ns(const struct watch *watch)
{
    uint64_t due = watch->told_ns + watch->heartbeat_ns;
    vg_time expires = watch->principal == NULL ? 0 : watch->principal->key_expires;
    if (expires != 0) {
        vg_time left_ms = expires - vg_clock_now(watch->call->service->clock) + 1;
        uint64_t left_ns = left_ms > 0 && left_ms < 1000000000 ? (uint64_t)left_ms * 1000000u : 0;
        left_ns = left_ms >= 1000000000 ? UINT64_MAX / 4 : left_ns;
        due = now_ns(watch) + left_ns < due ? now_ns(watch) + left_ns : due;
    }
    return due;
}

static void wait_until(struct watch *watch, uint64_t due)
{
    watch->member.sequence = watch->position.revision;
    watch->member.due_ns = due;
    watch->waits = true;
    watch->waits = vg_event_watches_wait(watches_of(watch), &watch->member);
}

/* It could not look: after a while again, and no change wakes it before, not even one that has been
 * made already. */
static void retry_later(struct watch *watch)
{
    watch->member.where = NULL;
    watch->member.sequence = UINT64_MAX;
    watch->member.due_ns = now_ns(watch) + VG_WATCH_RETRY_NS;
    watch->waits = true;
    watch->waits = vg_event_watches_wait(watches_of(watch), &watch->member);
}

static void begin_step(struct watch *watch)
{
    struct vg_call *call = watch->call;
    watch->task.run = step;
    watch->steps = true;
    vg_call_owe(call);
    if (vg_executor_post_for(call->service->executor, vg_call_caller(call), &watch->task)) {
        return;
    }
    /* All are busy. */
    watch->steps = false;
    retry_later(watch);
    (void)!vg_call_repay(call);
}

/* Say the messages of the part. */
static bool say_part(struct watch *watch)
{
    struct vg_bytes rest = vg_buffer_bytes(&watch->part);
    struct vg_bytes message;
    bool said = true;
    if (rest.size > 0) {
        watch->told_ns = now_ns(watch);
    }
    while (said && vg_intake_next_message(&rest, &message)) {
        said = vg_call_say_wire(watch->call, message);
    }
    /* The memory goes, too: most watches are told little, and seldom. */
    vg_buffer_dispose(&watch->part);
    return said;
}

/* Say how far it has come. */
static bool say_place(struct watch *watch)
{
    return put_answer(watch, &watch->position, vg_bytes(NULL, 0), &watch->call->error) == VG_OK &&
           say_part(watch);
}

/* What ends one look and not the watch. */
static bool is_passing(enum vg_reason reason)
{
    return reason == VG_SNAPSHOT_EXPIRED || reason == VG_OVERLOADED;
}

/* A step is done: tell what it has found. */
static void stepped(struct vg_task *task)
{
    struct watch *watch = VG_CONTAINER_OF(task, struct watch, task);
    struct vg_call *call = watch->call;
    watch->steps = false;
    if (!vg_call_repay(call)) {
        return; /* the call was over: the watch is gone */
    }
    if (watch->reason != VG_OK && !is_passing(watch->reason)) {
        vg_call_hang_up(call, watch->reason);
        return;
    }
    if (watch->reason == VG_OK) {
        watch->position = watch->reached;
        watch->positioned = true;
    } else {
        vg_error_init(&call->error, &call->arena);
        vg_buffer_clear(&watch->part);
    }
    if (!say_part(watch)) {
        return;
    }
    /* It is live from here on, or has been told nothing for long. */
    bool is_due = !watch->live || now_ns(watch) - watch->told_ns >= watch->heartbeat_ns;
    if (watch->complete && watch->reason == VG_OK && is_due && !say_place(watch)) {
        return;
    }
    if (watch->reason != VG_OK) {
        retry_later(watch);
    } else {
        watch->live = watch->complete;
    }
    if (watch->reason == VG_OK && watch->complete) {
        wait_until(watch, due_ns(watch));
    }
    go_on(watch);
}

/* Whatever has happened: what comes next? */
static void go_on(struct watch *watch)
{
    if (watch->steps) {
        return;
    }
    if (watch->draining) {
        if (!watch->positioned || say_place(watch)) {
            vg_call_hang_up(watch->call, VG_DRAINING);
        }
        return;
    }
    if (!watch->waits && vg_call_unsaid(watch->call) < VG_WATCH_UNSAID_BYTES) {
        begin_step(watch);
    }
}

static void room(struct vg_intake *intake)
{
    go_on(watch_of(intake));
}

static void drain(struct vg_intake *intake)
{
    struct watch *watch = watch_of(intake);
    watch->draining = true;
    go_on(watch);
}

static void free_watch(struct watch *watch)
{
    vg_principal_unref(watch->principal);
    vg_buffer_dispose(&watch->part);
    vg_arena_dispose(&watch->predicate_arena);
    free(watch);
}

/* The message of the watches' thread has come. */
static void woken(struct vg_task *task)
{
    struct watch *watch = VG_CONTAINER_OF(task, struct watch, woken);
    atomic_store(&watch->is_woken, false);
    if (watch->gone) {
        free_watch(watch);
        return;
    }
    watch->waits = false;
    go_on(watch);
}

static void wake(struct vg_event_watch *member)
{
    struct watch *watch = VG_CONTAINER_OF(member, struct watch, member);
    watch->woken.run = woken;
    atomic_store(&watch->is_woken, true);
    vg_mailbox_post(watch->home, &watch->woken);
}

static void close_watch(struct vg_intake *intake)
{
    struct watch *watch = watch_of(intake);
    VG_ASSERT(!watch->steps);
    if (watch->joined) {
        vg_event_watches_leave(watches_of(watch), &watch->member);
    }
    watch->gone = true;
    watch->call = NULL;
    if (!atomic_load(&watch->is_woken)) {
        free_watch(watch);
    }
}

static const struct vg_intake_class watch_class = { .close = close_watch,
                                                    .room = room,
                                                    .drain = drain };

/* ---- the beginning */

static enum vg_reason read_position(
    struct watch *watch,
    const Vigil__Events__V2__WatchRequest *request)
{
    struct vg_call *call = watch->call;
    struct vg_error *error = &call->error;
    const uint32_t store = vg_watch_position_store(call->service->node->format.store_id);
    struct vg_bytes token = vg_bytes(NULL, 0);
    if (request->token != NULL) {
        token = vg_bytes_text(request->token);
    } else {
        /* How a browser's EventSource says where it was (HTML, "server-sent events"). */
        (void)!vg_call_metadata(call, "last-event-id", 0, &token);
    }
    watch->position.store = store;
    if (token.size > 0 && request->since != NULL) {
        (void)vg_error_set(error, VG_CONFLICTING_FIELDS, "A token says since when");
        return vg_error_field(error, "since", "");
    }
    if (token.size > 0) {
        if (!vg_watch_position_parse(token, &watch->position)) {
            (void)vg_error_set(error, VG_INVALID_FIELD_VALUE, "This is no token of an answer");
            return vg_error_field(error, "token", "");
        }
        if (watch->position.store != store) {
            return vg_error_set(
                error,
                VG_WATCH_POSITION_GONE,
                "The token is of another server's data: watch without one");
        }
        watch->positioned = true;
    } else if (request->since != NULL) {
        vg_time since = vg_wire_time(request->since);
        watch->position.updated = since;
        watch->new_from = since;
        watch->positioned = true;
    }
    return VG_OK;
}

static enum vg_reason begin_watch(
    struct watch *watch,
    const Vigil__Events__V2__WatchRequest *request)
{
    struct vg_call *call = watch->call;
    if (!vg_event_criteria_v2_read(&request->base, &call->arena, &watch->criteria)) {
        return vg_error_set(&call->error, VG_REQUEST_MEMORY, NULL);
    }
    vg_event_criteria_v2_read_index(&request->base, &watch->criteria);
    watch->members = (struct vg_event_view_members){
        .comments = request->has_include_comments && request->include_comments,
        .sub_events = request->has_include_sub_events && request->include_sub_events,
        .all_properties = request->has_include_all_properties && request->include_all_properties,
        .properties = request->include_properties,
        .property_count = request->n_include_properties,
    };
    watch->only_new = request->has_only_new && request->only_new;
    int32_t heartbeat = request->has_heartbeat ? request->heartbeat : VG_WATCH_HEARTBEAT_S;
    watch->heartbeat_ns = (uint64_t)heartbeat * 1000000000u;
    enum vg_reason reason = read_position(watch, request);
    if (reason == VG_OK) {
        reason = vg_event_watches_join(
            watches_of(watch),
            &watch->member,
            call->principal->key_id,
            &call->error);
        watch->joined = reason == VG_OK;
    }
    return reason;
}

int vg_events_v2_watch(
    struct vg_call *call,
    const Vigil__Events__V2__WatchRequest *request,
    Vigil__Events__V2__WatchAnswer *answer)
{
    (void)answer;
    struct watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL) {
        return (int)vg_error_set(&call->error, VG_RESOURCE_LIMIT, NULL);
    }
    watch->intake.class = &watch_class;
    watch->call = call;
    watch->home = call->home;
    watch->member.wake = wake;
    vg_arena_init(&watch->predicate_arena, VG_WATCH_PREDICATE_BYTES);
    vg_arena_count(&watch->predicate_arena);
    vg_buffer_init(&watch->part, SIZE_MAX);
    vg_buffer_count(&watch->part);
    enum vg_reason reason = begin_watch(watch, request);
    if (reason != VG_OK) {
        close_watch(&watch->intake);
        return (int)reason;
    }
    return vg_call_converse(call, &watch->intake);
}
